#!/usr/bin/env bats
# namespaces.bats - each namespace new, inherited or joined by path, and mixtures.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

links='for i in cgroup ipc mnt net pid uts user; do echo "$i $(readlink /proc/self/ns/$i)"; done'
# ns_of TYPE: its id in $output.
ns_of() { awk -v type="$1" '$1 == type { print $2 }' <<<"$output"; }
# add_ns TYPE [PATH] / drop_ns TYPE: change config.json.
add_ns() {
	config '.linux.namespaces |= (map(select(.type != $t)) + [{type: $t} + if $p == "" then {} else {path: $p} end])' \
		--arg t "$1" --arg p "${2-}"
}
drop_ns() { config '.linux.namespaces |= map(select(.type != $t))' --arg t "$1"; }

@test "namespaces: those of moss spec are new, the others are the caller's" {
	container "$links"
	[ "$status" -eq 0 ]
	for type in ipc mnt pid uts; do
		[ "$(ns_of "$type")" != "$(readlink "/proc/self/ns/$type")" ]
	done
	if is_root; then new=net same=user; else new=user same=net; fi
	[ "$(ns_of "$new")" != "$(readlink "/proc/self/ns/$new")" ]
	[ "$(ns_of "$same")" = "$(readlink "/proc/self/ns/$same")" ]
}

@test "namespaces: a new network namespace has lo, up, and nothing else" {
	add_ns network
	container 'ip -o link; ip -o addr show lo; ping -c 1 -w 2 127.0.0.1 >/dev/null 2>&1; cat /proc/net/dev'
	[ "$(grep -c ': lo:' <<<"${lines[0]}")" -eq 1 ]
	[[ "${lines[0]}" == *UP* ]]
	[[ "$output" == *127.0.0.1/8* ]]
	[ "$(grep -c '^ *[a-z0-9]*:.*' <<<"$(grep -E '^ *(lo|eth|wl|en)[a-z0-9]*:' <<<"$output")")" -eq 1 ]
}

@test "namespaces: a new cgroup namespace" {
	add_ns cgroup
	container "$links"
	[ "$status" -eq 0 ]
	[ "$(ns_of cgroup)" != "$(readlink /proc/self/ns/cgroup)" ]
}

@test "namespaces: omitted ones are inherited" {
	drop_ns uts
	drop_ns ipc
	config 'del(.hostname) | .mounts |= map(select(.type != "mqueue"))'
	container "$links; hostname"
	[ "$status" -eq 0 ]
	[ "$(ns_of uts)" = "$(readlink /proc/self/ns/uts)" ]
	[ "$(ns_of ipc)" = "$(readlink /proc/self/ns/ipc)" ]
	[ "${lines[-1]}" = "$(uname -n)" ]
}

@test "namespaces: without an own pid namespace" {
	need_root "a user can't mount /proc without an own pid namespace"
	drop_ns pid
	container "$links; echo \$\$"
	[ "$status" -eq 0 ]
	[ "$(ns_of pid)" = "$(readlink /proc/self/ns/pid)" ]
	[ "${lines[-1]}" -gt 1 ]
}

@test "namespaces: a network namespace joined by path, the others new" {
	need_root "a network namespace of the host's"
	unshare -n sleep 60 3>&- 4>&- &
	holder=$!
	eventually eval '[ "$(readlink "/proc/$holder/ns/net")" != "$(readlink /proc/self/ns/net)" ]'
	expected=$(readlink "/proc/$holder/ns/net")
	add_ns network "/proc/$holder/ns/net"
	container "$links"
	kill "$holder"
	[ "$status" -eq 0 ]
	[ "$(ns_of net)" = "$expected" ]
	for type in ipc mnt pid uts; do
		[ "$(ns_of "$type")" != "$(readlink "/proc/self/ns/$type")" ]
	done
}

@test "namespaces: network, ipc and user namespace of another container, the others new" {
	add_ns network
	program sleep 60
	apart run -d "$ID"
	wait_for running
	other=$(pid_of)
	for type in net ipc user; do expected="${expected-} $(readlink "/proc/$other/ns/$type")"; done
	add_ns network "/proc/$other/ns/net"
	add_ns ipc "/proc/$other/ns/ipc"
	if ! is_root; then
		add_ns user "/proc/$other/ns/user"
		config 'del(.linux.uidMappings, .linux.gidMappings)'
	fi
	program sh -c "$links; hostname"
	run moss run "$ID-2"
	show
	[ "$status" -eq 0 ]
	[ " $(ns_of net) $(ns_of ipc) $(ns_of user)" = "$expected" ]
	[ "$(ns_of mnt)" != "$(readlink "/proc/$other/ns/mnt")" ]
	[ "$(ns_of pid)" != "$(readlink "/proc/$other/ns/pid")" ]
	[ "$(ns_of uts)" != "$(readlink "/proc/$other/ns/uts")" ]
}

