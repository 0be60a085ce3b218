# setup_suite.bash - made once for all files: the root file system that every test links.

setup_suite() {
	: "${MOSS:?MOSS must be the absolute path of the runtime under test}"
	case $MOSS in /*) ;; *) echo "MOSS=$MOSS is not an absolute path" >&2 && return 1 ;; esac
	export E2E_ROOTFS="$BATS_SUITE_TMPDIR/rootfs"
	local busybox
	busybox=$(command -v busybox) || { echo "busybox-static is not installed" >&2 && return 1; }
	mkdir -p "$E2E_ROOTFS"/{bin,etc,proc,dev,sys,tmp,root,home/ann,var}
	chmod 0755 "$E2E_ROOTFS" "$E2E_ROOTFS"/*
	chmod 1777 "$E2E_ROOTFS/tmp"
	cp "$busybox" "$E2E_ROOTFS/bin/busybox"
	chmod 0755 "$E2E_ROOTFS/bin/busybox"
	"$E2E_ROOTFS/bin/busybox" --install "$E2E_ROOTFS/bin" # hard links
	printf 'root:x:0:0:root:/root:/bin/sh\nann:x:5:5::/home/ann:/bin/sh\n' >"$E2E_ROOTFS/etc/passwd"
	printf 'root:x:0:\nann:x:5:\n' >"$E2E_ROOTFS/etc/group"
	printf '127.0.0.1 localhost\n' >"$E2E_ROOTFS/etc/hosts"
}
