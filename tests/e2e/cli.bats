#!/usr/bin/env bats
# cli.bats - the command line: options, fixed texts, logs, spec.
load lib.bash
setup() { e2e_setup; }
teardown() { e2e_teardown; }

@test "cli: --help names every command and global option" {
	for option in --help -h; do
		run --separate-stderr "$MOSS" "$option"
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		for word in create run start kill delete state list spec --root --log --log-format --debug \
			--systemd-cgroup --rootless --degrade; do
			grep -qE -- "(^|[ ,])$word\b" <<<"$output" || { echo "missing: $word" && return 1; }
		done
	done
}

@test "cli: every command has its --help" {
	for command in create run start kill delete state list spec; do
		run --separate-stderr "$MOSS" "$command" --help
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		[[ "$output" == *"moss $command"* ]]
	done
}

@test "cli: the options of create and run are in their --help" {
	for command in create run; do
		run "$MOSS" "$command" --help
		for option in bundle console-socket pid-file preserve-fds no-pivot no-new-keyring config; do
			[[ "$output" == *"--$option"* ]] || { echo "missing: $command --$option" && return 1; }
		done
	done
	[[ "$output" == *--detach* && "$output" == *--keep* && "$output" == *--no-subreaper* ]]
}

@test "cli: --version begins with version, commit, spec" {
	for option in --version -v; do
		run --separate-stderr "$MOSS" "$option"
		[ "$status" -eq 0 ]
		[[ "${lines[0]}" =~ ^moss\ version\ [0-9]+\.[0-9]+ ]]
		[[ "${lines[1]}" == "commit: "* ]]
		[[ "${lines[2]}" == "spec: 1.3.0" ]]
		[[ "${lines[3]}" =~ ^libseccomp:\ [0-9.]+$ ]]
	done
}

@test "cli: --version through a link named runc says runc, which go-runc looks for" {
	ln -s "$MOSS" runc
	ln -s "$MOSS" other
	[[ "$(./runc --version)" =~ ^"runc version "[0-9]+\.[0-9]+.*$'\ncommit: '.*$'\nspec: 1.3.0\n' ]]
	[[ "$(./other --version)" == "moss version "* ]]
}

@test "cli: an unknown command is exit status 3" {
	run "$MOSS" frobnicate
	show
	[ "$status" -eq 3 ]
	[[ "$output" == *frobnicate* ]]
}

@test "cli: an unknown option is named, exit status 1" {
	run "$MOSS" --no-such-option list
	[ "$status" -eq 1 ]
	[[ "$output" == *no-such-option* ]]
	run moss run --no-such-option "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *no-such-option* ]]
}

@test "cli: a missing id or a value that is missing is exit status 1" {
	for command in create run start kill delete state; do
		run moss "$command"
		[ "$status" -eq 1 ]
		[ -n "$output" ]
	done
	run moss run "$ID" --bundle
	[ "$status" -eq 1 ]
	run moss start one two
	[ "$status" -eq 1 ]
}

@test "cli: an empty id" {
	attempt create ""
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"container id cannot be empty"* ]]
}

@test "cli: ids are checked before anything is made" {
	for id in a/b ../x . .. "a b" 'a:b' :x "$(printf 'x%.0s' {1..256})" $'a\nb' 'ä'; do
		attempt create "$id"
		[ "$status" -eq 1 ]
		[[ "$output" == *"invalid container ID format"* ]] || { echo "$id: $output" && return 1; }
		run moss state "$id"
		[ "$status" -eq 1 ]
		run moss delete --force "$id"
		[ "$status" -eq 1 ]
	done
	no_containers
}

@test "cli: every allowed character is an id" {
	program true
	apart run "AZaz09_+.-$$"
	apart run "$(printf 'x%.0s' {1..255})"
}

@test "cli: options with one dash, two dashes, = and a blank" {
	program echo works
	for bundle in "--bundle=$BUNDLE" "-bundle=$BUNDLE" "-b=$BUNDLE"; do
		run "$MOSS" -root "$ROOT" run "$bundle" "$ID"
		show
		[ "$output" = works ]
	done
	run "$MOSS" "--root=$ROOT" run -bundle "$BUNDLE" -- "$ID"
	[ "$output" = works ]
}

