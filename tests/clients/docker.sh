# docker.sh - scenarios of docker, as root; sourced by part.sh. Gives docker_scenarios.
# shellcheck shell=bash disable=SC2016,SC2154,SC2034,SC2329 # the container's own variables; lib.bash's
# shellcheck source=tests/clients/containerd.bash
. "$work/bin/containerd.bash"

dockerd_start() {
	dockerd --config-file "$work/daemon.json" </dev/null >>"$work/dockerd.log" 2>&1 &
	wait_until timeout 5 docker version
}
dockerd_stop() {
	kill "$(cat "$work/docker.pid")" && wait_until test ! -e "$work/docker.pid"
}

docker_setup() {
	local tini

	export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/docker-config
	mkdir -p "$DOCKER_CONFIG"
	tini=$(command -v docker-init || command -v tini-static || command -v tini)
	# The name "moss" is a runtime here; --bridge=none and --iptables=false: no network but none and host.
	cat >"$work/daemon.json" <<-END
		{"runtimes": {"tested": {"path": "$runtime"}}, "default-runtime": "tested",
		 "data-root": "$work/docker-data", "exec-root": "$work/docker-exec", "pidfile": "$work/docker.pid",
		 "hosts": ["$DOCKER_HOST"], "containerd": "$work/containerd/socket", "storage-driver": "vfs",
		 "bridge": "none", "iptables": false, "ip6tables": false, "oom-score-adjust": 0, "live-restore": true,
		 "init-path": "${tini:-/none}", "log-level": "error"}
	END
	docker=(timeout -k 5 "$limit" docker)
	terminal=(timeout --foreground -k 5 "$limit" docker)
	run=("${docker[@]}" run --rm --network none)
	image=localhost/base
	output=
	{ containerd_start && dockerd_start; } >"$work/said" 2>&1 || { output=$(tail -n 20 "$work/said" "$work/dockerd.log" "$work/containerd.log") && return 1; }
	output=$("${docker[@]}" load --quiet --input "$shared/image.tar" 2>&1)
}

detached() {
	local container=$1 options=()

	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	"${docker[@]}" run --detach --name "$container" --network none "${options[@]}" "$image" "$@"
}
status_is() { is "$2" "$("${docker[@]}" inspect --format '{{.State.Status}}' "$1")"; }
exit_is() { is "$2" "$("${docker[@]}" inspect --format '{{.State.ExitCode}}' "$1")"; }
remove() { "${docker[@]}" rm --force "$@" >/dev/null; }
caps='sed -n s/^CapEff:[[:space:]]*//p /proc/self/status'

