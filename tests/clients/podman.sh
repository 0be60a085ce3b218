# podman.sh - scenarios of podman, as root and as a normal user; sourced by part.sh. Gives podman_scenarios.
#
# Most of them are one line: check NAME STATUS PATTERN COMMAND... The others are functions, right above the table
# that they are in.
# shellcheck shell=bash disable=SC2016,SC2154,SC2034 # the container's own variables; lib.bash's

podman_setup() {
	local tini

	export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
	mkdir -p "$work/hooks" "$work/networks" "$work/mnt"
	tini=$(command -v tini-static || command -v catatonit || command -v tini)
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		pids_limit = 0
		init_path = "${tini:-/none}"
		[engine]
		infra_image = "localhost/pause"
		lock_type = "file"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		hooks_dir = ["$work/hooks"]
		runtime = "$name"
		runtime_supports_json = ["$name"]
		runtime_supports_nocgroup = ["$name"]
		[engine.runtimes]
		$name = ["$runtime"]
		[network]
		network_config_dir = "$work/networks"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "vfs"
		graphroot = "$work/storage"
		runroot = "$work/runroot"
	END
	podman=(timeout -k 5 "$limit" podman)
	terminal=(timeout --foreground -k 5 "$limit" podman) # a background one can't read from it
	# A network costs time, and only some scenarios are about one.
	run=("${podman[@]}" run --rm --network none)
	image=localhost/base
	[ "$kind" = root ] || user_id=$(id -u)
	output=$("${podman[@]}" load --quiet --input "$shared/image.tar" 2>&1) &&
		output=$("${podman[@]}" import --quiet --change 'CMD ["/pause"]' "$shared/rootfs.tar" localhost/pause 2>&1) # of pods
}

# detached NAME [OPTIONS] -- COMMAND...: a container in the background.
detached() {
	local container=$1 options=()

	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	"${podman[@]}" run --detach --name "$container" --network none "${options[@]}" "$image" "$@"
}
status_is() { is "$2" "$("${podman[@]}" inspect --format '{{.State.Status}}' "$1")"; }
remove() { "${podman[@]}" rm --force --time 0 "$@" >/dev/null; }

# ---- run ----

run_streams() {
	is "in out" "$(echo in | "${run[@]}" -i "$image" sh -c 'cat; echo out; echo err >&2' 2>"$work/stderr" | xargs)" || return
	is err "$(cat "$work/stderr")"
}
run_interactive_terminal() {
	matches '^typed 7$' "$( (sleep 1.5; echo typed 7; sleep 0.5) |
		script -qec "$(printf '%q ' "${terminal[@]}" run --rm --network none -it "$image" sh -c 'stty -echo; read -r a; echo "$a"')" /dev/null | tr -d '\r')"
}
run_signals() {
	local words

	words=$("${run[@]}" "$image" sh -c 'grep -E "^Sig(Ign|Blk)" /proc/self/status; ls /proc/self/fd' | xargs)
	is "SigBlk: 0000000000000000 SigIgn: 0000000000000000 0 1 2 3" "$words" # 3 is ls's own
}
run_cidfile() {
	"${run[@]}" --cidfile "$work/cid" "$image" true && matches '^[0-9a-f]{64}$' "$(cat "$work/cid")"
}
run_preserve_fds() { is passed "$("${run[@]}" --preserve-fds 1 "$image" cat /proc/self/fd/3 3<<<passed)"; }
run_timeout() { local status=0; "${run[@]}" --timeout 1 "$image" sleep 100 || status=$?; [ "$status" -ne 0 ] && [ "$SECONDS" -lt 1000 ]; }
run_rm() { "${run[@]}" --name once "$image" true && ! "${podman[@]}" container exists once; }
run_rootfs() {
	mkdir -p "$work/rootfs" && tar -C "$work/rootfs" -xf "$shared/rootfs.tar" || return
	is image "$("${run[@]}" --rootfs "$work/rootfs" cat /data/file)"
}

