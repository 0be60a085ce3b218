#!/usr/bin/env bats
# terminal.bats - the console: in the foreground, through a console socket, its size and its end.
load lib.bash
setup() {
	e2e_setup
	config '.process.terminal = true'
	SOCKET="$BATS_TEST_TMPDIR/console" # below 108 bytes
}
teardown() { e2e_teardown; }

# receive STEP...: wait for the pty at $SOCKET in the background; its output goes to console.out.
receive() {
	"$PYTHON" "$E2E_DIR/pty.py" receive "$SOCKET" "$@" </dev/null >console.out 2>&1 3>&- 4>&- &
	RECEIVER=$!
	eventually [ -S "$SOCKET" ]
}
received() {
	local code=0
	wait "$RECEIVER" || code=$?
	cat console.out
	return "$code"
}

@test "terminal: run exits with the program's status and passes its output" {
	program sh -c 'tty; stty size; exit 5'
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 5 ]
	[[ "$output" == *"/dev/pts/0"* || "$output" == *"/dev/console"* ]]
}

@test "terminal: the pty is the controlling terminal, /dev/console is it, and /dev/tty opens" {
	program sh -c 'echo hello >/dev/tty; stat -L -c "%t:%T" /dev/console /proc/self/fd/0; test -c /dev/console && echo ok'
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 0 ]
	clean=$(tr -d '\r' <<<"$output")
	[[ "$clean" == *hello* && "$clean" == *ok* ]]
	[ "$(grep -E '^88:' <<<"$clean" | sort -u | wc -l)" -eq 1 ]
	[ "$(grep -cE '^88:' <<<"$clean")" -eq 2 ]
}

@test "terminal: the caller's terminal is restored" {
	program sh -c 'exit 0'
	on_pty 'send:stty -a >before; "$MOSS" --root "$ROOT" run "$ID"; stty -a >after; exit' \
		-- env MOSS="$MOSS" ROOT="$ROOT" ID="$ID" sh
	[ "$status" -eq 0 ]
	diff before after
}

@test "terminal: without a terminal, terminal:true is refused and leaves nothing" {
	program sh -c 'exit 0'
	run setsid "$MOSS" --root "$ROOT" run "$ID" </dev/null 3>&- 4>&-
	show
	[ "$status" -ne 0 ]
	run moss list -q
	[ -z "$output" ]
}

@test "terminal: consoleSize" {
	config '.process.consoleSize = {height: 44, width: 55}'
	program sh -c 'stty size'
	receive 'expect:44 55'
	apart run -d --console-socket "$SOCKET" "$ID"
	received
}

@test "terminal: create sends the pty to the console socket" {
	program sh
	receive 'send:echo a""live' 'expect:alive' 'resize:40x120' 'sleep:0.3' 'send:stty size' 'expect:40 120' \
		'send:sleep 100' 'sleep:0.3' 'key:c' 'send:tty; exit' 'expect:/dev/'
	apart create --console-socket "$SOCKET" "$ID"
	[ "$(status_of)" = created ]
	apart start "$ID"
	received
	wait_for stopped
	apart delete "$ID"
}

@test "terminal: run -d sends the pty to the console socket" {
	program sh -c 'echo from the program; sleep 100'
	receive 'expect:from the program'
	apart run -d --console-socket "$SOCKET" "$ID"
	[ "$(status_of)" = running ]
	received
}

@test "terminal: a console socket with a long path" {
	deep="$BATS_TEST_TMPDIR/$(printf 'x%.0s' {1..90})"
	mkdir "$deep"
	program sh -c 'echo from the program'
	receive 'expect:from the program'
	mv "$SOCKET" "$deep/console"
	apart run -d --console-socket "$deep/console" "$ID"
	received
}

@test "terminal: the container dies by SIGHUP when its terminal goes" {
	program sh -c 'echo ready; exec cat'
	receive 'expect:ready'
	apart run -d --console-socket "$SOCKET" "$ID"
	received # closes the pty
	wait_for stopped
}

