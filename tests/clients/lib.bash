# lib.bash - what every engine's scenarios have: results, commands under a time limit, waiting.
#
# Sourced by part.sh, in the namespaces made for one engine. Gives to ENGINE.sh:
#   $runtime   the runtime under test, a path      $name     its base name
#   $work      a directory of its own, on a tmpfs  $shared   image.tar (docker's archive), rootfs.tar, volume/
#   $kind      root or rootless                    output    what the last command said
# A scenario is one line of TAP without a number; its name is what docs/engines.md has in a row.
# shellcheck disable=SC2034 # variables are shared

limit=${CLIENTS_LIMIT:-60} # seconds for one command of a client
output=

# result ok|"not ok" NAME: one result; with what the client said, if it failed.
result() {
	printf '%s - %s\n' "$1" "$2"
	[ "$1" = ok ] || printf '%s\n' "$output" | tail -n 20 | cut -c 1-400 | sed 's/^/#   /'
}

skip() { printf 'ok - %s # SKIP %s\n' "$1" "$2"; }

# wanted NAME: whether CLIENTS_FILTER, a regular expression, leaves the scenario in.
wanted() { [ -z "${CLIENTS_FILTER-}" ] || [[ $1 =~ $CLIENTS_FILTER ]]; }

# check NAME STATUS PATTERN COMMAND...: COMMAND must end with STATUS and print PATTERN (extended, "" for any).
check() {
	local scenario=$1 expected=$2 pattern=$3 status=0

	wanted "$scenario" || return 0
	shift 3
	output=$(timeout -k 5 "$limit" "$@" </dev/null 2>&1) || status=$?
	if [ "$status" -ne "$expected" ]; then
		output="exit status $status instead of $expected: $output"
		result "not ok" "$scenario"
	elif ! grep -Eq -- "$pattern" <<<"$output"; then
		output="no \"$pattern\" in: $output"
		result "not ok" "$scenario"
	else
		result ok "$scenario"
	fi
}

# scenario NAME FUNCTION [ARGS]: FUNCTION says what went wrong, if it fails. Its last command decides, and every "|| return".
scenario() {
	local scenario=$1 status=0

	wanted "$scenario" || return 0
	shift
	output=$("$@" </dev/null 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then result ok "$scenario"; else
		output="$* failed: $output"
		result "not ok" "$scenario"
	fi
}

# is EXPECTED WORDS...: a comparison that says what differs.
is() {
	local expected=$1

	shift
	[ "$*" = "$expected" ] || { echo "\"$*\" instead of \"$expected\"" && return 1; }
}

# matches PATTERN TEXT
matches() { grep -Eq -- "$1" <<<"$2" || { echo "no \"$1\" in: $2" && return 1; }; }

# wait_until COMMAND...: true as soon as COMMAND is, false after twenty seconds.
wait_until() {
	local end=$((SECONDS + 20))

	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "never true: $*" && return 1; }
		sleep 0.1
	done
}

# on_terminal COMMAND...: with a new pseudo-terminal and an empty input; what it prints has no \r.
on_terminal() { script -qec "$(printf '%q ' "$@")" /dev/null </dev/null | tr -d '\r'; return "${PIPESTATUS[0]}"; }

# has_controller NAME: whether a limit of this kind can be set in this view of the cgroups.
has_controller() { grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers; }
