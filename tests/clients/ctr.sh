# ctr.sh - scenarios of containerd's ctr, as root; sourced by part.sh. Gives ctr_scenarios.
# shellcheck shell=bash disable=SC2016,SC2154,SC2034,SC2329 # the container's own variables; lib.bash's
# shellcheck source=tests/clients/containerd.bash
. "$work/bin/containerd.bash"

ctr_setup() {
	ctr=(timeout -k 5 "$limit" ctr --address "$work/containerd/socket" --namespace clients)
	options=(--runc-binary "$runtime" --snapshotter native)
	run=("${ctr[@]}" run --rm "${options[@]}")
	has_controller cpu || run+=(--cpu-shares 0) # 1024 is what ctr asks for by itself
	has_controller cpu || options+=(--cpu-shares 0)
	image=localhost/base:latest
	containerd_start >"$work/said" 2>&1
	output=$(cat "$work/said")
	output+=$("${ctr[@]}" image import --snapshotter native "$shared/image.tar" 2>&1)
}

task_is() { "${ctr[@]}" tasks list | awk -v name="$1" '$1 == name { print $3 }' | grep -qx "$2"; }
# detached ID COMMAND...: a task in the background
detached() {
	local id=$1

	shift
	"${ctr[@]}" run --detach "${options[@]}" "$image" "$id" "$@"
}
remove() {
	local id

	for id in "$@"; do
		"${ctr[@]}" tasks delete --force "$id" >/dev/null 2>&1
		"${ctr[@]}" containers delete "$id"
	done
}
caps='sed -n s/^CapEff:[[:space:]]*//p /proc/self/status'

