#!/bin/bash
# run.sh [SUITE...] - install what the tests need, then run everything.
#
# Suites: gcc (build with -Werror, make check: unit, fuzz replay, e2e as root and as a normal
# user), distcheck, install, clang, sanitizers, fuzz, static, shell, cross (other machines), vm (tests/vm/run.sh: in a booted
# Debian), pc and selinux (the same in an emulated PC). Builds are out of tree, in a copy of the sources. Two lanes run at a time; a suite's log is printed when it failed.
# The last line is "N passed, N failed, N skipped"; exit status 1 when anything failed.
# NO_INSTALL=1 installs nothing; KEEP=1 keeps the logs.
# The suite clients is podman, buildah, containerd, docker and go-runc with moss as their runtime (tests/clients).
# The suite faults is a sample of tests/faults/faults.py, another one with every commit.
# shellcheck disable=SC2317 # functions are called by their names
set -u
source_tree=$(cd "$(dirname "$0")/.." && pwd)
wanted=" ${*:-gcc distcheck install clang sanitizers fuzz static shell cross vm pc selinux faults clients} "

if [ -z "${NO_INSTALL-}" ]; then
	echo "== installing what the tests need"
	sh "$source_tree/tests/install-deps.sh" test >/dev/null || echo "   (failed: suites will say what they miss)"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/moss-run.XXXXXX") || exit 1
