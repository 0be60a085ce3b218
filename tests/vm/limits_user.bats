#!/usr/bin/env bats
# limits_user.bats - a user's limits: where they can't be had, and that the remedy which the error names is one.
# parts: session
load vm.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

# Seen failing without: explain_no_cgroup(), explain_above(), leave_leaf(); cgroup_unit_leave().
@test "user: without systemd a limit is refused in a login session and in a scope that holds others; the printed remedy works; alone in a scope moss makes room" {
	program cat /sys/fs/cgroup/pids.max
	config '.linux.resources = {pids: {limit: 7}}'
	attempt --cgroup-manager cgroupfs run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"linux: resources: pids: limit: the controller pids can't be used: the container has no cgroup of its own"* ]]
	[[ "$output" == *"systemd-run --user --scope -p Delegate=yes"*"loginctl enable-linger"* ]]
	[ ! -e "$ROOT/$ID" ]
	status=0
	output=$(scope bash -c '"$@" || exit' bash "$MOSS" --cgroup-manager cgroupfs --root "$ROOT" run "$ID" 2>&1 </dev/null) || status=$?
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"pids: limit: the controller pids can't be handed down by the cgroup "*".scope, which holds processes"* ]]
	[ ! -e "$ROOT/$ID" ]
	remedy=${output##*leaf first: }
	remedy=${remedy%% ...\'*}
	[[ "$remedy" == systemd-run*leaf*"moss run" ]]
	output=$(XDG_RUNTIME_DIR=/run/user/$(id -u) bash -c "${remedy/moss run/\"\$MOSS\" --root \"$ROOT\" run \"$ID\"}'" </dev/null 3>&- 4>&-)
	show
	[ "${output##*$'\n'}" = 7 ]
	[ ! -e "$ROOT/$ID" ]
	output=$(scope "$MOSS" --root "$ROOT" run "$ID" 2>&1 </dev/null)
	show
	[ "$output" = 7 ]
	[ ! -e "$ROOT/$ID" ]
	# Without Delegate=yes the manager would take the controllers back at its next reload, without a word.
	status=0
	export XDG_RUNTIME_DIR
	XDG_RUNTIME_DIR=/run/user/$(id -u)
	output=$(systemd-run --user --scope --quiet -p Delegate=no "$MOSS" --cgroup-manager cgroupfs --root "$ROOT" run "$ID" 2>&1 </dev/null 3>&- 4>&-) || status=$?
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"pids: limit: the controller pids can't be handed down by the cgroup "*".scope, which holds processes"* ]]
	[ ! -e "$ROOT/$ID" ]
	# So systemd makes one that is.
	program sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/pids.max'
	output=$(systemd-run --user --scope --quiet -p Delegate=no "$MOSS" --root "$ROOT" run "$ID" 2>&1 </dev/null 3>&- 4>&-)
	show
	[[ "$output" == *$'\n7' ]]
	[ ! -e "$ROOT/$ID" ]
}
