#!/usr/bin/env bats
# update.bats - other limits for a running container: what is refused, and all or nothing.
# What a limit then does is in tests/vm, where there are controllers.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

# need_hugetlb: the one controller that a hybrid host has in version 2.
need_hugetlb() {
	need_v2
	grep -qw hugetlb <<<"$(in_v2 cat /sys/fs/cgroup/cgroup.controllers)" || skip "no hugetlb controller in version 2"
	config '.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 4194304}]} | .linux.cgroupsPath = $p' --arg p "/$ID"
	program sleep 60
	moss_v2 run -d "$ID" </dev/null >out 2>&1
}
huge() { in_v2 cat "/sys/fs/cgroup/$ID/hugetlb.2MB.max"; }

@test "update: a stopped container, a missing one, words that are no numbers: refused" {
	program true
	apart run -d "$ID"
	wait_for stopped
	attempt update --pids-limit 5 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$ID: cannot update a stopped container: container not running"* ]]
	attempt update --pids-limit 5 "$ID-none"
	[[ "$output" == *"does not exist"* ]]
	moss delete "$ID"
	program sleep 60
	apart run -d "$ID"
	before=$(cat "$ROOT/$ID/state.json")
	while read -r option value words; do
		attempt update "--$option" "$value" "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"$option"*"$words"* ]]
		[ "$(cat "$ROOT/$ID/state.json")" = "$before" ]
	done <<-'END'
		pids-limit many is not a number
		pids-limit 9223372036854775808 is not a number
		cpu-share -1 is not a number
		memory 5x is not a number of bytes
		memory 9223372036854775807k is not a number of bytes
		memory -2 is not a number of bytes
		memory "" is not a number of bytes
		cpu-period 1.5 is not a number
	END
	attempt update --memory-swap 5 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"linux: resources: memory: swap"*"needs one of memory"* ]]
	attempt update --cpu-rt-runtime 5 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"cpu: realtimeRuntime"*"only cgroup v1"* ]]
	[ "$(cat "$ROOT/$ID/state.json")" = "$before" ]
	moss update "$ID" # nothing is asked for
}

# Seen failing without: cgroup_limit_check() in cgroup_limits_replace().
@test "update: a limit that can't be had is an error, and nothing is recorded; --degrade=warn records it" {
	no_pids
	program sleep 60
	apart run -d "$ID"
	before=$(cat "$ROOT/$ID/state.json")
	attempt update --pids-limit 5 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"linux: resources: pids: limit: the controller pids "* ]]
	[ "$(cat "$ROOT/$ID/state.json")" = "$before" ]
	moss update --pids-limit -1 "$ID" # what it has anyway
	attempt --degrade=warn --log log update --pids-limit 5 "$ID"
	[ "$status" -eq 0 ]
	grep -q 'level=warning.*pids: limit: not enforced' log
	jq -e '.resources.pids.limit == 5 and (.notes | any(test("pids: limit: not enforced")))' "$ROOT/$ID/state.json"
	count=$(jq '.notes | length' "$ROOT/$ID/state.json")
	moss --degrade=warn --log log update --pids-limit 5 "$ID"
	[ "$(jq '.notes | length' "$ROOT/$ID/state.json")" -eq "$count" ] # seen failing without: the loop in note_missed()
}

@test "update: --resources takes a file or stdin; bad ones are refused" {
	need_hugetlb
	echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 8388608}]}' >new.json
	moss_v2 update --resources new.json "$ID"
	[ "$(huge)" = 8388608 ]
	jq -e '.resources.hugepageLimits[0].limit == 8388608' "$ROOT/$ID/state.json"
	# the other options are ignored; what comes late is waited for
	(sleep 0.5 && echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}') | moss_v2 update -r - --pids-limit 7 "$ID"
	[ "$(huge)" = 2097152 ]
	for bad in '' '[]' '{' '{"pids": 5}' '{} {}' '{"hugepageLimits": [{"pageSize": "2", "limit": 1}]}'; do
		status=0
		moss_v2 update -r - "$ID" <<<"$bad" >out 2>&1 || status=$?
		cat out
		[ "$status" -eq 1 ]
	done
	attempt_v2 update -r none.json "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *none.json* ]]
	attempt_v2 update -r - "$ID" # stdin is empty
	[ "$status" -eq 1 ]
	[ "$(huge)" = 2097152 ]
	moss_v2 delete --force "$ID"
}