chmod 0755 "$work"
finish() {
	local lane
	for lane in $(jobs -p); do kill -- "-$lane" 2>/dev/null; done # all of its process group
	if [ -n "${KEEP-}" ]; then
		echo "logs: $work/logs"
	else
		chmod -R u+w "$work" 2>/dev/null # distcheck's read-only tree
		rm -rf "$work"
	fi
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
logs=$work/logs
mkdir "$logs" "$work/source"
unset MAKEFLAGS MAKELEVEL CC CFLAGS LDFLAGS TESTS MOSS MOSS_CHECK
MOSS_COMMIT=$(git -C "$source_tree" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
export MOSS_COMMIT LC_ALL=C

# A copy: the checkout stays as it is, even when it was configured in place.
(cd "$source_tree" && tar -c --exclude-vcs --exclude='./build*' --exclude='*.o' --exclude='*.a' --exclude='*.trs' \
	--exclude='*.log' --exclude=.deps --exclude=.dirstamp --exclude=./Makefile --exclude=./Makefile.in \
	--exclude=./configure --exclude=./config.status --exclude=./autom4te.cache --exclude=./aclocal.m4 \
	--exclude=./moss .) | tar -x -C "$work/source"
# --exclude-vcs leaves out .gitignore as well; nothing needs it.
source=$work/source
(cd "$source" && sh ./autogen.sh) >"$logs/autogen.log" 2>&1 || {
	cat "$logs/autogen.log"
	echo "not ok - autogen.sh"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# Each suite appends "ok - name", "not ok - name" or "skip - name # reason" to its results.
results=/dev/null
# check NAME COMMAND...: one result by the command's exit status; its output goes to the log.
check() {
	local name=$1
	shift
	echo "--- $name: $*"
	if "$@"; then echo "ok - $name" >>"$results"; else
		echo "not ok - $name" >>"$results"
		return 1
	fi
}
skip() { echo "skip - $1 # $2" >>"$results"; }
have() { command -v "$1" >/dev/null || { skip "$2" "$1 is not installed" && return 1; }; }
# take_trs DIR: the results that automake's test drivers left below DIR. The .trs files count; the
# names are in the .log files beside them.
take_trs() {
	local file log name words='PASS|FAIL|SKIP|XFAIL|XPASS|ERROR'
	find "$1" -name '*.trs' | sort | while IFS= read -r file; do
		log=${file%.trs}.log
		name=$(basename "$file" .trs)
		if [ "$(grep -c '^:test-result: ' "$file")" -eq "$(grep -cE "^($words): [^ ]*$name" "$log")" ]; then
			sed -nE "s/^($words): [^ ]*${name}[^ ]*/\\1 $name:/p" "$log"
		else
			sed -n "s/^:test-result: \\([A-Z]*\\)/\\1 $name:/p" "$file"
		fi
	done | sed -E 's/^PASS /ok - /; s/^(FAIL|XPASS|ERROR) /not ok - /; s/^(SKIP|XFAIL) /skip - /' >>"$results"
}
# build DIR CONFIGURE-OPTIONS: configure and make in its own directory.
build() {
	mkdir -p "$1" && cd "$1" && shift && "$source/configure" "$@" && make -s -j 2
}
test_logs() {
	local log
	for log in "$1"/tests/*.log "$1"/*.log; do
		case $log in */config.log | */test-suite.log | *'*'*) continue ;; esac
		grep -q '^not ok\|^Bail out\|FAIL\|ERROR' "$log" || continue
		echo "--- $log"
		cat "$log"
	done
}

suite_gcc() {
	check "gcc: builds without a warning" build "$work/gcc" --enable-werror CC=gcc || return
	(cd "$work/gcc" && make -s -j 2 -k check)
	echo $? >"$logs/gcc.status"
	take_trs "$work/gcc"
	check "gcc: make check" grep -qx 0 "$logs/gcc.status"
	test_logs "$work/gcc"
}
suite_clang() {
	have clang "clang: builds without a warning" || return
	check "clang: builds without a warning" build "$work/clang" --enable-werror CC=clang
}
suite_sanitizers() {
	check "sanitizers: builds" build "$work/san" --enable-sanitizers --disable-static-core CC=gcc || return
	(cd "$work/san" && make -s -j 2 -k check-unit)
	echo $? >"$logs/san.status"
	take_trs "$work/san"
	check "sanitizers: make check-unit" grep -qx 0 "$logs/san.status"
	test_logs "$work/san"
}
suite_fuzz() {
	local each="fuzz: every harness for 30 s"
	have clang "$each" || return
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize=fuzzer -x c -o /dev/null - ||
		{ skip "$each" "clang has no libFuzzer (package libclang-rt-dev)" && return; }
	mkdir "$work/fuzz" && cd "$work/fuzz" || return
	check "fuzz: configure" "$source/configure" --enable-werror || return
	make -s -j 2 fuzz SECONDS=30 JOBS=2
	echo $? >"$logs/fuzz.status"
	sed -nE 's/^(ok - )([a-z_]+):.*/\1fuzz: \2/p; s/^(not ok - )/\1fuzz: /p' "$logs/fuzz.log" >>"$results"
	check "fuzz: make fuzz" grep -qx 0 "$logs/fuzz.status"
}
suite_static() {
	have cppcheck "static: cppcheck" || return
	# The suppressions, with their reasons:
	#   missingIncludeSystem  system headers are not parsed, by design of the tool
	#   unusedFunction is not enabled: it needs the whole program, tests included
	#   unusedStructMember, unreadVariable, constParameterCallback: style, and wrong for
	#     tables of callbacks and for variables that clean themselves up when they go out of scope
	check "static: cppcheck has no findings" cppcheck --quiet --error-exitcode=1 --std=c11 --platform=unix64 \
		--enable=warning,performance,portability --inline-suppr --suppress=missingIncludeSystem \
		--suppress=unusedStructMember --suppress=unreadVariable --suppress=constParameterCallback \
		-j 2 -I "$source/src" -D__linux__ -D_GNU_SOURCE "$source/src"
	local file bad=0
	for file in "$source"/src/base/*.c "$source"/src/spec/*.c; do
		gcc -std=gnu17 -fanalyzer -Werror -O1 -I "$source/src" -DMOSS_COMMIT='""' -DPACKAGE_VERSION='""' \
			-c -o /dev/null "$file" || bad=1
	done
	check "static: gcc -fanalyzer has no findings in base and spec" [ "$bad" -eq 0 ]
}
suite_shell() {
	have shellcheck "shell: shellcheck" || return
	local file
	while IFS= read -r file; do
		case $file in
		# Variables are shared between these and bats; single quotes hold jq's and the container's own.
		*.bats | *.bash) check "shell: ${file#"$source/"}" shellcheck -x -s "$([[ $file == *.bats ]] && echo bats || echo bash)" \
			-e SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2119,SC2120,SC1091 "$file" ;;
		*) check "shell: ${file#"$source/"}" shellcheck -x "$file" ;;
		esac
	done < <(find "$source" \( -path '*/build-aux' -o -name 'build*' -type d \) -prune -o \
		\( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -path '*/.ci/run' -o -name vm-job \) -type f -print | sort)
	check "shell: python scripts compile" python3 -c 'import ast, sys
for name in sys.argv[1:]: ast.parse(open(name).read(), name)' "$source"/tests/*.py "$source"/tests/e2e/*.py
	check "layers: sources say where they run, includes go downwards" sh "$source/tests/check-layers.sh" "$source/src"
}
suite_distcheck() {
	mkdir "$work/dist" && cd "$work/dist" || return
	check "distcheck: configure" "$source/configure" || return
	check "distcheck: make distcheck" env MOSS_CHECK=unit make -s -j 2 distcheck
}
suite_faults() {
	[ -x "$work/gcc/moss" ] || check "faults: a build" build "$work/gcc" CC=gcc || return
	nice -n 5 python3 "$source/tests/faults/faults.py" --sample 1500 --seconds 240 "$work/gcc/moss" >"$logs/faults.out" 2>&1
	echo $? >"$logs/faults.status"
	cat "$logs/faults.out"
	sed -nE 's/^(ok|not ok|skip) - /\1 - faults: /p' "$logs/faults.out" >>"$results"
	check "faults: tests/faults/faults.py" grep -qx 0 "$logs/faults.status"
}
suite_install() {
	local tree=$work/tree size
	[ -x "$work/gcc/moss" ] || check "install: a build" build "$work/gcc" CC=gcc || return
	check "install: make install DESTDIR" make -s -C "$work/gcc" install DESTDIR="$tree" || return
	local moss=$tree/usr/local/bin/moss
	check "install: moss is a position-independent executable" grep -q DYN <(readelf -h "$moss")
	check "install: moss is static" [ -z "$(readelf -l "$moss" | grep INTERP)$(readelf -d "$moss" | grep NEEDED)" ]
	strip -o "$work/stripped" "$moss"
	size=$(stat -c %s "$work/stripped")
	check "install: stripped, moss has at most 1.4 MB" [ "$size" -le 1468006 ]
	echo "install: $size bytes stripped"
	check "install: the installed moss runs" "$moss" --version
	check "install: the units start the installed moss" [ "$(grep -c '^ExecStart=/usr/local/bin/moss run --bundle /var/lib/moss/%i %i$' \
		"$tree/usr/local/lib/systemd/system/moss@.service")$(grep -c '^ExecStart=/usr/local/bin/moss run --bundle %h/.local/share/moss/%i %i$' \
		"$tree/usr/local/lib/systemd/user/moss@.service")$(cat "$tree"/usr/local/lib/systemd/*/moss@.service | grep -c '@[a-z]*@')" = 110 ]
	check "install: make uninstall" make -s -C "$work/gcc" uninstall DESTDIR="$tree"
	check "install: nothing is left after make uninstall" [ -z "$(find "$tree" ! -type d)" ]
}
# take_tap SUITE FILE: the results of a TAP stream.
take_tap() {
	sed -nE "s/^1\.\.0 # SKIP /skip - $1: all tests # /p; t
		s/^ok [0-9]+ (- )?(.*) # (skip|SKIP) ?(.*)/skip - $1: \2 # \4/p; t
		s/^((not )?ok) [0-9]+ (- )?/\1 - $1: /p" "$2" >>"$results"
}
suite_cross() {
	nice -n 5 bash "$source/tests/cross.sh" >"$logs/cross.tap" 2>&1
	echo $? >"$logs/cross.status"
	cat "$logs/cross.tap"
	take_tap cross "$logs/cross.tap"
	check "cross: tests/cross.sh" grep -qx 0 "$logs/cross.status"
}
# in_guest SUITE [OPTION]: the tests of tests/vm.
in_guest() {
	[ -x "$work/gcc/moss" ] || check "$1: a build" build "$work/gcc" CC=gcc || return
	MOSS=$work/gcc/moss bash "$source/tests/vm/run.sh" "${@:2}" >"$logs/$1.tap"
	echo $? >"$logs/$1.status"
	cat "$logs/$1.tap"
	take_tap "$1" "$logs/$1.tap"
	check "$1: tests/vm/run.sh" grep -qx 0 "$logs/$1.status"
}
suite_clients() {
	[ -x "$work/gcc/moss" ] || check "clients: a build" build "$work/gcc" CC=gcc || return
	RUNTIME=$work/gcc/moss RESULTS=$logs/clients.tsv nice -n 5 bash "$source/tests/clients/run.sh" >"$logs/clients.tap" 2>&1
	echo $? >"$logs/clients.status"
	cat "$logs/clients.tap"
	take_tap clients "$logs/clients.tap"
	check "clients: tests/clients/run.sh" grep -qx 0 "$logs/clients.status"
	check "clients: docs/engines.md has what they gave" bash "$source/tests/clients/matrix.sh" --check "$logs/clients.tsv" "$source/docs/engines.md"
}
suite_vm() { in_guest vm; }
suite_pc() { in_guest pc --pc; }
suite_selinux() { in_guest selinux --selinux; }

# suite NAME: run it, then print one block.
suite() {
	local name=$1 start=$SECONDS passed failed skipped
	[[ $wanted == *" $name "* ]] || return 0
	results=$logs/$name.results
	: >"$results"
	(suite_"$name") >"$logs/$name.log" 2>&1 </dev/null
	passed=$(grep -c '^ok - ' "$results")
	failed=$(grep -c '^not ok - ' "$results")
	skipped=$(grep -c '^skip - ' "$results")
	if [ "$((passed + failed + skipped))" -eq 0 ]; then
		echo "not ok - $name: ran no test at all" >>"$results"
		failed=1
	fi
	{
		printf '== %-10s %4d s: %d passed, %d failed, %d skipped\n' "$name" "$((SECONDS - start))" "$passed" "$failed" "$skipped"
		sed -n 's/^skip - /   skipped: /p' "$results"
		sed -n 's/^not ok - /   not ok: /p' "$results"
		if [ "$failed" -gt 0 ]; then
			echo "   ---- log of $name"
			# What went well is left out.
			grep -vE '^(PASS: |ok [0-9]|  (CC|CCLD|AR|GEN|RANLIB) |checking |config.status: |configure: )' "$logs/$name.log" |
				tail -n "${LOG_LINES:-400}" | sed 's/^/   | /'
		fi
	} >"$logs/$name.block"
	cat "$logs/$name.block"
}

set -m # each lane is a process group
(
	trap - EXIT
	suite gcc
	suite install
	suite clients
	suite pc
	suite selinux
) </dev/null &
(
	trap - EXIT
	suite clang
	suite sanitizers
	suite fuzz
	suite static
	suite shell
	suite distcheck
	suite cross
	suite faults
	suite vm
) </dev/null &
set +m
wait

passed=$(cat "$logs"/*.results | grep -c '^ok - ')
failed=$(cat "$logs"/*.results | grep -c '^not ok - ')
skipped=$(cat "$logs"/*.results | grep -c '^skip - ')
for name in $wanted; do # a suite that died without a trace
	if [ ! -s "$logs/$name.results" ]; then
		echo "not ok: suite $name left no results"
		failed=$((failed + 1))
	fi
done
echo "total time: $SECONDS s"
status=0
[ "$failed" -eq 0 ] || status=1
trap - EXIT
finish
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
