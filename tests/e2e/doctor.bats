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

@test "doctor: controllers that version 1 has: limits are refused, and the way to version 2" {
	[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || skip "this host has version 2 alone"
	run --separate-stderr "$MOSS" doctor --json
	[ "$(probe "cgroup controllers" status)" = degraded ]
	[[ "$(probe "cgroup controllers" detail)" =~ version\ 1|no\ cgroup2 ]]
	[[ "$(probe "cgroup controllers" fix)" == *unified_cgroup_hierarchy=1*"limits are refused, or left out with --degrade=warn" ]]
	# And so they are.
	config '.linux.resources = {pids: {limit: 100}}'
	program echo ran
	run moss run "$ID"
	[ "$status" -eq 1 ]
	[ "$(moss --degrade=warn run "$ID")" = ran ]
}

# Seen failing without: probe_delegation(): the controllers of a cgroup that is root's are not delegated to anybody.
@test "doctor: controllers in a cgroup that is not this user's, and in one that is" {
	need_v2
	need_command setpriv
	chmod a+x "$BATS_TEST_TMPDIR"
	as_user=(setpriv --reuid 54321 --regid 54321 --clear-groups "$MOSS")
	run --separate-stderr in_v2 "${as_user[@]}" doctor --json
	echo "$output"
	[ "$(probe "cgroup controllers" status)" = degraded ]
	[[ "$(probe "cgroup controllers" detail)" == "none are delegated to this cgroup, and there is no systemd user manager"* ]]
	[[ "$(probe "cgroup controllers" fix)" == *"loginctl enable-linger 54321; then systemd-run --user --scope -p Delegate=yes COMMAND" ]]
	in_v2 sh -c 'mkdir "/sys/fs/cgroup/$1" && chown 54321 "/sys/fs/cgroup/$1" "/sys/fs/cgroup/$1/cgroup.procs"' sh "$ID"
	run --separate-stderr in_v2 sh -c 'echo $$ >"/sys/fs/cgroup/$0/cgroup.procs" && exec "$@"' "$ID" "${as_user[@]}" doctor --json
	in_v2 rmdir "/sys/fs/cgroup/$ID"
	echo "$output"
	[ "$(probe cgroup status)" = ok ]
	if [ "$(probe "cgroup controllers" status)" = ok ]; then
		[[ "$(probe "cgroup controllers" detail)" == "delegated here: "* ]]
	else
		[[ "$(probe "cgroup controllers" detail)" == "not delegated to this cgroup: "* ]]
		[[ "$(probe "cgroup controllers" fix)" == *"cgroup.subtree_control of the one above it"* ]]
	fi
}
