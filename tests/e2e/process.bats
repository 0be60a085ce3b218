#!/usr/bin/env bats
# process.bats - what config.json's process asks for, seen from inside the container.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "process: cwd is made when it is missing" {
	config '.root.readonly = false | .process.cwd = "/var/lib/made/deep"'
	container 'pwd; touch here && ls'
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf '/var/lib/made/deep\nhere')" ]
	[ -d rootfs/var/lib/made/deep ]
}

@test "process: cwd must be absolute" {
	config '.process.cwd = "tmp"'
	container pwd
	[ "$status" -eq 1 ]
	[[ "$stderr" == *cwd* ]]
}

@test "process: env is exactly what config.json says, and HOME" {
	config '.process.env = ["PATH=/bin", "EMPTY=", "SPACE= a b ", "TWICE=1=2"]'
	export LEAKED=1
	program env
	run --separate-stderr moss run "$ID"
	show
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = "$(printf '%s\n' EMPTY= HOME=/root PATH=/bin 'SPACE= a b ' TWICE=1=2 | sort)" ]
}

@test "process: HOME comes from the container's passwd, and config.json's HOME wins" {
	# shellcheck disable=SC2016
	container 'echo "$HOME"'
	[ "$output" = /root ]
	config '.process.env += ["HOME=/elsewhere"]'
	# shellcheck disable=SC2016
	container 'echo "$HOME"'
	[ "$output" = /elsewhere ]
}

@test "process: HOME of another user" {
	ids
	config '.process.user = {uid: 5, gid: 5}'
	# shellcheck disable=SC2016
	container 'echo "$HOME"'
	[ "$status" -eq 0 ]
	[ "$output" = /home/ann ]
}

@test "process: uid, gid and additional gids are set, and no group leaks in" {
	ids
	config '.process.user = {uid: 5, gid: 6, additionalGids: [7, 70, 7]}'
	container 'grep -E "^(Uid|Gid|Groups)" /proc/self/status'
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == $'Uid:\t5\t5\t5\t5' ]]
	[[ "${lines[1]}" == $'Gid:\t6\t6\t6\t6' ]]
	[ "$(tr -s ' \t' '\n' <<<"${lines[2]}" | sort -un | tail -n +2 | tr '\n' ' ')" != "" ]
	[ "$(awk '/Groups/ { for (i = 2; i <= NF; i++) print $i }' <<<"$output" | sort -nu | xargs)" = "7 70" ]
}

@test "process: root without additional gids has no supplementary groups" {
	is_root || many_ids
	container 'grep ^Groups /proc/self/status'
	[ "$status" -eq 0 ]
	[ "$(awk '/Groups/ { print NF }' <<<"$output")" -eq 1 ]
}

@test "process: an id outside the mapping is refused and named" {
	is_root && many_ids
	config '.process.user = {uid: 70000, gid: 0}'
	container id
	[ "$status" -eq 1 ]
	[[ "$stderr" == *70000* ]]
}

@test "process: umask" {
	config '.process.user.umask = 63'
	container 'umask; touch /dev/shm/f && stat -c %a /dev/shm/f'
	[ "$output" = "$(printf '0077\n600')" ]
}

@test "process: stdio belongs to the container's user, but /dev/null never does" {
	ids
	owner=$(stat -c %u:%g /dev/null)
	config '.process.user = {uid: 5, gid: 5}'
	program sh -c 'stat -L -c %u /proc/self/fd/1 >&2; echo again >/proc/self/fd/1'
	moss run "$ID" </dev/null 2>err | cat >out
	cat err
	[ "$(head -n 1 err)" = 5 ]
	[ "$(cat out)" = again ]
	[ "$(stat -c %u:%g /dev/null)" = "$owner" ]
}

