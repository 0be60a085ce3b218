# lib.bash - what every test file loads. Needs $MOSS, jq, python3, busybox-static, util-linux.
#
# The same files run as root and as a normal user. Each test has its own bundle (the working
# directory), its own --root and its own ids, all below $BATS_TEST_TMPDIR.
# shellcheck disable=SC2034,SC2153,SC2154 # variables are shared with the test files and with bats
# shellcheck disable=SC2016,SC2119,SC2120 # jq's and the container's own variables; optional arguments
bats_require_minimum_version 1.5.0

E2E_DIR="${BASH_SOURCE[0]%/*}"
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=$(command -v python3)
: "${E2E_TOKEN:=e2e}" # part of every id, so that the leak check finds what a test left

# e2e_setup: a bundle with a rootfs and a config.json that runs without a terminal.
e2e_setup() {
	BUNDLE="$BATS_TEST_TMPDIR/bundle"
	ROOT="$BATS_TEST_TMPDIR/root"
	ID="$E2E_TOKEN-$BATS_SUITE_TEST_NUMBER-$$"
	mkdir -p "$BUNDLE"
	cp -al "$E2E_ROOTFS" "$BUNDLE/rootfs"
	cd "$BUNDLE" || return
	spec
	config '.process.terminal = false'
}

# e2e_teardown: everything that is left is removed by force, and then nothing may be left.
e2e_teardown() {
	local entry process

	for process in ${INSIDE:+"$INSIDE" "$PID"}; do # what half_way stopped, when a test failed before it let them go on
		if grep -qs '^State:.*T' "/proc/$process/status"; then kill -KILL "$process"; fi
	done
	for entry in "$ROOT"/* "$BATS_TEST_TMPDIR"/root-*/*; do
		[ -d "$entry" ] || continue
		"$MOSS" --root "${entry%/*}" delete --force "${entry##*/}" >/dev/null 2>&1 || true
	done
	# All bundles link the same files, and ext4 counts no further than 65000.
	[ -L "$BUNDLE" ] || [ -L "$BUNDLE/rootfs" ] || rm -rf --one-file-system "$BUNDLE/rootfs/bin" 2>/dev/null || true
	no_containers || { echo "left after delete --force: $(ls "$ROOT")" && return 1; }
}

is_root() { [ "$(id -u)" -eq 0 ]; }
need_root() { is_root || skip "needs root: $1"; }
need_user() { is_root && skip "for a normal user: $1"; return 0; }
need_command() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# spec [OPTIONS]: write config.json as this kind of user does.
spec() {
	if is_root; then "$MOSS" spec "$@"; else "$MOSS" spec --rootless "$@"; fi
}

# config FILTER [JQ OPTIONS]: change config.json with a jq filter.
config() {
	local filter=$1
	shift
	jq "$filter" config.json "$@" >config.new && mv config.new config.json
}

# program WORD...: what the container runs.
program() {
	config '.process.args = $words' --argjson words "$(jq -nc '$ARGS.positional' --args -- "$@")"
}

# with_notify: /notify.py in the container, and the host's Python to run it.
with_notify() {
	mkdir rootfs/usr
	ln -sfn usr/lib rootfs/lib
	ln -sfn usr/lib64 rootfs/lib64
	cp "$E2E_DIR/notify.py" rootfs/
	chmod 0755 rootfs/notify.py
	config '.root.readonly = false | .mounts += [{destination: "/usr", source: "/usr", options: ["rbind", "ro"]}]'
}

# manager [hold]: a service manager at $NOTIFY_SOCKET; what it receives is in $BUNDLE/told.
manager() {
	"$PYTHON" "$E2E_DIR/notify.py" "${1:-receive}" "$NOTIFY_SOCKET" "$BUNDLE/told" </dev/null >manager.out 2>&1 3>&- 4>&- &
	MANAGER=$!
	eventually grep -q ready manager.out
}
manager_end() {
	[ -z "${MANAGER-}" ] || kill "$MANAGER" 2>/dev/null || true
	unset NOTIFY_SOCKET
}

