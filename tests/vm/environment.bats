#!/usr/bin/env bats
# environment.bats - the guest is what the other tests here take it for, and moss doctor sees it.
# parts: root session scope lost
load vm.bash

# probe NAME FIELD: what doctor says here.
probe() { "$MOSS" doctor --json | jq -r --arg name "$1" ".probes[] | select(.name == \$name) | .$2"; }

@test "guest: a booted systemd, version 2 alone of the cgroups, a user that lingers" {
	[ "$(systemctl is-system-running)" = running ]
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
	[ -z "$(awk '$3 == "cgroup"' /proc/mounts)" ]
	[ -z "$(awk '!/^#/ && $2 != 0' /proc/cgroups)" ]
	[ "$(loginctl show-user "$VM_USER" -P Linger)" = yes ]
	[ -S "/run/user/$(id -u "$VM_USER")/bus" ]
}

@test "guest: this part's cgroup, bus and environment are what its name says" {
	own=$(cgroup_of $$)
	echo "$own"
	case $VM_PART in
	root)
		is_root
		[ "$own" = /system.slice/vm-job.service ]
		;;
	session)
		[ "$XDG_RUNTIME_DIR" = "/run/user/$(id -u)" ]
		[ -n "$DBUS_SESSION_BUS_ADDRESS" ]
		[[ "$own" == "/user.slice/user-$(id -u).slice/session-"*.scope ]]
		[ ! -w "/sys/fs/cgroup$own" ]
		;;
	scope)
		[[ "$own" == "/user.slice/user-$(id -u).slice/user@$(id -u).service/"*.scope ]]
		[ -w "/sys/fs/cgroup$own/cgroup.procs" ]
		for controller in cpu io memory pids; do grep -qw "$controller" "/sys/fs/cgroup$own/cgroup.controllers"; done
		;;
	lost)
		[ "$(id -un)" = "$VM_USER" ]
		[ -z "${XDG_RUNTIME_DIR-}" ]
		[ -z "${DBUS_SESSION_BUS_ADDRESS-}" ]
		[[ "$own" == /user.slice/user-0.slice/session-*.scope ]]
		;;
	esac
}

@test "guest: moss doctor says whether a container gets a cgroup here, and which controllers" {
	case $VM_PART in
	root)
		[[ "$(probe cgroup detail)" == *" /moss/"* ]]
		# Root's limits do not depend on the cgroup of the service that moss was started in.
		[ "$(probe "cgroup controllers" status)" = ok ]
		;;
	scope)
		[[ "$(probe cgroup detail)" == *" $(cgroup_of $$)/moss-"* ]]
		[ "$(probe "cgroup controllers" status)" = ok ]
		;;
	*)
		[ "$(probe cgroup status)" = degraded ]
		[[ "$(probe cgroup fix)" == *"systemd-run --user --scope -p Delegate=yes"* ]]
		# What root's session has is not this user's; the way that is named leads to what is promised.
		[ "$(probe "cgroup controllers" status)" = degraded ]
		[ "$(probe "cgroup controllers" detail)" = "none are delegated to this cgroup; a scope of the user manager gets: cpu io memory pids" ]
		[ "$(probe "cgroup controllers" fix)" = "systemd-run --user --scope -p Delegate=yes COMMAND" ]
		[ "$(scope "$MOSS" doctor --json | jq -r '.probes[] | select(.name == "cgroup controllers") | .detail')" = "delegated here: cpu io memory pids" ]
		[ "$(probe "user bus" detail)" = "/run/user/$(id -u)/bus" ] # found, even where the environment was lost
		;;
	esac
}
