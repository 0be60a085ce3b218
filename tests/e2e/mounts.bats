#!/usr/bin/env bats
# mounts.bats - the container's tree: default mounts and their flags, masks, read-only paths, binds.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "mounts: every default mount is there with its flags" {
	container 'cat /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	mount_has /proc proc rw
	mount_has /dev tmpfs rw nosuid mode=755 size=65536k
	[[ "$(mount_line /dev)" != *relatime* ]] # strictatime
	mount_has /dev/pts devpts rw nosuid noexec ptmxmode=666 mode=620
	mount_has /dev/shm tmpfs rw nosuid nodev noexec size=65536k
	mount_has /dev/mqueue mqueue rw nosuid nodev noexec
	mount_has /sys sysfs ro nosuid nodev noexec
	mount_has / any ro
	awk '$5 == "/" { n++ } END { exit n != 1 }' <<<"$output"
}

@test "mounts: nothing of the host's tree is visible" {
	container 'cat /proc/self/mountinfo; ls -A /'
	for path in /var/lib/dpkg /boot /usr /home/"$(id -un)"; do
		[[ "$output" != *" $path "* ]]
	done
	[[ "$(tail -n +2 <<<"$output")" != *"$BATS_TEST_TMPDIR/root"* ]]
	[ "$(sed '/ - /d' <<<"$output" | xargs)" = "bin dev etc home proc root sys tmp var" ]
}

@test "mounts: the modes of the default directories" {
	container 'stat -c "%a %n" /dev /dev/shm /dev/pts /dev/mqueue'
	[[ "$output" == *"755 /dev"* ]]
	[[ "$output" == *"1777 /dev/shm"* ]]
	[[ "$output" == *"755 /dev/pts"* ]]
}

@test "mounts: a read-only root can't be written, not even after a remount" {
	container 'touch /new 2>&1; mount -o remount,rw / 2>&1; touch /new 2>&1 || echo kept'
	[[ "$output" == *"Read-only file system"* ]]
	[[ "$output" == *kept ]]
	[ ! -e rootfs/new ]
	config '.root.readonly = false'
	container 'touch /new'
	[ "$status" -eq 0 ]
	[ -e rootfs/new ]
}

@test "mounts: masked files read empty, masked directories are empty" {
	config '.linux.maskedPaths += ["/etc/secret", "/var/secrets", "/not/there"]'
	echo hidden >rootfs/etc/secret
	mkdir rootfs/var/secrets && touch rootfs/var/secrets/hidden
	container 'cat /etc/secret; ls -A /var/secrets; touch /var/secrets/new 2>/dev/null || echo refused
		for f in /proc/kcore /proc/keys /proc/timer_list /proc/latency_stats /proc/sched_debug; do
			[ ! -e $f ] || [ "$(head -c 10 $f | wc -c)" -eq 0 ] || echo "open: $f"
		done
		for d in /proc/acpi /proc/scsi /proc/asound /sys/firmware; do
			[ ! -e $d ] || [ -z "$(ls -A $d)" ] || echo "open: $d"
		done'
	[ "$status" -eq 0 ]
	[ "$output" = refused ]
}

@test "mounts: masked paths can't be unmounted or written by the program" {
	config '.process.capabilities |= map_values(. + ["CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"])'
	container 'umount /proc/kcore 2>/dev/null || echo kept; head -c 1 /proc/kcore | wc -c
		echo x >/proc/keys 2>/dev/null; wc -c </proc/keys'
	[[ "$output" == "$(printf 'kept\n0\n0')" ]]
}

# Seen failing without: the look at the host's node (host_node_open).
@test "mounts: a /dev/null of the host that is another file does not become the mask" {
	need_root "a private view of the host's /dev"
	echo leaked >fake
	program cat /proc/keys /proc/timer_list /proc/kcore
	run unshare -m sh -c 'mount --bind "$1" /dev/null && shift && exec "$@"' sh "$PWD/fake" \
		"$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
	show
	[ "$status" -eq 1 ]
	[[ "$output" == */dev/null* ]]
	[[ "$output" != *leaked* ]]
}

