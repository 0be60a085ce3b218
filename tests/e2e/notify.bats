#!/usr/bin/env bats
# notify.bats - NOTIFY_SOCKET, proxied into the container: what the service manager gets, and what not.
load lib.bash

setup() {
	[ -x /usr/bin/python3 ] || skip "the container runs the host's /usr/bin/python3, which is not installed"
	e2e_setup
	with_notify
	export NOTIFY_SOCKET="$BATS_TEST_TMPDIR/manager"
}
teardown() {
	manager_end
	e2e_teardown
}

# service STEP...: what the container does (notify.py).
service() { program /usr/bin/python3 /notify.py send "$@"; }

# told: the texts that the manager got, one line each.
told() { jq -r '.text | rtrimstr("\n") | gsub("\n"; "|")' told; }
# expect LINE...: wait until that is all that it got; "*" stands for anything.
is_told() {
	local line n=0 lines
	mapfile -t lines < <(told)
	[ "${#lines[@]}" -eq $# ] || return 1
	for line in "$@"; do
		# shellcheck disable=SC2053 # a pattern
		[[ ${lines[n++]} == $line ]] || return 1
	done
}
expect() { eventually is_told "$@" || { cat told && return 1; }; }
# told_by TEXT: the pid of the process that sent a message with TEXT.
told_by() { jq -r --arg t "$1" 'select(.text | contains($t)) | .pid' told | head -n 1; }

@test "notify: run passes on READY, STATUS and STOPPING, and names itself as the one to watch" {
	manager
	service STATUS=starting $'READY=1\nSTATUS=ready' STATUS=later STOPPING=1
	background run "$ID"
	wait "$PID" || { cat out && return 1; }
	expect STATUS=starting "READY=1|STATUS=ready|MAINPID=$PID" STATUS=later STOPPING=1
	[ "$(told_by READY)" = "$PID" ]
	[ ! -s out ]
	[ ! -e "$ROOT/$ID" ]
}

# Seen failing without: notify_drain() in foreground_wait(). moss is stopped, so that the end and the messages come together.
@test "notify: what a program told before its end is passed on" {
	manager
	service tell:/tmp/there wait:/tmp/go READY=1 STATUS=last
	for command in run "run -d"; do
		rm -f rootfs/tmp/there rootfs/tmp/go
		# shellcheck disable=SC2086 # two words
		background $command "$ID"
		eventually test -e rootfs/tmp/there
		inside=$(pid_of)
		kill -STOP "$PID"
		touch rootfs/tmp/go
		eventually dead "$inside"
		[ ! -s told ] || [ "$command" = "run -d" ]
		kill -CONT "$PID"
		wait "$PID"
		eventually grep -q STATUS=last told
		moss delete --force "$ID"
	done
	expect "READY=1|MAINPID=*" STATUS=last "READY=1|MAINPID=$inside" STATUS=last BARRIER=1
}

@test "notify: in the container it is /run/notify/notify.sock, on a read-only mount" {
	manager
	container 'echo $NOTIFY_SOCKET; stat -c "%F %a" $NOTIFY_SOCKET /run/notify; touch /run/notify/x || cat /proc/self/mountinfo'
	[ "${lines[0]}" = /run/notify/notify.sock ]
	[ "${lines[1]}" = "socket 777" ]
	[ "${lines[2]}" = "directory 755" ]
	mount_has /run/notify any ro nosuid nodev noexec
	# a umask of the caller's is not the container's
	(umask 077 && moss run "$ID" >out)
	grep -qx "socket 777" out
	grep -qx "directory 755" out
}

@test "notify: run -d ends when the container is ready, and names it as the one to watch" {
	manager
	service STATUS=starting tell:/tmp/there wait:/tmp/go READY=1 wait:/tmp/end fails:STATUS=later
	background run -d "$ID"
	eventually test -e rootfs/tmp/there
	eventually grep -q STATUS=starting told
	[ "$(status_of)" = running ] # it is not locked
	alive "$PID"
	inside=$(pid_of)
	[ "$(awk '/^PPid/ { print $2 }' "/proc/$inside/status")" = "$BASHPID" ] # ours, not moss's: systemd asks for that
	touch rootfs/tmp/go
	wait "$PID" || { cat out && return 1; }
	expect STATUS=starting "READY=1|MAINPID=$inside" BARRIER=1
	[ "$(jq -c 'select(.text == "BARRIER=1") | .fds' told)" = 1 ]
	[ "$(told_by READY)" = "$PID" ]
	[ ! -e "$ROOT/$ID/notify/notify.sock" ]
	touch rootfs/tmp/end
	wait_for stopped
	[ "$(told | wc -l)" -eq 3 ]
	[ ! -s out ]
	moss delete "$ID"
	no_containers
}

# Seen failing without: CLONE_PARENT in clone_joiner().
@test "notify: run -d of a container that joins another's namespaces names our child, too" {
	manager
	(unset NOTIFY_SOCKET && program sleep 60 && moss run -d "$ID-a" </dev/null >/dev/null 2>&1)
	first=$(pid_of "$ID-a")
	service READY=1 wait:/tmp/never
	for type in ipc uts user; do
		[ ! -e "/proc/$first/ns/$type" ] || [ "$(readlink "/proc/$first/ns/$type")" = "$(readlink "/proc/self/ns/$type")" ] ||
			config '.linux.namespaces |= (map(select(.type != $t)) + [{type: $t, path: $p}]) | del(.linux.uidMappings, .linux.gidMappings)' \
				--arg t "$type" --arg p "/proc/$first/ns/$type"
	done
	background run -d "$ID"
	wait "$PID" || { cat out && return 1; }
	inside=$(pid_of)
	[ "$(readlink "/proc/$inside/ns/ipc")" = "$(readlink "/proc/$first/ns/ipc")" ]
	[ "$(awk '/^PPid/ { print $2 }' "/proc/$inside/status")" = "$BASHPID" ]
	expect "READY=1|MAINPID=$inside" BARRIER=1
	moss delete --force "$ID"
	moss delete --force "$ID-a"
}

@test "notify: run -d of a program that is not there, or dies half-way: the error is the usual one, and nothing is left" {
	manager
	program /nothing
	attempt run -d "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"o such file or directory"* ]]
	no_containers
	service READY=1
	config '.process.rlimits = [{type: "RLIMIT_CPU", hard: 0, soft: 0}] | .process.args = ["/bin/sh", "-c", "while :; do :; done"]'
	attempt run -d "$ID"
	eventually eval '[ "$(status_of)" = stopped ]'
	moss delete "$ID"
	no_containers
}

@test "notify: create, then start, which waits for READY" {
	manager
	service STATUS=starting tell:/tmp/there wait:/tmp/go READY=1 wait:/tmp/end
	apart create "$ID"
	inside=$(pid_of)
	[ ! -s told ]
	background start "$ID"
	eventually test -e rootfs/tmp/there
	alive "$PID"
	moss state "$ID" | jq -e '.status == "running"'
	touch rootfs/tmp/go
	wait "$PID" || { cat out && return 1; }
	expect STATUS=starting "READY=1|MAINPID=$inside" BARRIER=1
	[ "$(status_of)" = running ]
	touch rootfs/tmp/end
	wait_for stopped
}

@test "notify: start and run -d end with the container when it is never ready" {
	manager
	service STATUS=starting RELOADING=1
	apart create "$ID"
	moss start "$ID"
	wait_for stopped
	expect STATUS=starting RELOADING=1
	moss delete "$ID"
	apart run -d "$ID"
	wait_for stopped
	expect STATUS=starting RELOADING=1 STATUS=starting RELOADING=1
	moss delete "$ID"
	# killed from outside
	service tell:/tmp/there sleep:60
	background run -d "$ID"
	eventually test -e rootfs/tmp/there
	moss kill "$ID" KILL
	wait "$PID"
	wait_for stopped
}

@test "notify: a signal ends the waiting of run -d, not the container" {
	manager
	service tell:/tmp/there sleep:60
	background run -d "$ID"
	eventually test -e rootfs/tmp/there
	kill -TERM "$PID"
	status=0
	wait "$PID" || status=$?
	cat out
	[ "$status" -eq 143 ]
	grep -q "READY=1" out
	[ "$(status_of)" = running ]
}

@test "notify: without NOTIFY_SOCKET there is nothing of it" {
	manager
	program sh -c 'env | grep NOTIFY; ls -d /run/notify /run; sleep 60'
	for without in --unset=NOTIFY_SOCKET NOTIFY_SOCKET=; do
		env "$without" "$MOSS" --root "$ROOT" run -d "$ID" </dev/null >out 2>/dev/null 3>&- 4>&-
		[ "$(status_of)" = running ]
		[ ! -s out ]
		[ ! -e "$ROOT/$ID/notify" ]
		jq -e '.notes == [] or (.notes | all(test("NOTIFY") | not))' "$ROOT/$ID/state.json"
		moss delete --force "$ID"
	done
	[ ! -e rootfs/run/notify ]
	[ ! -s told ]
	# started by a service manager, created without one: nothing to wait for
	program sleep 60
	env -u NOTIFY_SOCKET "$MOSS" --root "$ROOT" create "$ID" </dev/null >out 2>&1 3>&- 4>&-
	moss --log log start "$ID"
	grep -q "NOTIFY_SOCKET: .*created without" log
	[ ! -s told ]
}

@test "notify: created with one, started without: the program finds no socket, and is not held up" {
	manager
	program sh -c '[ -d /run/notify ] && [ ! -e $NOTIFY_SOCKET ] && touch /tmp/there; sleep 60'
	apart create "$ID"
	env -u NOTIFY_SOCKET "$MOSS" --root "$ROOT" start "$ID"
	eventually test -e rootfs/tmp/there
	[ ! -s told ]
}

@test "notify: a NOTIFY_SOCKET of config.json is an engine's own affair" {
	manager
	config '.process.env += ["NOTIFY_SOCKET=/their/socket"]'
	container 'echo $NOTIFY_SOCKET; ls /run/notify'
	[ "$output" = /their/socket ]
	[ ! -s told ]
}

@test "notify: abstract sockets, and paths longer than an address" {
	export NOTIFY_SOCKET="@$E2E_TOKEN-$BATS_SUITE_TEST_NUMBER"
	manager
	service READY=1
	apart run "$ID"
	expect "READY=1|MAINPID=*"
	kill "$MANAGER"
	NOTIFY_SOCKET="$BATS_TEST_TMPDIR/$(printf 'd%.0s' {1..150})/$(printf 's%.0s' {1..60})"
	mkdir "${NOTIFY_SOCKET%/*}"
	manager
	apart run "$ID"
	expect "READY=1|MAINPID=*"
}

# The variable is inherited by shells and nested engines long after its socket has done its work.
@test "notify: a manager that is not there is noted; the container runs and gets no socket" {
	program sh -c 'env | grep NOTIFY; ls /run; echo end'
	mkdir "$BATS_TEST_TMPDIR/directory"
	for value in "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/none/none" "@$E2E_TOKEN-none" relative vsock:2:1234 \
		"$BATS_TEST_TMPDIR/directory" "@$(printf 'x%.0s' {1..200})"; do
		export NOTIFY_SOCKET=$value
		rm -f log
		run --separate-stderr moss --log log run "$ID"
		show
		[ "$status" -eq 0 ]
		[ "$output" = end ]
		grep -qF "NOTIFY_SOCKET: ${value:0:80}" log
		grep -q "the container gets none" log
	done
	# gone between create and start
	export NOTIFY_SOCKET="$BATS_TEST_TMPDIR/manager"
	manager
	service tell:/tmp/there
	program sh -c '[ ! -e $NOTIFY_SOCKET ] && touch /tmp/there; sleep 60'
	apart create "$ID"
	jq -e '.notes | all(test("NOTIFY") | not)' "$ROOT/$ID/state.json"
	kill "$MANAGER"
	wait "$MANAGER" || true
	rm "$NOTIFY_SOCKET"
	moss --log log start "$ID"
	eventually test -e rootfs/tmp/there
	grep -q "NOTIFY_SOCKET: .*o such file" log
}

# Seen failing without: notify_message_filter(). A MAINPID of the container's choice would make systemd watch, and kill,
# any process of the host.
@test "notify: what is not the container's to tell is dropped" {
	manager
	service MAINPID=1 MAINPIDFDID=1 NOTIFYACCESS=all WATCHDOG_USEC=0 FDSTORE=1 FDSTOREREMOVE=1 FDNAME=x FDPOLL=0 BARRIER=1 \
		X_OWN=1 nonsense "" $'\n\n\n' = READY READY= READY=0 READY=yes READY=11 " READY=1" ready=1 \
		RELOADING=2 WATCHDOG=2 ERRNO=x ERRNO= ERRNO=-1 EXTEND_TIMEOUT_USEC=123456789012345678901 \
		$'STATUS=\e[2J' $'STATUS=a\x7f' $'STATUS=a\xc2\x9bc' $'STATUS=a\rb' $'\xff\xfe\x80' \
		big:4097 big:100000 fds:2:FDSTORE=1 fds:200:FDSTORE=1 barrier \
		$'MAINPID=1\nSTATUS=kept\nMAINPID=1\nNOTIFYACCESS=all' fds:3:ERRNO=7 WATCHDOG=1 WATCHDOG=trigger $'STATUS=\xc3\xa4' \
		EXTEND_TIMEOUT_USEC=5 $'RELOADING=1\nMONOTONIC_USEC=77' STATUS= $'STATUS=a\nMAINPID=1\nREADY=1'
	background --log log run "$ID"
	wait "$PID" || { cat out && return 1; }
	expect STATUS=kept ERRNO=7 WATCHDOG=1 WATCHDOG=trigger $'STATUS=\xc3\x83\xc2\xa4' EXTEND_TIMEOUT_USEC=5 \
		"RELOADING=1|MONOTONIC_USEC=77" STATUS= "STATUS=a|READY=1|MAINPID=$PID"
	[ "$(jq -s 'map(.fds) | add' told)" -eq 0 ]
	[ "$(grep -c "is dropped" log)" -eq 1 ]
}

@test "notify: fds that the container sends do not pile up in moss" {
	manager
	service fds:200:FDSTORE=1 fds:200:FDSTORE=1 fds:200:STATUS=x barrier tell:/tmp/there wait:/tmp/go
	background run "$ID"
	eventually test -e rootfs/tmp/there
	[ "$(find "/proc/$PID/fd" -mindepth 1 | wc -l)" -lt 30 ]
	touch rootfs/tmp/go
	wait "$PID"
}

# Seen failing without: NOTIFY_RATE, with more than 100,000 messages in 3 s.
@test "notify: a flood is slowed down at its source, and nothing is lost behind it" {
	manager
	service flood:3 READY=1 tell:/tmp/there flood:60
	background run "$ID"
	eventually test -e rootfs/tmp/there
	told | tail -n 3
	[ "$(told | wc -l)" -lt 1000 ]
	eventually grep -q READY=1 told
	[ "$(told | sed -n '/READY/q; s/STATUS=flood //p' | awk '$1 != NR - 1' | wc -l)" -eq 0 ]
	moss state "$ID" | jq -e '.status == "running"'
	kill -TERM "$PID"
	wait "$PID"
}

@test "notify: a manager that does not read holds up the sender, not moss" {
	manager hold
	service flood:30
	background run "$ID"
	wait_for running
	sleep 1
	kill -KILL "$(pid_of)"
	start=$SECONDS
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 137 ]
	[ $((SECONDS - start)) -le 5 ]
	no_containers
}

