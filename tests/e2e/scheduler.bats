#!/usr/bin/env bats
# scheduler.bats - scheduler, io priority, CPU affinity and memory policy, of the first process and of exec's.
load lib.bash
setup() {
	e2e_setup
	NICE=$(ps -o ni= -p $$ | xargs)
}
teardown() { e2e_teardown; }

# attributes PID: what sched_getattr(2) says: policy flags nice priority runtime deadline period.
attributes() {
	"$PYTHON" - "$1" <<-'END'
		import ctypes, os, struct, sys
		number = {"x86_64": 315, "aarch64": 275}[os.uname().machine]
		text = ctypes.create_string_buffer(48)
		if ctypes.CDLL(None, use_errno=True).syscall(number, int(sys.argv[1]), text, 48, 0) < 0:
		    sys.exit(os.strerror(ctypes.get_errno()))
		size, policy, flags, nice, priority, runtime, deadline, period = struct.unpack("IIQiIQQQ", text)
		print(policy, flags, nice, priority, *([runtime, deadline, period] if policy == 6 else []))
	END
}
# io_of PID: "realtime: prio 3", "best-effort: prio 0", "idle", ...
io_of() { ionice -p "$1"; }
# need_attributes: attributes can be had, and the values of the tests, above our own.
need_attributes() {
	[ "$NICE" -le 7 ] || skip "the tests run with nice $NICE"
	case $(uname -m) in x86_64 | aarch64) ;; *) skip "the test does not know sched_getattr here" ;; esac
}
# sleeping: the container runs; its attributes.
sleeping() {
	moss delete --force "$ID"
	program sleep 1000
	apart run -d "$ID" || { cat out && return 1; }
	attributes "$(pid_of)"
}
# of_exec EXEC_ARGS: the attributes of a process of exec's.
of_exec() {
	rm -f exec.pid
	apart exec -d --pid-file exec.pid "$@" || { cat out && return 1; }
	attributes "$(cat exec.pid)"
	kill -KILL "$(cat exec.pid)"
}
# unprivileged COMMAND...: without the right to give any scheduler: root drops CAP_SYS_NICE.
unprivileged() { if is_root; then setpriv --bounding-set -sys_nice "$@"; else "$@"; fi; }
# refused_early FILTER PATTERN: the field is refused before moss looks whether there is such a container already.
refused_early() {
	status=0
	cp kept.json config.json
	config "$1"
	unprivileged "$MOSS" --root "$ROOT" create "$ID" </dev/null >said 2>&1 3>&- 4>&- || status=$?
	cat said
	[ "$status" -eq 1 ]
	# shellcheck disable=SC2053 # a pattern
	[[ "$(cat said)" == $2 ]]
	run ! grep -q "already exists" said
}

@test "scheduler: what everybody may have" {
	need_attributes
	[ "$(sleeping)" = "0 0 $NICE 0" ]
	config '.process.scheduler = {policy: "SCHED_OTHER", nice: 7}'
	[ "$(sleeping)" = "0 0 7 0" ]
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: 19, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	[ "$(sleeping)" = "3 1 19 0" ]
	config '.process.scheduler = {policy: "SCHED_IDLE"}'
	[ "$(sleeping)" = "5 0 $NICE 0" ]
	ids
	config '.process.user = {uid: 5, gid: 5} | .process.scheduler = {policy: "SCHED_BATCH", nice: 9}'
	[ "$(sleeping)" = "3 0 9 0" ]
}

# Seen failing without: the host side's sched_setattr (plan_set_scheduler) in a user namespace.
@test "scheduler: root may have every policy, in a user namespace, too" {
	need_root "the right to real-time policies"
	need_attributes
	chrt -f 1 true || skip "no real-time policies here"
	for where in host userns; do
		[ "$where" = host ] || many_ids
		config '.process.user = {uid: 5, gid: 5} | .process.scheduler = {policy: "SCHED_FIFO", priority: 1}'
		[ "$(sleeping)" = "1 0 0 1" ]
		config '.process.scheduler = {policy: "SCHED_RR", priority: 99, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
		[ "$(sleeping)" = "2 1 0 99" ]
		config '.process.scheduler = {policy: "SCHED_OTHER", nice: -20}'
		[ "$(sleeping)" = "0 0 -20 0" ]
		config '.process.scheduler = {policy: "SCHED_BATCH", nice: -1}'
		[ "$(sleeping)" = "3 0 -1 0" ]
	done
}

