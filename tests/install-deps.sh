#!/bin/sh
# install-deps.sh build|test - install what moss needs to be built, or to be built and tested.
#
# Debian and Ubuntu: apt-get, only what is missing, as root or through sudo. For Fedora, Arch and
# Alpine the names of the packages are printed; those lists are untested.
set -eu

what=${1:-}
case $what in
build | test) ;;
*) echo "usage: install-deps.sh build|test" >&2 && exit 2 ;;
esac

debian_build='gcc make libc6-dev autoconf automake pkg-config libseccomp-dev libcap-dev libjson-c-dev libslirp-dev libglib2.0-dev libsystemd-dev uidmap busybox-static'
debian_test='clang libcmocka-dev bats jq shellcheck cppcheck python3 python3-jsonschema strace bubblewrap runc crun procps
	util-linux bsdutils git iproute2 slirp4netns passt xz-utils binutils file libcap2-bin podman containerd
	buildah docker.io golang-go golang-github-containerd-go-runc-dev tini
	mmdebstrap e2fsprogs debian-archive-keyring python3-fusepy'
# Only on some architectures; tests/vm says that it was left out.
debian_test_where_it_is=user-mode-linux
# To boot Debian's kernel, tests/vm/run.sh --pc.
debian_pc='qemu-system-x86'
# To build and test moss for other machines, tests/cross.sh.
debian_cross='gcc-aarch64-linux-gnu gcc-i686-linux-gnu gcc-s390x-linux-gnu qemu-user'
fedora='gcc make autoconf automake pkgconf-pkg-config libslirp-devel libseccomp-devel libseccomp-static libcap-devel libcap-static
	json-c-devel systemd-devel shadow-utils-subid busybox'
fedora_test='clang compiler-rt libcmocka-devel bats jq ShellCheck cppcheck python3 python3-jsonschema strace bubblewrap runc crun procps-ng
	util-linux git iproute xz binutils file'
arch='gcc make autoconf automake pkgconf libslirp libseccomp libcap json-c systemd-libs shadow busybox'
arch_test='clang compiler-rt cmocka bats jq shellcheck cppcheck python python-jsonschema strace bubblewrap runc crun procps-ng
	util-linux git iproute2 xz binutils file'
alpine='gcc make musl-dev linux-headers autoconf automake pkgconf libslirp-dev libseccomp-dev libseccomp-static libcap-dev libcap-static
	json-c-dev shadow-uidmap busybox-static bash'
alpine_test='clang compiler-rt cmocka-dev bats jq shellcheck cppcheck python3 py3-jsonschema strace bubblewrap runc crun procps
	util-linux git iproute2 xz binutils file libcap-utils'

# others COMMAND PACKAGES: tell what to install, and that nobody has tried it.
others() {
	echo "install-deps.sh: this system is not Debian or Ubuntu. The packages should be (untested):" >&2
	# shellcheck disable=SC2086 # one line of words
	echo "  $1" $2 >&2
	echo "Configure with --disable-static-core where a static library is missing, with --disable-systemd where there is no libsystemd." >&2
	exit 1
}

id=unknown like=
if [ -r /etc/os-release ]; then
	# shellcheck disable=SC1091
	id=$(. /etc/os-release && echo "${ID:-unknown}")
	# shellcheck disable=SC1091
	like=$(. /etc/os-release && echo "${ID_LIKE:-}")
fi
all() { if [ "$what" = test ]; then echo "$1 $2"; else echo "$1"; fi; }
case " $id $like " in
*" debian "* | *" ubuntu "*) ;;
*" fedora "* | *" rhel "*) others "dnf install" "$(all "$fedora" "$fedora_test")" ;;
*" arch "*) others "pacman -S --needed" "$(all "$arch" "$arch_test")" ;;
*" alpine "*) others "apk add" "$(all "$alpine" "$alpine_test")" ;;
*)
	echo "install-deps.sh: unknown system \"$id\"; moss needs: $(all "$debian_build" "$debian_test") (Debian's names)" >&2
	exit 1
	;;
esac

[ "$(dpkg --print-architecture)" != amd64 ] || debian_test="$debian_test $debian_pc $debian_cross"
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
missing="" perhaps=""
for package in $(all "$debian_build" "$debian_test"); do
	installed "$package" || missing="$missing $package"
done
if [ "$what" = test ] && ! installed "$debian_test_where_it_is"; then perhaps=$debian_test_where_it_is; fi
# clang's sanitizer runtime is in a package with a version in its name.
if [ "$what" = test ] && ! dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'libclang-rt-*-dev' 2>/dev/null | grep -q '^installed '; then
	missing="$missing libclang-rt-dev"
fi
if [ -z "$missing$perhaps" ]; then
	echo "install-deps.sh: everything is installed"
	exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "install-deps.sh: not root and no sudo. Run as root: apt-get install$missing $perhaps" >&2
		exit 1
	}
	as_root=sudo
fi
$as_root apt-get update -q
if [ -n "$perhaps" ] && apt-cache policy "$perhaps" | grep -q 'Candidate: [^(]'; then missing="$missing $perhaps"; fi
[ -n "$missing" ] || exit 0
echo "install-deps.sh: installing$missing"
# No service is to start because its package was installed for a test (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod 755 "$policy"
	trap '$as_root rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
