#!/usr/bin/env bash
# smoke.sh - moss driven by real clients: podman as root and rootless, containerd's ctr. Prints TAP.
#
# usage: MOSS=/path/to/moss bash smoke.sh
#
# MOSS             the runtime under test; default ./moss
# MOSS_TEST_USER   root only: the normal user of the rootless part; default moss-test
# Needs: a static busybox. A client that is not installed is a skipped test.
# Gives: TAP with its plan at the end; exit status 1 when a test failed.
#
# Everything the clients keep is below one directory below ${TMPDIR:-/tmp}: storage, state, settings,
# HOME, images (made here from busybox). As root each part runs in mount and pid namespaces of its
# own: a fresh /run, /var/lib and /dev/shm, a pure v2 view of the cgroups where the host's are hybrid
# or v1, and no process outlives its part. The host's own mounts and cgroups stay as they are.
# Nothing is loaded from a network, and no container gets one.
#
# What moss refuses so far is kept out of the way by the options in podman_options and
# ctr_options; the tests marked TODO show what it says without them.
set -u
if [ "${MOSS_CHECK-}" = unit ]; then
	echo "1..0 # SKIP MOSS_CHECK=unit"
	exit 0
fi
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
umask 022

# ---- tests: a part prints its results without numbers, the whole run adds them ----

limit=60 # seconds for one command of a client
output=

# result ok|"not ok" NAME: one result; with what the client said, if it failed.
result() {
	printf '%s - %s\n' "$1" "$2"
	[ "$1" = ok ] || printf '%s\n' "$output" | tail -n 20 | sed 's/^/#   /'
}

# check NAME STATUS PATTERN COMMAND...: COMMAND must end with STATUS and print PATTERN (extended, "" for any).
check() {
	local name=$1 expected=$2 pattern=$3 status=0

	shift 3
	output=$(timeout -k 5 "$limit" "$@" </dev/null 2>&1) || status=$?
	if [ "$status" -ne "$expected" ]; then
		output="exit status $status instead of $expected: $output"
		result "not ok" "$name"
	elif ! grep -Eq -- "$pattern" <<<"$output"; then
		output="no \"$pattern\" in: $output"
		result "not ok" "$name"
	else
		result ok "$name"
	fi
}

# check_todo NAME COMMAND...: what should work one day; says why it does not yet.
check_todo() {
	local name=$1

	shift
	if output=$(timeout -k 5 "$limit" "$@" </dev/null 2>&1); then
		echo "ok - $name # TODO works now: an option less in smoke.sh"
	else
		echo "not ok - $name # TODO not supported yet"
		printf '%s\n' "$output" | tail -n 3 | sed 's/^/#   /'
	fi
}

# wait_until COMMAND...: true as soon as COMMAND is, false after ten seconds.
wait_until() {
	local tries=100

	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# ---- podman ----

podman_setup() {
	export HOME="$work/home" TMPDIR="$work/tmp" XDG_RUNTIME_DIR="$work/run"
	export CONTAINERS_CONF="$work/containers.conf" CONTAINERS_STORAGE_CONF="$work/storage.conf"
	unset DBUS_SESSION_BUS_ADDRESS XDG_CONFIG_HOME XDG_DATA_HOME CONTAINER_HOST
	mkdir -p "$HOME" "$TMPDIR" "$XDG_RUNTIME_DIR" "$work/hooks" "$work/networks"
	chmod 700 "$XDG_RUNTIME_DIR"
	cat >"$CONTAINERS_CONF" <<-END
		[engine]
		lock_type = "file"
		runtime_supports_json = ["moss"]
		runtime_supports_nocgroup = ["moss"]
		[network]
		network_config_dir = "$work/networks"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "vfs"
		graphroot = "$work/storage"
		runroot = "$work/runroot"
	END
	podman=(podman --root "$work/storage" --runroot "$work/runroot" --storage-driver vfs --tmpdir "$work/tmp"
		--hooks-dir "$work/hooks" --cgroup-manager cgroupfs --events-backend file --runtime "$moss")
	podman_options=(--network=none)
	if [ "$(id -u)" -eq 0 ]; then
		# A limit of processes is podman's default for root; so are open files above what root may
		# allow where it lacks CAP_SYS_RESOURCE.
		podman_limits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --cgroup-parent "$cgroup/podman")
		podman_options+=("${podman_limits[@]}" --pids-limit=0)
	else
		podman_limits=()
		# With v1 cgroups podman asks for no limit by itself, and warns when told so.
		[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || podman_options+=(--pids-limit=0)
	fi
}

# podman_hooks: containers with the annotation org.example.hooked get hooks, which write the status down that they are told.
podman_hooks() {
	# shellcheck disable=SC2016 # the hook's own variables
	printf '#!/bin/sh\nread -r state\nstate=${state#*\\"status\\":\\"}\necho "${state%%%%\\"*}" >>%s/hooked\n' "$work" >"$work/hook"
	chmod 0755 "$work/hook"
	cat >"$work/hooks/hooked.json" <<-END
		{"version": "1.0.0", "hook": {"path": "$work/hook"}, "when": {"annotations": {"^org.example.hooked$": "yes"}},
		"stages": ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]}
	END
}

