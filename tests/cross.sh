#!/bin/bash
# cross.sh [ARCHITECTURE...] - build moss for other machines and run there what can run; one TAP stream.
#
# arm64 (char is unsigned), i386 (32 bits) and s390x (big-endian), Debian's names; all when none is
# given. Each is built with its real libraries, see cross-sysroot.sh. The unit tests, the fuzz corpora
# and moss spec run in qemu's user mode, which is called by its name: nothing is registered with the
# kernel. Where the kernel has 32-bit programs, the i386 moss runs containers, as root and as a normal
# user: a part of the end-to-end tests.
# Needs a configure script (autogen.sh). Exit status: 0, or 1 when a test failed.
# shellcheck disable=SC2317 # functions are called by their names
set -u
source_tree=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/moss-cross.XXXXXX") || exit 1
chmod 0755 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
unset MAKEFLAGS MAKELEVEL CC CFLAGS LDFLAGS TESTS MOSS MOSS_CHECK

number=0
failed=0
# result STATUS NAME: one line of TAP.
result() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else
		failed=1
		echo "not ok $number - $2"
	fi
	return "$1"
}
skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}
# check NAME COMMAND...: one result by the command's exit status; its output is shown when it failed.
check() {
	local name=$1 status=0
	shift
	"$@" >"$work/log" 2>&1 </dev/null || status=$?
	[ "$status" -eq 0 ] || { echo "# $*: exit status $status" && tail -n 200 "$work/log" | sed 's/^/# /'; }
	result "$status" "$name"
}

# The functions below see architecture()'s $architecture, $triplet of the compiler, $emulator, $sysroot.
build() (
	libraries=$sysroot/usr/lib/${triplet/i686/i386}
	mkdir "$work/$architecture" && cd "$work/$architecture" || exit
	export PKG_CONFIG=pkg-config PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$libraries/pkgconfig
	"$source_tree/configure" -q --host="$triplet" --enable-werror --disable-systemd --disable-slirp CC="$triplet-gcc --sysroot=$sysroot" &&
		make -s -j 2 && make -s -j 2 check TESTS=
)
is_static_program_of() (
	cd "$work/$architecture" || exit
	readelf -h -l moss
	readelf -h moss | grep -q "Machine: *$1" && readelf -h moss | grep -q 'Type: *DYN' &&
		! readelf -l moss | grep -q INTERP
)
emulate() { timeout 120 "$emulator" -L "$sysroot" "$@"; }
unit_test() (
	cd "$work/$architecture" || exit
	export srcdir=$source_tree
	emulate "$1" && ! grep -q 'Running 0 test' "$work/log" # check() writes it
)
corpus_replay() ( cd "$work/$architecture" && emulate "$1" "$source_tree/tests/fuzz/corpus/$2" )
# What moss spec writes is the same on every machine.
spec_written() (
	cd "$work/$architecture" && emulate ./moss spec || exit
	[ -e "$work/config.json" ] || cp config.json "$work"
	jq -e '.process.args == ["sh"]' config.json && cmp config.json "$work/config.json"
)

# run_tests: everything that needs no privilege.
run_tests() {
	local program name found=0 sources=("$source_tree"/tests/unit/test_*.c)
	for program in "$work/$architecture"/test_* "$work/$architecture"/fuzz_*; do
		[ -x "$program" ] || continue
		name=${program##*/}
		case $name in
		test_*)
			check "$architecture: $name" unit_test "./$name"
			found=$((found + 1))
			;;
		*) check "$architecture: $name over its corpus" corpus_replay "./$name" "${name#fuzz_}" ;;
		esac
	done
	check "$architecture: every unit test has been built and run" [ "$found" -eq "${#sources[@]}" ]
	check "$architecture: moss spec" spec_written
}

# Its filter of system calls, which an emulator does not have.
slirp_sandbox() (
	cd "$work/$architecture" || exit
	"$sysroot/lib/ld-linux.so.2" --library-path "$sysroot/lib/i386-linux-gnu:$sysroot/usr/lib/i386-linux-gnu" ./test_slirp_sandbox
)

# run_containers: those end-to-end tests that depend most on the width of numbers and on the kernel's
# calls for 32-bit programs: nodes and device programs, namespaces joined and ids mapped, limits, signals,
# capabilities, exit statuses, seccomp, the sealed binary.
run_containers() {
	local line status
	if ! "$work/$architecture/moss" --version >/dev/null 2>&1; then
		skip "$architecture: containers" "this kernel runs no 32-bit programs"
		return
	fi
	check "$architecture: the sandbox of moss-slirp on this kernel" slirp_sandbox
	MOSS=$work/$architecture/moss MOSS_TEST_USER=${MOSS_TEST_USER:-moss-test}-32 \
		MOSS_E2E_FILTER='^(devices|seccomp): |^namespaces: .* (joined|mapped)|^process: .*(limit|signals|gids|capabilit)|^run: (exits|std)|CVE-2019-5736' \
		bash "$source_tree/tests/e2e.sh" >"$work/e2e" 2>&1 </dev/null
	status=$?
	while IFS= read -r line; do
		case $line in
		"1..0 # SKIP "*) skip "$architecture: containers" "${line#1..0 # SKIP }" ;;
		1..*) ;;
		"ok "* | "not ok "*)
			number=$((number + 1))
			sed -E "s/^((not )?ok) [0-9]+ (- )?/\\1 $number - $architecture: /" <<<"$line"
			;;
		*) echo "$line" ;;
		esac
	done <"$work/e2e"
	result "$status" "$architecture: containers run"
}

# missing COMMAND...: print the first one that is not installed.
missing() {
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || { echo "$command" && return; }
	done
	return 1
}

# architecture NAME TRIPLET EMULATOR MACHINE: all results of one.
architecture() {
	local architecture=$1 triplet=$2 emulator=$3 sysroot without
	if without=$(missing "$triplet-gcc" mmdebstrap pkg-config jq); then
		skip "$architecture" "$without is not installed: run tests/install-deps.sh test"
		return
	fi
	if ! sysroot=$(bash "$source_tree/tests/cross-sysroot.sh" "$architecture" 2>"$work/log"); then
		sed 's/^/# /' "$work/log"
		without=$(grep -m 1 '^E: ' "$work/log" || tail -n 1 "$work/log")
		skip "$architecture" "no libraries: ${without:-cross-sysroot.sh failed}"
		return
	fi
	check "$architecture: builds without a warning" build || return
	check "$architecture: moss is a static, position-independent program of this machine" is_static_program_of "$4"
	if without=$(missing "$emulator"); then
		skip "$architecture: unit tests" "$without is not installed: run tests/install-deps.sh test"
	else
		run_tests
	fi
	[ "$architecture" != i386 ] || run_containers
}

if [ ! -x "$source_tree/configure" ]; then
	echo "Bail out! no configure script: run ./autogen.sh"
	exit 1
fi
[ $# -gt 0 ] || set -- arm64 i386 s390x
for name in "$@"; do
	case $name in
	arm64) architecture arm64 aarch64-linux-gnu qemu-aarch64 AArch64 ;;
	i386) architecture i386 i686-linux-gnu qemu-i386 'Intel 80386' ;;
	s390x) architecture s390x s390x-linux-gnu qemu-s390x 'IBM S/390' ;;
	*) result 1 "$name: none of arm64, i386, s390x" ;;
	esac
done
echo "1..$number"
exit "$failed"
