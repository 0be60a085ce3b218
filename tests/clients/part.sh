#!/usr/bin/env bash
# part.sh - the inner side of run.sh: one engine, in namespaces made for it alone.
#
# usage: part.sh outer|middle|inner|engine ENGINE KIND, called by run.sh and by itself, never by hand
#
# outer   new mount namespace: a cgroup of its own, which it enters
# middle  new cgroup namespace: that one is the top; it leaves it for one below
# inner   new pid and network namespaces: fresh /run, /tmp, /var/lib, /dev/shm; the image
# engine  perhaps as a normal user: the scenarios of ENGINE.sh
set -u
step=$1 engine=$2 kind=$3
here=$(dirname "$(realpath "$0")")
work=/run/clients
shared=$work/shared

# A stray call must not let us loose on the host's mounts.
[ "${CLIENTS_OUTSIDE:?}" != "$(readlink /proc/self/ns/mnt)" ] || exit 1

cgroup_view() {
	while umount -R -l /sys/fs/cgroup 2>/dev/null; do :; done
	mount -t cgroup2 none /sys/fs/cgroup
}

# image_make RUNTIME: one root file system as two kinds of image, in $shared.
image_make() {
	local tree=$work/image applet sum architecture

	mkdir -p "$shared/volume" "$tree/rootfs"/{bin,etc,tmp,run,root,home/ann,data,var/tmp} "$tree/archive"
	cp "$(command -v busybox)" "$tree/rootfs/bin/busybox"
	chmod 0755 "$tree/rootfs/bin/busybox"
	for applet in $("$tree/rootfs/bin/busybox" --list); do ln -s busybox "$tree/rootfs/bin/$applet" 2>/dev/null; done
	chmod 1777 "$tree/rootfs/tmp" "$tree/rootfs/var/tmp"
	echo "just text" >"$tree/rootfs/etc/not-executable"
	printf 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n' >"$tree/rootfs/etc/passwd"
	printf 'root:x:0:\nann:x:1000:\nmore:x:1001:ann\n' >"$tree/rootfs/etc/group"
	printf '#!/bin/sh\nexec sleep 100000\n' >"$tree/rootfs/pause" # of podman's pods
	chmod 0755 "$tree/rootfs/pause"
	echo image >"$tree/rootfs/data/file"
	echo volume >"$shared/volume/file"
	tar -C "$tree/rootfs" --owner=0 --group=0 --numeric-owner -cf "$shared/rootfs.tar" .
	case $(uname -m) in
	x86_64) architecture=amd64 ;;
	aarch64) architecture=arm64 ;;
	*) architecture=$(uname -m) ;;
	esac
	cp "$shared/rootfs.tar" "$tree/archive/layer.tar"
	sum=$(sha256sum "$tree/archive/layer.tar" | cut -d ' ' -f 1)
	# docker's archive format: one layer and two files about it
	cat >"$tree/archive/config.json" <<-END
		{"architecture": "$architecture", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
		 "rootfs": {"type": "layers", "diff_ids": ["sha256:$sum"]}}
	END
	cat >"$tree/archive/manifest.json" <<-END
		[{"Config": "config.json", "RepoTags": ["localhost/base:latest"], "Layers": ["layer.tar"]}]
	END
	tar -C "$tree/archive" -cf "$shared/image.tar" manifest.json config.json layer.tar
	rm -rf "$tree"
}

# dev_make: a /dev as udev makes it, whatever the machine's is like.
dev_make() {
	local name minor tun=

	[ ! -c /dev/net/tun ] || tun=yes
	mount -t tmpfs -o mode=755 clients /dev
	mkdir /dev/pts /dev/shm /dev/mqueue /dev/net
	for name in null:3 zero:5 full:7 random:8 urandom:9; do
		minor=${name#*:}
		mknod -m 666 "/dev/${name%:*}" c 1 "$minor" || return
	done
	mknod -m 666 /dev/tty c 5 0
	mknod -m 666 /dev/fuse c 10 229
	[ -z "$tun" ] || mknod -m 666 /dev/net/tun c 10 200
	ln -s pts/ptmx /dev/ptmx
	ln -s /proc/self/fd /dev/fd
	mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts /dev/pts || return
	mount -t tmpfs -o mode=1777 clients /dev/shm
	mount -t mqueue mqueue /dev/mqueue
}

case $step in
outer)
	cgroup_view || exit 1
	mkdir -p "/sys/fs/cgroup/$CLIENTS_CGROUP/init" || exit 1
	echo $$ >"/sys/fs/cgroup/$CLIENTS_CGROUP/cgroup.procs" || exit 1
	exec unshare --mount --cgroup --propagation private bash "$here/part.sh" middle "$engine" "$kind"
	;;
