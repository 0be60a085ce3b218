#!/usr/bin/env bats
# units.bats - containers that systemd supervises: the template moss@.service, and units of one's own, of the system's manager
# and of a user's.
# parts: root session
load vm.bash

# the unit's manager, and the runtime as the unit has it: with the default state directory
ctl() { systemctl "${user[@]}" "$@"; }
own_moss() { "$MOSS" "$@" 3>&- 4>&-; }
setup() {
	export XDG_RUNTIME_DIR
	XDG_RUNTIME_DIR=/run/user/$(id -u)
	user=(--user) bundles=$HOME/.local/share/moss dropins=$XDG_RUNTIME_DIR/systemd/user
	! is_root || user=() bundles=/var/lib/moss dropins=/run/systemd/system
	e2e_setup
	unit=moss@$ID.service
	with_notify
	mkdir -p "$bundles"
	ctl daemon-reload
	ln -s "$BUNDLE" "$bundles/$ID"
}
teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl "${user[@]}" --no-pager -n 20 -u "$unit" -o cat || true
	ctl stop "$unit" "$ID.service" 2>/dev/null || true
	ctl reset-failed "$unit" "$ID.service" 2>/dev/null || true
	own_moss delete --force "$ID" || true
	rm -rf "${bundles:?}/$ID" "${dropins:?}/$unit.d" "$dropins/$ID.service"
	ctl daemon-reload
	e2e_teardown
}

service() { program /usr/bin/python3 /notify.py send "$@"; }
show_of() { ctl show "$unit" -P "$1"; }
is_shown() {
	local found
	found=$(show_of "$1")
	[ "$found" = "$2" ] || { echo "$1 is \"$found\"" && return 1; }
}
inside() { own_moss state "$ID" | jq .pid; }

# unit_file LINE...: a unit of one's own, named by the id, with these lines in [Service].
unit_file() {
	unit=$ID.service
	mkdir -p "$dropins"
	printf '%s\n' '[Service]' "$@" >"$dropins/$unit"
	ctl daemon-reload
}
drop_in() {
	mkdir -p "$dropins/$unit.d"
	printf '%s\n' '[Service]' "$@" >"$dropins/$unit.d/test.conf"
	ctl daemon-reload
}

# in_the_unit PID: it is in the container's cgroup below the unit's.
in_the_unit() { [ "$(cgroup_of "$1")" = "$(show_of ControlGroup)/moss-$ID" ]; }

# back_after PID: once PID is killed the unit becomes active with another container, and PID is no more.
back_after() {
	local old=$1 restarts
	restarts=$(show_of NRestarts)
	kill -KILL "${2:-$old}"
	eventually is_shown NRestarts $((restarts + 1))
	eventually is_shown ActiveState active
	eventually dead "$old"
	[ "$(inside)" != "$old" ]
	alive "$(inside)"
	in_the_unit "$(inside)"
}

# nothing_left: no process of the unit's, no cgroup, no container.
nothing_left() {
	local at=/sys/fs/cgroup$1 pid
	[ ! -e "$at" ] || { find "$at" -type d && return 1; }
	for pid in "${@:2}"; do dead "$pid"; done
	[ "$(own_moss list -q | grep -c "$ID")" = 0 ]
}

# Seen failing without: cgroup_unit_find() (as root); ExecStopPost; the proxy of NOTIFY_SOCKET in foreground_wait().
@test "units: moss@: ready and STATUS= are the program's, its cgroup the unit's; it comes back when it is killed; stop leaves nothing" {
	service STATUS=starting tell:/tmp/there wait:/tmp/go $'READY=1\nSTATUS=at work' tell:/tmp/told wait:/tmp/more STATUS=later wait:/tmp/never
	ctl start --no-block "$unit"
	eventually test -e rootfs/tmp/there
	eventually is_shown StatusText starting
	is_shown ActiveState activating
	touch rootfs/tmp/go
	eventually is_shown ActiveState active
	eventually is_shown StatusText "at work"
	main=$(show_of MainPID) first=$(inside)
	[ "$(readlink "/proc/$main/exe")" = "$MOSS" ]
	in_the_unit "$first"
	eventually test -e rootfs/tmp/told
	touch rootfs/tmp/more
	eventually is_shown StatusText later # long after it was ready
	back_after "$first"
	second=$(inside)
	back_after "$second" "$(show_of MainPID)" # and so when moss itself is
	eventually is_shown StatusText later
	group=$(show_of ControlGroup) third=$(inside) main=$(show_of MainPID)
	ctl stop "$unit"
	is_shown ActiveState inactive
	is_shown Result success
	nothing_left "$group" "$first" "$second" "$third" "$main"
}

