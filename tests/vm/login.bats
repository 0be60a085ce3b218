#!/usr/bin/env bats
# login.bats - containers and login sessions: root logs the user in and out.
# parts: root
load vm.bash
setup() {
	e2e_setup
	user_bundle
	program sleep 60
}
teardown() {
	login "'$MOSS' delete --force '$ID'" >/dev/null 2>&1 || true
	e2e_teardown
}

# a_process: a process of the container, as the host sees it.
a_process() { login "'$MOSS' state '$ID'" | jq .pid; }

@test "login: a lingering user's container outlives the session, and the next session controls it" {
	login "'$MOSS' run -d '$ID' </dev/null >out 2>&1"
	pid=$(a_process)
	alive "$pid"
	session=$(basename "$(cgroup_of "$pid")" .scope)
	[ "$(loginctl show-session "${session#session-}" -P State)" = closing ]
	[ -d "/run/user/$(id -u "$VM_USER")/moss/$ID" ]
	login "'$MOSS' list" | grep -E "^$ID +$pid +running .* $VM_USER *$"
	login "'$MOSS' kill '$ID' KILL"
	eventually dead "$pid"
	login "'$MOSS' delete '$ID'"
	[ ! -e "/run/user/$(id -u "$VM_USER")/moss/$ID" ]
	eventually [ ! -e "/sys/fs/cgroup/user.slice/user-$(id -u "$VM_USER").slice/$session.scope" ]
}

@test "login: a container in a delegated scope keeps its cgroup over the session's end; delete removes it" {
	login "systemd-run --user --scope --quiet -p Delegate=yes '$MOSS' run -d '$ID' </dev/null >out 2>&1"
	pid=$(a_process)
	path=$(cgroup_of "$pid")
	[[ "$path" == *"/user@$(id -u "$VM_USER").service/"*.scope/moss-$ID ]]
	[ "$(cat "/sys/fs/cgroup$path/cgroup.procs")" = "$pid" ]
	login "'$MOSS' delete --force '$ID'"
	dead "$pid"
	eventually [ ! -e "/sys/fs/cgroup${path%/*}" ]
}

@test "login: with the environment lost by su, moss finds the containers of the real session" {
	login "'$MOSS' run -d '$ID' </dev/null >out 2>&1"
	su --login root -c "su --login $VM_USER -c \"env | grep -c XDG_RUNTIME_DIR; '$MOSS' list -q; '$MOSS' delete --force '$ID'\"" \
		</dev/null >out 2>&1 3>&- 4>&- || true
	cat out
	[ "$(cat out)" = "$(printf '0\n%s' "$ID")" ]
	[ ! -e "/run/user/$(id -u "$VM_USER")/moss/$ID" ]
}