run_streams() {
	is "in out" "$(echo in | "${run[@]}" "$image" streams sh -c 'read -r a; echo "$a"; echo out; echo err >&2' 2>"$work/stderr" | xargs)" || return
	is err "$(cat "$work/stderr")"
}
run_terminal() {
	local said status=0

	said=$(script -qec "$(printf '%q ' timeout --foreground -k 5 "$limit" "${run[@]:4}" --tty "$image" tty sh -c 'tty; exit 7')" /dev/null </dev/null) || status=$?
	is 7 "$status" && matches /dev/pts/0 "$said"
}
run_nothing_stays() {
	"${run[@]}" "$image" once true && is "" "$("${ctr[@]}" containers list --quiet)" && is "" "$("${ctr[@]}" tasks list --quiet)"
}
run_pid_file() {
	"${ctr[@]}" run --detach --pid-file "$work/pid" "${options[@]}" "$image" pidfile sleep 1000 || return
	matches '^[0-9]+$' "$(cat "$work/pid")" && matches 'sleep 1000' "$(tr '\0' ' ' <"/proc/$(cat "$work/pid")/cmdline")" && remove pidfile
}
run_profile() {
	local status=0

	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}' >"$work/profile.json"
	output=$("${run[@]}" --seccomp --seccomp-profile "$work/profile.json" "$image" profile mkdir /x 2>&1) || status=$?
	is 1 "$status" && matches 'No space left|not permitted' "$output"
}
run_rootfs() {
	mkdir -p "$work/rootfs" && tar -C "$work/rootfs" -xf "$shared/rootfs.tar" || return
	is image "$("${run[@]}" --rootfs "$work/rootfs" rootfs /bin/cat /data/file)"
}
run_joined() {
	detached joined sleep 1000 || return
	local pid

	pid=$("${ctr[@]}" tasks list | awk '$1 == "joined" { print $2 }')
	is "$(readlink "/proc/$pid/ns/net")" "$("${run[@]}" --with-ns "network:/proc/$pid/ns/net" "$image" joiner readlink /proc/self/ns/net)" || return
	matches 'sleep 1000' "$("${run[@]}" --with-ns "pid:/proc/$pid/ns/pid" "$image" joiner2 ps)" && remove joined
}
exec_terminal() {
	local said status=0

	said=$(script -qec "$(printf '%q ' timeout --foreground -k 5 "$limit" "${ctr[@]:4}" tasks exec --tty --exec-id tty box sh -c 'tty; exit 7')" /dev/null </dev/null) || status=$?
	is 7 "$status" && matches /dev/pts/ "$said"
}
exec_detached() {
	"${ctr[@]}" tasks exec --detach --exec-id background box sleep 999 && wait_until sh -c '"$@" | grep "sleep 999"' sh "${ctr[@]}" tasks exec --exec-id look box ps
}
pause_life() {
	"${ctr[@]}" tasks pause box && task_is box PAUSED || return
	! "${ctr[@]}" tasks exec --exec-id frozen box true || { echo "exec in a paused container" && return 1; }
	"${ctr[@]}" tasks resume box && task_is box RUNNING && "${ctr[@]}" tasks exec --exec-id thawed box true
}
checkpoint_refused() {
	! "${ctr[@]}" tasks checkpoint --image-path "$work/checkpoint" box || return
	task_is box RUNNING && "${ctr[@]}" tasks exec --exec-id after box true
}
kill_handled() {
	detached handled sh -c 'trap "exit 5" HUP; while :; do sleep 0.1; done' || return
	sleep 0.5
	"${ctr[@]}" tasks kill --signal SIGHUP handled && wait_until task_is handled STOPPED || return
	matches 'exit code 5' "$("${ctr[@]}" tasks delete handled 2>&1)" && "${ctr[@]}" containers delete handled
}
kill_all() {
	detached all sh -c 'sleep 500 & sleep 500' && "${ctr[@]}" tasks kill --all --signal SIGKILL all && wait_until task_is all STOPPED && remove all
}
exec_killed() { # one process of the task alone
	"${ctr[@]}" tasks exec --detach --exec-id victim box sleep 888 || return
	"${ctr[@]}" tasks kill --exec-id victim --signal SIGKILL box && task_is box RUNNING || return
	wait_until sh -c '! "$@" | grep "sleep 888"' sh "${ctr[@]}" tasks exec --exec-id look2 box ps
}
delete_refused() { ! "${ctr[@]}" tasks delete box && task_is box RUNNING; }
task_again() { # a second task of one container
	detached again sh -c 'echo x >>/tmp/times; sleep 1000' && "${ctr[@]}" tasks kill --signal SIGKILL again && wait_until task_is again STOPPED || return
	"${ctr[@]}" tasks delete again
	"${ctr[@]}" tasks start --detach again && wait_until task_is again RUNNING || return
	wait_until sh -c 'test "$("$@" | xargs)" = "x x"' sh "${ctr[@]}" tasks exec --exec-id "look-again" again cat /tmp/times && remove again
}
containerd_restarts() {
	detached survivor sleep 1000 || return
	kill "$containerd_pid" || return
	wait_until sh -c '! kill -0 "$1"' sh "$containerd_pid"
	containerd_start || return
	task_is survivor RUNNING && is still "$("${ctr[@]}" tasks exec --exec-id still survivor echo still)" && remove survivor
}
shim_crash() { # killed, it leaves the container to containerd, who has it removed by the runtime
	local pid shim

	detached crash sleep 1000 || return
	pid=$("${ctr[@]}" tasks list | awk '$1 == "crash" { print $2 }')
	shim=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
	matches containerd-shim "$(tr '\0' ' ' <"/proc/$shim/cmdline")" && kill -KILL "$shim" || return
	wait_until sh -c '! kill -0 "$1"' sh "$pid" && wait_until sh -c '! "$@" | grep crash' sh "${ctr[@]}" tasks list || return
	wait_until sh -c '! "$@" list --quiet | grep crash' sh "$runtime" --root /run/containerd/runc/clients || return
	"${ctr[@]}" containers delete crash
}
fifty() {
	local i j pids names=() failed=0

	for i in 0 1 2 3 4; do # ten at a time
		pids=()
		for j in 0 1 2 3 4 5 6 7 8 9; do
			detached "many-$i$j" sh -c "echo $i$j >/tmp/name; sleep 1000" &
			pids+=("$!")
			names+=("many-$i$j")
		done
		for j in "${pids[@]}"; do wait "$j" || failed=$((failed + 1)); done
	done
	is 0 "$failed" && is 50 "$("${ctr[@]}" tasks list | grep -c '^many-.*RUNNING')" || return
	is 37 "$("${ctr[@]}" tasks exec --exec-id look many-37 cat /tmp/name)" && remove "${names[@]}"
}
nothing_left() {
	is "" "$("${ctr[@]}" containers list --quiet)" && is "" "$("${ctr[@]}" tasks list --quiet)" || return
	wait_until sh -c '[ -z "$("$@" list --quiet)" ]' sh "$runtime" --root /run/containerd/runc/clients || return
	is "" "$(find /sys/fs/cgroup -mindepth 2 -type d -path '*/clients/*')"
	is 0 "$(grep -c "$work/containerd/state/.*rootfs" /proc/self/mountinfo)"
}