# Seen failing without: the limits of json_parse() in apply().
@test "update: what state.json could not hold is refused, and the container stays as it is" {
	program sleep 60
	config '.linux.resources = {pids: {more: (reduce range(14) as $i (1; [.]))}}'
	apart run -d "$ID"
	attempt --degrade=warn update --cpu-share 1024 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"record linux.resources"* ]]
	[ "$(status_of)" = running ]
}

# Seen failing without: set_devices(), and its second call in set_all().
@test "update: a list of devices takes the place of the old one at once, or not at all" {
	need_v2
	(: </dev/net/tun) 2>/dev/null || skip "there is no tun device"
	config '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"] | .value |= unique)
		| .linux.cgroupsPath = $p | .linux.resources.devices = [{allow: false, access: "rwm"}]' --arg p "/$ID"
	program sleep 60
	moss_v2 run -d "$ID" </dev/null >out 2>&1
	# opens: what a program of the container says of the device, and of /dev/null.
	opens() { moss_v2 exec "$ID" sh -c '[ -e /dev/tun1 ] || mknod /dev/tun1 c 10 200; (: </dev/tun1) && echo opened; echo x >/dev/null && echo null' 2>&1 || true; }
	[[ "$(opens)" == *"Operation not permitted"*null ]]
	moss_v2 update -r - "$ID" <<<'{"devices": [{"allow": true, "type": "c", "major": 10, "minor": 200, "access": "r"}]}'
	[ "$(opens)" = $'opened\nnull' ]
	jq -e '.resources.devices | length == 1' "$ROOT/$ID/state.json"
	status=0
	moss_v2 update -r - "$ID" <<<'{"devices": [], "unified": {"nothing.max": "1"}}' || status=$?
	[ "$status" -eq 1 ]
	[ "$(opens)" = $'opened\nnull' ]
	moss_v2 update -r - "$ID" <<<'{"devices": []}'
	[[ "$(opens)" == *"Operation not permitted"*null ]]
	moss_v2 update -r - "$ID" <<<'{"devices": []}'
	moss_v2 delete --force "$ID"
}

# Seen failing without: give_to_owner() of io.c.
@test "update: by root, of another user's container: state.json stays that user's" {
	need_root "another user's container"
	config '.process.user = {uid: 54321, gid: 54321}'
	program sleep 60
	moss run -d "$ID" </dev/null >out 2>&1
	wait_for running
	chown -R 54321:54321 "$ROOT"
	moss update --resources - "$ID" <<<'{}'
	jq -e 'has("resources")' "$ROOT/$ID/state.json"
	[ "$(stat -c '%u %g %a' "$ROOT/$ID/state.json")" = "54321 54321 600" ]
}

# Seen failing without: put_back(); state_forget().
@test "update: all or nothing: what the kernel has taken before the refusal is put back" {
	need_hugetlb
	before=$(cat "$ROOT/$ID/state.json")
	status=0
	output=$(moss_v2 update -r - "$ID" 2>&1 <<-'END'
		{"hugepageLimits": [{"pageSize": "2MB", "limit": 8388608}], "unified": {"hugetlb.2MB.rsvd.max": "8388608", "hugetlb.2MB.max": "x"}}
	END
	) || status=$?
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"unified: hugetlb.2MB.max: write "*"Invalid argument"* ]]
	[ "$(huge)" = 4194304 ]
	[ "$(in_v2 cat "/sys/fs/cgroup/$ID/hugetlb.2MB.rsvd.max")" = 4194304 ]
	[ "$(cat "$ROOT/$ID/state.json")" = "$before" ]
	[ -z "$(find "$ROOT/$ID" -name '.state.json*')" ]
	moss_v2 delete --force "$ID"
}