@test "process: the five capability sets of moss spec" {
	container 'grep ^Cap /proc/self/status'
	[ "$status" -eq 0 ]
	# CAP_AUDIT_WRITE 29, CAP_KILL 5, CAP_NET_BIND_SERVICE 10
	[[ "$output" == *$'CapInh:\t0000000000000000'* ]]
	[[ "$output" == *$'CapPrm:\t0000000020000420'* ]]
	[[ "$output" == *$'CapEff:\t0000000020000420'* ]]
	[[ "$output" == *$'CapBnd:\t0000000020000420'* ]]
	[[ "$output" == *$'CapAmb:\t0000000000000000'* ]]
}

@test "process: each capability set by itself" {
	config '.process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_RAW", "CAP_SYS_CHROOT"],
		permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_RAW"],
		inheritable: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
		effective: ["CAP_CHOWN"], ambient: ["CAP_KILL"]}
		| .process.noNewPrivileges = true | .process.user = {uid: 0, gid: 0}'
	container 'grep ^Cap /proc/self/status'
	[ "$status" -eq 0 ]
	[[ "$output" == *$'CapInh:\t00000000000000a1'* ]]
	[[ "$output" == *$'CapBnd:\t00000000000420a1'* ]]
	[[ "$output" == *$'CapAmb:\t0000000000000020'* ]]
}

@test "process: capabilities of a user that is not root" {
	ids
	config '.process.user = {uid: 5, gid: 5}
		| .process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"], permitted: ["CAP_CHOWN", "CAP_KILL"],
			inheritable: ["CAP_KILL"], effective: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	container 'grep ^Cap /proc/self/status'
	[ "$status" -eq 0 ]
	[[ "$output" == *$'CapPrm:\t0000000000000020'* ]]
	[[ "$output" == *$'CapEff:\t0000000000000020'* ]]
	[[ "$output" == *$'CapBnd:\t0000000000000021'* ]]
	[[ "$output" == *$'CapAmb:\t0000000000000020'* ]]
}

@test "process: no capabilities at all" {
	config 'del(.process.capabilities)'
	container 'grep ^Cap /proc/self/status; chown 1:1 /dev/shm || echo refused'
	[[ "$output" == *$'CapEff:\t0000000000000000'* ]]
	[[ "$output" == *$'CapBnd:\t0000000000000000'* ]]
	[[ "$output" == *refused ]]
}

@test "process: an unknown capability is noted and ignored" {
	config '.process.capabilities.bounding += ["CAP_FROM_THE_FUTURE"]'
	program true
	moss --log log run "$ID"
	cat log
	grep -q CAP_FROM_THE_FUTURE log
}

# notes: what is in state.json.
notes() { jq -r '.notes[]' "$ROOT/$ID/state.json"; }

# Seen failing without: plan_ambient.
@test "process: an ambient capability that can't be raised is noted by name, in the log and in state.json, and left out" {
	ids
	config '.process.user = {uid: 5, gid: 5} | .process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"],
		permitted: ["CAP_CHOWN", "CAP_KILL"], inheritable: ["CAP_KILL"], effective: [], ambient: ["CAP_KILL", "CAP_CHOWN"]}'
	program sh -c 'grep ^CapAmb /proc/self/status; exec sleep 1000'
	apart --log log run -d "$ID"
	eventually grep -q CapAmb out
	[ "$(cat out)" = $'CapAmb:\t0000000000000020' ]
	grep -q 'level=warning.*process: capabilities: ambient: CAP_CHOWN .*permitted and inheritable' log
	notes | grep -q 'ambient: CAP_CHOWN '
	run ! grep -q CAP_KILL log
	moss exec "$ID" grep ^CapAmb /proc/self/status </dev/null >of_exec 2>&1
	[ "$(cat of_exec)" = $'CapAmb:\t0000000000000020' ]
}

@test "process: capabilities that are empty sets, and without a bounding set" {
	config '.process.capabilities = {bounding: [], permitted: [], effective: [], inheritable: [], ambient: []}'
	container 'grep ^Cap /proc/self/status'
	[ "$status" -eq 0 ]
	[ "$(awk '{ print $2 }' <<<"$output" | sort -u)" = 0000000000000000 ]
	# No bounding set is an empty one: whatever the process has is gone with the execve.
	config '.process.capabilities = {permitted: ["CAP_KILL"], effective: ["CAP_KILL"]}'
	container 'grep ^Cap /proc/self/status'
	[ "$status" -eq 0 ]
	[ "$(awk '{ print $2 }' <<<"$output" | sort -u)" = 0000000000000000 ]
	config '.process.capabilities = {}'
	container 'grep ^Cap /proc/self/status'
	[ "$(awk '{ print $2 }' <<<"$output" | sort -u)" = 0000000000000000 ]
}

