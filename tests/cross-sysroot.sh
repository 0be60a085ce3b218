#!/bin/sh
# cross-sysroot.sh ARCHITECTURE - print a directory with Debian's headers and libraries of another
# architecture, to build and run moss for it.
#
# The packages are unpacked there and nowhere else: this machine gets no foreign architecture and no
# foreign package. The directory is made once and kept below MOSS_CACHE (default
# /var/cache/moss-tests); its name is made of what is in it. It gets that name when it is whole, so a
# run that was killed half-way leaves nothing that the next one would take for it.
# Needs mmdebstrap; where apt has package lists, its mirror is used.
set -eu

packages=libc6-dev,libseccomp-dev,libcap-dev,libjson-c-dev,libcmocka-dev
architecture=${1:?usage: cross-sysroot.sh ARCHITECTURE}
cache=${MOSS_CACHE:-/var/cache/moss-tests}

release=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}") # as the cross compilers are
key=$(echo "$release $packages" | sha256sum | cut -c 1-16)
sysroot=$cache/sysroot-$architecture-$key
mkdir -p "$cache"
exec 9>"$cache/sysroot-$architecture.lock"
flock -w 600 9 || {
	echo "another run has been making $cache/sysroot-$architecture for 10 minutes" >&2
	exit 1
}
if [ ! -d "$sysroot" ]; then
	# No updates: what is linked here is thrown away.
	# shellcheck disable=SC2016 # apt-get's own variables
	sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' \
		"Release: $release" 'Component: main' 'Origin: Debian' | sort -u)
	half_made=$cache/sysroot-$architecture.new
	rm -rf --one-file-system "$half_made" # of a killed run: the lock is ours
	mmdebstrap --quiet --variant=extract --architectures="$architecture" --include="$packages" "$release" \
		"$half_made" ${sources:+"$sources"} >&2 || {
		rm -rf --one-file-system "$half_made"
		exit 1
	}
	mv "$half_made" "$sysroot"
fi
touch "$sysroot" # used today: what was not for two months goes
find "$cache" -maxdepth 1 -name 'sysroot-*' -type d -mtime +60 -exec rm -rf --one-file-system {} +
echo "$sysroot"
