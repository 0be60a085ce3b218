#!/usr/bin/env bats
# limits_events.bats - `events` where there are controllers.
# parts: root scope
load vm.bash
setup() {
	e2e_setup
	limits_base
}
teardown() { e2e_teardown; }

# Seen failing without: print_oom() in stream().
@test "events: numbers of memory, processes and block devices; an oom event when a program is killed for its memory" {
	program sh -c 'head -c 20m /dev/zero >/dev/shm/full; until [ -e /go ]; do sleep 0.1; done; tail /dev/zero; exec sleep 60'
	config '.root.readonly = false
		| .linux.resources += {memory: {limit: 52428800, swap: 52428800}, pids: {limit: 42}, cpu: {quota: 90000}}'
	apart run -d "$ID"
	eventually eval '[ "$(moss events --stats "$ID" | jq .data.memory.usage.usage)" -gt 20971520 ]'
	output=$(moss events --stats "$ID")
	echo "$output"
	jq -e '.data | .memory.usage.limit == 52428800 and .memory.usage.max >= .memory.usage.usage and .memory.raw.shmem >= 20971520
		and .memory.cache == .memory.raw.file and .memory.swap.limit == 52428800
		and .pids.limit == 42 and .pids.current >= 1 and .cpu.throttling.periods >= 0 and .cpu.usage.total > 0' <<<"$output"
	moss events --interval 1h "$ID" >lines 2>&1 </dev/null 3>&- &
	job=$!
	eventually eval '[ "$(wc -l <lines)" -eq 1 ]'
	touch rootfs/go
	eventually grep -q oom lines # long before the interval is over
	[ "$(status_of)" = running ]
	moss delete --force "$ID"
	wait "$job"
	cat lines
	[ "$(jq -c . lines | tail -n +2)" = "{\"type\":\"oom\",\"id\":\"$ID\"}" ]
}
