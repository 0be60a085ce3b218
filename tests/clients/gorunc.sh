# gorunc.sh - every call of the Go library go-runc, as root; sourced by part.sh. Gives gorunc_scenarios.
# shellcheck shell=bash disable=SC2154,SC2034 # lib.bash's

gorunc_setup() {
	mkdir -p "$work/go"
	# Debian's packages are the whole GOPATH; nothing is loaded.
	output=$(GOPATH=/usr/share/gocode GO111MODULE=off GOCACHE=$work/gocache GOFLAGS=-p=2 go build -o "$work/gorunc" "$work/bin/gorunc.go" 2>&1)
}

gorunc_scenarios() {
	if ! gorunc_setup; then
		result "not ok" "the program is built"
		return
	fi
	timeout -k 5 200 "$work/gorunc" "$runtime" "$shared/rootfs.tar" "$work/go" </dev/null || result "not ok" "the program comes to its end"
}