table_run() {
	check "run: exit code 0" 0 '^$' "${run[@]}" "$image" true
	check "run: exit code 7" 7 '^$' "${run[@]}" "$image" sh -c 'exit 7'
	check "run: not found in PATH: 127" 127 "not found" "${run[@]}" "$image" no-such-command
	check "run: missing path: 127" 127 "no such file or directory|not found" "${run[@]}" "$image" /no/such/command
	check "run: not executable: 126" 126 "[Pp]ermission denied" "${run[@]}" "$image" /etc/not-executable
	check "run: a directory as a command: 126" 126 "" "${run[@]}" "$image" /etc
	check "run: podman's own error: 125" 125 "" "${run[@]}" --no-such-option "$image" true
	check "run: a working directory that is missing: 126" 126 'missing' "${run[@]}" --workdir /missing "$image" pwd
	scenario "run: stdin, stdout and stderr" run_streams
	check "run -t: a terminal" 0 '/dev/pts/0' "${run[@]}" --tty "$image" tty
	scenario "run -it: typed on a terminal" run_interactive_terminal
	scenario "run: no signal is ignored or blocked, no fd is inherited" run_signals
	check "run --user by number" 0 '^1000 1001$' "${run[@]}" --user 1000:1001 "$image" sh -c 'echo "$(id -u) $(id -g)"'
	check "run --user by name, with its groups and HOME" 0 '^1000 1000 1001 /home/ann$' "${run[@]}" --user ann "$image" \
		sh -c 'echo "$(id -u) $(id -G) $HOME"'
	check "run --group-add" 0 ' 1234' "${run[@]}" --group-add 1234 "$image" sh -c 'echo "groups $(id -G)"'
	check "run --workdir" 0 '^/etc$' "${run[@]}" --workdir /etc "$image" pwd
	check "run --env" 0 '^a b$' "${run[@]}" --env "A=a b" "$image" sh -c 'echo "$A"'
	check "run --hostname" 0 '^moor$' "${run[@]}" --hostname moor "$image" hostname
	check "run --entrypoint" 0 '^one two$' "${run[@]}" --entrypoint echo "$image" one two
	check "run --umask" 0 '^0077$' "${run[@]}" --umask 0077 "$image" sh -c umask
	check "run --init" 0 '(tini|catatonit|init)' "${run[@]}" --init "$image" sh -c 'tr "\0" " " </proc/1/cmdline'
	scenario "run --cidfile" run_cidfile
	scenario "run --preserve-fds" run_preserve_fds
	scenario "run --timeout" run_timeout
	scenario "run --rm: nothing stays" run_rm
	scenario "run --rootfs: a directory as the root" run_rootfs
	check "run --annotation, --label" 0 '^$' "${run[@]}" --annotation org.example.a=b --label c=d "$image" true
	check "run --ulimit" 0 '^100$' "${run[@]}" --ulimit nofile=100:100 --ulimit nproc=1024:1024 "$image" sh -c 'ulimit -n'
	check "run --oom-score-adj" 0 '^500$' "${run[@]}" --oom-score-adj 500 "$image" cat /proc/self/oom_score_adj
	check "run --shm-size" 0 'size=64k' "${run[@]}" --shm-size 64k "$image" grep /dev/shm /proc/mounts
	check "run --device" 0 '^1:3$' "${run[@]}" --device /dev/null:/dev/other "$image" stat -c %t:%T /dev/other
	check "run --tz, --dns, --add-host" 0 '10.1.2.3[[:space:]]+there' "${run[@]}" --tz UTC --add-host there:10.1.2.3 "$image" cat /etc/hosts
	check "run --log-driver none" 0 '^x$' "${run[@]}" --log-driver none "$image" echo x
}

# ---- file systems ----