@test "scheduler: SCHED_DEADLINE with runtime, deadline and period" {
	need_root "the right to SCHED_DEADLINE"
	need_attributes
	chrt -d -T 1000000 -D 100000000 -P 100000000 0 true || skip "no SCHED_DEADLINE here"
	config '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 50000000, period: 100000000, flags: ["SCHED_FLAG_RECLAIM"]}'
	[ "$(sleeping)" = "6 2 0 0 1000000 50000000 100000000" ]
	many_ids
	config '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 50000000, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	[ "$(sleeping)" = "6 1 0 0 1000000 50000000 50000000" ]
	[ "$(of_exec "$ID" sleep 100)" = "6 1 0 0 1000000 50000000 50000000" ]
	moss delete --force "$ID"
	# More than there is: the kernel's word, what to do, and nothing is left.
	config '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 50000000, deadline: 50000000}'
	for number in $(seq "$(nproc)"); do attempt create "$ID-$number"; done
	[ "$status" -eq 1 ]
	for number in $(seq "$(nproc)"); do moss delete --force "$ID-$number"; done
	[[ "$output" == *"process: scheduler: sched_setattr to SCHED_DEADLINE: Device or resource busy"*"less runtime"* ]]
	no_containers
}

@test "scheduler: of exec: the template's, and a file's own" {
	need_attributes
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: 11} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	[ "$(sleeping)" = "3 0 11 0" ]
	[ "$(of_exec "$ID" sleep 100)" = "3 0 11 0" ]
	apart exec -d --pid-file exec.pid "$ID" sleep 100
	[ "$(io_of "$(cat exec.pid)")" = "best-effort: prio 6" ]
	kill -KILL "$(cat exec.pid)"
	jq '.process | .args = ["sleep", "100"] | .scheduler = {policy: "SCHED_IDLE"} | del(.ioPriority)' config.json >process.json
	[ "$(of_exec -p process.json "$ID")" = "5 0 $NICE 0" ]
	jq 'del(.scheduler)' process.json >process2.json
	[ "$(of_exec -p process2.json "$ID")" = "0 0 $NICE 0" ]
	jq '.scheduler = {policy: "SCHED_RR"}' process.json >process2.json
	attempt exec -p process2.json "$ID"
	[ "$status" -eq 255 ]
	[[ "$output" == *"process: scheduler: priority: SCHED_RR needs one from 1 to 99"* ]]
	jq '.scheduler = {policy: "SCHED_FIFO", priority: 3}' process.json >process2.json
	if is_root && chrt -f 1 true; then
		[ "$(of_exec -p process2.json "$ID")" = "1 0 0 3" ]
	else
		attempt exec -p process2.json "$ID"
		[ "$status" -eq 255 ]
		[[ "$output" == *"process: scheduler: "*SCHED_FIFO*"operation not permitted"* ]]
	fi
}

# Seen failing without: rights_check.
@test "scheduler: what takes a right that the caller has not is refused before anything is made, naming field, cause and remedy" {
	local limit
	limit=$(ulimit -r)
	[ "$limit" = 0 ] || skip "the caller may have real-time policies"
	[ "$(ulimit -e)" -le 20 ] || skip "the caller may have any nice value"
	program sleep 1000
	apart create "$ID"
	cp config.json kept.json
	refused_early '.process.scheduler = {policy: "SCHED_FIFO", priority: 7}' '*process: scheduler: priority: SCHED_FIFO with 7*RLIMIT_RTPRIO is 0: operation not permitted*limits.conf*'
	refused_early '.process.scheduler = {policy: "SCHED_RR", priority: 1}' '*process: scheduler: priority: SCHED_RR*'
	refused_early '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 50000000}' \
		'*process: scheduler: policy: SCHED_DEADLINE takes CAP_SYS_NICE on the host: operation not permitted*root*'
	refused_early '.process.scheduler = {policy: "SCHED_OTHER", nice: -20}' '*process: scheduler: nice: -20 is below the caller*RLIMIT_NICE*operation not permitted*limits.conf*'
	refused_early '.process.ioPriority = {class: "IOPRIO_CLASS_RT"}' '*process: ioPriority: class: IOPRIO_CLASS_RT takes CAP_SYS_NICE on the host: operation not permitted*IOPRIO_CLASS_BE*'
	# What the caller itself has gone down to, its containers can't leave.
	cp kept.json config.json
	config '.process.scheduler = {policy: "SCHED_OTHER", nice: 19}'
	run unprivileged chrt -i 0 "$MOSS" --root "$ROOT" create "$ID"
	show
	[[ "$output" == *"process: scheduler: policy: the caller's is SCHED_IDLE"* ]]
	config '.process.scheduler.nice = 1'
	run unprivileged nice -n 15 "$MOSS" --root "$ROOT" create "$ID"
	show
	[[ "$output" == *"process: scheduler: nice: 1 is below the caller's, "*"operation not permitted"* ]]
}

