#!/usr/bin/env bats
# cli_exact.bats - the command line as callers rely on it: options, exit codes, texts and formats, in tables.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

# The options that engines, or people who know runc, may give. "=": it takes a value.
options_table="
create|bundle= b= console-socket= pidfd-socket= pid-file= no-pivot no-new-keyring preserve-fds=1 config= f=
run|bundle= b= console-socket= pidfd-socket= pid-file= no-pivot no-new-keyring preserve-fds=1 config= f= detach d keep no-subreaper
start|
exec|console-socket= pidfd-socket= cwd= env= e= tty t user= u= additional-gids= g= process= p= detach d pid-file= process-label= apparmor= no-new-privs cap= c= preserve-fds=1 cgroup= ignore-paused
kill|all a
delete|force f
state|
list|format=json f=table quiet q
ps|format=json f=table
events|interval=5s stats
pause|
resume|
update|resources= r= blkio-weight= cpu-period= cpu-quota= cpu-burst= cpu-share= cpu-rt-period= cpu-rt-runtime= cpuset-cpus= cpuset-mems= cpu-idle= memory= memory-reservation= memory-swap= pids-limit=
spec|bundle= b= rootless
features|"

@test "cli: every option of every command is taken with one dash and two, as --a=b and --a b, and is in --help" {
	local command options option name value help forms form
	mkdir state
	while IFS='|' read -r command options; do
		[ -n "$command" ] || continue
		help=$("$MOSS" "$command" --help)
		for option in $options; do
			name=${option%%=*} value=${option#*=}
			[ -n "$value" ] || value=1
			grep -qE -- "(^|[ ,])-{1,2}$name\b" <<<"$help" || { echo "$command --$name is not in --help" && return 1; }
			case $option in
			*=*) forms=("--$name=$value" "-$name=$value" "--$name $value" "-$name $value") ;;
			*) forms=("--$name" "-$name") ;;
			esac
			for form in "${forms[@]}"; do
				# With an option that there is not behind it: that one is named, so that this one was taken.
				# shellcheck disable=SC2086 # two words
				run "$MOSS" --root "$PWD/state" "$command" $form --no-such-option
				[ "$status" -eq 1 ]
				[[ "$output" == *"unknown option "*--no-such-option* ]] || { echo "$command $form: $output" && return 1; }
			done
			[[ "$option" != *= ]] || { # and without its value it is an error that names it
				run "$MOSS" --root "$PWD/state" "$command" "--$name"
				[ "$status" -eq 1 ] && [[ "$output" == *"--$name"*"needs a value"* ]] || { echo "$command --$name without a value: $output" && return 1; }
			}
		done
	done <<<"$options_table"
}

@test "cli: the global options are taken before the command" {
	local form
	for form in --debug "--log=log" "--log log" --log-format=text "--log-format json" "--root $PWD/other" --rootless=true --rootless=false \
		"--rootless auto" --cgroup-manager=cgroupfs "--cgroup-manager disabled" --log-level=info --degrade=error "--degrade warn" -debug "-log log"; do
		mkdir -p other root
		# shellcheck disable=SC2086 # two words
		run --separate-stderr "$MOSS" --root "$PWD/root" $form list --quiet
		show
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
	run "$MOSS" list --debug # not behind it
	[ "$status" -eq 1 ]
}

# ask EXIT TEXT ARGS...: stdout stays empty, stderr is one line with TEXT in it, and so is the log.
ask() {
	local expected=$1 text=$2
	shift 2
	rm -f asked.log
	status=0
	"$MOSS" --root "$ROOT" --log asked.log --log-format json "$@" </dev/null >asked.out 2>asked.err 3>&- 4>&- || status=$?
	[ "$status" -eq "$expected" ] && [ ! -s asked.out ] && [ "$(wc -l <asked.err)" -eq 1 ] && grep -qF -- "$text" asked.err &&
		[ "$(jq -r 'select(.level == "error").msg' asked.log | grep -cF -- "$text")" -eq 1 ] && return
	echo "moss $*: exit status $status instead of $expected, or not \"$text\":"
	cat asked.out asked.err asked.log
	return 1
}