@test "notify: a manager that goes away is no trouble for the container" {
	manager
	service STATUS=one tell:/tmp/there wait:/tmp/go STATUS=two sleep:0.2 fails:STATUS=three fails:STATUS=four
	background --log log run "$ID"
	eventually test -e rootfs/tmp/there
	kill "$MANAGER"
	wait "$MANAGER" || true
	touch rootfs/tmp/go
	wait "$PID" || { cat out && return 1; }
	grep -q "NOTIFY_SOCKET: send to the service manager" log
}

@test "notify: a manager that does not answer the barrier costs 10 s, and is told in the log" {
	manager hold
	service READY=1 sleep:30
	apart --log log run -d "$ID"
	grep -q "did not read its messages within 10 s" log
	[ "$(status_of)" = running ]
}

@test "notify: every user of the container may tell" {
	manager
	ids
	config '.process.user = {uid: 5, gid: 5}'
	chmod 1777 rootfs/tmp
	service READY=1
	apart run "$ID"
	expect "READY=1|MAINPID=*"
}

@test "notify: with user namespaces of root's" {
	need_root "a mapping without root's own ids"
	manager
	many_ids
	mkdir rootfs/run
	chown 100000:100000 rootfs/run
	service READY=1
	apart run "$ID"
	expect "READY=1|MAINPID=*"
}

