#!/usr/bin/env bats
# rootless.bats - what moss spec writes is run by a normal user as it is; own mappings; moss unshare.
# Nearly all were seen failing without what they look at: the adaptations (adapt.c), the ranges (own_ids.c),
# the exit status and the cut-off mounts of unshare, the look for a terminal of spec.
load lib.bash
setup() {
	e2e_setup
	rm config.json
	"$MOSS" spec
	config '.process.terminal = false'
}
teardown() { e2e_teardown; }

log_of() { jq -r "select(.level == \"$1\").msg" log; }
# logged COMMAND...: moss with a new log file `log` in JSON; sets $status, $output, $stderr.
logged() {
	rm -f log
	run --separate-stderr moss --log log --log-format json "$@" </dev/null
	show
	[ ! -e log ] || cat log
}
drop_ns() { config '.linux.namespaces |= map(select(.type != $t))' --arg t "$1"; }
need_ranges() {
	need_command newuidmap
	read -r uid_start uid_count <<<"$(subids /etc/subuid)"
	read -r gid_start gid_count <<<"$(subids /etc/subgid)"
	[ -n "$uid_count" ] || skip "/etc/subuid gives me no range"
	[ -n "$gid_count" ] || skip "/etc/subgid gives me no range"
}
# one_id: as somebody without ranges has it.
one_id() {
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}]
		| .linux.gidMappings = [{containerID: 0, hostID: $g, size: 1}]' \
		--argjson u "$(id -u)" --argjson g "$(id -g)"
}
# surrounded COMMAND...: moss, as its caller's root in a user namespace that somebody else made.
surrounded() {
	rm -f log
	run --separate-stderr unshare -Ur "$MOSS" --root "$ROOT" --log log --log-format json "$@" </dev/null 3>&- 4>&-
	show
	[ ! -e log ] || cat log
}

in_mine() { "$MOSS" unshare "$@" </dev/null 3>&- 4>&-; }

@test "rootless: a config of moss spec runs as it is, with a user namespace and all my ids" {
	need_user "root needs no user namespace"
	need_ranges
	jq -e 'all(.linux.namespaces[]; .type != "user") and (.linux | has("uidMappings") | not)' config.json
	program sh -c 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/mountinfo'
	logged run "$ID"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(head -n 2 <<<"$output" | xargs)" = "0 $(id -u) 1 1 $uid_start $uid_count" ]
	[ "$(sed -n 3,4p <<<"$output" | xargs)" = "0 $(id -g) 1 1 $gid_start $gid_count" ]
	mount_has /sys sysfs ro
	mount_has /dev/pts devpts "gid=$((gid_start + 4))" # config.json's gid=5 holds: it is mapped
	[[ "$(log_of warning)" == *"user namespace"* ]]
	[[ "$(log_of warning)" == *uidMappings*" $(id -u)"* ]]
	run ! grep -q '"level":"error"' log
}

@test "rootless: each adaptation is one note, in the log and in state.json" {
	need_user "root needs no user namespace"
	need_ranges
	drop_ns network
	program sleep 60
	rm -f log
	moss --log log --log-format json run -d "$ID" </dev/null >out 2>&1
	cat out log
	[ ! -s out ]
	[ "$(jq -r '.notes[]' "$ROOT/$ID/state.json")" = "$(log_of warning)" ]
	[ "$(jq '.notes | length' "$ROOT/$ID/state.json")" -eq 3 ]
	[ "$(jq '.notes | unique | length' "$ROOT/$ID/state.json")" -eq 3 ]
	jq -e '.notes | any(test("user namespace")) and any(test("uidMappings")) and any(test("/sys"))' "$ROOT/$ID/state.json"
	moss delete --force "$ID"
	# nothing to adapt: no note
	config '.linux.namespaces += [{type: "network"}]'
	many_ids
	config '.linux.namespaces += [{type: "user"}]'
	moss --log quiet run -d "$ID" </dev/null >out 2>&1
	jq -e '(.notes // []) == []' "$ROOT/$ID/state.json"
	[ ! -s quiet ] && [ ! -s out ]
}

@test "rootless: sysfs without an own network namespace is the host's /sys, read-only with all below it" {
	drop_ns network
	is_root && many_ids
	program sh -c 'cat /proc/self/mountinfo; mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused'
	logged run "$ID"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ "$(log_of warning)" == *"mounts: /sys: "* ]]
	mount_has /sys sysfs ro nosuid nodev noexec
	[[ "$output" == *refused ]]
	awk '$5 ~ "^/sys(/|$)" && $6 !~ "(^|,)ro(,|$)" { print "writable: " $0; bad = 1 } END { exit bad }' <<<"$output"
}