# Seen failing without: the note of the list (spec_capabilities_read).
@test "process: the list of capabilities of files before 1.0 is bounding, effective and permitted, with a note" {
	config '.process.capabilities = ["CAP_KILL", "CAP_CHOWN", "CAP_FROM_THE_FUTURE"]'
	program sh -c 'grep ^Cap /proc/self/status; exec sleep 1000'
	apart --log log run -d "$ID"
	eventually grep -q CapAmb out
	[ "$(awk '{ print $2 }' out | xargs)" = "0000000000000000 0000000000000021 0000000000000021 0000000000000021 0000000000000000" ]
	grep -q 'level=warning.*process: capabilities: .*list' log
	grep -q 'level=warning.*CAP_FROM_THE_FUTURE' log
	notes | grep -q 'process: capabilities: .*list'
	moss exec "$ID" grep ^Cap /proc/self/status </dev/null >of_exec
	diff out of_exec
	jq '.process | .args = ["grep", "^CapEff", "/proc/self/status"] | .capabilities = ["CAP_KILL"]' config.json >process.json
	[ "$(moss exec -p process.json "$ID" </dev/null)" = $'CapEff:\t0000000000000020' ]
}

# Seen failing without: spec_check_capabilities (the kernel's EPERM names none).
@test "process: sets of capabilities that can't be are refused with the set and the name" {
	config '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL", "CAP_CHOWN"]}'
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: capabilities: effective: CAP_CHOWN is not in permitted"* ]]
	config '.process.capabilities = {bounding: [], permitted: ["CAP_KILL"], inheritable: ["CAP_KILL"]}'
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: capabilities: inheritable: CAP_KILL is not in bounding"* ]]
	no_containers
}

@test "process: no_new_privs is set, and only when asked for" {
	container 'grep NoNewPrivs /proc/self/status'
	[ "$output" = $'NoNewPrivs:\t1' ]
	config '.process.noNewPrivileges = false'
	container 'grep NoNewPrivs /proc/self/status'
	[ "$output" = $'NoNewPrivs:\t0' ]
}

@test "process: rlimits" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 512, hard: 1000},
				    {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
	container 'ulimit -Sn; ulimit -Hn; ulimit -Hc; cat /proc/self/limits'
	[ "${lines[0]} ${lines[1]} ${lines[2]}" = "512 1000 0" ]
}

# Seen failing without: the caller's RLIMIT_NOFILE among the limits (plan_rlimits).
@test "process: the limit of open files is the caller's, also where the launch needs more" {
	config 'del(.process.rlimits) | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]
		+ [range(200) | {destination: "/tmp/m\(.)", type: "bind", source: "/etc", options: ["rbind"]}]'
	program sh -c 'ulimit -Sn; ulimit -Hn'
	output=$(ulimit -Sn 100 && ulimit -Hn 1000 && moss run "$ID" </dev/null)
	[ "$output" = "$(printf '100\n1000')" ]
}

@test "process: a hard limit above the caller's takes the right to raise it" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 600, hard: 1200}]'
	program sh -c 'ulimit -Sn; ulimit -Hn'
	status=0
	output=$(ulimit -Sn 500 && ulimit -Hn 1000 && moss run "$ID" </dev/null 2>&1) || status=$?
	show
	if (ulimit -Sn 500 && ulimit -Hn 1000 && ulimit -Hn 1200) 2>/dev/null; then
		[ "$output" = "$(printf '600\n1200')" ]
	else
		[ "$status" -eq 1 ]
		[[ "$output" == *RLIMIT_NOFILE* ]]
	fi
}

