#!/usr/bin/env bats
# listen_fds.bats - sockets of a service manager, passed on to the program (sd_listen_fds(3)).
load lib.bash
setup() {
	e2e_setup
	echo three >three
	echo four >four
	echo five >five
}
teardown() { e2e_teardown; }

# activated VARIABLES ARGS: moss as a service manager starts it: fds 3 to 5 are open, LISTEN_PID is
# moss's own where the variables say SELF. Output goes to $output.
activated() {
	local variables=$1
	shift
	status=0 stderr=""
	# shellcheck disable=SC2086 # a list of words
	bash -c 'for word in "$@"; do
			[ "$word" = -- ] && break
			export "${word/SELF/$$}"
			shift
		done
		shift
		exec "$@"' bash $variables -- "$MOSS" --root "$ROOT" "$@" \
		</dev/null >out 2>&1 3<three 4<four 5<five || status=$?
	output=$(cat out)
	show
}

# What the program sees: the variables, one line a number of an open fd, what fds 3 to 5 hold.
look='env | grep ^LISTEN_ | sort; for fd in 3 4 5; do [ ! -e /proc/self/fd/$fd ] || cat <&$fd; done'

# Seen failing without: listen_fds_take() in plan_make().
@test "listen fds: run passes them, with LISTEN_PID of the program" {
	program sh -c "$look"
	activated "LISTEN_FDS=2 LISTEN_PID=SELF LISTEN_FDNAMES=web:admin" run "$ID"
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf '%s\n' LISTEN_FDNAMES=web:admin LISTEN_FDS=2 LISTEN_PID=1 three four)" ]
}

@test "listen fds: create passes them to the program that start lets go" {
	program sh -c "$look; touch /dev/shm/done; sleep 60"
	activated "LISTEN_FDS=3 LISTEN_PID=SELF" create "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	# start's own are none of the program's
	LISTEN_FDS=1 moss start "$ID"
	eventually grep -q five out
	[ "$(cat out)" = "$(printf '%s\n' LISTEN_FDS=3 LISTEN_PID=1 three four five)" ]
}

@test "listen fds: a listening socket stays that socket" {
	program readlink /proc/self/fd/3
	"$PYTHON" - "$MOSS" --root "$ROOT" run "$ID" >out 3>&- 4>&- <<-'END'
		import os, socket, sys
		sock = socket.create_server(("127.0.0.1", 0))
		os.dup2(os.dup(sock.fileno()), 3)
		os.set_inheritable(3, True)
		os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
		print(os.readlink("/proc/self/fd/3"), flush=True)
		os.execv(sys.argv[1], sys.argv[1:])
	END
	cat out
	grep -q '^socket:' out
	[ "$(sed -n 1p out)" = "$(sed -n 2p out)" ]
	[ "$(wc -l <out)" -eq 2 ]
}

@test "listen fds: only when LISTEN_PID is moss" {
	program sh -c "$look; echo end"
	for variables in LISTEN_FDS=2 "LISTEN_FDS=2 LISTEN_PID=1" "LISTEN_FDS=2 LISTEN_PID=" "LISTEN_FDS=2 LISTEN_PID=SELFx" \
		"LISTEN_PID=SELF" "LISTEN_FDS= LISTEN_PID=SELF" "LISTEN_FDS=0 LISTEN_PID=SELF" "LISTEN_PID=SELF LISTEN_FDNAMES=web"; do
		activated "$variables" run "$ID"
		[ "$output" = end ]
	done
	# config.json's own variables are its own then
	config '.process.env += ["LISTEN_FDS=9", "LISTEN_FDNAMES=x"]'
	activated "LISTEN_FDS=2 LISTEN_PID=1" run "$ID"
	[ "$output" = "$(printf '%s\n' LISTEN_FDNAMES=x LISTEN_FDS=9 end)" ]
}

