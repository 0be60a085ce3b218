#!/usr/bin/env bats
# limits_update.bats - `update` where there are controllers: each option in its file, and what they do.
# parts: root scope
load vm.bash
setup() {
	e2e_setup
	limits_base
}
teardown() { e2e_teardown; }

@test "update: each option is in its file; a half keeps the other half; state.json has the sum" {
	program sleep 60
	config '.linux.resources += {memory: {limit: 104857600, swap: 209715200}, cpu: {quota: 20000}, pids: {limit: 42}}'
	apart run -d "$ID"
	moss update --memory 64m --memory-reservation 32M --pids-limit 10 "$ID"
	in_file memory.max 67108864
	in_file memory.swap.max 142606336 # of the same sum
	in_file memory.low 33554432
	in_file pids.max 10
	in_file cpu.max "20000 100000"
	moss update --cpu-period 50000 --cpu-share 2048 "$ID"
	in_file cpu.max "20000 50000"
	in_file cpu.weight 174
	moss update --cpu-quota 30000 --cpu-burst 25000 "$ID"
	in_file cpu.max "30000 50000"
	in_file cpu.max.burst 25000
	moss update --cpu-quota 10000 --cpu-burst 5000 "$ID" # smaller: the burst has to go first
	in_file cpu.max "10000 50000"
	in_file cpu.max.burst 5000
	moss update --cpu-idle 1 "$ID"
	in_file cpu.idle 1
	moss update --cpu-idle 0 "$ID"
	in_file cpu.weight 174
	moss update --memory -1 --memory-swap -1 --pids-limit -1 --cpu-quota -1 "$ID"
	in_file memory.max max
	in_file memory.swap.max max
	in_file pids.max max
	in_file cpu.max "max 50000"
	jq -e '.resources | .memory.limit == -1 and .pids.limit == -1 and .cpu.shares == 2048 and .cpu.period == 50000' \
		"$ROOT/$ID/state.json"
	moss pause "$ID"
	moss update --pids-limit 12 "$ID"
	in_file pids.max 12
	moss resume "$ID"
	moss delete --force "$ID"
}

# Seen failing without: put_back(); check_usage().
@test "update: all or nothing; checkBeforeUpdate looks at what is used" {
	program sh -c 'head -c 20m /dev/zero >/dev/shm/full; exec sleep 60'
	config '.linux.resources += {memory: {limit: 104857600, swap: 104857600, checkBeforeUpdate: true}, pids: {limit: 42}}'
	apart run -d "$ID"
	eventually eval '[ "$(cat /sys/fs/cgroup$(cgroup_of "$(pid_of)")/memory.current)" -gt 20971520 ]'
	before=$(cat "$ROOT/$ID/state.json")
	attempt update --memory 10m --memory-swap 10m --pids-limit 7 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"memory: limit"*"used already"* ]]
	in_file memory.max 104857600
	in_file memory.swap.max 0
	in_file pids.max 42
	attempt update --pids-limit 7 --cpu-quota 1 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"cpu: quota"*"Invalid argument"* ]]
	in_file pids.max 42
	[ "$(cat "$ROOT/$ID/state.json")" = "$before" ]
	[ "$(status_of)" = running ]
	moss delete --force "$ID"
}

@test "update: a smaller number of processes holds for those that come" {
	program sh -c 'until [ -e /go ]; do :; done; (exec sleep 5) & echo forked >/out'
	config '.root.readonly = false | .linux.resources += {pids: {limit: 50}}'
	apart run -d "$ID"
	moss update --pids-limit 1 "$ID"
	touch rootfs/go
	wait_for stopped
	[ ! -e rootfs/out ]
}

# Seen failing without: cgroup_limits_put_back() in cgroup_limits_replace().
@test "update: unified and several sections of one file at once; what is not named stays; a key that is none changes nothing" {
	program sleep 60
	config '.linux.resources += {memory: {limit: 104857600}, pids: {limit: 42}, unified: {"memory.high": "83886080"}}'
	apart run -d "$ID"
	echo '{"unified": {"memory.high": "62914560", "pids.max": "30"}, "cpu": {"quota": 30000, "shares": 512}, "memory": {"reservation": 1048576}}' |
		moss update --resources - "$ID"
	in_file memory.high 62914560
	in_file pids.max 30
	in_file cpu.max "30000 100000"
	in_file cpu.weight 59
	in_file memory.low 1048576
	in_file memory.max 104857600
	before=$(cat "$ROOT/$ID/state.json")
	for key in memory.nothing ../pids.max cgroup.freeze; do
		echo "{\"unified\": {\"$key\": \"1\"}, \"pids\": {\"limit\": 3}}" >resources.json
		attempt update --resources resources.json "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"unified"* ]]
	done
	in_file pids.max 30
	[ "$(cat "$ROOT/$ID/state.json")" = "$before" ]
	moss delete --force "$ID"
}