# moss ARGS: the runtime with this test's state directory. No fd of bats's own goes through.
moss() { "$MOSS" --root "$ROOT" "$@" 3>&- 4>&-; }

# container CODE: run shell CODE in the container; sets $status, $output, $lines, $stderr.
container() {
	program /bin/sh -c "$1"
	run --separate-stderr moss run "$ID"
	show
}

# show: the last result, for the report of a failed test.
show() { printf 'status: %s\noutput: %s\nstderr: %s\n' "$status" "${output:0:6000}" "${stderr-}"; }

# apart ARGS: moss with stdio that does not hold bats; output goes to $BUNDLE/out.
apart() { moss "$@" </dev/null >out 2>&1; }

# attempt ARGS: like bats's run, for commands that would leave a process holding the output.
attempt() {
	status=0 stderr=""
	moss "$@" </dev/null >"$BATS_TEST_TMPDIR/attempt" 2>&1 || status=$?
	output=$(cat "$BATS_TEST_TMPDIR/attempt")
	show
}
attempt_v2() {
	status=0 stderr=""
	moss_v2 "$@" </dev/null >"$BATS_TEST_TMPDIR/attempt" 2>&1 || status=$?
	output=$(cat "$BATS_TEST_TMPDIR/attempt")
	show
}

# background ARGS: apart, in the background, its pid in $PID.
background() {
	"$MOSS" --root "$ROOT" "$@" </dev/null >out 2>&1 3>&- 4>&- &
	PID=$!
}

# half_way: a `create` in the background that is stopped in the midst of 2000 mounts: moss is $PID,
# the container's first process $INSIDE; `kill -CONT` lets them go on.
half_way() {
	config '.root.readonly = false | .mounts += [range(2000) | {destination: "/var/m\(.)", type: "tmpfs", source: "tmpfs"}]'
	for _ in $(seq 10); do
		rm -rf rootfs/var && mkdir rootfs/var
		background create "$ID"
		while [ ! -e rootfs/var/m1 ] && alive "$PID"; do :; done
		INSIDE=$(pgrep -P "$PID") || true
		if [ -n "$INSIDE" ] && kill -STOP "$INSIDE" "$PID" && [ ! -e rootfs/var/m1999 ]; then
			eventually grep -q '^State:.*T' "/proc/$INSIDE/status"
			eventually grep -q '^State:.*T' "/proc/$PID/status"
			return
		fi
		[ -z "$INSIDE" ] || kill -CONT "$INSIDE" "$PID" || true
		wait "$PID" || { cat out && return 1; }
		moss delete --force "$ID"
	done
	skip "the creation could not be stopped half-way"
}

# status_of [ID]: what moss says that the container is.
status_of() { moss state "${1:-$ID}" 2>/dev/null | jq -r .status; }
pid_of() { moss state "${1:-$ID}" | jq -r .pid; }

# wait_for STATUS [ID]: poll for up to 10 s.
wait_for() {
	local _
	for _ in $(seq 200); do
		[ "$(status_of "${2:-$ID}")" = "$1" ] && return
		sleep 0.05
	done
	echo "still not $1: $(moss state "${2:-$ID}" 2>&1)"
	return 1
}

# eventually COMMAND...: try it for up to 10 s (with "eval" where words must be evaluated each time).
eventually() {
	local _
	for _ in $(seq 200); do
		"$@" && return
		sleep 0.05
	done
	echo "never succeeded: $*"
	return 1
}

# no_containers: the state directory holds none (private entries begin with ":").
no_containers() { [ -z "$(find "$ROOT" -mindepth 1 -maxdepth 1 ! -name ':*' 2>/dev/null)" ]; }

