#!/usr/bin/env bats
# systemd.bats - systemd as the maker of containers' cgroups: root's in the machine's, a user's in her own manager's,
# from a login session (and in systemd_lost.bats with an environment that su has lost).
# parts: root session
load vm.bash
load systemd.bash

# Seen failing without: cgroup_make() in launch_cgroup_enter_scope().
@test "systemd: a scope of that name and slice, delegated, with the container in it; delete leaves neither scope nor cgroup" {
	program sleep 60
	apart --systemd-cgroup run -d "$ID"
	[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container" ]
	[ "$(cat "/sys/fs/cgroup$base/$unit/container/cgroup.procs")" = "$(pid_of)" ]
	is ActiveState active
	is Transient yes
	is Delegate yes
	is DefaultDependencies no
	is CollectMode inactive-or-failed
	is TasksMax infinity
	for accounting in CPU Memory IO Tasks; do is ${accounting}Accounting yes; done
	[[ "$(property Description)" == "moss container $ID ("*")" ]]
	[ "$(jq -r .systemd_unit "$ROOT/$ID/state.json")" = "$unit" ]
	[ "$(moss exec "$ID" sh -c 'grep -c . /proc/self/cgroup')" = 1 ]
	moss delete --force "$ID"
	nothing_left

	# with a slice of its own, which goes with it
	config '.linux.cgroupsPath = "moss\($id | gsub("-"; "")).slice:pre:\($id)"' --arg id "$ID"
	unit=pre-$ID.scope
	apart --cgroup-manager systemd create "$ID"
	[ "$(property Slice)" = "moss${ID//-/}.slice" ]
	[[ "$(cgroup_of "$(pid_of)")" == *"/moss${ID//-/}.slice/$unit/container" ]]
	moss delete "$ID"
	nothing_left
	# the name alone says who is meant, and parts may be empty
	config '.linux.cgroupsPath = "::\($id)"' --arg id "$ID"
	unit=$ID.scope
	apart create "$ID"
	[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container" ]
	moss delete "$ID"
	nothing_left
}

@test "systemd: run in the foreground: stdio, status, and the scope is gone when it returns" {
	program sh -c 'tr a-z A-Z; exit 7'
	status=0
	output=$(echo typed | moss --systemd-cgroup run "$ID") || status=$?
	show
	[ "$status" -eq 7 ]
	[ "$output" = TYPED ]
	nothing_left
	moss --systemd-cgroup run "$ID" </dev/null || true # the name is free at once
	nothing_left
}

# Seen failing without: set_scope_limits(); with the quota's percentage rounded down.
@test "systemd: limits are in the container's files and are properties of the scope; daemon-reload and daemon-reexec keep both" {
	program sleep 60
	limits '{"memory": {"limit": 104857600, "reservation": 52428800, "swap": 209715200},
		"cpu": {"shares": 512, "quota": 33333, "period": 100000, "burst": 10000},
		"pids": {"limit": 42}, "unified": {"memory.high": "83886080", "memory.oom.group": "1"}}'
	apart --systemd-cgroup run -d "$ID"
	all() {
		in_file memory.max 104857600
		in_file memory.low 52428800
		in_file memory.swap.max 104857600
		in_file memory.high 83886080
		in_file memory.oom.group 1
		in_file cpu.weight 59
		in_file cpu.max "33333 100000"
		in_file cpu.max.burst 10000
		in_file pids.max 42
		is MemoryMax 104857600
		is MemoryLow 52428800
		is MemorySwapMax 104857600
		is MemoryHigh 83886080
		is CPUWeight 59
		is TasksMax 42
		file memory.max 104857600
		file cpu.weight 59
		file cpu.max "34000 100000" # a whole percentage, never below the limit
		file pids.max 42
	}
	all
	sc daemon-reload
	all
	sc daemon-reexec
	all
	[ "$(status_of)" = running ]
	moss delete --force "$ID"
	nothing_left
}

# Seen failing without: scope_set_limits() in update.c.
@test "systemd: update changes the files and the properties, also after a daemon-reload" {
	program sleep 60
	limits '{"memory": {"limit": 104857600}, "pids": {"limit": 42}}'
	apart --systemd-cgroup run -d "$ID"
	moss update --memory 200m --pids-limit 50 --cpu-share 2048 --cpu-quota 20000 "$ID"
	sc daemon-reload
	in_file memory.max 209715200
	in_file cpu.weight 174
	is MemoryMax 209715200
	is TasksMax 50
	is CPUWeight 174
	is CPUQuotaPerSecUSec 200ms
	file memory.max 209715200
	file pids.max 50
	moss update --memory -1 --pids-limit -1 --cpu-quota -1 "$ID"
	is MemoryMax infinity
	is TasksMax infinity
	file memory.max max
	in_file pids.max max
	is CPUQuotaPerSecUSec infinity
	attempt update --pids-limit 7 --cpu-quota 1 "$ID" # all or nothing
	[ "$status" -eq 1 ]
	is TasksMax infinity
	in_file pids.max max
	moss delete --force "$ID"
	nothing_left
}

# Seen failing without: take_back_properties() in change_undo().
@test "systemd: update: moss-scope killed when systemd has done as it was told: an error, and the properties are what they were, too" {
	program sleep 60
	limits '{"memory": {"limit": 104857600}}'
	apart --systemd-cgroup run -d "$ID"
	is MemoryMax 104857600
	cp "$MOSS" moss
	cat >moss-scope <<-END
		#!/bin/bash
		[ ! -e $PWD/killed ] || exec $(dirname "$MOSS")/moss-scope "\$@"
		: >$PWD/killed
		/bin/systemctl $(is_root || echo --user) set-property --runtime $unit MemoryMax=200M TasksMax=50
		kill -KILL \$\$
	END
	chmod 755 moss-scope
	run ./moss --root "$ROOT" update --memory 200m --pids-limit 50 "$ID" 3>&- 4>&-
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *moss-scope* ]]
	[ -e killed ]
	is MemoryMax 104857600
	is TasksMax infinity
	sc daemon-reload
	in_file memory.max 104857600
	in_file pids.max max
	moss delete --force "$ID"
	nothing_left
}