run_streams() {
	is "in out" "$(echo in | "${run[@]}" -i "$image" sh -c 'cat; echo out; echo err >&2' 2>"$work/stderr" | xargs)" || return
	is err "$(cat "$work/stderr")"
}
run_terminal() { # with what is typed
	matches '^typed 7$' "$( (sleep 1.5; echo typed 7; sleep 0.5) |
		script -qec "$(printf '%q ' "${terminal[@]}" run --rm --network none -it "$image" sh -c 'stty -echo; read -r a; echo "$a"')" /dev/null | tr -d '\r')"
}
run_fds() { is "0 1 2 3" "$("${run[@]}" "$image" ls /proc/self/fd | xargs)"; }
volume_rw() { mkdir -p "$work/rw" && "${run[@]}" --volume "$work/rw:/mnt" "$image" sh -c 'echo written >/mnt/new' && is written "$(cat "$work/rw/new")"; }
volume_named() {
	"${run[@]}" --volume kept:/mnt "$image" sh -c 'echo kept >/mnt/file' || return
	is kept "$("${run[@]}" --volume kept:/mnt:ro "$image" cat /mnt/file)" && "${docker[@]}" volume rm kept
}
network_container() {
	detached net -- sleep 1000 >/dev/null || return
	is "$("${docker[@]}" exec net readlink /proc/self/ns/net)" "$("${docker[@]}" run --rm --network container:net "$image" readlink /proc/self/ns/net)" || return
	matches 'sleep 1000' "$("${run[@]}" --pid container:net "$image" ps)" && remove net
}
exec_streams() { is "in out" "$(echo in | "${docker[@]}" exec -i box sh -c 'cat; echo out' | xargs)"; }
exec_terminal() {
	local said status=0

	said=$(on_terminal "${terminal[@]}" exec -it box sh -c 'tty; exit 3') || status=$?
	is 3 "$status" && matches /dev/pts/ "$said"
}
exec_detached() { "${docker[@]}" exec --detach box sleep 999 && matches 'sleep 999' "$("${docker[@]}" exec box ps)"; }
pause_life() {
	"${docker[@]}" pause box >/dev/null && status_is box paused || return
	! "${docker[@]}" exec box true 2>/dev/null || { echo "exec in a paused container" && return 1; }
	"${docker[@]}" unpause box >/dev/null && status_is box running && "${docker[@]}" exec box true
}
stats() { matches '^box [0-9.]+%' "$("${docker[@]}" stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.PIDs}}' box)"; }
copy() {
	echo copied >"$work/copied"
	"${docker[@]}" cp "$work/copied" box:/etc/copied && is copied "$("${docker[@]}" exec box cat /etc/copied)" || return
	"${docker[@]}" cp box:/data/file "$work/back" && is image "$(cat "$work/back")"
}
restarted() { "${docker[@]}" restart --time 0 box >/dev/null && status_is box running && "${docker[@]}" exec box true; }
logs() {
	detached logs -- sh -c 'echo one; echo two >&2' >/dev/null && "${docker[@]}" wait logs >/dev/null || return
	is "one two" "$("${docker[@]}" logs logs 2>&1 | sort | xargs)" && remove logs
}
stop_handled() {
	detached stop -- sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null || return
	wait_until sh -c '"$@" | grep ready' sh "${docker[@]}" logs stop
	"${docker[@]}" stop stop >/dev/null && exit_is stop 5 && remove stop
}
stop_ignored() {
	detached ignore -- sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null && "${docker[@]}" stop --time 1 ignore >/dev/null && exit_is ignore 137 && remove ignore
}
kill_named() {
	detached signal -- sh -c 'trap "exit 4" HUP; echo ready; while :; do sleep 0.1; done' >/dev/null || return
	wait_until sh -c '"$@" | grep ready' sh "${docker[@]}" logs signal
	"${docker[@]}" kill --signal HUP signal >/dev/null && is 4 "$("${docker[@]}" wait signal)" && remove signal
}
kill_137() { detached killed -- sleep 1000 >/dev/null && "${docker[@]}" kill killed >/dev/null && is 137 "$("${docker[@]}" wait killed)" && remove killed; }
create_start() {
	"${docker[@]}" create --name made --network none "$image" sh -c 'echo started; exit 3' >/dev/null && status_is made created || return
	is started "$("${docker[@]}" start --attach made)"
	exit_is made 3 && is started "$("${docker[@]}" start --attach made)"
	remove made
}
attached() {
	detached attach -i -- sh -c 'read -r line; echo "got $line"; sleep 0.2' >/dev/null || return
	is "got it" "$( (sleep 0.5; echo it; sleep 0.5) | "${docker[@]}" attach attach)" && remove attach
}
committed() {
	"${docker[@]}" run --name base --network none "$image" sh -c 'echo new >/new' && "${docker[@]}" commit base localhost/new >/dev/null || return
	is new "$("${run[@]}" localhost/new cat /new)" && matches 'A /new' "$("${docker[@]}" diff base)" && remove base && "${docker[@]}" rmi localhost/new >/dev/null
}
built() { # by the builder that is part of dockerd
	mkdir -p "$work/context" && printf 'FROM localhost/base\nRUN echo made in the build && echo kept >/kept\n' >"$work/context/Dockerfile"
	matches 'made in the build' "$(DOCKER_BUILDKIT=0 "${docker[@]}" build --network none --tag localhost/built "$work/context" 2>&1)" || return
	is kept "$("${run[@]}" localhost/built cat /kept)"
}
restart_policy() {
	detached again --restart on-failure:2 -- sh -c 'echo x; exit 1' >/dev/null || return
	wait_until sh -c '[ "$("$@")" = "2 exited" ]' sh "${docker[@]}" inspect --format '{{.RestartCount}} {{.State.Status}}' again
	is "x x x" "$("${docker[@]}" logs again | xargs)" && remove again
}
restart_always() { # also after it was killed
	detached always --restart always -- sleep 1000 >/dev/null && "${docker[@]}" exec always kill -9 1
	kill -KILL "$("${docker[@]}" inspect --format '{{.State.Pid}}' always)"
	wait_until sh -c '[ "$("$@")" = "1 running" ]' sh "${docker[@]}" inspect --format '{{.RestartCount}} {{.State.Status}}' always && remove always
}
healthcheck() {
	detached health --health-cmd 'test -e /tmp/well' --health-interval 500ms -- sleep 1000 >/dev/null && "${docker[@]}" exec health touch /tmp/well || return
	wait_until sh -c '[ "$("$@")" = healthy ]' sh "${docker[@]}" inspect --format '{{.State.Health.Status}}' health && remove health
}
update_policy() {
	detached update -- sleep 1000 >/dev/null && "${docker[@]}" update --restart no update >/dev/null && status_is update running && remove update
}
daemon_restarts() { # live-restore: the container goes on
	local pid

	pid=$("${docker[@]}" inspect --format '{{.State.Pid}}' box)
	dockerd_stop && dockerd_start || return
	status_is box running && is "$pid" "$("${docker[@]}" inspect --format '{{.State.Pid}}' box)" && "${docker[@]}" exec box true
}
checkpoint_refused() {
	! "${docker[@]}" checkpoint create box one 2>/dev/null || return
	status_is box running && "${docker[@]}" exec box true
}
memory_limit() { is 67108864 "$("${run[@]}" --memory 64m "$image" cat /sys/fs/cgroup/memory.max)"; }
memory_update() {
	detached limited --memory 64m -- sleep 1000 >/dev/null && "${docker[@]}" update --memory 32m --memory-swap 64m limited >/dev/null || return
	is 33554432 "$("${docker[@]}" exec limited cat /sys/fs/cgroup/memory.max)" && remove limited
}
ten() {
	local i pids=() failed=0

	for i in 1 2 3 4 5 6 7 8 9 10; do
		(is "$i" "$("${run[@]}" "$image" echo "$i")" || exit 1) &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
	is 0 "$failed"
}
nothing_left() {
	is "" "$("${docker[@]}" ps --all --quiet)" || return
	wait_until sh -c '[ -z "$("$@" list --quiet 2>/dev/null)" ]' sh "$runtime" --root "$work/docker-exec/runtime-tested/moby" || return
	is "" "$(find /sys/fs/cgroup/docker -mindepth 1 -type d 2>/dev/null)"
}

