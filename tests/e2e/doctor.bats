#!/usr/bin/env bats
# doctor.bats - `moss doctor`: what it finds, and that it finds it missing.
load lib.bash

setup() { e2e_setup; }
teardown() { e2e_teardown; }

# probe NAME FIELD: of the JSON in $output.
probe() { jq -r --arg name "$1" ".probes[] | select(.name == \$name) | .$2" <<<"$output"; }

@test "doctor: where containers run, it says so, and leaves nothing" {
	run "$MOSS" doctor
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"Containers of this user can run."* ]]
	for name in "kernel calls" "user namespaces" procfs "state directory"; do
		[[ "$output" == *"ok        $name"* ]]
	done
	container true
	[ "$status" -eq 0 ]
}

@test "doctor: --json is one object, every probe with name, status and detail" {
	run --separate-stderr "$MOSS" doctor --json
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(jq -r .ready <<<"$output")" = true ]
	[ "$(jq '[.probes[] | select(.name and .detail and (.status | test("^(ok|degraded|missing)$")))] | length' <<<"$output")" -ge 12 ]
	[ "$(jq '[.probes[] | select(.status != "ok" and .fix == null)] | length' <<<"$output")" -eq 0 ]
}

@test "doctor: user namespaces that are used up are missing, with the sysctl" {
	need_user "root needs none"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run --separate-stderr unshare -Ur sh -c 'echo 1 >/proc/sys/user/max_user_namespaces &&
		exec setpriv --bounding-set -all --inh-caps -all unshare -U "$0" doctor --json' "$MOSS"
	echo "$output $stderr"
	[ "$status" -eq 1 ]
	[ "$(jq -r .ready <<<"$output")" = false ]
	[ "$(probe "user namespaces" status)" = missing ]
	[[ "$(probe "user namespaces" fix)" == *user.max_user_namespaces* ]]
}

@test "doctor: a masked /proc around moss is missing, with the way out" {
	# A mount that covers part of /proc counts once it is locked, in the next user namespace.
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare -Urm sh -c 'mount -t tmpfs none /proc/sys/kernel && exec unshare -Urm "$0" doctor --json' "$MOSS"
	echo "$output"
	[ "$(probe procfs status)" = missing ]
	[[ "$(probe procfs fix)" == *unmask* ]]
	[ "$status" -eq 1 ]
}
