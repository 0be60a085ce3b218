#!/usr/bin/env bats
# security.bats - one test per known weakness of container runtimes; the name carries its id.
# "Seen failing" says with which Debian 12 package this very test failed: runc 1.1.5, crun 1.8.1.
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

@test "CVE-2019-5736: an entry point that is #!/proc/self/exe does not reach the runtime's binary" {
	private_moss
	printf '#!/proc/self/exe\n' >rootfs/entry
	chmod +x rootfs/entry
	program /entry
	timeout 10 "$PRIVATE" --root "$ROOT" run "$ID" </dev/null >out 2>&1 3>&- 4>&- || true
	[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
}

# Both peers are protected against this one.
@test "CVE-2019-5736: a process of the container that writes to /proc/PID/exe does not change the binary" {
	private_moss
	printf '#!/proc/self/exe\n' >rootfs/entry
	chmod +x rootfs/entry
	caps='["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"]'
	config ".process.capabilities |= (map_values(. + $caps) | .bounding += $caps)"
	# The writer holds every other process's executable open, and writes once it is not busy.
	program sh -c 'echo ready
		while :; do for p in /proc/[0-9]*; do
			case $p in /proc/1) continue ;; esac
			[ "$(readlink $p/exe)" = /bin/busybox ] && continue
			( exec 9<$p/exe; echo held
			  i=0; while [ $i -lt 500 ]; do echo pwned >>/proc/self/fd/9 && echo WROTE && exit; i=$((i + 1)); done ) 2>/dev/null &
		done; done'
	apart run -d "$ID"
	eventually grep -q ready out
	other=$(pid_of)
	config '.linux.namespaces |= (map(select(.type != "pid")) + [{type: "pid", path: $p}])' --arg p "/proc/$other/ns/pid"
	is_root || config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user", path: $p}])
		| del(.linux.uidMappings, .linux.gidMappings)' --arg p "/proc/$other/ns/user"
	program /entry
	for _ in 1 2 3 4 5; do
		timeout 10 "$PRIVATE" --root "$ROOT" run "$ID-2" </dev/null >out2 2>&1 3>&- 4>&- || true
		[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
	done
	sleep 0.5
	cat out2
	moss delete --force "$ID"
	[ "$(sha256sum <"$PRIVATE")" = "$sum" ]
}

# Seen failing: crun 1.8.1, as root and as a user.
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
	outside_unchanged
}

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
@test "CVE-2025-54867: /sys of the image is a symlink" {
	rm -rf rootfs/sys
	ln -s tmp rootfs/sys
	container 'echo ran'
	[ "$status" -ne 0 ]
	[[ "$output" != *ran* ]]
}

# Seen failing: crun 1.8.1, as root and as a user.
@test "CVE-2019-18837: a tmpfs over /proc" {
	config '.mounts += [{destination: "/proc", type: "tmpfs", source: "tmpfs"}]'
	container 'echo ran'
	[ "$status" -ne 0 ]
	[[ "$output" != *ran* ]]
}

# Seen failing: crun 1.8.1, as root and as a user.
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

# Seen failing: runc 1.1.5 and crun 1.8.1, as root and as a user.
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
}

# Seen failing: runc 1.1.5, as root and as a user; crun 1.8.1, as root (the sysctl was changed).
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
	mkdir -m 0700 "$OUTSIDE/state"
	before=$(outside)
	ln -s "$OUTSIDE/state" "$directory"
	check symlink
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

@test "CVE-2022-24769, CVE-2022-27649, CVE-2022-27650, CVE-2022-29162: inheritable capabilities are empty" {
	config '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
		permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], effective: ["CAP_CHOWN", "CAP_KILL"]}'
	container 'grep -E "Cap(Inh|Amb)" /proc/self/status'
	[ "$status" -eq 0 ]
	[ "$(awk '{ print $2 }' <<<"$output" | sort -u)" = 0000000000000000 ]
}

# Seen failing: runc 1.1.5, as root and as a user, on a host with both cgroup versions: the tmpfs
# at /sys/fs/cgroup could be written.
@test "CVE-2023-25809: nothing below /sys/fs/cgroup can be written" {
	config '.process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])'
	container 'find /sys/fs/cgroup -type d 2>/dev/null | head -n 200 | while read -r d; do
			mkdir "$d/made" 2>/dev/null && echo "made: $d"; done
		find /sys/fs/cgroup -name cgroup.procs 2>/dev/null | head -n 200 | while read -r f; do
			(echo 0 >"$f") 2>/dev/null && echo "written: $f"; done; true'
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	if is_root && in_v2 true 2>/dev/null; then
		output=$(moss_v2 run "$ID" </dev/null)
		[ -z "$output" ]
	fi
}

# Seen failing: runc 1.1.5 and crun 1.8.1, which run.
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
}

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
@test "CVE-2021-30465: a symlink swapped during the mounts puts nothing outside" {
	mkdir -p rootfs/var/real/dir
	config '.root.readonly = false | .mounts += [range(30) | {destination: "/var/swap/dir/m\(.)", type: "tmpfs", source: "tmpfs"}]'
	ln -s "$OUTSIDE" rootfs/var/evil
	"$PYTHON" -c 'import ctypes, os, sys
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
os.mkdir("swap")
os.mkdir("swap/dir")
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