# Seen failing without: step_rlimits.
@test "process: every type of rlimit, of exec, too" {
	# The kernel's own list, with the names of config.json: each one lower than ours, apart from one another.
	"$PYTHON" - >limits.json <<-'END'
		import json, os, resource, sys
		known = {"AS": 9, "CORE": 4, "CPU": 0, "DATA": 2, "FSIZE": 1, "LOCKS": 10, "MEMLOCK": 8, "MSGQUEUE": 12, "NICE": 13,
		         "NOFILE": 7, "NPROC": 6, "RSS": 5, "RTPRIO": 14, "RTTIME": 15, "SIGPENDING": 11, "STACK": 3}
		limits = []
		for number, name in enumerate(sorted(known)):
		    hard = resource.getrlimit(known[name])[1]
		    hard = 2 ** 40 if hard == resource.RLIM_INFINITY else hard
		    least = {"NOFILE": 64, "NPROC": 512, "SIGPENDING": 64}.get(name, 2 ** 26 if hard > 2 ** 26 else 0)
		    hard = max(min(hard, 2 ** 30) - 2 * number, least)
		    limits.append({"type": "RLIMIT_" + name, "soft": max(hard - 1, 0), "hard": hard})
		json.dump(limits, sys.stdout)
	END
	[ "$(jq length limits.json)" -eq 16 ]
	config '.process.rlimits = $limits[0]' --slurpfile limits limits.json
	program sh -c 'cat /proc/self/limits; exec sleep 1000'
	apart run -d "$ID"
	eventually grep -q 'Max realtime timeout' out
	moss exec "$ID" cat /proc/self/limits </dev/null >of_exec
	cat out
	diff out of_exec
	while read -r name text; do
		expected=$(jq -r --arg t "RLIMIT_$name" '.[] | select(.type == $t) | "\(.soft) \(.hard)"' limits.json)
		[ "$(sed -n "s/^$text  *\([0-9a-z]*\)  *\([0-9a-z]*\) .*/\1 \2/p" <(sed 's/$/ /' out))" = "$expected" ]
	done <<-'END'
		AS Max address space
		CORE Max core file size
		CPU Max cpu time
		DATA Max data size
		FSIZE Max file size
		LOCKS Max file locks
		MEMLOCK Max locked memory
		MSGQUEUE Max msgqueue size
		NICE Max nice priority
		NOFILE Max open files
		NPROC Max processes
		RSS Max resident set
		RTPRIO Max realtime priority
		RTTIME Max realtime timeout
		SIGPENDING Max pending signals
		STACK Max stack size
	END
}

# Seen failing without: adapt_rlimits (the refusal then comes late, and there is a state directory by then).
@test "process: a hard limit that can't be raised is refused before anything is made, of exec, too" {
	if (ulimit -Sn 400 && ulimit -Hn 900 && ulimit -Hn 1000) 2>/dev/null; then skip "it can be raised here"; fi
	program sleep 1000
	apart run -d "$ID"
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 400, hard: 1000}]'
	run bash -c 'ulimit -Sn 400 && ulimit -Hn 900 && exec "$@"' sh "$MOSS" --root "$ROOT" create "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: rlimits: RLIMIT_NOFILE: hard limit 1000 is above the caller's, 900"*"not permitted"*"ulimit -H"* ]]
	[[ "$output" != *"already exists"* ]]
	jq .process config.json >process.json
	run bash -c 'ulimit -Sn 400 && ulimit -Hn 900 && exec "$@"' sh "$MOSS" --root "$ROOT" exec -p process.json "$ID"
	show
	[ "$status" -eq 255 ]
	[[ "$output" == *"hard limit 1000 is above the caller's, 900"* ]]
}

@test "process: rlimits that are listed twice, or upside down, are refused with their place in the list" {
	config '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: rlimits[1]: RLIMIT_CORE is listed twice"* ]]
	config '.process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}]'
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: rlimits[0]: RLIMIT_CORE: the soft limit 2 is above the hard limit 1"* ]]
	no_containers
}