ctr_scenarios() {
	if ! ctr_setup; then
		output+=$(tail -n 20 "$work/containerd.log")
		result "not ok" "containerd starts"
		return
	fi
	check "run: exit code 0" 0 '^$' "${run[@]}" "$image" zero true
	check "run: exit code 7" 7 '^$' "${run[@]}" "$image" seven sh -c 'exit 7'
	check "run: not found in PATH" 1 'exec: "no-such-command": executable file not found in \$PATH' "${run[@]}" "$image" nf no-such-command
	check "run: missing path" 1 '[Nn]o such file or directory' "${run[@]}" "$image" nopath /no/such/command
	check "run: not executable" 1 '[Pp]ermission denied' "${run[@]}" "$image" noexec /etc/not-executable
	scenario "run: stdin, stdout and stderr" run_streams
	scenario "run --tty: a terminal, its exit code" run_terminal
	scenario "run --rm: nothing stays" run_nothing_stays
	check "run --env, --cwd" 0 '^a /etc$' "${run[@]}" --env A=a --cwd /etc "$image" env sh -c 'echo "$A $(pwd)"'
	check "run --read-only" 0 '^refused$' "${run[@]}" --read-only "$image" ro sh -c 'touch /x 2>/dev/null || echo refused'
	check "run --mount" 0 '^volume$' "${run[@]}" --mount "type=bind,src=$shared/volume,dst=/mnt,options=rbind:ro" "$image" mount \
		sh -c 'touch /mnt/x 2>/dev/null || cat /mnt/file'
	check "run: the default capabilities" 0 '^00000000a80425fb$' "${run[@]}" "$image" caps sh -c "$caps"
	check "run --cap-add" 0 '^00000000a80435fb$' "${run[@]}" --cap-add CAP_NET_ADMIN "$image" capadd sh -c "$caps"
	check "run --cap-drop" 0 '^00000000a80425fa$' "${run[@]}" --cap-drop CAP_CHOWN "$image" capdrop sh -c "$caps"
	check "run --privileged" 0 '^000001ff[ef]' "${run[@]}" --privileged "$image" privileged sh -c "$caps"
	check "run --seccomp" 0 '^2$' "${run[@]}" --seccomp "$image" seccomp sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status
	scenario "run --seccomp-profile" run_profile
	check "run --net-host" 0 "^$(readlink /proc/self/ns/net | sed 's/[][]/./g')\$" "${run[@]}" --net-host "$image" nethost readlink /proc/self/ns/net
	check "run --device" 0 '^a:e5$' "${run[@]}" --device /dev/fuse "$image" device stat -c %t:%T /dev/fuse
	check "run --cgroup" 0 '^/some/where$' sh -c '"$@" >"$0" && sed -n "s/^0:://p" "$0"' "$work/said" "${run[@]}" --cgroup /some/where \
		--with-ns "cgroup:/proc/self/ns/cgroup" "$image" cgroup cat /proc/self/cgroup
	check "run --no-pivot" 0 '^image$' "${run[@]}" --no-pivot "$image" nopivot cat /data/file
	check "run --allow-new-privs" 0 '^0$' "${run[@]}" --allow-new-privs "$image" nnp sed -n 's/^NoNewPrivs:[[:space:]]*//p' /proc/self/status
	check "run: no new privileges by default" 0 '^1$' "${run[@]}" "$image" nnp1 sed -n 's/^NoNewPrivs:[[:space:]]*//p' /proc/self/status
	scenario "run --pid-file" run_pid_file
	scenario "run --rootfs" run_rootfs
	scenario "run --with-ns: network and pid of another task" run_joined
	output=$(detached box sh -c 'while :; do sleep 0.2; done' 2>&1)
	scenario "run -d: runs" task_is box RUNNING
	check "exec: output and exit code" 7 '^in the container$' "${ctr[@]}" tasks exec --exec-id one box sh -c 'echo in the container; exit 7'
	check "exec: not found" 1 'executable file not found' "${ctr[@]}" tasks exec --exec-id two box no-such-command
	check "exec --user, --cwd" 0 '^1000 /etc$' "${ctr[@]}" tasks exec --exec-id user --user 1000 --cwd /etc box sh -c 'echo "$(id -u) $(pwd)"'
	scenario "exec --tty: a terminal, its exit code" exec_terminal
	scenario "exec --detach" exec_detached
	scenario "exec killed by itself" exec_killed
	check "tasks ps" 0 '^[1-9][0-9]*' "${ctr[@]}" tasks ps box
	check "tasks metrics" 0 'ID +TIMESTAMP' "${ctr[@]}" tasks metrics box
	scenario "pause, exec refused, resume" pause_life
	scenario "checkpoint is refused, the task goes on" checkpoint_refused
	scenario "delete is refused while it runs" delete_refused
	check "kill: SIGKILL" 0 '' "${ctr[@]}" tasks kill --signal SIGKILL box
	scenario "killed: stopped" wait_until task_is box STOPPED
	check "killed: deleted, 137" 0 'exit code 137' "${ctr[@]}" tasks delete box
	check "container deleted" 0 '' "${ctr[@]}" containers delete box
	scenario "kill with a signal that is handled" kill_handled
	scenario "kill --all" kill_all
	scenario "a second task of one container" task_again
	scenario "containerd restarts, the task goes on" containerd_restarts
	scenario "the shim is killed: nothing of the container stays" shim_crash
	scenario "fifty tasks, ten started at once" fifty
	scenario "nothing is left" nothing_left
}