volume_rw() {
	mkdir -p "$work/rw" && "${run[@]}" --volume "$work/rw:/mnt" "$image" sh -c 'echo written >/mnt/new' && is written "$(cat "$work/rw/new")"
}
volume_owner() {
	mkdir -p "$work/owned" && is 1000:1000 "$("${run[@]}" --user 1000:1000 --volume "$work/owned:/mnt:U" "$image" stat -c %u:%g /mnt)"
}
volume_named() {
	"${run[@]}" --volume kept:/mnt "$image" sh -c 'echo kept >/mnt/file' || return
	is kept "$("${run[@]}" --volume kept:/mnt:ro "$image" cat /mnt/file)" && "${podman[@]}" volume rm kept
}
volume_shared() { # what is mounted inside an rshared volume is seen outside, as root
	mkdir -p "$work/mnt/shared" && mount --bind "$work/mnt/shared" "$work/mnt/shared" && mount --make-shared "$work/mnt/shared" || return
	mkdir -p "$work/mnt/shared/sub"
	"${run[@]}" --privileged --volume "$work/mnt/shared:/mnt:rshared" "$image" mount -t tmpfs inside /mnt/sub || return
	grep -q " $work/mnt/shared/sub .* - tmpfs inside" /proc/self/mountinfo || { echo "the mount is not seen" && return 1; }
	umount "$work/mnt/shared/sub" && umount "$work/mnt/shared"
}

table_files() {
	check "read-only root: only /tmp, /run and /var/tmp can be written" 0 '^written$' "${run[@]}" --read-only "$image" \
		sh -c 'touch /x /etc/x 2>/dev/null || { for d in /tmp /run /var/tmp; do echo x >$d/file || exit; done; echo written; }'
	check "read-only root without --read-only-tmpfs" 0 '^refused$' "${run[@]}" --read-only --read-only-tmpfs=false "$image" \
		sh -c 'touch /tmp/x /x 2>/dev/null || echo refused'
	check "tmpfs: filled with what the image has" 0 '^just text new$' "${run[@]}" --tmpfs /etc "$image" \
		sh -c 'echo new >/etc/new && echo $(cat /etc/not-executable /etc/new)'
	check "tmpfs: size and mode" 0 '^tmpfs /scratch .*[ ,]noexec[ ,].*size=64k,mode=711' "${run[@]}" \
		--tmpfs /scratch:size=64k,mode=0711,noexec "$image" cat /proc/mounts
	scenario "volume: can be written" volume_rw
	check "volume: ro" 0 '^volume$' "${run[@]}" --volume "$shared/volume:/mnt:ro" "$image" sh -c 'touch /mnt/x 2>/dev/null || cat /mnt/file'
	scenario "volume: U changes its owner" volume_owner
	check "volume: noexec" 0 '[ ,]noexec' "${run[@]}" --volume "$shared/volume:/mnt:noexec" "$image" grep ' /mnt ' /proc/mounts
	check "volume: rslave" 0 'master:' "${run[@]}" --volume "$shared/volume:/mnt:rslave" "$image" sh -c 'cat /mnt/file && grep " /mnt " /proc/self/mountinfo; echo master:'
	check "volume: rshared" 0 '^volume$' "${run[@]}" --volume "$shared/volume:/mnt:rshared" "$image" cat /mnt/file
	check "volume: private" 0 '^volume$' "${run[@]}" --volume "$shared/volume:/mnt:private" "$image" cat /mnt/file
	if [ "$kind" = root ]; then
		scenario "volume: rshared, a mount made inside is seen outside" volume_shared
		check "volume: idmap" 0 '^1001:1002$' "${run[@]}" --volume "$shared/volume:/mnt:idmap=uids=0-1001-1;gids=0-1002-1" \
			"$image" stat -c %u:%g /mnt/file
	fi
	scenario "volume: a named one keeps its files" volume_named
	check "volume: an anonymous one has the image's files" 0 '^image$' "${run[@]}" --volume /data "$image" cat /data/file
	check "mount: bind" 0 '^volume$' "${run[@]}" --mount "type=bind,source=$shared/volume,destination=/mnt,readonly" "$image" cat /mnt/file
	check "mount: tmpfs" 0 'size=1024k' "${run[@]}" --mount type=tmpfs,destination=/mnt,tmpfs-size=1048576 "$image" grep ' /mnt ' /proc/mounts
	check "mount: image" 0 '^image$' "${run[@]}" --mount "type=image,source=$image,destination=/mnt" "$image" cat /mnt/data/file
	check "mount: devpts" 0 'devpts' "${run[@]}" --mount type=devpts,destination=/mnt "$image" grep ' /mnt ' /proc/mounts
	check "masked paths are empty" 0 '^0$' "${run[@]}" "$image" sh -c 'cat /proc/keys /proc/timer_list 2>/dev/null | wc -c'
	check "security-opt unmask=ALL" 0 '^[1-9]' "${run[@]}" --security-opt unmask=ALL "$image" sh -c 'ls /proc/acpi /proc/scsi /sys/firmware /proc/keys 2>/dev/null | wc -l'
	check "security-opt mask=PATH" 0 '^0$' "${run[@]}" --security-opt mask=/etc "$image" sh -c 'ls /etc | wc -l'
}