@test "scheduler: with rtprio in the limits a caller without rights has real-time policies up to it" {
	need_root "raising the limit"
	need_attributes
	prlimit --rtprio=5:5 true 2>/dev/null || skip "the limit can't be raised here"
	chrt -f 1 true || skip "no real-time policies here"
	program sleep 1000
	config '.process.scheduler = {policy: "SCHED_RR", priority: 5} | .process.rlimits = [{type: "RLIMIT_RTPRIO", soft: 0, hard: 0}]'
	prlimit --rtprio=5:5 setpriv --bounding-set -sys_nice "$MOSS" --root "$ROOT" run -d "$ID" </dev/null >out 2>&1 3>&- 4>&-
	[ "$(attributes "$(pid_of)")" = "2 0 0 5" ]
	moss delete --force "$ID"
	config '.process.scheduler.priority = 6'
	run prlimit --rtprio=5:5 setpriv --bounding-set -sys_nice "$MOSS" --root "$ROOT" create "$ID"
	[[ "$output" == *"SCHED_RR with 6"*"RLIMIT_RTPRIO is 5"* ]]
}

@test "scheduler: values that a policy has not are refused with their field, SCHED_ISO, too" {
	cp config.json kept.json
	while IFS='|' read -r scheduler message; do
		cp kept.json config.json
		config ".process.scheduler = $scheduler"
		attempt create "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"process: scheduler: $message"* ]]
		no_containers
	done <<-'END'
		{policy: "SCHED_ISO"}|policy: Linux has no SCHED_ISO
		{policy: "SCHED_FAST"}|policy: unknown policy
		{policy: "SCHED_OTHER", nice: 20}|nice: 20 is not within
		{policy: "SCHED_OTHER", priority: 1}|priority: SCHED_OTHER has none
		{policy: "SCHED_FIFO"}|priority: SCHED_FIFO needs one from 1 to 99
		{policy: "SCHED_RR", priority: 100}|priority: 100 is not within
		{policy: "SCHED_IDLE", runtime: 1}|runtime: it is for SCHED_DEADLINE
		{policy: "SCHED_DEADLINE"}|runtime: SCHED_DEADLINE needs one
		{policy: "SCHED_DEADLINE", runtime: 2000, deadline: 1000}|deadline: 1000 ns is less
		{policy: "SCHED_DEADLINE", runtime: 2000, deadline: 2000, period: 1999}|period: 1999 ns is less
		{policy: "SCHED_OTHER", flags: ["SCHED_FLAG_NEW"]}|flags: unknown flags
	END
}

@test "io priority: each class, with its levels" {
	program sleep 1000
	cp config.json kept.json
	while IFS='|' read -r priority expected; do
		cp kept.json config.json
		config ".process.ioPriority = $priority"
		apart run -d "$ID"
		[ "$(io_of "$(pid_of)")" = "$expected" ]
		moss delete --force "$ID"
	done <<-'END'
		{class: "IOPRIO_CLASS_BE"}|best-effort: prio 0
		{class: "IOPRIO_CLASS_BE", priority: 7}|best-effort: prio 7
		{class: "IOPRIO_CLASS_IDLE"}|idle
	END
	if is_root; then
		for where in host userns; do
			[ "$where" = host ] || many_ids
			config '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 3} | .process.user = {uid: 5, gid: 5}'
			apart run -d "$ID"
			[ "$(io_of "$(pid_of)")" = "realtime: prio 3" ]
			moss delete --force "$ID"
		done
	fi
	for wrong in '{class: "IOPRIO_CLASS_NONE"}' '{priority: 1}' '{class: "IOPRIO_CLASS_BE", priority: 8}'; do
		cp kept.json config.json
		config ".process.ioPriority = $wrong"
		attempt create "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"process: ioPriority: "* ]]
	done
}

