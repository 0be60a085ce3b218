#!/usr/bin/env bats
# systemd_lost.bats - a container in a scope of the user's manager, where su has lost the environment: no bus is named, and
# moss is in root's session.
# parts: lost
load vm.bash
load systemd.bash

# Seen failing without: the third place in bus.c's candidate().
@test "systemd: with an environment lost by su: scope, limits, exec, update and delete are as in a session" {
	[ -z "${DBUS_SESSION_BUS_ADDRESS-}${XDG_RUNTIME_DIR-}" ]
	program sleep 60
	limits '{"memory": {"limit": 104857600}, "pids": {"limit": 42}}'
	apart run -d "$ID" # limits alone are reason enough
	[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container" ]
	in_file pids.max 42
	is TasksMax 42
	moss exec -d --pid-file pid "$ID" sleep 60
	[ "$(cgroup_of "$(cat pid)")" = "$base/$unit/container" ]
	moss update --pids-limit 43 "$ID"
	in_file pids.max 43
	is TasksMax 43
	sc daemon-reload
	is TasksMax 43
	moss delete --force "$ID"
	dead "$(cat pid)"
	nothing_left
}