@test "namespaces: a pid namespace joined by path" {
	program sleep 60
	apart run -d "$ID"
	wait_for running
	other=$(pid_of)
	expected=$(readlink "/proc/$other/ns/pid")
	add_ns pid "/proc/$other/ns/pid"
	if ! is_root; then
		add_ns user "/proc/$other/ns/user"
		config 'del(.linux.uidMappings, .linux.gidMappings)'
	fi
	program sh -c "$links; ps | grep -c '[s]leep 60'"
	run moss run "$ID-2"
	show
	[ "$status" -eq 0 ]
	[ "$(ns_of pid)" = "$expected" ]
	[ "${lines[-1]}" -ge 1 ]
	[ "$(status_of)" = running ]
}

@test "namespaces: a path of the wrong type, or missing, is refused and named" {
	for path in /proc/self/ns/uts /no/such/ns /etc/passwd; do
		add_ns ipc "$path"
		container true
		[ "$status" -eq 1 ]
		[[ "$stderr" == *"$path"* ]]
	done
}

@test "namespaces: a duplicate and an unknown type are refused" {
	config '.linux.namespaces += [{type: "ipc"}]'
	container true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *ipc* ]]
	config '.linux.namespaces |= (unique + [{type: "colour"}])'
	container true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *colour* ]]
}

@test "namespaces: one id is mapped exactly as config.json says" {
	need_user "root's moss spec has no user namespace"
	container 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups'
	[ "$(xargs <<<"$output")" = "0 $(id -u) 1 0 $(id -g) 1 deny" ]
}

@test "namespaces: many ids are mapped exactly as config.json says" {
	many_ids
	container 'cat /proc/self/uid_map /proc/self/gid_map; stat -c %u /bin/sh; id -u'
	[ "$status" -eq 0 ]
	[ "$(head -n "$(jq '.linux.uidMappings | length' config.json)" <<<"$output" | xargs)" = \
		"$(jq -r '.linux.uidMappings[] | "\(.containerID) \(.hostID) \(.size)"' config.json | xargs)" ]
	[ "${lines[-1]}" = 0 ]
}

@test "namespaces: with many ids a file of another id gets the mapped owner on the host" {
	many_ids
	config '.process.capabilities |= map_values(. + ["CAP_CHOWN"])
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	program sh -c 'touch /tmp/f && chown 5:7 /tmp/f && sleep 60'
	apart run -d "$ID"
	wait_for running
	pid=$(pid_of)
	first=$(jq '[.linux.uidMappings[] | select(.containerID <= 5 and .containerID + .size > 5)
		| .hostID + 5 - .containerID][0]' config.json)
	eventually eval '[ -n "$(stat -c %u "/proc/$pid/root/tmp/f" 2>/dev/null || cat out)" ]' || true
	[ "$(stat -c %u "/proc/$pid/root/tmp/f")" = "$first" ] || {
		is_root && false
		# A user can't look through /proc/PID/root of a program that is not dumpable for it.
		[ "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" = "$(id -u)" ]
	}
}

@test "namespaces: a range that /etc/subuid does not allow is refused and named" {
	need_user "root needs no subordinate ids"
	need_command newuidmap
	config '.linux.uidMappings += [{containerID: 1, hostID: 4000000000, size: 10}]'
	container true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *4000000000* || "$stderr" == *subuid* ]]
}

@test "namespaces: root with a user namespace maps the container's root to another id" {
	need_root "mapping ids that are not mine"
	many_ids
	program sleep 60
	apart run -d "$ID"
	wait_for running
	pid=$(pid_of)
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" = 100000 ]
	[ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ]
}

# join_own: a container that sleeps, $other its first process; config.json joins its pid and user namespace.
join_own() {
	is_root && many_ids
	program sleep 60
	apart run -d "$ID"
	wait_for running
	other=$(pid_of)
	add_ns pid "/proc/$other/ns/pid"
	add_ns user "/proc/$other/ns/user"
	config 'del(.linux.uidMappings, .linux.gidMappings)'
}

# The joining process and the child it makes both have something to say; who is first changes from run to run.
@test "namespaces: joining pid and user namespace of another container works every time" {
	join_own
	program sh -c "$links"
	for i in $(seq 30); do
		run moss run "$ID-2"
		[ "$status" -eq 0 ] || { echo "run $i" && show && false; }
		[ "$(ns_of pid) $(ns_of user)" = "$(readlink "/proc/$other/ns/pid") $(readlink "/proc/$other/ns/user")" ]
	done
	no_process_of() { [ "$(pgrep -c --ns "$other" --nslist pid)" -le 1 ]; }
	eventually no_process_of
}

# Seen failing without: the value written before the namespaces are joined (prepare_child).
@test "namespaces: oomScoreAdj with a joined user namespace works every time" {
	join_own
	now=$(cat /proc/self/oom_score_adj)
	config '.process.oomScoreAdj = $n' --argjson n "$((now + 100))"
	program cat /proc/self/oom_score_adj
	for i in $(seq 20); do
		run moss run "$ID-2"
		[ "$status" -eq 0 ] || { echo "run $i" && show && false; }
		[ "$output" = "$((now + 100))" ]
	done
	[ "$(cat /proc/self/oom_score_adj)" = "$now" ]
}
