#!/usr/bin/env bash
# bench-net.sh - moss-slirp beside slirp4netns and pasta, in network namespaces made for it.
#
# usage: bench-net.sh MOSS NETLOAD
#
# Needs: root; MOSS, with moss-slirp beside it or installed; NETLOAD, netload.c built; jq, a static busybox, iproute2,
#        util-linux, python3; slirp4netns and pasta are measured if they are installed.
#        Environment, all optional: ROUNDS (3), BYTES a TCP measurement sends (1000000000), SECONDS_EACH (2) of the others.
# Gives: a table on standard output, the median of the rounds; all are measured in turn in every round.
#        out: from the container to the host's loopback; in: a published port. CPU: the helper's own time a GB.
#        memory: the helper's, resident, with 1000 connections open. No number fails it.
# shellcheck disable=SC2317 # functions called by name
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
die() { echo "bench-net.sh: $*" >&2 && exit 1; }

[ $# -eq 2 ] || die "usage: bench-net.sh MOSS NETLOAD"
[ "$(id -u)" -eq 0 ] || die "needs root: it makes network namespaces"
moss=$(realpath -e "$1") || die "no program $1"
netload=$(realpath -e "$2") || die "no program $2"
rounds=${ROUNDS:-3} bytes=${BYTES:-1000000000} seconds=${SECONDS_EACH:-2}
for tool in jq busybox ip unshare nsenter setpriv python3; do command -v "$tool" >/dev/null || die "$tool is needed"; done

# The host of it all: a namespace with loopback, and a device that pasta can copy.
if [ -z "${BENCH_NET_PRIVATE-}" ]; then
	export BENCH_NET_PRIVATE=1
	exec unshare --net --mount --propagation private bash "$0" "$moss" "$netload"
fi
ip link set lo up
ip link add bench0 type veth peer name bench1
ip addr add 192.0.2.10/24 dev bench0
ip link set bench0 up
ip link set bench1 up
ip route add default via 192.0.2.1 dev bench0
ulimit -n "$(ulimit -Hn)"

mknod -m 0666 "${TMPDIR:-/tmp}/moss-bench-tun.$$" c 10 200 # pasta is nobody
mount --bind "${TMPDIR:-/tmp}/moss-bench-tun.$$" /dev/net/tun
rm "${TMPDIR:-/tmp}/moss-bench-tun.$$"

work=$(mktemp -d "${TMPDIR:-/tmp}/moss-bench-net.XXXXXX")
started=() helper=() inside="" gateway=""
stop() {
	local pid
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
	# The first process of a pid namespace is asked in vain.
	for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
	for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
	started=() helper=()
	[ ! -d "$work/root/net" ] || "$moss" --root "$work/root" delete --force net
}
trap 'stop; kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
"$netload" serve 5001 & server=$!

wait_for() { local _; for _ in $(seq 100); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.05; done; die "never: $*"; }
in_it() { nsenter -t "$inside" -n "$@"; }
# cpu: seconds that the helper's processes have used; memory: MB that they hold.
cpu() { local pid; for pid in "${helper[@]}"; do cut -d' ' -f14,15 "/proc/$pid/stat"; done | awk -v hz="$(getconf CLK_TCK)" '{ t += $1 + $2 } END { print t / hz }'; }
memory() { local pid; for pid in "${helper[@]}"; do awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; done | awk '{ t += $1 } END { printf "%.0f\n", t / 1024 }'; }

start_moss() {
	local bundle="$work/bundle"
	if [ ! -d "$bundle" ]; then
		mkdir -p "$bundle/rootfs/bin" "$bundle"/rootfs/{proc,dev,sys,etc}
		cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
		(cd "$bundle" && "$moss" spec -- /bin/busybox sleep 100000 && jq '.process.terminal = false' config.json >c && mv c config.json)
	fi
	"$moss" --root "$work/root" run -d -b "$bundle" --network slirp:host-loopback=on -p 127.0.0.1:6001:5001 -p 127.0.0.1:6001:5001/udp net </dev/null >/dev/null
	inside=$(jq .pid "$work/root/net/state.json") gateway=10.0.2.2
	helper=("$(jq .network.pid "$work/root/net/state.json")")
	helper+=("$(pgrep -P "${helper[0]}")")
}
start_namespace() {
	unshare --net sleep 100000 &
	started+=($!) inside=$!
	wait_for test "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$inside/ns/net")"
	sleep 0.2
	in_it ip link set lo up
}
start_slirp4netns() {
	start_namespace
	slirp4netns --configure --mtu=65520 --api-socket "$work/api" "$inside" tap0 >/dev/null 2>&1 &
	started+=($!) helper=($!) gateway=10.0.2.2
	wait_for in_it ip link show tap0
	wait_for test -S "$work/api"
	for kind in tcp udp; do
		python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(("""{"execute": "add_hostfwd", "arguments": {"proto": "%s", "host_addr": "127.0.0.1", "host_port": 6001, "guest_port": 5001}}""" % sys.argv[2]).encode())
s.shutdown(socket.SHUT_WR); s.recv(4096)' "$work/api" "$kind"
	done
}
start_pasta() { # which works for a normal user alone
	setpriv --reuid 65534 --regid 65534 --clear-groups pasta --config-net -f -q -t 6001:5001 -u 6001:5001 -T none -U none sleep 100000 >/dev/null 2>&1 &
	started+=($!) helper=($!) gateway=192.0.2.1
	wait_for pgrep -P "${helper[0]}"
	inside=$(pgrep -P "${helper[0]}")
	started+=("$inside")
	wait_for in_it ip route get 192.0.2.1
	sleep 0.5
}

