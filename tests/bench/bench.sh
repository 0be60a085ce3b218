#!/usr/bin/env bash
# bench.sh - moss beside its peers and beside the least that the kernel makes possible.
#
# usage: bench.sh [--json FILE] MOSS FLOOR
#
# Needs: MOSS, the installed program; FLOOR, floor.c built; jq, a static busybox;
#        crun, runc and bwrap are measured if they are installed.
#        As root: unshare, setpriv. Environment, all optional:
#          RUNS        measured runs of each command (100)
#          BENCH_USER  as root: the normal user whose runs are measured too, with one id and,
#                      if it has some in /etc/subuid and /etc/subgid, with its subordinate ids
#          TIMEIT      timeit.c built (else beside FLOOR, else built by $CC)
# Gives: a table on standard output: milliseconds (median, 10th and 90th
#        percentile), and the ratio moss / peer within rounds (median and the
#        same spread): below 1, moss is faster. FILE gets the same as JSON.
#        No number fails it: exit status 0, or 1 if something could not be run.
#
# All runtimes get the same config.json but for its ociVersion: what MOSS's own
# `spec` says, with /bin/true, a cgroup namespace and, for a user, one id or the
# mappings of `spec --subids`, no network namespace and no limits. What each of
# them starts is one busybox, on one read-only root. bwrap, which has no
# config.json, gets options that come closest; it makes no cgroup, masks nothing
# and has no device list. As root there is the deny-all device list, unless a
# peer can't load it here: then for nobody, and that is said (runc loads its
# default list all the same). What a seccomp profile like the engines' default
# costs each runtime is measured apart: with what moss keeps of it, and without.
#
# As root everything runs in a private mount namespace: the bundles lie on a
# tmpfs there, and where the host's cgroups are hybrid or v1, a pure v2 view is
# mounted over them (so that everybody uses cgroup v2). The host's mounts stay
# as they are.
# shellcheck disable=SC2317 # functions called by name: traps, and what measure() is given
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

die() {
	echo "bench.sh: $*" >&2
	exit 1
}

# ---- arguments, and the private mount namespace ----