# ---- rights ----

caps='sed -n s/^CapEff:[[:space:]]*//p /proc/self/status'

keep_id() {
	mkdir -p "$work/kept"
	is "$user_id" "$("${run[@]}" --userns keep-id --volume "$work/kept:/mnt" "$image" sh -c 'touch /mnt/file; id -u')" || return
	is "$user_id" "$(stat -c %u "$work/kept/file")"
}

table_rights() {
	check "cap-drop all" 0 '^0000000000000000$' "${run[@]}" --cap-drop all "$image" sh -c "$caps"
	check "cap-add" 0 '^0000000000001000$' "${run[@]}" --cap-drop all --cap-add net_admin "$image" sh -c "$caps"
	check "cap-add for another user" 0 '^0000000000001000$' "${run[@]}" --user 1000 --cap-drop all --cap-add net_admin "$image" sh -c "$caps"
	check "the default capabilities of another user: none" 0 '^0000000000000000$' "${run[@]}" --user 1000 "$image" sh -c "$caps"
	check "privileged" 0 '^000001ff[ef]' "${run[@]}" --privileged "$image" sh -c "$caps"
	check "seccomp: podman's default profile" 0 '^2 denied$' "${run[@]}" --cap-drop all "$image" \
		sh -c 'unshare -m true 2>/dev/null || echo $(sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status) denied'
	check "seccomp: unconfined" 0 '^0$' "${run[@]}" --security-opt seccomp=unconfined "$image" sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}' >"$work/profile.json"
	check "seccomp: a profile of one's own" 1 'No space left' "${run[@]}" --security-opt "seccomp=$work/profile.json" "$image" mkdir /tmp/x
	check "no-new-privileges" 0 '^1$' "${run[@]}" --security-opt no-new-privileges "$image" sed -n 's/^NoNewPrivs:[[:space:]]*//p' /proc/self/status
	check "sysctl" 0 '^0.0$' "${run[@]}" --sysctl net.ipv4.ping_group_range='0 0' "$image" cat /proc/sys/net/ipv4/ping_group_range
	check "sysctl: refused without a namespace of its own" 126 '' sh -c '"$@"; [ $? -ne 0 ] && exit 126' sh \
		"${run[@]}" --network host --sysctl kernel.panic=1 "$image" true
	if [ "$kind" = rootless ]; then
		scenario "userns keep-id" keep_id
		check "userns nomap" 0 '^0$' "${run[@]}" --userns nomap "$image" id -u
		check "userns: the default has all of the user's ids" 0 '65536$' "${run[@]}" "$image" cat /proc/self/uid_map
		check "group-add keep-groups" 0 '^0' "${run[@]}" --group-add keep-groups "$image" id -u
	else
		check "userns auto" 0 '^ +0 +[1-9][0-9]* +[0-9]+$' "${run[@]}" --userns auto:size=1024 "$image" cat /proc/self/uid_map
		check "userns: uidmap" 0 '^ +0 +100000 +5000$' "${run[@]}" --uidmap 0:100000:5000 "$image" cat /proc/self/uid_map
		check "userns: uidmap, a terminal" 0 '/dev/pts/0' "${run[@]}" --tty --uidmap 0:100000:5000 "$image" tty
	fi
}

# ---- namespaces and networks ----

