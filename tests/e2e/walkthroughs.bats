#!/usr/bin/env bats
# walkthroughs.bats - what a user does on the first day, step by step.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "walk-through 1: an interactive shell with job control, resize and Ctrl-C" {
	config '.process.terminal = true'
	program sh
	# The words are split by quotes, so that the echo of the typed line is not the answer.
	# shellcheck disable=SC2016
	on_pty 'send:echo re""ady $0' 'expect:ready sh' \
		'send:test -t 0 && test -t 1 && echo ter""minal' 'expect:terminal' \
		'send:stty size' 'expect:24 80' \
		'resize:33x101' 'sleep:0.5' 'send:stty size' 'expect:33 101' \
		'send:echo slee""ping; sleep 100; echo never""more' 'expect:sleeping' 'sleep:0.3' 'key:c' \
		'send:echo still"" here' 'expect:still here' \
		'send:sleep 100' 'sleep:0.5' 'key:z' 'expect:Stopped' \
		'send:jobs; echo back""ground' 'expect:sleep 100' 'expect:background' \
		'send:kill %1; fg; echo fore""ground' 'expect:foreground' \
		'send:exit 9' \
		-- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 9 ]
	[[ "$output" != *"job control turned off"* ]]
	[[ "$output" != *nevermore* ]]
	run moss list -q
	[ -z "$output" ]
}

@test "walk-through 1: cwd /tmp, and pwd prints /tmp" {
	config '.process.cwd = "/tmp" | .process.terminal = true'
	on_pty 'send:pwd' 'expect:/tmp' 'send:exit' -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 0 ]
	config '.process.terminal = false'
	container pwd
	[ "$output" = /tmp ]
}

@test "walk-through 2: list in another terminal shows the container running" {
	config '.process.terminal = true'
	program sh
	on_pty 'send:echo re""ady' 'expect:ready' \
		"shell:'$MOSS' --root '$ROOT' list >list.out 2>&1; '$MOSS' --root '$ROOT' state '$ID' >state.out" \
		'send:exit' -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 0 ]
	cat list.out
	[ "$(awk 'NR == 1 { print $1, $2, $3, $4, $5, $6 }' list.out)" = "ID PID STATUS BUNDLE CREATED OWNER" ]
	awk -v id="$ID" -v bundle="$PWD" -v me="$(id -un)" -v pid="$(jq .pid state.out)" '
		$1 == id && $2 == pid && pid > 1 && $3 == "running" && $4 == bundle &&
		$5 ~ /^20[0-9-]+T[0-9:.]+Z$/ && $6 == me { found = 1 } END { exit !found }' list.out
}

@test "walk-through 3: create, list, start, list, list, delete" {
	program sleep 2
	apart create "$ID"
	moss list | grep "$ID .*created"
	pid=$(pid_of)
	before=$(readlink "/proc/$pid/exe" || true)
	[[ "$before" != */bin/sleep ]] # moss's own init, waiting
	[[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" != "sleep 2"* ]]
	[ "$(cut -d' ' -f22 "/proc/$pid/stat")" -gt 0 ]
	moss start "$ID"
	moss list | grep "$ID  *$pid  *running"
	eventually grep -qz sleep "/proc/$pid/cmdline" # the same pid, now the user's program
	wait_for stopped
	moss list | grep "$ID  *0  *stopped"
	moss delete "$ID"
	run moss list -q
	[ -z "$output" ]
	dead "$pid"
}

@test "walk-through 4: create with a terminal needs a console socket" {
	config '.process.terminal = true'
	attempt create "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot allocate tty if "*" will detach without setting console socket"* ]]
	run moss state "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"container does not exist"* ]]
}

@test "walk-through 5: run -d, kill, delete, delete -f, run --keep and the same id again" {
	program tail -f /etc/hosts
	apart run -d "$ID"
	wait_for running
	pid=$(pid_of)
	moss kill "$ID" KILL
	wait_for stopped
	dead "$pid"
	moss delete "$ID"

	apart run -d "$ID" # the same id again
	wait_for running
	pid=$(pid_of)
	moss delete -f "$ID"
	eventually dead "$pid"
	run moss state "$ID"
	[ "$status" -eq 1 ]

	program true
	apart run --keep "$ID"
	[ "$(status_of)" = stopped ]
	run moss run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"container with given ID already exists"* ]]
	moss delete "$ID"
	apart run "$ID"
	run moss list -q
	[ -z "$output" ]
}
