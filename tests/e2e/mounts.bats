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

# Seen failing without: the look at the kinds where move_mount(2) has refused (attach), and before a new file system is made (apply).
@test "mounts: source and destination of different kinds are refused, and it is said" {
	mkdir directory
	touch file rootfs/tmp/file
	cp config.json kept.json
	while read -r source destination options; do
		cp kept.json config.json
		config '.root.readonly = false | .mounts = [{destination: $d, source: $s, type: (if $s == "tmpfs" then $s else "bind" end), options: [$o]}]' \
			--arg d "$destination" --arg s "$source" --arg o "$options"
		container 'echo ran'
		[ "$status" -eq 1 ]
		[[ "$stderr" == *"mount: $destination: source and destination differ in kind"*"a directory on a directory, a file on a file"* ]]
	done <<-'TABLE'
		file /var bind
		directory /etc/passwd bind
		directory /etc/passwd rbind
		tmpfs /etc/passwd rw
		tmpfs /etc/passwd tmpcopyup
	TABLE
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

@test "mounts: a thousand binds" {
	mkdir host && echo data >host/file
	config '.root.readonly = false | .mounts += [range(1000) |
		{destination: "/var/m\(.)", type: "bind", source: "host", options: ["bind", "ro"]}]'
	container 'cat /var/m*/file | wc -l; grep -c " /var/m[0-9]* ro" /proc/self/mountinfo'
	[ "$(xargs <<<"$output")" = "1000 1000" ]
}

@test "mounts: a source of 70000 bytes is refused, not cut" {
	config '.mounts += [{destination: "/tmp", type: "bind", source: ("/" + ("x/" * 35000)), options: ["bind"]}]'
	container 'echo ran'
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ "$stderr" == *"/tmp"*"File name too long"* ]]
	no_containers
}

# ---- options ----

options=(ro nosuid nodev noexec nodiratime noatime nosymfollow)

# Seen failing without: an attribute (ATTR_SET), the attributes of binds (tree_attributes), of file systems (filesystem_make).
@test "mounts: every option on a file system, a directory and a file, in and out of a user namespace" {
	mkdir host && touch host/file
	for option in "${options[@]}" strictatime; do
		config '.mounts += [{destination: "/mnt/t-\($o)", type: "tmpfs", source: "x", options: [$o]},
			{destination: "/mnt/d-\($o)", type: "bind", source: "host", options: ["bind", $o]},
			{destination: "/mnt/f-\($o)", type: "bind", source: "host/file", options: ["bind", $o]}]' --arg o "$option"
	done
	config '.root.readonly = false'
	mkdir rootfs/mnt
	for namespace in host user; do
		if [ "$namespace" = host ] && ! is_root; then continue; fi
		if [ "$namespace" = user ]; then
			# The kernel keeps the access times of the host's mounts from a user namespace.
			config '.mounts |= map(select(.destination | test("^/mnt/[df]-.*atime") | not))'
			if is_root; then many_ids && chown -R 100000:100000 rootfs/mnt; fi
		fi
		container 'cat /proc/self/mountinfo'
		[ "$status" -eq 0 ]
		for kind in t d f; do
			for option in "${options[@]}"; do
				case $namespace-$kind-$option in user-[df]-*atime) continue ;; esac
				mount_has "/mnt/$kind-$option" any "$option"
			done
		done
		[[ "$(mount_line /mnt/t-strictatime)" == *" /mnt/t-strictatime rw - "* ]]
		[ "$namespace" = user ] || [[ "$(mount_line /mnt/d-strictatime)" == *" /mnt/d-strictatime rw - "* ]]
	done
	config '.mounts += [{destination: "/mnt/refused", type: "bind", source: "host", options: ["bind", "nodiratime"]}]'
	container 'echo ran'
	[ "$status" -eq 1 ]
	[[ "$stderr" == *"/mnt/refused"*atime* ]]
}