# Seen failing without: the look for the root itself (rootfs_is_root), and for a type (check_mounts): a crash.
@test "mounts: a mask or read-only path that is the root itself, and a mount without a type, are refused" {
	cp config.json kept.json
	mkdir host rootfs/sub
	refused() { # FIELD FILTER
		cp kept.json config.json
		config "$2" --arg host "$PWD/host"
		container 'echo ran'
		[ "$status" -eq 1 ]
		[ -z "$output" ]
		[[ "$stderr" == *"$1"* ]]
		no_containers
	}
	added=$(jq '.mounts | length' config.json)
	for place in / // /dev/.. /sub/../. /..; do
		refused maskedPaths ".linux.maskedPaths = [\"/proc/keys\", \"$place\"]"
		refused readonlyPaths ".linux.readonlyPaths = [\"$place\"]"
	done
	refused "mounts[$added]" '.mounts += [{destination: "/tmp", source: "tmpfs"}]'
	refused "mounts[$added]" '.mounts += [{destination: "/tmp", type: "", source: "tmpfs", options: ["ro"]}]'
	cp kept.json config.json # a bind needs none
	config '.mounts += [{destination: "/tmp", source: $host, options: ["bind"]}]' --arg host "$PWD/host"
	container 'echo ran'
	[ "$output" = ran ]
}

# Seen failing without: the new root after a mount on it (apply).
@test "mounts: a mount on the root, however it is written, is the container's root" {
	cp config.json kept.json
	cp -al rootfs other && echo other >other/etc/which && mkdir other/sub host
	for place in / // /dev/.. /sub/../. /..; do
		cp kept.json config.json
		config '.root.readonly = $r | .mounts = ([{destination: $p, type: "bind", source: "other",
			options: ["rbind", "nodev", "rprivate"]}] + .mounts + [{destination: "/made", type: "bind", source: "host", options: ["bind"]}])' \
			--arg p "$place" --argjson r "$([ "$place" = / ] && echo false || echo true)"
		[ "$place" = / ] || mkdir -p other/made
		container 'cat /etc/which; ls -d /made; touch /new; cat /proc/self/mountinfo'
		[ "${lines[0]}" = other ]
		[ "${lines[1]}" = /made ]
		[ "$(awk '$5 == "/"' <<<"$output" | wc -l)" -eq 1 ]
		mount_has / any nodev
		mount_has /proc proc
		mount_has /dev/pts devpts
		if [ "$place" = / ]; then [ -e other/new ] && rm other/new; else mount_has / any ro && [ ! -e other/new ]; fi
		[ ! -e rootfs/made ]
		[ ! -e rootfs/new ]
	done
	rm -rf --one-file-system other
}

# Seen failing without: the new root after a mount on it (apply).
@test "mounts: a tmpfs on the root, filled by binds and by tmpcopyup" {
	config '.root.readonly = false | .mounts = ([{destination: "/", type: "tmpfs", source: "tmpfs", options: ["mode=711"]},
		{destination: "/bin", type: "bind", source: "rootfs/bin", options: ["bind", "ro"]}] + .mounts)'
	container 'stat -c %a /; ls /; touch /new; cat /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 711 ]
	[ "$(sed -n '2,/^sys$/p' <<<"$output" | xargs)" = "bin dev proc sys" ]
	mount_has / tmpfs rw
	[ ! -e rootfs/new ]
	config '.mounts |= map(select(.destination != "/bin")) | .mounts[0].options = ["tmpcopyup"]'
	container 'cat /etc/hosts; touch /new'
	[ "$output" = "127.0.0.1 localhost" ]
	[ ! -e rootfs/new ]
}

@test "mounts: read-only paths can be read and not written" {
	mkdir rootfs/var/kept && echo data >rootfs/var/kept/file
	config '.root.readonly = false | .linux.readonlyPaths += ["/var/kept", "/not/there"]'
	container 'cat /var/kept/file; echo x >/var/kept/file || echo refused
		echo own >/proc/sys/kernel/domainname || echo refused
		cat /proc/self/mountinfo' 2>/dev/null
	[ "${lines[0]}" = data ]
	[ "$(grep -c '^refused' <<<"$output")" -eq 2 ]
	for path in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do
		[ ! -e "$path" ] || mount_has "$path" proc ro
	done
}

@test "mounts: /sys is read-only, with everything below it" {
	container 'cat /proc/self/mountinfo; mkdir /sys/fs/x 2>/dev/null || echo refused'
	mount_has /sys sysfs ro
	[[ "$output" == *refused ]]
	awk '$5 ~ "^/sys" && $6 !~ "(^|,)ro(,|$)" { print "writable: " $0; bad = 1 } END { exit bad }' <<<"$output"
}

@test "mounts: /sys/fs/cgroup is there and read-only" {
	container 'cat /proc/self/mountinfo; mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused'
	grep -q ' /sys/fs/cgroup' <<<"$output"
	[[ "$output" == *refused ]]
}