@test "rootless: a cgroup mount without an own cgroup namespace is the host's, read-only with all below it" {
	drop_ns cgroup
	is_root && many_ids
	program sh -c 'cat /proc/self/mountinfo; mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused
		find /sys/fs/cgroup -name cgroup.procs 2>/dev/null | head -n 50 | while read -r f; do
			(echo 0 >"$f") 2>/dev/null && echo "written: $f"; done; true'
	logged run "$ID"
	[ "$status" -eq 0 ]
	[[ "$(log_of warning)" == *"mounts: /sys/fs/cgroup: "* ]]
	mount_has /sys/fs/cgroup any ro nosuid nodev noexec
	[[ "$output" == *refused* && "$output" != *written* ]]
	awk '$5 ~ "^/sys(/|$)" && $6 !~ "(^|,)ro(,|$)" { print "writable: " $0; bad = 1 } END { exit bad }' <<<"$output"
}

@test "rootless: mqueue without an own ipc namespace is the host's, read-only, or refused with what to add" {
	drop_ns ipc
	is_root && many_ids
	program sh -c 'cat /proc/self/mountinfo; touch /dev/mqueue/x 2>/dev/null || echo refused'
	logged run "$ID"
	if [ "$(stat -f -c %T /dev/mqueue 2>/dev/null)" = mqueue ]; then
		[ "$status" -eq 0 ]
		mount_has /dev/mqueue mqueue ro
		[[ "$output" == *refused ]]
		[[ "$(log_of warning)" == *"mounts: /dev/mqueue: "* ]]
		return
	fi
	[ "$status" -eq 1 ]
	jq -se '.[-1] | .level == "error" and (.object | test("/dev/mqueue")) and (.hint | test("ipc"))' log
	no_containers
	is_root && [ ! -e /dev/mqueue ] || return 0
	# with the queues mounted on the host; the place for them is made in /dev and gone at once
	run unshare -m sh -c 'mkdir /dev/mqueue && mount -t mqueue none /dev/mqueue && exec "$@"' sh \
		"$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
	rmdir /dev/mqueue
	show
	[ "$status" -eq 0 ]
	mount_has /dev/mqueue mqueue ro
	[[ "$output" == *refused ]]
}

@test "rootless: devpts without its group where that is not mapped" {
	one_id
	program sh -c 'grep " /dev/pts " /proc/self/mountinfo; cat /proc/self/uid_map'
	logged run "$ID"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ "${lines[0]}" == *devpts* ]]
	[[ "${lines[0]}" != *gid=* ]]
	[ "$(xargs <<<"${lines[1]}")" = "0 $(id -u) 1" ]
	[ "$(log_of warning | grep -c 'mounts: /dev/pts: gid=5')" -eq 1 ]
}

@test "rootless: a hard limit above mine is refused before anything is made" {
	need_user "root raises them"
	need_ranges
	limit=$(($(ulimit -Hn) + 1))
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: $n}]' --argjson n "$limit"
	program true
	logged run --pid-file pidfile "$ID"
	[ "$status" -eq 1 ]
	jq -se --arg n "$limit" '.[-1] | .level == "error" and (.msg | contains("RLIMIT_NOFILE") and contains($n)) and .object == "process: rlimits" and has("hint")' log
	[ ! -e "$ROOT" ] || [ -z "$(ls -A "$ROOT")" ]
	[ ! -e pidfile ]
}

@test "rootless: in somebody else's user namespace moss uses it, and maps nothing again" {
	unshare -Ur true || skip "no user namespace here"
	program sh -c 'readlink /proc/self/ns/user; cat /proc/self/uid_map; id -u; grep " / " /proc/self/mountinfo'
	surrounded run "$ID"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(xargs <<<"${lines[1]}")" = "0 $(id -u) 1" ]
	[ "${lines[2]}" = 0 ]
	[[ "$(log_of warning)" == *"/dev/pts"*gid=5* ]] # only 0 is sure to be mapped
	[[ "$(log_of warning)" != *"user namespace is added"* ]]
	# the very namespace, not one like it
	output=$(unshare -Ur sh -c 'readlink /proc/self/ns/user; exec "$@"' sh "$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-)
	show
	[ "$(sed -n 1p <<<"$output")" = "$(sed -n 2p <<<"$output")" ]
}

@test "rootless: in somebody else's user namespace a limit is clamped and oomScoreAdj left, with notes" {
	unshare -Ur true || skip "no user namespace here"
	limit=$(ulimit -Hn)
	now=$(cat /proc/self/oom_score_adj)
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: ($n + 5), hard: ($n + 10)}] | .process.oomScoreAdj = -900' \
		--argjson n "$limit"
	program sh -c 'ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj'
	surrounded run "$ID"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(xargs <<<"$output")" = "$limit $limit $now" ]
	[ "$(log_of warning | grep -c "RLIMIT_NOFILE.*$limit")" -eq 1 ]
	[ "$(log_of warning | grep -c oomScoreAdj)" -eq 1 ]
	config 'del(.process.rlimits) | .process.oomScoreAdj = $n' --argjson n "$((now + 50))" # this is allowed
	surrounded run "$ID"
	[ "${lines[-1]}" = "$((now + 50))" ]
	[ "$(log_of warning | grep -c oomScoreAdj)" -eq 0 ]
}