@test "systemd: a program that takes more than its memory is killed, and events tells; a small limit and one process will do" {
	limits '{"memory": {"limit": 20971520, "swap": 20971520}}'
	program sh -c 'exec tail /dev/zero'
	run moss --systemd-cgroup run "$ID"
	show
	[ "$status" -eq 137 ]
	nothing_left
	limits '{"memory": {"limit": 1048576}, "pids": {"limit": 1}}'
	program sleep 60
	apart --systemd-cgroup run -d "$ID"
	is TasksMax 1
	[ "$(moss events --stats "$ID" | jq .data.pids.limit)" = 1 ]
	moss delete --force "$ID"
	nothing_left
}

# Seen failing without: the EEXIST of scope_refused() and the mark in unit_stop().
@test "systemd: a name that is taken is refused, whoever has it, and stays whose it is" {
	program sleep 60
	config '.linux.cgroupsPath = ":moss:\($id)"' --arg id "$ID"
	apart --systemd-cgroup run -d "$ID"
	pid=$(pid_of)
	attempt --systemd-cgroup run -d "$ID-2"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$unit"*"a unit of this name already"*"linux.cgroupsPath"* ]]
	[ ! -e "$ROOT/$ID-2" ]
	alive "$pid"
	[ "$(cgroup_of "$pid")" = "$base/$unit/container" ]
	moss delete --force "$ID"
	nothing_left
}

