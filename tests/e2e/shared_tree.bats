#!/usr/bin/env bats
# shared_tree.bats - the container whose mount namespace is the runtime's, or another container's: its root is one by
# chroot(2), and nothing is mounted.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

# bare: nothing that would have to be mounted.
bare() {
	config '.mounts = [] | .root.readonly = false | del(.linux.maskedPaths, .linux.readonlyPaths)'
}
# shared [PATH]: the runtime's mount namespace; or that at PATH, and with it the user namespace that owns it.
shared() {
	bare
	config '.linux.namespaces |= map(select(.type != "mount"))'
	[ -n "${1-}" ] || return 0
	config '.linux.namespaces += [{type: "mount", path: $p}]' --arg p "$1"
	is_root || config '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
}
# neighbour: another container, usual, running; its pid is $other, its bundle's config.json is kept.
neighbour() {
	config '.root.readonly = false'
	program sh -c "${1-exec sleep 1000}"
	touch rootfs/neighbour
	apart run -d "$ID-1"
	wait_for running "$ID-1"
	other=$(pid_of "$ID-1")
}
# hosts_mounts: the mount table as it is seen from here, with the propagation of each mount.
hosts_mounts() { cat /proc/self/mountinfo; }
# same_file ONE OTHER: the same directory or file, for the host.
same_file() { [ "$(stat -L -c %d:%i "$1")" = "$(stat -L -c %d:%i "$2")" ]; }

@test "shared tree: the container is in its root, in the runtime's mount namespace, and nothing is mounted" {
	shared
	config '.process.cwd = "/made/here"'
	hosts_mounts >before
	program sh -c 'pwd; ls -d /bin /usr /root; [ / -ef /.. ]; cd ..; cd ../..; ls bin/sh; echo in'
	apart create "$ID"
	pid=$(pid_of)
	[ "$(readlink "/proc/$pid/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ]
	same_file "/proc/$pid/root" rootfs
	hosts_mounts | diff before -
	same_file "/proc/$pid/cwd" rootfs/made/here
	# Nothing but stdio and exec.fifo is open: no way out.
	for fd in "/proc/$pid/fd"/*; do
		[ "${fd##*/}" -le 2 ] || [ -p "$fd" ]
	done
	moss start "$ID"
	eventually grep -qx in out
	cat out
	[ "$(head -n 1 out)" = /made/here ]
	grep -qx bin/sh out
	grep -qxF "ls: /usr: No such file or directory" out
	hosts_mounts | diff before -
	[ ! -e rootfs/dev/null ]
	wait_for stopped
	moss delete "$ID"
	hosts_mounts | diff before -
}

@test "shared tree: by the path of the runtime's own mount namespace, too" {
	shared
	config '.linux.namespaces += [{type: "mount", path: "/proc/self/ns/mnt"}]'
	hosts_mounts >before
	program sh -c 'ls -d /usr; echo in'
	run moss run "$ID"
	show
	[ "$status" -eq 0 ]
	[[ "$output" == *"/usr: No such file"*in ]]
	hosts_mounts | diff before -
}

# The host's mounts are made shared, as systemd does, in a namespace apart: so that a change would be seen.
@test "shared tree: the propagation of the host's mounts stays as it is" {
	shared
	program true
	local apart=(unshare -m)
	is_root || apart=(unshare -rm)
	is_root || config '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	run "${apart[@]}" sh -c 'mount --make-rshared / && cat /proc/self/mountinfo >before && "$MOSS" --root "$1" run "$0" &&
		diff before /proc/self/mountinfo && grep -c shared: before' "$ID" "$ROOT" 3>&- 4>&-
	show
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" -gt 0 ]
}

