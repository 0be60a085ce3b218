#!/bin/bash
# e2e.sh [FILE.bats...] - the end-to-end tests, as root and again as a normal user, as one TAP stream.
#
# MOSS             the runtime under test; default ./moss (in the build directory)
# MOSS_TEST_USER   the normal user; default moss-test, made by root when it is missing (and kept)
# MOSS_CHECK=unit  skip everything (make distcheck)
# MOSS_E2E_HALF    "root" or "user": only that half; the other one is a counted skip
# MOSS_E2E_FILTER  a regular expression: only tests whose name matches
# Exit status: 0, or 1 when a test failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)

if [ "${MOSS_CHECK-}" = unit ]; then
	echo "1..0 # SKIP MOSS_CHECK=unit"
	exit 0
fi
for tool in bats jq python3 busybox unshare setpriv script; do
	command -v "$tool" >/dev/null && continue
	echo "1..0 # SKIP $tool is not installed: run tests/install-deps.sh test"
	exit 0
done

moss=${MOSS:-./moss}
if [ ! -x "$moss" ]; then
	echo "Bail out! no runtime at $moss: build it first, or set MOSS"
	exit 1
fi
user=${MOSS_TEST_USER:-moss-test}
[ "$(id -u)" -eq 0 ] || user=$(id -un)
half=${MOSS_E2E_HALF-}

# Everything that the normal user has to reach is copied: the checkout and the build directory
# may be below root's home, and the runtime must not be writable by its containers.
work=$(mktemp -d "${TMPDIR:-/tmp}/moss-e2e.XXXXXX") || exit 1
clean() {
	rm -rf --one-file-system "$work" 2>/dev/null || {
		[ ! -d "$work" ] || echo "# could not remove all of $work"
	}
}
trap clean EXIT
trap 'exit 1' INT TERM HUP
chmod 0755 "$work"
mkdir "$work/bin" "$work/tests"
cp "$moss" "$work/bin/moss"
for helper in "$(dirname "$moss")"/moss-*; do # built beside it
	if [ -f "$helper" ] && [ -x "$helper" ]; then cp "$helper" "$work/bin/"; fi
done
chmod 0755 "$work"/bin/*
cp "$here"/e2e/*.bats "$here"/e2e/*.bash "$here"/e2e/*.py "$here"/e2e/*.sh "$here"/e2e/*.c "$here"/e2e/*.json "$work/tests/"
chmod 0644 "$work"/tests/*
cp -r "$here/spec" "$work/tests/spec"
chmod -R a+rX "$work/tests/spec"
export E2E_TOKEN="e2e$$"
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60}
unset LC_ALL LANGUAGE LANG DBUS_SESSION_BUS_ADDRESS NOTIFY_SOCKET LISTEN_FDS LISTEN_PID LISTEN_FDNAMES

files=()
for file in "$@"; do files+=("$work/tests/$(basename "$file")"); done
[ $# -gt 0 ] || files=("$work/tests")
options=(--formatter tap)
[ -z "${MOSS_E2E_FILTER-}" ] || options+=(--filter "$MOSS_E2E_FILTER")

# renumber PREFIX: one half's TAP with "PREFIX: " before each name and running numbers.
number=0
failed=0
renumber() {
	local line prefix=$1 words
	while IFS= read -r line; do
		case $line in
		1..*) ;; # one plan, at the end
		"ok "* | "not ok "*)
			number=$((number + 1))
			words=${line#not }
			words=${words#ok }
			words=${words#* }
			# A "#" in a name would be read as a directive; bats's own " # skip" stays one.
			if [ "${line#not }" = "$line" ]; then
				echo "ok $number $prefix: $words"
			else
				failed=$((failed + 1))
				echo "not ok $number $prefix: $words"
			fi
			;;
		*) echo "$line" ;;
		esac
	done
}

# run_half NAME USER COMMAND...: bats with the user's own temporary directory, then the leak check.
run_half() {
	local name=$1 who=$2 temporary="$work/$1"
	shift 2
	mkdir "$temporary" "$temporary/xdg"
	chmod 0700 "$temporary/xdg"
	[ "$(id -u)" -ne 0 ] || chown -R "$who:" "$temporary"
	bash "$work/tests/leaks.sh" before "$work" "$E2E_TOKEN" "$who"
	# No terminal, no inherited fds: the same from make, from CI and by hand.
	renumber "$name" < <(cd "$temporary" && setsid -w "$@" env TMPDIR="$temporary" XDG_RUNTIME_DIR="$temporary/xdg" \
		MOSS="$work/bin/moss" bats "${options[@]}" "${files[@]}" </dev/null 2>&1)
	number=$((number + 1))
	if left=$(bash "$work/tests/leaks.sh" after "$work" "$E2E_TOKEN" "$who"); then
		echo "ok $number $name: nothing is left behind: processes, mounts, cgroups, files"
	else
		echo "not ok $number $name: nothing is left behind: processes, mounts, cgroups, files"
		failed=$((failed + 1))
		printf '%s\n' "$left" | sed 's/^/# /'
	fi
}
skip_half() {
	number=$((number + 1))
	echo "ok $number $1: all tests # SKIP $2"
}

if [ "$half" = user ]; then
	skip_half root "MOSS_E2E_HALF=user"
elif [ "$(id -u)" -ne 0 ]; then
	skip_half root "not started as root"
else
	run_half root root env HOME=/root USER=root LOGNAME=root
fi

if [ "$half" = root ]; then
	skip_half user "MOSS_E2E_HALF=root"
elif [ "$(id -u)" -ne 0 ]; then
	run_half user "$user" env
else
	if ! id "$user" >/dev/null 2>&1; then
		echo "# the user $user is made (and kept) for these tests"
		useradd -m -s /bin/bash "$user" 2>&1 | sed 's/^/# /'
	fi
	if id "$user" >/dev/null 2>&1; then
		# Where only root may open /dev/net/tun: as on a machine with udev, for these tests alone.
		tun=()
		if [ -c /dev/net/tun ] && ! setpriv --reuid "$user" --clear-groups sh -c ': <>/dev/net/tun' 2>/dev/null &&
			mknod -m 0666 "$work/tun" c 10 200 2>/dev/null; then
			# shellcheck disable=SC2016 # expanded by the inner shell
			tun=(unshare -m --propagation unchanged sh -c
				'mount --make-rprivate /dev && mount --bind "$0" /dev/net/tun && exec "$@"' "$work/tun")
		fi
		# One group more than its own, so that there is one that can be kept or lost.
		run_half user "$user" "${tun[@]}" setpriv --reuid "$user" --regid "$(id -g "$user")" --groups "$(id -g "$user"),$(getent group users | cut -d: -f3)" \
			env "HOME=$(getent passwd "$user" | cut -d: -f6)" "USER=$user" "LOGNAME=$user" \
			PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
	else
		skip_half user "the user $user can't be made"
	fi
fi
echo "1..$number"
[ "$failed" -eq 0 ]