# beside_sub OPTIONS: moss, where volume has a tmpfs with these options, and volume/sub another one. As a user it is
# root in a user namespace whose own these mounts are.
beside_sub() {
	local apart=(unshare -m)
	is_root || apart=(unshare -Urm)
	mkdir -p volume rootfs/mnt
	config '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	program cat /proc/self/mountinfo
	run --separate-stderr "${apart[@]}" sh -c 'mount -t tmpfs above volume && mkdir volume/sub && mount -t tmpfs below volume/sub &&
		for at in volume/sub volume; do mount -o "remount,bind,$0" $at || exit; done; exec "$@"' "$1" "$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
	show
	[ "$status" -eq 0 ]
}
volume_options() { config '.mounts |= (map(select(.source != "volume")) + [{destination: "/mnt", type: "bind", source: "volume", options: (["rbind"] + $ARGS.positional)}])' --args -- "$@"; }
lacks() { [[ ",$(mount_line "$1" | cut -d" " -f6)," != *",$2,"* ]] || { mount_line "$1" && return 1; }; }

# Seen failing without: AT_RECURSIVE for recursive ones, and with it for plain ones (tree_attributes).
@test "mounts: every recursive option is set and taken back below as well, a plain one only at the top" {
	for option in "${options[@]}"; do
		case $option in ro) back=rw ;; *) back=${option#no} ;; esac
		volume_options "r$option"
		beside_sub rw
		mount_has /mnt tmpfs "$option"
		mount_has /mnt/sub tmpfs "$option"
		volume_options "$option"
		beside_sub rw
		mount_has /mnt tmpfs "$option"
		lacks /mnt/sub "$option"
		volume_options "r$back"
		beside_sub "$option"
		lacks /mnt "$option"
		lacks /mnt/sub "$option"
		volume_options "$back"
		beside_sub "$option"
		lacks /mnt "$option"
		mount_has /mnt/sub tmpfs "$option"
	done
	volume_options rstrictatime
	beside_sub rw
	lacks /mnt/sub relatime
	volume_options rrelatime
	beside_sub noatime
	mount_has /mnt/sub tmpfs relatime
	volume_options rnorelatime rnostrictatime
	beside_sub rw
	mount_has /mnt/sub tmpfs relatime
}

# ---- propagation ----

# propagation_of DESTINATION: the optional fields of its line in $output.
propagation_of() { mount_line "$1" | awk '{ for (i = 7; $i != "-"; i++) printf "%s ", $i }' | sed 's/:[0-9]*//g; s/ $//'; }
# on_shared CODE: as root, where every mount of the host is shared; "$@" is moss, $R the container's root, $V a volume.
on_shared() {
	need_root "a private mount namespace whose mounts are shared"
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"]) | .root.readonly = false'
	mkdir -p rootfs/mnt volume/sub
	run --separate-stderr env R="$PWD/rootfs" V="$PWD/volume" ID="$ID" unshare -m sh -c 'mount --make-rshared / && eval "$0"' "$1" \
		"$MOSS" --root "$ROOT" </dev/null 3>&- 4>&-
	show
}

# Seen failing without: the propagation of the root, and with a recursive one for both forms (mounts_propagate).
@test "rootfsPropagation: each form is the root's, the recursive one also what is mounted below" {
	for form in private slave shared unbindable; do
		word=$form
		case $form in private | slave) word="" ;; esac # there is nobody that it would be a slave of
		config '.linux.rootfsPropagation = $f' --arg f "$form"
		container 'cat /proc/self/mountinfo'
		[ "$status" -eq 0 ]
		[[ "$(propagation_of /)" == "$word"* ]]
		[[ "$(propagation_of /proc)" != *"$form"* ]]
		config '.linux.rootfsPropagation = "r" + $f' --arg f "$form"
		container 'cat /proc/self/mountinfo'
		[[ "$(propagation_of /)" == "$word"* ]]
		[[ "$(propagation_of /proc)" == *"$word"* ]]
		[[ "$(propagation_of /dev/pts)" == *"$word"* ]]
	done
}