@test "terminal: run -d without a console socket is refused" {
	attempt run -d "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot allocate tty if "*" will detach without setting console socket"* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "terminal: a console socket in the foreground, or without a terminal, is refused" {
	run moss run --console-socket "$SOCKET" "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot use console socket if "*" will not detach or allocate tty"* ]]
	config '.process.terminal = false'
	attempt create --console-socket "$SOCKET" "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"cannot use console socket if "*" will not detach or allocate tty"* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "terminal: nobody listens at the console socket" {
	attempt create --console-socket "$BATS_TEST_TMPDIR/nobody" "$ID"
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *nobody* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "terminal: with a read-only root and no /dev mount" {
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	mkdir -p rootfs/dev/pts rootfs/dev/shm
	config '.mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
		options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]}]'
	program sh -c 'test -t 0 && echo ter""minal'
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[[ "$output" == *terminal* ]]
	rm -rf rootfs/dev
}

@test "terminal: a program of another user owns its terminal" {
	ids
	config '.process.user = {uid: 5, gid: 5}'
	program sh -c 'stat -L -c %u /proc/self/fd/0; tty; echo hi >/dev/tty'
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 0 ]
	[ "$(tr -d '\r' <<<"${lines[0]}")" = 5 ]
}

@test "terminal: a megabyte through the pty arrives unharmed" {
	program sh -c 'stty raw -echo; yes 0123456789abcde | head -c 1048576'
	on_pty -- "$MOSS" --root "$ROOT" run "$ID"
	[ "$status" -eq 0 ]
	[ "$(tr -cd 0-9a-e <<<"$output" | wc -c)" -ge 983040 ]
}

# stalled CODE: run Python CODE with moss (its arguments in argv[1:]) started on a pty: pid, master.
# ended(SECONDS) waits for it and prints its status.
stalled() {
	local code=$1
	shift
	run timeout -k 5 50 "$PYTHON" -c 'import os, pty, select, signal, subprocess, sys, time
def ended(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            print("ended", code if code >= 0 else 128 - code, flush=True)
            return True
        time.sleep(0.02)
    return False
'"$code"'
if not ended(15):
    print("did not end", flush=True)
    os.kill(pid, signal.SIGKILL)
' "$@"
	show
}

# Seen failing without: the non-blocking master (console_attach).
@test "terminal: a program that never reads what is typed stops neither moss nor its signals" {
	program sh -c 'trap "exit 9" TERM; stty raw -echo; echo ready; while :; do sleep 0.05; done'
	stalled '
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
while b"ready" not in seen:
    seen += os.read(master, 1000)
os.set_blocking(master, False)
left, last = b"x" * 300000, time.monotonic()
while left and time.monotonic() - last < 1:
    try:
        left = left[os.write(master, left):]
        last = time.monotonic()
    except BlockingIOError:
        time.sleep(0.01)
print("pasted", 300000 - len(left), flush=True)
os.kill(pid, signal.SIGTERM)' "$MOSS" --root "$ROOT" run "$ID"
	[[ "$output" == *"ended 9" ]]
	no_containers
}

# Seen failing without: the signals while the last output is brought out (console_drain).
@test "terminal: a stdout that nobody reads does not hold moss for ever after the container's end" {
	program sh -c 'stty raw; exec yes 0123456789'
	stalled '
master, other = os.openpty()
unread, full = os.pipe()
moss = subprocess.Popen(sys.argv[1:], stdin=other, stdout=full)
pid = moss.pid
time.sleep(1)
subprocess.run([sys.argv[1], "--root", sys.argv[3], "kill", sys.argv[-1], "KILL"], check=True)
time.sleep(0.5)
if not ended(0.5):
    print("waits", flush=True)
os.kill(pid, signal.SIGTERM)' "$MOSS" --root "$ROOT" run "$ID"
	[[ "$output" == *waits*ended* ]]
	no_containers
}