@test "process: an unknown rlimit is refused and named" {
	config '.process.rlimits = [{type: "RLIMIT_NOTHING", soft: 1, hard: 1}]'
	container true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *RLIMIT_NOTHING* ]]
}

@test "process: rlimits of moss spec" {
	container 'ulimit -Sn; ulimit -Hn'
	[ "$output" = "$(printf '1024\n1024')" ]
}

@test "process: oom_score_adj" {
	now=$(cat /proc/self/oom_score_adj)
	config '.process.oomScoreAdj = $n' --argjson n "$((now + 100))"
	container 'cat /proc/self/oom_score_adj'
	[ "$output" = "$((now + 100))" ]
}

# may_lower SCORE: may the caller have a lower oom_score_adj than now?
may_lower() { (echo "$1" >/proc/self/oom_score_adj) 2>/dev/null; }

# Seen failing without: check_oom_score of rights.c (the refusal then comes late, and there is a state directory by then).
@test "process: an oom_score_adj that can't be had is refused before anything is made, naming both" {
	now=$(cat /proc/self/oom_score_adj)
	may_lower $((now - 1)) && skip "it can be lowered here"
	program sleep 1000
	apart create "$ID"
	config '.process.oomScoreAdj = $n' --argjson n "$((now - 1))"
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"process: oomScoreAdj: $((now - 1)) is below the caller's, $now: "*"ask for $now or more"* ]]
	[[ "$output" != *"already exists"* ]]
	[ "$(cat /proc/self/oom_score_adj)" = "$now" ]
	# One that was raised freely can be taken back, since that is where it came from.
	echo $((now + 20)) >/proc/self/oom_score_adj
	config '.process.oomScoreAdj = $n' --argjson n "$((now + 10))"
	program cat /proc/self/oom_score_adj
	run moss run "$ID-2"
	[ "$output" = "$((now + 10))" ]
}

# Seen failing without: the one written from outside (scores_from_outside).
@test "process: an oom_score_adj below the caller's, for who may have it, in a user namespace, too" {
	now=$(cat /proc/self/oom_score_adj)
	may_lower $((now - 100)) || skip "it can't be lowered here"
	config '.process.oomScoreAdj = $n' --argjson n "$((now - 100))"
	program cat /proc/self/oom_score_adj
	[ "$(moss run "$ID" </dev/null)" = "$((now - 100))" ]
	many_ids
	[ "$(moss run "$ID" </dev/null)" = "$((now - 100))" ]
	[ "$(cat /proc/self/oom_score_adj)" = "$now" ]
}

@test "process: oom_score_adj of 1000, and of exec: the template's and a file's own" {
	config '.process.oomScoreAdj = 1000'
	program sleep 1000
	apart run -d "$ID"
	[ "$(cat "/proc/$(pid_of)/oom_score_adj")" = 1000 ]
	[ "$(moss exec "$ID" cat /proc/self/oom_score_adj </dev/null)" = 1000 ]
	jq '.process | .args = ["cat", "/proc/self/oom_score_adj"] | .oomScoreAdj = 999' config.json >process.json
	[ "$(moss exec -p process.json "$ID" </dev/null)" = 999 ]
	for score in 1001 -1001; do
		jq --argjson n "$score" '.oomScoreAdj = $n' process.json >process2.json
		attempt exec -p process2.json "$ID"
		[ "$status" -eq 255 ]
		[[ "$output" == *"process: oomScoreAdj: $score is not within -1000..1000"* ]]
	done
}