@test "cli: exit codes and fixed texts, state by state" {
	local command
	program sleep 1000
	# of a container that is not there
	for command in start state kill delete ps pause resume update "events --stats"; do
		# shellcheck disable=SC2086 # two words
		ask 1 "container does not exist" $command "$ID"
	done
	ask 255 "container does not exist" exec "$ID" true
	ask 1 "container id cannot be empty" state ""
	ask 1 "invalid container ID format" create a/b
	ask 1 "JSON specification file config.json not found" create --bundle "$PWD/rootfs" "$ID"
	ask 3 "unknown command" frobnicate
	config '.process.terminal = true'
	ask 1 "will detach without setting console socket" create "$ID"
	ask 1 "cannot allocate tty if" run --detach "$ID"
	config '.process.terminal = false'
	ask 1 "cannot use console socket if" create --console-socket "$PWD/none" "$ID"
	ask 1 "will not detach or allocate tty" run --console-socket "$PWD/none" "$ID"
	program no-such-program
	ask 1 'executable file not found in $PATH' create "$ID"
	program /no/such/program
	ask 1 "no such file or directory" run "$ID"
	program /etc/passwd
	ask 1 "permission denied" run "$ID"
	no_containers
	# created
	program sleep 1000
	apart create "$ID"
	ask 1 "container with given ID already exists" create "$ID"
	ask 1 "container not paused" resume "$ID"
	ask 1 'unknown signal "NOPE"' kill "$ID" NOPE
	ask 1 'unknown signal "999"' kill "$ID" 999
	# running
	apart start "$ID"
	ask 1 "cannot start an already running container" start "$ID"
	ask 1 "cannot delete container $ID that is not stopped: running" delete "$ID"
	ask 255 'executable file not found in $PATH' exec "$ID" no-such-program
	ask 255 "no such file or directory" exec "$ID" /no/such/program
	ask 255 "permission denied" exec "$ID" /etc/passwd
	ask 1 "invalid format option" ps --format xml "$ID"
	ask 1 "invalid format option" list --format xml
	# paused
	apart pause "$ID"
	ask 255 "container paused" exec "$ID" true
	ask 1 "container paused" start "$ID"
	ask 1 "that is not stopped: paused" delete "$ID"
	apart resume "$ID"
	# stopped
	apart kill "$ID" KILL
	wait_for stopped
	ask 1 "container not running" kill "$ID"
	ask 1 "container not running" pause "$ID"
	ask 1 "container not running" ps "$ID"
	ask 255 "container not running" exec "$ID" true
	ask 1 "cannot start a container that has stopped" start "$ID"
	apart delete "$ID"
	[ ! -s out ]
	apart delete --force "$ID" # silent
	[ ! -s out ]
}

@test "cli: signals by number and by name, with and without SIG, in any case" {
	local signal
	program sh -c 'trap "echo got >>/tmp/got" HUP; echo ready >/tmp/got; while :; do sleep 0.05; done'
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	apart run -d "$ID"
	eventually moss exec "$ID" grep -q ready /tmp/got
	count=1
	for signal in 1 HUP SIGHUP hup sighup SigHup; do
		moss kill "$ID" "$signal"
		count=$((count + 1))
		eventually eval '[ "$(moss exec "$ID" sh -c "wc -l </tmp/got")" -eq "$count" ]'
	done
}

