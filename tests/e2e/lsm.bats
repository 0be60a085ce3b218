#!/usr/bin/env bats
# lsm.bats - labels of security modules on a kernel that has none; what they do on one that has: tests/vm/apparmor.bats.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

without() { # without apparmor|selinux
	if [ -e "/sys/module/$1" ] || [ -e "/sys/fs/$1" ]; then skip "this kernel has $1"; fi
}

# Seen failing without: lsm_plan, lsm_plan_mounts; then the labels are tried, and the error is one of the set-up.
@test "lsm: a label without its module is refused before anything is made" {
	without apparmor
	without selinux
	while IFS='|' read -r field filter; do
		cp config.json kept.json
		config "$filter"
		for command in create run; do
			attempt "$command" "$ID"
			[ "$status" -eq 1 ]
			[[ "$output" == *"msg=\"$field: "*"this kernel has no "*"; boot "* ]]
			no_containers
		done
		mv kept.json config.json
	done <<-'END'
		process: apparmorProfile|.process.apparmorProfile = "moss-test"
		process: selinuxLabel|.process.selinuxLabel = "system_u:system_r:container_t:s0"
		linux: mountLabel|.linux.mountLabel = "system_u:object_r:container_file_t:s0"
	END
}

@test "lsm: unconfined is no demand where there is no AppArmor" {
	without apparmor
	config '.process.apparmorProfile = "unconfined"'
	container 'echo ran'
	[ "$status" -eq 0 ]
	[ "$output" = ran ]
}

# moss_with VALUE ARGS...: moss where the kernel seems to have AppArmor, its switch at VALUE; the attributes are not there.
moss_with() {
	unshare -m sh -c 'mount -t tmpfs none /sys/module && mkdir -p /sys/module/apparmor/parameters &&
		echo "$0" >/sys/module/apparmor/parameters/enabled && exec "$@"' "$1" "$MOSS" --root "$ROOT" "${@:2}" 3>&- 4>&-
}

@test "lsm: AppArmor that is off, and a label that can't be set in the end: nothing is left, the container runs on" {
	need_root "mounts of the test's own over /sys"
	without apparmor
	config '.process.apparmorProfile = "moss-test"'
	run moss_with N run "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: apparmorProfile: AppArmor is off"*"says N; boot "* ]]
	run moss_with Y run "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"security labels: process: apparmorProfile: "*moss-test* ]]
	no_containers
	config 'del(.process.apparmorProfile)'
	program sleep 100
	apart run -d "$ID"
	run moss_with Y exec --apparmor moss-test "$ID" touch /tmp/ran
	show
	[ "$status" -eq 255 ]
	[[ "$output" == *"security labels: process: apparmorProfile: "*moss-test* ]]
	run moss exec "$ID" ls /tmp/ran
	[ "$status" -eq 1 ]
	[ "$(status_of)" = running ]
}

@test "lsm: without labels and classes not one system call is about them" {
	need_root "strace can't read the memory of a user's process that hides from its user"
	need_command strace
	program true
	strace -f -o trace "$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
	grep -q execve trace
	[ "$(grep -c 'fsopen("proc"' trace)" -eq 1 ] # the one of config.json
	run ! grep -E 'attr/|apparmor|selinux|resctrl|mountinfo|intel_rdt' trace
}