@test "listen fds: --preserve-fds come behind them" {
	program sh -c "$look"
	activated "LISTEN_FDS=2 LISTEN_PID=SELF" run --preserve-fds 1 "$ID"
	[ "$output" = "$(printf '%s\n' LISTEN_FDS=2 LISTEN_PID=1 three four five)" ]
	activated "LISTEN_FDS=2 LISTEN_PID=SELF" run --preserve-fds 2 "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"--preserve-fds: fd 6 is not open"*"behind those of LISTEN_FDS"* ]]
	[ ! -e "$ROOT/$ID" ]
}

# Without the check the program would find another file, or none, as its socket.
@test "listen fds: a missing one is named, and nothing is left" {
	program sh -c "$look"
	for command in run create; do
		activated "LISTEN_FDS=5 LISTEN_PID=SELF" --log log "$command" "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"LISTEN_FDS: fd 6 is not open"* ]]
		[ ! -e "$ROOT/$ID" ]
	done
}

@test "listen fds: a LISTEN_FDS that is no number passes nothing, noted" {
	program sh -c "$look; echo end"
	for value in x 2x -1 1.0 2147483647 4294967297; do
		activated "LISTEN_FDS=$value LISTEN_PID=SELF" --log "log.$value" run "$ID"
		[ "$output" = end ]
		grep -q "LISTEN_FDS: .*$value.* is no number of fds" "log.$value"
	done
	activated "LISTEN_FDS=two LISTEN_PID=SELF" create "$ID"
	jq -e '.notes | any(test("LISTEN_FDS.*two"))' "$ROOT/$ID/state.json"
}

@test "listen fds: config.json's variables are replaced, not doubled" {
	config '.process.env = ["LISTEN_PID=7", "A=1", "LISTEN_FDS=9", "LISTEN_FDNAMES=x", "LISTEN_FDS=8", "LISTEN_FDS_NOT=1"] + .process.env'
	program sh -c "tr '\\0' '\\n' </proc/1/environ; $look"
	activated "LISTEN_FDS=1 LISTEN_PID=SELF" run "$ID"
	[ "$status" -eq 0 ]
	[ "$(grep -c ^LISTEN_FDS= <<<"$output")" -eq 2 ] # once in environ, once in env
	[ "$(grep -c ^LISTEN_PID=1$ <<<"$output")" -eq 2 ]
	grep -q ^LISTEN_FDNAMES=x <<<"$output" # the caller named none
	grep -q ^LISTEN_FDS_NOT=1 <<<"$output"
	grep -q ^A=1 <<<"$output"
}

# In the runtime's pid namespace the program is not process 1. The shell's $$ is getpid(2).
@test "listen fds: LISTEN_PID is right without a pid namespace, and in a joined one" {
	program sh -c 'echo $LISTEN_PID $$'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	if ! is_root; then
		config '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	fi
	activated "LISTEN_FDS=1 LISTEN_PID=SELF" run "$ID"
	[ "$status" -eq 0 ]
	[ "${output% *}" = "${output#* }" ]
	[ "${output% *}" -gt 1 ]
	spec_of_other
	config '.linux.namespaces |= map(select(.type != "pid" and .type != "user")) + [{type: "pid", path: $p}, {type: "user", path: $u}]
		| del(.linux.uidMappings, .linux.gidMappings)' --arg p "/proc/$OTHER/ns/pid" --arg u "/proc/$OTHER/ns/user"
	if is_root; then config '.linux.namespaces |= map(select(.type != "user"))'; fi
	activated "LISTEN_FDS=1 LISTEN_PID=SELF" run "$ID"
	[ "$status" -eq 0 ]
	[ "${output% *}" = "${output#* }" ]
	[ "${output% *}" -gt 1 ]
}

# spec_of_other: a container "ID-other" that runs; its process is $OTHER.
spec_of_other() {
	mkdir other
	cp -al rootfs other/rootfs
	(cd other && spec && config '.process.terminal = false' && program sleep 60 && apart run -d "$ID-other")
	OTHER=$(pid_of "$ID-other")
}