podman_is_empty() {
	[ -z "$("${podman[@]}" ps --all --quiet)" ] && [ -z "$("$moss" list --quiet)" ]
}

# The process that keeps a user's namespaces for the next podman.
podman_pause_end() {
	local file pid

	while read -r file; do
		pid=$(cat "$file")
		kill "$pid" 2>/dev/null
		rm -f "$file"
	done < <(find "$work" -name pause.pid 2>/dev/null)
}

part_podman() {
	local run name

	podman_setup
	run=("${podman[@]}" run --rm "${podman_options[@]}")
	if ! output=$("${podman[@]}" import "$shared/rootfs.tar" localhost/smoke:latest 2>&1); then
		result "not ok" "podman import"
		return
	fi
	check "exit code 0" 0 "" "${run[@]}" localhost/smoke true
	check "exit code 7" 7 "" "${run[@]}" localhost/smoke sh -c 'exit 7'
	check "command not found in PATH: 127" 127 "not found" "${run[@]}" localhost/smoke no-such-command
	check "path of a command that is missing: 127" 127 "" "${run[@]}" localhost/smoke /no/such/command
	check "command not executable: 126" 126 "[Pp]ermission denied" "${run[@]}" localhost/smoke /etc/not-executable
	check "stdin, stdout and stderr" 0 '^in out err$' sh -c 'echo in | "$@" 2>&1 | tr "\n" " " | sed "s/ $//"' sh \
		"${run[@]}" --interactive localhost/smoke sh -c 'cat; sleep 0.2; echo out; sleep 0.2; echo err >&2'
	# shellcheck disable=SC2016 # the container's own variables
	check "another user, a volume, a read-only root" 0 '^1000 1000 volume$' "${run[@]}" --read-only --read-only-tmpfs=false \
		--user 1000:1000 --volume "$shared/volume:/mnt:ro" localhost/smoke \
		sh -c 'touch /x 2>/dev/null || echo "$(id -u) $(id -g) $(cat /mnt/file)"'
	check "a terminal" 0 '/dev/pts/0' "${run[@]}" --tty localhost/smoke tty
	name=$(sed -n 's,.*\(/tmp/conmon-term\.[[:alnum:]]*\): connect.*,\1,p' <<<"$output")
	[ -z "$name" ] || rm -f "$name" # conmon leaves it when create fails
	output=$("${podman[@]}" run --detach --name smoke "${podman_options[@]}" localhost/smoke sleep 1000 2>&1)
	check "detached: runs" 0 '^running$' "${podman[@]}" inspect --format '{{.State.Status}}' smoke
	# shellcheck disable=SC2016 # the container's own variables
	check "exec: output and exit code" 7 '^in the container: 5$' "${podman[@]}" exec --user 5 --env A=in --workdir /etc smoke \
		sh -c 'echo "$A the container: $(id -u)"; exit 7'
	check "exec: command not found: 127" 127 "not found" "${podman[@]}" exec smoke no-such-command
	check "exec: a terminal" 0 '/dev/pts/' "${podman[@]}" exec --tty smoke tty
	check "exec: detached" 0 "" "${podman[@]}" exec --detach smoke sleep 999
	check "exec: detached: its process is there" 0 'sleep 999' "${podman[@]}" exec smoke sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" " "'
	"${podman[@]}" kill smoke >/dev/null 2>&1
	check "detached: killed, 137" 0 '^137$' "${podman[@]}" wait smoke
	check "detached: removed" 0 "" "${podman[@]}" rm --force smoke
	# shellcheck disable=SC2016 # the container's own variables
	check "with podman's default seccomp profile" 0 '^2 denied$' "${run[@]}" --cap-drop all localhost/smoke \
		sh -c 'unshare -m true 2>/dev/null || echo $(sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status) denied'
	check "without a seccomp profile" 0 '^0$' "${run[@]}" --security-opt seccomp=unconfined localhost/smoke \
		sh -c 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status'
	# Of processes; the controller may be version 1's, or not delegated.
	if [ "$(id -u)" -ne 0 ] || ! grep -qsw pids /sys/fs/cgroup/cgroup.controllers; then
		echo "ok - with podman's default limits # SKIP no pids controller for us in version 2"
	else
		check "with podman's default limits" 0 '^[1-9][0-9]*$' "${podman[@]}" run --rm --network=none \
			"${podman_limits[@]}" localhost/smoke cat /sys/fs/cgroup/pids.max
	fi
	check "with --sysctl" 0 '^0.0$' "${run[@]}" --sysctl net.ipv4.ping_group_range='0 0' localhost/smoke \
		cat /proc/sys/net/ipv4/ping_group_range
	# /etc of the image is copied up; a place without content and with options of its own is not.
	# shellcheck disable=SC2016 # the container's own variables
	check "--tmpfs: filled with what the image has" 0 '^just text new$' "${run[@]}" --tmpfs /etc localhost/smoke \
		sh -c 'echo new >/etc/new && echo $(cat /etc/not-executable /etc/new)'
	# shellcheck disable=SC2016 # the container's own variables
	check "--tmpfs: with a size and a mode" 0 '^tmpfs /scratch .*[ ,]noexec[ ,].*size=64k,mode=711' "${run[@]}" \
		--tmpfs /scratch:size=64k,mode=0711,noexec localhost/smoke sh -c 'while read -r line; do echo "$line"; done </proc/mounts'
	# shellcheck disable=SC2016 # the container's own variables
	check "--read-only: the root; /tmp, /run and /var/tmp can be written" 0 '^written$' "${run[@]}" --read-only localhost/smoke \
		sh -c 'touch /x /etc/x 2>/dev/null || { for d in /tmp /run /var/tmp; do echo x >$d/file || exit; done; echo written; }'
	check "a volume with propagation: rslave" 0 '^volume$' "${run[@]}" --volume "$shared/volume:/mnt:rslave" localhost/smoke cat /mnt/file
	check "a volume with propagation: rshared" 0 '^volume$' "${run[@]}" --volume "$shared/volume:/mnt:rshared" localhost/smoke cat /mnt/file
	if [ "$(id -u)" -eq 0 ]; then
		check "a volume with an id mapping" 0 '^1001:1002$' "${run[@]}" --volume "$shared/volume:/mnt:idmap=uids=0-1001-1;gids=0-1002-1" \
			localhost/smoke stat -c %u:%g /mnt/file
	fi
	podman_hooks
	# shellcheck disable=SC2016 # the inner shell's
	check "hooks: podman's are run at their time" 0 '^creating creating creating running stopped $' sh -c \
		'"$@" >/dev/null && tr "\n" " " <"$0"' "$work/hooked" "${run[@]}" --annotation org.example.hooked=yes localhost/smoke true
	output=$("${podman[@]}" ps --all; "$moss" list)
	if wait_until podman_is_empty; then result ok "nothing is left"; else result "not ok" "nothing is left"; fi
	podman_pause_end
}

