#!/usr/bin/env bats
# features.bats - `moss features`: valid by the specification's schema, and true: what it lists is
# accepted by create, what it does not list is refused.
load lib.bash
setup() {
	e2e_setup
	program true
	cp config.json kept.json
	"$MOSS" features >features.json
}
teardown() { e2e_teardown; }

# listed FILTER: what the list at FILTER holds.
listed() { jq -r "$1[]" features.json; }

# accepted FILTER [JQ OPTIONS]: create makes a container of config.json changed by FILTER.
accepted() {
	local ret=0
	cp kept.json config.json
	config "$@"
	attempt create "$ID"
	[ "$status" -eq 0 ] || ret=1
	moss delete --force "$ID"
	return $ret
}

# supported FILTER [JQ OPTIONS]: create does not refuse the field as one that this build can't do.
supported() { accepted "$@" || [[ "$output" != *"not supported yet"* && "$output" != *"can't be enforced yet"* ]]; }

# agrees true|false FILTER: create supports what FILTER asks for, or refuses it, as features says.
agrees() {
	local said=$1 is=true
	shift
	supported "$@" || is=false
	[ "$said" = "$is" ] || { echo "features says $said, create $is: $*" && return 1; }
}

# valid FILE: by the schemas of the specification.
valid() {
	"$PYTHON" -W ignore - "$E2E_DIR/spec/features-schema.json" "$1" <<-'END'
		import json, pathlib, sys
		import jsonschema
		path = pathlib.Path(sys.argv[1])
		schema = json.loads(path.read_text())
		resolver = jsonschema.RefResolver(path.as_uri(), schema)
		jsonschema.Draft4Validator(schema, resolver=resolver).validate(json.loads(open(sys.argv[2]).read()))
	END
}

@test "features: JSON on stdout, nothing on stderr, no state directory made" {
	run --separate-stderr env -u XDG_RUNTIME_DIR "$MOSS" --root "$BATS_TEST_TMPDIR/none" features
	show
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ ! -e "$BATS_TEST_TMPDIR/none" ]
	jq -e 'keys == ["annotations", "hooks", "linux", "mountOptions", "ociVersionMax", "ociVersionMin",
			"potentiallyUnsafeConfigAnnotations"]
		and (.linux | keys == ["apparmor", "capabilities", "cgroup", "intelRdt", "memoryPolicy", "mountExtensions",
			"namespaces", "netDevices", "seccomp", "selinux"])
		and (.linux.cgroup | keys == ["rdma", "systemd", "systemdUser", "v1", "v2"])' <<<"$output"
	run "$MOSS" features now
	[ "$status" -eq 1 ]
}

@test "features: a full disk is an error" {
	run bash -c '"$MOSS" features >/dev/full'
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"o space left on device"* ]]
}

@test "features: valid by the specification's schema" {
	"$PYTHON" -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed"
	valid features.json
	for filter in '.linux.namespaces += ["planet"]' '.linux.cgroup.v2 = "yes"' 'del(.ociVersionMin)'; do
		jq "$filter" features.json >wrong.json
		run ! valid wrong.json
	done
}

@test "features: the versions are those that create takes" {
	local min max
	min=$(jq -r .ociVersionMin features.json)
	max=$(jq -r .ociVersionMax features.json)
	[ "$("$MOSS" --version | sed -n 's/^spec: //p')" = "$max" ]
	for version in "$min" "$max"; do
		accepted '.ociVersion = $v' --arg v "$version"
		run moss --debug run "$ID"
		show
		[[ "$output" != *"newer than"* ]]
	done
	run ! accepted '.ociVersion = "0.9.0"'
	cp kept.json config.json
	config '.ociVersion = "1.4.0"'
	run moss --debug run "$ID"
	[[ "$output" == *"newer than"* ]]
}

# Seen failing with "iversion" in the list, which no file system takes from fsconfig(2).
@test "features: each mount option is accepted, and others are not" {
	# Those that need a mapping, or a mount that is there already, have tests of their own in mounts.bats.
	local elsewhere='"idmap", "ridmap", "remount"'
	config '.mounts += [$f[0].mountOptions[] | select(IN('"$elsewhere"') | not) | {destination: "/mnt/\(.)", options: [.]}
		+ if . == "bind" or . == "rbind" then {source: $d}
		elif IN("copy-symlink", "src-nofollow") then {source: $d, options: ["bind", .]}
		else {type: "tmpfs", source: "tmpfs"} end]' \
		--slurpfile f features.json --arg d "$BUNDLE/rootfs/tmp"
	container 'grep -c " /mnt/" /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	[ "$output" -eq "$(jq "[.mountOptions[] | select(IN($elsewhere) | not)] | length" features.json)" ]
	[ "$output" -gt 50 ]
	for option in tmpcopyup idmap ridmap copy-symlink remount iversion frobnicate; do
		listed .mountOptions | grep -qx "$option" && continue
		run ! accepted '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: [$o]}]' --arg o "$option"
	done
}

@test "features: each namespace is made, and another word is refused" {
	local kind name inside
	if is_root; then many_ids; fi # a user has a mapping already
	config '.linux.namespaces = [$f[0].linux.namespaces[] | {type: .}]' --slurpfile f features.json
	container 'for ns in /proc/self/ns/*; do readlink $ns; done'
	[ "$status" -eq 0 ]
	inside=$output
	for kind in $(listed .linux.namespaces); do
		name=$kind
		[ "$kind" != network ] || name=net
		[ "$kind" != mount ] || name=mnt
		grep -q "^$name:" <<<"$inside"
		run ! grep -qxF "$(readlink "/proc/self/ns/$name")" <<<"$inside"
	done
	[ "$(listed .linux.namespaces | xargs)" = "cgroup ipc mount network pid time user uts" ]
	run ! accepted '.linux.namespaces += [{type: "planet"}]'
}

