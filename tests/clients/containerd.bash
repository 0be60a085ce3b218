# containerd.bash - a containerd of one's own, started by hand; for ctr.sh and docker.sh, sourced by them.
# shellcheck shell=bash disable=SC2154 # lib.bash's

# containerd_start: everything below $work/containerd, its socket there, too; its pid in $containerd_pid.
containerd_start() {
	mkdir -p "$work/containerd"
	cat >"$work/containerd.toml" <<-END
		version = 2
		root = "$work/containerd/root"
		state = "$work/containerd/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt",
			"io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
			"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
		[grpc]
		  address = "$work/containerd/socket"
		[ttrpc]
		  address = "$work/containerd/socket.ttrpc"
	END
	containerd --config "$work/containerd.toml" --log-level error </dev/null >>"$work/containerd.log" 2>&1 &
	containerd_pid=$!
	wait_until timeout 5 ctr --address "$work/containerd/socket" version
}

containerd_stop() {
	kill "$containerd_pid"
	wait "$containerd_pid"
	return 0
}