# Seen failing without: add_mark() (nothing is recognised), has_mark() taken as true (the other one is ended).
@test "systemd: a scope that does not end by itself is ended by delete, whatever its description says; another container's is not" {
	program sleep 60
	config '.linux.cgroupsPath = ":moss:\($id)" | .annotations = {"org.systemd.property.Description": "\u0027mine\u0027",
		"org.systemd.property.Documentation": "[\u0027man:moss(8)\u0027]"}' --arg id "$ID"
	join_scope() { # join_scope DIRECTORY: $other runs in the scope beside the container
		sleep 60 3>&- 4>&- &
		other=$!
		mkdir "/sys/fs/cgroup$base/$unit/$1"
		bus_call AttachProcessesToUnit ssau "$unit" "/$1" 1 "$other"
		[ "$(cgroup_of "$other")" = "$base/$unit/$1" ]
	}
	apart --systemd-cgroup run -d "$ID"
	is Description mine
	[[ "$(property Documentation)" == *'man:moss(8)'* ]]
	join_scope beside
	moss delete --force "$ID"
	dead "$other"
	nothing_left

	apart --systemd-cgroup run -d "$ID"
	join_scope beside
	moss kill "$ID" KILL
	wait_for stopped
	mv "$ROOT/$ID" "$ROOT/.kept"
	cp -r "$ROOT/.kept" "$ROOT/$ID" # a record of another container, which names this scope
	moss delete --force "$ID"
	rm -rf "$ROOT/.kept"
	alive "$other"
	[ "$(cgroup_of "$other")" = "$base/$unit/beside" ]
	kill "$other"
	eventually nothing_left
}

# answers_late PID COMMAND...: moss COMMAND, started while process PID stands still, ends by TERM at once.
answers_late() {
	local status=0 start
	late=$1
	kill -STOP "$late"
	background "${@:2}"
	sleep 1
	start=$(now_ms)
	kill -TERM "$PID"
	wait "$PID" || status=$?
	start=$(($(now_ms) - start))
	kill -CONT "$late"
	late=""
	cat out
	echo "status $status after $start ms"
	[ "$status" -eq 143 ]
	[ "$start" -lt 4000 ]
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# Seen failing without: signals_interrupted_of().
@test "systemd: TERM while the bus or systemd does not answer ends run and exec at once, and nothing is left when it does" {
	program sleep 60
	for who in $(sc show -P MainPID dbus.service) $(is_root || systemctl show -P MainPID "user@$(id -u).service"); do
		answers_late "$who" --systemd-cgroup run "$ID"
		eventually nothing_left
		! is_root || continue # root's exec does not need systemd
		apart --systemd-cgroup run -d "$ID"
		answers_late "$who" exec "$ID" sleep 60
		[ "$(status_of)" = running ]
		[ "$(moss exec "$ID" echo inside)" = inside ]
		moss delete --force "$ID"
		nothing_left
	done
}

@test "systemd: what is no name for it is refused: a path, another form, a slice, bad characters" {
	bad() { # bad CGROUPSPATH TEXT
		config '.linux.cgroupsPath = $p' --arg p "$1"
		attempt --systemd-cgroup create "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"linux: cgroupsPath"*"$2"* ]]
		nothing_left
	}
	bad "/a/$ID" "expected cgroupsPath to be of format"
	bad "a/$ID" "expected cgroupsPath to be of format"
	bad "$ID" "expected cgroupsPath to be of format"
	bad "a.slice:b:c:$ID" "expected cgroupsPath to be of format"
	bad "a:b:$ID" 'is not the name of a slice'
	bad ":b:$ID.slice" 'names a slice'
	bad ":b:$ID!" 'is not the name of a scope'
	config '.linux.cgroupsPath = "::x"'
	attempt --cgroup-manager cgroupfs create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"is a name for systemd"* ]]
}

