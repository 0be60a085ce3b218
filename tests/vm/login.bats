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
	login "for id in '$ID' '$ID-2'; do '$MOSS' delete --force \$id; done" >/dev/null 2>&1 || true
	e2e_teardown
}

# container_pid [ID]: the container's first process, as the host sees it.
container_pid() { login "'$MOSS' state '${1:-$ID}'" | jq .pid; }

# Seen failing with KillUserProcesses=yes in logind.conf, which kills the first of the two.
@test "login: a lingering user's containers outlive the session, and the next session controls them" {
	login "'$MOSS' run -d '$ID' </dev/null >out 2>&1
		systemd-run --user --scope --quiet -p Delegate=yes '$MOSS' run -d '$ID-2' </dev/null >out 2>&1"
	pid=$(container_pid)
	pid2=$(container_pid "$ID-2")
	session=$(cgroup_of "$pid")
	path=$(cgroup_of "$pid2")
	[[ "$session" == "/user.slice/user-$(id -u "$VM_USER").slice/session-"*.scope ]]
	[[ "$path" == *"/user@$(id -u "$VM_USER").service/"*.scope/moss-$ID-2 ]]
	for _ in $(seq 60); do # logind waits 20 s for the processes to go by themselves
		[ "$(systemctl show "${session##*/}" -P SubState)" = running ] || break
		sleep 0.5
	done
	[ "$(systemctl show "${session##*/}" -P SubState)" = abandoned ]
	alive "$pid"
	[ "$(cat "/sys/fs/cgroup$path/cgroup.procs")" = "$pid2" ]
	login "'$MOSS' list" >table
	grep -E "^$ID +$pid +running .* $VM_USER *$" table
	grep -E "^$ID-2 +$pid2 +running .* $VM_USER *$" table
	login "'$MOSS' kill '$ID' KILL"
	eventually dead "$pid"
	login "'$MOSS' delete '$ID'; '$MOSS' delete --force '$ID-2'"
	dead "$pid2"
	[ -z "$(ls -A "/run/user/$(id -u "$VM_USER")/moss")" ]
	for left in "$session" "${path%/*}"; do eventually [ ! -e "/sys/fs/cgroup$left" ]; done
}

@test "login: with the environment lost by su, moss finds the containers of the real session" {
	login "'$MOSS' run -d '$ID' </dev/null >out 2>&1"
	su --login root -c "su --login $VM_USER -c \"env | grep -c XDG_RUNTIME_DIR; '$MOSS' list -q; '$MOSS' delete --force '$ID'\"" \
		</dev/null >out 2>&1 3>&- 4>&- || true
	cat out
	[ "$(cat out)" = "$(printf '0\n%s' "$ID")" ]
	[ ! -e "/run/user/$(id -u "$VM_USER")/moss/$ID" ]
}