docker_scenarios() {
	if ! docker_setup; then
		result "not ok" "dockerd starts"
		return
	fi
	check "info: the runtime is the default one" 0 '^tested$' "${docker[@]}" info --format '{{.DefaultRuntime}}'
	check "run: exit code 0" 0 '^$' "${run[@]}" "$image" true
	check "run: exit code 7" 7 '^$' "${run[@]}" "$image" sh -c 'exit 7'
	check "run: not found in PATH: 127" 127 'executable file not found' "${run[@]}" "$image" no-such-command
	check "run: missing path: 127" 127 '[Nn]o such file or directory' "${run[@]}" "$image" /no/such/command
	check "run: not executable: 126" 126 '[Pp]ermission denied' "${run[@]}" "$image" /etc/not-executable
	check "run: docker's own error: 125" 125 '' "${run[@]}" --no-such-option "$image" true
	scenario "run: stdin, stdout and stderr" run_streams
	scenario "run -it: typed on a terminal" run_terminal
	scenario "run: no fd is inherited" run_fds
	check "run --user" 0 '^1000 1000 1001$' "${run[@]}" --user ann "$image" sh -c 'echo "$(id -u) $(id -G)"'
	check "run --env, --workdir, --hostname" 0 '^a /etc moor$' "${run[@]}" --env A=a --workdir /etc --hostname moor "$image" sh -c 'echo "$A $(pwd) $(hostname)"'
	check "run --init" 0 '(tini|init)' "${run[@]}" --init "$image" sh -c 'tr "\0" " " </proc/1/cmdline'
	check "run --read-only" 0 '^refused$' "${run[@]}" --read-only "$image" sh -c 'touch /x 2>/dev/null || echo refused'
	check "run --tmpfs" 0 '^tmpfs /scratch .*size=64k' "${run[@]}" --tmpfs /scratch:size=64k "$image" cat /proc/mounts
	check "run --shm-size" 0 'size=64k' "${run[@]}" --shm-size 64k "$image" grep /dev/shm /proc/mounts
	scenario "run --volume" volume_rw
	check "run --volume ro" 0 '^volume$' "${run[@]}" --volume "$shared/volume:/mnt:ro" "$image" sh -c 'touch /mnt/x 2>/dev/null || cat /mnt/file'
	scenario "a named volume keeps its files" volume_named
	check "run --cap-drop, --cap-add" 0 '^0000000000001000$' "${run[@]}" --cap-drop all --cap-add net_admin "$image" sh -c "$caps"
	check "run --privileged" 0 '^[0-9a-f]+f[ef]ffffff$' "${run[@]}" --privileged "$image" sh -c "$caps"
	check "seccomp: docker's default profile" 0 '^2 denied$' "${run[@]}" --cap-drop all "$image" \
		sh -c 'unshare -m true 2>/dev/null || echo $(sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status) denied'
	check "seccomp: unconfined" 0 '^0$' "${run[@]}" --security-opt seccomp=unconfined "$image" sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status
	check "no-new-privileges" 0 '^1$' "${run[@]}" --security-opt no-new-privileges "$image" sed -n 's/^NoNewPrivs:[[:space:]]*//p' /proc/self/status
	check "run --sysctl" 0 '^0.0$' "${run[@]}" --sysctl net.ipv4.ping_group_range='0 0' "$image" cat /proc/sys/net/ipv4/ping_group_range
	check "run --device" 0 '^1:3$' "${run[@]}" --device /dev/null:/dev/other "$image" stat -c %t:%T /dev/other
	check "run --ulimit" 0 '^100$' "${run[@]}" --ulimit nofile=100:100 "$image" sh -c 'ulimit -n'
	check "network host" 0 "^$(readlink /proc/self/ns/net | sed 's/[][]/./g')\$" "${docker[@]}" run --rm --network host "$image" readlink /proc/self/ns/net
	check "pid host" 0 dockerd "${run[@]}" --pid host "$image" ps
	scenario "network and pid namespace of another container" network_container
	output=$(detached box -- sleep 1000 2>&1)
	scenario "run -d: runs" status_is box running
	check "exec: output and exit code" 7 '^in the container: 5$' "${docker[@]}" exec --user 5 --env A=in --workdir /etc box \
		sh -c 'echo "$A the container: $(id -u)"; exit 7'
	scenario "exec -i: stdin and stdout" exec_streams
	check "exec: not found: 126 or 127" 127 'executable file not found' sh -c '"$@"; [ $? -ge 126 ] && exit 127' sh "${docker[@]}" exec box no-such-command
	scenario "exec -it: on a terminal" exec_terminal
	scenario "exec -d" exec_detached
	check "exec --privileged" 0 '^[0-9a-f]+f[ef]ffffff$' "${docker[@]}" exec --privileged box sh -c "$caps"
	check "top" 0 'sleep 1000' "${docker[@]}" top box
	scenario "stats" stats
	scenario "pause, exec refused, unpause" pause_life
	scenario "cp into and out of a running container" copy
	scenario "checkpoint is refused, the container goes on" checkpoint_refused
	scenario "dockerd restarts, the container goes on" daemon_restarts
	scenario "restart" restarted
	check "rm: refused while it runs" 1 'running' "${docker[@]}" rm box
	check "rm --force" 0 '' "${docker[@]}" rm --force box
	scenario "logs: both streams" logs
	scenario "stop: the program's own exit code" stop_handled
	scenario "stop: killed after its time: 137" stop_ignored
	scenario "kill with a signal's name" kill_named
	scenario "kill, wait: 137" kill_137
	scenario "create, start --attach, twice" create_start
	scenario "attach" attached
	scenario "commit, diff" committed
	scenario "build: RUN" built
	scenario "restart policy: on-failure" restart_policy
	scenario "restart policy: always" restart_always
	scenario "healthcheck" healthcheck
	scenario "update --restart" update_policy
	if has_controller memory; then
		scenario "memory: a limit" memory_limit
		scenario "memory: update" memory_update
	else
		skip "memory: a limit" "no memory controller in version 2 here"
		skip "memory: update" "no memory controller in version 2 here"
	fi
	scenario "ten containers at once" ten
	scenario "nothing is left" nothing_left
	dockerd_stop
	containerd_stop
}