@test "rootless: in somebody else's user namespace the default state directory is the user's" {
	unshare -Ur true || skip "no user namespace here"
	mkdir -m 0700 "$BATS_TEST_TMPDIR/xdg"
	export XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR/xdg"
	program sleep 60
	unshare -Ur "$MOSS" run -d "$ID" </dev/null >out 2>&1 3>&- 4>&-
	cat out
	found=0
	[ -f "$XDG_RUNTIME_DIR/moss/$ID/state.json" ] || found=1
	[ ! -e "/run/moss/$ID" ] || found=2
	unshare -Ur "$MOSS" delete --force "$ID" </dev/null 3>&- 4>&-
	[ "$found" -eq 0 ]
	[ ! -e "$XDG_RUNTIME_DIR/moss/$ID" ]
}

@test "rootless: a state directory on a noexec, nosuid, nodev file system does" {
	unshare -Urm true || skip "no user namespace here"
	mkdir state
	program echo ran
	output=$(unshare -Urm sh -c 'mount -t tmpfs -o noexec,nosuid,nodev,mode=700 none state && exec "$@"' sh \
		"$MOSS" --root "$PWD/state/root" run "$ID" </dev/null 3>&- 4>&- 2>&1)
	show
	[ "$output" = ran ]
}

@test "rootless: three user namespaces deep it still runs" {
	unshare -Ur unshare -Ur unshare -Ur true || skip "no user namespaces here"
	program echo ran
	output=$(unshare -Ur unshare -Ur unshare -Ur "$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&- 2>&1)
	show
	[ "$output" = ran ]
}

@test "rootless: a mapping of config.json's own is used as it is" {
	one_id
	program sh -c 'cat /proc/self/uid_map /proc/self/gid_map'
	logged run "$ID"
	[ "$(xargs <<<"$output")" = "0 $(id -u) 1 0 $(id -g) 1" ]
	[[ "$(log_of warning)" != *uidMappings* ]]
}

@test "spec: --subids writes my ranges, and that runs" {
	need_user "root has no ranges of its own"
	need_ranges
	rm config.json
	"$MOSS" spec --subids -- sh -c 'cat /proc/self/uid_map; id -u; id -g' </dev/null
	jq -e --argjson u "$(id -u)" --argjson us "$uid_start" --argjson un "$uid_count" \
		--argjson g "$(id -g)" --argjson gs "$gid_start" --argjson gn "$gid_count" \
		'.linux.uidMappings == [{containerID: 0, hostID: $u, size: 1}, {containerID: 1, hostID: $us, size: $un}]
		and .linux.gidMappings == [{containerID: 0, hostID: $g, size: 1}, {containerID: 1, hostID: $gs, size: $gn}]
		and any(.linux.namespaces[]; .type == "user")' config.json
	logged run "$ID"
	[ "$status" -eq 0 ]
	[ "$(xargs <<<"$output")" = "0 $(id -u) 1 1 $uid_start $uid_count 0 0" ]
	[ ! -s log ]
}

@test "spec: -- CMD... is what runs, whatever its words hold; a terminal only where stdin is one" {
	odd=$'a "b" \\ c\nd\te \x01 \xc3\xa4 $HOME'
	for options in "" --rootless; do
		rm config.json
		# shellcheck disable=SC2086
		"$MOSS" spec $options -- printf '<%s>' "$odd" -- '' --help </dev/null
		jq -e --arg odd "$odd" '.process.args == ["printf", "<%s>", $odd, "--", "", "--help"] and .process.terminal == false' config.json
	done
	"$PYTHON" -c 'import json; json.load(open("config.json"))'
	container 'true' # its other parts are as ever
	[ "$status" -eq 0 ]
	rm config.json
	spec -- printf '<%s>' "$odd" '' </dev/null
	run --separate-stderr moss run "$ID" </dev/null
	show
	[ "$status" -eq 0 ]
	[ "$output" = "<$odd><>" ]
	rm config.json
	"$MOSS" spec </dev/null # without CMD as runc: for a shell
	jq -e '.process.args == ["sh"] and .process.terminal == true' config.json
	rm config.json
	on_pty -- "$MOSS" spec -- true
	[ "$status" -eq 0 ]
	jq -e '.process.args == ["true"] and .process.terminal == true' config.json
	run "$MOSS" spec -- true </dev/null # never over an old one
	[ "$status" -eq 1 ]
	jq -e '.process.terminal == true' config.json
}

@test "unshare: the command is root in my ids, with HOME and the rest of the environment kept" {
	is_root || need_ranges
	run --separate-stderr env E2E_KEPT=yes "$MOSS" unshare sh -c 'id -u; id -g; echo "$HOME $E2E_KEPT"; pwd; cat /proc/self/uid_map' </dev/null 3>&- 4>&-
	show
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${lines[0]} ${lines[1]}" = "0 0" ]
	[ "${lines[2]}" = "$HOME yes" ]
	[ "${lines[3]}" = "$PWD" ]
	is_root || [ "$(tail -n +5 <<<"$output" | xargs)" = "0 $(id -u) 1 1 $uid_start $uid_count" ]
	run "$MOSS" unshare grep ^Groups /proc/self/status
	is_root || [ "$(wc -w <<<"$output")" -eq 1 ]
	output=$(echo 'echo "$0 read"; id -u' | SHELL=/bin/sh "$MOSS" unshare 3>&- 4>&-) # the shell
	[ "$output" = "$(printf '/bin/sh read\n0')" ]
}

@test "unshare: mounts stay inside" {
	is_root || need_ranges
	before=$(cut -d' ' -f5 /proc/self/mountinfo | sort)
	mkdir here
	output=$("$MOSS" unshare sh -c 'mount -t tmpfs none here && touch here/file && ls here; readlink /proc/self/ns/mnt' 3>&- 4>&-)
	show
	[ "$(head -n 1 <<<"$output")" = file ]
	[ "$(tail -n 1 <<<"$output")" != "$(readlink /proc/self/ns/mnt)" ]
	[ -z "$(ls -A here)" ]
	[ "$(cut -d' ' -f5 /proc/self/mountinfo | sort)" = "$before" ]
}

@test "unshare: exit status, signals and missing commands as a shell has them" {
	is_root || need_ranges
	for expected in 0 7 255; do
		run in_mine sh -c "exit $expected"
		[ "$status" -eq "$expected" ]
		[ -z "$output" ]
	done
	run in_mine sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
	run -127 in_mine no-such-command-anywhere
	show
	[[ "$output" == *no-such-command-anywhere* ]]
	touch plain
	run -126 in_mine ./plain
	show
	[[ "$output" == *plain* ]]
	# a signal to moss is for the command
	"$MOSS" unshare sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done' </dev/null >out 2>&1 3>&- 4>&- &
	PID=$!
	eventually grep -q ready out
	kill -TERM "$PID"
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 9 ]
	"$MOSS" unshare sleep 60 </dev/null >out 2>&1 3>&- 4>&- &
	PID=$!
	sleep 0.5
	kill -TERM "$PID"
	status=0
	wait "$PID" || status=$?
	[ "$status" -eq 143 ]
}

