#!/usr/bin/env bats
# mount_options.bats - what moss does itself for a mount: tmpcopyup, idmap, links, remount, long options.
# shellcheck disable=SC2016 # the container's own variables, and jq's
load lib.bash
setup() {
	e2e_setup
	config '.root.readonly = false'
	mkdir rootfs/mnt
}
teardown() {
	[ ! -d rootfs/var/data ] || as_inside chown -Rh 0:0 rootfs/var/data # else a user could not remove it
	e2e_teardown
}

# mount_add DESTINATION TYPE SOURCE OPTION...: one more of config.json's mounts.
mount_add() {
	config '.mounts += [{destination: $d, type: $t, source: $s, options: $o}]' --arg d "$1" --arg t "$2" --arg s "$3" \
		--argjson o "$(jq -nc '$ARGS.positional' --args -- "${@:4}")"
}
# as_inside COMMAND...: with the ids of the container, for files of many owners.
as_inside() { if is_root; then "$@"; else "$MOSS" unshare "$@" </dev/null 3>&- 4>&-; fi; }
# refused WORD...: the container is not made, and the message has the words.
refused() {
	container 'echo ran'
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	for word in "$@"; do [[ "$stderr" == *"$word"* ]] || { echo "no $word" && return 1; }; done
	no_containers
}

