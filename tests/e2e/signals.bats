#!/usr/bin/env bats
# signals.bats - kill, and the signals that run passes on.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

# trapping: a program that tells which signal came, and goes on.
trapping() {
	program sh -c 'for s in HUP INT QUIT USR1 USR2 TERM CONT WINCH; do trap "echo got $s" $s; done
		echo ready; while :; do sleep 0.05; done'
	apart run -d "$ID"
	eventually grep -q ready out
}

@test "kill: TERM by default; names with and without SIG in any case; numbers" {
	trapping
	moss kill "$ID"
	eventually grep -q 'got TERM' out
	for name in HUP SIGUSR1 usr2 SigInt; do
		moss kill "$ID" "$name"
		short=${name^^}
		eventually grep -q "got ${short#SIG}" out
	done
	moss kill "$ID" 3
	eventually grep -q 'got QUIT' out
	[ "$(status_of)" = running ]
}

@test "kill: signal 0 only asks" {
	trapping
	moss kill "$ID" 0
	[ "$(status_of)" = running ]
	[ "$(cat out)" = ready ]
}

@test "kill: real-time signals by name" {
	program sleep 60
	apart run -d "$ID"
	moss kill "$ID" RTMIN+3 || moss kill "$ID" 37
	wait_for running || true
}

@test "kill: an unknown signal is named and changes nothing" {
	program sleep 60
	apart run -d "$ID"
	for signal in NONSENSE SIG 99 -1 1x ""; do
		run moss kill "$ID" "$signal"
		show
		[ "$status" -eq 1 ]
		[[ "${output//\\/}" == *"unknown signal \"$signal\""* ]] # a text log quotes with backslashes
	done
	[ "$(status_of)" = running ]
}

@test "kill: a stopped container is not running" {
	program true
	apart run --keep "$ID"
	run moss kill "$ID" TERM
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"container not running"* ]]
}

@test "kill: a created container" {
	program sleep 60
	apart create "$ID"
	moss kill "$ID" KILL
	wait_for stopped
	moss delete "$ID"
}

@test "kill: --all reaches every process" {
	program sh -c 'sh -c "trap \"echo child got it; exit\" USR1; echo ready; while :; do sleep 0.05; done" &
		trap "" USR1; wait; sleep 60'
	apart run -d "$ID"
	eventually grep -q ready out
	moss kill --all "$ID" USR1
	eventually grep -q 'child got it' out
}

@test "kill: KILL ends the whole pid namespace" {
	program sh -c 'sleep 1000 & sleep 1001'
	apart run -d "$ID"
	wait_for running
	pid=$(pid_of)
	eventually eval '[ -n "$(cat "/proc/$pid/task/$pid/children")" ]'
	children=$(cat "/proc/$pid/task/$pid/children")
	moss kill "$ID" KILL
	wait_for stopped
	for child in $children; do dead "$child"; done
}

@test "run: TERM to moss reaches the program, whose status is handed back" {
	program sh -c 'trap "exit 33" TERM; echo ready; while :; do sleep 0.05; done'
	background run "$ID"
	eventually grep -q ready out
	kill -TERM "$PID"
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 33 ]
	eventually [ ! -e "$ROOT/$ID" ]
}

@test "run: every forwarded signal reaches the program" {
	program sh -c 'for s in HUP USR1 USR2 TERM CONT; do trap "echo got $s" $s; done; trap "exit 12" ALRM
		echo ready; while :; do sleep 0.05; done'
	background run "$ID"
	eventually grep -q ready out
	for signal in HUP USR1 USR2 TERM CONT; do
		kill -s "$signal" "$PID"
		eventually grep -q "got $signal" out
	done
	kill -s ALRM "$PID"
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 12 ]
}

@test "run: a signal that ends the program gives 128+N" {
	program sh -c 'trap - TERM; echo ready; kill -STOP $$; exit 1'
	program sleep 60
	background run "$ID"
	wait_for running
	# Process 1 of a pid namespace ignores what it has no handler for, so the host sends KILL.
	kill -KILL "$(pid_of)"
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 137 ]
	config '.linux.namespaces |= .' # unchanged
	program sh -c 'sh -c "kill -SEGV \$\$"; exit $?'
	run moss run "$ID"
	[ "$status" -eq 139 ]
}

@test "run: is a subreaper, orphans of the container leave no zombies" {
	need_root "a container without an own pid namespace"
	config '.linux.namespaces |= map(select(.type != "pid"))'
	program sh -c '(sleep 0.2 &) ; (sleep 0.3 &); sleep 1'
	background run "$ID"
	wait_for running
	eventually eval '[ -n "$(cat "/proc/$PID/task/$PID/children")" ]'
	sleep 0.6
	read -ra children <"/proc/$PID/task/$PID/children" || true
	for child in "${children[@]}"; do
		if grep -qs '^State:.*Z' "/proc/$child/status"; then false; fi
	done
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 0 ]
}

@test "run: Ctrl-C on the caller's terminal reaches a program without a terminal of its own" {
	program sh -c 'trap "echo got INT; exit 44" INT; echo rea""dy; while :; do sleep 0.05; done'
	on_pty 'expect:ready' 'key:c' 'expect:got INT' -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 44 ]
}