middle)
	cgroup_view || exit 1
	echo $$ >/sys/fs/cgroup/init/cgroup.procs || exit 1 # the top one must be without processes to have limits below
	exec unshare --mount --pid --fork --kill-child --mount-proc --net --ipc --propagation private \
		bash "$here/part.sh" inner "$engine" "$kind"
	;;
inner)
	ip link set lo up 2>/dev/null
	# Everything the engines keep is here, whatever they are told, and is gone with the namespace.
	mkdir "$CLIENTS_WORK/fresh"
	mount -t tmpfs -o mode=755 clients "$CLIENTS_WORK/fresh" || exit 1
	mkdir -p "$CLIENTS_WORK/fresh/clients"/{bin,tmp,home}
	cp "$here"/* "$CLIENTS_WORK/fresh/clients/bin/"
	cp "$CLIENTS_RUNTIME" "$CLIENTS_WORK/fresh/clients/bin/${CLIENTS_RUNTIME##*/}"
	for helper in ${CLIENTS_HELPERS-}; do cp "$helper" "$CLIENTS_WORK/fresh/clients/bin/"; done
	chmod -R a+rX "$CLIENTS_WORK/fresh/clients"
	mount --move "$CLIENTS_WORK/fresh" /run 2>/dev/null # it may lack /run/mount for its own notes
	[ -d "$work/bin" ] || exit 1
	mount -t tmpfs -o mode=755 clients /var/lib
	mount -t tmpfs -o mode=1777 clients /tmp
	dev_make || exit 1
	image_make || exit 1
	for file in subuid subgid; do # podman --userns auto takes its ranges from the user "containers"
		cp "/etc/$file" "$work/$file" 2>/dev/null
		grep -q ^containers: "$work/$file" || echo containers:2000000000:65536 >>"$work/$file"
		mount --bind "$work/$file" "/etc/$file"
	done
	export TMPDIR=$work/tmp HOME=$work/home XDG_RUNTIME_DIR=
	unset DBUS_SESSION_BUS_ADDRESS XDG_CONFIG_HOME XDG_DATA_HOME CONTAINER_HOST DOCKER_HOST NOTIFY_SOCKET
	cd "$work" || exit 1
	if [ "$kind" = root ]; then
		bash "$work/bin/part.sh" engine "$engine" "$kind"
	else
		uid=$(id -u "$CLIENTS_USER")
		mkdir -p "/run/user/$uid"
		chmod 0700 "/run/user/$uid"
		# What systemd gives to a user: a part of the cgroups to divide.
		chown "$uid" /sys/fs/cgroup{,/init} /sys/fs/cgroup{,/init}/cgroup.{procs,threads,subtree_control}
		chown -R "$CLIENTS_USER:" "$work" "/run/user/$uid"
		chown root: "$work"/sub?id
		setpriv "--reuid=$uid" "--regid=$(id -g "$CLIENTS_USER")" --init-groups env -i "PATH=$PATH" "HOME=$HOME" \
			"USER=$CLIENTS_USER" "LOGNAME=$CLIENTS_USER" "TMPDIR=$TMPDIR" LC_ALL=C "XDG_RUNTIME_DIR=/run/user/$uid" \
			"CLIENTS_RUNTIME=$CLIENTS_RUNTIME" "CLIENTS_OUTSIDE=$CLIENTS_OUTSIDE" "CLIENTS_FILTER=${CLIENTS_FILTER-}" \
			"CLIENTS_EXEC=${CLIENTS_EXEC-}" "BENCH_RUNS=${BENCH_RUNS-}" \
			bash "$work/bin/part.sh" engine "$engine" "$kind"
	fi
	exit 0
	;;
engine)
	runtime=$work/bin/${CLIENTS_RUNTIME##*/}
	name=${runtime##*/}
	[ "$kind" = root ] || mkdir -p "$HOME"
	# shellcheck source=tests/clients/lib.bash
	. "$work/bin/lib.bash"
	# shellcheck source=/dev/null # one of five
	. "$work/bin/$engine.sh"
	if [ -n "${CLIENTS_EXEC-}" ]; then # to look at something by hand
		"${engine}_setup"
		eval "$CLIENTS_EXEC"
	else
		"${engine}_scenarios"
	fi
	echo "# $engine $kind took $SECONDS s"
	exit 0
	;;
esac
