# buildah.sh - scenarios of buildah with isolation oci, as root and as a normal user; sourced by part.sh.
# Gives buildah_scenarios.
# shellcheck shell=bash disable=SC2016,SC2154,SC2034,SC2329 # the container's own variables; lib.bash's

buildah_setup() {
	export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
	export BUILDAH_ISOLATION=oci BUILDAH_RUNTIME=$runtime
	mkdir -p "$work/context"
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		cgroup_manager = "cgroupfs"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "vfs"
		graphroot = "$work/storage"
		runroot = "$work/runroot"
	END
	echo context >"$work/context/file"
	buildah=(timeout -k 5 "$limit" buildah)
	run=("${buildah[@]}" run --network none box)
	output=$("${buildah[@]}" pull -q "docker-archive:$shared/image.tar" 2>&1) &&
		output=$("${buildah[@]}" from --name box localhost/base 2>&1)
}

# bud STATUS PATTERN [OPTIONS] <CONTAINERFILE: a build.
bud() {
	local expected=$1 pattern=$2 status=0 said

	shift 2
	cat >"$work/context/Containerfile"
	said=$("${buildah[@]}" bud --network none --tag localhost/built "$@" "$work/context" 2>&1) || status=$?
	[ "$status" -eq "$expected" ] || { echo "exit status $status instead of $expected: $said" && return 1; }
	matches "$pattern" "$said"
}
bud_run() { bud 0 '^made in the build$' <<<$'FROM localhost/base\nRUN echo made in the build\nRUN echo x >/x\nRUN test -e /x'; }
bud_fails() { bud 7 'exit status 7' <<<$'FROM localhost/base\nRUN exit 7'; }
bud_not_found() { bud 127 'not found' <<<$'FROM localhost/base\nRUN no-such-command'; }
bud_exec_form() { bud 0 '^one two$' <<<$'FROM localhost/base\nRUN ["echo", "one", "two"]'; }
bud_user() { bud 0 '^1000 /home/ann$' <<<$'FROM localhost/base\nUSER ann\nWORKDIR /home/ann\nRUN echo $(id -u) $(pwd)'; }
bud_env() { bud 0 '^a b$' --build-arg B=b <<<$'FROM localhost/base\nARG B\nENV A=a\nRUN echo $A $B'; }
bud_copy() { bud 0 '^context$' <<<$'FROM localhost/base\nCOPY file /file\nRUN cat /file'; }
bud_stages() { bud 0 '^first$' <<<$'FROM localhost/base AS one\nRUN echo first >/made\nFROM localhost/base\nCOPY --from=one /made /made\nRUN cat /made'; }
bud_mounts() { bud 0 '^context tmpfs$' <<<$'FROM localhost/base\nRUN --mount=type=bind,source=file,target=/b --mount=type=tmpfs,target=/t echo $(cat /b) $(stat -f -c %T /t)'; }
bud_cache() {
	bud 0 '' <<<$'FROM localhost/base\nRUN --mount=type=cache,target=/cache echo kept >/cache/file' || return
	bud 0 '^kept$' <<<$'FROM localhost/base\nRUN --mount=type=cache,target=/cache cat /cache/file'
}
bud_result() {
	bud 0 '' <<<$'FROM localhost/base\nRUN echo kept >/kept\nCMD ["cat", "/kept"]' && "${buildah[@]}" from --name result localhost/built >/dev/null || return
	is kept "$("${buildah[@]}" run --network none result cat /kept)" && "${buildah[@]}" rm result >/dev/null
}
bud_seccomp_caps() { bud 0 '^CapEff:.00000000800405fb$|^CapEff:.00000000a80425fb$' <<<$'FROM localhost/base\nRUN grep CapEff /proc/self/status'; }
run_streams() {
	is "in out" "$(echo in | "${run[@]}" sh -c 'cat; echo out; echo err >&2' 2>"$work/stderr" | xargs)" || return
	is err "$(cat "$work/stderr")"
}
run_terminal() {
	matches /dev/pts/0 "$(script -qec "$(printf '%q ' timeout --foreground -k 5 "$limit" buildah run --network none --tty box tty)" /dev/null </dev/null)"
}
run_fds() { is "0 1 2 3" "$("${run[@]}" ls /proc/self/fd | xargs)"; }
run_commit() {
	"${run[@]}" sh -c 'echo new >/new' && "${buildah[@]}" commit -q box localhost/new >/dev/null && "${buildah[@]}" from --name new localhost/new >/dev/null || return
	is new "$("${buildah[@]}" run --network none new cat /new)" && "${buildah[@]}" rm new >/dev/null
}
run_ten() {
	local i pids=() failed=0

	for i in 1 2 3 4 5 6 7 8 9 10; do
		(is "$i" "$("${run[@]}" echo "$i")" || exit 1) &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
	is 0 "$failed"
}
nothing_left() {
	"${buildah[@]}" rm --all >/dev/null && is "" "$("$runtime" list --quiet 2>/dev/null)" && is 0 "$(grep -c "$work/storage/" /proc/self/mountinfo)"
}

