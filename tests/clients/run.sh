#!/usr/bin/env bash
# run.sh - a runtime driven by real engines: podman, buildah, containerd's ctr, docker, go-runc. Prints TAP.
#
# usage: RUNTIME=/path/to/moss bash run.sh [ENGINE-KIND...]     as root
#
# ENGINE-KIND       podman-root podman-rootless buildah-root buildah-rootless ctr-root docker-root gorunc-root; default all
# RUNTIME           the runtime under test, moss or any other; default ./moss
# MOSS_CLIENTS_USER the normal user of the rootless parts; default moss-clients, made when it is missing (and kept)
# CLIENTS_FILTER    a regular expression: only the scenarios whose name matches
# CLIENTS_EXEC      shell code that runs in a part after the engine's setup, instead of its scenarios (make bench-clients)
# RESULTS           a file that gets ENGINE, KIND, scenario, "pass", "fail" or "skip: REASON", by tabs: for matrix.sh
# Needs: a static busybox, iproute2. An engine that is not installed is one skipped test.
# Gives: TAP with its plan at the end; exit status 1 when a scenario failed, or fewer than the minimum passed.
#
# Each part has mount, pid, network and cgroup namespaces of its own: fresh /run, /tmp, /var/lib and /dev/shm, a pure v2
# view of the cgroups below a cgroup of its own, and no process outlives it. Nothing is loaded from a network.
set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
umask 022
here=$(dirname "$(realpath "$0")")
all="podman-root podman-rootless buildah-root buildah-rootless ctr-root docker-root gorunc-root"

# needs ENGINE: the programs that must be there.
needs() {
	case $1 in
	podman) echo podman conmon script ;;
	buildah) echo buildah ;;
	ctr) echo containerd ctr containerd-shim-runc-v2 script ;;
	docker) echo dockerd docker containerd containerd-shim-runc-v2 script ;;
	gorunc) echo go ;;
	esac
}

# minimum PART: so many scenarios must pass; a few may be skipped for the machine's sake.
minimum() {
	case $1 in
	podman-root) echo 87 ;;
	podman-rootless) echo 89 ;;
	buildah-root) echo 17 ;;
	buildah-rootless) echo 18 ;;
	ctr-root) echo 33 ;;
	docker-root) echo 35 ;;
	gorunc-root) echo 28 ;;
	esac
}

if [ "${MOSS_CHECK-}" = unit ]; then
	echo "1..0 # SKIP MOSS_CHECK=unit"
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP not started as root, who makes the private view of the cgroups"
	exit 0
fi
CLIENTS_RUNTIME=$(realpath -e "${RUNTIME:-./moss}") || { echo "Bail out! no runtime: build it first, or set RUNTIME"; exit 1; }
command -v busybox >/dev/null || { echo "1..0 # SKIP busybox is not installed"; exit 0; }
CLIENTS_USER=${MOSS_CLIENTS_USER:-moss-clients}
CLIENTS_WORK=$(mktemp -d "${TMPDIR:-/tmp}/moss-clients.XXXXXX") || exit 1
CLIENTS_CGROUP=moss-clients.$$
CLIENTS_OUTSIDE=$(readlink /proc/self/ns/mnt)
CLIENTS_HELPERS=$(find "$(dirname "$CLIENTS_RUNTIME")" -maxdepth 1 -type f -name 'moss-*' -perm -100 2>/dev/null | tr '\n' ' ')
export CLIENTS_RUNTIME CLIENTS_USER CLIENTS_WORK CLIENTS_CGROUP CLIENTS_OUTSIDE CLIENTS_HELPERS

