#!/usr/bin/env bats
# cgroup_root.bats - root's container in its cgroup on a host that has version 2 alone.
# parts: root
load vm.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "root: the container is in /moss/ID, moss's own service is not, delete leaves neither cgroup nor /moss" {
	program sleep 60
	apart run -d "$ID"
	pid=$(pid_of)
	[ "$(cgroup_of "$pid")" = "/moss/$ID" ]
	[ "$(cat "/sys/fs/cgroup/moss/$ID/cgroup.procs")" = "$pid" ]
	[ "$(cgroup_of $$)" = /system.slice/vm-job.service ]
	moss delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/moss/$ID" ]
	[ -z "$(find /sys/fs/cgroup/moss -mindepth 1 -maxdepth 1 -type d 2>/dev/null)" ]
	[ ! -e /sys/fs/cgroup/moss ]
}

# Seen failing without: the program's attachment (cgroup_devices_apply).
@test "root: the device program is in force: a denied device can't be opened, an allowed one can" {
	config '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"] | .value |= unique)'
	code='mknod /dev/kmsg c 1 11 && mknod /dev/zero2 c 1 5 || exit 3
		head -c 3 /dev/zero2 | wc -c; (: </dev/kmsg) && echo opened'
	container "$code"
	[ "$output" = 3 ]
	[[ "$stderr" == *"/dev/kmsg"*"Operation not permitted"* ]]
	config '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "r"}]'
	container "$code"
	[ "$output" = "$(printf '3\nopened')" ]
	container "mknod /dev/kmsg c 1 11; (: >/dev/kmsg) && echo opened" # for reading only
	[ -z "$output" ]
}

@test "root: a container of a service: systemd's stop of the service does not touch it, delete does" {
	program sleep 60
	systemd-run --quiet --wait --collect -p WorkingDirectory="$BUNDLE" "$MOSS" --root "$ROOT" run -d "$ID"
	wait_for running
	[ "$(cgroup_of "$(pid_of)")" = "/moss/$ID" ]
	moss delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/moss/$ID" ]
}

@test "root: in a login session the container's cgroup is /moss/ID, too, and it outlives the session" {
	program sleep 60
	su --login root -c "cd '$BUNDLE' && '$MOSS' --root '$ROOT' run -d '$ID'" </dev/null >out 2>&1 3>&- 4>&-
	[ "$(cgroup_of "$(pid_of)")" = "/moss/$ID" ]
	[ "$(status_of)" = running ]
}