loopback_only() { is "lo" "$("${run[@]}" "$image" ls /sys/class/net | xargs)"; }
network_container() {
	detached net -- sleep 1000 >/dev/null || return
	is "$("${podman[@]}" exec net readlink /proc/self/ns/net)" "$("${podman[@]}" run --rm --network container:net "$image" readlink /proc/self/ns/net)" || return
	matches '1000' "$("${podman[@]}" run --rm --pid container:net --network none "$image" ps)" && remove net
}
slirp_outgoing() { # 10.0.2.2 is the host's loopback
	local server got

	(cd "$shared/volume" && exec busybox httpd -f -p 127.0.0.1:18080) >/dev/null 2>&1 &
	server=$!
	got=$("${podman[@]}" run --rm --network slirp4netns:allow_host_loopback=true "$image" \
		sh -c 'printf "GET /file HTTP/1.0\r\n\r\n" | nc -w 10 10.0.2.2 18080' | tail -n 1)
	kill "$server"
	is volume "$got"
}
slirp_published() {
	"${podman[@]}" run --detach --name web --network slirp4netns --publish 127.0.0.1:18081:80 "$image" httpd -f -p 80 -h /data || return
	wait_until busybox wget -q -O "$work/got" http://127.0.0.1:18081/file
	is image "$(cat "$work/got")" && remove web
}
pod_life() {
	"${podman[@]}" pod create --name pod --network none --share net,ipc,uts >/dev/null || return
	"${podman[@]}" run --detach --pod pod --name pod-1 "$image" sleep 1000 >/dev/null || return
	is "$("${podman[@]}" exec pod-1 readlink /proc/self/ns/net)" "$("${podman[@]}" run --rm --pod pod "$image" readlink /proc/self/ns/net)" || return
	"${podman[@]}" pod stop --time 0 pod >/dev/null && "${podman[@]}" pod start pod >/dev/null && status_is pod-1 running
}
pod_pid() {
	"${podman[@]}" pod create --name pid --infra-image "$image" --infra-command "sleep 1234" --network none --share pid,net >/dev/null || return
	matches 'sleep 1234' "$("${podman[@]}" run --rm --pod pid "$image" ps)" && "${podman[@]}" pod rm --force --time 0 pid >/dev/null
}
play_kube() {
	cat >"$work/pod.yaml" <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: kube}
		spec:
		  restartPolicy: Never
		  containers:
		  - {name: c, image: "$image:latest", imagePullPolicy: Never, command: [sleep, "1000"], securityContext: {readOnlyRootFilesystem: true}}
	END
	"${podman[@]}" play kube --network none "$work/pod.yaml" || return
	status_is kube-c running && "${podman[@]}" play kube --down "$work/pod.yaml"
}

unshared() { # by itself in podman's user namespace: uid 0 with all capabilities there, and not outside
	local status=0 said

	mkdir -p "$work/unshared/rootfs" && tar -C "$work/unshared/rootfs" -xf "$shared/rootfs.tar" && mkdir -p "$work/unshared/rootfs"/{proc,dev,sys} || return
	"$runtime" spec --bundle "$work/unshared" &&
		jq '.process.terminal = false | .process.args = ["sh", "-c", "echo $(id -u) $(stat -L -c %u /proc/self); exit 7"]
			| .process.env = ["PATH=/bin"] | del(.linux.resources)' "$work/unshared/config.json" >"$work/unshared/new" &&
		mv "$work/unshared/new" "$work/unshared/config.json" || return
	said=$("${podman[@]}" unshare "$runtime" --root "$work/unshared-state" run --bundle "$work/unshared" unshared) || status=$?
	is "0 0 7" "$said $status"
}