# Seen failing without: the mounts' own propagation behind the root's (mounts_propagate).
@test "rootfsPropagation: a mount's own propagation wins over a recursive one of the root" {
	mkdir host
	config '.linux.rootfsPropagation = "rshared" | .root.readonly = false | .linux.readonlyPaths += ["/mnt/unbindable"]
		| .mounts += [("private", "slave", "shared", "unbindable") | {destination: "/mnt/\(.)", type: "tmpfs", source: "x", options: [.]}]
		| .mounts += [{destination: "/mnt/bind", type: "bind", source: "host", options: ["rbind", "runbindable"]}]'
	container 'cat /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	[[ "$(propagation_of /)" == shared* ]]
	[ -z "$(propagation_of /mnt/private)" ]
	[ "$(propagation_of /mnt/shared)" = shared ]
	[ "$(propagation_of /mnt/bind)" = unbindable ]
	mount_has /mnt/unbindable tmpfs ro
}

# Seen failing without: step_propagation.
@test "rootfsPropagation: whatever it is, a mount in the container does not reach a shared host" {
	program sh -c 'mount -t tmpfs leaked /mnt && mount -t tmpfs leaked /proc/sys && echo mounted'
	for form in private rprivate slave rslave shared rshared unbindable runbindable; do
		config '.linux.rootfsPropagation = $f' --arg f "$form"
		on_shared '"$@" run "$ID"; grep " leaked " /proc/self/mountinfo'
		[ "$output" = mounted ]
	done
}

# Seen failing with: MS_PRIVATE for all, MS_SLAVE for all (step_propagation).
@test "rootfsPropagation: what the host mounts arrives at a slave and at a shared root, at no private one" {
	program sleep 60
	for words in "private 0" "slave 1" "shared 1" "unbindable 0"; do
		read -r form count <<<"$words"
		config '.linux.rootfsPropagation = $f' --arg f "$form"
		on_shared '"$@" run -d "$ID" </dev/null >/dev/null 2>&1 && mount -t tmpfs arrived "$R/mnt" && "$@" exec "$ID" grep -c " arrived " /proc/self/mountinfo
			"$@" delete --force "$ID"'
		[ "$output" = "$count" ]
	done
}

# Seen failing without: the sources that are cloned before all is cut off (step_shared_sources), or with all of them.
@test "rootfsPropagation: below a shared root a volume with rshared is the host's both ways, others are not" {
	program sh -c 'mount -t tmpfs from-inside /volume/sub && mount -t tmpfs from-inside /other/sub && echo mounted'
	for words in "shared rshared 1" "shared rslave 0" "slave rshared 0"; do
		read -r root volume count <<<"$words"
		config '.linux.rootfsPropagation = $r | .mounts |= (map(select(.destination | test("volume|other") | not)) +
			[{destination: "/volume", type: "bind", source: "volume", options: ["rbind", $v]},
			 {destination: "/other", type: "bind", source: "volume", options: ["rbind"]}])' --arg r "$root" --arg v "$volume"
		on_shared '"$@" run "$ID"; awk "/ from-inside /" /proc/self/mountinfo'
		[ "${lines[0]}" = mounted ]
		[ "$(grep -c "$PWD/volume/sub .* from-inside " <<<"$output")" -eq "$count" ]
		[ "$(grep -c " from-inside " <<<"$output")" -eq "$count" ]
	done
}

# ---- targets ----