usage="usage: bench.sh [--json FILE] MOSS FLOOR"
json_file=
[ "${1-}" != --json ] || { json_file=${2:?$usage}; shift 2; }
[ $# -eq 2 ] || die "$usage"
moss=$(realpath -e "$1") || die "no program $1"
floor=$(realpath -e "$2") || die "no program $2"
if [ -n "$json_file" ]; then
	json_file=$(realpath "$json_file")
	: >"$json_file" || die "can't write $json_file" # now, not after the measuring
fi
runs=${RUNS:-100}
here=$(dirname "$(realpath "$0")")
for tool in jq busybox; do
	command -v "$tool" >/dev/null || die "$tool is needed"
done

if [ "$(id -u)" -eq 0 ] && [ -z "${BENCH_PRIVATE-}" ]; then
	BENCH_PRIVATE=$(mktemp -d "${TMPDIR:-/tmp}/moss-bench.XXXXXX")
	BENCH_OUTSIDE=$(readlink /proc/self/ns/mnt)
	export BENCH_PRIVATE BENCH_OUTSIDE
	exec unshare --mount --propagation private bash "$here/bench.sh" ${json_file:+--json "$json_file"} "$moss" "$floor"
fi

cgroup_view="the host's"
if [ -n "${BENCH_PRIVATE-}" ]; then
	# a stray variable must not let us loose on the host's mounts
	[ "${BENCH_OUTSIDE:?}" != "$(readlink /proc/self/ns/mnt)" ] || die "not in a private mount namespace"
	work=$BENCH_PRIVATE
	trap 'rmdir "$work"' EXIT
	mount -t tmpfs -o mode=755 moss-bench "$work"
	if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
		umount -R -l /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup
		cgroup_view="private, pure v2"
	fi
else
	work=$(mktemp -d "${TMPDIR:-/tmp}/moss-bench.XXXXXX")
	chmod 755 "$work"
fi
cgroup_parent=moss-bench-$$

cleanup() {
	local name kind

	trap - EXIT
	for name in "${!program[@]}"; do
		is_runtime "$name" || continue
		for kind in "$work/$name"/*/; do
			[ ! -d "$kind/state" ] || "${program[$name]}" --root "$kind/state" delete --force "bench-$name" >/dev/null 2>&1 || true
		done
	done
	if [ -n "${BENCH_PRIVATE-}" ]; then
		find "/sys/fs/cgroup/$cgroup_parent" -depth -type d -exec rmdir {} + 2>/dev/null || true
		cd /
		umount -l "$work"
		rmdir "$work"
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# ---- who is measured ----

declare -A program=([moss]=$moss [floor]=$floor) manager=()
names=(moss)
for peer in crun runc bwrap; do
	if path=$(command -v "$peer"); then
		program[$peer]=$path
		names+=("$peer")
	fi
done
names+=(floor)

is_runtime() {
	[ "$1" != bwrap ] && [ "$1" != floor ]
}

runtimes=()
for name in "${names[@]}"; do
	! is_runtime "$name" || runtimes+=("$name")
done

# version NAME: one line that says what it is.
version() {
	[ "$1" != floor ] || { echo "only the kernel calls that the job needs (floor.c)"; return; }
	"${program[$1]}" --version 2>&1 | sed -n 1p
}

timeit=$work/timeit
if [ -n "${TIMEIT-}" ]; then
	cp "$TIMEIT" "$timeit"
elif [ -x "$(dirname "$floor")/timeit" ]; then
	cp "$(dirname "$floor")/timeit" "$timeit"
else
	"${CC:-cc}" -O2 -o "$timeit" "$here/timeit.c"
fi
cp "$floor" "$work/floor" # a normal user may not be able to reach it where it is
program[floor]=$work/floor

# ---- bundles: one root for all, one config.json for each ----

rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,proc,dev,sys}
cp "$(command -v busybox)" "$rootfs/bin/busybox"
for applet in true sh sleep; do
	ln -s busybox "$rootfs/bin/$applet"
done

device_list=yes # until a peer turns out to be unable to load it

# bundle_make NAME root|user|subids UID GID: a bundle in $work/NAME/KIND, its state directory beside it.
bundle_make() {
	local name=$1 kind=$2 dir=$work/$1/$2 reference=$work/reference-$2.json mappings=null

	mkdir -p "$dir/bundle" "$dir/state"
	rm -f "$dir/bundle/config.json" # `spec` refuses to write over it
	(cd "$dir/bundle" && "${program[$name]}" spec) || return
	if [ "$name" = moss ]; then # whose configuration everybody gets
		[ "$kind" != subids ] || mappings=$(jq .linux "$work/subids/config.json") || return
		jq --arg kind "$kind" --arg devices "$device_list" --argjson uid "$3" --argjson gid "$4" \
			--argjson mappings "$mappings" '
			.process.terminal = false | .process.args = ["/bin/true"] | .root.readonly = true |
			del(.linux.seccomp, .linux.uidMappings, .linux.gidMappings) |
			if $kind == "root" then
				.linux.namespaces = [{type: ("pid", "network", "ipc", "uts", "mount", "cgroup")}] |
				if $devices == "yes" then .linux.resources = {devices: [{allow: false, access: "rwm"}]}
				else del(.linux.resources) end
			else
				.linux.namespaces = [{type: ("pid", "ipc", "uts", "mount", "user", "cgroup")}] |
				if $kind == "subids" then .linux += ($mappings | {uidMappings, gidMappings})
				else
					.linux.uidMappings = [{containerID: 0, hostID: $uid, size: 1}] |
					.linux.gidMappings = [{containerID: 0, hostID: $gid, size: 1}] |
					(.mounts[] | select(.destination == "/dev/pts").options) -= ["gid=5"]
				end |
				del(.linux.resources, .linux.cgroupsPath) |
				(.mounts[] | select(.destination == "/sys")) |=
					{destination, type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"]}
			end' "$dir/bundle/config.json" >"$reference" || return
	fi
	jq --slurpfile reference "$reference" --arg rootfs "$rootfs" --arg kind "$kind" --arg cgroup "/$cgroup_parent/$name" '
		$reference[0] * {ociVersion, root: {path: $rootfs}} |
		if $kind == "root" then .linux.cgroupsPath = $cgroup else . end' \
		"$dir/bundle/config.json" >"$dir/bundle/config.new" || return
	mv "$dir/bundle/config.new" "$dir/bundle/config.json"
}

# ---- commands, one line each for timeit ----

# words WORD...: append to the command line being written.
words() {
	printf '\t%s' "$@"
}

# command_run NAME root|user|subids
command_run() {
	local dir=$work/$1/$2

	case $1 in
	floor)
		local option=()
		[ "$device_list" = yes ] || option=(--no-device-list)
		[ "$2" = root ] || option=(--user)
		words "${program[floor]}" "${option[@]}" "$rootfs" /bin/true ;;
	bwrap)
		local option=(--unshare-net)
		[ "$2" = root ] || option=(--unshare-user --uid 0 --gid 0)
		words "${program[bwrap]}" --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup "${option[@]}" \
			--ro-bind "$rootfs" / --proc /proc --dev /dev --tmpfs /dev/shm --mqueue /dev/mqueue --ro-bind /sys /sys \
			--hostname bench --cap-drop ALL --new-session --chdir / /bin/true ;;
	*)
		words "${program[$1]}" --root "$dir/state" run -b "$dir/bundle" "bench-$1" ;;
	esac
}

# command_cycle NAME root|user: create, start, wait for the program's end, delete.
command_cycle() {
	local dir=$work/$1/$2

	words "${program[$1]}" --root "$dir/state" create -b "$dir/bundle" "bench-$1" ";"
	words "${program[$1]}" --root "$dir/state" start "bench-$1" ";reap"
	words "${program[$1]}" --root "$dir/state" delete "bench-$1"
}

# command_binds NAME|NAME-none: run with 1000 read-only bind mounts, or the same bundle without them.
command_binds() {
	local name=${1%-none} dir=$work/${1%-none}/$2

	[ "$1" != "$name" ] || dir=$work/$name/binds
	words "${program[$name]}" --root "$work/$name/$2/state" run -b "$dir/bundle" "bench-$name"
}

command_state() {
	words "${program[$1]}" --root "$work/$1/$2/state" state "bench-$1"
}

command_exec() {
	words "${program[$1]}" --root "$work/$1/$2/state" exec "bench-$1" /bin/true
}

# command_profile NAME[,profile|,cold] root|user: `run` as it is, with the profile, and with it for the first time.
command_profile() {
	local name=${1%,*} dir=$work/${1%,*}/$2 bundle=bundle

	[ "$name" = "$1" ] || bundle=profile
	[ "${1#*,}" != cold ] || words rm -rf "$dir/state/:seccomp" ";"
	words "${program[$name]}" --root "$dir/state" run -b "$dir/$bundle" "bench-$name"
}

# ---- measuring ----

as_self=(env) # a runner: words put before a command
failures=0

# results NAME...: what was measured so far, one line each: scenario, then timeit's fields.
results=$work/results
: >"$results"

# time_together NAME...: their commands interleaved, in measure()'s scenario; timeit's lines.
time_together() {
	local name

	for name in "$@"; do
		printf '%s' "$name"
		"$function" "$name" "$kind"
		printf '\n'
	done >"$work/commands"
	"${runner[@]}" "$timeit" -n "$runs" "$work/commands" 2>>"$work/errors" || failures=1
}

# time_in_pairs NAME...: the first one with each other by itself: what a slow one leaves for the kernel to clean up is not
# on the account of a third. The first one's own times are those of the first pair.
time_in_pairs() {
	local first=$1 peer

	shift
	time_together "$first" "$1"
	for peer in "${@:2}"; do
		time_together "$first" "$peer" | { grep -v "^$first	" || true; }
	done
}

# measure SCENARIO KIND COMMAND_FUNCTION STEPS RUNNER... -- NAME...: time, remember and print. The same command of several
# programs in pairs; with variants of one among them ("moss-none", "moss,profile") all together.
measure() {
	local scenario=$1 kind=$2 function=$3 steps=$4 how=time_together
	local -a runner=()

	shift 4
	while [ "$1" != -- ]; do
		runner+=("$1")
		shift
	done
	shift
	case "$*" in moss\ *[,-]*) ;; moss\ *) how=time_in_pairs ;; esac
	: >"$work/errors"
	"$how" "$@" >"$work/measured"
	if [ "$1" != moss ]; then # ratios are against the first: without moss there are none
		grep '	failed	' "$work/measured" >"$work/kept" || true
		grep -v '	failed	' "$work/measured" | cut -f 1-5 >>"$work/kept"
		mv "$work/kept" "$work/measured"
	fi
	awk -v scenario="$scenario" '{ print scenario "\t" $0 }' "$work/measured" >>"$results"
	printf '\n%-28s %8s %8s %8s   %s\n' "$scenario" "median" "p10" "p90" "moss / it (p10 to p90)"
	awk -F '\t' -v steps="$steps" '
		BEGIN { split(steps, step_name, " ") }
		$2 == "failed" { printf "  %-26s FAILED: %s\n", $1, $3; next }
		{
			label = $2 == "total" ? $1 : "  " $1 " " step_name[$2]
			ratio = NF < 8 || $1 == "moss" ? "" : sprintf("%.2f (%.2f to %.2f)", $6, $7, $8)
			printf "  %-26s %8.2f %8.2f %8.2f   %s\n", label, $3, $4, $5, ratio
		}' "$work/measured"
	if grep -q '	failed	' "$work/measured"; then
		sed 's/^/    /' "$work/errors" | tail -n 5
	fi
}

# cgroup_manager NAME KIND RUNNER...: where a created container's init is, as a word; fails if none can be created.
cgroup_manager() {
	local name=$1 kind=$2 dir=$work/$1/$2 pid group status=0
	local runtime=("${@:3}" "${program[$1]}" --root "$work/$1/$2/state")

	if "${runtime[@]}" create -b "$dir/bundle" "bench-$name" </dev/null >/dev/null 2>"$work/errors"; then
		pid=$("${runtime[@]}" state "bench-$name" | jq -r .pid)
		group=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		case $group in
		"$(sed -n 's/^0:://p' /proc/self/cgroup)") echo "none" ;;
		*.scope | *.scope/*) echo "systemd" ;;
		*) echo "cgroupfs" ;;
		esac
	else
		status=1
		echo "unknown; create failed: $(tail -n 1 "$work/errors")"
	fi
	"${runtime[@]}" delete --force "bench-$name" >/dev/null 2>&1 || true
	return "$status"
}

# bundles_make KIND UID GID: for every runtime, moss first.
bundles_make() {
	local name

	for name in "${runtimes[@]}"; do
		bundle_make "$name" "$@" || die "$name: no bundle could be made"
		[ "$(id -u)" -ne 0 ] || chown -R "$2:$3" "$work/$name/$1"
	done
}

# device_list_check: a peer that can't load a device list here, but can run without one, takes it from everybody.
# (crun 1.8 raises the locked-memory limit for it, which root may be refused.)
device_list_check() {
	local name said

	for name in "${runtimes[@]:1}"; do
		if said=$(cgroup_manager "$name" root "${as_self[@]}"); then
			continue
		fi
		device_list=no
		bundles_make root 0 0
		if cgroup_manager "$name" root "${as_self[@]}" >/dev/null; then
			echo "devices  no device list for anybody (runc loads its default one): with one, for $name, ${said#*; }"
			return
		fi
		device_list=yes
		bundles_make root 0 0
	done
	echo "devices  deny-all device list"
}

# managers_find KIND RUNNER...: find and print everybody's cgroup manager.
managers_find() {
	local kind=$1 name found

	for name in "${names[@]}"; do
		if is_runtime "$name"; then
			found=$(cgroup_manager "$name" "$@") || true
		elif [ "$name-$kind" = floor-root ]; then
			found="own directory"
		else
			found=none
		fi
		manager[$kind-$name]=$found
		printf 'cgroup manager, %s: %-6s %s\n' "$kind" "$name" "$found"
	done
}

echo "kernel   $(uname -r), $(nproc) cpus, $(uname -m)"
echo "cgroups  $cgroup_view"
echo "runs     $runs of each command, in pairs of moss and another, interleaved in random order; milliseconds"
for name in "${names[@]}"; do
	printf '%-8s %s\n' "$name" "$(version "$name")"
done

# measure_profile KIND RUNNER...: what a seccomp profile like the engines' default costs each runtime.
measure_profile() {
	local kind=$1 scenario="run with a seccomp profile, $1" name dir profiled=()

	for name in "${runtimes[@]}"; do
		dir=$work/$name/$kind
		rm -rf "$dir/profile"
		mkdir "$dir/profile"
		jq --slurpfile profile "$here/../e2e/seccomp_profile.json" '.linux.seccomp = $profile[0]' \
			"$dir/bundle/config.json" >"$dir/profile/config.json"
		chmod -R a+rX "$dir/profile"
		profiled+=("$name" "$name,profile")
	done
	measure "$scenario" "$kind" command_profile "" "${@:2}" -- moss moss,profile "${profiled[@]:2}"
	measure "$scenario, nothing kept" "$kind" command_profile "forget run" "${@:2}" -- moss,cold
	awk -F '\t' -v scenario="$scenario" '
		$1 == scenario && $3 == "total" { median[$2] = $4 }
		$1 == scenario ", nothing kept" && $3 == 2 { median["moss,cold"] = $4 }
		END {
			for (name in median)
				if (split(name, part, ",") == 2)
					printf "  the profile costs %s %+.2f ms%s\n", name, median[name] - median[part[1]],
						name == "moss,profile" ? median[name] - median["moss"] <= 0.8 ? " (goal: at most 0.80: met)" : " (goal: at most 0.80: missed)" : ""
		}' "$results"
}

measure_root() {
	bundles_make root 0 0
	device_list_check
	managers_find root "${as_self[@]}"
	measure "run, root" root command_run "" "${as_self[@]}" -- "${names[@]}"
	measure "create+start+delete, root" root command_cycle "create start delete" "${as_self[@]}" -- "${runtimes[@]}"
	measure_binds
	measure_profile root "${as_self[@]}"
	measure_running root "${as_self[@]}" -- "state, root" command_state "exec, root" command_exec
}

# measure_binds: what 1000 of them cost, on everybody's root; with and without in one measurement.
measure_binds() {
	local name both=()

	mkdir "$work/sources" "$rootfs/binds"
	(cd "$work/sources" && seq -f d%g 1000 | xargs mkdir)
	(cd "$rootfs/binds" && seq -f d%g 1000 | xargs mkdir)
	for name in "${runtimes[@]}"; do
		mkdir -p "$work/$name/binds/bundle"
		jq --arg sources "$work/sources" '.mounts += [range(1; 1001) | {destination: "/binds/d\(.)", type: "bind",
			source: "\($sources)/d\(.)", options: ["bind", "ro"]}]' \
			"$work/$name/root/bundle/config.json" >"$work/$name/binds/bundle/config.json"
		both+=("$name" "$name-none")
	done
	measure "1000 binds, root" root command_binds "" "${as_self[@]}" -- "${both[@]}"
	awk -F '\t' '$1 == "1000 binds, root" && $3 == "total" { median[$2] = $4 }
		END {
			for (name in median)
				if (median[name "-none"] != "")
					printf "  %s: %+.1f ms%s\n", name, median[name] - median[name "-none"],
						name != "moss" ? "" : median[name] - median[name "-none"] <= 12 ? " (goal: at most 12)" : " (goal: at most 12, missed)"
		}' "$results"
}

# measure_running KIND RUNNER... -- SCENARIO COMMAND_FUNCTION...: with a container of every runtime that runs.
measure_running() {
	local kind=$1 name dir running=()
	local -a runner=()

	shift
	while [ "$1" != -- ]; do
		runner+=("$1")
		shift
	done
	shift
	for name in "${runtimes[@]}"; do
		dir=$work/$name/$kind
		jq '.process.args = ["/bin/sleep", "1000000"]' "$dir/bundle/config.json" >"$dir/bundle/config.new"
		mv "$dir/bundle/config.new" "$dir/bundle/config.json"
		# Not a pipe or a file of ours: the container keeps what it gets.
		if "${runner[@]}" "${program[$name]}" --root "$dir/state" run -d -b "$dir/bundle" "bench-$name" </dev/null >/dev/null 2>&1; then
			running+=("$name")
		else
			echo "$name: no container could be started"
			failures=1
		fi
	done
	while [ $# -gt 0 ] && [ "${#running[@]}" -gt 0 ]; do
		measure "$1" "$kind" "$2" "" "${runner[@]}" -- "${running[@]}"
		shift 2
	done
	for name in "${running[@]}"; do
		"${runner[@]}" "${program[$name]}" --root "$work/$name/$kind/state" delete --force "bench-$name"
	done
}

# subids_find UID GID RUNNER...: the mappings of `spec --subids` into $work/subids/config.json; fails, and
# says why, for a user who has none.
subids_find() {
	mkdir "$work/subids"
	[ "$(id -u)" -ne 0 ] || chown "$1:$2" "$work/subids"
	if ! "${@:3}" "$moss" spec --subids -b "$work/subids" 2>"$work/errors"; then
		printf '\nrun, normal user, subuids: skipped: %s\n' "$(sed -n '$ { s/.* msg="//; s/"$//; p; }' "$work/errors")"
		return 1
	fi
}

# measure_user UID GID RUNNER...
measure_user() {
	bundles_make user "$1" "$2"
	managers_find user "${@:3}"
	measure "run, normal user, one id" user command_run "" "${@:3}" -- "${names[@]}"
	measure_profile user "${@:3}"
	measure_running user "${@:3}" -- "exec, normal user" command_exec
	subids_find "$@" || return 0
	bundles_make subids "$1" "$2"
	measure "run, normal user, subuids" subids command_run "" "${@:3}" -- "${runtimes[@]}" # bwrap and floor map one id
	awk -F '\t' '$1 == "run, normal user, subuids" && $2 == "crun" && NF > 8 {
		printf "  goal: moss / crun at most 0.70: %s\n", $7 <= 0.7 ? "met" : "missed"
	}' "$results"
}

if [ "$(id -u)" -ne 0 ]; then
	device_list=no # a user can't load one
	measure_user "$(id -u)" "$(id -g)" "${as_self[@]}"
else
	measure_root
	if [ -z "${BENCH_USER-}" ]; then
		printf '\nrun, normal user: skipped: no normal user (BENCH_USER names one)\n'
	else
		as_user=(setpriv "--reuid=$BENCH_USER" "--regid=$(id -g "$BENCH_USER")" --init-groups
			env -i "PATH=$PATH" "HOME=$(getent passwd "$BENCH_USER" | cut -d: -f6)" "USER=$BENCH_USER")
		"${as_user[@]}" test -x "$moss" || die "$BENCH_USER can't run $moss"
		echo
		measure_user "$(id -u "$BENCH_USER")" "$(id -g "$BENCH_USER")" "${as_user[@]}"
	fi
fi

# ---- the same for programs ----

if [ -n "$json_file" ]; then
	for name in "${!manager[@]}"; do
		printf '%s\t%s\n' "$name" "${manager[$name]}"
	done >"$work/managers"
	for name in "${names[@]}"; do
		printf '%s\t%s\n' "$name" "$(version "$name")"
	done >"$work/versions"
	jq -n --arg kernel "$(uname -r)" --argjson cpus "$(nproc)" --argjson runs "$runs" --arg cgroups "$cgroup_view" --arg device_list "$device_list" \
		--rawfile results "$results" --rawfile managers "$work/managers" --rawfile versions "$work/versions" '
		def rows: split("\n") | map(select(. != "") | split("\t"));
		def spread: map(tonumber) | {median: .[0], p10: .[1], p90: .[2]};
		{$kernel, $cpus, $runs, $cgroups, $device_list,
		 versions: ($versions | rows | map({(.[0]): .[1]}) | add),
		 cgroup_managers: ($managers | rows | map({(.[0]): .[1]}) | add),
		 results: ($results | rows | map({scenario: .[0], name: .[1]} +
			if .[2] == "failed" then {failed: .[3]}
			else {step: .[2], ms: (.[3:6] | spread)} +
				if length > 8 then {moss_ratio: (.[6:9] | spread)} else {} end
			end))}' >"$json_file"
fi
exit "$failures"