table_namespaces() {
	scenario "network none: the loopback alone" loopback_only
	check "network host" 0 "^$(readlink /proc/self/ns/net | sed 's/[][]/./g')\$" "${podman[@]}" run --rm --network host "$image" readlink /proc/self/ns/net
	scenario "network and pid namespace of another container" network_container
	check "pid host" 0 'part.sh' "${run[@]}" --pid host "$image" ps
	check "ipc host" 0 "^ipc" "${run[@]}" --ipc host "$image" readlink /proc/self/ns/ipc
	check "uts host" 0 "^$(hostname)\$" "${run[@]}" --uts host "$image" hostname
	check "cgroupns host" 0 '^cgroup' "${run[@]}" --cgroupns host "$image" readlink /proc/self/ns/cgroup
	check "cgroupns private" 0 '^0::/$' "${run[@]}" --cgroupns private "$image" cat /proc/self/cgroup
	check "cgroups disabled" 0 '^$' "${run[@]}" --cgroups disabled "$image" true
	check "cgroups no-conmon" 0 '^$' "${run[@]}" --cgroups no-conmon "$image" true
	check "systemd always: /run is a tmpfs" 0 '^tmpfs /run ' "${run[@]}" --systemd always "$image" cat /proc/mounts
	if [ ! -c /dev/net/tun ] || ! command -v slirp4netns >/dev/null; then
		skip "network slirp4netns: outgoing" "no /dev/net/tun or no slirp4netns"
		skip "network slirp4netns: a published port" "no /dev/net/tun or no slirp4netns"
	else
		scenario "network slirp4netns: outgoing" slirp_outgoing
		scenario "network slirp4netns: a published port" slirp_published
	fi
	[ "$kind" = root ] || scenario "podman unshare: the runtime by itself in podman's user namespace" unshared
	scenario "pod: shares namespaces; stop and start" pod_life
	check "pod: removed" 0 '' "${podman[@]}" pod rm --force --time 0 pod
	scenario "pod: shares the pid namespace" pod_pid
	scenario "play kube" play_kube
}

# ---- life ----