buildah_scenarios() {
	if ! buildah_setup; then
		result "not ok" "buildah pull"
		return
	fi
	scenario "bud: RUN, its output and its files" bud_run
	scenario "bud: RUN fails with the command's exit code" bud_fails
	scenario "bud: RUN with a command that is missing: 127" bud_not_found
	scenario "bud: RUN in exec form" bud_exec_form
	scenario "bud: USER, WORKDIR" bud_user
	scenario "bud: ENV, ARG" bud_env
	scenario "bud: COPY, then RUN" bud_copy
	scenario "bud: two stages" bud_stages
	scenario "bud: RUN --mount bind, tmpfs" bud_mounts
	scenario "bud: RUN --mount cache" bud_cache
	scenario "bud: the image runs" bud_result
	scenario "bud: RUN has the default capabilities" bud_seccomp_caps
	check "run: exit code 0" 0 '^$' "${run[@]}" true
	check "run: exit code 7" 7 '' "${run[@]}" sh -c 'exit 7'
	check "run: not found in PATH" 1 'not found' "${run[@]}" no-such-command
	check "run: not executable" 1 '[Pp]ermission denied' "${run[@]}" /etc/not-executable
	scenario "run: stdin, stdout and stderr" run_streams
	scenario "run --tty: a terminal" run_terminal
	scenario "run: no fd is inherited" run_fds
	check "run --user" 0 '^1000 1001$' "${buildah[@]}" run --network none --user 1000:1001 box sh -c 'echo "$(id -u) $(id -g)"'
	check "run --env, --workingdir" 0 '^a /etc$' "${buildah[@]}" run --network none --env A=a --workingdir /etc box sh -c 'echo "$A $(pwd)"'
	check "run --volume" 0 '^volume$' "${buildah[@]}" run --network none --volume "$shared/volume:/mnt:ro" box sh -c 'touch /mnt/x 2>/dev/null || cat /mnt/file'
	check "run --mount" 0 '^tmpfs$' "${buildah[@]}" run --network none --mount type=tmpfs,destination=/mnt box stat -f -c %T /mnt
	check "run --hostname" 0 '^moor$' "${buildah[@]}" run --network none --hostname moor box hostname
	check "run --cap-add, --cap-drop" 0 '^1 0$' "${buildah[@]}" run --network none --cap-drop CAP_CHOWN --cap-add CAP_NET_ADMIN box \
		sh -c 'caps=0x$(sed -n "s/^CapEff:[[:space:]]*//p" /proc/self/status); echo $((caps >> 12 & 1)) $((caps & 1))'
	scenario "run, commit, run" run_commit
	scenario "ten at once in one container" run_ten
	[ "$kind" = root ] || check "unshare: the runtime in buildah's user namespace" 0 '^unshared$' \
		"${buildah[@]}" unshare buildah run --network none box echo unshared
	scenario "nothing is left" nothing_left
}