# ---- containerd's ctr ----

ctr_answers() {
	"${ctr[@]}" version
}

ctr_is_empty() {
	[ -z "$("${ctr[@]}" containers list --quiet)" ] && [ -z "$("${ctr[@]}" tasks list --quiet)" ] &&
		[ -z "$("$moss" --root /run/containerd/runc/smoke list --quiet)" ]
}

ctr_task_is() {
	"${ctr[@]}" tasks list | grep -q "^smoke-detached .*$1"
}

part_ctr() {
	local run pid ctr_options

	export HOME="$work/home" TMPDIR="$work/tmp"
	mkdir -p "$HOME" "$TMPDIR"
	cat >"$work/containerd.toml" <<-END
		version = 2
		root = "$work/root"
		state = "$work/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt",
			"io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
			"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
		[grpc]
		  address = "$work/socket"
		[ttrpc]
		  address = "$work/socket.ttrpc"
	END
	ctr=(ctr --address "$work/socket" --namespace smoke)
	# ctr asks for cpu shares of its own accord: a limit.
	ctr_options=(--runc-binary "$moss" --snapshotter native)
	containerd --config "$work/containerd.toml" --log-level error </dev/null >"$work/containerd.log" 2>&1 &
	pid=$!
	if ! wait_until ctr_answers; then
		output=$(tail -n 20 "$work/containerd.log")
		result "not ok" "containerd starts"
		return
	fi
	if ! output=$("${ctr[@]}" image import --snapshotter native "$shared/image.tar" 2>&1); then
		result "not ok" "ctr image import"
		return
	fi
	run=("${ctr[@]}" run --rm "${ctr_options[@]}")
	check "exit code 0" 0 "" "${run[@]}" --cgroup "$cgroup/ctr/0" localhost/smoke:latest smoke-0 true
	check "exit code 7" 7 "" "${run[@]}" --cgroup "$cgroup/ctr/7" localhost/smoke:latest smoke-7 sh -c 'exit 7'
	check "command not found" 1 'exec: "no-such-command"' \
		"${run[@]}" --cgroup "$cgroup/ctr/127" localhost/smoke:latest smoke-127 no-such-command
	check "in its own cgroup" 0 "^0::(/|$cgroup/ctr/cg)$" \
		"${run[@]}" --cgroup "$cgroup/ctr/cg" localhost/smoke:latest smoke-cg cat /proc/self/cgroup
	if command -v script >/dev/null; then # ctr wants a terminal of its own
		check "a terminal" 7 '/dev/pts/0' script -qec "$(printf '%q ' "${run[@]}" --tty --cgroup "$cgroup/ctr/tty" \
			localhost/smoke:latest smoke-tty sh -c 'tty; exit 7')" /dev/null
	else
		echo "ok - a terminal # SKIP script is not installed"
	fi
	output=$("${ctr[@]}" run --detach "${ctr_options[@]}" --cgroup "$cgroup/ctr/detached" \
		localhost/smoke:latest smoke-detached sleep 1000 2>&1)
	if ctr_task_is RUNNING; then result ok "detached: runs"; else result "not ok" "detached: runs"; fi
	check "exec: output and exit code" 7 '^in the container$' "${ctr[@]}" tasks exec --exec-id one smoke-detached \
		sh -c 'echo in the container; exit 7'
	check "exec: command not found" 1 'executable file not found' "${ctr[@]}" tasks exec --exec-id two smoke-detached no-such-command
	output=$("${ctr[@]}" tasks kill --signal SIGKILL smoke-detached 2>&1)
	if wait_until ctr_task_is STOPPED; then result ok "detached: killed"; else result "not ok" "detached: killed"; fi
	check "detached: removed, 137" 0 'exit code 137' "${ctr[@]}" tasks delete smoke-detached
	"${ctr[@]}" containers delete smoke-detached
	check "with ctr's default options" 0 '' "${ctr[@]}" run --rm --runc-binary "$moss" --snapshotter native \
		--cgroup "$cgroup/ctr/plain" localhost/smoke:latest smoke-plain true
	check "with --seccomp" 0 '^2$' "${run[@]}" --seccomp --cgroup "$cgroup/ctr/seccomp" localhost/smoke:latest smoke-seccomp \
		sh -c 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status'
	output=$("${ctr[@]}" containers list; "${ctr[@]}" tasks list)
	if wait_until ctr_is_empty; then result ok "nothing is left"; else result "not ok" "nothing is left"; fi
	kill "$pid"
	wait "$pid"
}