exec_streams() {
	is "in out" "$(echo in | "${podman[@]}" exec -i box sh -c 'cat; echo out; echo err >&2' 2>"$work/stderr" | xargs)" || return
	is err "$(cat "$work/stderr")"
}
exec_terminal() {
	local said status=0

	said=$(on_terminal "${terminal[@]}" exec -it box sh -c 'tty; exit 3') || status=$?
	is 3 "$status" && matches /dev/pts/ "$said"
}
exec_detached() {
	"${podman[@]}" exec --detach box sleep 999 && matches 'sleep 999' "$("${podman[@]}" exec box ps)"
}
pause_life() {
	"${podman[@]}" pause box >/dev/null && status_is box paused || return
	! "${podman[@]}" exec box true 2>/dev/null || { echo "exec in a paused container" && return 1; }
	"${podman[@]}" unpause box >/dev/null && status_is box running && "${podman[@]}" exec box true
}
stats() { matches '^box .*[0-9]' "$("${podman[@]}" stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.PIDs}}' box)"; }
copy() {
	echo copied >"$work/copied"
	"${podman[@]}" cp "$work/copied" box:/etc/copied && is copied "$("${podman[@]}" exec box cat /etc/copied)" || return
	"${podman[@]}" cp box:/data/file "$work/back" && is image "$(cat "$work/back")"
}
restarted() { "${podman[@]}" restart --time 0 box >/dev/null && status_is box running && "${podman[@]}" exec box true; }
logs() {
	detached logs -- sh -c 'echo one; echo two >&2' >/dev/null && "${podman[@]}" wait logs >/dev/null || return
	is "one two" "$("${podman[@]}" logs logs 2>&1 | xargs)" && is two "$("${podman[@]}" logs --tail 1 logs 2>&1)" && remove logs
}
logs_follow() {
	detached follow -- sh -c 'echo one; sleep 1; echo two' >/dev/null && is "one two" "$("${podman[@]}" logs --follow follow | xargs)" && remove follow
}
stop_handled() {
	detached stop -- sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null || return
	wait_until sh -c '"$@" | grep ready' sh "${podman[@]}" logs stop
	"${podman[@]}" stop stop >/dev/null && is 5 "$("${podman[@]}" inspect --format '{{.State.ExitCode}}' stop)" && remove stop
}
stop_ignored() {
	detached ignore -- sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null && "${podman[@]}" stop --time 1 ignore >/dev/null || return
	is 137 "$("${podman[@]}" inspect --format '{{.State.ExitCode}}' ignore)" && remove ignore
}
kill_named() {
	detached signal -- sh -c 'trap "echo got; exit 4" HUP; echo ready; while :; do sleep 0.1; done' >/dev/null || return
	wait_until sh -c '"$@" | grep ready' sh "${podman[@]}" logs signal
	"${podman[@]}" kill --signal HUP signal >/dev/null && is 4 "$("${podman[@]}" wait signal)" && remove signal
}
kill_137() { detached killed -- sleep 1000 >/dev/null && "${podman[@]}" kill killed >/dev/null && is 137 "$("${podman[@]}" wait killed)" && remove killed; }
remove_running() { detached gone -- sleep 1000 >/dev/null && remove gone && ! "${podman[@]}" container exists gone; }
create_start() {
	"${podman[@]}" create --name made --network none "$image" sh -c 'echo started; exit 3' >/dev/null || return
	status_is made created && is "started 3" "$("${podman[@]}" start --attach made | xargs) $("${podman[@]}" inspect --format '{{.State.ExitCode}}' made)" || return
	is started "$("${podman[@]}" start --attach made)" && remove made
}
container_init() { # made by the runtime, not started
	"${podman[@]}" create --name init --network none "$image" echo late >/dev/null && "${podman[@]}" init init >/dev/null || return
	status_is init initialized && is late "$("${podman[@]}" start --attach init)" && remove init
}
attached() {
	detached attach -i -- sh -c 'read -r line; echo "got $line"' >/dev/null || return
	is "got it" "$( (sleep 0.5; echo it) | "${podman[@]}" attach attach)" && remove attach
}
committed() {
	"${podman[@]}" run --name base --network none "$image" sh -c 'echo new >/new' && "${podman[@]}" commit -q base localhost/new >/dev/null || return
	is new "$("${run[@]}" localhost/new cat /new)" && matches 'A /data' "$("${podman[@]}" diff base)" && "${podman[@]}" export --output "$work/export.tar" base || return
	matches '^new$' "$(tar -tf "$work/export.tar")" && remove base && "${podman[@]}" rmi -f localhost/new >/dev/null
}
restart_policy() {
	detached again --restart on-failure:2 -- sh -c 'echo x; exit 1' >/dev/null || return
	wait_until sh -c '[ "$("$@")" = "2 exited" ]' sh "${podman[@]}" inspect --format '{{.RestartCount}} {{.State.Status}}' again
	is "x x x" "$("${podman[@]}" logs again | xargs)" && remove again
}
healthcheck() {
	detached health --health-cmd 'test -e /tmp/well' --health-interval disable -- sleep 1000 >/dev/null || return
	! "${podman[@]}" healthcheck run health || { echo "healthy without the file" && return 1; }
	"${podman[@]}" exec health touch /tmp/well && "${podman[@]}" healthcheck run health && remove health
}
secret() {
	printf hidden | "${podman[@]}" secret create word - >/dev/null || return
	is hidden "$("${run[@]}" --secret word "$image" cat /run/secrets/word)" && "${podman[@]}" secret rm word >/dev/null
}
hooks() { # the status that each of podman's hooks is told
	printf '#!/bin/sh\nread -r state\nstate=${state#*\\"status\\":\\"}\necho "${state%%%%\\"*}" >>%s/hooked\n' "$work" >"$work/hook"
	chmod 0755 "$work/hook"
	cat >"$work/hooks/hooked.json" <<-END
		{"version": "1.0.0", "hook": {"path": "$work/hook"}, "when": {"annotations": {"^org.example.hooked$": "yes"}},
		"stages": ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]}
	END
	"${run[@]}" --annotation org.example.hooked=yes "$image" true || return
	[ "$(wc -l <"$work/hooked")" -eq 5 ] && matches '^crea' "$(cat "$work/hooked")" && is stopped "$(tail -n 1 "$work/hooked")"
}
checkpoint_refused() {
	local status=0

	"${podman[@]}" container checkpoint box || status=$?
	[ "$status" -ne 0 ] && status_is box running && "${podman[@]}" exec box true
}
thirty() {
	local i pids=() failed=0

	for i in $(seq 30); do
		(is "$i" "$(timeout -k 5 120 podman run --rm --network none "$image" echo "$i")" || exit 1) &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
	is 0 "$failed"
}
thirty_detached() {
	local i names=()

	for i in $(seq 30); do
		detached "many-$i" -- sleep 1000 >/dev/null || return
		names+=("many-$i")
	done
	is 30 "$("${podman[@]}" ps --quiet | wc -l)" && remove "${names[@]}"
}
nothing_left() {
	local seen

	"${podman[@]}" rm --force --time 0 --all >/dev/null
	wait_until sh -c '[ -z "$("$@" 2>/dev/null)" ]' sh "$runtime" list --quiet || return
	seen=$(grep -c "$work/storage/" /proc/self/mountinfo)
	is 0 "$seen" || return
	seen=$(find /sys/fs/cgroup -mindepth 1 -type d \( -name 'libpod-*' -o -name 'moss-*' \) ! -name '*conmon*')
	is "" "$seen"
}