@test "unshare: no process of the command's is left when moss is killed before it runs" {
	need_user "root's is moss itself"
	need_ranges
	for _ in $(seq 20); do
		"$MOSS" unshare sh -c 'exec sleep 0.4' </dev/null >out 2>&1 3>&- 4>&- &
		PID=$!
		kill -KILL "$PID"
		wait "$PID" || true
	done
	eventually eval '! pgrep -u "$(id -u)" -f "^$MOSS unshare" >/dev/null'
}

@test "rootless: a root file system of five owners is made, used and removed, and the host sees mapped ids" {
	is_root || need_ranges
	is_root && uid_start=1 gid_start=1 # there the ids are the host's own
	chmod 0755 "$BATS_TEST_TMPDIR" "$BUNDLE"
	mkdir image
	cp -a "$E2E_ROOTFS/." image/
	mkdir image/data
	for owner in 0 1 100 1000 65534; do echo "of $owner" >"image/data/$owner"; done
	"$MOSS" unshare sh -c 'cd image/data && for i in *; do chown "$i:$i" "$i" && chmod 0640 "$i" || exit 1; done
		chown 1000:1000 . && tar -cf ../../image.tar -C .. . ' 3>&- 4>&-
	mkdir made
	"$MOSS" unshare tar -xpf image.tar -C made --same-owner --numeric-owner 3>&- 4>&-
	for owner in 1 100 1000 65534; do
		[ "$(stat -c %u:%g "made/data/$owner")" = "$((uid_start + owner - 1)):$((gid_start + owner - 1))" ]
	done
	[ "$(stat -c %u:%g made/data/0)" = "$(id -u):$(id -g)" ]
	config '.root.path = "made" | .root.readonly = false
		| .process.user = {uid: 1000, gid: 1000, additionalGids: [100, 65534]}'
	program sh -c 'id -u; id -g; grep ^Groups /proc/self/status | tr -s "\t" " "
		cd /data && stat -c %u:%g 0 1 100 1000 65534 | xargs; cat 100 1000 65534; cat 1 2>/dev/null || echo closed
		echo new >new; stat -c %u:%g new'
	logged run "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]}" = "1000 1000" ]
	[ "$(xargs <<<"${lines[2]}")" = "Groups: 100 65534" ]
	[ "${lines[3]}" = "0:0 1:1 100:100 1000:1000 65534:65534" ]
	[ "$(tail -n +5 <<<"$output" | xargs)" = "of 100 of 1000 of 65534 closed 1000:1000" ]
	[ "$(stat -c %u:%g made/data/new)" = "$((uid_start + 999)):$((gid_start + 999))" ]
	is_root || run ! rm -rf made/data # its owner is not me
	"$MOSS" unshare rm -rf image made 3>&- 4>&-
	[ ! -e image ] && [ ! -e made ]
}

