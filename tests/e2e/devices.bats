#!/usr/bin/env bats
# devices.bats - the default nodes and links, config.json's own, and the device rules.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "devices: the default nodes are the real devices and work" {
	container 'cd /dev; stat -c "%n %F %t:%T" null zero full random urandom tty
		echo gone >null && wc -c <null
		head -c 5 zero | wc -c
		echo x >full 2>/dev/null || echo full
		[ "$(head -c 8 random | wc -c)" = 8 ] && [ "$(head -c 8 urandom | wc -c)" = 8 ] && echo random
		for i in null zero full random urandom tty; do [ -c $i ] && [ -r $i ] && [ -w $i ] || echo bad $i; done'
	[ "$status" -eq 0 ]
	[[ "$output" == *"null character special file 1:3"* ]]
	[[ "$output" == *"zero character special file 1:5"* ]]
	[[ "$output" == *"full character special file 1:7"* ]]
	[[ "$output" == *"random character special file 1:8"* ]]
	[[ "$output" == *"urandom character special file 1:9"* ]]
	[[ "$output" == *"tty character special file 5:0"* ]]
	[[ "$output" == *"$(printf '\n0\n5\nfull\nrandom')" ]]
}

@test "devices: the default links" {
	container 'cd /dev; for i in fd stdin stdout stderr ptmx; do echo "$i $(readlink $i)"; done; ls fd/ >/dev/null'
	[[ "$output" == *"fd /proc/self/fd"* ]]
	[[ "$output" == *"stdin /proc/self/fd/0"* ]]
	[[ "$output" == *"stdout /proc/self/fd/1"* ]]
	[[ "$output" == *"stderr /proc/self/fd/2"* ]]
	[[ "$output" == *"ptmx pts/ptmx"* || "$output" == *"ptmx /dev/pts/ptmx"* ]]
}

@test "devices: /dev/ptmx gives a pty of the container's own devpts" {
	container 'ls /dev/pts; script=$(exec 7<>/dev/ptmx; ls /dev/pts | xargs); echo "$script"'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = ptmx ]
	[ "${lines[1]}" = "0 ptmx" ]
}

@test "devices: nothing but the default nodes is in /dev" {
	container 'find /dev -type b -o -type c | grep -v /dev/pts/ | sort | xargs'
	[ "$output" = "/dev/full /dev/null /dev/random /dev/tty /dev/urandom /dev/zero" ]
}

@test "devices: a node of config.json, with mode and owner" {
	config '.linux.devices = [{path: "/dev/made/mine", type: "c", major: 1, minor: 5, fileMode: 384, uid: 0, gid: 0}]'
	if ! is_root; then
		config '.linux.devices[0].path = "/dev/full"' # a user gets the host's node, bound
		config '.linux.devices[0].minor = 7'
		container 'head -c 3 /dev/full | wc -c'
		[ "$output" = 3 ]
		return
	fi
	config '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "rwm"}]'
	container 'stat -c "%F %t:%T %a" /dev/made/mine; head -c 3 /dev/made/mine | wc -c'
	[ "$output" = "$(printf 'character special file 1:5 600\n3')" ]
}