table_life() {
	output=$(detached box -- sleep 1000 2>&1)
	check "run -d: runs" 0 '^running$' "${podman[@]}" inspect --format '{{.State.Status}}' box
	check "ps" 0 '^box Up ' "${podman[@]}" ps --format '{{.Names}} {{.Status}}'
	check "inspect: the runtime" 0 "^$name\$" "${podman[@]}" inspect --format '{{.OCIRuntime}}' box
	check "exec: output and exit code" 7 '^in the container: 5$' "${podman[@]}" exec --user 5 --env A=in --workdir /etc box \
		sh -c 'echo "$A the container: $(id -u)"; exit 7'
	scenario "exec -i: stdin, stdout and stderr" exec_streams
	check "exec: not found: 127" 127 "not found|no such file" "${podman[@]}" exec box no-such-command
	check "exec: not executable: 126" 126 "[Pp]ermission denied" "${podman[@]}" exec box /etc/not-executable
	check "exec: a working directory that is missing" 127 "" sh -c '"$@"; [ $? -ge 126 ] && exit 127' sh "${podman[@]}" exec --workdir /missing box true
	check "exec -t: a terminal" 0 '/dev/pts/' "${podman[@]}" exec --tty box tty
	scenario "exec -it: on a terminal" exec_terminal
	scenario "exec -d: goes on by itself" exec_detached
	check "exec --privileged" 0 '^000001ff[ef]' "${podman[@]}" exec --privileged box sh -c "$caps"
	check "exec --user by name" 0 '^1000 1000 1001$' "${podman[@]}" exec --user ann box sh -c 'echo "$(id -u) $(id -G)"'
	check "exec --preserve-fds" 0 '^passed$' bash -c '"$@" 3<<<passed' bash "${podman[@]}" exec --preserve-fds 1 box cat /proc/self/fd/3
	check "top" 0 'sleep 1000' "${podman[@]}" top box args
	check "top with ps's options" 0 'sleep 1000' "${podman[@]}" top box -eo args
	scenario "stats" stats
	scenario "pause, exec refused, unpause" pause_life
	scenario "cp into and out of a running container" copy
	scenario "checkpoint is refused, the container goes on" checkpoint_refused
	scenario "restart" restarted
	check "rename" 0 '' "${podman[@]}" rename box renamed
	check "rm: refused while it runs" 2 'running' "${podman[@]}" rm renamed
	check "stop" 0 '' "${podman[@]}" stop --time 0 renamed
	check "start again" 0 '' "${podman[@]}" start renamed
	check "rm --force" 0 '' "${podman[@]}" rm --force --time 0 renamed
	scenario "logs: both streams" logs
	scenario "logs --follow" logs_follow
	scenario "stop: the program's own exit code" stop_handled
	scenario "stop: killed after its time: 137" stop_ignored
	scenario "kill with a signal's name" kill_named
	scenario "kill, wait: 137" kill_137
	scenario "rm --force of a running one" remove_running
	scenario "create, start --attach, twice" create_start
	scenario "init: created and not started" container_init
	scenario "attach" attached
	scenario "commit, diff, export" committed
	scenario "restart policy" restart_policy
	scenario "healthcheck" healthcheck
	scenario "secret" secret
	scenario "hooks at their time" hooks
	scenario "thirty containers at once" thirty
	scenario "thirty containers that stay" thirty_detached
	scenario "nothing is left" nothing_left
}

podman_scenarios() {
	if ! podman_setup; then
		result "not ok" "podman load"
		return
	fi
	table_run
	table_files
	table_rights
	table_namespaces
	table_life
}