@test "shared tree: what would have to be mounted is refused, with the field's path, before anything is made" {
	local paths=("" /proc/self/ns/mnt) path field filter
	neighbour
	paths+=("/proc/$other/ns/mnt")
	hosts_mounts >before
	for path in "${paths[@]}"; do
		while read -r field filter; do
			rm config.json
			spec
			config '.process.terminal = false | .process.args = ["true"]'
			shared "$path"
			config "$filter"
			attempt run "$ID"
			[ "$status" -eq 1 ]
			[[ "$output" == *"${field/:./: }: needs a mount namespace of the container's own"* ]]
			if [ -z "$path" ]; then
				[[ "$output" == *'add {\"type\": \"mount\"} to linux.namespaces'* || "$output" == *'add {"type": "mount"} to linux.namespaces'* ]]
			else
				[[ "$output" == *"take the path out of linux.namespaces[$(jq '.linux.namespaces | map(.type) | index("mount")' config.json)]"* ]]
			fi
			[ ! -e "$ROOT/$ID" ]
		done <<-'TABLE'
			mounts[0] .mounts = [{destination: "/proc", type: "proc", source: "proc"}]
			root:.readonly .root.readonly = true
			linux:.maskedPaths[0] .linux.maskedPaths = ["/proc/keys"]
			linux:.readonlyPaths[0] .linux.readonlyPaths = ["/etc"]
			linux:.rootfsPropagation .linux.rootfsPropagation = "private"
			linux:.mountLabel .linux.mountLabel = "system_u:object_r:x_t:s0"
			linux:.devices[0] .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]
		TABLE
	done
	hosts_mounts | diff before -
}

@test "shared tree: it is noted, and what leaves a chroot is warned of by its name" {
	shared
	program true
	moss --log log run --keep "$ID"
	moss delete "$ID"
	grep -q "linux: namespaces: .*chroot(2) alone keeps it in its root" log
	run ! grep -q "can leave its root" log
	config '.process.capabilities.bounding += ["CAP_SYS_CHROOT"]'
	apart create "$ID"
	jq -r '.notes[]' "$ROOT/$ID/state.json" >notes
	cat notes
	grep -q "process: capabilities: with CAP_SYS_CHROOT the container can leave its root" notes
	[ "$(jq .chroot "$ROOT/$ID/state.json")" = true ]
}

@test "shared tree: without CAP_SYS_CHROOT the program can't chroot again, nor get the right to by a user namespace" {
	shared
	program sh -c 'chroot /tmp true; unshare -U true; echo done'
	run moss run "$ID"
	show
	[ "$(grep -c "Operation not permitted" <<<"$output")" -eq 2 ]
	[ "${lines[-1]}" = "done" ]
}

@test "shared tree: exec is in the container's root" {
	shared
	program sleep 1000
	apart run -d "$ID"
	run moss exec "$ID" sh -c 'ls -d /bin /usr; cd ..; pwd; ls -d bin/sh'
	show
	[[ "$output" == *"/usr: No such file"* ]]
	[ "${lines[-2]}" = / ]
	[ "${lines[-1]}" = bin/sh ]
	moss exec -d --pid-file pid "$ID" sleep 1000 </dev/null >out 2>&1
	same_file "/proc/$(cat pid)/root" rootfs
	same_file "/proc/$(cat pid)/cwd" rootfs
	for fd in "/proc/$(cat pid)/fd"/*; do [ "${fd##*/}" -le 2 ]; done
	moss delete --force "$ID"
}

@test "shared tree: exec where the first process has made itself a mount namespace since" {
	need_root "CAP_SYS_ADMIN where the mount namespace is the host's"
	shared
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	program unshare -m sh -c 'echo ready; exec sleep 1000'
	# busybox's unshare wants its root to be a mount.
	run unshare -m sh -c 'mount --bind rootfs rootfs || exit
		"$MOSS" --root "$1" run -d "$0" >out 2>&1 </dev/null || exit
		for i in $(seq 100); do if grep -q ready out; then break; fi; sleep 0.1; done
		"$MOSS" --root "$1" exec -d --pid-file pid "$0" sleep 1000 >>out 2>&1 </dev/null || exit
		pid=$("$MOSS" --root "$1" state "$0" | jq .pid)
		readlink /proc/self/ns/mnt "/proc/$pid/ns/mnt" "/proc/$(cat pid)/ns/mnt"
		stat -L -c %d:%i rootfs "/proc/$(cat pid)/root"
		"$MOSS" --root "$1" delete --force "$0"' "$ID" "$ROOT" 3>&- 4>&-
	show
	cat out
	[ "$status" -eq 0 ]
	[ "${lines[0]}" != "${lines[1]}" ]
	[ "${lines[1]}" = "${lines[2]}" ]
	[ "${lines[3]}" = "${lines[4]}" ]
}