# Seen failing without: chown (node_make).
@test "devices: fifos with mode and owner, with numbers and without, in directories that are made" {
	ids
	config '.root.readonly = false | .process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])
		| .linux.devices = [{path: "/dev/pipe", type: "p", fileMode: 416, uid: 5, gid: 6},
		{path: "/dev/made/here/numbered", type: "p", major: 7, minor: 8, fileMode: 438}, {path: "/var/new/pipe", type: "p"}]'
	container 'stat -c "%n %F %a %u:%g" /dev/pipe /dev/made/here/numbered /var/new/pipe; stat -c "%a %u:%g" /dev/made /dev/made/here /var/new
		(echo through >/dev/pipe &) && cat /dev/pipe'
	[ "$status" -eq 0 ]
	[ "$output" = "/dev/pipe fifo 640 5:6
/dev/made/here/numbered fifo 666 0:0
/var/new/pipe fifo 666 0:0
755 0:0
755 0:0
755 0:0
through" ]
	[ -p rootfs/var/new/pipe ]
}

# Seen failing without: chown (node_make).
@test "devices: types c, u and b with mode and owner, as root" {
	need_root "mknod"
	config '.linux.devices = [{path: "/dev/one", type: "c", major: 1, minor: 5, fileMode: 432, uid: 7, gid: 8},
		{path: "/dev/two", type: "u", major: 1, minor: 7}, {path: "/dev/deep/three", type: "b", major: 7, minor: 250, fileMode: 384, uid: 9}]'
	container 'stat -c "%n %F %t:%T %a %u:%g" /dev/one /dev/two /dev/deep/three'
	[ "$status" -eq 0 ]
	[ "$output" = "/dev/one character special file 1:5 660 7:8
/dev/two character special file 1:7 666 0:0
/dev/deep/three block special file 7:fa 600 9:0" ]
}

# Seen failing without: the bind of the host's node (node_bind), the look at its number (host_node_open).
@test "devices: in a user namespace the host's node is bound; another number or none on the host is named" {
	ids
	if is_root; then many_ids; fi
	[ -c /dev/full ]
	config '.linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 7, fileMode: 438, uid: 0, gid: 0}]'
	container 'stat -c %t:%T /dev/full; head -c 3 /dev/full | wc -c; cat /proc/self/mountinfo'
	[ "$(head -n 2 <<<"$output" | xargs)" = "1:7 3" ]
	[ -n "$(mount_line /dev/full)" ]
	config '.linux.devices[0].minor = 9'
	container 'echo ran'
	[ "$status" -eq 1 ]
	[[ "$stderr" == *"/dev/full"*"1:9"* ]]
	config '.linux.devices[0].path = "/dev/not-on-the-host"'
	container 'echo ran'
	[ "$status" -eq 1 ]
	[[ "$stderr" == *"/dev/not-on-the-host"*"the host has none"* ]]
	no_containers
}

# Seen failing without: check_device.
@test "devices: missing or wrong numbers, types and owners are refused with the field" {
	ids
	is_root && many_ids
	cp config.json kept.json
	refused() { # OBJECT CAUSE DEVICE
		cp kept.json config.json
		config ".linux.devices = [{path: \"/dev/good\", type: \"p\"}, $3]"
		container 'echo ran'
		[ "$status" -eq 1 ]
		[[ "$stderr" == *"linux: devices[1]$1: "*"$2"* ]] || { echo "no $1: $2" && return 1; }
		no_containers
	}
	refused "" "major is missing" '{path: "/dev/x", type: "c", minor: 1}'
	refused "" "minor is missing" '{path: "/dev/x", type: "b", major: 1}'
	refused "" "major -1 is not within" '{path: "/dev/x", type: "u", major: -1, minor: 0}'
	refused "" "unknown device type" '{path: "/dev/x", type: "x", major: 1, minor: 1}'
	refused ": type" missing '{path: "/dev/x", major: 1, minor: 1}'
	refused ": path" "absolute" '{path: "dev/x", type: "p"}'
	refused ": uid" "not mapped" '{path: "/dev/x", type: "p", uid: 4000000}'
	refused ": gid" "not mapped" '{path: "/dev/x", type: "p", gid: 4000000}'
}

# Seen failing with: what is there already taken for the node (node_make).
@test "devices: a path that is a directory, a link or another file in the image is refused" {
	ids
	config '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))'
	cp config.json kept.json
	mkdir rootfs/var/directory && touch rootfs/var/file && ln -s /etc/hosts rootfs/var/link
	for path in /var/directory /var/link /var/file /var/x/.. / //; do
		cp kept.json config.json
		config '.linux.devices = [{path: $p, type: "p"}]' --arg p "$path"
		container 'echo ran'
		[ "$status" -eq 1 ]
		[[ "$stderr" == *"$path"* ]]
		[ -z "$output" ]
	done
	[ "$(stat -c %F rootfs/var/file)" = "regular empty file" ]
}

@test "devices: a missing host node is named to a user" {
	need_user "root makes nodes"
	config '.linux.devices = [{path: "/dev/nowhere", type: "c", major: 1, minor: 5}]'
	container true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *"/dev/nowhere"* ]]
}

@test "devices: the program can't make nodes" {
	container 'mknod /dev/shm/mem c 1 1 2>&1 || echo refused; test -e /dev/shm/mem || echo absent'
	[[ "$output" == *"$(printf 'refused\nabsent')" ]]
}

# Seen failing without: the device program that knows nothing of linux.devices (program_compile).
@test "devices: a node of config.json grants nothing that the device rules deny" {
	need_v2
	[ -c /dev/kmsg ] || skip "no /dev/kmsg here"
	config '.linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11, fileMode: 438}]
		| .process.capabilities |= map_values(. + ["CAP_SYSLOG"])
		| .linux.resources.devices = [{allow: false, access: "rwm"}]'
	program sh -c 'test -c /dev/kmsg && echo there; (exec 9</dev/kmsg) 2>/dev/null && echo readable
		(exec 9>/dev/kmsg) 2>/dev/null && echo writable; true'
	output=$(moss_v2 run "$ID" </dev/null 2>&1)
	echo "$output"
	[ "$output" = there ]
	config '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "r"}]'
	output=$(moss_v2 run "$ID" </dev/null 2>&1)
	echo "$output"
	[ "$output" = "$(printf 'there\nreadable')" ]
}

# Seen failing without plan_without_mknod() in plan.c (refused), and in exec.c (exec has it).
@test "devices: --cgroup-manager disabled: deny all takes CAP_MKNOD, also from exec, and says so" {
	need_root "CAP_MKNOD in the initial user namespace"
	config '.process.capabilities |= map_values(. + ["CAP_MKNOD"]) | .linux.resources.devices = [{allow: false, access: "rwm"}]'
	program sh -c 'mknod /dev/shm/mem c 1 1 2>/dev/null || echo refused; sed -n "s/^CapBnd:.//p" /proc/self/status; sleep 60'
	moss --cgroup-manager disabled --log log run -d "$ID" </dev/null >out 2>&1
	eventually grep -q '^0000' out
	[ "$(sed -n 1p out)" = refused ]
	[ "$((0x$(sed -n 2p out) >> 27 & 1))" -eq 0 ]
	grep -q 'CAP_MKNOD: left out.*deny all devices' log
	jq -e '.notes | map(select(test("CAP_MKNOD"))) | length == 1' "$ROOT/$ID/state.json"
	run moss exec "$ID" sh -c 'mknod /dev/shm/mem c 1 1 2>/dev/null || echo refused'
	[ "$output" = refused ]
	run moss exec --cap CAP_MKNOD "$ID" sh -c 'mknod /dev/shm/mem c 1 1 2>/dev/null || echo refused'
	[ "$output" = refused ]
	moss delete --force "$ID"
	# any other list is still refused
	config '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "r"}]'
	attempt --cgroup-manager disabled run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"devices[1]"*eBPF* ]]
}