@test "features: each capability is known, and another word is not" {
	accepted '.process.capabilities.bounding = $f[0].linux.capabilities' --slurpfile f features.json
	moss create "$ID" </dev/null
	jq -e '[.notes[] | select(test("unknown capability"))] == []' "$ROOT/$ID/state.json"
	moss delete --force "$ID"
	config '.process.capabilities.bounding = ["CAP_FROBNICATE"]'
	moss create "$ID" </dev/null
	jq -e '[.notes[] | select(test("unknown capability"))] | length == 1' "$ROOT/$ID/state.json"
	jq -e '.linux.capabilities | index("CAP_CHOWN") == 0 and index("CAP_CHECKPOINT_RESTORE") == 40' features.json
}

@test "features: hooks are those that create takes" {
	for hook in prestart createRuntime createContainer startContainer poststart poststop; do
		agrees "$(jq --arg h "$hook" '.hooks | index($h) != null' features.json)" \
			'.hooks = {($h): [{path: "/bin/true"}]}' --arg h "$hook"
	done
}

@test "features: what is on or off is so for create" {
	while read -r name filter; do
		agrees "$(jq ".linux.$name" features.json)" "$filter"
	done <<-'END'
		seccomp.enabled .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}
		apparmor.enabled .process.apparmorProfile = "moss-test-none"
		selinux.enabled .process.selinuxLabel = "system_u:system_r:container_t:s0"
		intelRdt.enabled .linux.intelRdt = {closID: "moss-test"}
		netDevices.enabled .linux.netDevices = {"moss-none": {}}
		mountExtensions.idmap.enabled .mounts += [{destination: "/mnt", source: "/", options: ["rbind"], uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]
		cgroup.rdma .linux.resources.rdma = {mlx5_0: {hcaHandles: 1}}
	END
	[ "$(listed .linux.memoryPolicy.modes | wc -l)" -eq 7 ]
	[ "$(listed .linux.memoryPolicy.flags | wc -l)" -eq 3 ]
	for mode in $(listed .linux.memoryPolicy.modes); do
		nodes=0
		[[ "$mode" != MPOL_DEFAULT && "$mode" != MPOL_LOCAL ]] || nodes=""
		accepted '.linux.memoryPolicy = {mode: $m, nodes: $n}' --arg m "$mode" --arg n "$nodes" ||
			[[ "$output" == *"linux: memoryPolicy: set_mempolicy"* ]] # an older kernel
	done
	for flag in $(listed .linux.memoryPolicy.flags); do
		accepted '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: [$f]}' --arg f "$flag" ||
			[[ "$output" == *"linux: memoryPolicy: set_mempolicy"* ]]
	done
	run ! accepted '.linux.memoryPolicy = {mode: "MPOL_RANDOM", nodes: "0"}'
}

# Each word that is listed is taken, and there is no other.
@test "features: seccomp: actions, operators, architectures and flags are those that create takes" {
	jq -e '.linux.seccomp | keys == ["actions", "archs", "enabled", "knownFlags", "operators", "supportedFlags"]
		and (.actions | length == 9) and (.operators | length == 7) and (.supportedFlags - .knownFlags == [])
		and (.archs | index("SCMP_ARCH_X86_64") and index("SCMP_ARCH_AARCH64"))' features.json
	while read -r list filter; do
		for word in $(jq -r ".linux.seccomp.${list}[]" features.json); do
			accepted ".linux.seccomp = ($filter)" --arg w "$word"
		done
		run ! accepted ".linux.seccomp = ($filter)" --arg w "${list^^}_NONE"
	done <<-'END'
		operators {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapoff"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 0, op: $w}]}]}
		archs {defaultAction: "SCMP_ACT_ALLOW", architectures: [$w]}
		supportedFlags {defaultAction: "SCMP_ACT_ALLOW", flags: [$w]}
	END
	for word in $(jq -r '.linux.seccomp.actions[] | select(. != "SCMP_ACT_NOTIFY")' features.json); do # needs who listens
		accepted '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapoff"], action: $w}]}' --arg w "$word"
	done
	run ! accepted '.linux.seccomp = {defaultAction: "SCMP_ACT_NONE"}'
}

@test "features: systemd is what --systemd-cgroup answers, and cgroup v1 is never used" {
	cp kept.json config.json
	attempt --systemd-cgroup create "$ID"
	[[ "$output" == *"built without systemd"* ]] && supports=false || supports=true
	jq -e --argjson s "$supports" '.linux.cgroup | .systemd == $s and .systemdUser == $s and .v2 and (.v1 | not)' features.json
	moss delete --force "$ID"
}

@test "features: the annotations tell version, commit, libseccomp and checkpoint" {
	"$MOSS" --version >version
	jq -e --arg v "$(sed -n 's/^moss version //p' version)" --arg c "$(sed -n 's/^commit: //p' version)" \
		--arg s "$(sed -n 's/^libseccomp: //p' version)" '.annotations
		| ."org.moss.version" == $v and ."org.moss.commit" == $c and ."io.github.seccomp.libseccomp.version" == $s' features.json
	attempt checkpoint "$ID"
	[[ "$output" == *"not supported yet"* ]] && supports=false || supports=true
	[ "$(jq -r '.annotations."org.moss.checkpoint.enabled"' features.json)" = "$supports" ]
}