@test "shared tree: with several ids mapped the program is the user that config.json says" {
	many_ids
	shared
	config '.process.user = {uid: 7, gid: 8, additionalGids: [9]}'
	chmod a+rwx rootfs/tmp
	program sh -c 'id; touch /tmp/made; ls -d /usr'
	run moss run "$ID"
	show
	[[ "${lines[0]}" == "uid=7 gid=8"*9* ]]
	[[ "$output" == *"/usr: No such file"* ]]
	[ "$(stat -c %u rootfs/tmp/made)" -ne 7 ]
	[ "$(stat -c %u rootfs/tmp/made)" -gt 1000 ]
	rm -f rootfs/tmp/made
}

@test "shared tree: the other namespaces are new all the same" {
	shared
	config '.linux.namespaces |= (map(select(.type != "network" and .type != "cgroup")) + [{type: "network"}, {type: "time"}, {type: "cgroup"}])
		| .linux.timeOffsets = {boottime: {secs: 1000000}} | .hostname = "moor"
		| .linux.sysctl = {"net.ipv4.ip_default_ttl": "42"}'
	program sh -c 'hostname; exec sleep 1000'
	apart run -d "$ID" || { cat out && false; }
	pid=$(pid_of)
	for type in cgroup ipc net pid uts time; do
		[ "$(readlink "/proc/$pid/ns/$type")" != "$(readlink "/proc/self/ns/$type")" ]
	done
	eventually grep -qx moor out
	[[ "$(tr -s ' ' <"/proc/$pid/timens_offsets")" == *"boottime 1000000 0"* ]]
	if is_root; then [ "$(nsenter --net="/proc/$pid/ns/net" cat /proc/sys/net/ipv4/ip_default_ttl)" = 42 ]; fi
	moss delete --force "$ID"
}

@test "shared tree: --no-pivot changes nothing, and is refused for no capability" {
	shared
	config '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]'
	hosts_mounts >before
	program sh -c 'ls -d /usr; echo in'
	run moss run --no-pivot "$ID"
	show
	[ "$status" -eq 0 ]
	[[ "$output" == *"/usr: No such file"*in ]]
	hosts_mounts | diff before -
}

@test "shared tree: a terminal needs a devpts in the root, and says so" {
	shared
	config '.process.terminal = true'
	program true
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[[ "$output" == *"/dev/pts/ptmx"*"devpts"* ]]
	no_containers
}

@test "shared tree: a service manager's socket is not passed on, with a note" {
	shared
	program sh -c 'echo "[$NOTIFY_SOCKET]"'
	"$PYTHON" -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
time.sleep(30)' "$BATS_TEST_TMPDIR/notify" 3>&- 4>&- &
	manager=$!
	eventually test -S "$BATS_TEST_TMPDIR/notify"
	run env NOTIFY_SOCKET="$BATS_TEST_TMPDIR/notify" "$MOSS" --root "$ROOT" --log log run "$ID" 3>&- 4>&-
	kill "$manager"
	show
	[ "$status" -eq 0 ]
	[ "$output" = "[]" ]
	grep -q "NOTIFY_SOCKET: the container gets none" log
}

@test "CVE-2019-5736: in a shared tree the runtime's binary can't be written by /proc/PID/exe" {
	mkdir "$BATS_TEST_TMPDIR/private"
	cp "$MOSS" "$BATS_TEST_TMPDIR/private/moss"
	chmod 0755 "$BATS_TEST_TMPDIR/private" "$BATS_TEST_TMPDIR/private/moss"
	shared
	program true
	"$BATS_TEST_TMPDIR/private/moss" --root "$ROOT" create "$ID" </dev/null >out 2>&1 3>&- 4>&-
	pid=$(pid_of)
	exec 9<"/proc/$pid/exe"
	cmp "$MOSS" /proc/self/fd/9
	moss delete --force "$ID"
	eventually dead "$pid"
	# Nothing runs it any more: what keeps it from being written is a read-only mount, or the seals of a copy.
	if { echo pwned >>/proc/self/fd/9; } 2>why; then false; fi
	cat why
	grep -q 'Read-only file system' why || [ "$(stat -L -c %d /proc/self/fd/9)" != "$(stat -c %d "$MOSS")" ]
	exec 9<&-
	cmp "$MOSS" "$BATS_TEST_TMPDIR/private/moss"
}

