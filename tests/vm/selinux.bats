#!/usr/bin/env bats
# selinux.bats - SELinux labels at work, under the policy of selinux.conf, which batch.sh has loaded.
# parts: pcselinux
load vm.bash
base=base_u:base_r:base_t inside=base_u:base_r:inside_t
setup() {
	e2e_setup
	echo secret >rootfs/secret
	echo open >rootfs/open
	label rootfs/secret base_u:object_r:secret_t
}
teardown() { e2e_teardown; }

label() { "$PYTHON" -c 'import os, sys; os.setxattr(sys.argv[1], "security.selinux", sys.argv[2].encode() + b"\0")' "$@"; }
label_of_file() { "$PYTHON" -c 'import os, sys; print(os.getxattr(sys.argv[1], "security.selinux").decode().rstrip("\0"))' "$1"; }

# may: what the process may read, and what it is told to be.
may='cat /open /secret; tr -d "\0" </proc/self/attr/current'

running() {
	program sleep 100
	apart run -d "$ID" || { cat out && return 1; }
}

exec_() {
	run --separate-stderr moss exec "$@"
	show
}

@test "selinux: the policy is in force" {
	[ "$(cat /sys/fs/selinux/enforce)" = 1 ]
	[ "$(tr -d '\0' </proc/self/attr/current)" = "$base" ]
}

# Seen failing without: the label.
@test "selinux: a container can do what its label may, and can't what it may not" {
	container "$may"
	[ "$output" = open$'\n'secret$'\n'"$base" ]
	config '.process.selinuxLabel = $l' --arg l "$inside"
	container "$may"
	[ "$output" = open$'\n'"$inside" ]
	[[ "$stderr" == *"/secret': Permission denied"* ]]
}

@test "selinux: exec has the container's label, and another one with --process-label" {
	config '.process.selinuxLabel = $l' --arg l "$inside"
	running
	exec_ "$ID" sh -c "$may"
	[ "$output" = open$'\n'"$inside" ]
	exec_ --process-label "$base" "$ID" sh -c "$may"
	[ "$output" = open$'\n'secret$'\n'"$base" ]
	exec_ --process-label base_u:base_r:nobody_t "$ID" true
	[ "$status" -eq 255 ]
	[[ "$stderr" == *"process: selinuxLabel: "*"base_u:base_r:nobody_t"*"nvalid argument"*"policy knows no such label"* ]]
	[ "$(tr -d '\0' <"/proc/$(pid_of)/attr/current")" = "$inside" ]
}

@test "selinux: a program that the policy does not let the label be entered by: the error names the label" {
	cp rootfs/bin/true rootfs/bin/refused
	label rootfs/bin/refused base_u:object_r:secret_t
	config '.process.selinuxLabel = $l' --arg l "$inside"
	program /bin/refused
	attempt run "$ID"
	[ "$status" -ne 0 ]
	[[ "$output" == *"/bin/refused"*"ermission denied"*"policy"*"$inside"* ]]
}

# Seen failing without: the write to attr/keycreate.
@test "selinux: the session keyring has the process's label" {
	config '.process.selinuxLabel = $l | .linux.maskedPaths = []' --arg l "$inside"
	container 'cat /proc/keys'
	[[ "$output" == *"_ses.$ID"* ]]
}

# Seen failing without: set_label for mqueue.
@test "selinux: mountLabel is the label of new file systems, mqueue among them, and of no bind mount" {
	mkdir bound
	config '.linux.mountLabel = "base_u:object_r:mounted_t" | .mounts += [
		{destination: "/mnt", type: "tmpfs", source: "tmpfs"},
		{destination: "/own", type: "tmpfs", source: "tmpfs", options: ["context=base_u:object_r:secret_t"]},
		{destination: "/bound", source: $b, options: ["bind"]}]' --arg b "$PWD/bound"
	program sh -c 'echo made >/mnt/file; exec sleep 100'
	apart run -d "$ID" || { cat out && return 1; }
	inside=/proc/$(pid_of)/root
	eventually [ -s "$inside/mnt/file" ]
	for path in mnt mnt/file dev dev/pts dev/mqueue sys/firmware; do # the last one is a mask
		[ "$(label_of_file "$inside/$path")" = base_u:object_r:mounted_t ]
	done
	[ "$(label_of_file "$inside/own")" = base_u:object_r:secret_t ]
	for path in "$inside/proc/version" "$inside/sys/kernel" "$inside/bound" bound; do
		[ "$(label_of_file "$path")" = base_u:object_r:base_t ]
	done
}
