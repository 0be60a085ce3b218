# bench.bash - how long an engine's `run --rm` takes with each runtime; for `make bench-clients`, evaluated in part.sh.
#
# RUNS rounds (20); in each every runtime once, in random order. Prints the median of each, in milliseconds, and of the
# ratio moss / it within a round: below 1, moss is faster. Nothing here passes or fails.
# shellcheck shell=bash disable=SC2154 # lib.bash's, and the engine's

# bench_command RUNTIME: into the array command
bench_command() {
	case $engine in
	podman) command=(podman --runtime "$1" run --rm --network none "$image" true) ;;
	ctr)
		command=(ctr --address "$work/containerd/socket" --namespace clients run --rm --runc-binary "$1" --snapshotter native)
		has_controller cpu || command+=(--cpu-shares 0)
		command+=("$image" bench true) ;;
	esac
}

bench() {
	local peer path round command=() times=() begin usable=() took

	for peer in "$runtime" crun runc; do
		path=$(command -v "$peer") || continue
		bench_command "$path"
		if "${command[@]}" </dev/null >"$work/said" 2>&1; then usable+=("$path"); else echo "$peer can't: $(tail -n 1 "$work/said")"; fi
		[ "$engine" != ctr ] || ctr --address "$work/containerd/socket" --namespace clients containers delete bench 2>/dev/null
	done
	for ((round = 0; round < ${BENCH_RUNS:-20}; round++)); do
		for path in $(printf '%s\n' "${usable[@]}" | shuf); do
			bench_command "$path"
			begin=${EPOCHREALTIME/./}
			"${command[@]}" </dev/null >/dev/null 2>&1
			took=$((${EPOCHREALTIME/./} - begin))
			times+=("$round ${path##*/} $took")
		done
	done
	printf '%s\n' "${times[@]}" | awk -v first="${runtime##*/}" -v what="$engine, $kind" '
		function median(list, count,    i, j, t) {
			for (i = 2; i <= count; i++) for (j = i; j > 1 && list[j - 1] > list[j]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
			return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
		}
		{ took[$2, $1] = $3 / 1000; if (!($2 in seen)) { seen[$2] = 1; names[++total] = $2 } if ($1 + 1 > rounds) rounds = $1 + 1 }
		END {
			for (i = 1; i <= total; i++) {
				name = names[i]
				for (r = 0; r < rounds; r++) { one[r + 1] = took[name, r]; ratio[r + 1] = took[first, r] / took[name, r] }
				m = median(one, rounds)
				printf "%-18s %-5s %7.1f ms   moss / it %.2f\n", what, name, m, median(ratio, rounds)
			}
		}'
}
