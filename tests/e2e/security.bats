#!/usr/bin/env bats
# security.bats - one test per known weakness of container runtimes; the name carries its id.
# "Seen failing" says with which Debian 12 package this very test failed: runc 1.1.5, crun 1.8.1.
# "Seen failing without" names what was taken out of moss to see the test fail, as root and as a user.
load lib.bash
setup() {
	e2e_setup
	OUTSIDE="$BATS_TEST_TMPDIR/outside" # nothing may ever appear or change here
	mkdir "$OUTSIDE"
	echo untouched >"$OUTSIDE/file"
	chmod 0644 "$OUTSIDE/file"
	before=$(outside)
}
teardown() { e2e_teardown; }

outside() { find "$OUTSIDE" -printf '%p %y %m %U %s %T@\n' | sort; }
outside_unchanged() { diff <(echo "$before") <(outside) && [ "$(cat "$OUTSIDE/file")" = untouched ]; }
# without_dev: no mount at or below /dev; the image's own /dev is used.
without_dev() { config '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))'; }
# private_moss: a copy that this test may lose.
private_moss() {
	cp "$MOSS" "$BATS_TEST_TMPDIR/moss"
	chmod 0755 "$BATS_TEST_TMPDIR/moss"
	PRIVATE="$BATS_TEST_TMPDIR/moss"
	sum=$(sha256sum <"$PRIVATE")
}

# hold_exe PID: the executable of PID, open as fd 9; it must be the runtime.
hold_exe() {
	exec 9<"/proc/$1/exe"
	[ "$(sha256sum <&9)" = "$sum" ]
}

