#!/bin/bash
# leaks.sh before|after DIR TOKEN USER - does a test run leave anything on the machine?
#
# DIR holds the snapshot and the run's own temporary files (their path has DIR in it), TOKEN is
# part of every container id. "after" prints what is new and exits 1 if there is anything.
set -u
action=$1 dir=$2 token=$3 user=$4

# What other programs on the machine do must not be reported: things are looked for by the
# run's token, its directory, or among the test user's own files.
files() {
	for place in "/tmp/moss-$(id -u "$user")" "/run/user/$(id -u "$user")/moss" "$dir"/*/xdg/moss; do
		[ -e "$place" ] && find "$place" -mindepth 1 ! -name ':*' ! -path "$place/:*" 2>/dev/null
	done
	find /tmp /var/tmp /dev/shm /dev/mqueue /run -xdev -name "*$token-*" ! -path "$dir*" 2>/dev/null
	[ "$user" = root ] ||
		find /tmp /var/tmp /dev/shm /dev/mqueue -xdev -user "$user" ! -path "$dir*" 2>/dev/null
}

cgroups() {
	find /sys/fs/cgroup -type d -name "*$token-*" 2>/dev/null
	# shellcheck disable=SC2016 # expanded by the inner shell
	[ "$(id -u)" -ne 0 ] || [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || unshare -m sh -c 'umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup &&
		find /sys/fs/cgroup -type d -name "*$1-*"' sh "$token" 2>/dev/null
}

mounts() { cut -d' ' -f5 /proc/self/mountinfo | grep -e "${dir##*/}" -e "$token-"; }

# Processes that run the copied binary, or that live in a root file system of the run.
processes() {
	local p
	{
		find /proc/[0-9]*/exe -maxdepth 0 -lname "$dir/*"
		grep -lF "${dir##*/}/" /proc/[0-9]*/mountinfo
	} 2>/dev/null | cut -d/ -f3 | sort -u | while read -r p; do
		case $p in "$$" | "$BASHPID" | "$PPID") continue ;; esac
		grep -qs '^State:.*Z' "/proc/$p/status" ||
			echo "process $p: $(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline" | cut -c1-200)"
	done
}

snapshot() { { files; cgroups; mounts; processes; } | sort -u; }

case $action in
before) snapshot >"$dir/leaks.before.$user" ;;
after)
	for _ in 1 2 3 4 5 6 7 8 9 10; do # what was killed may need a moment to go
		snapshot >"$dir/leaks.after.$user"
		new=$(comm -13 "$dir/leaks.before.$user" "$dir/leaks.after.$user")
		[ -n "$new" ] || exit 0
		sleep 0.5
	done
	printf '%s\n' "$new"
	exit 1
	;;
*) echo "usage: leaks.sh before|after DIR TOKEN USER" >&2 && exit 2 ;;
esac
