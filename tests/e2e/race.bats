#!/usr/bin/env bats
# race.bats - symbolic links that somebody swaps in while containers are made (CVE-2021-30465, CVE-2024-45310).
#
# MOSS_RACE_SECONDS  how long each test races; default 4
# shellcheck disable=SC2016 # jq's own variables
load lib.bash
setup() {
	e2e_setup
	OUTSIDE="$BATS_TEST_TMPDIR/outside" # nothing may ever appear or change here
	mkdir -p "$OUTSIDE/1/2/3"
	echo untouched >"$OUTSIDE/file"
	before=$(outside)
}
teardown() {
	[ -z "${racer-}" ] || kill "$racer" 2>/dev/null || true
	e2e_teardown
}

outside() { find "$OUTSIDE" -printf '%p %y %m %U %s %T@\n' | sort; }

# race DIRECTORY: something swaps DIRECTORY/swap, a directory, and DIRECTORY/evil, a link, all the time.
race() {
	mkdir -p "$1/swap/1/2/3"
	"$PYTHON" -c 'import ctypes, os, sys
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(100):
        libc.renameat2(-100, b"swap", -100, b"evil", 2)' "$1" 3>&- 4>&- &
	racer=$!
	eventually [ -L "$1/swap" ]
}

# starts: containers, one after the other, for some seconds; a few of them must have come up.
starts() {
	local end=$((SECONDS + ${MOSS_RACE_SECONDS:-4})) good=0 bad=0
	program true
	while [ "$SECONDS" -lt "$end" ]; do
		if moss run "$ID" </dev/null >>log 2>&1; then good=$((good + 1)); else bad=$((bad + 1)); fi
		rm -rf "$1"/swap/1/2/3/* "$1"/evil/1/2/3/* 2>/dev/null || true # else only the first start makes anything
	done
	kill "$racer"
	wait "$racer" || true
	racer=""
	echo "$good of $((good + bad)) starts"
	sort log | uniq -c | sort -rn | head
	[ "$good" -gt 0 ]
	diff <(echo "$before") <(outside)
}

# Seen failing: runc 1.1.5, as root, with 8 seconds.
# Seen failing without: RESOLVE_IN_ROOT and RESOLVE_NO_SYMLINKS (walk_step), as root and as a user.
@test "CVE-2021-30465, CVE-2024-45310: links swapped on a shared volume put nothing outside" {
	mkdir volume source && touch source/file
	ln -s "$OUTSIDE" volume/evil
	config '.root.readonly = false | .mounts += [{destination: "/vol", type: "bind", source: "volume", options: ["rbind"]}]
		| .mounts += [range(8) | {destination: "/vol/swap/1/2/3/t\(.)", type: "tmpfs", source: "tmpfs", options: (if . > 3 then ["tmpcopyup"] else [] end)},
			{destination: "/vol/swap/1/2/3/d\(.)/deep", type: "bind", source: "source", options: ["bind"]},
			{destination: "/vol/swap/1/2/3/f\(.)", type: "bind", source: "source/file", options: ["bind", (if . > 3 then "dest-nofollow" else "rw" end)]}]
		| .mounts += [{destination: "/vol/swap/1/2/3/link", type: "bind", source: "volume/evil", options: ["bind", "copy-symlink"]}]
		| .linux.devices = [range(4) | {path: "/vol/swap/1/2/3/pipe\(.)", type: "p"}]
		| .process.cwd = "/vol/swap/1/2/3/cwd"'
	race "$PWD/volume"
	starts "$PWD/volume"
}

# Seen failing: runc 1.1.5, as root, with 8 seconds.
# Seen failing without: RESOLVE_IN_ROOT and RESOLVE_NO_SYMLINKS (walk_step), as root and as a user.
@test "CVE-2021-30465, CVE-2024-45310: links that lead upwards, swapped in the root file system, put nothing outside" {
	mkdir source && touch source/file
	ln -s "../../../../../../../../../../../../../..$OUTSIDE" rootfs/var/evil
	config '.root.readonly = false
		| .mounts += [range(12) | {destination: "/var/swap/1/2/3/t\(.)", type: "tmpfs", source: "tmpfs"},
			{destination: "/var/swap/1/2/3/f\(.)", type: "bind", source: "source/file", options: ["bind"]}]
		| .linux.devices = [range(4) | {path: "/var/swap/1/2/3/pipe\(.)", type: "p"}]
		| .linux.maskedPaths += ["/var/swap/file"] | .linux.readonlyPaths += ["/var/swap/file"]'
	race "$PWD/rootfs/var"
	starts "$PWD/rootfs/var"
}

# Seen failing without: AT_SYMLINK_NOFOLLOW and O_NOFOLLOW (copy_up.c).
@test "tmpcopyup: links swapped in what is copied bring nothing in from outside" {
	mkdir -p rootfs/var/data
	ln -s "$OUTSIDE" rootfs/var/data/evil
	echo secret >"$OUTSIDE/secret"
	before=$(outside)
	config '.root.readonly = false | .mounts += [{destination: "/var/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
	race "$PWD/rootfs/var/data"
	end=$((SECONDS + ${MOSS_RACE_SECONDS:-4})) good=0
	program find /var/data -type f
	while [ "$SECONDS" -lt "$end" ]; do
		output=$(moss run "$ID" </dev/null 2>>log) && good=$((good + 1))
		[ -z "$output" ]
	done
	kill "$racer"
	wait "$racer" || true
	racer=""
	[ "$good" -gt 0 ]
	diff <(echo "$before") <(outside)
}
