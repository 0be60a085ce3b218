#!/usr/bin/env bats
# apparmor.bats - AppArmor profiles at work, on a kernel that has them. batch.sh has loaded those of
# profiles.apparmor: moss-test-secret may not read /secret, moss-test-open not /open.
# parts: pcroot pcuser
load vm.bash
setup() {
	e2e_setup
	echo secret >rootfs/secret
	echo open >rootfs/open
}
teardown() { e2e_teardown; }

profile() { config '.process.apparmorProfile = $p' --arg p "$1"; }

# may: what the process may read, and what it is told to be.
may='cat /open /secret; cat /proc/self/attr/apparmor/current'

# label_of PID: as the host sees it.
label_of() { cat "/proc/$1/attr/apparmor/current"; }

running() {
	program sleep 100
	apart run -d "$ID"
}

exec_() {
	run --separate-stderr moss exec "$@"
	show
}

# Seen failing without: the label; each of the two profiles forbids one of the two files.
@test "apparmor: a container can do what its profile allows, and can't what it denies" {
	container "$may"
	[ "$output" = open$'\n'secret$'\n'unconfined ]
	profile moss-test-secret
	container "$may"
	[ "$output" = open$'\n'"moss-test-secret (enforce)" ]
	[[ "$stderr" == *"/secret': Permission denied"* ]]
	profile moss-test-open
	container "$may"
	[ "$output" = secret$'\n'"moss-test-open (enforce)" ]
}

@test "apparmor: exec has the container's profile, and another one with --apparmor" {
	profile moss-test-secret
	running
	exec_ "$ID" sh -c "$may"
	[ "$output" = open$'\n'"moss-test-secret (enforce)" ]
	exec_ --apparmor moss-test-open "$ID" sh -c "$may"
	[ "$output" = secret$'\n'"moss-test-open (enforce)" ]
	exec_ --apparmor unconfined "$ID" sh -c "$may"
	[ "$output" = open$'\n'secret$'\n'unconfined ]
	[ "$(label_of "$(pid_of)")" = "moss-test-secret (enforce)" ]
	echo '{"cwd": "/", "args": ["sh", "-c", "cat /proc/self/attr/current"], "env": ["PATH=/bin"], "apparmorProfile": "moss-test-open"}' >process.json
	exec_ --process process.json "$ID"
	[ "$output" = "moss-test-open (enforce)" ]
	[ "$(cat /proc/self/attr/current)" = unconfined ]
}

@test "apparmor: a profile that is not loaded is an error that names it and apparmor_parser" {
	profile moss-test-none
	for command in run create; do
		attempt "$command" "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *'process: apparmorProfile: the profile '*'moss-test-none'*' is not loaded'*"apparmor_parser -r"* ]]
		no_containers
	done
	profile moss-test-secret
	running
	exec_ --apparmor moss-test-none "$ID" true
	[ "$status" -eq 255 ]
	[[ "$stderr" == *'moss-test-none'*' is not loaded'*"apparmor_parser -r"* ]]
	[ "$(status_of)" = running ]
}

# The user has no other way through it: once, as root, is enough.
once() { need_root "as root it is the same, and takes half a minute less"; }

@test "apparmor: neither no_new_privs nor missing capabilities, a user nor its ids stand in its way" {
	once
	profile moss-test-secret
	config '.process.noNewPrivileges = true | .process.capabilities = {}'
	container "$may"
	[ "$output" = open$'\n'"moss-test-secret (enforce)" ]
	many_ids
	config '.process.noNewPrivileges = false | .process.user = {uid: 7, gid: 8}'
	container "id -u; $may"
	[ "$output" = 7$'\n'open$'\n'"moss-test-secret (enforce)" ]
}

@test "apparmor: created, the first process is unconfined still; started, its program is not" {
	once
	profile moss-test-secret
	program sh -c "$may; sleep 100"
	apart create "$ID"
	pid=$(pid_of)
	[ "$(label_of "$pid")" = unconfined ]
	moss start "$ID"
	eventually grep -q enforce out
	[ "$(label_of "$pid")" = "moss-test-secret (enforce)" ]
	[ "$(grep -c '^open$' out)" -eq 1 ]
	run ! grep -q '^secret$' out
}

@test "apparmor: unconfined is unconfined" {
	once
	profile unconfined
	container "$may"
	[ "$output" = open$'\n'secret$'\n'unconfined ]
}

# decoy DIRECTORY: what looks like procfs's attributes, to whoever opens them by path.
# (The commands below are given by path: busybox looks for others through /proc/self/exe.)
decoy() {
	mkdir -p "$1/self/attr/apparmor" "$1/thread-self/attr/apparmor"
	for file in self/attr/exec self/attr/apparmor/exec thread-self/attr/exec thread-self/attr/apparmor/exec; do : >"$1/$file"; done
}

# Both seen failing with the labels written inside the container, to /proc/self/attr/apparmor/exec.
@test "CVE-2019-16884, CVE-2019-19921: an image whose /proc has decoys in it, and no procfs" {
	decoy rootfs/proc
	chmod -R a+rwX rootfs/proc
	config '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .root.readonly = false'
	profile moss-test-secret
	program sh -c '/bin/cat /open; /bin/cat /secret; exec /bin/sleep 100'
	apart run -d "$ID"
	[ "$(label_of "$(pid_of)")" = "moss-test-secret (enforce)" ]
	eventually grep -q open out
	run ! grep -q '^secret$' out
	[ -z "$(find rootfs/proc -type f -size +0)" ]
}

@test "CVE-2019-16884, CVE-2025-52881: a container that covers its /proc with decoys, and exec" {
	mkdir rootfs/decoy
	decoy rootfs/decoy
	chmod -R a+rwX rootfs/decoy
	config '.root.readonly = false | .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
	program sh -c '/bin/mount --bind /decoy /proc && echo covered && exec /bin/sleep 100'
	apart run -d "$ID"
	eventually grep -q covered out
	moss exec --detach --pid-file "$BUNDLE/pid" --apparmor moss-test-secret "$ID" \
		sh -c '/bin/cat /secret; echo read; exec /bin/sleep 100' </dev/null >exec.out 2>&1
	[ "$(label_of "$(cat pid)")" = "moss-test-secret (enforce)" ]
	eventually grep -q read exec.out
	run ! grep -q '^secret$' exec.out
	[ -z "$(find rootfs/decoy -type f -size +0)" ]
}