# Seen failing without: walk_link.
@test "mounts: targets that are links, dangling links, FIFOs, sockets, with many slashes, missing" {
	mkdir host && echo data >host/file
	mkfifo rootfs/var/fifo
	"$PYTHON" -c 'import os, socket
os.chdir("rootfs/var"); socket.socket(socket.AF_UNIX).bind("socket")'
	ln -s /etc/hosts rootfs/var/link
	ln -s /made/by/link rootfs/var/dangling
	ln -s ../../../made/directory rootfs/var/upwards
	touch rootfs/etc/hosts
	config '.root.readonly = false | .mounts += [("/var/fifo", "/var/socket", "/var/link", "/var/dangling", "//var////missing//file///", "/var/./x/../y/file") |
			{destination: ., type: "bind", source: "host/file", options: ["bind"]}]
		| .mounts += [{destination: "/var/upwards", type: "tmpfs", source: "tmpfs"}]'
	container 'cat /var/fifo /var/socket /etc/hosts /made/by/link /var/missing/file /var/y/file; cat /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	[ "$(head -n 6 <<<"$output" | xargs)" = "data data data data data data" ]
	mount_has /made/directory tmpfs
	[ -p rootfs/var/fifo ]
	[ -S rootfs/var/socket ]
	[ -f rootfs/made/by/link ]
	[ -d rootfs/made/directory ]
	[ -f rootfs/var/missing/file ] && [ ! -s rootfs/var/missing/file ]
	[ "$(readlink rootfs/var/dangling)" = /made/by/link ]
}

@test "mounts: a target that is made is the container root's, mode 755 and 644, with the group of a set-group-id parent" {
	ids
	if is_root; then many_ids; fi
	mkdir rootfs/var/group host && chmod 2777 rootfs/var/group && touch host/file
	is_root && chown 100000:100007 rootfs/var/group && chmod 2777 rootfs/var/group
	config '.root.readonly = false | .process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])
		| .mounts += [{destination: "/var/plain/deep", type: "tmpfs", source: "x"}, {destination: "/var/group/made", type: "tmpfs", source: "x"}]
		| .mounts += [{destination: "/var/group/file", type: "bind", source: "host/file", options: ["bind"]}]'
	container 'umount /var/plain/deep 2>/dev/null; stat -c "%a %u:%g" /var/plain; stat -c "%a" /var/plain/deep'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "755 0:0" ]
	[ "${lines[1]}" = 755 ]
	[ "$(stat -c %a rootfs/var/group/file)" = 644 ]
	[ "$(stat -c %a rootfs/var/group/made)" = 2755 ]
	[ "$(stat -c %g rootfs/var/group/made)" = "$(stat -c %g rootfs/var/group)" ]
	if is_root; then [ "$(stat -c %u:%g rootfs/var/group/made)" = 100000:100007 ]; fi
}

# ---- masks ----

# Seen failing with: masks that follow no link.
@test "mounts: masked links are masked where they point, masked devices are /dev/null, missing ones are left" {
	mkdir -p rootfs/var/real/dir && echo secret >rootfs/var/real/file && touch rootfs/var/real/dir/hidden
	ln -s /var/real/file rootfs/var/file-link
	ln -s real/dir rootfs/var/dir-link
	ln -s /no/such/place rootfs/var/dangling
	mkfifo rootfs/var/fifo
	config '.linux.maskedPaths += ["/var/file-link", "/var/dir-link", "/var/dangling", "/dev/zero", "/var/fifo", "/var/real/file/below"]
		| .linux.readonlyPaths += ["/var/dangling", "/var/missing"]'
	container 'cat /var/real/file; ls -A /var/real/dir; head -c 4 /dev/zero | wc -c; stat -c %t:%T /dev/zero /var/fifo; ls -A /var'
	[ "$status" -eq 0 ]
	[ "$(xargs <<<"$output")" = "0 1:3 1:3 dangling dir-link fifo file-link real" ]
	[ ! -e rootfs/no ]
}

# Seen failing without: AT_RECURSIVE (make_readonly).
@test "mounts: read-only paths that are links and files, and what is mounted below" {
	mkdir -p rootfs/var/real/sub && echo x >rootfs/var/real/file && ln -s /var/real rootfs/var/link
	config '.root.readonly = false | .mounts += [{destination: "/var/real/sub", type: "tmpfs", source: "tmpfs"}]
		| .linux.readonlyPaths += ["/var/link", "/etc/hosts"]'
	container 'for f in /var/real/file /var/real/new /var/real/sub/new /etc/hosts; do (echo y >>$f) 2>/dev/null && echo "written: $f"; done
		cat /var/real/file; echo y >/etc/other && echo other'
	[ "$(xargs <<<"$output")" = "x other" ]
}
