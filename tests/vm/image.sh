#!/bin/bash
# image.sh uml|pc COPY - make a sparse copy of a guest's disk image, which is made when the cache has none.
#
# uml: for user-mode Linux. pc: for an emulated PC, with Debian's own kernel in the image; COPY.kernel and COPY.initrd
# are what it boots.
#
# The cache is $MOSS_CACHE; without it /var/cache/moss-tests, for a normal user
# ${XDG_CACHE_HOME:-~/.cache}/moss-tests. In it, the last three of each kind:
#   vm-tree-KEY.tar, pc-tree-KEY.tar      Debian with the packages of ./packages; pc: of ./packages.pc, too
#   vm-image-KEY.ext4, pc-image-KEY.ext4  that, the files of ./tree, the user ann, the kernel's modules
# KEY is a hash of everything they are made from. One builder at a time works, in a directory that the
# next one removes when it was killed; what is complete is renamed into its place.
#
# Exit status: 0, or 1 with the reason on stderr, or 77 when it can't be had here (a skip).
# shellcheck disable=SC2317 # functions are called by traps
set -u
usage='usage: image.sh uml|pc COPY'
machine=${1:?$usage} copy=${2:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
release=bookworm
recipe=1 # count it up when what mmdebstrap is told below changes

if [ "$(id -u)" -eq 0 ]; then
	cache=${MOSS_CACHE:-/var/cache/moss-tests} mode=root
	inside() { "$@"; }
else
	cache=${MOSS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/moss-tests} mode=unshare
	inside() { unshare --user --map-root-user --map-auto "$@"; }
fi

# fill MACHINE TREE.tar DIR: what the image is made from, in DIR (which becomes "/"). Runs as somebody's root.
fill() {
	local tar=$2 tree=$3 unit
	tar -C "$tree" --exclude='./dev/*' -xpf "$tar" # the kernel fills /dev
	cp -r --no-preserve=ownership,mode "$here/tree/." "$tree/"
	chmod -R u=rwX,go=rX "$tree/etc/systemd/system" "$tree/etc/tmpfiles.d"
	chmod 0755 "$tree/usr/local/sbin/vm-job"
	ln -sf vm.target "$tree/etc/systemd/system/default.target"
	# A timer or a login prompt in the midst of a test helps nobody.
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
		fstrim.timer systemd-tmpfiles-clean.timer getty.target getty@.service serial-getty@.service \
		console-getty.service apparmor.service; do
		ln -sf /dev/null "$tree/etc/systemd/system/$unit"
	done
	mkdir -p "$tree/usr/lib/modules" "$tree/var/lib/systemd/linger" "$tree/host"
	[ "$1" = pc ] || cp -r /usr/lib/uml/modules/. "$tree/usr/lib/modules/"
	chroot "$tree" useradd -m -s /bin/bash ann
	touch "$tree/var/lib/systemd/linger/ann"
}

export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
if [ "$1" = --inside ]; then # image.sh --inside MACHINE TREE.tar DIR IMAGE
	set -e
	umask 022
	mkdir "$4"
	fill "$2" "$3" "$4"
	mke2fs -q -t ext4 -d "$4" -N 200000 "$5" 6G
	exit
fi

case $machine in
uml) emulator=linux.uml kind=vm lists=(packages) ;;
pc) emulator=qemu-system-x86_64 kind=pc lists=(packages packages.pc) ;;
*) echo "$usage" >&2 && exit 1 ;;
esac
if [ "$machine" = pc ] && [ "$(uname -m)" != x86_64 ]; then
	echo "the emulated PC is for x86-64, like the moss that it runs" >&2
	exit 77
fi
for tool in "$emulator" mmdebstrap mke2fs debugfs flock unshare; do
	command -v "$tool" >/dev/null && continue
	echo "$tool is not installed: run tests/install-deps.sh test" >&2
	exit 77
done
key() { sha256sum | cut -c1-16; }
packages=$(cd "$here" && sed 's/#.*//' "${lists[@]}" | xargs | tr ' ' ,)
tree_key=$(echo "$release $recipe $mode $packages" | key)
image_key=$( (echo "$tree_key" && { [ "$machine" = pc ] || linux.uml --version; } && cd "$here" && cat image.sh &&
	find tree -type f -print0 | sort -z | xargs -0 sha256sum) | key)
tree=$cache/$kind-tree-$tree_key.tar
image=$cache/$kind-image-$image_key.ext4

mkdir -p "$cache" || exit
exec 9>"$cache/vm.lock"
flock 9 || exit
new=$cache/vm-new
drop_new() { [ ! -e "$new" ] || inside rm -rf --one-file-system "$new"; }
drop_new # whoever made it was killed; what it had started held the lock until now
builder=""
finish() {
	[ -z "$builder" ] || { kill "$builder" && wait "$builder"; } 2>/dev/null
	drop_new
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

if [ ! -e "$image" ] && [ ! -e "$tree" ]; then
	echo "making $tree: Debian $release with $packages" >&2
	mkdir "$new" && chmod 0755 "$new" || exit
	# What a killed root leaves is removed with $new. The mapped users of others may not reach it.
	[ "$mode" != root ] || export TMPDIR=$new
	status=0
	timeout -k 10 900 mmdebstrap --variant=minbase --mode="$mode" --include="$packages" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' "$release" "$new/tree.tar" </dev/null >"$new/log" 2>&1 &
	builder=$!
	wait "$builder" || status=$?
	builder=""
	[ "$status" -eq 0 ] || {
		cat "$new/log" >&2
		grep -qE 'Could not (resolve|connect)|Temporary failure|Failed to fetch|Network is unreachable' "$new/log" || exit 1
		echo "Debian's packages can't be fetched" >&2
		exit 77
	}
	mv "$new/tree.tar" "$tree" || exit
	drop_new
fi
if [ ! -e "$image" ]; then
	mkdir "$new" && chmod 0755 "$new" || exit
	inside bash "$here/image.sh" --inside "$machine" "$tree" "$new/tree" "$new/image" >&2 || exit 1
	mv "$new/image" "$image" || exit
fi
touch "$image"
[ ! -e "$tree" ] || touch "$tree"
for start in "$cache/$kind-tree-" "$cache/$kind-image-"; do
	# shellcheck disable=SC2012 # by time; the names are ours
	ls -t "$start"* 2>/dev/null | tail -n +4 | xargs -r rm -f
done
cp --sparse=always "$image" "$copy" || exit # nobody removes it meanwhile
[ "$machine" = pc ] || exit 0
# boot_file START: the name of what the kernel's package put there; its version is not ours to know.
boot_file() { debugfs -R 'ls -p /boot' "$copy" 2>/dev/null | cut -d/ -f6 | grep "^$1"; }
debugfs -R "dump /boot/$(boot_file vmlinuz-) $copy.kernel" "$copy" 2>/dev/null
debugfs -R "dump /boot/$(boot_file initrd.img-) $copy.initrd" "$copy" 2>/dev/null
[ -s "$copy.kernel" ] && [ -s "$copy.initrd" ]