@test "cli: the texts about a container that does not exist" {
	for command in start state kill delete; do
		run moss "$command" "$ID-none"
		[ "$status" -eq 1 ]
		[[ "$output" == *"container does not exist"* ]] || { echo "$command: $output" && return 1; }
	done
}

@test "cli: the default log format is text, to stderr and the --log file" {
	run --separate-stderr moss --log log state "$ID-none"
	show
	[ "$status" -eq 1 ]
	[ -n "$stderr" ]
	cat log
	grep -qE '^time="20[0-9]{2}-[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+)" level=error msg=".*container does not exist.*"' log
	[ "$(stat -c %a log)" = 600 ]
}

@test "cli: json logs are one object a line, appended" {
	run moss --log log --log-format json state "$ID-none"
	run moss --log log --log-format=json start "$ID-none"
	cat log
	[ "$(wc -l <log)" -eq 2 ]
	jq -e 'select(.level == "error") | .msg | test("container does not exist")' log
	[ "$(jq -r .time log | grep -cE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)$')" -eq 2 ]
}

@test "cli: json logs quote whatever is in the message" {
	program $'/no/"such"\\\n\tprogram'
	run moss --log log --log-format json run "$ID"
	[ "$status" -eq 1 ]
	jq -e 'select(.level == "error").msg | test("such")' log
	# a text log stays one line
	run moss --log text run "$ID"
	[ "$(grep -c level=error text)" -eq 1 ]
	[ "$(grep -c . text)" -eq "$(grep -c '^time=' text)" ]
}

@test "cli: an invalid log format" {
	run moss --log-format xml list
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"invalid log-format: xml"* ]]
}

@test "cli: a --root that is empty or / is refused" {
	for root in "" /; do
		run "$MOSS" --root "$root" run "$ID"
		show
		[ "$status" -eq 1 ]
	done
	[ ! -e "/$ID" ]
}

@test "cli: a relative --root is the caller's, and survives cd" {
	program sleep 60
	"$MOSS" --root ../root run -d "$ID" </dev/null >out 2>&1 3>&- 4>&-
	[ "$(status_of)" = running ]
}

@test "cli: messages are English, whatever the locale" {
	program /no/such/program
	run env LC_ALL=de_DE.UTF-8 LANGUAGE=de LANG=de_DE.UTF-8 "$MOSS" --root "$ROOT" run "$ID"
	[[ "${output,,}" == *"no such file or directory"* ]]
}

@test "cli: crun's global options are accepted" {
	program true
	moss --cgroup-manager=cgroupfs run "$ID"
	moss --cgroup-manager disabled run "$ID"
	run moss --cgroup-manager=nonsense run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *nonsense* ]]
	moss --log-level error run "$ID"
}

@test "cli: --rootless takes true, false and auto" {
	program true
	for value in true auto; do
		moss --rootless "$value" run "$ID"
		moss --rootless=$value run "$ID"
	done
	run moss --rootless maybe list
	[ "$status" -eq 1 ]
	[[ "$output" == *maybe* ]]
}

@test "cli: commands that are not finished say so" {
	for command in checkpoint restore; do
		run "$MOSS" --help
		[[ "$output" == *"$command"* ]] && continue
		run moss "$command" "$ID"
		show
		[ "$status" -eq 1 ]
		[[ "$output" == *"not supported yet"* ]]
	done
}

@test "spec: writes a tab-indented config.json and never overwrites" {
	mkdir "$BATS_TEST_TMPDIR/new"
	cd "$BATS_TEST_TMPDIR/new"
	run "$MOSS" spec
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	jq -e . config.json >/dev/null
	grep -q "$(printf '^\t"ociVersion": ')" config.json
	cp config.json before
	run "$MOSS" spec
	show
	[ "$status" -eq 1 ]
	[[ "$output" == *"File config.json exists. Remove it first"* ]]
	cmp config.json before
	"$MOSS" spec --bundle "$BUNDLE/.." # the directory that it is written to
	jq -e . ../config.json >/dev/null
	rm ../config.json
}

