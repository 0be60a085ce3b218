#!/usr/bin/env bats
# errors.bats - every refusal says what failed, on what, why, and what to do; and leaves nothing.
load lib.bash
setup() {
	e2e_setup
	cp config.json good.json
	cases=0 named=0 remedies=0 wanted=0
	failures=()
	LOG="$BATS_TEST_TMPDIR/log"
}
teardown() {
	[ -z "${STRANGE-}" ] || rm -rf --one-file-system "$STRANGE"
	e2e_teardown
}

# Every case must have a hint, and the test fails for each that has none, by name. Only those marked
# "self" need none: there the cause itself says what to write instead.

# problem TEXT: note a failure of the case.
problem() { failures+=("$name: $1: $(tail -n 1 "$LOG" 2>/dev/null)"); }

# judge OBJECT REMEDY [STATUS]: look at what the last command left: $code, $LOG, $ROOT.
# OBJECT must be in the message; REMEDY is a regular expression for the hint, or "self".
judge() {
	local object=$1 remedy=$2 expected=${3:-1} line
	cases=$((cases + 1))
	[ "$code" -eq "$expected" ] || problem "exit status $code instead of $expected"
	line=$(tail -n 1 "$LOG" 2>/dev/null)
	if ! jq -e '.level == "error" and (.msg | length > 0) and has("time") and has("errno")' <<<"$line" >/dev/null 2>&1; then
		problem "no line of level error"
		line='{}'
	fi
	if jq -e --arg o "$object" '.msg // "" | contains($o)' <<<"$line" >/dev/null; then
		named=$((named + 1))
	else
		problem "does not name \"$object\""
	fi
	if [ "$remedy" != self ]; then
		wanted=$((wanted + 1))
		if jq -e --arg r "$remedy" '.hint // "" | test($r)' <<<"$line" >/dev/null; then
			remedies=$((remedies + 1))
		else
			problem "no hint like /$remedy/"
		fi
	fi
	[ -z "$(find "$ROOT" -mindepth 1 2>/dev/null)" ] || problem "left: $(find "$ROOT" -mindepth 1)"
	[ ! -s "$BUNDLE/pidfile" ] || problem "left a pid file"
	rm -rf --one-file-system "${ROOT:?}" "$LOG" "$BUNDLE/pidfile" 2>/dev/null
	cd "$BUNDLE" && cp good.json config.json
}

# try COMMAND...: the runtime run with the log; $code.
options=(--log-format json)
try() {
	code=0
	rm -f "$LOG"
	timeout 20 "$@" </dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- 4>&- || code=$?
}
run_moss() { try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run --pid-file pidfile "$ID"; }

# bad NAME OBJECT REMEDY FILTER [JQ OPTIONS]: config.json changed by the filter.
bad() {
	name=$1
	local object=$2 remedy=$3
	config "${@:4}" || { problem "config" && return; }
	run_moss
	judge "$object" "$remedy"
}
# text NAME OBJECT REMEDY TEXT: that is the whole config.json.
text() {
	name=$1
	printf '%s' "$4" >config.json
	run_moss
	judge "$2" "$3"
}

# verdict LEAST: print the sums; everything must have held.
verdict() {
	echo "# object named $named/$cases, remedy $remedies/$wanted" >&3
	printf '%s\n' "${failures[@]}"
	[ "$cases" -ge "$1" ]
	[ "$named" -eq "$cases" ]
	[ "$remedies" -eq "$wanted" ]
	[ "${#failures[@]}" -eq 0 ]
}

