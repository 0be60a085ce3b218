#!/bin/bash
# run.sh - tests in a booted Debian: systemd, cgroup v2, a lingering user with a bus. Prints TAP.
#
#   bash tests/vm/run.sh                                  everything, as root and as the user ann
#   bash tests/vm/run.sh --filter REGEX login.bats ...    some files, of this directory or of tests/e2e
#   bash tests/vm/run.sh --part scope ...                 only one part: root, session, scope or lost
#   bash tests/vm/run.sh --pc ...                         in an emulated PC; parts pcroot and pcuser
#   bash tests/vm/run.sh --selinux ...                    in one with SELinux instead of AppArmor; part pcselinux
#   bash tests/vm/run.sh --with FILE ...           it is /opt/moss-vm/with/FILE in the guest
#   bash tests/vm/run.sh --exec 'moss doctor'             root's shell in the guest runs a line
#   bash tests/vm/run.sh --shell                          root's shell in the guest; its end is the guest's
#
# The guest is user-mode Linux, a program of this host; it has a kernel of its own (6.1 in Debian 12),
# one processor, and takes 5 to 15 times as long as the host. The emulated PC (qemu, without KVM) takes longer, and has
# what user-mode Linux lacks: Debian's own kernel with AppArmor, two processors, and the controllers cpuset, hugetlb, rdma and
# misc. Its host directory is a disk, and what it hands back is read when it is off. A guest's disk is a copy of an image that is made
# once (image.sh) and kept in /var/cache/moss-tests. One boot runs all the tests (batch.sh says who runs
# what). A new package is a word in ./packages; a new test is a .bats file here with a line "# parts: ...".
#
# MOSS             the runtime under test; default ./moss (in the build directory). It must be static.
# MOSS_CACHE       the directory of the images
# MOSS_VM_TIMEOUT  seconds until a guest counts as hung; default 1800: a busy host takes three times as long as an idle one
# KEEP=1           keep the guest's disk, console and results, and say where
# Exit status: 0; 1 when a test failed; for --exec the command's.
# shellcheck disable=SC2317 # functions are called by traps
set -u
here=$(cd "$(dirname "$0")" && pwd)
memory_kb=2097152

if [ "${MOSS_CHECK-}" = unit ]; then
	echo "1..0 # SKIP MOSS_CHECK=unit"
	exit 0
fi
usage() {
	sed -n '3,11s/^# \{0,1\}//p' "$here/run.sh" >&2
	exit 2
}
machine=uml security="" parts=() files=() with=() filter="" mode=batch line=""
while [ $# -gt 0 ]; do
	case $1 in --part | --filter | --with | --exec) [ $# -ge 2 ] || usage ;; esac
	case $1 in
	--part) parts+=("$2") && shift 2 ;;
	--filter) filter=$2 && shift 2 ;;
	--with) with+=("$2") && shift 2 ;;
	--exec) mode=exec line=$2 && shift 2 ;;
	--shell) mode=shell && shift ;;
	--pc) machine=pc && shift ;;
	--selinux) machine=pc security='security=selinux selinux=1 enforcing=0' && shift ;;
	-*) usage ;;
	*) files+=("$(basename "$1")") && shift ;;
	esac
done
if [ "${#parts[@]}" -eq 0 ]; then
	case $machine$security in
	uml) parts=(root session scope lost) ;;
	pc) parts=(pcroot pcuser) ;;
	*) parts=(pcselinux) ;;
	esac
fi

moss=${MOSS:-./moss}
if [ ! -x "$moss" ]; then
	echo "Bail out! no runtime at $moss: build it first, or set MOSS"
	exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/moss-vm.XXXXXX") || exit 1