# ---- a part, in the namespaces made for it ----

# part_main NAME WORK SHARED MOSS CGROUP
part_main() {
	work=$2 shared=$3 moss=$4 cgroup=$5
	cd "$work" || exit 1
	if [ "$(id -u)" -eq 0 ]; then
		# a stray call must not let us loose on the host's mounts
		[ "${SMOKE_OUTSIDE:?}" != "$(readlink /proc/self/ns/mnt)" ] || exit 1
		for place in /run /var/lib /dev/shm; do # podman and containerd keep things there whatever they are told
			[ "${work#"$place"/}" != "$work" ] || mount -t tmpfs -o mode=755 smoke "$place"
		done
		if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
			umount -R -l /sys/fs/cgroup
			mount -t cgroup2 none /sys/fs/cgroup
		fi
	fi
	"part_$1"
	[ ! -d "/sys/fs/cgroup$cgroup" ] || find "/sys/fs/cgroup$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
	exit 0
}

if [ "${1-}" = --part ]; then
	shift
	part_main "$@"
fi

# ---- the whole run ----

number=0 failed=0

# results PREFIX: a part's TAP with numbers; "#" in a name would be a directive.
results() {
	local line words prefix=$1

	while IFS= read -r line; do
		case $line in
		"ok - "* | "not ok - "*)
			number=$((number + 1))
			words=${line#*ok - }
			if [ "${line#not }" = "$line" ]; then
				echo "ok $number - $prefix: $words"
			else
				echo "not ok $number - $prefix: $words"
				[ "${line%# TODO*}" != "$line" ] || failed=$((failed + 1))
			fi ;;
		*) echo "$line" ;;
		esac
	done
}