# Seen failing without: the binary sealed before the container's first process (step_protect_binary).
@test "CVE-2019-5736: an entry point that is #!/proc/self/exe does not reach the runtime's binary" {
	private_moss
	mkfifo rootfs/tmp/log
	printf '#!/proc/self/exe --log=/tmp/log\n' >rootfs/entry # executed again, it waits for the fifo's reader
	chmod +x rootfs/entry
	config '.mounts |= map(select(.destination != "/tmp")) | .root.readonly = false'
	program /entry
	"$PRIVATE" --root "$ROOT" run "$ID" </dev/null >out 2>&1 3>&- 4>&- &
	PID=$!
	wait_for running
	inside=$(pid_of)
	eventually eval '[ "$(tr "\0" " " <"/proc/$inside/cmdline")" = "/proc/self/exe --log=/tmp/log /entry " ]'
	hold_exe "$inside"
	kill -KILL "$inside"
	wait "$PID" || true
	eventually dead "$inside"
	# Nothing runs it any more: a private copy of the host's file would be open to its owner now.
	if echo pwned 2>/dev/null >>/proc/self/fd/9; then false; fi
	exec 9<&-
	[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
	timeout 10 "$PRIVATE" --root "$ROOT" run "$ID" </dev/null >out 2>&1 3>&- 4>&- & # and as it comes
	PID=$!
	wait_for running
	cat rootfs/tmp/log
	wait "$PID" || true
	[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
}

# Both peers are protected against this one.
# Seen failing without: the binary sealed before the container's first process (step_protect_binary).
@test "CVE-2019-5736: a process of the container that writes to /proc/PID/exe does not change the binary" {
	private_moss
	caps='["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"]'
	config ".process.capabilities |= (map_values(. + $caps) | .bounding += $caps)"
	config '.mounts |= map(select(.destination != "/tmp")) | .root.readonly = false'
	mkfifo rootfs/tmp/target rootfs/tmp/write
	# The writer holds the other process's executable open, and writes once nothing runs it.
	program sh -c 'echo ready
		read -r pid <>/tmp/target
		exec 9</proc/$pid/exe && sha256sum <&9
		read -r _ <>/tmp/write
		for i in 1 2 3 4 5 6 7 8 9 10; do echo pwned >>/proc/self/fd/9 && echo WROTE && break; sleep 0.1; done
		echo done'
	apart run -d "$ID"
	eventually grep -q ready out
	other=$(pid_of)
	config '.linux.namespaces |= (map(select(.type != "pid")) + [{type: "pid", path: $p}])' --arg p "/proc/$other/ns/pid"
	is_root || config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user", path: $p}])
		| del(.linux.uidMappings, .linux.gidMappings)' --arg p "/proc/$other/ns/user"
	program true
	# Created and not started: its first process is the runtime, as long as we like.
	timeout 10 "$PRIVATE" --root "$ROOT" create "$ID-2" </dev/null >out2 2>&1 3>&- 4>&-
	inside=$(pid_of "$ID-2")
	awk '/^NSpid:/ { print $NF }' "/proc/$inside/status" >rootfs/tmp/target
	eventually grep -qxF "$sum" out
	moss delete --force "$ID-2"
	eventually dead "$inside"
	echo >rootfs/tmp/write
	eventually grep -qx "done" out
	cat out
	[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
	run ! grep -q WROTE out
	moss delete --force "$ID"
}

# Seen failing without: PR_SET_DUMPABLE 0 in the set-up phase (step_wait_for_map).
@test "CVE-2026-41163: a process of the same user can't trace the set-up of a container" {
	need_user "root may trace everything"
	program true
	half_way
	result=""
	(: <"/proc/$INSIDE/mem") 2>/dev/null && result="$result mem"
	(: <"/proc/$INSIDE/environ") 2>/dev/null && result="$result environ"
	ls "/proc/$INSIDE/fd" >/dev/null 2>&1 && result="$result fd"
	[ ! -e "/proc/$INSIDE/root/etc" ] || result="$result root"
	"$PYTHON" -c 'import ctypes, sys
sys.exit(ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), None, None) != 0)' "$INSIDE" && result="$result ptrace"
	kill -CONT "$INSIDE" "$PID"
	wait "$PID"
	moss delete --force "$ID"
	[ -z "$result" ] || { echo "open:$result" && false; }
}

# Seen failing: crun 1.8.1, as root and as a user.
# Seen failing without: getcwd's test (program_check_cwd).
@test "CVE-2024-21626: cwd /proc/self/fd/3..64 never lands outside" {
	program sh -c "for i in . .. ../.. ../../.. ../../../..; do
		if [ -e \$i$OUTSIDE/file ]; then echo escaped; fi; done; ls -id ."
	host_root=$(stat -c %i /)
	for n in $(seq 3 64); do
		config '.process.cwd = $cwd' --arg cwd "/proc/self/fd/$n"
		timeout 10 "$MOSS" --root "$ROOT" run "$ID" >out 2>&1 3</ 4</ 5</ 6</ 7</ 8</ 9</ </dev/null || true
		if grep -q escaped out; then cat out && false; fi
		if grep -qE "^ *$host_root \.$" out; then cat out && false; fi
	done
	# A directory of the caller that is handed on deliberately is no way out either.
	config '.process.cwd = "/proc/self/fd/3"'
	for directory in / "$OUTSIDE"; do
		status=0
		timeout 10 "$MOSS" --root "$ROOT" run --preserve-fds 1 "$ID" >out 2>&1 3<"$directory" 4>&- </dev/null || status=$?
		cat out
		[ "$status" -eq 1 ]
		grep -q 'outside' out
	done
	outside_unchanged
}

# Seen failing without: getcwd's test (program_check_cwd), with the preserved fd.
# Seen failing: crun 1.8.1, as root and as a user.
@test "CVE-2024-21626: exec with cwd /proc/self/fd/3..64 never lands outside" {
	program sleep 1000
	apart run -d "$ID"
	host_root=$(stat -c %i /)
	for n in $(seq 3 64); do
		timeout 10 "$MOSS" --root "$ROOT" exec --cwd "/proc/self/fd/$n" "$ID" sh -c "[ ! -e ../../../..$OUTSIDE/file ] || echo escaped; ls -id ." \
			>out 2>&1 3</ 4</ 5</ 6</ 7</ 8</ 9</ </dev/null || true
		if grep -q escaped out; then cat out && false; fi
		if grep -qE "^ *$host_root \.$" out; then cat out && false; fi
	done
	for directory in / "$OUTSIDE"; do
		status=0
		timeout 10 "$MOSS" --root "$ROOT" exec --preserve-fds 1 --cwd /proc/self/fd/3 "$ID" true >out 2>&1 3<"$directory" 4>&- </dev/null || status=$?
		cat out
		[ "$status" -eq 255 ]
		grep -q 'outside' out
	done
	outside_unchanged
}

# Seen failing without: the binary sealed in exec (get_inside of join.c).
@test "CVE-2019-5736: exec of #!/proc/self/exe does not reach the runtime's binary" {
	private_moss
	mkfifo rootfs/tmp/log
	printf '#!/proc/self/exe --log=/tmp/log\n' >rootfs/entry
	chmod +x rootfs/entry
	config '.mounts |= map(select(.destination != "/tmp")) | .root.readonly = false'
	program sleep 1000
	apart run -d "$ID"
	"$PRIVATE" --root "$ROOT" exec -d --pid-file pid "$ID" /entry </dev/null >out 2>&1 3>&- 4>&-
	inside=$(cat pid)
	eventually eval '[ "$(tr "\0" " " <"/proc/$inside/cmdline")" = "/proc/self/exe --log=/tmp/log /entry " ]'
	hold_exe "$inside"
	kill -KILL "$inside"
	eventually dead "$inside"
	if echo pwned 2>/dev/null >>/proc/self/fd/9; then false; fi
	exec 9<&-
	[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
	moss delete --force "$ID"
}

# A binary that was removed after its start is sealed as a copy in memory. Seen failing without: MFD_EXEC, the hint.
@test "CVE-2019-5736: where files in memory are not to be executed (vm.memfd_noexec), the copy says that it is, or what to do" {
	need_root "the sysctl"
	[ -e /proc/sys/vm/memfd_noexec ] || skip "this kernel has no sysctl vm.memfd_noexec"
	program echo inside
	for value in 1 2; do
		private_moss
		# shellcheck disable=SC2016 # expanded by the inner shell
		run unshare --pid --fork --mount-proc sh -c 'echo "$1" >/proc/sys/vm/memfd_noexec && exec 9<"$2" && rm "$2" && shift 2 &&
			exec /proc/self/fd/9 "$@"' sh "$value" "$PRIVATE" --root "$ROOT" run "$ID"
		show
		if [ "$value" = 1 ]; then
			[ "$status" -eq 0 ]
			[ "$output" = inside ]
		else
			[ "$status" -eq 1 ]
			[[ "$output" == *"copy the running binary: permission denied"*"vm.memfd_noexec is 2: start moss by the path"* ]]
		fi
		no_containers
	done
}

# The set-up is held up by strace; a process of the container that may trace everything takes its executable.
# Seen failing without: the binary sealed before the clone (get_inside of join.c).
@test "CVE-2019-5736: /proc/PID/exe of an exec, or of a run in a joined pid namespace, can't be written from its first moment" {
	need_root "CAP_SYS_PTRACE outside of a user namespace"
	need_command strace
	private_moss
	config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"]) | .root.readonly = false'
	config '.mounts |= map(select(.destination != "/tmp"))'
	# What is found is held open, and written to once nothing runs it.
	program sh -c 'echo ready; while :; do for p in /proc/[0-9]*; do
		case $p in /proc/1 | /proc/$$) continue ;; esac
		[ "$(sha256sum <$p/exe)" = "$0" ] || continue
		(exec 9<$p/exe; echo got; while [ ! -e /tmp/write ]; do sleep 0.1; done
			if echo pwned >>/proc/self/fd/9; then echo WROTE; fi; echo done) || echo gone
		rm -f /tmp/write
	done; done 2>/dev/null' "$sum"
	apart run -d "$ID"
	eventually grep -q ready out
	mv out watched
	config '.linux.namespaces |= (map(select(.type != "pid")) + [{type: "pid", path: $p}])' --arg p "/proc/$(pid_of)/ns/pid"
	program true
	for command in "exec $ID true" "run $ID-2"; do
		: >watched
		# shellcheck disable=SC2086 # several words
		timeout 50 strace -f -o strace.out --trace=setns,close_range,mount_setattr --inject=setns,close_range,mount_setattr:delay_enter=300000 \
			"$PRIVATE" --root "$ROOT" $command </dev/null >out 2>&1 3>&- 4>&- || { cat out && false; }
		touch rootfs/tmp/write
		eventually grep -q 'done' watched
		cat watched
		grep -q got watched
		run ! grep WROTE watched
		[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
	done
	moss delete --force "$ID"
}

# Seen failing without: the fds closed, and without the cgroup's own mount, before the clone (get_inside of join.c).
@test "CVE-2016-9962: from no fd of an exec that is being set up does .. lead to the host" {
	need_root "CAP_SYS_PTRACE outside of a user namespace"
	need_command strace
	config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	program sh -c "echo ready; while :; do for p in /proc/[0-9]*; do
		case \$p in /proc/1 | /proc/\$\$) continue ;; esac
		grep -q keep-this-name \$p/cmdline || continue
		for fd in \$p/fd/*; do echo seen; [ ! -e \$fd/../../../../../../../../../../../../../..$OUTSIDE/file ] || echo ESCAPED; done
	done; done 2>/dev/null"
	printf '#!/bin/sh\nexec strace -f -o /dev/null --trace=setns,close_range --inject=setns,close_range:delay_enter=300000 "%s" "$@"\n' "$MOSS" >"$BATS_TEST_TMPDIR/held"
	chmod +x "$BATS_TEST_TMPDIR/held"
	for moss in moss moss_v2; do # in the second the cgroup is entered by fd
		if [ "$moss" = moss_v2 ] && ! in_v2 true; then continue; fi
		"$moss" run -d "$ID" </dev/null >out 2>&1
		eventually grep -q ready out
		MOSS="$BATS_TEST_TMPDIR/held" "$moss" exec --env keep-this-name=1 "$ID" true </dev/null >err 2>&1
		cat err
		sort out | uniq -c
		grep -q seen out
		run ! grep ESCAPED out
		"$moss" delete --force "$ID"
	done
}

# The set-up is held up by strace, before and after the capabilities are those of the container; a process of it with the
# same ids looks at it.
# Seen failing without: PR_SET_DUMPABLE 0 in the process in between (joiner_main), as root.
@test "CVE-2026-41163, CVE-2024-21626: a process of the container can't look into an exec that is being set up" {
	need_command strace
	config '.root.readonly = false | .mounts |= map(select(.destination != "/tmp"))'
	# What is found counts while the process is still the runtime afterwards.
	program sh -c 'echo ready; while [ ! -e /tmp/2 ]; do for p in /proc/[0-9]*; do
		case $p in /proc/1 | /proc/$$) continue ;; esac
		found=$(for link in fd/0 fd/9 cwd root exe; do readlink $p/$link; done; [ ! -e $p/root/etc ] || echo root; cat $p/environ 2>/dev/null)
		! grep -q keep-this-name $p/cmdline 2>/dev/null || echo seen ${found:+open: $found}
	done; done'
	apart run -d "$ID"
	eventually grep -q ready out
	strace -f -o /dev/null --trace=keyctl,getcwd --inject=keyctl,getcwd:delay_enter=700000 "$MOSS" --root "$ROOT" exec --env keep-this-name=1 "$ID" touch /tmp/1 /tmp/2 </dev/null 3>&- 4>&- ||
		[ $? -eq 137 ] # the container ends with the second file, and takes it along
	wait_for stopped
	sort out | uniq -c
	grep -q seen out
	run ! grep open out
}

# Seen failing without: the look-up without links for /proc and /sys (target_open).
@test "CVE-2019-16884, CVE-2023-27561, CVE-2023-28642: /proc of the image is a symlink" {
	rm -rf rootfs/proc
	ln -s tmp rootfs/proc
	container 'echo ran'
	[ "$status" -ne 0 ]
	[[ "$output" != *ran* ]]
	rm rootfs/proc
	ln -s "$OUTSIDE" rootfs/proc
	container 'echo ran'
	[ "$status" -ne 0 ]
	outside_unchanged
}

# Seen failing: runc 1.1.5, as a user (where /sys is a bind).
# Seen failing without: the look-up without links for /proc and /sys (target_open).
@test "CVE-2025-54867: /sys of the image is a symlink" {
	rm -rf rootfs/sys
	ln -s tmp rootfs/sys
	container 'echo ran'
	[ "$status" -ne 0 ]
	[[ "$output" != *ran* ]]
}

# Seen failing: crun 1.8.1, as root and as a user.
# Seen failing without: what may be mounted on /proc (target_check).
@test "CVE-2019-18837: a tmpfs over /proc" {
	config '.mounts += [{destination: "/proc", type: "tmpfs", source: "tmpfs"}]'
	container 'echo ran'
	[ "$status" -ne 0 ]
	[[ "$output" != *ran* ]]
}

# Seen failing: crun 1.8.1, as root and as a user.
# Seen failing without: what may be mounted on /proc (target_check).
@test "CVE-2019-19921: a volume over /proc, or below it" {
	mkdir -p fake/self/attr fake/sys
	for destination in /proc /proc/self /proc/sys /proc/self/attr; do
		config '.mounts |= (map(select(.source != $s)) + [{destination: $d, type: "bind", source: $s, options: ["bind"]}])' \
			--arg d "$destination" --arg s "$PWD/fake"
		container 'echo ran'
		[ "$status" -ne 0 ]
		[[ "$output" != *ran* ]]
	done
	# the same by another spelling, and through a link of the image
	ln -s proc rootfs/elsewhere
	for destination in /tmp/../proc //proc/ /elsewhere /elsewhere/sys; do
		config '.mounts |= (map(select(.source != $s)) + [{destination: $d, type: "bind", source: $s, options: ["bind"]}])' \
			--arg d "$destination" --arg s "$PWD/fake"
		container 'echo ran'
		[ "$status" -ne 0 ]
		[[ "$output" != *ran* ]]
	done
}

# Seen failing without: the comparison with /proc (is_proc), what is known of it before (proc_known), and without what a mount
# on the root takes back (replace_root).
@test "CVE-2019-19921: a volume in the place of /proc, before procfs is mounted or without any" {
	mkdir -p fake/self/attr fake/proc other/proc rootfs/sub
	ln -s proc rootfs/elsewhere
	config '.mounts |= map(select(.type != "proc" and (.destination | startswith("/proc") | not))) | del(.linux.maskedPaths, .linux.readonlyPaths)
		| .root.readonly = false'
	cp config.json kept.json
	for before in none bind tmpfs root; do
		for destination in /proc /tmp/../proc //proc/ /elsewhere; do
			[ "$before:$destination" != root:/elsewhere ] || continue # it has no such link
			cp kept.json config.json
			config '.mounts = ({none: [], bind: [{destination: "/sub", type: "bind", source: $s, options: ["bind"]}],
				tmpfs: [{destination: "/sub", type: "tmpfs", source: "tmpfs"}],
				root: [{destination: "/sub", type: "bind", source: $s, options: ["bind"]},
					{destination: "/", type: "bind", source: ($s + "/../other"), options: ["rbind"]}]}[$b] +
				[{destination: $d, type: "bind", source: $s, options: ["bind"]}])' \
				--arg d "$destination" --arg s "$PWD/fake" --arg b "$before"
			container 'echo ran'
			[ "$status" -ne 0 ]
			[[ "$stderr" == *"only procfs may be mounted on /proc"* ]]
		done
	done
	cp kept.json config.json # and what is none goes on
	config '.mounts = [{destination: "/sub", type: "bind", source: $s, options: ["bind"]},
		{destination: "/sub/proc", type: "bind", source: $s, options: ["bind"]}] + .mounts' --arg s "$PWD/fake"
	container 'ls /sub/proc'
	[ "$status" -eq 0 ]
	[ "$(xargs <<<"$output")" = "proc self" ]
	# A link of the image leads to another place once something on the way is covered.
	rm -r rootfs/proc
	ln -s sub/proc rootfs/proc
	mkdir rootfs/sub/proc
	container 'echo ran'
	[ "$status" -ne 0 ]
	[[ "$stderr" == *"/sub/proc: only procfs may be mounted on /proc"* ]]
}

# Seen failing: runc 1.1.5 and crun 1.8.1, as root and as a user.
# Seen failing without: RESOLVE_IN_ROOT (rootfs_find).
@test "CVE-2026-41579: /dev of the image is a symlink to a host directory" {
	without_dev
	rm -rf rootfs/dev
	ln -s "$OUTSIDE" rootfs/dev
	container true
	outside_unchanged
	rm rootfs/dev
	ln -s "../../../../../../../../../..$OUTSIDE" rootfs/dev
	container true
	outside_unchanged
}

# Seen failing: crun 1.8.1, as root and as a user (it makes the console file outside).
# Seen failing without: O_NOFOLLOW and the look for a link (bind_console, node_bind).
@test "CVE-2026-88264, CVE-2026-88265: /dev/console and /dev/null of the image are symlinks, stdio closed" {
	without_dev
	ln -s "$OUTSIDE/null" rootfs/dev/null
	ln -s "$OUTSIDE/console" rootfs/dev/console
	ln -s "$OUTSIDE/file" rootfs/dev/zero
	program true
	"$MOSS" --root "$ROOT" run "$ID" 0<&- 1>&- 2>&- 3>&- 4>&- || true
	outside_unchanged
	config '.process.terminal = true'
	program sh -c 'echo written >/dev/console; echo written >/dev/null; exit 0'
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	outside_unchanged
	"$MOSS" --root "$ROOT" run "$ID" 0<&- 1>&- 2>&- 3>&- 4>&- || true
	outside_unchanged
	# by a link to a volume, which resolves in the container
	config '.mounts += [{destination: "/vol", type: "bind", source: $s, options: ["bind"]},
		{destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"]}]' --arg s "$OUTSIDE"
	for node in console null; do
		rm -f rootfs/dev/null rootfs/dev/console rootfs/dev/zero
		ln -s "/vol/$node" "rootfs/dev/$node"
		on_pty -- "$MOSS" --root "$ROOT" run "$ID"
		[ "$status" -ne 0 ]
		[[ "$output" == *"/dev/$node: "*"symbolic link"* ]]
		outside_unchanged
	done
}

# Seen failing without: the host's /dev/null for a closed stdin, stdout and stderr (open_stdio).
@test "CVE-2026-88265: a closed stdin, stdout or stderr is /dev/null in the container" {
	config '.root.readonly = false'
	program sh -c 'seen=$(stat -L -c %t:%T /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 2>&1); echo $seen >/var/seen'
	"$MOSS" --root "$ROOT" run "$ID" 0<&- 1>&- 2>&- 3>&- 4>&-
	cat rootfs/var/seen
	[ "$(xargs <rootfs/var/seen)" = "1:3 1:3 1:3" ]
}

# Seen failing: runc 1.1.5, as root and as a user; crun 1.8.1, as root (the sysctl was changed).
# Seen failing without: O_NOFOLLOW and the look for a link (node_bind), as root.
@test "CVE-2025-31133, CVE-2025-62161: /dev/null of the image does not become the mask" {
	without_dev
	echo secret >rootfs/etc/secret
	config '.linux.maskedPaths += ["/etc/secret"] | .hostname = "kept"'
	for target in /etc/hosts /proc/sys/kernel/hostname /etc/secret; do
		ln -sf "$target" rootfs/dev/null
		container 'cat /etc/secret /proc/keys 2>/dev/null; echo changed >/etc/secret; hostname'
		[[ "$output" != *localhost* ]]
		[[ "$output" != *secret* ]]
		[[ "$output" != *changed* ]]
		[ "$status" -ne 0 ] || [ "$output" = kept ]
	done
	[ "$(cat rootfs/etc/secret)" = secret ]
	[ "$(cat rootfs/etc/hosts)" = "127.0.0.1 localhost" ]
}

# The peers use a directory in /run only, so that they fail here for another reason.
# Seen failing without: owner and mode of the state directory (root_check); O_NOFOLLOW.
@test "CVE-2019-12439: a state directory in /tmp that is not mine alone is refused" {
	config '.process.terminal = false'
	if is_root; then
		uid=54321 # has no runtime directory; the directory that it would use is somebody else's
		directory=/tmp/moss-$uid
		as=(setpriv --reuid "$uid" --regid "$uid" --clear-groups env -u XDG_RUNTIME_DIR HOME=/)
		mkdir /tmp/"$ID"
		cp "$MOSS" /tmp/"$ID"/moss
		chmod 0755 /tmp/"$ID" /tmp/"$ID"/moss
		runtime=/tmp/$ID/moss
	else
		uid=$(id -u)
		directory=/tmp/moss-$uid
		as=(env -u XDG_RUNTIME_DIR)
		runtime=$MOSS
		[ ! -d "/run/user/$uid" ] || skip "/run/user/$uid exists and comes first"
	fi
	[ ! -e "$directory" ] || skip "$directory exists already"
	result=""
	check() {
		local code=0
		"${as[@]}" "$runtime" list >out 2>&1 </dev/null 3>&- 4>&- || code=$?
		echo "$1: $code: $(cat out)"
		[ "$code" -eq 1 ] && grep -q "$directory" out || result="$result $1"
	}
	mkdir -p /tmp/"$ID"
	mkdir -m 0700 /tmp/"$ID"/state # the user's own: only the link is wrong
	! is_root || chown "$uid:$uid" /tmp/"$ID"/state
	ln -s /tmp/"$ID"/state "$directory"
	check symlink
	[ -z "$(ls -A /tmp/"$ID"/state)" ] || result="$result and used"
	rm "$directory"
	if is_root; then
		mkdir -m 0777 "$directory"
		check "somebody else's"
		rmdir "$directory"
	else
		mkdir "$directory"
		chmod 0777 "$directory"
		check "open to all"
		rm -rf "$directory"
	fi
	echo >"$directory"
	check file
	rm -f "$directory"
	rm -rf /tmp/"$ID"
	[ -z "$result" ] || { echo "accepted:$result" && false; }
	outside_unchanged
}

# Seen failing without: a session of its own (step_session).
@test "CVE-2017-5226: a program without a terminal of its own can't type into the caller's" {
	[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1)" = 1 ] || skip "this kernel has TIOCSTI switched off"
	need_command gcc
	printf '%s\n' '#include <errno.h>' '#include <stdio.h>' '#include <string.h>' '#include <sys/ioctl.h>' \
		'int main(void) { int r = ioctl(0, TIOCSTI, "X");' \
		'printf("tiocsti:%s\n", r == 0 ? "typed" : strerror(errno)); return r != 0; }' >push.c
	gcc -static -o rootfs/push push.c 2>&1 || skip "no static C library"
	program /push
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[[ "$output" == *tiocsti:* ]]
	[[ "$output" != *tiocsti:typed* ]]
	[ "$status" -ne 0 ]
}

# Seen failing with: the inheritable set as the permitted one (set_capabilities).
@test "CVE-2022-24769, CVE-2022-27649, CVE-2022-27650, CVE-2022-29162: inheritable capabilities are empty" {
	config '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
		permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], effective: ["CAP_CHOWN", "CAP_KILL"]}'
	container 'grep -E "Cap(Inh|Amb)" /proc/self/status'
	[ "$status" -eq 0 ]
	[ "$(awk '{ print $2 }' <<<"$output" | sort -u)" = 0000000000000000 ]
}

# Seen failing: runc 1.1.5, as root and as a user, on a host with both cgroup versions: the tmpfs
# at /sys/fs/cgroup could be written.
# Seen failing without: a "ro" bind of /sys read-only with all below it (tree_attributes).
@test "CVE-2023-25809: nothing below /sys/fs/cgroup can be written" {
	config '.process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])'
	code='find /sys/fs/cgroup -type d 2>/dev/null | head -n 200 | while read -r d; do
			mkdir "$d/made" 2>/dev/null && rmdir "$d/made" && echo "made: $d"; done
		find /sys/fs/cgroup -name cgroup.procs 2>/dev/null | head -n 200 | while read -r f; do
			(echo 0 >"$f") 2>/dev/null && echo "written: $f"; done
		awk '\''$5 ~ "^/sys/fs/cgroup" && $6 !~ "(^|,)ro(,|$)"'\'' /proc/self/mountinfo'
	container "$code"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	cp config.json kept.json # with the host's /sys bound, as moss spec --rootless does
	config '.mounts |= (map(select(.destination | startswith("/sys") | not)) + [{destination: "/sys", type: "none",
		source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"]}])'
	container "$code"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	mv kept.json config.json
	program /bin/sh -c "$code"
	if is_root && in_v2 true 2>/dev/null; then
		output=$(moss_v2 run "$ID" </dev/null)
		[ -z "$output" ]
	fi
}

# Seen failing without: unified_key_check(); the flags of cgroup_open_sub().
@test "GHSA-5g49-rx9x-qfc6: a key of unified is no path, nor does exec --cgroup lead out of the container's cgroup" {
	outside=$BATS_TEST_TMPDIR/victim
	echo before >"$outside"
	program sleep 1000
	apart run -d "$ID"
	program true
	up=$(printf '../%.0s' {1..20})
	for key in "$up$outside" "memory.$up$outside" "../cgroup.procs" "memory.max/../cgroup.procs" "/memory.max" "memory/max" cgroup.procs cgroup.freeze .. . ""; do
		config '.linux.resources.unified = {($k): "1"}' --arg k "$key"
		attempt run "$ID-2"
		[ "$status" -eq 1 ]
		[[ "$output" == *"linux: resources: unified"*"this is not a file of a controller"* ]]
		jq -n --arg k "$key" '{unified: {($k): "1"}}' >resources.json
		attempt update --resources resources.json "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"linux: resources: unified"*"this is not a file of a controller"* ]]
	done
	for path in .. ../.. "$up" "$up$BATS_TEST_TMPDIR" "x/../.." "$up/sys/fs/cgroup"; do
		run --separate-stderr moss exec --cgroup "$path" "$ID" echo ran
		[ "$status" -eq 255 ]
		[ -z "$output" ]
	done
	[ "$(cat "$outside")" = before ]
	[ "$(status_of)" = running ]
	moss delete --force "$ID"
	if is_root && in_v2 true 2>/dev/null; then # with a cgroup of its own
		config 'del(.linux.resources.unified)'
		program sleep 1000
		moss_v2 run -d "$ID" </dev/null >out 2>&1
		for path in .. ../.. "$up" x/../..; do
			run --separate-stderr moss_v2 exec --cgroup "$path" "$ID" echo ran
			show
			[ "$status" -eq 255 ]
			[ -z "$output" ]
		done
		moss_v2 delete --force "$ID"
	fi
}

# Seen failing: runc 1.1.5 and crun 1.8.1, which run.
# Seen failing without: the look at AT_SECURE (main).
@test "CVE-2020-5291: refuses to run set-user-id and with file capabilities" {
	need_root "making a set-user-id copy"
	directory=/tmp/$ID
	mkdir "$directory"
	cp "$MOSS" "$directory/moss"
	chown root:root "$directory/moss"
	chmod 0755 "$directory"
	chmod 4755 "$directory/moss"
	result=0
	as=(setpriv --reuid 54321 --regid 54321 --clear-groups env XDG_RUNTIME_DIR= HOME=/)
	[ "$("${as[@]}" grep -c . /proc/self/status)" -gt 1 ]
	"${as[@]}" "$directory/moss" --root "$directory/root" list >out 2>&1 </dev/null && result=1
	cat out
	grep -qi 'set-user-id\|setuid' out || result=2
	chmod 2755 "$directory/moss"
	"${as[@]}" "$directory/moss" --root "$directory/root" list >out 2>&1 </dev/null && result=3
	chmod 0755 "$directory/moss"
	if command -v setcap >/dev/null && setcap cap_sys_admin+ep "$directory/moss" 2>/dev/null; then
		"${as[@]}" "$directory/moss" --root "$directory/root" list >out 2>&1 </dev/null && result=4
		cat out
		grep -qi 'capabilit' out || result=5
	fi
	rm -rf "$directory"
	[ "$result" -eq 0 ]
}

# Seen failing without: the device program (launch_cgroup_restrict_devices).
@test "GHSA-g54h-m393-cpwq: with allow:false rwm an unlisted device can't be opened" {
	need_v2
	[ -c /dev/kmsg ] || skip "no /dev/kmsg here"
	config '.process.capabilities |= map_values(. + ["CAP_MKNOD", "CAP_SYS_ADMIN", "CAP_SYSLOG", "CAP_DAC_OVERRIDE"])
		| .linux.resources.devices = [{allow: false, access: "rwm"}]
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["dev"]},
			      {destination: "/tmp/kmsg", type: "bind", source: "/dev/kmsg", options: ["bind"]}]'
	program sh -c '(exec 9</tmp/kmsg) 2>/dev/null && echo opened
		mknod /tmp/mem c 1 1 2>/dev/null; (exec 9</tmp/mem) 2>/dev/null && echo opened mem
		echo fine >/dev/null && head -c 1 /dev/zero | wc -c'
	output=$(moss_v2 run "$ID" </dev/null 2>&1)
	echo "$output"
	[ "$output" = 1 ]
	# a rule opens exactly what it says
	config '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "r"}]'
	program sh -c '(exec 9</tmp/kmsg) 2>/dev/null && echo opened; (exec 9>/tmp/kmsg) 2>/dev/null && echo writable; true'
	output=$(moss_v2 run "$ID" </dev/null 2>&1)
	echo "$output"
	[ "$output" = opened ]
}

# Seen failing without: RESOLVE_IN_ROOT (rootfs_find).
@test "CVE-2026-87766: a mount below a symlink that points out creates nothing outside" {
	config '.root.readonly = false'
	cp config.json kept.json
	mkdir host
	ln -s "$OUTSIDE" rootfs/link
	ln -s "../../../../../../../../../../..$OUTSIDE" rootfs/up
	for destination in /link/new /up/new /link/deep/new "/var/../../../../../../../..$OUTSIDE/new" /up/file; do
		for type in bind tmpfs; do
			cp kept.json config.json
			config '.mounts += [{destination: $d, type: $t, source: $s, options: (if $t == "bind" then ["bind"] else [] end)}]' \
				--arg d "$destination" --arg t "$type" --arg s "$PWD/host"
			container true
			outside_unchanged
		done
	done
	# The same names mean a place inside, also where the host has one.
	touch host/marker
	mkdir "$OUTSIDE/dir"
	before=$(outside)
	for destination in /link/dir /up/dir "/var/../../../../../../../..$OUTSIDE/dir"; do
		cp kept.json config.json
		config '.mounts += [{destination: $d, type: "bind", source: $s, options: ["bind"]}]' \
			--arg d "$destination" --arg s "$PWD/host"
		container "ls $OUTSIDE/dir"
		[ "$output" = marker ]
		outside_unchanged
	done
}

# Seen failing without: RESOLVE_IN_ROOT (rootfs_find).
@test "CVE-2026-87766: a cwd, a mask and a device below a symlink that points out create nothing outside" {
	config '.root.readonly = false'
	cp config.json kept.json
	ln -s "$OUTSIDE" rootfs/link
	for change in '.process.cwd = "/link/made"' '.linux.maskedPaths += ["/link/file", "/link"]' \
		'.linux.readonlyPaths += ["/link/file"]' \
		'.linux.devices = [{path: "/link/null", type: "c", major: 1, minor: 3}]'; do
		cp kept.json config.json
		config "$change"
		container true
		outside_unchanged
	done
}

# Seen failing: runc 1.1.5, as root and as a user.
# Seen failing without: RESOLVE_IN_ROOT and RESOLVE_NO_SYMLINKS (walk_step).
@test "CVE-2021-30465: a symlink swapped during the mounts puts nothing outside" {
	mkdir -p "$OUTSIDE/dir/1/2/3/4/5/6/7/8"
	before=$(outside)
	config '.root.readonly = false | .mounts += [range(30) | {destination: "/var/swap/dir/1/2/3/4/5/6/7/8/m\(.)", type: "tmpfs", source: "tmpfs"}]'
	ln -s "$OUTSIDE" rootfs/var/evil
	"$PYTHON" -c 'import ctypes, os, sys
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
os.mkdir("swap")
os.makedirs("swap/dir/1/2/3/4/5/6/7/8")
parent = os.getppid()
while os.getppid() == parent:
    libc.renameat2(-100, b"swap", -100, b"evil", 2)' "$PWD/rootfs/var" 3>&- 4>&- &
	racer=$!
	eventually [ -e rootfs/var/swap ]
	program true
	for _ in $(seq 60); do moss run "$ID" </dev/null >/dev/null 2>&1 || true; done
	kill "$racer"
	wait "$racer" || true
	outside_unchanged
}

# foreign: a state directory of another user, $FOREIGN, with a copy of this container's record.
foreign() {
	FOREIGN="$BATS_TEST_TMPDIR/foreign"
	mkdir -m 0700 "$FOREIGN"
	cp -r "$ROOT/$ID" "$FOREIGN/$ID"
	chown -R 54321:54321 "$FOREIGN"
}

# Seen failing without: the look whose process it can be (may_be_of).
@test "root acts on no process that a user's state.json names, unless it can be that user's" {
	need_root "acting on a user's state"
	program sleep 60
	apart run -d "$ID"
	wait_for running
	pid=$(pid_of)
	foreign
	run "$MOSS" --root "$FOREIGN" list
	show
	[[ "$output" == *"$ID "*stopped* ]]
	for signal in KILL TERM; do
		run "$MOSS" --root "$FOREIGN" kill "$ID" "$signal"
		show
		[ "$status" -eq 1 ]
		[[ "$output" == *"not running"* ]]
		run "$MOSS" --root "$FOREIGN" kill --all "$ID" "$signal"
		[ "$status" -eq 1 ]
	done
	"$MOSS" --root "$FOREIGN" delete --force "$ID"
	[ ! -e "$FOREIGN/$ID" ]
	sleep 0.2
	alive "$pid"
	[ "$(status_of)" = running ]
	# and one that is that user's
	setpriv --reuid 54321 --regid 54321 --clear-groups sleep 60 3>&- 4>&- &
	victim=$!
	eventually grep -q "^Uid:.54321" "/proc/$victim/status"
	cp -r "$ROOT/$ID" "$FOREIGN/$ID"
	jq --argjson pid "$victim" --argjson start "$(sed 's/.*) //' "/proc/$victim/stat" | cut -d' ' -f20)" \
		'del(.pidfd_inode) | .pid = $pid | .pid_start_time = $start' "$ROOT/$ID/state.json" >"$FOREIGN/$ID/state.json"
	chown -R 54321:54321 "$FOREIGN/$ID"
	"$MOSS" --root "$FOREIGN" kill "$ID" KILL
	eventually dead "$victim"
	"$MOSS" --root "$FOREIGN" delete --force "$ID"
	alive "$pid"
}

# Seen failing without: the mark on the cgroup (cgroup_open).
@test "root touches no cgroup that a state.json names and that is another container's" {
	need_v2
	program sleep 60
	moss_v2 run -d "$ID" </dev/null >out 2>&1
	wait_for running
	pid=$(pid_of)
	path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
	foreign
	# its own first process has ended: only the cgroup is left to go by
	jq '.pidfd_inode = 1' "$ROOT/$ID/state.json" >"$FOREIGN/$ID/state.json"
	jq -e --arg path "$path" '.cgroup | endswith($path)' "$FOREIGN/$ID/state.json"
	in_v2 "$MOSS" --root "$FOREIGN" delete --force "$ID"
	[ ! -e "$FOREIGN/$ID" ]
	sleep 0.2
	alive "$pid"
	in_v2 test -d "/sys/fs/cgroup$path"
	# nor by root's own record of another container
	moss_v2 run -d "$ID-2" </dev/null >out 2>&1
	jq --slurpfile first "$ROOT/$ID/state.json" '.cgroup = $first[0].cgroup' "$ROOT/$ID-2/state.json" >edited
	own=$(jq -r .cgroup "$ROOT/$ID-2/state.json")
	cat edited >"$ROOT/$ID-2/state.json"
	moss_v2 delete --force "$ID-2"
	sleep 0.2
	alive "$pid"
	in_v2 test -d "/sys/fs/cgroup$path"
	in_v2 rmdir "/sys/fs/cgroup${own#/sys/fs/cgroup}"
	moss_v2 delete --force "$ID"
}

# Seen failing without: the owner's look for root, too (root_check).
@test "root makes no container in a --root of another user" {
	need_root "a directory of another user"
	mkdir -m 0700 theirs
	chown 54321:54321 theirs
	program true
	for command in create run; do
		status=0
		"$MOSS" --root "$PWD/theirs" "$command" "$ID" </dev/null >out 2>&1 3>&- 4>&- || status=$?
		output=$(cat out)
		show
		"$MOSS" --root "$PWD/theirs" delete --force "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"$PWD/theirs"*54321* ]]
		[ -z "$(ls -A theirs)" ]
	done
}

# Seen failing without: the private procfs (open_procfs), with the value written to a path below /proc.
@test "CVE-2025-52881: a mount over /proc/sys, of the image or of the caller, takes no sysctl" {
	mkdir -p volume/net/ipv4 volume/ipv4
	touch volume/net/ipv4/ip_default_ttl volume/ipv4/ip_default_ttl
	config '.linux.namespaces |= (map(select(.type != "network")) + [{type: "network"}])
		| .linux.sysctl = {"net.ipv4.ip_default_ttl": "99"}'
	cp config.json kept.json
	# Of the container: the mount is refused, or comes too late to matter.
	config '.mounts += [{destination: "/proc/sys", type: "bind", source: $s, options: ["rbind"]}]' --arg s "$PWD/volume"
	container 'cat /proc/sys/net/ipv4/ip_default_ttl'
	[ ! -s volume/net/ipv4/ip_default_ttl ]
	[ "$status" -ne 0 ] || [ "$output" = 99 ]
	# Of the caller: where moss itself sees it.
	cp kept.json config.json
	program cat /proc/sys/net/ipv4/ip_default_ttl
	if is_root; then covered=(unshare -m); else covered=(unshare -rm); config 'del(.linux.uidMappings, .linux.gidMappings)'; fi
	run "${covered[@]}" sh -c 'mount --rbind volume /proc/sys/net && exec "$@"' sh "$MOSS" --root "$ROOT" run "$ID"
	show
	[ ! -s volume/ipv4/ip_default_ttl ]
	if is_root; then
		[ "$status" -eq 0 ]
		[ "$output" = 99 ]
	else
		# Its own procfs can't be had there (mount_namespaces(7)): neither by moss nor by the container.
		[ "$status" -ne 0 ] || [ "$output" = 99 ]
	fi
}

# Seen failing without: the file opened below the procfs with no mount crossed (proc_file_write), as root and as a user.
@test "CVE-2025-52881, CVE-2025-62596: a link mounted over /proc/self takes no oomScoreAdj" {
	config '.process.oomScoreAdj = $n' --argjson n "$(($(cat /proc/self/oom_score_adj) + 100))"
	program cat /proc/self/oom_score_adj
	covered=(unshare -m)
	is_root || covered=(unshare -rm)
	config 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	run "${covered[@]}" true
	[ "$status" -eq 0 ] || skip "no user namespace here"
	cat >cover.py <<-'END'
		import ctypes, os, sys  # /proc/self leads to ./fake, where all but one file is the real one
		libc = ctypes.CDLL(None, use_errno=True)

		def done(result):
		    if result < 0:
		        sys.exit("can't be covered: " + os.strerror(ctypes.get_errno()))
		    return result

		own = "/proc/%d/" % os.getpid()
		os.mkdir("fake")
		for name in os.listdir(own):
		    if os.path.isdir(own + name) or os.path.islink(own + name):
		        os.symlink("/proc/thread-self/" + name, "fake/" + name)
		        continue
		    open("fake/" + name, "w").close()
		    if name != "oom_score_adj":
		        done(libc.mount((own + name).encode(), b"fake/" + name.encode(), None, 4096, None))
		os.symlink(os.path.abspath("fake"), "link")
		tree = done(libc.syscall(428, -100, b"link", 1 | 0x100 | 0o2000000))  # open_tree, of the link itself
		done(libc.syscall(429, tree, b"", -100, b"/proc/self", 4))  # move_mount
		os.execv(sys.argv[1], sys.argv[1:])
	END
	run "${covered[@]}" "$PYTHON" cover.py "$MOSS" --root "$ROOT" run "$ID"
	show
	[[ "$output" != *"can't be covered"* ]] || skip "$output"
	[ "$status" -ne 0 ]
	[[ "$output" == *oomScoreAdj*"something is mounted over"* ]]
	[ -e fake/oom_score_adj ]
	[ ! -s fake/oom_score_adj ]
	no_containers
}

# Seen failing with: the capabilities of the caller left in one of the sets (set_capabilities), the bounding set not
# dropped (drop_bounding).
@test "CVE-2022-29162, CVE-2025-27612: an exec has no capability more than its container, in no set, nor has its container" {
	config '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	program sh -c 'grep ^Cap /proc/self/status; exec sleep 1000'
	apart run -d "$ID"
	eventually grep -q CapAmb out
	moss exec "$ID" grep ^Cap /proc/self/status >of_exec </dev/null
	moss exec --cap CAP_CHOWN "$ID" grep ^Cap /proc/self/status >with_cap </dev/null
	cat out of_exec with_cap
	[ "$(awk '/^Cap/ { print $2 }' out | xargs)" = "0000000000000000 0000000000000020 0000000000000020 0000000000000020 0000000000000000" ]
	diff <(grep ^Cap out) of_exec
	[ "$(awk '{ print $2 }' with_cap | xargs)" = "0000000000000000 0000000000000021 0000000000000021 0000000000000021 0000000000000000" ]
}

# victim COMMAND...: a process of user 54321 that runs it and then sleeps; $VICTIM, and named as the first one by
# the state.json below $FOREIGN.
victim() {
	setpriv --reuid 54321 --regid 54321 --clear-groups "$@" sleep 60 </dev/null >/dev/null 2>&1 3>&- 4>&- &
	VICTIM=$!
	eventually eval 'grep -qz sleep "/proc/$VICTIM/cmdline" && [ "$(tr "\0" " " <"/proc/$VICTIM/cmdline")" = "sleep 60 " ]'
	foreign
	jq --argjson pid "$VICTIM" --argjson start "$(sed 's/.*) //' "/proc/$VICTIM/stat" | cut -d' ' -f20)" --argjson own "${OWN_PID:-true}" \
		'del(.pidfd_inode) | .pid = $pid | .pid_start_time = $start | .own_pid_namespace = $own | .cgroup = null | .new_keyring = false' "$ROOT/$ID/state.json" >"$FOREIGN/$ID/state.json"
	jq '.linux.namespaces = []' "$ROOT/$ID/config.json" >"$FOREIGN/$ID/config.json"
	chown -R 54321:54321 "$FOREIGN/$ID"
}

# Seen failing without: the look at the owner of the user namespace (check_owner of join.c).
@test "root runs nothing for a user's state.json that names a process outside of that user's user namespaces" {
	need_root "entering a user's container"
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho ran as $(id -u) in $(readlink /proc/self/ns/user)\n' >"$BATS_TEST_TMPDIR/bin/ls"
	chmod 0755 "$BATS_TEST_TMPDIR/bin/ls"
	config '.process.env = ["PATH=" + $p + "/bin:/usr/bin:/bin"] | .process.cwd = "/"' --arg p "$BATS_TEST_TMPDIR"
	program sleep 60
	apart run -d "$ID"
	for how in "" "unshare --map-root-user --mount"; do # in the second the owner of the pid namespace would be entered: ours
		# shellcheck disable=SC2086 # several words
		victim $how
		run --separate-stderr "$MOSS" --root "$FOREIGN" exec "$ID" ls
		show
		kill "$VICTIM"
		[ "$status" -eq 255 ]
		[[ "$stderr" == *"in no user namespace of that user"*"peration not permitted"* ]]
		[ -z "$output" ]
		rm -r "$FOREIGN"
	done
}

# Seen failing without: S_ISFIFO in start.c.
@test "start writes into nothing but a fifo" {
	program sleep 60
	apart create "$ID"
	echo precious >victim
	rm "$ROOT/$ID/exec.fifo"
	ln victim "$ROOT/$ID/exec.fifo"
	run timeout -s KILL 20 "$MOSS" --root "$ROOT" start "$ID" 3>&- 4>&-
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"is no fifo"* ]]
	[ "$(cat victim)" = precious ]
}

# All in a pid namespace that takes the place of the host's.
# Seen failing without: check_namespace of processes.c.
@test "root signals and stops no processes outside of the containers of the user whose state.json names one" {
	need_root "a user's state directory"
	need_command setpriv
	program sleep 60
	apart run -d "$ID"
	foreign
	jq --arg boot "$(cat /proc/sys/kernel/random/boot_id)" 'del(.pidfd_inode) | .boot_id = $boot | .own_pid_namespace = true | .cgroup = null' "$ROOT/$ID/state.json" >state.made
	cat >attack <<-"EOF"
		sleep 50 &
		roots=$!
		setpriv --reuid 54321 --regid 54321 --clear-groups sleep 51 &
		users=$!
		until grep -q "^Uid:.54321" /proc/$users/status && grep -qz sleep /proc/$users/cmdline; do sleep 0.02; done
		jq --argjson pid "$users" --argjson start "$(sed "s/.*) //" /proc/$users/stat | cut -d" " -f20)" '.pid = $pid | .pid_start_time = $start' state.made >"$2/$3/state.json"
		chown -R 54321:54321 "$2/$3"
		for how in "kill --all $3 TERM" "pause $3" "ps $3"; do
			echo "$how: $(timeout -s KILL 20 "$1" --root "$2" $how 2>&1) $(sed -n "s/^State:.//p" /proc/$roots/status)"
		done
		kill -KILL $roots $users
	EOF
	run --separate-stderr timeout -s KILL 50 unshare --pid --fork --mount-proc setsid -w sh attack "$MOSS" "$FOREIGN" "$ID" 3>&- 4>&-
	show
	[ "$(grep -c "state.json names.* S (sleeping)" <<<"$output")" -eq 3 ]
}

# Seen failing without: inherited_drop_groups, inherited_drop_rights.
@test "root's groups and session keyring do not get into a user's container; create that joins its user namespace neither" {
	need_root "entering a user's container"
	config '.process.env = ["PATH=/usr/bin:/bin"] | .process.cwd = "/" | .process.rlimits = []'
	program sleep 60
	apart run -d "$ID"
	OWN_PID=false victim unshare --map-root-user
	grep -qx deny "/proc/$VICTIM/setgroups"
	keyctl=$([ "$(uname -m)" = x86_64 ] && echo 250 || echo 219)
	as_root=(setpriv --groups "0,6,42" "$PYTHON" -c 'import ctypes, os, sys
ctypes.CDLL(None).syscall(int(sys.argv[1]), 1, b"of-root-alone", 0, 0, 0) # KEYCTL_JOIN_SESSION_KEYRING
os.execv(sys.argv[2], sys.argv[2:])' "$keyctl")
	run --separate-stderr "${as_root[@]}" "$MOSS" --root "$FOREIGN" exec "$ID" "$PYTHON" -c 'import ctypes, os, sys
text = ctypes.create_string_buffer(200)
ctypes.CDLL(None).syscall(int(sys.argv[1]), 6, -3, text, 200, 0) # KEYCTL_DESCRIBE of the session keyring
print(os.getgroups(), os.getuid(), text.value.decode())' "$keyctl"
	show
	[[ "$output" == "[] 0 keyring;"* ]]
	[[ "$output" != *of-root-alone* ]]
	moss delete --force "$ID"
	config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user", path: $p}]) | .process.env = ["PATH=/bin"]' --arg p "/proc/$VICTIM/ns/user"
	program grep Groups /proc/self/status
	open_way
	chown -R 54321:54321 rootfs
	run --separate-stderr "${as_root[@]}" "$MOSS" --root "$ROOT" run "$ID"
	show
	kill "$VICTIM"
	[ "$(xargs <<<"$output")" = Groups: ]
}

# Seen failing without: setgroups(2) tried in every case (set_groups of credentials.c).
@test "a container's first process can't make exec keep the caller's groups" {
	ids
	caller=()
	if is_root; then caller=(setpriv --groups "0,6,42"); fi
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_SETFCAP"])'
	program sh -c 'echo ready; exec unshare -U -r sleep 1000'
	apart run -d "$ID"
	eventually grep -qsx deny "/proc/$(pid_of)/setgroups"
	run --separate-stderr "${caller[@]}" "$MOSS" --root "$ROOT" exec "$ID" grep Groups /proc/self/status
	show
	[ "$(xargs <<<"$output")" = Groups: ]
}

# Seen failing without: the look whose keyring it is (sys_owns_keyring).
@test "a session keyring of the container's name that another user has opened is not joined" {
	need_root "another user's keyring"
	grep -qs . /proc/keys || skip "this kernel shows no keys"
	# Others may search it, which is what joining takes, and do not see it unless they have joined it.
	setpriv --reuid 54321 --regid 54321 --clear-groups "$PYTHON" -c 'import ctypes, sys, time
call = ctypes.CDLL(None).syscall
serial = call(int(sys.argv[1]), 1, sys.argv[2].encode(), 0, 0, 0)
print(call(int(sys.argv[1]), 5, serial, ctypes.c_uint(0x3f3f0008), 0, 0), flush=True)
time.sleep(60)' "$([ "$(uname -m)" = x86_64 ] && echo 250 || echo 219)" "_ses.$ID" >opened 2>&1 3>&- 4>&- &
	helper=$!
	eventually grep -qx 0 opened
	config '.linux.maskedPaths = []'
	program sh -c 'cat /proc/keys; echo ready; exec sleep 1000'
	apart run -d "$ID"
	eventually grep -q ready out
	moss exec "$ID" cat /proc/keys </dev/null >got
	kill "$helper"
	cat out got
	grep -q keyring out
	grep -q keyring got
	run ! grep "_ses.$ID:" out got
}
