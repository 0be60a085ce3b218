#!/bin/bash
# guest.sh [--systemd] MOSS TIMEIT - `run` as the lingering user of the guest of tests/vm: moss beside crun, in one boot.
#
# Needs: what tests/vm/run.sh needs; MOSS, static; TIMEIT, timeit.c built statically.
#        RUNS: measured runs of each (20; the guest takes 5 to 15 times as long as the host).
#        MOSS_VM_TIMEOUT as for tests/vm/run.sh.
# Gives: milliseconds (median, 10th and 90th percentile), and the ratio moss / crun within rounds, for one id and for
#        subordinate ids, in two places: in a login session, whose cgroup is not the user's, and in a scope that is
#        delegated to her. With --systemd both have it as the manager of their cgroups.
#        Nothing here passes or fails: exit status 0, or 1 when something could not be run.
#
# Each gets the config.json of its own `spec --rootless`, with /bin/true; the namespaces, mounts and mappings are moss's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1-}" = --inside ]; then # guest.sh --inside MANAGER RUNS TIMEIT, in the guest, as the user: a table
	manager=$2 runs=$3 timeit=/opt/moss-vm/with/$4 top=$(mktemp -d)
	cd "$top"
	mkdir -p rootfs/bin rootfs/proc rootfs/dev rootfs/sys
	cp /bin/busybox rootfs/bin/
	ln -s busybox rootfs/bin/true
	chmod 755 . rootfs rootfs/bin
	option=()
	[ "$manager" != systemd ] || option=(--systemd-cgroup)
	for ids in one-id subids; do
		mkdir -p "$ids/model"
		if [ "$ids" = one-id ]; then (cd "$ids/model" && moss spec --rootless); else (cd "$ids/model" && moss spec --rootless --subids); fi
		for name in moss crun; do
			mkdir -p "$ids/$name"
			(cd "$ids/$name" && "$name" spec --rootless)
			jq --slurpfile model "$ids/model/config.json" --arg rootfs "$top/rootfs" '
				.process = ($model[0].process | .terminal = false | .args = ["/bin/true"]) | .mounts = $model[0].mounts
				| .root = {path: $rootfs, readonly: true} | .linux = ($model[0].linux | del(.resources, .seccomp))' \
				"$ids/$name/config.json" >"$ids/$name/new"
			mv "$ids/$name/new" "$ids/$name/config.json"
			words=("$name" "$name" "${option[@]}" --root "$top/state-$name" run --bundle "$top/$ids/$name" "bench-$name")
			(IFS=$'\t' && echo "${words[*]}")
		done >"commands-$ids"
		"$timeit" -n "$runs" -w 2 "commands-$ids" | sed "s/^/$ids	/"
	done
	rm -rf "$top"
	exit
fi

manager=none
[ "${1-}" != --systemd ] || { manager=systemd && shift; }
[ $# -eq 2 ] || { sed -n '2s/^# //p' "$here/guest.sh" >&2 && exit 1; }
inside="bash /opt/moss-vm/with/guest.sh --inside $manager ${RUNS:-20} ${2##*/}"
# shellcheck disable=SC2016 # expanded in the guest
line='as_ann() { su --login ann -c "$1" </dev/null; }
	as_ann "'$inside'" | sed "s/^/session	/"
	as_ann "systemd-run --user --scope --quiet -p Delegate=yes '$inside'" | sed "s/^/scope	/"'
MOSS=$1 bash "$here/../vm/run.sh" --with "$2" --with "$here/guest.sh" --exec "crun --version | head -n 1; $line" | awk -F '\t' -v manager="$manager" '
	NF < 4 { print; next }
	!said++ { print "manager of the cgroups: " manager; printf "%-8s %-7s %-6s %8s %8s %8s   %s\n", "place", "ids", "", "median", "p10", "p90", "moss / crun (p10 to p90)" }
	$4 == "failed" { print; bad = 1; next }
	{ printf "%-8s %-7s %-6s %8.1f %8.1f %8.1f   %s\n", $1, $2, $3, $5, $6, $7, $3 == "moss" ? "" : sprintf("%.2f (%.2f to %.2f)", $8, $9, $10) }
	END { exit bad || !said }'