# note NAME VALUE: one value of this round.
note() { echo "$2" >>"$work/$who.$1"; }
per_gb() { awk -v a="$1" -v b="$2" -v n="$bytes" 'BEGIN { printf "%.2f\n", (b - a) * 1e9 / n }'; }
measure() {
	local before idle fifo="$work/hold"
	nsenter -t "$inside" -n "$netload" serve 5001 & # not through the function: it is this process that is to be ended
	started+=($!)
	sleep 0.3
	before=$(cpu) && note tcp-out "$(in_it "$netload" send "$gateway" 5001 "$bytes")" && note cpu-out "$(per_gb "$before" "$(cpu)")"
	before=$(cpu) && note tcp-in "$("$netload" send 127.0.0.1 6001 "$bytes")" && note cpu-in "$(per_gb "$before" "$(cpu)")"
	note connect-out "$(in_it "$netload" connect "$gateway" 5001 "$seconds")"
	note connect-in "$("$netload" connect 127.0.0.1 6001 "$seconds")"
	note udp-out "$(in_it "$netload" udp "$gateway" 5001 "$seconds" 1400)"
	note udp-in "$("$netload" udp 127.0.0.1 6001 "$seconds" 1400)"
	for idle in 0 1000; do
		mkfifo "$fifo"
		in_it "$netload" rr "$gateway" 5001 2000 "$idle" <"$fifo" >"$work/rr" &
		exec 9>"$fifo"
		wait_for test -s "$work/rr"
		[ "$idle" -eq 0 ] || note memory "$(memory)"
		exec 9>&-
		wait $!
		note "rr-$idle" "$(cat "$work/rr")"
		rm -f "$fifo" "$work/rr"
	done
}
median() { sort -g "$work/$1.$2" 2>/dev/null | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'; }

all=(moss)
for who in slirp4netns pasta; do if command -v "$who" >/dev/null; then all+=("$who"); fi; done
for ((round = 0; round < rounds; round++)); do
	for who in "${all[@]}"; do
		"start_$who"
		measure
		stop
		sleep 0.3
	done
done
printf '%-46s' "medians of $rounds rounds"
printf '%14s' "${all[@]}"
echo
while read -r name words; do
	printf '%-46s' "$words"
	for who in "${all[@]}"; do printf '%14s' "$(median "$who" "$name")"; done
	echo
done <<'TABLE'
tcp-out TCP out, Gbit/s
tcp-in TCP in, Gbit/s
cpu-out helper CPU, s per GB out
cpu-in helper CPU, s per GB in
rr-0 request-response, us (median)
rr-1000 the same with 1000 connections open, us
memory helper memory then, MB
connect-out connections per second, out
connect-in connections per second, in
udp-out UDP out, 1400 bytes, Gbit/s
udp-in UDP in, 1400 bytes, Gbit/s
TABLE