# Seen failing without: the copy of owners, of modes, of times (copy_attributes).
@test "tmpcopyup: content, modes, owners, times, links and FIFOs are copied; the image stays as it is" {
	ids
	mkdir -p rootfs/var/data/sub/deep
	echo content >rootfs/var/data/sub/deep/file
	echo program >rootfs/var/data/program
	ln -s sub/deep/file rootfs/var/data/link
	ln -s /no/such/place rootfs/var/data/dangling
	mkfifo -m 0620 rootfs/var/data/fifo
	truncate -s 3G rootfs/var/data/holes
	touch -d '2001-02-03 04:05:06Z' rootfs/var/data/sub/deep/file rootfs/var/data/sub
	as_inside sh -c 'cd rootfs/var/data && chown 5:6 program sub && chown -h 7:8 link && chmod 04711 program && chmod 02750 sub &&
		chown 9:10 . && chmod 01771 .'
	touch -d '2001-02-03 04:05:06Z' rootfs/var/data/sub 2>/dev/null || as_inside touch -d '2001-02-03 04:05:06Z' rootfs/var/data/sub
	mount_add /var/data tmpfs tmpfs tmpcopyup nosuid
	config '.process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])'
	container 'cd /var/data && stat -c "%n %a %u:%g %F" . program sub sub/deep link dangling fifo && cat link && stat -c "%s" holes
		stat -c "%n %Y" sub sub/deep/file && echo more >new && rm new && grep " /var/data " /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	[ "$(head -n 11 <<<"$output")" = ". 1771 9:10 directory
program 4711 5:6 regular file
sub 2750 5:6 directory
sub/deep 755 0:0 directory
link 777 7:8 symbolic link
dangling 777 0:0 symbolic link
fifo 620 0:0 fifo
content
3221225472
sub 981173106
sub/deep/file 981173106" ]
	mount_has /var/data tmpfs nosuid
	[ ! -e rootfs/var/data/new ]
	as_inside stat -c %u:%g rootfs/var/data/program
}

# Seen failing without: copy_xattrs.
@test "tmpcopyup: extended attributes are copied" {
	mkdir rootfs/var/data && echo x >rootfs/var/data/file
	"$PYTHON" -c 'import os; os.setxattr("rootfs/var/data/file", "user.note", b"kept")' || skip "no attributes here"
	mount_add /var/data tmpfs tmpfs tmpcopyup
	program sleep 60
	apart run -d "$ID"
	run "$PYTHON" -c 'import os, sys
path = "/proc/%s/root/var/data/" % sys.argv[1]
try: os.setxattr(path + "file", "user.other", b"")
except OSError as e: print("skip", e); sys.exit()
print(os.getxattr(path + "file", "user.note").decode())' "$(pid_of)"
	show
	[[ "$output" != skip* ]] || skip "a tmpfs of this kernel takes none: $output"
	[ "$output" = kept ]
}

# Seen failing without: the read-only flag that waits for the copy (filesystem_make), and fill.
@test "tmpcopyup: a read-only one is filled, and read-only" {
	mkdir rootfs/var/data && echo content >rootfs/var/data/file
	mount_add /var/data tmpfs tmpfs tmpcopyup ro
	container 'cat /var/data/file; touch /var/data/new || echo refused; cat /proc/self/mountinfo'
	[[ "$output" == "content"$'\n'"refused"* ]]
	mount_has /var/data tmpfs ro
}

# Seen failing without: copy_up.
@test "tmpcopyup: an empty and a missing directory, and a second mount in what was copied" {
	mkdir -p rootfs/var/empty rootfs/var/data/sub && echo x | tee rootfs/var/data/sub/file >rootfs/var/data/top
	mount_add /var/empty tmpfs tmpfs tmpcopyup
	mount_add /var/missing tmpfs tmpfs tmpcopyup
	mount_add /var/data tmpfs tmpfs tmpcopyup
	mount_add /var/data/sub tmpfs tmpfs
	container 'ls -A /var/empty /var/missing /var/data /var/data/sub | xargs'
	[ "$output" = "/var/data: sub top /var/data/sub: /var/empty: /var/missing:" ]
}

# Seen failing without: AT_SYMLINK_NOFOLLOW and O_NOFOLLOW (copy_up.c).
@test "tmpcopyup: no link of the image is followed out of it" {
	mkdir -p rootfs/var/data outside && echo secret >outside/file
	ln -s "$PWD/outside" rootfs/var/data/directory
	ln -s "$PWD/outside/file" rootfs/var/data/file
	ln -s "$PWD/outside" rootfs/var/all
	mount_add /var/data tmpfs tmpfs tmpcopyup
	mount_add /var/all tmpfs tmpfs tmpcopyup
	container 'cd /var/data; cat file directory/file 2>/dev/null; find . ! -type d | sort | xargs; ls -A /var/all/'
	[ "$output" = "./directory ./file" ]
	[ "$(ls -A outside)" = file ]
}

# Seen failing without: DEPTH_MAX.
@test "tmpcopyup: too small, too deep, not readable: refused with the path" {
	cp config.json kept.json
	mkdir -p rootfs/var/data/sub && head -c 20000 /dev/zero >rootfs/var/data/sub/large
	mount_add /var/data tmpfs tmpfs tmpcopyup size=8k
	refused "/var/data: sub/large" "No space left" size=
	cp kept.json config.json
	deep=rootfs/var/deep
	for _ in $(seq 110); do deep+=/d; done
	mkdir -p "$deep"
	mount_add /var/deep tmpfs tmpfs tmpcopyup
	refused "/var/deep: d/d/d" nested
	is_root && return
	cp kept.json config.json
	mkdir rootfs/var/closed && echo x >rootfs/var/closed/file
	config '.linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}]' --argjson u "$(id -u)"
	mount_add /var/closed tmpfs tmpfs tmpcopyup
	container 'cat /var/closed/file'
	[ "$output" = x ]
}

# Seen failing without: mknod in copy_node.
@test "tmpcopyup: device nodes are copied by root and named in a user namespace" {
	need_root "mknod"
	mkdir rootfs/var/data && mknod -m 0640 rootfs/var/data/null c 1 3
	mount_add /var/data tmpfs tmpfs tmpcopyup
	container 'stat -c "%a %F %t:%T" /var/data/null'
	[ "$output" = "640 character special file 1:3" ]
	many_ids
	refused "/var/data: null" mknod
}

# ---- idmapped mounts ----

# mapped SOURCE DESTINATION OPTION...: a bind, and uidMappings and gidMappings over 1000 and 2000.
mapped() {
	mount_add "$2" bind "$1" "${@:3}"
	config '.mounts[-1] += {uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 2000, size: 10}]}'
}

# Seen failing without: MOUNT_ATTR_IDMAP (map_tree).
@test "idmap: own mappings show and take other ids, without a user namespace" {
	need_root "an idmapped mount of the host's file system"
	mkdir host && echo x >host/file && chown 3:4 host/file && chmod 0777 host
	for words in idmap ridmap ""; do
		cp config.json kept.json
		# shellcheck disable=SC2086 # none or one
		mapped "$PWD/host" /mnt rbind $words
		config '.process.user = {uid: 1001, gid: 2002}'
		rm -f host/new
		container 'stat -c %u:%g /mnt/file; touch /mnt/new; cat /proc/self/mountinfo'
		[ "${lines[0]}" = 1003:2004 ]
		[ "$(stat -c %u:%g host/new)" = 1:2 ]
		mount_has /mnt any idmapped
		mv kept.json config.json
	done
}

# Seen failing without: inherit (spec_idmap.c).
@test "idmap: the container's own mappings, with a user namespace" {
	need_root "an idmapped mount of the host's file system"
	many_ids
	mkdir host && echo x >host/file && chown 3:4 host/file
	mount_add /mnt bind "$PWD/host" bind idmap
	container 'stat -c %u:%g /mnt /mnt/file; touch /mnt/new'
	[ "$status" -eq 0 ]
	[ "$(xargs <<<"$output")" = "0:0 3:4" ]
	[ "$(stat -c %u:%g host/new)" = 0:0 ]
	# own mappings win over them: the file's 3 is the host's 100005, which is 5 inside
	config '.mounts[-1] += {uidMappings: [{containerID: 3, hostID: 100005, size: 1}], gidMappings: [{containerID: 0, hostID: 100000, size: 9}]}'
	container 'stat -c %u:%g /mnt/file'
	[ "$output" = 5:4 ]
}

# Seen failing without: the namespace that is joined as the mapping (open_all).
@test "idmap: the mappings of a user namespace that is joined" {
	need_root "an idmapped mount of the host's file system"
	many_ids
	program sleep 60
	apart run -d "$ID"
	wait_for running
	mkdir host && echo x >host/file && chown 3:4 host/file
	config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user", path: $p}]) | del(.linux.uidMappings, .linux.gidMappings)' \
		--arg p "/proc/$(pid_of)/ns/user"
	mount_add /mnt bind "$PWD/host" bind idmap
	program stat -c %u:%g /mnt/file
	run --separate-stderr moss run "$ID-two"
	show
	[ "$output" = 3:4 ]
}

# Seen failing without: to_host.
@test "idmap: mappings in the option, absolute and relative to the container's" {
	need_root "an idmapped mount of the host's file system"
	mkdir host && echo x >host/file && chown 3:4 host/file
	cp config.json kept.json
	mount_add /mnt bind "$PWD/host" bind "idmap=uids=0-500-3#3-700-1;gids=0-800-10"
	container 'stat -c %u:%g /mnt/file'
	[ "$output" = 700:804 ]
	cp kept.json config.json
	many_ids
	mount_add /mnt bind "$PWD/host" bind "idmap=uids=@3-9-1#0-100000-1;gids=@0-0-10"
	container 'stat -c %u:%g /mnt/file'
	[ "$output" = 9:4 ]
}

# Seen failing without: AT_RECURSIVE for ridmap alone; and without the propagation that is cut off (map_tree).
@test "idmap: ridmap maps what is mounted below, idmap does not; nothing reaches a shared host" {
	need_root "an idmapped mount of the host's file system"
	mkdir -p host/sub other && echo x >other/file && chown 3:4 other/file
	cp config.json kept.json
	for words in "rbind idmap 3:4" "rbind ridmap 1003:2004"; do
		cp kept.json config.json
		read -r bind idmap owner <<<"$words"
		mapped "$PWD/host" /mnt "$bind" "$idmap"
		config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
		program sh -c 'stat -c %u:%g /mnt/sub/file && mount -t tmpfs none /mnt && echo mounted'
		run unshare -m sh -c 'mount --bind other host/sub && mount --make-rshared / && "$@" && grep " - tmpfs none " /proc/self/mountinfo' sh \
			"$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
		show
		[ "$output" = "$owner"$'\n'mounted ]
	done
}

# Seen failing without: the look who asks (mount_idmap_open).
@test "idmap: refused to a user with the field, before anything is made" {
	need_user "root may"
	mkdir host
	last=$(jq '.mounts | length' config.json)
	mount_add /made bind "$PWD/host" bind idmap
	refused "mounts[$last]: options: idmap" "normal user"
	[ ! -e rootfs/made ]
}

# Seen failing without: check_special.
@test "idmap: what makes no sense is refused with the field, before anything is made" {
	mkdir host
	cp config.json kept.json
	at="mounts[$(jq '.mounts | length' config.json)]"
	mount_add /made tmpfs tmpfs idmap
	refused "$at: options" "type bind"
	cp kept.json config.json
	mapped "$PWD/host" /made bind
	config 'del(.mounts[-1].gidMappings)'
	refused "$at: gidMappings" both
	cp kept.json config.json
	mapped "$PWD/host" /made bind
	config '.mounts[-1].uidMappings[0].size = 0'
	refused "$at: uidMappings[0]" size
	cp kept.json config.json
	mount_add /made bind "$PWD/host" bind "idmap=uids=0-1"
	refused "$at: options: idmap" "three numbers"
	[ ! -e rootfs/made ]
	is_root || return 0
	cp kept.json config.json
	mount_add /made bind "$PWD/host" bind idmap
	refused "$at: options: idmap" "no user namespace"
	cp kept.json config.json
	mapped /proc /made bind
	refused "$at: /made" "map the ids"
}

# ---- links ----

# Seen failing without: link_copy.
@test "copy-symlink: the link is made again, not followed; an equal one may be there, another may not" {
	mkdir host && echo x >host/file && ln -s ../etc/hosts host/link
	cp config.json kept.json
	mount_add /var/new/link bind "$PWD/host/link" bind copy-symlink
	mount_add /var/file bind "$PWD/host/file" bind copy-symlink
	container 'readlink /var/new/link; cat /var/file; cat /proc/self/mountinfo'
	[ "$(head -n 2 <<<"$output" | xargs)" = "../etc/hosts x" ]
	[ -z "$(mount_line /var/new/link)" ]
	mount_has /var/file any
	container 'readlink /var/new/link'
	[ "$output" = ../etc/hosts ]
	rm rootfs/var/new/link && touch rootfs/var/new/link
	refused /var/new/link "something else"
	[ -f rootfs/var/new/link ]
}

# Seen failing without: O_NOFOLLOW (source_open, target_open_link).
@test "src-nofollow and dest-nofollow: the link itself is mounted, and covered" {
	mkdir host && echo x >host/file && ln -s elsewhere host/link
	cp config.json kept.json
	ln -s /etc/hosts rootfs/var/link
	mount_add /var/link bind "$PWD/host/link" bind src-nofollow dest-nofollow
	container 'readlink /var/link'
	[ "$output" = elsewhere ]
	cp kept.json config.json
	mount_add /var/link bind "$PWD/host/file" bind dest-nofollow
	container 'cat /var/link; grep -c localhost /etc/hosts; cat /proc/self/mountinfo'
	[ "$(head -n 2 <<<"$output" | xargs)" = "x 1" ]
	mount_has /var/link any
	[ "$(readlink rootfs/var/link)" = /etc/hosts ]
	# without a link they change nothing
	cp kept.json config.json
	mount_add /var/deep/made bind "$PWD/host" bind src-nofollow dest-nofollow
	container 'cat /var/deep/made/file'
	[ "$output" = x ]
	cp kept.json config.json
	mount_add /var/link bind "$PWD/host" bind dest-nofollow
	refused /var/link "symbolic link"
}

# ---- remount ----

# Seen failing without: remount.
@test "remount: the mount that is there gets the flags and keeps its others" {
	cp config.json kept.json
	mount_add /dev/shm bind none bind remount ro
	mount_add / bind none bind remount nosuid
	container 'cat /proc/self/mountinfo; touch /dev/shm/new'
	[ "$status" -eq 1 ]
	mount_has /dev/shm tmpfs ro nosuid nodev noexec size=65536k
	mount_has / any rw nosuid
	[ "$(awk '$5 == "/dev/shm"' <<<"$output" | wc -l)" -eq 1 ]
	cp kept.json config.json
	mount_add /tmp bind none bind remount ro
	refused /tmp "nothing is mounted"
	cp kept.json config.json
	mount_add /var/missing bind none bind remount ro
	refused /var/missing
	[ ! -e rootfs/var/missing ]
}

# Seen failing with: the flags that are not named taken away (tree_attributes).
@test "remount: flags that a user namespace has locked are kept, and not taken away" {
	mkdir host
	# the caller's root in a user namespace, where the tmpfs has its flags; the container's own is one below
	if is_root; then open_way; many_ids; fi
	config '.linux.namespaces |= (map(select(.type != "user")) + [{type: "user"}])
		| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	is_root && chown -R 0:0 rootfs/tmp rootfs/var
	cp config.json kept.json
	mount_add /mnt bind "$PWD/host" bind ro
	mount_add /mnt bind none bind remount ro
	program cat /proc/self/mountinfo
	inside() {
		run --separate-stderr unshare -Urm sh -c 'mount -t tmpfs -o nosuid,nodev,noexec none host && exec "$@"' sh \
			"$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
		show
	}
	inside
	[ "$status" -eq 0 ]
	mount_has /mnt tmpfs ro nosuid nodev noexec
	cp kept.json config.json
	mount_add /mnt bind "$PWD/host" bind exec
	inside
	[ "$status" -eq 1 ]
	[[ "$stderr" == *"/mnt"*"may not clear"* ]]
}

# ---- file systems ----

# Seen failing without: filesystem_attach.
@test "options above 255 bytes reach the file system, above 4095 are refused and named" {
	long=$(printf 'x%.0s' $(seq 200))
	mkdir -p "lower/$long/$long" upper work
	echo from-below >"lower/$long/$long/file"
	cp config.json kept.json
	mount_add /mnt overlay overlay "lowerdir=$PWD/lower/$long/$long" "upperdir=$PWD/upper" "workdir=$PWD/work" noexec nodev rprivate
	is_root || config '.mounts[-1].options += ["userxattr"]'
	container 'cat /mnt/file; echo new >/mnt/new; cat /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = from-below ]
	[ "$(cat upper/new)" = new ]
	mount_has /mnt overlay rw noexec nodev
	cp kept.json config.json
	mount_add /mnt overlay overlay "lowerdir=/$(printf 'y%.0s' $(seq 5000))"
	refused /mnt lowerdir=/yyy 4095
	cp kept.json config.json
	mount_add /mnt tmpfs "$(printf 'y%.0s' $(seq 70000))"
	refused /mnt source 70000
	cp kept.json config.json
	mount_add /mnt tmpfs "$(printf 'y%.0s' $(seq 1000))"
	container 'cat /proc/self/mountinfo'
	[[ "$(mount_line /mnt)" == *" tmpfs yyyyyyyyyy"* ]]
}

# Seen failing with: the words left out (KIND_DATA as KIND_NOTHING; word_flag).
@test "flags of a whole file system: sync, dirsync, lazytime, iversion, mand" {
	mount_add /mnt/a tmpfs tmpfs sync dirsync lazytime mand
	mount_add /mnt/b tmpfs tmpfs sync dirsync lazytime iversion mode=711 noexec noatime ro
	container 'cat /proc/self/mountinfo; stat -c %a /mnt/b'
	[ "$status" -eq 0 ]
	mount_has /mnt/a tmpfs sync dirsync lazytime
	mount_has /mnt/b tmpfs sync dirsync lazytime mode=711 noexec noatime ro
	[ "${lines[-1]}" = 711 ]
}

# Seen failing without: the options of cgroup2 handed on (filesystem_options).
@test "cgroup: an option that cgroup2 does not know reaches the kernel and is reported" {
	config '(.mounts[] | select(.destination == "/sys/fs/cgroup")) |= (.type = "cgroup" | .source = "cgroup" | .options = ["ro", "no-such-option"])
		| .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	if [ "$(jq '[.mounts[] | select(.destination == "/sys/fs/cgroup")] | length' config.json)" -eq 0 ]; then
		mount_add /sys/fs/cgroup cgroup cgroup ro no-such-option
	fi
	refused /sys/fs/cgroup no-such-option
}