@test "systemd: annotations org.systemd.property.*: typed values; unknown types, names and what moss sets are refused" {
	program sleep 60
	config '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 5000000", "org.systemd.property.CPUWeight": "77",
		"org.systemd.property.RuntimeMaxSec": "3000", "org.systemd.property.SendSIGHUP": "true",
		"org.systemd.property.KillSignal": "10", "org.systemd.property.After": "[\u0027a.target\u0027, \u0027b.target\u0027]",
		"org.systemd.property.Description": "\u0027mine\u0027"}'
	apart --systemd-cgroup run -d "$ID"
	is TimeoutStopUSec 5s
	is CPUWeight 77
	is RuntimeMaxUSec 50min
	is SendSIGHUP yes
	is KillSignal 10
	[[ " $(property After) " == *" a.target "* && " $(property After) " == *" b.target "* ]]
	is Description mine
	moss delete --force "$ID"
	nothing_left
	bad() { # bad NAME VALUE TEXT
		config '.annotations = {"org.systemd.property.\($n)": $v}' --arg n "$1" --arg v "$2"
		attempt --systemd-cgroup create "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"$3"* ]]
		nothing_left
	}
	bad CPUWeight "number 5" "annotations: org.systemd.property.CPUWeight: an unknown type"
	bad CPUWeight "uint8 5" "org.systemd.property.CPUWeight: an unknown type"
	bad CPUWeight "'unended" "a text without its end"
	bad CPUWeight "byte 256" "no number of its type"
	bad TimeoutStopSec "'soon'" "a time in seconds"
	bad NoSuchProperty true "NoSuchProperty"
	bad CPUWeight "'x'" "annotations org.systemd.property.*" # the hint: systemd does not say which one it is
	bad PIDs "[uint32 1]" "moss sets this property itself"
}

# Seen failing without: clone_attached().
@test "systemd: exec lands in the container's cgroup, from wherever it is called; --cgroup below it, too; not while it is paused" {
	program sleep 60
	apart --systemd-cgroup run -d "$ID"
	moss exec -d --pid-file pid.1 "$ID" sleep 60
	[ "$(cgroup_of "$(cat pid.1)")" = "$base/$unit/container" ]
	[ "$(moss exec "$ID" echo inside)" = inside ]
	mkdir "/sys/fs/cgroup$base/$unit/container/below"
	moss exec -d --cgroup below --pid-file pid.2 "$ID" sleep 60
	[ "$(cgroup_of "$(cat pid.2)")" = "$base/$unit/container/below" ]
	moss pause "$ID"
	[ "$(cat "/sys/fs/cgroup$base/$unit/container/cgroup.freeze")" = 1 ]
	if ! is_root; then
		attempt exec --ignore-paused -d "$ID" sleep 60
		[ "$status" -eq 255 ]
		[[ "$output" == *paused* ]]
	fi
	moss resume "$ID"
	moss kill --all "$ID" KILL
	wait_for stopped
	for n in 1 2; do dead "$(cat pid.$n)"; done
	moss delete "$ID"
	nothing_left
}