# Seen failing without: cgroup_unit_leave().
@test "units: moss@: limits hold in the unit, also of the container that comes back" {
	service READY=1 wait:/tmp/never
	config '.linux.resources += {pids: {limit: 17}, memory: {limit: 104857600}}'
	ctl start "$unit"
	first=$(inside)
	for pid in "$first" again; do
		[ "$pid" != again ] || back_after "$first"
		pid=$(inside)
		in_the_unit "$pid"
		[ "$(cat "/sys/fs/cgroup$(cgroup_of "$pid")/pids.max")" = 17 ]
		[ "$(cat "/sys/fs/cgroup$(cgroup_of "$pid")/memory.max")" = 104857600 ]
		[ "$(cgroup_of "$(show_of MainPID)")" = "$(show_of ControlGroup)/supervisor" ]
	done
	group=$(show_of ControlGroup)
	ctl restart "$unit"
	[ "$(show_of NRestarts)" = 0 ]
	[ "$(cat "/sys/fs/cgroup$(cgroup_of "$(inside)")/pids.max")" = 17 ]
	own_moss update --pids-limit 18 "$ID"
	[ "$(cat "/sys/fs/cgroup$(cgroup_of "$(inside)")/pids.max")" = 18 ]
	ctl stop "$unit"
	is_shown Result success
	nothing_left "$group" "$pid"
}

@test "units: moss@: the manager's own restart in the midst: limits, cgroup, STATUS= and the restart of the container go on" {
	service $'READY=1\nSTATUS=at work' wait:/tmp/more STATUS=later wait:/tmp/never
	config '.linux.resources += {pids: {limit: 17}}'
	ctl start "$unit"
	first=$(inside) main=$(show_of MainPID)
	ctl daemon-reload
	ctl daemon-reexec
	is_shown ActiveState active
	is_shown MainPID "$main"
	[ "$(inside)" = "$first" ]
	in_the_unit "$first"
	[ "$(cat "/sys/fs/cgroup$(cgroup_of "$first")/pids.max")" = 17 ]
	touch rootfs/tmp/more
	eventually is_shown StatusText later
	back_after "$first"
	[ "$(cat "/sys/fs/cgroup$(cgroup_of "$(inside)")/pids.max")" = 17 ]
	ctl stop "$unit"
	is_shown Result success
}

@test "units: moss@: one that does not notify, with Type=exec; one that ignores SIGTERM is killed, and its end by SIGTERM is none of failure" {
	drop_in Type=exec TimeoutStopSec=2
	program sh -c 'exec sleep 1000' # the kernel keeps SIGTERM from a first process that does nothing about it
	ctl start "$unit"
	eventually eval 'in_the_unit "$(inside 2>/dev/null)"'
	pid=$(inside) group=$(show_of ControlGroup)
	ctl stop "$unit"
	nothing_left "$group" "$pid"
	is_shown Result timeout
	program sh -c 'trap "trap - TERM; kill -TERM $$" TERM; (trap "kill \$!; exit 143" TERM; sleep 1000 & wait) & child=$!; trap "kill $child; wait; exit 143" TERM; echo up >/tmp/up; wait'
	ctl start "$unit"
	eventually test -e rootfs/tmp/up
	pid=$(inside)
	ctl stop "$unit"
	nothing_left "$group" "$pid"
	is_shown Result success
}

# own_unit LINE...: a unit that leaves moss behind; what is the same for all of them.
own_unit() {
	unit_file Delegate=yes Restart=always RestartSec=100ms "ExecStopPost=/usr/local/bin/moss delete --force $ID" "$@"
}

