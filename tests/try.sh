#!/bin/sh
# try.sh - from a fresh machine to a running container: install what is needed, build, run.
#
#   sh tests/try.sh            as root or through sudo: installs to ${PREFIX:-/usr/local}, and runs the
#                              container as the user who called sudo, else as a user "moss-demo"
#   sh tests/try.sh            as a normal user with the build tools there: everything in $HOME/.local
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
step=0
say() {
	step=$((step + 1))
	printf '\n%d. %s\n' "$step" "$*"
}
# show COMMAND...: print it, then run it.
show() {
	printf '   $ %s\n' "$*"
	"$@"
}
# quiet LOG COMMAND...: the same, the output goes to LOG and is seen when the command fails.
quiet() {
	log=$1
	shift
	printf '   $ %s\n' "$*"
	"$@" >"$log" 2>&1 || {
		tail -n 30 "$log"
		exit 1
	}
}

if [ "$(id -u)" -eq 0 ]; then
	prefix=${PREFIX:-/usr/local}
	say "Install what the build needs"
	show sh "$source/tests/install-deps.sh" build
else
	prefix=${PREFIX:-$HOME/.local}
	say "Look for what the build needs (not root: nothing is installed)"
	missing=
	for tool in gcc make autoreconf automake pkg-config newuidmap busybox; do
		command -v "$tool" >/dev/null || missing="$missing $tool"
	done
	if [ -z "$missing" ]; then
		for library in libseccomp libcap json-c; do
			pkg-config --exists "$library" || missing="$missing $library"
		done
	fi
	if [ -n "$missing" ]; then
		echo "   missing:$missing"
		echo "   Run this first, or run this script through sudo:"
		echo "   sudo sh $source/tests/install-deps.sh build"
		exit 1
	fi
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/moss-try.XXXXXX")
clean() { rm -rf "$work"; }
trap clean EXIT
trap 'exit 1' INT TERM HUP
chmod 0755 "$work"

say "Build out of tree, in $work/build"
[ -x "$source/configure" ] || quiet "$work/autogen.log" sh "$source/autogen.sh"
mkdir "$work/build"
cd "$work/build"
quiet "$work/configure.log" "$source/configure" --prefix="$prefix"
quiet "$work/make.log" make -s -j "$(nproc)"

say "Install to $prefix"
quiet "$work/install.log" make -s install
moss=$prefix/bin/moss
show "$moss" --version

demo_user=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
	demo_user=${SUDO_USER:-moss-demo}
	[ "$demo_user" != root ] || demo_user="moss-demo"
	if ! id "$demo_user" >/dev/null 2>&1; then
		say "Make the user $demo_user, who runs the container (remove it with: userdel -r $demo_user)"
		show useradd -m -s /bin/sh "$demo_user"
	fi
fi

# What the user does; printed as it runs.
cat >"$work/demo.sh" <<'DEMO'
set -eu
show() { printf '   $ %s\n' "$*"; "$@"; }
moss=$1
cd "$2"
mkdir -p bundle/rootfs/bin bundle/rootfs/proc bundle/rootfs/dev bundle/rootfs/sys bundle/rootfs/etc
cd bundle
cp "$(command -v busybox)" rootfs/bin/busybox
for applet in sh id hostname cat echo; do ln -f rootfs/bin/busybox "rootfs/bin/$applet"; done
echo 'root:x:0:0:root:/root:/bin/sh' >rootfs/etc/passwd
echo 'root:x:0:' >rootfs/etc/group
show "$moss" spec --rootless
# Not interactive here: a script instead of a shell on the terminal.
sed -e 's/"terminal": true/"terminal": false/' \
	-e 's|^\([[:space:]]*\)"sh"$|\1"sh", "-c", "echo I am: $(id); echo host name: $(hostname); echo uid map: $(cat /proc/self/uid_map)"|' \
	config.json >config.new
mv config.new config.json
echo '   (config.json edited: args print id, hostname and /proc/self/uid_map)'
show "$moss" --root "$2/state" run demo
DEMO
mkdir "$work/home"
[ "$(id -u)" -ne 0 ] || chown "$demo_user" "$work/home"
say "As $demo_user, without any privilege: a container"
if [ "$(id -u)" -eq 0 ]; then
	setpriv --reuid "$demo_user" --regid "$(id -g "$demo_user")" --init-groups \
		env "HOME=$work/home" "USER=$demo_user" sh "$work/demo.sh" "$moss" "$work/home"
else
	sh "$work/demo.sh" "$moss" "$work/home"
fi
say "Done: moss is $moss. Its commands: $moss --help"