@test "mounts: a bind of a directory, read-write, then read-only" {
	mkdir host && echo data >host/file
	config '.mounts += [{destination: "/mnt/made/here", type: "bind", source: "host", options: ["bind", "rw"]}]
		| .root.readonly = false'
	container 'cat /mnt/made/here/file; echo more >/mnt/made/here/new'
	[ "$status" -eq 0 ]
	[ "$output" = data ]
	[ "$(cat host/new)" = more ]
	config '.mounts[-1].options = ["rbind", "ro", "nosuid", "nodev", "noexec"]'
	container 'cat /proc/self/mountinfo; echo more >/mnt/made/here/other'
	[ "$status" -ne 0 ]
	mount_has /mnt/made/here any ro nosuid nodev noexec
	[ ! -e host/other ]
}

@test "mounts: a bind of a file onto a missing file" {
	echo data >hostfile
	config '.root.readonly = false
		| .mounts += [{destination: "/etc/new/file", type: "none", source: $s, options: ["bind"]}]' --arg s "$PWD/hostfile"
	container 'cat /etc/new/file; test -f /etc/new/file'
	[ "$status" -eq 0 ]
	[ "$output" = data ]
}

@test "mounts: a missing bind source is refused and named" {
	config '.mounts += [{destination: "/mnt", type: "bind", source: "/no/such/source", options: ["bind"]}]'
	container true
	[ "$status" -eq 1 ]
	[[ "${stderr,,}" == *"/no/such/source"* && "${stderr,,}" == *"no such file or directory"* ]]
}

@test "mounts: tmpfs with size and mode, and its options" {
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs",
		options: ["nosuid", "nodev", "noexec", "size=1m", "mode=1750", "noatime"]}]'
	container 'cat /proc/self/mountinfo; stat -c %a /tmp; head -c 2000000 /dev/zero >/tmp/f; wc -c </tmp/f'
	mount_has /tmp tmpfs rw nosuid nodev noexec noatime size=1024k
	[[ "$output" == *$'1750\n'* ]]
	[ "${lines[-1]}" = 1048576 ]
	[ -z "$(ls -A rootfs/tmp)" ]
}

@test "mounts: an unknown option is refused by the kernel and named" {
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["no-such-option"]}]'
	container true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *tmp* ]]
}

@test "mounts: later mounts lie above earlier ones" {
	mkdir one two && echo one >one/file && echo two >two/file
	config '.mounts += [{destination: "/var", type: "bind", source: "one", options: ["bind"]},
			    {destination: "/var", type: "bind", source: "two", options: ["bind"]}]'
	container 'cat /var/file'
	[ "$output" = two ]
}

@test "mounts: a symlink in the image that points to an absolute path stays inside" {
	mkdir host && echo data >host/file && mkdir rootfs/real
	ln -s /real rootfs/link
	config '.mounts += [{destination: "/link/deep", type: "bind", source: "host", options: ["bind"]}]
		| .root.readonly = false'
	container 'cat /real/deep/file'
	[ "$status" -eq 0 ]
	[ "$output" = data ]
	[ -d rootfs/real/deep ]
	[ ! -e /real ]
}

@test "mounts: nothing that the container mounts reaches the host" {
	before=$(cut -d' ' -f5 /proc/self/mountinfo | sort)
	program sleep 60
	apart run -d "$ID"
	wait_for running
	[ "$(cut -d' ' -f5 /proc/self/mountinfo | sort)" = "$before" ]
}

# Seen failing without: the mounts cut off from the host's (step_propagation).
@test "mounts: nothing reaches a host whose mounts are shared" {
	need_root "a private mount namespace whose mounts are shared"
	mkdir -p rootfs/mnt
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	program sh -c 'mount -t tmpfs tmpfs /mnt && echo mounted'
	run unshare -m sh -c 'mount --make-rshared / && "$@" && grep -F "$0" /proc/self/mountinfo' "$PWD/rootfs" \
		"$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
	show
	[ "$output" = mounted ]
}

@test "mounts: propagation is private to the container" {
	container 'cat /proc/self/mountinfo'
	[[ "$output" != *shared:* ]]
}

@test "mounts: a missing rootfs is refused and named" {
	config '.root.path = "no-such-rootfs"'
	container true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *no-such-rootfs* ]]
}

@test "mounts: rootfs with an absolute path" {
	config '.root.path = $p' --arg p "$PWD/rootfs"
	container 'echo here'
	[ "$output" = here ]
}

@test "mounts: two hundred binds" {
	mkdir host && echo data >host/file
	config '.root.readonly = false | .mounts += [range(200) |
		{destination: "/var/m\(.)", type: "bind", source: "host", options: ["bind", "ro"]}]'
	container 'cat /var/m*/file | wc -l'
	[ "$output" = 200 ]
}