# Seen failing without: to_parent in clone_child(): systemd stops who is not its child with SIGKILL; cgroup_unit_find() (as root).
@test "units: run -d with NOTIFY_SOCKET: the container's process is the main one, comes back, and stop leaves nothing" {
	service $'STATUS=at work\nREADY=1' wait:/tmp/never
	own_unit Type=notify "ExecStart=/usr/local/bin/moss run -d --bundle $BUNDLE $ID"
	ctl start "$unit"
	first=$(inside)
	is_shown MainPID "$first"
	is_shown StatusText "at work"
	in_the_unit "$first"
	back_after "$first"
	second=$(inside)
	is_shown MainPID "$second"
	is_shown StatusText "at work"
	group=$(show_of ControlGroup)
	ctl stop "$unit"
	is_shown Result success
	nothing_left "$group" "$first" "$second"
}

# Seen failing without: cgroup_unit_find() (as root).
@test "units: Type=forking with PIDFile=: the container's process is the main one, comes back, and stop leaves nothing" {
	program python3 -c 'import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()'
	file=$XDG_RUNTIME_DIR/$ID.pid
	! is_root || file=/run/$ID.pid
	own_unit Type=forking "PIDFile=$file" "ExecStart=/usr/local/bin/moss run -d --pid-file $file --bundle $BUNDLE $ID"
	ctl start "$unit"
	first=$(inside)
	is_shown MainPID "$first"
	in_the_unit "$first"
	back_after "$first"
	second=$(inside)
	is_shown MainPID "$second"
	group=$(show_of ControlGroup)
	ctl stop "$unit"
	is_shown Result success
	nothing_left "$group" "$first" "$second"
	[ ! -e "$file" ] # systemd removes it
}

@test "units: a unit of the system with User=: notify and forking, the pid file is the user's" {
	need_root "a unit of the system's manager"
	rm config.json
	user_bundle
	chown "$VM_USER:" rootfs
	config '.root.readonly = false | .mounts += [{destination: "/usr", source: "/usr", options: ["rbind", "ro"]}]'
	chmod a+r config.json
	chmod a+rwx rootfs/tmp
	service $'STATUS=at work\nREADY=1' wait:/tmp/never
	config '.linux.resources = {pids: {limit: 17}}'
	chmod a+r config.json
	own_moss() { su --login "$VM_USER" -c "'$MOSS' $*" 3>&- 4>&-; } # both find /run/user/UID/moss
	for type in notify forking; do
		lines=("Type=$type")
		[ "$type" = notify ] || program python3 -c 'import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()'
		[ "$type" = notify ] || lines+=(PIDFile="/run/$ID/pid")
		unit_file Delegate=yes Restart=always RestartSec=100ms "User=$VM_USER" "RuntimeDirectory=$ID" "${lines[@]}" \
			"ExecStopPost=/usr/local/bin/moss delete --force $ID" "ExecStart=/usr/local/bin/moss run -d --pid-file /run/$ID/pid --bundle $BUNDLE $ID"
		chmod a+r config.json
		ctl start "$unit"
		first=$(inside)
		is_shown MainPID "$first"
		in_the_unit "$first"
		[ "$(stat -c %U "/proc/$first")" = "$VM_USER" ]
		[ "$(cat "/sys/fs/cgroup$(cgroup_of "$first")/pids.max")" = 17 ]
		back_after "$first"
		is_shown MainPID "$(inside)"
		second=$(inside) group=$(show_of ControlGroup)
		ctl stop "$unit"
		is_shown Result success
		nothing_left "$group" "$first" "$second"
	done
}

@test "units: moss@: without a bundle it does not start; enable and systemd-analyze know it; somebody else's container of that name stays" {
	rm "$bundles/$ID"
	run ctl start "$unit"
	[ "$status" -ne 0 ]
	[[ "$output" == *"ssertion failed"* ]]
	ln -s "$BUNDLE" "$bundles/$ID"
	run systemd-analyze "${user[@]}" verify "$unit"
	show
	[ -z "$output" ]
	ctl enable "$unit"
	[ "$(ctl is-enabled "$unit")" = enabled ]
	ctl disable "$unit"
	program sleep 1000
	own_moss run -d "$ID" </dev/null >out 2>&1
	pid=$(inside)
	run ctl start "$unit"
	[ "$status" -ne 0 ]
	ctl stop "$unit"
	alive "$pid"
	[ "$(inside)" = "$pid" ]
	own_moss delete --force "$ID"
}
