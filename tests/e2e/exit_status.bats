#!/usr/bin/env bats
# exit_status.bats - what moss hands back to its caller, and what reaches stdout and stderr.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "run: exits with the status of the program" {
	container 'exit 7'
	[ "$status" -eq 7 ]
	container 'exit 0'
	[ "$status" -eq 0 ]
	container 'exit 255'
	[ "$status" -eq 255 ]
}

@test "run: a program killed by signal N gives 128+N" {
	program sleep 60
	background run "$ID"
	wait_for running
	moss kill "$ID" KILL
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 137 ]
	eventually [ ! -e "$ROOT/$ID" ]
}

@test "run: stdin, stdout and stderr pass through unchanged, and moss adds nothing" {
	program sh -c 'tr a-z A-Z; echo problem >&2; exit 3'
	status=0
	printf 'line one\nline two' | moss run "$ID" >out 2>err || status=$?
	[ "$status" -eq 3 ]
	[ "$(cat out)" = "$(printf 'LINE ONE\nLINE TWO')" ]
	[ "$(cat err)" = problem ]
}

@test "run: a megabyte through pipes arrives whole" {
	program cat
	head -c 1048576 /dev/urandom >in
	moss run "$ID" <in >copy
	cmp in copy
}

@test "successful commands write nothing to stderr" {
	program sleep 60
	apart create "$ID"
	[ ! -s out ]
	apart start "$ID"
	[ ! -s out ]
	moss state "$ID" 2>err >/dev/null
	moss list 2>>err >/dev/null
	apart kill "$ID" KILL
	[ ! -s out ]
	wait_for stopped
	apart delete "$ID"
	cat err out
	[ ! -s out ]
	[ ! -s err ]
}

@test "a failure is told once, on stderr, with exit status 1" {
	program /no/such/program
	run --separate-stderr moss run "$ID"
	show
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ "$(grep -c /no/such/program <<<"$stderr")" -eq 1 ]
	[[ "$stderr" == *"no such file or directory"* ]] # docker's client compares the case
}

@test "a failed run or create leaves no container behind" {
	program /no/such/program
	run moss run "$ID"
	[ "$status" -eq 1 ]
	attempt create "$ID"
	[ "$status" -eq 1 ]
	run moss list --quiet
	[ -z "$output" ]
	run moss state "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"container does not exist"* ]]
}

@test "start of a program that vanished after create gives 255" {
	config '.root.readonly = false'
	rm rootfs/bin/usleep && cp rootfs/bin/busybox rootfs/usleep
	program /usleep 1
	apart create "$ID"
	rm rootfs/usleep
	moss start "$ID" || true
	wait_for stopped
	moss delete "$ID"
	cp rootfs/bin/busybox rootfs/usleep
	printf '#!/no/interpreter\n' >rootfs/usleep
	chmod +x rootfs/usleep
	apart run "$ID" || status=$?
	cat out
	# The kernel's answer after start gives 255; a moss that looks at create names the interpreter.
	[ "${status:-0}" -eq 255 ] || { [ "${status:-0}" -eq 1 ] && grep -q /no/interpreter out; }
}