@test "cli: list is a table with runc's columns, byte for byte" {
	mkdir -p "$ROOT"
	run --separate-stderr moss list
	[ "$output" = "ID          PID         STATUS      BUNDLE      CREATED     OWNER" ]
	program sleep 1000
	apart create "$ID"
	created=$(moss state "$ID" | jq -r .created)
	# a column is as wide as its longest word and three blanks, at least 12
	column() { local w=$((${#2} > ${#1} ? ${#2} : ${#1})); [ $((w + 3)) -ge 12 ] || w=9; printf '%-*s' $((w + 3)) "$1"; }
	{
		printf '%s%s%s%s%sOWNER\n' "$(column ID "$ID")" "$(column PID "$(pid_of)")" "$(column STATUS created)" "$(column BUNDLE "$PWD")" "$(column CREATED "$created")"
		printf '%s%s%s%s%s%s\n' "$(column "$ID" ID)" "$(column "$(pid_of)" PID)" "$(column created STATUS)" "$(column "$PWD" BUNDLE)" "$(column "$created" CREATED)" "$(id -un)"
	} >expected
	moss list >got
	diff expected got
	[ "$(moss list --quiet)" = "$ID" ]
	[ "$(moss list -q -f json)" = "$ID" ]
}

@test "cli: list and state as JSON have runc's keys in runc's order, byte for byte" {
	mkdir -p "$ROOT"
	moss list --format json >got
	printf 'null\n' | cmp - got
	program sleep 1000
	config '.annotations = {"org.example.b": "2", "org.example.a": "1"}'
	apart create "$ID"
	moss state "$ID" >got
	version=$(jq -r .ociVersion got) created=$(jq -r .created got) pid=$(jq -r .pid got)
	[[ "$created" =~ ^20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{1,9}Z$ ]]
	cat >expected <<-END
		{
		  "ociVersion": "$version",
		  "id": "$ID",
		  "pid": $pid,
		  "status": "created",
		  "bundle": "$PWD",
		  "rootfs": "$PWD/rootfs",
		  "created": "$created",
		  "annotations": {
		    "org.example.a": "1",
		    "org.example.b": "2"
		  },
		  "owner": "$(id -un)"
		}
	END
	jq -S .annotations got >annotations # any order of these is right
	diff <(jq -S . expected) <(jq -S . got)
	diff <(grep -v org.example expected) <(grep -v org.example got)
	moss list --format json >got
	[ "$(wc -l <got)" -eq 1 ]
	[ "$(jq -c '.[0] | keys_unsorted' got)" = '["ociVersion","id","pid","status","bundle","rootfs","created","annotations","owner"]' ]
	run ! grep -q ': ' <(sed 's/"[^"]*"//g' got) # no blanks
	apart start "$ID"
	[ "$(moss ps --format json "$ID")" = "[$pid]" ]
	apart kill "$ID" KILL
	wait_for stopped
	[ "$(moss state "$ID" | jq -c '[.pid, .status]')" = '[0,"stopped"]' ]
}

@test "cli: without annotations state has none" {
	program sleep 1000
	apart create "$ID"
	[ "$(moss state "$ID" | jq -c keys_unsorted)" = '["ociVersion","id","pid","status","bundle","rootfs","created","owner"]' ]
}

@test "cli: a closed stdin, stdout or stderr is /dev/null, for moss and for the program" {
	program sh -c 'for n in 0 1 2; do readlink /proc/self/fd/$n; done >/tmp/seen; ls /proc/self/fd | wc -l >>/tmp/seen'
	mkdir seen && chmod 777 seen
	config '.mounts += [{destination: "/tmp", type: "bind", source: $s, options: ["bind"]}]' --arg s "$PWD/seen"
	"$MOSS" --root "$ROOT" run "$ID" <&- >&- 2>&- 3>&- 4>&-
	cat seen/seen
	[ "$(sed -n 1p seen/seen)" = /dev/null ]
	[ "$(sed -n 3p seen/seen)" = /dev/null ]
	rm seen/seen
	"$MOSS" --root "$ROOT" run "$ID" </dev/null >&- 2>log 3>&- 4>&-
	[ ! -s log ]
	# what can't be said is not said; the exit status is right
	"$MOSS" --root "$ROOT" state "$ID-none" <&- >&- 2>&- 3>&- 4>&- && status=0 || status=$?
	[ "$status" -eq 1 ]
	"$MOSS" --root "$ROOT" list <&- >&- 2>&- 3>&- 4>&-
}

@test "cli: a reader that goes away ends moss quietly, and SIGPIPE that was ignored is an error; a program gets it back" {
	"$PYTHON" - "$MOSS" <<-'END'
		import os, signal, subprocess, sys
		for ignored in (False, True):
		    read, write = os.pipe()
		    os.close(read)
		    done = subprocess.run([sys.argv[1], "features"], stdout=write, stderr=subprocess.PIPE, restore_signals=False,
		        preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL))
		    os.close(write)
		    print(ignored, done.returncode, done.stderr)
		    assert done.returncode in (-signal.SIGPIPE, 1), done
		    assert not ignored or done.returncode == 1, done
		    assert done.returncode != 1 or b"Broken pipe" in done.stderr, done
	END
	program sed -n 's/^SigIgn:.//p' /proc/self/status
	run "$PYTHON" -c 'import signal, subprocess, sys
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
sys.exit(subprocess.run(sys.argv[1:], restore_signals=False, stdin=subprocess.DEVNULL, close_fds=True).returncode)' "$MOSS" --root "$ROOT" run "$ID"
	show
	[ "$output" = 0000000000000000 ]
}

@test "cli: a full disk under stdout is exit status 1, of every command that prints" {
	local command
	program sleep 1000
	apart run -d "$ID"
	for command in "state $ID" list "list --format json" "ps $ID" "ps --format json $ID" features --version --help "run --help" doctor "doctor --json"; do
		status=0
		# shellcheck disable=SC2086 # words
		"$MOSS" --root "$ROOT" $command >/dev/full 2>err </dev/null 3>&- 4>&- || status=$?
		[ "$status" -eq 1 ] || { echo "$command: $status" && return 1; }
	done
	# a log that can't be written hides nothing: the message is still on stderr
	run moss --log /dev/full state "$ID-none"
	[ "$status" -eq 1 ]
	[[ "$output" == *"container does not exist"* ]]
}

@test "cli: a state directory, a log or a bundle on a read-only file system is named" {
	mkdir ro
	# shellcheck disable=SC2016 # the inner shell's
	script='mount -t tmpfs none ro && mkdir ro/state ro/bundle && mount -o remount,ro ro && exec "$@"'
	in_ro() {
		if is_root; then unshare -m --propagation private sh -c "$script" sh "$@"; else unshare -Urm --propagation private sh -c "$script" sh "$@"; fi
	}
	in_ro true 2>/dev/null || skip "no mount namespace can be made here"
	for words in "--root ro/state create $ID" "--root ro/new create $ID" "--root $ROOT --log ro/log list" "--root $ROOT spec --bundle ro/bundle"; do
		# shellcheck disable=SC2086 # words
		run in_ro "$MOSS" $words
		show
		[ "$status" -eq 1 ]
		[[ "$output" == *ro/*"Read-only file system"* ]]
	done
}