@test "process: a session keyring of the container's own, and --no-new-keyring keeps the caller's" {
	grep -qs . /proc/keys || skip "this kernel shows no keys"
	config '.linux.maskedPaths = []'
	program grep -E 'keyring +(_ses|caller)' /proc/keys
	# In a session keyring "caller" that only those see who have it as theirs.
	in_keyring() {
		"$PYTHON" -c 'import ctypes, os, sys
call = ctypes.CDLL(None).syscall
serial = call(int(sys.argv[1]), 1, b"caller", 0, 0, 0) # KEYCTL_JOIN_SESSION_KEYRING
assert serial > 0 and call(int(sys.argv[1]), 5, serial, ctypes.c_uint(0x3f000000), 0, 0) == 0 # KEYCTL_SETPERM
os.execv(sys.argv[2], sys.argv[2:])' "$([ "$(uname -m)" = x86_64 ] && echo 250 || echo 219)" "$@"
	}
	run in_keyring "$MOSS" --root "$ROOT" run "$ID"
	show
	[[ "$output" == *"_ses.$ID"* ]]
	[[ "$output" != *keyring*caller* ]]
	run in_keyring "$MOSS" --root "$ROOT" run --no-new-keyring "$ID-2"
	show
	[[ "$output" != *"_ses.$ID-2"* ]]
	[[ "$output" == *keyring*caller* ]]
	# exec: the container's; the caller's own where the container has none.
	program sleep 1000
	in_keyring "$MOSS" --root "$ROOT" run --no-new-keyring -d "$ID-3" </dev/null >out 2>&1 3>&- 4>&-
	run in_keyring "$MOSS" --root "$ROOT" exec "$ID-3" grep -E 'keyring +(_ses|caller)' /proc/keys
	show
	[[ "$output" != *"_ses.$ID-3"* ]]
	[[ "$output" == *keyring*caller* ]]
}

@test "process: signals are not ignored or blocked, even when the caller's are" {
	program grep -E '^Sig(Blk|Ign)' /proc/self/status
	(
		trap '' PIPE HUP INT USR1
		moss run "$ID" >out
	)
	cat out
	[[ "$(cat out)" == *$'SigBlk:\t0000000000000000'* ]]
	[[ "$(cat out)" == *$'SigIgn:\t0000000000000000'* ]]
}

@test "process: args[0] is looked up in the container's PATH at create" {
	program no-such-program-anywhere
	attempt create "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"executable file not found in \$PATH"* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "process: a missing absolute path fails at create" {
	program /opt/missing
	attempt create "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "${output,,}" == *"/opt/missing"*"no such file or directory"* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "process: a file that is not executable fails at create" {
	echo text >rootfs/text
	chmod 0644 rootfs/text
	program /text
	attempt create "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "${output,,}" == *"permission denied"* ]]
	program /tmp
	attempt create "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "${output,,}" == *"permission denied"* || "${output,,}" == *"is a directory"* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "process: args[0] is looked up as the container's user" {
	ids
	mkdir rootfs/closed
	cp rootfs/bin/busybox rootfs/closed/true
	chmod 0700 rootfs/closed
	config '.process.user = {uid: 5, gid: 5} | .process.env = ["PATH=/closed:/bin"]'
	program true
	apart run "$ID" # found in /bin
	program /closed/true
	attempt create "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "${output,,}" == *"permission denied"* ]]
}

@test "process: a path relative to cwd" {
	cp rootfs/bin/busybox rootfs/tmp/true
	config '.process.cwd = "/tmp"'
	program ./true
	apart run "$ID"
}

@test "process: empty args are refused" {
	config '.process.args = []'
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[ ! -e "$ROOT/$ID" ]
}

@test "process: --pid-file holds the pid, without a newline, complete" {
	program sleep 60
	apart create --pid-file pidfile "$ID"
	[ "$(cat pidfile)" = "$(pid_of)" ]
	[ "$(wc -l <pidfile)" -eq 0 ]
	[ -d "/proc/$(cat pidfile)" ]
	moss delete -f "$ID"
	apart run -d --pid-file "$BATS_TEST_TMPDIR/second" "$ID"
	[ "$(cat "$BATS_TEST_TMPDIR/second")" = "$(pid_of)" ]
}

# Seen failing without: the pid file removed after an exec that failed (run_run).
@test "process: --pid-file is not left when run -d fails" {
	printf '#!/no/such/shell\n' >rootfs/var/broken
	chmod +x rootfs/var/broken
	program /var/broken
	attempt run -d --pid-file pidfile "$ID"
	[ "$status" -ne 0 ]
	[ ! -e pidfile ]
	program true
	attempt run -d --pid-file "$PWD/missing/pidfile" "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *missing/pidfile* ]]
	no_containers
}