skip() {
	results "$1" <<<"ok - all of it # SKIP $2"
}

self=$(realpath "$0")
moss=${MOSS:-./moss}
if [ ! -x "$moss" ]; then
	echo "Bail out! no runtime at $moss: build it first, or set MOSS"
	exit 1
fi
busybox=$(command -v busybox) || { echo "1..0 # SKIP busybox is not installed"; exit 0; }
uid=$(id -u)
user=$(id -un)
[ "$uid" -ne 0 ] || user=${MOSS_TEST_USER:-moss-test}

top=$(mktemp -d "${TMPDIR:-/tmp}/moss-smoke.XXXXXX") || exit 1
running= # whether a part does; then $! is its process
clean() {
	trap - EXIT
	[ -z "$running" ] || kill -KILL "$!" 2>/dev/null # and with it, as root, all that its pid namespace holds
	if [ "$uid" -ne 0 ] && [ -d "$top/rootless" ]; then
		users_end
		chmod -R u+w "$top" 2>/dev/null
		"$top/bin/moss" unshare rm -rf "$top/rootless" 2>/dev/null # files of subordinate ids
	fi
	# what an interrupted part could not remove; v2 is one tree, however it is mounted
	[ "$uid" -ne 0 ] || find /sys/fs/cgroup/{,unified/}"moss-smoke.$$" -depth -type d -exec rmdir {} + 2>/dev/null
	for _ in 1 2 3 4 5; do # who was killed just now may still be writing
		if rm -rf --one-file-system "$top" 2>/dev/null; then return; fi
		sleep 0.2
	done
	echo "# could not remove all of $top"
}