@test "nested: a seccomp filter that hides clone3 (ENOSYS) is no obstacle" {
	# The filter comes with no_new_privs, which leaves one id to a user.
	is_root || { rm config.json && "$MOSS" spec --rootless && config '.process.terminal = false'; }
	program sh -c 'echo pid $$; hostname'
	run --separate-stderr "$PYTHON" "$E2E_DIR/without_call.py" clone3 38 "$MOSS" --root "$ROOT" run "$ID"
	show
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf 'pid 1\nmoss')" ]
	[ -z "$stderr" ]
}

@test "rootless: where nsswitch.conf has the ranges elsewhere, getsubids is asked for them" {
	need_root "a host that only this test sees"
	need_command getsubids
	[ -e /etc/nsswitch.conf ] || skip "there is no /etc/nsswitch.conf to change"
	mkdir made && chown 54322:54322 made
	printf 'passwd: files\nsubid: elsewhere\n' >nsswitch
	{ cat /etc/passwd && echo "stranger:x:54322:54322::/:/bin/sh"; } >passwd
	printf '#!/bin/sh\ncase $1 in -g) echo "0: $2 900000 30" ;; *) echo "0: $1 800000 10"; echo "1: $1 850000 20" ;; esac\n' >asked
	chmod 0755 asked . "$BATS_TEST_TMPDIR"
	unshare -m sh -c 'mount --bind nsswitch /etc/nsswitch.conf && mount --bind passwd /etc/passwd &&
		mount --bind asked "$(command -v getsubids)" && cd made &&
		exec setpriv --reuid 54322 --regid 54322 --clear-groups "$0" spec --subids' "$MOSS"
	[ "$(jq -c '.linux.uidMappings | map([.containerID, .hostID, .size])' made/config.json)" = \
		"[[0,54322,1],[1,800000,10],[11,850000,20]]" ]
	[ "$(jq -c '.linux.gidMappings | map([.containerID, .hostID, .size])' made/config.json)" = "[[0,54322,1],[1,900000,30]]" ]
}

@test "kernel: a call that is missing is named with its version; --help, --version and spec still work" {
	is_root || { rm config.json && "$MOSS" spec --rootless && config '.process.terminal = false'; }
	program true
	for call in openat2 open_tree mount_setattr; do
		run --separate-stderr "$PYTHON" "$E2E_DIR/without_call.py" "$call" 38 "$MOSS" --root "$ROOT" run "$ID"
		show
		[ "$status" -eq 1 ]
		[[ "$stderr" == *"$call (5."*"Linux 5.14"* ]]
		[ ! -e "$ROOT/$ID" ]
		mkdir "$call"
		"$PYTHON" "$E2E_DIR/without_call.py" "$call" 38 "$MOSS" --version >/dev/null
		"$PYTHON" "$E2E_DIR/without_call.py" "$call" 38 "$MOSS" --help >/dev/null
		"$PYTHON" "$E2E_DIR/without_call.py" "$call" 38 "$MOSS" spec -b "$call"
		[ -s "$call/config.json" ]
	done
}
