# systemd.bash - what the tests of containers in systemd's scopes load, behind vm.bash: $unit, the scope's name, $base, the
# cgroup of its slice.
# shellcheck disable=SC2154 # shared with the test files
setup() {
	e2e_setup
	unit=moss-$ID.scope
	if is_root; then base=/system.slice; else base=/user.slice/user-$(id -u).slice/user@$(id -u).service/user.slice; fi
}
teardown() {
	[ -z "${bus-}" ] || [ ! -e "$bus.away" ] || mv "$bus.away" "$bus"
	[ -z "${late-}" ] || kill -CONT "$late"
	e2e_teardown
	sc --quiet stop "*$ID*" 2>/dev/null || true
}

# sc ARGS: systemctl of the manager that this part's containers are in.
sc() {
	if is_root; then systemctl "$@"; else XDG_RUNTIME_DIR=/run/user/$(id -u) systemctl --user "$@"; fi
}
# bus_call METHOD SIGNATURE ARGS: of that manager.
bus_call() {
	local bus=(busctl) manager=org.freedesktop.systemd1
	is_root || bus=(env "XDG_RUNTIME_DIR=/run/user/$(id -u)" busctl --user)
	"${bus[@]}" call "$manager" /org/freedesktop/systemd1 "$manager.Manager" "$@"
}
# property NAME [UNIT]: as systemd shows it.
property() { sc show -P "$1" "${2-$unit}"; }
# is PROPERTY VALUE
is() { [ "$(property "$1")" = "$2" ] || { echo "$1: \"$(property "$1")\", not \"$2\"" && return 1; }; }
# file FILE VALUE: of the scope's cgroup.
file() { [ "$(cat "/sys/fs/cgroup$base/$unit/$1")" = "$2" ] || { echo "$1: \"$(cat "/sys/fs/cgroup$base/$unit/$1")\", not \"$2\"" && return 1; }; }
# nothing_left: no container, no unit, no cgroup.
nothing_left() {
	no_containers
	[ -z "$(sc list-units --all --plain --no-legend "*$ID*")" ]
	[ -z "$(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null)" ]
}
# limits JSON: what linux.resources holds, besides the device list.
limits() { config '.linux.resources = $r + {devices: .linux.resources.devices}' --argjson r "$1"; }