# --- by path ---

@test "CVE-2016-9962: where pid and mount namespace are joined, nothing of a run that is being set up leads to the host" {
	need_root "CAP_SYS_PTRACE outside of a user namespace"
	need_command strace
	mkdir "$BATS_TEST_TMPDIR/outside"
	touch "$BATS_TEST_TMPDIR/outside/file"
	config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	program sh -c "echo ready; while :; do for p in /proc/[0-9]*; do
		case \$p in /proc/1 | /proc/\$\$) continue ;; esac
		grep -q $ID-2 \$p/cmdline || continue
		for way in \$p/fd/* \$p/root \$p/cwd; do
			echo seen
			[ ! -e \$way/../../../../../../../../../../../../../..$BATS_TEST_TMPDIR/outside/file ] || echo ESCAPED
		done
	done; done 2>/dev/null"
	apart run -d "$ID"
	mv out watched
	eventually grep -q ready watched
	other=$(pid_of)
	shared "/proc/$other/ns/mnt"
	config '.root.path = "/" | .linux.namespaces |= (map(select(.type != "pid")) + [{type: "pid", path: $p}])' --arg p "/proc/$other/ns/pid"
	program true
	timeout 50 strace -f -o strace.out --trace=setns,close_range,chroot --inject=setns,close_range,chroot:delay_enter=300000 \
		"$MOSS" --root "$ROOT" run "$ID-2" </dev/null >out 2>&1 3>&- 4>&- || { cat out && false; }
	sort watched | uniq -c
	grep -q seen watched
	run ! grep ESCAPED watched
	moss delete --force "$ID"
}

@test "shared tree: a mount namespace joined by path, and a directory of that container as the root" {
	neighbour 'mkdir -p /tmp/inner/bin /tmp/inner/tmp; cp /bin/busybox /tmp/inner/bin; ln -s busybox /tmp/inner/bin/sh; ln -s busybox /tmp/inner/bin/ls; ln -s busybox /tmp/inner/bin/sleep; cat /proc/self/mountinfo >/tmp/ready; exec sleep 1000'
	eventually moss exec "$ID-1" test -s /tmp/ready
	shared "/proc/$other/ns/mnt"
	config '.root.path = "/tmp/inner"'
	program sh -c 'ls -d /neighbour /usr; ls /bin; exec sleep 1000'
	apart run -d "$ID"
	pid=$(pid_of)
	[ "$(readlink "/proc/$pid/ns/mnt")" = "$(readlink "/proc/$other/ns/mnt")" ]
	[ "$(readlink "/proc/$pid/ns/user")" = "$(readlink "/proc/$other/ns/user")" ]
	eventually grep -q sleep out
	cat out
	grep -qF "ls: /neighbour: No such file" out
	moss exec "$ID-1" sh -c 'cat /proc/self/mountinfo | diff /tmp/ready -'
	run moss exec "$ID" sh -c 'ls -d /neighbour /bin; echo in'
	show
	[[ "$output" == *"/neighbour: No such file"*in ]]
	moss exec -d --pid-file pid "$ID" sleep 1000 </dev/null >out 2>&1
	same_file "/proc/$(cat pid)/root" "/proc/$pid/root"
	[ "$(readlink "/proc/$(cat pid)/ns/mnt")" = "$(readlink "/proc/$other/ns/mnt")" ]
	moss delete --force "$ID"
	moss delete --force "$ID-1"
}

@test "shared tree: with root / it is in the other container's root, and has a terminal there" {
	neighbour
	shared "/proc/$other/ns/mnt"
	config '.root.path = "/" | .process.terminal = true'
	program sh -c 'tty; ls /neighbour; ls -d /usr'
	cat "/proc/$other/mountinfo" >before
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	diff before "/proc/$other/mountinfo"
	[[ "$output" == *"/dev/pts/"* ]]
	[[ "$output" == *"/neighbour"* ]]
	[[ "$output" == *"/usr: No such file"* ]]
	moss delete --force "$ID-1"
}

@test "shared tree: the root is looked up in the namespace that is joined, where no link leads out of it" {
	neighbour 'ln -s /proc/1/root/../.. /tmp/magic; ln -s ../../../../.. /tmp/up; ln -s /nowhere /tmp/dangling; touch /tmp/file; exec sleep 1000'
	eventually moss exec "$ID-1" test -e /tmp/file
	shared "/proc/$other/ns/mnt"
	program true
	for path in "$BUNDLE/rootfs" /tmp/dangling /tmp/file /tmp/magic /proc/1/root /proc/self/cwd; do
		config '.root.path = $p' --arg p "$path"
		attempt run "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"root file system"*"$path"* ]]
		[[ "$output" == *"looked up in the mount namespace"* ]]
		no_container "$ID"
	done
	config '.root.path = "/tmp/up"'
	program ls /neighbour
	attempt run "$ID"
	[ "$status" -eq 0 ]
	moss delete --force "$ID-1"
}
no_container() { [ ! -e "$ROOT/$1" ]; }

@test "shared tree: sysctls and a time namespace in a user namespace and a joined tree are refused and named" {
	neighbour
	shared "/proc/$other/ns/mnt"
	is_root && many_ids
	config '.root.path = "/" | .linux.namespaces |= (map(select(.type != "network")) + [{type: "network"}])
		| .linux.sysctl = {"net.ipv4.ip_default_ttl": "42"}'
	program true
	attempt run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"linux: sysctl: net.ipv4.ip_default_ttl: "*"mount namespace is joined"* ]]
	config 'del(.linux.sysctl) | .linux.namespaces += [{type: "time"}]'
	attempt run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"linux: namespaces[$(jq '.linux.namespaces | map(.type) | index("time")' config.json)]: "*"mount namespace is joined"* ]]
	no_container "$ID"
	config '.linux.namespaces |= map(select(.type != "time"))'
	program sh -c 'ls /neighbour; id -u'
	attempt run "$ID"
	[ "$status" -eq 0 ]
	[[ "$output" == */neighbour*0 ]]
	moss delete --force "$ID-1"
}

