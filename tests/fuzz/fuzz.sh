#!/bin/bash
# fuzz.sh SECONDS JOBS HARNESS... - run the fuzzers of the build directory, which is the current one;
# `make fuzz` builds them and calls this.
#
# Each harness runs for SECONDS, at most JOBS at a time ("": one a processor), from a copy of its
# corpus: the source tree stays as it is. One line a harness:
#   ok - NAME: 123456 executions, 789 edges, 55 inputs
#   not ok - NAME: what was found: where the input is kept
# An input that was found is in fuzz-findings/; ./fuzz_NAME FILE (make check builds it) replays it.
# KEEP_CORPUS=DIR keeps the grown corpora in DIR. Exit status 1 when anything was found.
# shellcheck disable=SC2317 # finish is called by the trap
set -u
each_seconds=${1:?usage: fuzz.sh SECONDS JOBS HARNESS...}
jobs_max=${2:-$(nproc)}
shift 2
corpora=$(cd "$(dirname "$0")/corpus" && pwd) || exit 1
findings=$PWD/fuzz-findings
export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1}
timeout_seconds=25 # for one input
case $each_seconds$jobs_max in *[!0-9]*)
	echo "fuzz.sh: SECONDS and JOBS are numbers, not \"$each_seconds\" and \"$jobs_max\"" >&2
	exit 2
	;;
esac

scratch=$(mktemp -d "${TMPDIR:-/tmp}/moss-fuzz.XXXXXX") || exit 1
finish() {
	local children
	children=$(jobs -p)
	# shellcheck disable=SC2086 # a list of pids
	[ -z "$children" ] || kill $children 2>/dev/null
	wait
	rm -rf "$scratch"
	rmdir "$findings" 2>/dev/null # nothing was found
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# number_of NAME FILE: what libFuzzer's final statistics say.
number_of() { sed -n "s/^stat::$1: *//p" "$2" | tail -n 1; }

# What was found, in a few words of the log.
finding_of() {
	sed -n -e 's/^.*\(broken promise: .*\)$/\1/p' -e 's/^SUMMARY: //p' "$1" | head -n 1
}

# fuzz NAME: run one harness; its line on stdout.
fuzz() {
	local name=$1 status child=
	local log=$scratch/$1.log corpus=$scratch/$1
	local executions edges inputs kept
	if ! cp -r "$corpora/$name" "$corpus" || ! mkdir -p "$findings"; then
		echo "not ok - $name: no copy of its corpus could be made"
		return 1
	fi
	# Stopped together with us.
	trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 1' TERM
	"./fuzzer_$name" -max_total_time="$each_seconds" -timeout="$timeout_seconds" -report_slow_units="$timeout_seconds" \
		-print_final_stats=1 -verbosity=1 -artifact_prefix="$findings/$name-" "$corpus" >"$log" 2>&1 </dev/null &
	child=$!
	wait "$child"
	status=$?
	executions=$(number_of number_of_executed_units "$log")
	edges=$(sed -n 's/^.* cov: \([0-9]*\) .*$/\1/p' "$log" | tail -n 1)
	inputs=$(find "$corpus" -type f | wc -l)
	[ -z "${KEEP_CORPUS-}" ] || cp -r "$corpus" "$KEEP_CORPUS/"
	if [ "$status" -eq 0 ] && [ "${executions:-0}" -gt 0 ]; then
		echo "ok - $name: $executions executions, ${edges:-0} edges, $inputs inputs"
		return 0
	fi
	cp "$log" "$findings/$name.log"
	kept=$(sed -n 's/^artifact_prefix=.*Test unit written to //p' "$log" | tail -n 1)
	echo "not ok - $name: $(finding_of "$log"): ${kept:-no input was kept}, log $findings/$name.log (status $status)"
	return 1
}

status=0
running=0
for name; do
	if [ "$running" -ge "$jobs_max" ]; then
		wait -n || status=1
		running=$((running - 1))
	fi
	fuzz "$name" &
	running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
	wait -n || status=1
	running=$((running - 1))
done
exit "$status"