@test "notify: a read-only root without /run" {
	manager
	[ ! -e rootfs/run ]
	config '.root.readonly = true'
	service READY=1
	apart run "$ID"
	expect "READY=1|MAINPID=*"
}

@test "notify: a root file system that can't be written: a tmpfs on /run, or an error that names it" {
	need_root "a mount"
	manager
	service READY=1
	cat >on_ro <<-'END'
		mount --bind rootfs rootfs && mount -o remount,bind,ro rootfs && exec "$@"
	END
	run unshare -m sh on_ro "$MOSS" --root "$ROOT" run "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"NOTIFY_SOCKET: /run/notify: "*"ead-only file system"* ]]
	no_containers
	mkdir rootfs/run
	config '.mounts += [{destination: "/run", type: "tmpfs", source: "tmpfs"}]'
	run unshare -m sh on_ro "$MOSS" --root "$ROOT" run "$ID"
	show
	[ "$status" -eq 0 ]
	expect "READY=1|MAINPID=*"
}

# CVE-2025-24965: another runtime wrote a helper's file into the root file system by its path.
@test "notify: CVE-2025-24965: links in the image lead nowhere outside" {
	manager
	mkdir -p "$BATS_TEST_TMPDIR/outside/notify"
	service READY=1
	for link in "$BATS_TEST_TMPDIR/outside" ../../../../../../../../../../"$BATS_TEST_TMPDIR/outside"; do
		rm -rf rootfs/run
		ln -s "$link" rootfs/run
		apart run "$ID" || true
		[ "$(find "$BATS_TEST_TMPDIR/outside" | wc -l)" -eq 2 ]
	done
	rm rootfs/run && mkdir rootfs/run
	ln -s "$BATS_TEST_TMPDIR/outside/notify" rootfs/run/notify
	apart run "$ID" || true
	[ "$(find "$BATS_TEST_TMPDIR/outside" | wc -l)" -eq 2 ]
	eventually grep -q READY=1 told
}

