#!/usr/bin/env bats
# events.bats - what a container uses, as JSON lines. Its limits and its end for want of memory are in tests/vm.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "events: a stopped container, one without a cgroup, a bad interval: refused" {
	program true
	apart run -d "$ID"
	wait_for stopped
	attempt events --stats "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$ID: container not running"* ]]
	for interval in 0s -1s 5 5x s "" 25h 1.2.3s 9999999999999999s; do
		attempt events --interval "$interval" "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"--interval: "*"not a duration"* ]]
	done
	moss delete "$ID"
	program sleep 60
	apart --cgroup-manager disabled run -d "$ID"
	attempt events --stats "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"no cgroup of its own"* ]]
}

@test "events: --stats is one line with what the kernel counts" {
	need_v2
	program sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; exec sleep 60'
	moss_v2 run -d "$ID" </dev/null >out 2>&1
	eventually eval '[ "$(moss_v2 events --stats "$ID" | jq .data.cpu.usage.user)" -gt 10000000 ]'
	output=$(moss_v2 events --stats "$ID")
	echo "$output"
	[ "$(wc -l <<<"$output")" -eq 1 ]
	jq -e --arg id "$ID" '.type == "stats" and .id == $id and (.data | has("memory") and has("pids") and has("blkio")
		and has("hugetlb")) and (.data.cpu.usage | .total >= .user + .kernel - 2000 and .total > 0)' <<<"$output"
	used=$(in_v2 awk '$1 == "user_usec" { print $2 }' "/sys/fs/cgroup/moss/$ID/cpu.stat")
	[ "$(jq ".data.cpu.usage.user / 1000 - $used | fabs < 200000" <<<"$output")" = true ]
	moss_v2 delete --force "$ID"
}

@test "events: a line at each interval, and its end with the container's" {
	need_v2
	program sleep 60
	moss_v2 run -d "$ID" </dev/null >out 2>&1
	moss_v2 events --interval 200ms "$ID" >lines 2>&1 </dev/null &
	job=$!
	eventually eval '[ "$(wc -l <lines)" -ge 4 ]'
	moss kill "$ID" KILL
	status=0
	wait "$job" || status=$?
	cat lines
	[ "$status" -eq 0 ]
	[ "$(jq -r .type lines | sort -u)" = stats ]
	moss_v2 delete --force "$ID"
}

@test "events: when nobody reads any more it ends" {
	need_v2
	program sleep 60
	moss_v2 run -d "$ID" </dev/null >out 2>&1
	moss_v2 events --interval 50ms "$ID" 2>/dev/null | head -n 2 >lines
	[ "$(wc -l <lines)" -eq 2 ]
	moss_v2 delete --force "$ID"
}
