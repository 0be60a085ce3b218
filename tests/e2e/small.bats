#!/usr/bin/env bats
# small.bats - little memory, a full disk, what a caller may lack.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "small: an address space of 16 MB is enough for run, exec and delete" {
	program sh -c 'sleep 60'
	# hard and soft, of moss and all that it starts
	(ulimit -v 16384 && exec "$MOSS" --root "$ROOT" run -d "$ID") </dev/null >out 2>&1 3>&- 4>&-
	wait_for running
	[ "$(ulimit -v 16384 && moss exec "$ID" echo here)" = here ]
	(ulimit -v 16384 && exec "$MOSS" --root "$ROOT" delete --force "$ID") 3>&- 4>&-
	no_containers
}

@test "small: wherever the address space ends, nothing is left" {
	program true
	failed=0
	# From where the kernel can't even start it to where all goes well.
	for kib in 1024 1536 $(seq 1800 50 3000); do
		status=0
		(ulimit -v "$kib" && exec "$MOSS" --root "$ROOT" run "$ID") </dev/null >out 2>&1 3>&- 4>&- || status=$?
		echo "$kib: $status: $(cat out)"
		no_containers
		[ "$status" -eq 0 ] || failed=$((failed + 1))
	done
	[ "$failed" -gt 1 ]
	[ "$status" -eq 0 ]
}

@test "small: a full disk below --root is said by its name, and nothing is left" {
	need_root "a small file system"
	mkdir "$BATS_TEST_TMPDIR/full"
	program true
	# Its own mount namespace: nothing is mounted on the host, whatever becomes of the test.
	for kib in 4 8 12; do
		run unshare --mount --propagation private sh -c 'mount -t tmpfs -o size="$4"k moss-test "$3" && dd if=/dev/zero of="$3/rest" bs=1k 2>/dev/null
			"$1" --root "$3/root" run "$2"; echo "status $?"; ls -A "$3/root"' sh "$MOSS" "$ID" "$BATS_TEST_TMPDIR/full" "$kib" 3>&- 4>&-
		show
		[[ "$output" == *"No space left on device"* ]]
		[[ "${lines[-1]}" == "status 1" || "$output" == *"status 1"$'\n'"ls: "* ]]
	done
}

@test "small: without /proc/self/fd moss says what it needs, and nothing is left" {
	need_root "a mount over /proc"
	program true
	mkdir "$BATS_TEST_TMPDIR/empty"
	run unshare --mount --propagation private sh -c 'mount --bind "$3" /proc && exec "$1" --root "$4" run "$2"' \
		sh "$MOSS" "$ID" "$BATS_TEST_TMPDIR/empty" "$ROOT" 3>&- 4>&-
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"/proc"*"mount -t proc"* ]]
	no_containers
}