# dead PID: no such process, or only its zombie.
dead() { ! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status"; }

alive() { if dead "$1"; then return 1; fi; }

# subids FILE: first id and count of the range that FILE (/etc/subuid) gives me.
subids() {
	awk -F: -v name="$(id -un)" -v uid="$(id -u)" \
		'$1 == name || $1 == uid { print $2, $3; exit }' "$1" 2>/dev/null
}

# many_ids: 0 is me, 1..N are my subordinate ids; as root a user namespace over 100000...
many_ids() {
	local uid_start uid_count gid_start gid_count
	if is_root; then
		config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user"}])
			| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
			| .linux.gidMappings = .linux.uidMappings'
		chown -R 100000:100000 rootfs/tmp rootfs/var
		open_way
		return
	fi
	need_command newuidmap
	read -r uid_start uid_count <<<"$(subids /etc/subuid)"
	read -r gid_start gid_count <<<"$(subids /etc/subgid)"
	[ -n "$uid_count" ] || skip "/etc/subuid gives me no range"
	[ -n "$gid_count" ] || skip "/etc/subgid gives me no range"
	config '.linux.uidMappings = [{containerID: 0, hostID: $u, size: 1},
				      {containerID: 1, hostID: $us, size: $un}]
		| .linux.gidMappings = [{containerID: 0, hostID: $g, size: 1},
					{containerID: 1, hostID: $gs, size: $gn}]' \
		--argjson u "$(id -u)" --argjson us "$uid_start" --argjson un "$uid_count" \
		--argjson g "$(id -g)" --argjson gs "$gid_start" --argjson gn "$gid_count"
}

# ids: several ids where there are some: always as root, through the map helpers as a user.
ids() { is_root || many_ids; }

# open_way: let mapped users reach the bundle below bats's private directory.
open_way() {
	local dir=$BUNDLE
	while [ "$dir" != / ] && [ "$dir" != /tmp ]; do
		[ -O "$dir" ] && chmod a+x "$dir"
		dir=$(dirname "$dir")
	done
}

# in_v2 COMMAND...: run it in a private view where /sys/fs/cgroup is a pure version 2 tree.
in_v2() {
	if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
		"$@"
		return
	fi
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c 'umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' \
		sh "$@"
}
need_v2() {
	need_root "a private mount of the version 2 cgroup tree"
	in_v2 true 2>/dev/null || skip "no version 2 cgroup tree can be mounted here"
}
# no_pids: skip where containers can have a limit of processes: the controller is in version 2, and mine.
no_pids() {
	local place
	for place in /sys/fs/cgroup "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)"; do
		if [ -w "$place" ] && grep -qsw pids "$place/cgroup.controllers"; then skip "the pids controller can be used here"; fi
	done
}
moss_v2() { in_v2 "$MOSS" --root "$ROOT" "$@" 3>&- 4>&-; }

# on_pty STEPS... -- COMMAND...: run it on a new pseudo-terminal, see pty.py; sets $status, $output.
on_pty() { run timeout -k 5 50 "$PYTHON" "$E2E_DIR/pty.py" drive "$@"; show; }

# mount_line DESTINATION: its last line of $output, which is a /proc/self/mountinfo.
mount_line() { awk -v at="$1" '$5 == at { line = $0 } END { print line }' <<<"$output"; }
# mount_has DESTINATION FSTYPE OPTION...: the mount is there and has all options (mount or super block).
mount_has() {
	local line words option
	line=$(mount_line "$1")
	[ -n "$line" ] || { echo "no mount at $1" && return 1; }
	words=$(awk '{ for (i = 7; $i != "-"; i++); print $6 "," $(i + 3) }' <<<"$line")
	[ "$2" = any ] || [ "$(awk '{ for (i = 7; $i != "-"; i++); print $(i + 1) }' <<<"$line")" = "$2" ] ||
		{ echo "not a $2: $line" && return 1; }
	for option in "${@:3}"; do
		[[ ",$words," == *",$option,"* ]] || { echo "no $option: $line" && return 1; }
	done
}