# Seen failing without: the pid file removed after an exec that failed (stay).
@test "process: run whose program can't be executed gives 255 and leaves neither pid file nor container" {
	printf 'neither a script nor a program\n' >rootfs/var/garbage
	printf '#!/no/such/shell -x\n' >rootfs/var/script
	chmod +x rootfs/var/garbage rootfs/var/script
	for name in garbage script; do
		program "/var/$name"
		status=0
		timeout 20 "$MOSS" --root "$ROOT" run --pid-file pidfile "$ID" </dev/null >out 2>&1 3>&- 4>&- || status=$?
		cat out
		[ "$status" -eq 255 ]
		grep -qF "/var/$name" out
		[ "$name" = garbage ] || grep -qF /no/such/shell out
		[ "$name" = script ] || grep -qi 'exec format error' out
		[ ! -e pidfile ]
		no_containers
	done
}

@test "process: --preserve-fds hands on fds from 3, and no others" {
	echo three >three
	echo four >four
	program sh -c 'cat <&3; cat <&4; ls /proc/self/fd | wc -l; ls /proc/self/fd'
	"$MOSS" --root "$ROOT" run --preserve-fds 2 "$ID" >out 3<three 4<four 5</etc/hostname 9</
	cat out
	[ "$(sed -n 1,3p out)" = "$(printf 'three\nfour\n6')" ] # 0-4 and the listing's own
	run ! grep -qx 9 out
}

# Seen failing without: close_range in the set-up phase (step_forget_caller).
@test "process: no fd of the caller arrives without --preserve-fds" {
	program ls /proc/self/fd
	"$MOSS" --root "$ROOT" run "$ID" >out 3</ 4</etc 5<. 17</tmp
	cat out
	[ "$(xargs <out)" = "0 1 2 3" ] # 3: the listing's own
	# nor does the process hold one that waits for start
	"$MOSS" --root "$ROOT" create "$ID" </dev/null >out 2>&1 3</ 4</etc 5<. 17</tmp
	inside=$(pid_of)
	output=$(ls -l "/proc/$inside/fd")
	echo "$output"
	kill -KILL "$inside" # not delete: a lock of ours that it holds would make that wait
	run ! grep -qE -e '-> /(etc|tmp|.*/bundle)?$' <<<"$output"
	run ! grep -qF -e "-> $ROOT" <(grep -v exec.fifo <<<"$output")
}

@test "process: a missing fd of --preserve-fds is named" {
	program true
	status=0
	"$MOSS" --root "$ROOT" run --preserve-fds 3 "$ID" >out 2>&1 3</ 4>&- 5</ || status=$?
	cat out
	[ "$status" -eq 1 ]
	grep -q 4 out
	[ ! -e "$ROOT/$ID" ]
}

@test "process: --bundle names the bundle, and relative paths are the bundle's" {
	container 'echo here'
	[ "$output" = here ]
	cd /
	run moss run --bundle "$BUNDLE" "$ID"
	[ "$output" = here ]
	cd "$BATS_TEST_TMPDIR"
	run moss run -b bundle "$ID"
	[ "$output" = here ]
	run moss run --bundle="$BUNDLE/" "$ID"
	[ "$output" = here ]
}

@test "process: a bundle without config.json" {
	mkdir "$BATS_TEST_TMPDIR/empty"
	run moss run -b "$BATS_TEST_TMPDIR/empty" "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"JSON specification file config.json not found"* ]]
}

@test "process: hostname is the container's own" {
	config '.hostname = "a-name-of-its-own"'
	before=$(uname -n)
	container 'hostname; uname -n'
	[ "$output" = "$(printf 'a-name-of-its-own\na-name-of-its-own')" ]
	[ "$(uname -n)" = "$before" ]
}

@test "process: the program is process 1 and sees only the container's processes" {
	container 'echo $$; ls -d /proc/[0-9]* | wc -l'
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" -le 3 ]
}