guest="" terminal=""
finish() {
	[ -z "$terminal" ] || stty "$terminal"
	[ -z "$guest" ] || { kill "$guest" && wait "$guest"; } 2>/dev/null
	# A kernel that was killed leaves its threads, and the file with its process group.
	[ ! -s "$work/uml/pid" ] || pgrep -g "$(cat "$work/uml/pid")" -f "uml_dir=$work" | xargs -r kill -KILL
	if [ -n "${KEEP-}" ]; then echo "# kept: $work" >&2; else rm -rf "$work"; fi
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# in_background COMMAND...: wait for it where a signal can end the wait; finish() ends it then.
in_background() {
	local status=0
	"$@" &
	guest=$!
	wait "$guest" || status=$?
	guest=""
	return "$status"
}

status=0
in_background bash "$here/image.sh" "$machine" "$work/disk" </dev/null >"$work/image.log" 2>&1 || status=$?
if [ "$status" -eq 77 ]; then
	echo "1..0 # SKIP $(tail -n 1 "$work/image.log")"
	exit 0
elif [ "$status" -ne 0 ]; then
	sed 's/^/# /' "$work/image.log"
	echo "Bail out! no image of the guest could be made"
	exit 1
fi

# What the guest gets (in/), what it runs (job), what it hands back (out/).
mkdir -p "$work/in/bin" "$work/in/tests" "$work/in/units/system" "$work/in/units/user" "$work/out"
cp "$moss" "$work/in/bin/moss"
for helper in "${moss%/*}"/moss-*; do # they are looked for beside it
	if [ -f "$helper" ] && [ -x "$helper" ]; then cp "$helper" "$work/in/bin/" || exit; fi
done
[ "${#with[@]}" -eq 0 ] || { mkdir "$work/in/with" && cp "${with[@]}" "$work/in/with/"; } || exit
for manager in system user; do
	sh "$here/../../helpers/units/make.sh" "$manager" /usr/local/bin >"$work/in/units/$manager/moss@.service" || exit
done
for file in "$here"/*.bats; do
	[ ! -e "$here/../e2e/${file##*/}" ] || { echo "Bail out! ${file##*/} is in tests/vm and in tests/e2e" && exit 1; }
	grep -q '^# parts: [a-z]' "$file" || { echo "Bail out! ${file##*/} has no line \"# parts: ...\"" && exit 1; }
done
cp "$here"/*.bats "$here"/*.bash "$here/profiles.apparmor" "$here/selinux.conf" "$here"/../e2e/*.bats "$here"/../e2e/*.bash "$here"/../e2e/*.py "$here"/../e2e/*.sh \
	"$work/in/tests/"
mkdir "$work/in/faults" && cp "$here"/../faults/*.py "$work/in/faults/" || exit
for file in "${files[@]}"; do
	[ -e "$work/in/tests/$file" ] || { echo "Bail out! no $file in tests/vm or tests/e2e" && exit 1; }
done
seed=${MOSS_COMMIT-}
declare -p parts files filter seed >"$work/settings"
commands='mkdir -p /opt/moss-vm && cp -r /host/in/. /opt/moss-vm/ && ln -s /opt/moss-vm/bin/moss /usr/local/bin/moss'
commands+=' && mkdir -p /usr/local/lib/systemd && cp -r /opt/moss-vm/units/. /usr/local/lib/systemd/ && systemctl daemon-reload'
case $mode in
batch) cp "$here/batch.sh" "$work/job" ;;
exec) printf '%s\n' "$commands" 'systemctl is-system-running --wait >/dev/null' "$line" >"$work/job" ;;
shell)
	terminal=$(stty -g) || { echo "run.sh: --shell needs a terminal" >&2 && exit 1; }
	read -r rows columns <<<"$(stty size)"
	printf '%s\n' "$commands" "export TERM=${TERM:-dumb}" "stty rows $rows cols $columns </dev/console" \
		'exec setsid --ctty bash --login </dev/console >/dev/console 2>&1' >"$work/job"
	;;
esac

# On one processor the guest's two processes hand over to each other in half the time.
processors() {
	local first last
	taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done
}
ulimit -c 0 # a panic of the guest's kernel ends in abort(3)
# Its memory is a file, as large as what was used of it.
memory_dir=/dev/shm
[ "$(df --output=avail -k /dev/shm | tail -n 1)" -gt "$memory_kb" ] || memory_dir=$work
uml=(env "HOME=$work" "TMPDIR=$memory_dir" taskset -c "$(processors | shuf -n 1)" linux.uml "uml_dir=$work" umid=uml
	"ubd0=$work/disk" root=/dev/ubda rw "mem=${memory_kb}K" "hostfs=$work" con=null ssl=null selinux=0 quiet)
# fill_disk: the second disk of a PC, from what user-mode Linux sees as it is; empty_disk: what the PC has left on it.
fill_disk() {
	mkdir "$work/host" && mv "$work/in" "$work/out" "$work/job" "$work/settings" "$work/host/" &&
		mke2fs -q -t ext4 -d "$work/host" "$work/host.ext4" 256M
}
empty_disk() { debugfs -R "rdump /out $work" "$work/host.ext4" 2>/dev/null; }
# no_timer_check: on a busy host the timer's interrupts come too late for that check, and the kernel panics.
pc=(qemu-system-x86_64 -machine q35 -accel "tcg,thread=multi" -cpu max -smp 2 -m "$((memory_kb / 1024))M" -nographic
	-net none -no-reboot -kernel "$work/disk.kernel" -initrd "$work/disk.initrd"
	-append "console=ttyS0 root=/dev/vda rw quiet panic=-1 no_timer_check $security"
	-drive "file=$work/disk,if=virtio,format=raw,cache=unsafe" -drive "file=$work/host.ext4,if=virtio,format=raw,cache=unsafe")
if [ "$machine" = pc ]; then
	fill_disk || { echo "Bail out! no disk for the guest could be made" && exit 1; }
	guest_command=("${pc[@]}") console=()
else
	guest_command=("${uml[@]}") console=("con0=null,fd:1")
fi
if [ "$mode" = shell ] && [ "$machine" = pc ]; then
	"${pc[@]}"
elif [ "$mode" = shell ]; then
	"${uml[@]}" con0=fd:0,fd:1
else
	in_background timeout -k 5 "${MOSS_VM_TIMEOUT:-1800}" "${guest_command[@]}" "${console[@]}" \
		</dev/null >"$work/console" 2>&1 || true
fi
[ "$machine" != pc ] || empty_disk
ended=$(cat "$work/out/status" 2>/dev/null)
tails() { # what there is to say about a guest that did not do its work
	local file
	for file in console out/log out/journal; do
		[ ! -s "$work/$file" ] || { echo "--- the end of $file:" && tail -n 60 "$work/$file"; }
	done | tr -d '\r' | sed 's/^/# /'
}
if [ "$mode" != batch ]; then
	cat "$work/out/log" 2>/dev/null
	[ -n "$ended" ] || tails >&2
	exit "${ended:-1}"
fi

# One TAP stream of all that the guest left; a plan that was not kept is a failure of its own.
number=0 failed=0 tests=0
result() { # result ok|"not ok" WORDS
	number=$((number + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
	echo "$1 $number $2"
}
sed 's/^/# /' "$work/out/log" 2>/dev/null
mapfile -t taps < <(for part in "${parts[@]}"; do ls -v "$work/out/$part"-*.tap 2>/dev/null; done)
for file in "${taps[@]}"; do
	part=${file##*/}
	part=${part%-*} planned=none seen=0
	while IFS= read -r line; do
		case $line in
		1..*) planned=${line#1..} ;;
		"ok "[0-9]*) seen=$((seen + 1)) && result ok "$part: ${line#ok * }" ;;
		"not ok "[0-9]*) seen=$((seen + 1)) && result "not ok" "$part: ${line#not ok * }" ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$file"
	[[ $file == *-left.tap ]] || tests=$((tests + seen))
	[ "$planned" = "$seen" ] || result "not ok" "$part: $planned tests were planned, $seen ran"
done
[ "$tests" -gt 0 ] || result "not ok" "at least one test ran"
if [ "$ended" = 0 ]; then result ok "the guest did its work and powered off"; else
	result "not ok" "the guest did its work and powered off"
	if [ -n "$ended" ]; then echo "# the batch ended with status $ended"; else
		echo "# the batch did not come to its end: the guest panicked or hung"
	fi
	tails
fi
echo "1..$number"
[ "$failed" -eq 0 ]