@test "errors: broken configs: each names its object and a remedy, and leaves nothing" {
	ids
	cp config.json good.json

	bad "missing rootfs" "$PWD/nowhere" 'root|path' '.root.path = "nowhere"'
	touch rootfile
	bad "rootfs is a file" rootfile 'root' '.root.path = "rootfile"'
	bad "rootfs below a file" rootfile/below 'director|root' '.root.path = "rootfile/below"'
	bad "no root at all" root self 'del(.root)'
	text "no JSON" config.json self '{"ociVersion": "1.0.0", '
	text "a JSON array" config.json self '[]'
	text "empty file" config.json self ''
	bad "no ociVersion" ociVersion self 'del(.ociVersion)'
	bad "a later ociVersion" 9.0.0 'support' '.ociVersion = "9.0.0"'
	bad "args a string" "process: args" self '.process.args = "sh -c true"'
	bad "args empty" "process: args" self '.process.args = []'
	bad "no cwd" "process: cwd" self 'del(.process.cwd)'
	bad "a relative cwd" "process: cwd" self '.process.cwd = "tmp"'
	bad "cwd is a file" /etc/hosts self '.process.cwd = "/etc/hosts"'
	bad "uid out of range" 4294967296 self '.process.user.uid = 4294967296'
	bad "a negative gid" "process: user" self '.process.user.gid = -1'
	if ! is_root; then
		bad "unmapped uid" 70000 'map' '.process.user.uid = 70000'
		bad "unmapped gid" 70001 'map' '.process.user.gid = 70001'
		bad "unmapped additional gid" 70002 'map' '.process.user.additionalGids = [70002]'
	else
		own='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}]
			| .linux.gidMappings = .linux.uidMappings'
		bad "unmapped uid" 70000 'map' "$own | .process.user.uid = 70000"
		bad "unmapped gid" 70001 'map' "$own | .process.user.gid = 70001"
		bad "unmapped additional gid" 70002 'map' "$own | .process.user.additionalGids = [70002]"
	fi
	bad "overlapping mappings" 'uidMappings[1]' self '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user"}])
		| .linux.uidMappings = [{containerID: 0, hostID: 1, size: 10}, {containerID: 5, hostID: 100, size: 10}]
		| .linux.gidMappings = [{containerID: 0, hostID: 1, size: 10}]'
	bad "mappings without a user namespace" "map" 'user|subuid' '.linux.namespaces |= map(select(.type != "user"))
		| .linux.uidMappings = [{containerID: 0, hostID: 1, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	bad "unknown rlimit" RLIMIT_NOTHING self '.process.rlimits = [{type: "RLIMIT_NOTHING", soft: 1, hard: 1}]'
	bad "soft limit above the hard one" RLIMIT_NOFILE self '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 20, hard: 10}]'
	bad "an rlimit twice" RLIMIT_CORE self '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
	bad "oomScoreAdj out of range" oomScoreAdj self '.process.oomScoreAdj = 5000'
	bad "a policy that Linux has not" "process: scheduler: policy" 'SCHED_RR' '.process.scheduler = {policy: "SCHED_ISO"}'
	bad "a priority of another policy" "process: scheduler: priority" 'SCHED_FIFO' '.process.scheduler = {policy: "SCHED_OTHER", priority: 1}'
	bad "a runtime above the deadline" "process: scheduler: deadline" self '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 3000, deadline: 2000}'
	bad "an unknown io class" IOPRIO_CLASS_NONE self '.process.ioPriority = {class: "IOPRIO_CLASS_NONE"}'
	bad "a list of CPUs with a gap" "process: execCPUAffinity: final" '0-3,7' '.process.execCPUAffinity = {final: "0,,1"}'
	bad "a memory policy without nodes" "linux: memoryPolicy: nodes" 'node/online' '.linux.memoryPolicy = {mode: "MPOL_BIND"}'
	bad "a NUMA node that is not there" "linux: memoryPolicy" 'node|NUMA' '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1023"}'
	bad "an effective capability that is not permitted" CAP_SYS_TIME 'add it' '.process.capabilities.effective += ["CAP_SYS_TIME"]'
	bad "bad mount option" no-such-option . '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "no-such-option"]}]'
	bad "bad value of a mount option" size=lots . '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=lots"]}]'
	[ -e /sys/module/apparmor ] || bad "no AppArmor" "process: apparmorProfile" 'apparmor=1' '.process.apparmorProfile = "moss-test"'
	if [ ! -e /sys/fs/selinux ]; then
		bad "no SELinux" "process: selinuxLabel" 'selinux=1' '.process.selinuxLabel = "u:r:t:s0"'
		bad "no SELinux for mounts" "linux: mountLabel" 'selinux=1' '.linux.mountLabel = "u:object_r:t:s0"'
	fi
	bad "a label that is none" "process: apparmorProfile" self '.process.apparmorProfile = "moss-test\n"'
	bad "no resctrl" "linux: intelRdt" 'resctrl|root' '.linux.intelRdt = {closID: "x"}'
	bad "a class that is a path" "linux: intelRdt: closID" 'name' '.linux.intelRdt = {closID: "../x"}'
	bad "a schema that is none" "linux: intelRdt: memBwSchema" self '.linux.intelRdt = {memBwSchema: "L3:0=f"}'
	bad "unknown file system" nosuchfs 'file system' '.mounts += [{destination: "/tmp", type: "nosuchfs", source: "x"}]'
	bad "missing bind source" /no/such/source 'source' '.mounts += [{destination: "/tmp", type: "bind", source: "/no/such/source", options: ["bind"]}]'
	bad "bind source below a file" "$PWD/rootfile/x" . '.mounts += [{destination: "/tmp", type: "bind", source: $s, options: ["bind"]}]' --arg s "$PWD/rootfile/x"
	bad "a directory on a file" /etc/hosts . '.mounts += [{destination: "/etc/hosts", type: "bind", source: $s, options: ["bind"]}]' --arg s "$PWD"
	bad "mount target below a file" /etc/hosts/x . '.mounts += [{destination: "/etc/hosts/x", type: "tmpfs", source: "tmpfs"}]'
	bad "target on a read-only file system" /sys/made . '.mounts += [{destination: "/sys/made", type: "tmpfs", source: "tmpfs"}]'
	bad "mount without a type" "mounts[$(jq '.mounts | length' good.json)]" self '.mounts += [{destination: "/tmp", source: "tmpfs"}]'
	bad "an option for another type" "mounts[$(jq '.mounts | length' good.json)]: options" self '.mounts += [{destination: "/tmp", type: "tmpfs", source: "x", options: ["copy-symlink"]}]'
	bad "a bad mapping in an option" "options: idmap" 'FROM-TO-SIZE' '.mounts += [{destination: "/tmp", type: "bind", source: "/tmp", options: ["bind", "idmap=uids=1"]}]'
	bad "a remount of nothing" "mount: /tmp: " . '.mounts += [{destination: "/tmp", type: "bind", options: ["bind", "remount", "ro"]}]'
	bad "a mask of the root" maskedPaths . '.linux.maskedPaths = ["/"]'
	bad "a read-only root" readonlyPaths 'readonly' '.linux.readonlyPaths = ["/"]'
	bad "namespace path missing" /no/such/ns . '.linux.namespaces |= (map(select(.type != "ipc")) + [{type: "ipc", path: "/no/such/ns"}])'
	bad "namespace path no namespace" /etc/passwd . '.linux.namespaces |= (map(select(.type != "ipc")) + [{type: "ipc", path: "/etc/passwd"}])'
	bad "namespace of another type" /proc/self/ns/uts . '.linux.namespaces |= (map(select(.type != "ipc")) + [{type: "ipc", path: "/proc/self/ns/uts"}])'
	bad "unknown namespace" colour self '.linux.namespaces += [{type: "colour"}]'
	bad "namespace twice" uts self '.linux.namespaces += [{type: "uts"}]'
	bad "hostname without a uts namespace" hostname 'uts' '.linux.namespaces |= map(select(.type != "uts")) | .hostname = "x"'
	bad "hostname too long" hostname self '.hostname = ("x" * 100)'
	bad "program not in PATH" no-such-program . '.process.args = ["no-such-program"]'
	bad "program missing" /opt/missing . '.process.args = ["/opt/missing"]'
	bad "program not executable" /etc/hosts chmod '.process.args = ["/etc/hosts"]'
	bad "program is a directory" /tmp . '.process.args = ["/tmp"]'
	bad "program below a file" /etc/hosts/sh . '.process.args = ["/etc/hosts/sh"]'
	bad "sysctl of the host" "linux: sysctl" . '.linux.sysctl = {"kernel.panic": "1"}'
	bad "a systemd cgroupsPath without its slice" cgroupsPath 'cgroupfs' '.linux.cgroupsPath = "moss:x"'
	bad "a systemd cgroupsPath with another thing for a slice" cgroupsPath 'machine.slice' '.linux.cgroupsPath = "machine:moss:x"'
	bad "a systemd cgroupsPath that names a slice" cgroupsPath 'the first part' '.linux.cgroupsPath = "machine.slice:moss:x.slice"'
	bad "a cgroupsPath that goes up" cgroupsPath self '.linux.cgroupsPath = "/a/../../b"'

	# what only the kernel can say of a program comes after the container has been made: 255
	printf '#!/no/such/shell\n' >rootfs/var/script
	printf 'garbage\n' >rootfs/var/garbage
	"$PYTHON" - rootfs/bin/busybox rootfs/var/dynamic rootfs/var/dynamic32 <<'PY'
import struct, sys  # a program of this machine whose loader is not there, and one of its 32-bit sibling

def part(bits, kind, flags, at, size):
    place = [at, 0x400000 + at, 0x400000 + at, size, size]
    return [kind, flags, *place, 4096] if bits == 64 else [kind, *place, flags, 4096]

def program(path, bits, order, machine):
    name = b"/no/such/loader.so\0"
    word, head, one = ("Q", 64, 56) if bits == 64 else ("I", 52, 32)
    where = head + 2 * one
    data = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    data += struct.pack(order + "HHI" + 3 * word + "I6H", 2, machine, 1, 0, head, 0, 0, head, one, 2, 0, 0, 0)
    form = order + ("IIQQQQQQ" if bits == 64 else "8I")
    data += struct.pack(form, *part(bits, 3, 4, where, len(name)))
    data += struct.pack(form, *part(bits, 1, 5, 0, where + len(name)))
    open(path, "wb").write(data + name)

head = open(sys.argv[1], "rb").read(20)
order = "<" if head[5] == 1 else ">"
machine = struct.unpack_from(order + "H", head, 18)[0]
program(sys.argv[2], 32 * head[4], order, machine)
program(sys.argv[3], 32, order, {62: 3, 183: 40}.get(machine, machine))  # x86-64: 386; AArch64: ARM
PY
	chmod +x rootfs/var/script rootfs/var/garbage rootfs/var/dynamic rootfs/var/dynamic32
	missing=(script:/no/such/shell dynamic:/no/such/loader.so garbage:/var/garbage)
	code=0
	rootfs/var/dynamic32 2>/dev/null || code=$?
	[ "$code" -ne 127 ] || missing+=(dynamic32:/no/such/loader.so) # 126: this kernel has no such programs
	for case in "${missing[@]}"; do
		name="exec of ${case%%:*}"
		config '.process.args = [$p]' --arg p "/var/${case%%:*}"
		run_moss
		judge "${case#*:}" . 255
	done

	name="unknown capability (a warning)" # noted, and the program runs
	config '.process.capabilities.bounding += ["CAP_FROM_THE_FUTURE"] | .process.args = ["true"]'
	run_moss
	[ "$code" -eq 0 ] || problem "exit status $code"
	jq -se 'any(.level == "warning" and (.msg | contains("CAP_FROM_THE_FUTURE")))' "$LOG" >/dev/null || problem "no warning"

	verdict 45
}

@test "errors: broken surroundings: each names its object and a remedy, and leaves nothing" {
	program true
	cp config.json good.json
	elsewhere=$BATS_TEST_TMPDIR/elsewhere
	mkdir "$elsewhere" "$elsewhere/file.d"
	touch "$elsewhere/file"

	name="no config.json"
	try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run -b "$elsewhere" "$ID"
	judge "$elsewhere" 'moss spec'
	name="a missing bundle"
	try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run -b "$elsewhere/none" "$ID"
	judge "$elsewhere/none" 'bundle'
	name="a bundle that is a file"
	try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run -b "$elsewhere/file" "$ID"
	judge "$elsewhere/file" bundle
	name="an invalid id"
	try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run "a/b"
	judge a/b 'characters'
	name="a container that is not there"
	try "$MOSS" --root "$BATS_TEST_TMPDIR" --log "$LOG" "${options[@]}" start "$ID"
	judge "$ID" .
	name="--root is a file"
	try "$MOSS" --root "$elsewhere/file" --log "$LOG" "${options[@]}" run "$ID"
	judge "$elsewhere/file" 'root'
	name="--root below a file"
	try "$MOSS" --root "$elsewhere/file/root" --log "$LOG" "${options[@]}" run "$ID"
	judge "$elsewhere/file" 'root'
	if ! is_root; then
		name="--root in a closed directory"
		mkdir -m 0 "$elsewhere/closed"
		try "$MOSS" --root "$elsewhere/closed/root" --log "$LOG" "${options[@]}" run "$ID"
		judge "$elsewhere/closed/root" 'root'
	fi
	name="--root a symbolic link"
	ln -s "$elsewhere/file.d" "$elsewhere/link"
	try "$MOSS" --root "$elsewhere/link" --log "$LOG" "${options[@]}" run "$ID"
	judge "$elsewhere/link" 'root'
	name="--root that others can write"
	mkdir "$elsewhere/open"
	chmod 0777 "$elsewhere/open"
	try "$MOSS" --root "$elsewhere/open" --log "$LOG" "${options[@]}" run "$ID"
	if is_root && [ "$code" -eq 0 ]; then failures+=("root takes a --root that others can write"); fi
	judge "$elsewhere/open" 'chmod'
	name="--root where nothing can be made"
	try "$MOSS" --root /proc/sys/moss --log "$LOG" "${options[@]}" run "$ID"
	judge /proc/sys/moss root
	mkdir "$elsewhere/disk"
	name="--root on a read-only file system"
	try unshare -Urm sh -c 'mount -t tmpfs -o ro none "$1" && shift && exec "$@"' sh "$elsewhere/disk" \
		"$MOSS" --root "$elsewhere/disk/root" --log "$LOG" "${options[@]}" run "$ID"
	judge "$elsewhere/disk/root" root
	name="--root on a full file system"
	try unshare -Urm sh -c 'mount -t tmpfs -o size=64k none "$1" && mkdir -m 0700 "$1/root" && { cat /dev/zero >"$1/full" 2>/dev/null; shift
		"$@"; code=$?; [ -z "$(ls -A "$0")" ] || code=99; exit "$code"; }' "$elsewhere/disk/root" "$elsewhere/disk" \
		"$MOSS" --root "$elsewhere/disk/root" --log "$LOG" "${options[@]}" run "$ID"
	judge 'No space left on device' .
	name="a pid file in a missing directory"
	try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run --pid-file "$elsewhere/none/pid" "$ID"
	judge "$elsewhere/none/pid" .
	name="a console socket that is not there"
	config '.process.terminal = true'
	try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run -d --console-socket "$elsewhere/none" "$ID"
	judge "$elsewhere/none" .
	name="a terminal without a terminal"
	config '.process.terminal = true'
	try setsid -w "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run "$ID"
	judge terminal 'terminal'
	name="a closed fd of --preserve-fds"
	try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run --preserve-fds 40 "$ID"
	judge --preserve-fds fds
	name="no user namespaces left" # of those that may be nested
	config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user"}])
		| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	try unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh \
		"$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run "$ID"
	judge 'namespace' 'max_user_namespaces'
	name="ids that the surrounding user namespace has not"
	config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user"}])
		| .linux.uidMappings = [{containerID: 0, hostID: 4242, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	try unshare -Ur "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run "$ID"
	judge 4242 .
	config '.linux.namespaces |= map(select(.type != "pid"))'
	if ! is_root; then
		name="proc without an own pid namespace"
		run_moss
		judge /proc 'pid namespace'
		name="a namespace that is not mine"
		bad "$name" /proc/1/ns/net . '.linux.namespaces += [{type: "network", path: "/proc/1/ns/net"}]'
		name="a --root of somebody else"
		try "$MOSS" --root / --log "$LOG" "${options[@]}" list
		judge "--root" self
		try "$MOSS" --root /usr --log "$LOG" "${options[@]}" run "$ID"
		judge /usr 'root'
		name="a --root below somebody else's directory"
		try "$MOSS" --root /usr/moss --log "$LOG" "${options[@]}" run "$ID"
		judge /usr/moss root
		name="a bundle that is closed to me"
		try "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run -b /root "$ID"
		judge /root/config.json .
		name="a range that is not mine"
		bad "$name" 4000000000 'subuid' '.linux.uidMappings += [{containerID: 1, hostID: 4000000000, size: 10}]'
	fi
	name="no_new_privs outside"
	if ! is_root; then
		ids
		try setpriv --no-new-privs "$MOSS" --root "$ROOT" --log "$LOG" "${options[@]}" run "$ID"
		judge newuidmap no_new_privs
	fi
	verdict 18
}

# on_host CHANGES COMMAND...: run it as the user "stranger" on a host with these changes, which
# nobody else sees. Its files are in $STRANGE, with passwd, subuid and subgid that CHANGES may edit first.
on_host() {
	try unshare -m sh -c 'cd "$1" || exit
		for file in passwd subuid subgid; do cat "/etc/$file" >"$file" 2>/dev/null; done
		echo "stranger:x:54322:54322::/:/bin/sh" >>passwd
		echo "stranger:700000:65536" | tee -a subuid >>subgid
		mount -t tmpfs -o mode=1777 none /tmp && eval "$2" || exit
		for file in passwd subuid subgid; do [ -e "/etc/$file" ] && mount --bind "$file" "/etc/$file" || exit; done
		shift 2
		exec setpriv --reuid 54322 --regid 54322 --clear-groups env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"' sh "$STRANGE" "$@"
}

@test "errors: broken hosts: each names its object and a remedy, and leaves nothing" {
	need_root "a host that only this test sees"
	need_command newuidmap
	[ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "there is no /etc/subuid to change"
	STRANGE=/var/tmp/$ID # not below /tmp, which the stranger has for itself
	mkdir "$STRANGE" "$STRANGE"/mnt "$STRANGE"/rootfs "$STRANGE"/rootfs/{bin,proc,dev,sys,tmp}
	cp "$(command -v busybox)" "$STRANGE/rootfs/bin/true"
	cp "$MOSS" "$STRANGE/moss"
	cp "$E2E_DIR/without_call.py" "$STRANGE/"
	chmod 0755 "$STRANGE/moss"
	"$MOSS" spec -b "$STRANGE" -- true </dev/null
	chown 54322:54322 "$STRANGE"
	ROOT=$STRANGE/state LOG=$STRANGE/log
	stranger=("$STRANGE/moss" --root "$ROOT" --log "$LOG" "${options[@]}" run -b "$STRANGE" "$ID")
	rm -f config.json good.json && touch good.json # the bundle is elsewhere

	on_host : "${stranger[@]}" # all is well
	[ "$code" -eq 0 ] || { cat "$LOG" "$BATS_TEST_TMPDIR/said" && false; }
	# without HOME and with a runtime directory that is not there the state is in /tmp
	on_host : XDG_RUNTIME_DIR=/nowhere "$STRANGE/moss" --log "$LOG" "${options[@]}" run -b "$STRANGE" "$ID"
	[ "$code" -eq 0 ] || { cat "$LOG" "$BATS_TEST_TMPDIR/said" && false; }
	# my number, several lines, and ranges that overlap
	on_host 'sed -i s/stranger:.*/54322:700000:10/ subuid; echo 54322:800000:20 >>subuid; echo 54322:700005:10 >>subuid
		sed -i s/stranger/54322/ subgid' \
		"$STRANGE/moss" --root "$ROOT" --log "$LOG" unshare cat /proc/self/uid_map
	cat "$BATS_TEST_TMPDIR/said"
	[ "$(xargs <"$BATS_TEST_TMPDIR/said")" = "0 54322 1 1 700000 10 11 800000 20" ]
	rm -rf "$ROOT" "$LOG"

	for kind in u g; do
		name="no line in /etc/sub${kind}id"
		on_host "sed -i /stranger/d sub${kind}id" "${stranger[@]}"
		grep -q "user stranger" "$LOG" || problem "does not name the user"
		judge "/etc/sub${kind}id" "echo stranger:[0-9]+:65536 >> /etc/sub${kind}id"
		name="an empty /etc/sub${kind}id, and no name for me"
		on_host "sed -i s/stranger/54322/ subuid subgid; : >sub${kind}id; sed -i /stranger/d passwd" "${stranger[@]}"
		grep -q "user 54322" "$LOG" || problem "does not name the user"
		judge "/etc/sub${kind}id" "echo 54322:[0-9]+:65536 >> /etc/sub${kind}id"
		helper=$(command -v "new${kind}idmap")
		name="no new${kind}idmap"
		on_host "touch none && chmod 0644 none && mount --bind none $helper" "${stranger[@]}"
		judge "new${kind}idmap" "uidmap"
		name="new${kind}idmap without its set-uid bit"
		on_host "cp $helper plain && chmod 0755 plain && mount --bind plain $helper" "${stranger[@]}"
		judge "$helper" "chmod u\\+s $helper"
		name="new${kind}idmap on a nosuid file system"
		on_host "mount -t tmpfs -o mode=755 none mnt && cp $helper mnt/helper && chmod 4755 mnt/helper && mount --bind mnt/helper $helper &&
			mount -o remount,bind,nosuid $helper" "${stranger[@]}"
		judge "$helper" nosuid
	done
	name="ranges by number, and no name for me" # newuidmap(1) needs one
	on_host 'sed -i s/stranger/54322/ subuid subgid; sed -i /stranger/d passwd' "${stranger[@]}"
	judge newuidmap 'passwd|name'
	name="no_new_privs outside"
	on_host : setpriv --no-new-privs "${stranger[@]}"
	judge newuidmap no_new_privs
	name="user namespaces denied by a seccomp filter"
	on_host : "$PYTHON" "$STRANGE/without_call.py" clone3 1 "${stranger[@]}"
	judge clone3 seccomp
	name="/proc is masked outside"
	on_host 'mount -t tmpfs none /proc/bus' "${stranger[@]}"
	judge "mount: /proc" 'mask|cover|mounted'
	name="no boot id"
	on_host 'mount -t tmpfs none /proc/sys' "${stranger[@]}"
	judge boot_id .
	name="no /proc"
	on_host 'mount -t tmpfs none /proc' "${stranger[@]}"
	judge /proc .
	name="the machine's limit of user namespaces"
	on_host : unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && cd "$1" && shift &&
		sed "s/\"namespaces\": \[/&{\"type\": \"user\"},/; s/\"linux\": {/&\"uidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}], \"gidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}],/" \
			config.json >/tmp/config.json && exec "$@" --config /tmp/config.json' sh "$STRANGE" "${stranger[@]:0:$((${#stranger[@]} - 1))}" "$ID"
	judge namespace max_user_namespaces
	name="a bundle below a directory that is closed to me"
	on_host 'mkdir -p closed/b && cp config.json closed/b && chmod 0700 closed' "$STRANGE/moss" --root "$ROOT" --log "$LOG" "${options[@]}" run -b "$STRANGE/closed/b" "$ID"
	judge "$STRANGE/closed/b" .
	name="a root file system that is closed to me"
	on_host 'chmod 0700 rootfs' "${stranger[@]}"
	judge "$STRANGE/rootfs" .
	verdict 18
}
