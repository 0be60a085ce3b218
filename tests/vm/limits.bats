#!/usr/bin/env bats
# limits.bats - linux.resources where there are controllers: each limit in its file, and a program that runs into it.
# parts: root scope
load vm.bash
setup() {
	e2e_setup
	limits_base
}
teardown() { e2e_teardown; }

# limits JSON: what linux.resources holds, besides the device list.
limits() { config '.linux.resources = $r + {devices: .linux.resources.devices}' --argjson r "$1"; }

# own: the container's cgroup as a directory.
own() { echo "/sys/fs/cgroup$(cgroup_of "$(pid_of)")"; }

# nothing_left: neither a container nor a cgroup of this test.
nothing_left() {
	[ ! -e "$ROOT/$ID" ]
	[ -z "$(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null)" ]
}

# Seen failing without: launch_cgroup_set_limits().
@test "limits: each is in its file of the cgroup, and without linux.resources they are the kernel's" {
	program sleep 60
	limits '{"memory": {"limit": 104857600, "reservation": 52428800, "swap": 209715200},
		"cpu": {"shares": 512, "quota": 50000, "period": 200000, "burst": 10000},
		"pids": {"limit": 42}, "unified": {"memory.high": "83886080", "pids.max": "41"}}'
	apart run -d "$ID"
	[[ "$(cgroup_of "$(pid_of)")" = "$base/"*"$ID" ]]
	in_file memory.max 104857600
	in_file memory.low 52428800
	in_file memory.swap.max 104857600
	in_file memory.high 83886080
	in_file cpu.weight 59
	in_file cpu.max "50000 200000"
	in_file cpu.max.burst 10000
	in_file pids.max 41 # unified has the last word
	moss delete --force "$ID"
	limits '{"cpu": {"idle": 1, "period": 50000}, "memory": {"limit": -1}, "pids": {"limit": -1}}'
	apart run -d "$ID"
	in_file cpu.idle 1
	in_file cpu.max "max 50000"
	moss delete --force "$ID"
	nothing_left
}

# Seen failing without: launch_cgroup_set_limits().
@test "limits: memory: a program that takes more is killed: exit status 137" {
	container 'head -c 40m /dev/zero | tail | wc -c'
	[ "$output" = 41943040 ]
	limits '{"memory": {"limit": 20971520, "swap": 20971520}}'
	program sh -c 'head -c 40m /dev/zero | tail | wc -c; exec tail /dev/zero'
	run moss run "$ID"
	show
	[ "$status" -eq 137 ]
	[[ "$output" != *41943040* ]]
	nothing_left
}

@test "limits: memory: 512 KiB are enough for a small program" {
	limits '{"memory": {"limit": 524288}}'
	program sleep 60
	apart run -d "$ID"
	wait_for running
	[ "$(cat "$(own)/memory.max")" = 524288 ]
	moss exec "$ID" true
	moss delete --force "$ID"
	nothing_left
}

# Seen failing without: launch_cgroup_set_limits().
@test "limits: pids: fork is refused at the limit" {
	local code='i=0; while [ $i -lt 6 ]; do (exec sleep 5) & i=$((i + 1)); echo $i; done'
	container "$code"
	[ "${lines[5]}" = 6 ]
	[ -z "$stderr" ]
	limits '{"pids": {"limit": 4}}'
	container "$code"
	[[ "$stderr" == *"fork"* ]]
	[ "$(tail -n 1 <<<"$output")" -lt 4 ]
}

# Seen failing without: launch_cgroup_set_limits().
@test "limits: cpu: a quota of a tenth is what a busy program gets" {
	limits '{"cpu": {"quota": 10000, "period": 100000}}'
	program sh -c 'while :; do :; done'
	apart run -d "$ID"
	directory=$(own)
	before=$(awk '$1 == "usage_usec" { print $2 }' "$directory/cpu.stat") start=$(date +%s%N)
	sleep 3
	used=$(($(awk '$1 == "usage_usec" { print $2 }' "$directory/cpu.stat") - before))
	passed=$((($(date +%s%N) - start) / 1000))
	echo "$used of $passed us"
	[ "$used" -lt $((passed / 5)) ]
	[ "$(awk '$1 == "nr_throttled" { print $2 }' "$directory/cpu.stat")" -gt 0 ]
	moss delete --force "$ID"
}

@test "limits: io: rates of a device are in io.max" {
	numbers=$(cat "/sys/class/block/$(basename "$(findmnt -no SOURCE /)")/dev")
	limits "$(jq -n --arg n "$numbers" '($n | split(":") | map(tonumber)) as [$major, $minor]
		| {major: $major, minor: $minor} as $device | {blockIO: {
		throttleReadBpsDevice: [$device + {rate: 1048576}], throttleWriteBpsDevice: [$device + {rate: 2097152}],
		throttleReadIOPSDevice: [$device + {rate: 100}], throttleWriteIOPSDevice: [$device + {rate: 200}]}}')"
	program sleep 60
	apart run -d "$ID"
	in_file io.max "$numbers rbps=1048576 wbps=2097152 riops=100 wiops=200"
	moss delete --force "$ID"
}

# Seen failing without: cgroup_limit_check() and explain_write(); --degrade=warn without limit_missed().
@test "limits: what the kernel has not or does not take is an error that leaves nothing; --degrade=warn goes on" {
	program echo ran
	while IFS='|' read -r limit words; do
		limits "$limit"
		attempt run "$ID"
		[ "$status" -eq 1 ]
		for word in $words; do [[ "$output" == *"$word"* ]]; done
		[[ "$output" != *ran* ]]
		nothing_left
		rm -f log
		attempt --degrade=warn --log log run "$ID"
		[ "$status" -eq 0 ]
		[ "$output" = ran ]
		grep -q 'level=warning.*not enforced' log
		grep -qF "${words%% *}" log
	done <<-'END'
		{"unified": {"memory.nothing": "1"}}|memory.nothing kernel has no
		{"unified": {"nothing.max": "1"}}|nothing.max controller nothing kernel
		{"cpu": {"cpus": "0"}}|cpus cpuset
		{"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}|hugepageLimits[0] hugetlb
		{"blockIO": {"weight": 100}}|weight io.bfq.weight io.weight
		{"cpu": {"quota": 1}}|quota cpu.max Invalid argument 1000
		{"unified": {"memory.high": "many"}}|memory.high many Invalid argument
		{"blockIO": {"throttleReadBpsDevice": [{"major": 4000, "minor": 5, "rate": 1}]}}|throttleReadBpsDevice[0] device
	END
}

@test "limits: memory for less than the container needs to start: the error says so" {
	limits '{"memory": {"limit": 4096, "swap": 4096}}'
	program true
	attempt run "$ID"
	[ "$status" -ne 0 ]
	[[ "$output" == *"memory: limit"* ]]
	nothing_left
}