# Seen failing without: nothing left to the joining process's rights (set_scheduler in plan_scheduler of exec.c).
@test "scheduler: root's rights are not for what another user's config.json says" {
	need_root "entering a user's container"
	chrt -f 1 true || skip "no real-time policies here"
	many_ids
	program sleep 1000
	apart run -d "$ID"
	mkdir "$BATS_TEST_TMPDIR/theirs"
	cp -r "$ROOT/$ID" "$BATS_TEST_TMPDIR/theirs/"
	pid=$(pid_of)
	# The container's user namespace is user 100000's when its record is.
	unshare --user --map-root-user true
	chown -R 54321:54321 "$BATS_TEST_TMPDIR/theirs"
	setpriv --reuid 54321 --regid 54321 --clear-groups unshare --map-root-user --mount sleep 60 </dev/null >/dev/null 2>&1 3>&- 4>&- &
	victim=$!
	eventually eval '[ "$(tr "\0" " " <"/proc/$victim/cmdline")" = "sleep 60 " ]'
	jq --argjson pid "$victim" --argjson start "$(sed 's/.*) //' "/proc/$victim/stat" | cut -d' ' -f20)" \
		'del(.pidfd_inode) | .pid = $pid | .pid_start_time = $start | .own_pid_namespace = false | .cgroup = null | .new_keyring = false' \
		"$ROOT/$ID/state.json" >"$BATS_TEST_TMPDIR/theirs/$ID/state.json"
	jq '.linux.namespaces = []' "$ROOT/$ID/config.json" >"$BATS_TEST_TMPDIR/theirs/$ID/config.json"
	jq '.process | .args = ["/bin/sleep", "50"] | .env = ["PATH=/bin"] | .cwd = "/" | .rlimits = [] | .user = {uid: 0, gid: 0}
		| .scheduler = {policy: "SCHED_FIFO", priority: 50}' config.json >process.json
	attempt --root "$BATS_TEST_TMPDIR/theirs" exec -d -p process.json "$ID"
	kill "$victim"
	alive "$pid"
	[ "$status" -eq 255 ]
	[[ "$output" == *"process: scheduler: sched_setattr to SCHED_FIFO: operation not permitted"* ]]
}

# cpus PID: the list of CPUs that it may run on.
cpus() { awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$1/status"; }
cpus_of_exec() {
	rm -f exec.pid
	apart exec -d --pid-file exec.pid "$@" || { cat out && return 1; }
	cpus "$(cat exec.pid)"
	kill -KILL "$(cat exec.pid)"
}

@test "execCPUAffinity: for exec, not for the container's first process" {
	[[ "$(cpus self)" == 0-* ]] || skip "one CPU only, or not all of them"
	config '.process.execCPUAffinity = {initial: "0", final: "1"}'
	program sleep 1000
	apart run -d "$ID"
	[ "$(cpus "$(pid_of)")" = "$(cpus self)" ]
	[ "$(cpus_of_exec "$ID" sleep 100)" = 1 ]
	jq '.process | .args = ["sleep", "100"] | .execCPUAffinity = {final: " 0 , 0-0"}' config.json >process.json
	[ "$(cpus_of_exec -p process.json "$ID")" = 0 ]
	jq '.execCPUAffinity = {initial: "1"}' process.json >process2.json # nothing else moves it: no cpuset here
	[ "$(cpus_of_exec -p process2.json "$ID")" = 1 ]
	jq '.execCPUAffinity = {initial: "", final: ""}' process.json >process2.json
	[ "$(cpus_of_exec -p process2.json "$ID")" = "$(cpus self)" ]
	[ "$(cpus $$)" = "$(cpus self)" ]
}

@test "execCPUAffinity: the initial CPUs are taken before the container is entered, the final ones at the end" {
	need_command strace
	[[ "$(cpus self)" == 0-* ]] || skip "one CPU only, or not all of them"
	export ASAN_OPTIONS=detect_leaks=0
	config '.process.execCPUAffinity = {initial: "0", final: "1"}'
	program sleep 1000
	apart run -d "$ID"
	strace -f -o trace -e trace=sched_setaffinity,setns,execve "$MOSS" --root "$ROOT" exec "$ID" true </dev/null >out 2>&1 3>&- 4>&-
	cat trace
	[ "$(grep -oE '(sched_setaffinity|setns|execve)\(' trace | uniq | xargs)" = "execve( sched_setaffinity( setns( sched_setaffinity( execve(" ]
}

@test "execCPUAffinity: lists are read strictly, and CPUs that are not there are named" {
	program sleep 1000
	apart run -d "$ID"
	for list in '0,' ',0' '0,,1' 1-0 0-1-2 -1 0x1 a 0-99999 ' '; do
		jq --arg l "$list" '.process | .args = ["true"] | .execCPUAffinity = {final: $l}' config.json >process.json
		attempt exec -p process.json "$ID"
		[ "$status" -eq 255 ]
		[[ "$output" == *"process: execCPUAffinity: final: "* ]]
	done
	for field in initial final; do
		jq --arg f "$field" '.process | .args = ["true"] | .execCPUAffinity = {($f): "8191"}' config.json >process.json
		attempt exec -p process.json "$ID"
		[ "$status" -eq 255 ]
		[[ "$output" == *"process: execCPUAffinity: $field: sched_setaffinity: Invalid argument"*online* ]]
	done
	config '.process.execCPUAffinity = {initial: "0-"}'
	moss delete --force "$ID"
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: execCPUAffinity: initial: "* ]]
}

need_numa() { [ -r /proc/self/numa_maps ] || skip "this kernel has no NUMA"; }
# policy_of POLICY: what the program's memory has.
policy_of() {
	cp kept.json config.json
	config ".linux.memoryPolicy = $1"
	program awk 'NR == 1 { sub(/ (file|anon|heap|stack).*/, ""); sub(/^[0-9a-f]* /, ""); print }' /proc/self/numa_maps
	moss run "$ID" </dev/null
}

@test "memory policy: each mode and flag is what the program has" {
	need_numa
	cp config.json kept.json
	[ "$(policy_of 'null')" = default ]
	[ "$(policy_of '{mode: "MPOL_DEFAULT"}')" = default ]
	[ "$(policy_of '{mode: "MPOL_BIND", nodes: "0"}')" = bind:0 ]
	[ "$(policy_of '{mode: "MPOL_INTERLEAVE", nodes: "0-0"}')" = interleave:0 ]
	[ "$(policy_of '{mode: "MPOL_PREFERRED", nodes: "0"}')" = prefer:0 ]
	[ "$(policy_of '{mode: "MPOL_PREFERRED"}')" = local ]
	[ "$(policy_of '{mode: "MPOL_LOCAL"}')" = local ]
	[ "$(policy_of '{mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}')" = bind=static:0 ]
	[ "$(policy_of '{mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"]}')" = bind=relative:0 ]
	[[ "$(policy_of '{mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]}')" == bind*:0 ]]
	case $(uname -r) in
	[1-5].* | 6.[0-8] | 6.[0-8][.-]*) ;;
	*)
		[[ "$(policy_of '{mode: "MPOL_PREFERRED_MANY", nodes: "0"}')" == "prefer (many):0" ]]
		[[ "$(policy_of '{mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "0"}')" == "weighted interleave:0" ]]
		;;
	esac
}

