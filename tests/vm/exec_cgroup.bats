#!/usr/bin/env bats
# exec_cgroup.bats - exec into a user's container that has a cgroup of its own in a delegated scope: from within
# the scope, and from a login session, which may not move anything into it.
# parts: session scope pcuser
load vm.bash
setup() { e2e_setup; }
teardown() {
	[ -z "${bus-}" ] || [ ! -e "$bus.away" ] || mv "$bus.away" "$bus"
	e2e_teardown # before the scope's end, which would wait for a process 1 that does not heed TERM
	[ -z "${unit-}" ] || XDG_RUNTIME_DIR=/run/user/$(id -u) systemctl --user --quiet stop "$unit" 2>/dev/null || true
}

# own_scope CODE: bash runs CODE in a delegated scope of this test's own, in which $own is its cgroup and $moss
# the runtime with its state directory.
own_scope() {
	unit=$ID.scope
	scope --unit="$unit" bash -euc 'own=$(sed -n "s/^0:://p" /proc/self/cgroup); moss="$1 --root $2"; ID=$3; '"$1" \
		bash "$MOSS" "$ROOT" "$ID" </dev/null >log 2>&1 || { cat log && false; }
}

@test "user: exec from within the scope lands in the container's cgroup, also when the first process has moved" {
	program sleep 1000
	own_scope '
		$moss run -d "$ID"
		$moss exec -d --pid-file pid.1 "$ID" sleep 1000
		first=$($moss state "$ID" | jq .pid)
		mkdir "/sys/fs/cgroup$own/moss-$ID/below"
		echo "$first" >"/sys/fs/cgroup$own/moss-$ID/below/cgroup.procs"
		$moss exec -d --pid-file pid.2 "$ID" sleep 1000
		$moss exec -d --cgroup below --pid-file pid.3 "$ID" sleep 1000'
	[[ "$(cgroup_of "$(pid_of)")" == */"$unit/moss-$ID/below" ]]
	[[ "$(cgroup_of "$(cat pid.1)")" == */"$unit/moss-$ID" ]]
	[[ "$(cgroup_of "$(cat pid.2)")" == */"$unit/moss-$ID" ]]
	[[ "$(cgroup_of "$(cat pid.3)")" == */"$unit/moss-$ID/below" ]]
	moss delete --force "$ID"
	for n in 1 2 3; do dead "$(cat pid.$n)"; done
}

# Seen failing without: the second clone (clone_process), which the kernel's EBUSY takes. A scope can hand
# controllers down only when it holds no process itself.
@test "user: exec where the container's own manager has divided its cgroup lands in the manager's part" {
	config '.mounts |= map(select(.destination != "/sys/fs/cgroup"))
		+ [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev"]}]
		| .linux.namespaces += [{type: "cgroup"}] | .linux.namespaces |= unique_by(.type)'
	program sh -c 'cd /sys/fs/cgroup && mkdir own && echo 1 >own/cgroup.procs && echo +memory >cgroup.subtree_control && echo divided
		exec sleep 1000'
	own_scope '
		mkdir "/sys/fs/cgroup$own/caller"
		echo $$ >"/sys/fs/cgroup$own/caller/cgroup.procs"
		echo +memory >"/sys/fs/cgroup$own/cgroup.subtree_control"
		jq --arg path "$own/box" ".linux.cgroupsPath = \$path" config.json >config.new
		mv config.new config.json
		$moss run -d "$ID" >out 2>&1
		until grep -q divided out; do sleep 0.1; done
		$moss exec -d --pid-file pid.1 "$ID" sleep 1000'
	[[ "$(cgroup_of "$(pid_of)")" == */"$unit/box/own" ]]
	[ "$(cgroup_of "$(cat pid.1)")" = "$(cgroup_of "$(pid_of)")" ]
	moss delete --force "$ID"
	dead "$(cat pid.1)"
}

# Seen failing without: clone_attached(); cgroup_refused, and with --degrade=warn ignored.
@test "user: exec from a login session into a container of a scope lands there by systemd; without a bus it is an error, and --degrade=warn goes on" {
	[ "$VM_PART" = session ] || skip "from within a delegation: the tests above"
	unit=$ID.scope
	program sleep 1000
	scope --unit="$unit" "$MOSS" --root "$ROOT" run -d "$ID" </dev/null >out 2>&1 || { cat out && false; }
	pid=$(pid_of)
	path=$(cgroup_of "$pid")
	[[ "$path" == */"$unit/moss-$ID" ]]
	moss exec -d --pid-file pid "$ID" sleep 1000
	[ "$(cgroup_of "$(cat pid)")" = "$path" ]
	kill -KILL "$(cat pid)"
	bus=/run/user/$(id -u)/bus
	mv "$bus" "$bus.away"
	run --separate-stderr moss exec "$ID" echo ran
	moss --degrade=warn exec -d --pid-file pid "$ID" sleep 1000 </dev/null >/dev/null 2>&1
	mv "$bus.away" "$bus"
	show
	[ "$status" -eq 255 ]
	[ -z "$output" ]
	[[ "$stderr" == *"/$unit/moss-$ID"*"ermission denied"*"$bus"*"--degrade=warn"* ]]
	[ "$(cgroup_of "$(cat pid)")" = "$(cgroup_of $$)" ]
	[ "$(readlink "/proc/$(cat pid)/ns/pid")" = "$(readlink "/proc/$pid/ns/pid")" ]
	moss delete --force "$ID"
	dead "$(cat pid)"
}

# The kernel refuses first, when the binary is sealed already, and then the helper is looked for. Seen failing without: helper_know_own().
@test "user: exec from a login session with a moss of the user's own finds the helper beside it" {
	[ "$VM_PART" = pcuser ] || skip "a binary that the container could write takes a kernel with CONFIG_CHECKPOINT_RESTORE"
	unit=$ID.scope
	program sleep 1000
	cp "$MOSS" "$(dirname "$MOSS")/moss-scope" .
	scope --unit="$unit" ./moss --root "$ROOT" run -d "$ID" </dev/null >out 2>&1 || { cat out && false; }
	./moss --root "$ROOT" exec -d --pid-file pid "$ID" sleep 1000
	[ "$(cgroup_of "$(cat pid)")" = "$(cgroup_of "$(pid_of)")" ]
	[[ "$(cgroup_of "$(cat pid)")" == */"$unit/moss-$ID" ]]
	moss delete --force "$ID"
	dead "$(cat pid)"
}
