#!/usr/bin/env bats
# podman.bats - podman with moss where there are controllers and a systemd: limits, by hand and by podman's two managers.
# parts: root pcuser
load vm.bash

setup_file() {
	export ENGINE="$BATS_FILE_TMPDIR/engine"
	mkdir -p "$ENGINE/networks" "$ENGINE/rootfs/bin"
	export CONTAINERS_CONF="$ENGINE/containers.conf" CONTAINERS_STORAGE_CONF="$ENGINE/storage.conf"
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		lock_type = "file"
		events_logger = "file"
		runtime = "moss"
		runtime_supports_json = ["moss"]
		[engine.runtimes]
		moss = ["$MOSS"]
		[network]
		network_config_dir = "$ENGINE/networks"
	END
	printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/storage"\nrunroot = "%s/runroot"\n' "$ENGINE" "$ENGINE" >"$CONTAINERS_STORAGE_CONF"
	cp "$(command -v busybox)" "$ENGINE/rootfs/bin/busybox"
	for applet in sh sleep cat echo dd; do ln -s busybox "$ENGINE/rootfs/bin/$applet"; done
	tar -C "$ENGINE/rootfs" -cf "$ENGINE/rootfs.tar" .
	XDG_RUNTIME_DIR=$(runtime_dir) podman import "$ENGINE/rootfs.tar" localhost/base >/dev/null
}
teardown() { engine systemd rm --force --all --time 0 >/dev/null 2>&1 || true; }
teardown_file() {
	XDG_RUNTIME_DIR=$(runtime_dir) podman rm --force --all --time 0 >/dev/null 2>&1 || true
	[ "$(id -u)" -eq 0 ] || XDG_RUNTIME_DIR=$(runtime_dir) podman unshare rm -rf "$ENGINE/storage" 2>/dev/null || true
}

runtime_dir() { [ "$(id -u)" -eq 0 ] || echo "/run/user/$(id -u)"; }
# engine MANAGER ARGS...
engine() { XDG_RUNTIME_DIR=$(runtime_dir) timeout -k 5 100 podman --cgroup-manager "$1" "${@:2}" 3>&- 4>&-; }
managers() { echo systemd; ! is_root || echo cgroupfs; } # a user has no cgroup of his own but systemd's

# file CONTAINER NAME: of the container's cgroup.
file() { cat "/sys/fs/cgroup$(cgroup_of "$(engine systemd inspect --format '{{.State.Pid}}' "$1")")/$2"; }

@test "podman: --memory, --pids-limit and --cpus are in the files of the container's cgroup, and update changes them" {
	local manager
	for manager in $(managers); do
		engine "$manager" run --detach --name box --network none --memory 64m --pids-limit 42 --cpus 0.5 localhost/base sleep 1000
		group=$(cgroup_of "$(engine "$manager" inspect --format '{{.State.Pid}}' box)")
		echo "$manager: $group"
		[[ "$group" == *libpod-*box* || "$group" == *libpod-* ]]
		[ "$manager" = cgroupfs ] || [[ "$group" == *.scope* ]]
		[ "$(file box memory.max)" = 67108864 ]
		[ "$(file box pids.max)" = 42 ]
		[ "$(file box cpu.max)" = "50000 100000" ]
		used=$(engine "$manager" stats --no-stream --format '{{.MemUsage}}' box)
		echo "$used"
		[[ "$used" == *67.11MB* ]] # podman 4.3 does not see an update there, whatever the runtime
		engine "$manager" update --memory 32m --cpus 0.25 box
		[ "$(file box memory.max)" = 33554432 ]
		[ "$(file box cpu.max)" = "25000 100000" ]
		engine "$manager" rm --force --time 0 box
		[ ! -e "/sys/fs/cgroup$group" ]
	done
}

@test "podman: what takes more memory than --memory is killed: 137" {
	local manager
	for manager in $(managers); do
		status=0
		# shellcheck disable=SC2016 # the container's own variable
		engine "$manager" run --name greedy --network none --memory 16m --memory-swap 16m localhost/base \
			sh -c 'a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done' || status=$?
		[ "$status" -eq 137 ]
		engine "$manager" rm --force greedy
	done
}

@test "podman: pause, exec, top and stop with systemd's cgroup" {
	engine systemd run --detach --name box --network none localhost/base sleep 1000
	engine systemd pause box
	[ "$(file box cgroup.freeze)" = 1 ]
	engine systemd unpause box
	[ "$(engine systemd exec box echo inside)" = inside ]
	[[ "$(engine systemd top box args)" == *"sleep 1000"* ]]
	engine systemd stop --time 0 box
	engine systemd rm box
}