@test "systemd: the container's own manager owns its cgroup, divides it, and finds no limit to change; what it made goes" {
	many_ids
	config '.mounts |= map(select(.destination != "/sys/fs/cgroup"))
		+ [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev"]}]
		| .linux.namespaces += [{type: "cgroup"}] | .linux.namespaces |= unique_by(.type) | .linux.resources.pids = {limit: 50}'
	program sh -c 'cd /sys/fs/cgroup && stat -c %u . cgroup.procs cgroup.subtree_control && mkdir -p own/a/b && echo 1 >own/cgroup.procs &&
		echo +pids >cgroup.subtree_control && cat own/pids.max && { echo 9 >pids.max || echo refused; }; echo divided; exec sleep 60'
	apart --systemd-cgroup run -d "$ID"
	eventually grep -q divided out
	cat out
	[ "$(grep -v "sh:" out | tr '\n' ' ')" = "0 0 0 max refused divided " ]
	[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container/own" ]
	moss exec -d --pid-file pid "$ID" sleep 60 # the cgroup itself may hold none
	[ "$(cgroup_of "$(cat pid)")" = "$base/$unit/container/own" ]
	moss delete --force "$ID"
	nothing_left
}

# Seen failing without: cgroup_delegate() (as root), the second clone in exec's clone_process().
@test "systemd: a systemd as the container's first process boots, limits a service of its own, and ends with the status it is told" {
	mkdir -p rootfs/{usr,etc/systemd/system,run,var/log/journal}
	for name in lib lib64; do ln -sfn "usr/$name" "rootfs/$name"; done
	: >rootfs/etc/machine-id
	echo 'root:x:0:0::/root:/bin/sh' >rootfs/etc/passwd
	echo 'root:x:0:' >rootfs/etc/group
	cat >rootfs/etc/systemd/system/probe.service <<-'END'
		[Unit]
		After=basic.target
		[Service]
		Type=oneshot
		TasksMax=50
		StandardOutput=file:/tmp/out
		ExecStart=sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/system.slice/probe.service/pids.max; systemctl show -P ActiveState sysinit.target dbus.socket'
		ExecStart=sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done'
		ExecStart=systemctl --no-block exit 7
	END
	! is_root || { many_ids && chown -R 100000:100000 rootfs; }
	program /lib/systemd/systemd --unit=probe.service
	config '["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]
		| map("CAP_" + .) as $capabilities | $config[0]
		| .process.capabilities = {bounding: $capabilities, effective: $capabilities, permitted: $capabilities} | .root.readonly = false
		| .process.env += ["container=moss"] | .linux.resources.pids = {limit: 200}
		| .linux.namespaces += [{type: "cgroup"}] | .linux.namespaces |= unique_by(.type)
		| .mounts |= map(select(.destination != "/sys/fs/cgroup")) + [
			{destination: "/usr", source: "/usr", options: ["rbind", "ro"]},
			{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev"]},
			({destination: ("/run", "/run/lock", "/var/log/journal"), type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=755"]})]' \
		--slurpfile config config.json
	background --systemd-cgroup run "$ID"
	eventually grep -qs active rootfs/tmp/out || { cat out && false; }
	cat rootfs/tmp/out
	[ "$(head -n 3 rootfs/tmp/out | tr '\n' ' ')" = "0::/system.slice/probe.service 50 active " ]
	inside=$base/$unit/container
	[ "$(cgroup_of "$(pid_of)")" = "$inside/init.scope" ]
	[ "$(cat "/sys/fs/cgroup$inside/system.slice/probe.service/pids.max")" = 50 ]
	[ "$(cat "/sys/fs/cgroup$inside/pids.max")" = 200 ]
	moss exec "$ID" sh -c 'cat /proc/self/cgroup; systemctl list-units --failed --plain --no-legend' >listed
	cat listed
	[ "$(cat listed)" = 0::/init.scope ]
	touch rootfs/tmp/go
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 7 ]
	nothing_left
}

# Seen failing without: cgroup_remove_mapped(), remove_rest().
@test "systemd: cgroups that the container has given to other ids go with it" {
	many_ids
	config '.mounts |= map(select(.destination != "/sys/fs/cgroup"))
		+ [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev"]}]
		| .linux.namespaces += [{type: "cgroup"}] | .linux.namespaces |= unique_by(.type)
		| .process.capabilities |= with_entries(.value += ["CAP_CHOWN", "CAP_DAC_OVERRIDE"])'
	program sh -c 'cd /sys/fs/cgroup && mkdir -p user/a/b && chmod 700 user && busybox chown -R 1000:1000 user && echo given; exec sleep 60'
	for manager in systemd cgroupfs; do
		[ "$manager" = systemd ] || is_root || break # her session has none
		apart --cgroup-manager "$manager" run -d "$ID"
		eventually grep -q given out || { cat out && false; }
		[ "$(stat -c %u "/sys/fs/cgroup$(cgroup_of "$(pid_of)")/user")" -ge 10000 ]
		moss delete --force "$ID"
		nothing_left
	done
}

@test "systemd: the unit stopped, or its cgroups removed, behind our back: stopped, and delete cleans up" {
	program sleep 60
	apart --systemd-cgroup run -d "$ID"
	pid=$(pid_of)
	sc kill -s KILL "$unit"
	dead "$pid" || wait_for stopped
	[ "$(status_of)" = stopped ]
	moss delete "$ID"
	nothing_left
	program sh -c 'trap "exit 0" TERM; sleep 60 & wait'
	apart --systemd-cgroup run -d "$ID"
	sc stop "$unit"
	[ "$(status_of)" = stopped ]
	moss delete "$ID"
	nothing_left
	apart --systemd-cgroup run -d "$ID"
	moss kill "$ID" KILL
	wait_for stopped
	find "/sys/fs/cgroup$base/$unit" -depth -type d -exec rmdir {} + 2>/dev/null || true
	moss delete "$ID"
	nothing_left
}

# Seen failing without: scope_forget().
@test "systemd: moss killed half-way: delete --force leaves neither scope nor state" {
	config '.linux.cgroupsPath = ":moss:\($id)"' --arg id "$ID"
	half_way
	[ "$(cgroup_of "$INSIDE")" = "$base/$unit/container" ]
	[ "$(jq -r .systemd_unit "$ROOT/$ID/state.json")" = "$unit" ]
	kill -KILL "$PID" # the container's process is still stopped, and can't end itself
	wait "$PID" || true
	moss delete --force "$ID"
	eventually dead "$INSIDE"
	eventually nothing_left
}

@test "systemd: moss killed at many moments of a creation, and systemd executed again meanwhile: nothing stays" {
	program sleep 60
	config '.linux.cgroupsPath = ":moss:\($id)"' --arg id "$ID"
	for wait in 0 0.02 0.04 0.06 0.08 0.1 0.15; do
		background --systemd-cgroup run -d "$ID"
		sleep "$wait"
		kill -KILL "$PID" 2>/dev/null || true
		wait "$PID" || true
		moss delete --force "$ID"
		eventually nothing_left
	done
	for _ in 1 2 3; do
		sc daemon-reexec &
		apart --systemd-cgroup run -d "$ID" || { cat out && false; }
		[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container" ]
		wait $!
		sc daemon-reexec &
		moss delete --force "$ID"
		wait $!
		eventually nothing_left
	done
}

@test "systemd: no bus: an error that says where it was looked for and what to do, and nothing is left" {
	if is_root; then
		hidden=/run/dbus
		runs() { unshare -m sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' sh "$hidden" "$MOSS" --root "$ROOT" "$@" 3>&- 4>&-; }
	else
		hidden=/run/user/$(id -u)
		runs() { unshare -Urm sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' sh "$hidden" "$MOSS" --root "$ROOT" "$@" 3>&- 4>&-; }
	fi
	status=0
	output=$(runs --systemd-cgroup run "$ID" 2>&1 </dev/null) || status=$?
	show
	[ "$status" -eq 1 ]
	if is_root; then [[ "$output" == *"/run/dbus/system_bus_socket"*"systemctl start dbus"* ]]; else
		[[ "$output" == *"/run/user/$(id -u)/bus"*"loginctl enable-linger $(id -u)"* ]]
	fi
	nothing_left
}

@test "systemd: a user's limits with a bus that does not answer: an error; --degrade=warn goes on, with a note" {
	is_root && skip "root's limits are moss's own to set"
	program sleep 60
	limits '{"pids": {"limit": 42}}'
	bus=/run/user/$(id -u)/bus
	mv "$bus" "$bus.away"
	status=0
	DBUS_SESSION_BUS_ADDRESS=unix:path=/run/no-such moss run -d "$ID" </dev/null >out 2>&1 || status=$?
	DBUS_SESSION_BUS_ADDRESS=unix:path=/run/no-such moss --degrade=warn run -d "$ID-2" </dev/null >out.2 2>&1 || true
	mv "$bus.away" "$bus"
	cat out out.2
	[ "$status" -eq 1 ]
	grep -q "/run/no-such.*loginctl enable-linger" out
	[ "$(status_of "$ID-2")" = running ]
	[ "$(cgroup_of "$(pid_of "$ID-2")")" = "$(cgroup_of $$)" ]
	jq -e '.notes | any(contains("pids: limit") and contains("not enforced"))' "$ROOT/$ID-2/state.json"
	moss delete --force "$ID-2"
	nothing_left
}

@test "systemd: with another user's bus in the environment it is the user's own that is asked" {
	is_root && skip "root's bus is always the system's"
	program sleep 60
	DBUS_SESSION_BUS_ADDRESS=unix:path=/run/dbus/no-such XDG_RUNTIME_DIR=/run/user/0 apart --systemd-cgroup run -d "$ID"
	[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container" ]
	is ActiveState active
	moss delete --force "$ID"
	nothing_left
}

@test "systemd: uid 0 of a user namespace, as rootless podman is: the scope is in the user's manager" {
	is_root && skip "for a normal user"
	config '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	program sleep 60
	unshare -Ur "$MOSS" --root "$ROOT" --systemd-cgroup run -d "$ID" </dev/null >out 2>&1 3>&- 4>&- || { cat out && false; }
	[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container" ]
	is ActiveState active
	unshare -Ur "$MOSS" --root "$ROOT" delete --force "$ID" 3>&- 4>&-
	nothing_left
}

# Seen failing without: wants_systemd().
@test "systemd: nothing said: root's cgroups are moss's own; a user's with limits are systemd's, without limits there is none" {
	program sleep 60
	apart run -d "$ID"
	if is_root; then [ "$(cgroup_of "$(pid_of)")" = "/moss/$ID" ]; else [ "$(cgroup_of "$(pid_of)")" = "$(cgroup_of $$)" ]; fi
	[ "$(jq -r .systemd_unit "$ROOT/$ID/state.json")" = null ]
	moss delete --force "$ID"
	limits '{"pids": {"limit": 42}}'
	apart run -d "$ID"
	in_file pids.max 42
	if is_root; then [ "$(cgroup_of "$(pid_of)")" = "/moss/$ID" ]; else
		[ "$(cgroup_of "$(pid_of)")" = "$base/$unit/container" ]
		is TasksMax 42
	fi
	moss delete --force "$ID"
	apart --cgroup-manager disabled --degrade=warn --systemd-cgroup run -d "$ID" # as podman says it
	[ "$(cgroup_of "$(pid_of)")" = "$(cgroup_of $$)" ]
	moss delete --force "$ID"
	nothing_left
}

@test "systemd: the list of devices holds, and a daemon-reload does not undo it" {
	need_root "eBPF"
	config '.linux.devices = [{path: "/dev/mem-like", type: "c", major: 1, minor: 11, fileMode: 438}, {path: "/dev/there", type: "c", major: 10, minor: 200, fileMode: 438}]
		| .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 200, access: "rw"}]'
	program sleep 60
	apart --systemd-cgroup run -d "$ID"
	holds() {
		run moss exec "$ID" sh -c ': </dev/mem-like'
		[ "$status" -ne 0 ]
		[[ "$output" == *"not permitted"* ]]
		moss exec "$ID" sh -c ': </dev/there'
	}
	holds
	systemctl daemon-reload
	holds
	systemctl daemon-reexec
	holds
	moss update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw"}]}'
	systemctl daemon-reload
	moss exec "$ID" sh -c ': </dev/mem-like'
	run moss exec "$ID" sh -c ': </dev/there'
	[ "$status" -ne 0 ]
	moss delete --force "$ID"
	nothing_left
}

@test "systemd: a user without linger: one line names loginctl enable-linger; her container ends with her manager" {
	need_root "makes a user"
	useradd --create-home --shell /bin/bash "bob$$"
	BOB=bob$$
	cp -r "$BUNDLE" "/home/$BOB/bundle"
	chown -R "$BOB:" "/home/$BOB/bundle"
	su --login "$BOB" -c "cd bundle && rm config.json && '$MOSS' spec --rootless && jq '.process.args = [\"sh\", \"-c\", \"trap exit TERM; sleep 60 & wait\"] | .process.terminal = false' config.json >c && mv c config.json &&
		'$MOSS' --log log --systemd-cgroup run -d '$ID' </dev/null >out 2>&1; cat out log; '$MOSS' state '$ID' >state; cat state" 3>&- 4>&- >log
	cat log
	[ "$(grep -c "loginctl enable-linger $BOB" log)" = 1 ]
	pid=$(jq .pid "/home/$BOB/bundle/state")
	[ "$pid" -gt 0 ]
	for _ in $(seq 30); do dead "$pid" && break; sleep 1; done # logind waits 10 s
	dead "$pid"
	su --login "$BOB" -c "'$MOSS' list -q; '$MOSS' delete --force '$ID'" 3>&- 4>&-
	loginctl terminate-user "$BOB" || true
	for _ in $(seq 20); do userdel --remove --force "$BOB" 2>/dev/null && break; sleep 1; done
	[ -z "$(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null)" ]
}
