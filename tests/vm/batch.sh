#!/bin/bash
# batch.sh - in the guest, as root: run the tests of each part; results in /host/out/PART-N.tap.
#
# A part is somebody's way to start moss:
#   root     root, in a system service
#   session  ann in a login session of her own: a bus, but a cgroup that is not hers
#   scope    ann in a scope that her user manager delegates to her: a cgroup of her own
#   lost     ann by "su" inside root's session: no XDG_RUNTIME_DIR, no bus, root's cgroup
#   pcroot, pcuser  as root and as session, in the emulated PC
#   pcselinux       as root, in the one with SELinux
# /host/settings has the arrays parts and files, filter, a regular expression, and seed, for samples; all but the first may be empty.
# shellcheck disable=SC2154 # parts, files, filter and seed; those of selection()
set -u
# shellcheck disable=SC1091
. /host/settings
here=/opt/moss-vm # ann reads it, and can't read /host
tests=$here/tests
user=ann
export E2E_TOKEN=vmtest BATS_TEST_TIMEOUT=120 MOSS=$here/bin/moss

# The tests of tests/e2e that are worth their time here (a test takes seconds): files, and names in them.
selection() {
	local first='^walk-through|^run: |^successful|^a fail|^start of' entered='^exec: (the process is in|stdin|in a container that is created)'
	case $1 in
	root)
		e2e_files=(walkthroughs.bats exit_status.bats cgroup.bats state.bats devices.bats security.bats exec.bats)
		e2e_filter="$first|$entered|^exec: .*(cgroup|paused)|^exec --(cgroup|tty: a)|^cgroup: |^devices: .*(rules deny|real devices)|^delete: --force ends|^default state dir|^CVE-2019-5736"
		;;
	session)
		e2e_files=(walkthroughs.bats exit_status.bats cgroup.bats exec.bats network.bats)
		e2e_filter="$first|$entered|^exec --tty: a|^cgroup: (without|a limit)|^network: (slirp: (an address, |by annot|TCP|1000|much|the (container|helper))|publish: (TCP|what)|sandbox)"
		;;
	scope)
		e2e_files=(walkthroughs.bats cgroup.bats state.bats exec.bats)
		e2e_filter="^walk-through|$entered|^exec: fifty|^cgroup: without|^delete: --force ends|^default state directory: XDG|processes were killed"
		;;
	lost)
		e2e_files=(walkthroughs.bats state.bats exec.bats)
		e2e_filter="^walk-through [35]|$entered|^default state directory: XDG"
		;;
	esac
	# What takes rights that the host's root may lack.
	[ "$1" != root ] || { e2e_files+=(process.bats) && e2e_filter+='|^process: (a hard limit above|an oom_score_adj below)'; }
}

# as PART: run $bats_command, a line for a shell, the way of this part.
as() {
	local scope='systemd-run --user --scope --quiet -p Delegate=yes bash -c'
	case $1 in
	root | pcroot | pcselinux) env HOME=/root USER=root LOGNAME=root bash -c "$bats_command" ;;
	session | pcuser) su --login "$user" -c "$bats_command" ;;
	scope) su --login "$user" -c "$scope $(printf %q "$bats_command")" ;;
	lost) su --login root -c "su --login $user -c $(printf %q "$bats_command")" ;;
	esac
}

# bats_run PART FILTER FILE...: one bats, one file of results.
number=0
bats_run() {
	local part=$1 only=$2 words
	shift 2
	[ $# -gt 0 ] || return 0
	number=$((number + 1))
	printf -v words '%q ' "TMPDIR=$here/$part" "VM_PART=$part" "VM_USER=$user" "E2E_TOKEN=$E2E_TOKEN" \
		"BATS_TEST_TIMEOUT=$BATS_TEST_TIMEOUT" "MOSS=$MOSS" "MOSS_COMMIT=$seed" bats --formatter tap ${only:+--filter "$only"} "$@"
	bats_command="cd $here/$part && exec env $words"
	as "$part" </dev/null >"/host/out/$part-$number.tap" 2>&1
}

# files_for PART FILE...: those whose line "# parts:" has the part; those without such a line are for all.
files_for() {
	local part=$1 file
	shift
	for file in "$@"; do
		grep -q '^# parts:' "$file" && ! grep -qwE "^# parts:.* $part" "$file" || echo "$file"
	done
}

run_part() {
	local part=$1 who=$user start=$SECONDS own e2e_files=() e2e_filter left
	if [ "${#files[@]}" -gt 0 ]; then
		mapfile -t own < <(files_for "$part" "${files[@]/#/$tests/}")
	else
		mapfile -t own < <(grep -lwE "^# parts:.* $part" "$tests"/*.bats)
		selection "$part"
	fi
	[ "$((${#own[@]} + ${#e2e_files[@]}))" -gt 0 ] || return 0
	[[ $part != *root && $part != pcselinux ]] || who=root
	mkdir "$here/$part"
	chown "$who:" "$here/$part"
	bash "$tests/leaks.sh" before "$here" "$E2E_TOKEN" "$who"
	bats_run "$part" "$filter" "${own[@]}"
	# bats takes one regular expression: with one of the caller's own, it decides.
	bats_run "$part" "${filter:-${e2e_filter-}}" "${e2e_files[@]/#/$tests/}"
	if left=$(bash "$tests/leaks.sh" after "$here" "$E2E_TOKEN" "$who"); then
		echo "ok 1 nothing is left behind: processes, mounts, cgroups, files"
	else
		echo "not ok 1 nothing is left behind: processes, mounts, cgroups, files"
		printf '%s\n' "$left" | sed 's/^/# /'
	fi >"/host/out/$part-left.tap"
	echo "1..1" >>"/host/out/$part-left.tap"
	echo "$part: $((SECONDS - start)) s"
}

mkdir -p "$here"
cp -r /host/in/. "$here/"
chmod -R u=rwX,go=rX "$here"
chmod 0755 "$MOSS"
# As make install leaves it.
ln -s "$MOSS" /usr/local/bin/moss
mkdir -p /usr/local/lib/systemd
cp -r "$here/units/." /usr/local/lib/systemd/
systemctl daemon-reload
echo "up since $(cut -d' ' -f1 /proc/uptime) s: $(systemctl is-system-running --wait), Linux $(uname -r)"
"$MOSS" --version || exit
case ${parts[0]} in
pcselinux)
	checkpolicy -U allow -o "$here/policy" "$tests/selinux.conf" && cat "$here/policy" >/sys/fs/selinux/load &&
		echo 1 >/sys/fs/selinux/enforce || exit
	;;
pc*) apparmor_parser --replace "$tests/profiles.apparmor" || exit ;;
esac
for part in "${parts[@]}"; do run_part "$part"; done