@test "spec: what a container of root's has" {
	mkdir "$BATS_TEST_TMPDIR/new"
	"$MOSS" spec -b "$BATS_TEST_TMPDIR/new"
	jq -e '.process.terminal == true and .process.args == ["sh"] and .process.cwd == "/"
		and .process.noNewPrivileges == true and .root.path == "rootfs" and .root.readonly == true
		and ([.linux.namespaces[].type] | contains(["pid", "network", "ipc", "uts", "mount"]))
		and ([.linux.namespaces[].type] | index("user") | not)
		and .linux.resources.devices == [{allow: false, access: "rwm"}]
		and ([.mounts[].destination] == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"])
		and .process.rlimits == [{type: "RLIMIT_NOFILE", hard: 1024, soft: 1024}]' "$BATS_TEST_TMPDIR/new/config.json"
}

@test "spec: --rootless maps one id, keeps the host's network and has no resources" {
	mkdir "$BATS_TEST_TMPDIR/new"
	"$MOSS" spec --rootless --bundle "$BATS_TEST_TMPDIR/new"
	jq -e --argjson uid "$(id -u)" --argjson gid "$(id -g)" '
		.linux.uidMappings == [{containerID: 0, hostID: $uid, size: 1}]
		and .linux.gidMappings == [{containerID: 0, hostID: $gid, size: 1}]
		and ([.linux.namespaces[].type] | contains(["user"]) and (index("network") | not))
		and (.linux.resources | not)
		and ([.mounts[].options // [] | .[] | select(startswith("uid=") or startswith("gid="))] == [])
		and (.mounts[] | select(.destination == "/sys") | .options | contains(["rbind", "ro"]))
		' "$BATS_TEST_TMPDIR/new/config.json"
}

@test "spec: as root, --rootless runs too" {
	need_root "the other kind of spec"
	rm config.json
	"$MOSS" spec --rootless
	config '.process.terminal = false'
	container 'cat /proc/self/uid_map'
	[ "$status" -eq 0 ]
	[ "$(xargs <<<"$output")" = "0 0 1" ]
}

@test "config: bad JSON, a wrong type and a wrong version are refused and named" {
	good=$(cat config.json)
	echo '{ "ociVersion": ' >config.json
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *config.json* ]]
	jq '.process.cwd = 5' <<<"$good" >config.json
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *process*cwd* ]]
	for version in 2.0.0 0.9.0 nonsense; do
		jq --arg v "$version" '.ociVersion = $v' <<<"$good" >config.json
		attempt create "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"$version"* ]]
	done
	[ ! -e "$ROOT/$ID" ]
}

@test "config: unknown properties and annotations are ignored" {
	config '.vendorThing = {a: [1, 2]} | .process.later = true | .linux.later = {} | .annotations = {"com.example.key": "value"}'
	container 'echo works'
	[ "$output" = works ]
}

@test "config: duplicate keys and trailing data are refused" {
	cp config.json good.json
	sed 's/"ociVersion"/"ociVersion": "1.0.0",\n\t"ociVersion"/' good.json >config.json
	attempt create "$ID"
	[ "$status" -eq 1 ]
	{ cat good.json && echo '{}'; } >config.json
	attempt create "$ID"
	[ "$status" -eq 1 ]
	[ ! -e "$ROOT/$ID" ]
}

@test "config: what this build can't honour is refused, never ignored" {
	cp config.json kept.json
	# shellcheck disable=SC2016
	config '.hooks = {createRuntime: [{path: "/bin/touch", args: ["touch", $f]}]}' --arg f "$PWD/touched"
	container 'echo ran'
	[ "$status" -ne 0 ] || [ -e touched ]
	cp kept.json config.json
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}'
	container 'mkdir /dev/shm/new && echo made'
	[ "$status" -ne 0 ]
	[[ "$output" != *made* ]]
	cp kept.json config.json
	config '.linux.sysctl = {"kernel.msgmax": "12345"}'
	container 'cat /proc/sys/kernel/msgmax'
	[ "$status" -ne 0 ] || [ "$output" = 12345 ]
}

@test "config: --config names another file" {
	program echo from config
	cp config.json other.json
	jq '.process.args = ["echo", "from other"]' config.json >other.json
	run moss run --config other.json "$ID"
	show
	[ "$status" -eq 0 ]
	[ "$output" = "from other" ]
}