# In a mount namespace of its own, since version 2 may be mounted nowhere. Who is left there is ended with the cgroup.
cgroup_end() {
	# shellcheck disable=SC2016 # the inner shell's
	unshare --mount --propagation private sh -c '
		while umount -R -l /sys/fs/cgroup 2>/dev/null; do :; done
		mount -t cgroup2 none /sys/fs/cgroup && [ -d "/sys/fs/cgroup/$1" ] || exit 0
		echo 1 >"/sys/fs/cgroup/$1/cgroup.kill"
		for try in 1 2 3 4 5 6 7 8 9 10; do
			find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} + 2>/dev/null && exit 0
			sleep 0.3
		done' sh "$CLIENTS_CGROUP" 2>/dev/null
}
running=
# shellcheck disable=SC2317 # a trap's
clean() {
	trap - EXIT
	[ -z "$running" ] || kill "$running" 2>/dev/null # timeout(1), which ends the namespaces
	cgroup_end
	rm -rf --one-file-system "$CLIENTS_WORK"
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

number=0 failed=0 passed=0 skipped=0

# outcome PART NAME ok|"not ok"|REASON: one result, in every form.
outcome() {
	number=$((number + 1))
	case $3 in
	ok)
		passed=$((passed + 1))
		echo "ok $number - ${1/-/, }: $2"
		set -- "$1" "$2" pass ;;
	"not ok")
		failed=$((failed + 1))
		echo "not ok $number - ${1/-/, }: $2"
		set -- "$1" "$2" fail ;;
	*)
		skipped=$((skipped + 1))
		echo "ok $number - ${1/-/, }: $2 # SKIP $3"
		set -- "$1" "$2" "skip: $3" ;;
	esac
	[ -z "${RESULTS-}" ] || printf '%s\t%s\t%s\t%s\n' "${1%-*}" "${1#*-}" "$2" "$3" >>"$RESULTS"
}

# results PART: a part's lines, with numbers.
results() {
	local line words

	while IFS= read -r line; do
		case $line in
		"ok - "*" # SKIP "*)
			words=${line#ok - }
			outcome "$1" "${words%% # SKIP *}" "${words#* # SKIP }" ;;
		"ok - "*) outcome "$1" "${line#ok - }" ok ;;
		"not ok - "*) outcome "$1" "${line#not ok - }" "not ok" ;;
		*) printf '# %s\n' "${line#\# }" ;;
		esac
	done
}

# can_not PART: says why the part can't be run at all.
can_not() {
	local tool

	for tool in ip $(needs "${1%-*}"); do
		command -v "$tool" >/dev/null || { echo "$tool is not installed" && return; }
	done
	unshare --mount --pid --fork --net --ipc --cgroup --propagation private mount -t cgroup2 none "$CLIENTS_WORK" 2>/dev/null ||
		{ echo "no namespaces here, or no cgroup v2 that can be mounted" && return; }
	[ "${1#*-}" = rootless ] || return
	command -v newuidmap >/dev/null || { echo "newuidmap is not installed" && return; }
	id "$CLIENTS_USER" >/dev/null 2>&1 || useradd -m -s /bin/bash "$CLIENTS_USER" >/dev/null 2>&1
	id "$CLIENTS_USER" >/dev/null 2>&1 || { echo "the user $CLIENTS_USER can't be made" && return; }
	grep -Eqs "^($CLIENTS_USER|$(id -u "$CLIENTS_USER")):" /etc/subuid || echo "$CLIENTS_USER has no range in /etc/subuid"
}

chmod 755 "$CLIENTS_WORK"
[ -z "${RESULTS-}" ] || : >"$RESULTS"
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $all
for part in "$@"; do
	reason=$(can_not "$part")
	if [ -n "$reason" ]; then
		outcome "$part" "all scenarios" "$reason"
		continue
	fi
	passed=0 skipped=0 before=$failed
	unshare --mount --propagation private timeout -k 10 "${CLIENTS_PART_LIMIT:-400}" \
		bash "$here/part.sh" outer "${part%-*}" "${part#*-}" >"$CLIENTS_WORK/tap" 2>&1 </dev/null &
	running=$!
	wait "$running"
	status=$?
	running=
	results "$part" <"$CLIENTS_WORK/tap"
	cgroup_end
	rm -rf "$CLIENTS_WORK/fresh"
	if [ "$status" -ne 0 ]; then
		outcome "$part" "the scenarios come to their end" "not ok"
		echo "#   exit status $status"
	elif [ -z "${CLIENTS_FILTER-}${CLIENTS_EXEC-}" ] && [ "$passed" -lt "$(minimum "$part")" ]; then
		outcome "$part" "enough scenarios passed" "not ok"
		echo "#   $passed passed, $skipped were skipped, at least $(minimum "$part") are expected"
	fi
	echo "# $part: $passed passed, $((failed - before)) failed, $skipped skipped"
done
echo "1..$number"
[ "$failed" -eq 0 ]
