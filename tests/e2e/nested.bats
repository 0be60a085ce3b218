#!/usr/bin/env bats
# nested.bats - moss in a container of moss's, in a container of moss's: as uid 0 of somebody else's user namespace.
load lib.bash
setup() {
	e2e_setup
	rm config.json
	NEST="$BATS_TEST_TMPDIR/nest"
	mkdir -p "$NEST"/{2,3} rootfs/nest
	cp "$MOSS" "$NEST/moss"
	chmod -R a+rX "$NEST"
	"$MOSS" spec --rootless 3>&- 4>&-
	# Each level's root file system is that of the first; as uid 0, what spec says is the same at each of them.
	level "$NEST" . "$BUNDLE/rootfs"
	unshare -Ur "$MOSS" spec --rootless --bundle "$NEST/2" 3>&- 4>&-
	cp "$NEST/2/config.json" "$NEST/3/config.json"
	level /nest "$NEST/2" /
	level /nest "$NEST/3" /
}
teardown() { e2e_teardown; }

# level NEST DIR ROOT: DIR's config.json for a container in which moss may run: a whole /proc, a place for its state, itself.
level() {
	jq --arg nest "$1" --arg root "$3" '.process.terminal = false | .root = {path: $root, readonly: true}
		| del(.linux.maskedPaths, .linux.readonlyPaths)
		| .process.capabilities |= map_values(. + ["CAP_SETFCAP"] | unique) # to map uid 0 once more
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"]},
			{destination: "/nest", type: "bind", source: $nest, options: ["rbind", "ro"]}]' "$2/config.json" >"$2/new"
	mv "$2/new" "$2/config.json"
}
# runs DIR WORD...: what the container of this bundle runs.
runs() {
	jq '.process.args = $words' --argjson words "$(jq -nc '$ARGS.positional' --args -- "${@:2}")" "$1/config.json" >"$1/new"
	mv "$1/new" "$1/config.json"
}

@test "nested: three levels deep: output, exit status, pid 1, one id" {
	runs "$NEST/3" sh -c 'echo "deep $$ $(id -u) $(xargs </proc/self/uid_map)"; exit 7'
	runs "$NEST/2" sh -c '/nest/moss --root /tmp/state run --bundle /nest/3 third; echo "second $?"; exit 6'
	runs . sh -c '/nest/moss --root /tmp/state run --bundle /nest/2 second; echo "first $?"; exit 5'
	run --separate-stderr moss run "$ID"
	show
	[ "$status" -eq 5 ]
	[ "$output" = "$(printf 'deep 1 0 0 0 1\nsecond 7\nfirst 6')" ]
	[ -z "$stderr" ]
}

@test "nested: create, start, exec, list, kill and delete in a container" {
	runs "$NEST/2" sleep 1000
	runs . sh -e -c 'moss() { /nest/moss --root /tmp/state "$@"; }
		moss create --bundle /nest/2 two </dev/null >/dev/null 2>&1
		moss start two
		moss exec two sh -c "echo in exec, \$(id -u)"
		moss list --quiet
		moss ps --format json two | grep -c "^\[[0-9]*\]$"
		moss kill two KILL
		until moss state two | grep -q stopped; do sleep 0.1; done
		moss delete two
		moss list --format json'
	run --separate-stderr moss run "$ID"
	show
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf 'in exec, 0\ntwo\n1\nnull')" ]
}

@test "nested: a /proc that the container outside masks: what the kernel refuses, and what to ask for there" {
	config '.linux.maskedPaths = ["/proc/keys"]'
	runs "$NEST/2" true
	runs . sh -c '/nest/moss --root /tmp/state run --bundle /nest/2 two; echo "exit $?"; /nest/moss --root /tmp/state list -q'
	run --separate-stderr moss run "$ID"
	show
	[ "$output" = "exit 1" ]
	[[ "$stderr" == *proc*"operation not permitted"*unmask=ALL*"procMount: Unmasked"* ]]
}

@test "nested: without CAP_SETFCAP outside no container can have uid 0 once more, and it is said" {
	config '.process.capabilities |= map_values(. - ["CAP_SETFCAP"])'
	runs "$NEST/2" true
	runs . sh -c '/nest/moss --root /tmp/state run --bundle /nest/2 two; echo "exit $?"'
	run --separate-stderr moss run "$ID"
	show
	[ "$output" = "exit 1" ]
	[[ "$stderr" == *"uid_map"*"operation not permitted"*CAP_SETFCAP*"--cap-add SETFCAP"* ]]
}

@test "nested: no more user namespaces: it is said which setting forbids them" {
	runs "$NEST/2" true
	config 'del(.mounts[] | select(.destination == "/proc").options) | .process.capabilities |= map_values(. + ["CAP_SYS_RESOURCE"] | unique)'
	runs . sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && /nest/moss --root /tmp/state run --bundle /nest/2 two; echo "exit $?"'
	run --separate-stderr moss run "$ID"
	show
	[ "$output" = "exit 1" ]
	[[ "$stderr" == *user*namespace*user.max_user_namespaces* ]]
}

@test "nested: ids outside the one that the container has: the range is named" {
	jq '.linux.uidMappings = [{containerID: 0, hostID: 5000, size: 1}]' "$NEST/2/config.json" >"$NEST/2/new"
	mv "$NEST/2/new" "$NEST/2/config.json"
	runs . sh -c '/nest/moss --root /tmp/state run --bundle /nest/2 two; echo "exit $?"'
	run --separate-stderr moss run "$ID"
	show
	[ "$output" = "exit 1" ]
	[[ "$stderr" == *"0 5000 1"*"/proc/self/uid_map"* ]]
}