# Seen failing without: io_remove_tree() in state_remove().
@test "notify: what a privileged container leaves in the directory goes with it" {
	manager
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"]) | .process.noNewPrivileges = false'
	program sh -c 'mount -o remount,bind,rw /run/notify && cd /run/notify && mkdir -p a/b/c && echo x >a/b/c/file &&
		ln -s / a/link && rm notify.sock && ln -s /etc/passwd notify.sock && echo made'
	run moss run "$ID"
	show
	[ "$output" = made ]
	[ ! -e "$ROOT/$ID" ]
	# and create's
	service sleep:60
	apart create "$ID"
	mkdir -p "$ROOT/$ID/notify/a/b"
	moss delete --force "$ID"
	no_containers
}

@test "notify: a socket that a killed start left is no obstacle" {
	manager
	service READY=1 sleep:60
	apart create "$ID"
	"$PYTHON" -c 'import os, socket, sys
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind("notify.sock")' "$ROOT/$ID/notify"
	moss start "$ID"
	expect "READY=1|MAINPID=$(pid_of)" BARRIER=1
}

@test "notify: with a terminal" {
	manager
	config '.process.terminal = true'
	service READY=1 sleep:0.2 STATUS=end
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 0 ]
	expect "READY=1|MAINPID=*" STATUS=end
}