# Seen failing without: what is refused there (check_foreign_hooks): the hook had every capability of the runtime's.
@test "shared tree: a createContainer hook, which would be a program of the other container's, is refused and not run" {
	neighbour 'printf "#!/bin/sh\necho hooked >&2\nexit 1\n" >/hook; chmod +x /hook; exec sleep 1000'
	eventually moss exec "$ID-1" test -x /hook
	shared "/proc/$other/ns/mnt"
	config '.root.path = "/" | .hooks = {createContainer: [{path: "/hook"}]}'
	program true
	attempt run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"hooks: createContainer[0]: "* ]]
	[[ "$output" != *hooked* ]]
	no_container "$ID"
	moss delete --force "$ID-1"
}

@test "shared tree: sysctls and clocks where the joined tree has no /proc, or another one" {
	need_root "a normal user can't set clocks where namespaces are joined"
	neighbour
	nsenter -t "$other" -m mount -t tmpfs none /proc
	nsenter -t "$other" -m mkdir -p /proc/sys/net/ipv4 /proc/self
	nsenter -t "$other" -m touch /proc/sys/net/ipv4/ip_default_ttl /proc/self/timens_offsets
	shared "/proc/$other/ns/mnt"
	config '.root.path = "/" | .linux.namespaces |= (map(select(.type != "network")) + [{type: "network"}, {type: "time"}])
		| .linux.timeOffsets = {boottime: {secs: 1000000}} | .linux.sysctl = {"net.ipv4.ip_default_ttl": "42"}'
	program sleep 1000
	apart run -d "$ID"
	pid=$(pid_of)
	[[ "$(tr -s ' ' <"/proc/$pid/timens_offsets")" == *"boottime 1000000 0"* ]]
	[ "$(nsenter --net="/proc/$pid/ns/net" cat /proc/sys/net/ipv4/ip_default_ttl)" = 42 ]
	[ "$(nsenter -t "$other" -m cat /proc/self/timens_offsets /proc/sys/net/ipv4/ip_default_ttl)" = "" ]
	moss delete --force "$ID"
	moss delete --force "$ID-1"
}