# What a normal user's podman left running: every command line of it names our directory.
users_end() {
	local file pid

	for file in /proc/[0-9]*/cmdline; do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		if [ "$pid" != $$ ] && [ -O "$file" ] && tr '\0' ' ' 2>/dev/null <"$file" | grep -qF "$top/rootless/"; then
			kill "$pid" 2>/dev/null
		fi
	done
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

# What the parts share: moss where everybody can reach it, one root file system as two kinds of image.
chmod 755 "$top"
shared=$top/shared
mkdir -p "$top/bin" "$shared/volume" "$top/rootfs/bin" "$top/rootfs/etc" "$top/image"
cp "$moss" "$top/bin/moss"
chmod 755 "$top/bin/moss"
cp "$busybox" "$top/rootfs/bin/busybox"
for applet in sh true cat id sleep stat touch tr tty; do ln -s busybox "$top/rootfs/bin/$applet"; done
echo "just text" >"$top/rootfs/etc/not-executable"
echo "root:x:0:0::/:/bin/sh" >"$top/rootfs/etc/passwd"
echo "root:x:0:" >"$top/rootfs/etc/group"
echo volume >"$shared/volume/file"
tar -C "$top/rootfs" --owner=0 --group=0 --numeric-owner -cf "$shared/rootfs.tar" .
# docker's archive format: one layer and two files about it
case $(uname -m) in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) architecture=$(uname -m) ;;
esac
cp "$shared/rootfs.tar" "$top/image/layer.tar"
sum=$(sha256sum "$top/image/layer.tar" | cut -d ' ' -f 1)
cat >"$top/image/config.json" <<END
{"architecture": "$architecture", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$sum"]}}
END
cat >"$top/image/manifest.json" <<END
[{"Config": "config.json", "RepoTags": ["localhost/smoke:latest"], "Layers": ["layer.tar"]}]
END
tar -C "$top/image" -cf "$shared/image.tar" manifest.json config.json layer.tar

SMOKE_OUTSIDE=$(readlink /proc/self/ns/mnt)
export SMOKE_OUTSIDE
apart=(unshare --mount --pid --fork --kill-child --mount-proc --propagation private)

# part PREFIX NAME WORK RUNNER...: run a part through RUNNER.
part() {
	local prefix=$1 name=$2 dir=$3

	shift 3
	running=yes
	results "$prefix" < <(exec "$@" bash "$self" --part "$name" "$dir" "$shared" "$top/bin/moss" "/moss-smoke.$$" 2>&1)
	running=
}

if [ "$uid" -eq 0 ]; then
	if ! "${apart[@]}" true 2>/dev/null; then
		skip "podman, root" "no mount and pid namespaces here"
		skip "ctr" "no mount and pid namespaces here"
	else
		mkdir "$top/podman" "$top/ctr"
		if command -v podman >/dev/null; then
			part "podman, root" podman "$top/podman" "${apart[@]}"
		else
			skip "podman, root" "podman is not installed"
		fi
		if command -v ctr >/dev/null && command -v containerd >/dev/null; then
			part "ctr" ctr "$top/ctr" "${apart[@]}"
		else
			skip "ctr" "containerd and ctr are not installed"
		fi
	fi
fi

mkdir "$top/rootless"
if ! command -v podman >/dev/null; then
	skip "podman, rootless" "podman is not installed"
elif ! id "$user" >/dev/null 2>&1; then
	skip "podman, rootless" "there is no user $user (MOSS_TEST_USER names one)"
elif ! command -v newuidmap >/dev/null; then
	skip "podman, rootless" "newuidmap is not installed"
elif ! grep -Eqs "^($user|$(id -u "$user")):" /etc/subuid; then
	skip "podman, rootless" "$user has no subordinate ids in /etc/subuid"
elif [ "$uid" -ne 0 ]; then
	part "podman, rootless" podman "$top/rootless" env
else
	cp "$self" "$top/bin/smoke.sh" # the checkout may be below root's home
	self=$top/bin/smoke.sh
	chown "$user:" "$top/rootless"
	part "podman, rootless" podman "$top/rootless" "${apart[@]}" \
		setpriv "--reuid=$user" "--regid=$(id -g "$user")" --init-groups env -i "PATH=$PATH" "USER=$user"
fi
echo "1..$number"
[ "$failed" -eq 0 ]