@test "memory policy: is for every process of the container, those of exec, too" {
	need_numa
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	jq '.process | .args = ["grep", "-m", "1", "bind:0", "/proc/self/numa_maps"]' config.json >process.json
	program sleep 1000
	apart run -d "$ID"
	moss exec "$ID" grep -m 1 bind:0 /proc/self/numa_maps
	moss exec -p process.json "$ID"
	moss delete --force "$ID"
	config 'del(.linux.memoryPolicy)'
	apart run -d "$ID"
	run ! moss exec -p process.json "$ID"
}

@test "memory policy: what the kernel can't do is refused with its field" {
	cp config.json kept.json
	while IFS='|' read -r policy message; do
		cp kept.json config.json
		config ".linux.memoryPolicy = $policy"
		attempt create "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"linux: memoryPolicy: $message"* ]]
		no_containers
	done <<-'END'
		{mode: "MPOL_RANDOM"}|mode: unknown mode
		{nodes: "0"}|mode: missing
		{mode: "MPOL_BIND"}|nodes: MPOL_BIND needs at least one
		{mode: "MPOL_LOCAL", nodes: "0"}|nodes: MPOL_LOCAL takes none
		{mode: "MPOL_BIND", nodes: "0-"}|nodes: 
		{mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}|flags: 
		{mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]}|flags: 
	END
	cp kept.json config.json
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1023"}'
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"linux: memoryPolicy: set_mempolicy to MPOL_BIND: "*NUMA* || "$output" == *"linux: memoryPolicy: set_mempolicy to MPOL_BIND: Invalid argument; the nodes must be among"* ]]
	no_containers
}

# Seen failing with: the steps of scheduler.c in every container.
@test "scheduler: a container that asks for nothing costs no system call for it" {
	need_command strace
	export ASAN_OPTIONS=detect_leaks=0
	program true
	strace -f -o trace -e trace='/^(sched_setattr|sched_getattr|sched_setaffinity|sched_setscheduler|setpriority|ioprio_set|set_mempolicy|execve)$' \
		"$MOSS" --root "$ROOT" run "$ID" </dev/null
	grep -c execve trace
	run ! grep -vE 'execve|\+\+\+ exited|SIGCHLD' trace
}
