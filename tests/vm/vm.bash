# vm.bash - what the test files of this directory load: all of tests/e2e/lib.bash, and the guest's own words.
# shellcheck disable=SC2034,SC2154 # shared with the test files and with bats
load lib.bash

# cgroup_of PID: its cgroup, a path from the hierarchy's root.
cgroup_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }

# scope COMMAND...: it runs in a scope of the user manager that is delegated to the caller. The
# bus is found where it is, whatever the environment lost.
scope() {
	XDG_RUNTIME_DIR=/run/user/$(id -u) systemd-run --user --scope --quiet -p Delegate=yes "$@" 3>&- 4>&-
}

# login CODE: root runs shell CODE as the user in a new login session, which ends with it.
login() { su --login "$VM_USER" -c "cd '$BUNDLE' && $1" 3>&- 4>&-; }

# user_bundle: this test's bundle becomes the user's; her moss, her own state directory.
user_bundle() {
	chown "$VM_USER:" "$BUNDLE"
	open_way
	login "'$MOSS' spec --rootless" 2>/dev/null || { rm config.json && login "'$MOSS' spec --rootless"; }
	config '.process.terminal = false'
	chmod a+r config.json
}

# into_leaf: the scope is delegated to us, but a cgroup that holds processes can hand no controller down. So all of
# them, and moss with them, go into a leaf of it.
into_leaf() {
	local pid tries
	base=$(cgroup_of $$)
	base=${base%/leaf}
	mkdir -p "/sys/fs/cgroup$base/leaf"
	for tries in 1 2 3 4 5; do
		while read -r pid; do
			echo "$pid" >"/sys/fs/cgroup$base/leaf/cgroup.procs" || true
		done <"/sys/fs/cgroup$base/cgroup.procs"
		grep -q . "/sys/fs/cgroup$base/cgroup.procs" || return 0
	done 2>/dev/null
	echo "processes stay in the scope after $tries tries: $(cat "/sys/fs/cgroup$base/cgroup.procs")"
	return 1
}

# limits_base: $base is the cgroup below which containers with limits are made.
limits_base() {
	base=/moss
	is_root || into_leaf
}

# in_file FILE VALUE: the file of the container's cgroup says so.
in_file() {
	local found
	found=$(cat "/sys/fs/cgroup$(cgroup_of "$(pid_of)")/$1")
	[ "$found" = "$2" ] || { echo "$1: \"$found\", not \"$2\"" && return 1; }
}
