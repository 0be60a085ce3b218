#!/usr/bin/env bats
# limits_pc.bats - limits whose controllers user-mode Linux lacks: cpuset, hugetlb, rdma, weights of block devices.
# parts: pcroot
load vm.bash
setup() {
	e2e_setup
	limits_base
}
teardown() { e2e_teardown; }

# Seen failing without: launch_cgroup_set_limits(); check_effective().
@test "limits: cpuset: a program gets these processors; those that this host lacks are refused" {
	limits='.linux.resources += {cpu: {cpus: $c, mems: "0"}}'
	config "$limits" --arg c 1
	container 'grep Cpus_allowed_list /proc/self/status; cat /sys/fs/cgroup/cpuset.cpus /sys/fs/cgroup/cpuset.mems'
	[ "$output" = $'Cpus_allowed_list:\t1\n1\n0' ]
	for cpus in 0-7 7; do
		config "$limits" --arg c "$cpus"
		attempt run "$ID"
		[ "$status" -eq 1 ]
		[[ "$output" == *"linux: resources: cpu: cpus: "* ]]
		[ ! -e "$ROOT/$ID" ]
	done
	config "$limits" --arg c 0
	program sleep 60
	apart run -d "$ID"
	moss update --cpuset-cpus 1 "$ID"
	in_file cpuset.cpus 1
	moss update --cpuset-mems 0 --cpuset-cpus 0-1 "$ID"
	in_file cpuset.cpus 0-1
	in_file cpuset.mems 0
	moss update --cpuset-cpus 1 "$ID"
	attempt update --cpuset-cpus 0-7 "$ID"
	[ "$status" -eq 1 ]
	in_file cpuset.cpus 1
	moss delete --force "$ID"
}

@test "limits: hugetlb and rdma: in their files, or the error names the device" {
	config '.linux.resources += {hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}'
	program sleep 60
	apart run -d "$ID"
	in_file hugetlb.2MB.max 4194304
	in_file hugetlb.2MB.rsvd.max 4194304
	echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}' | moss update --resources - "$ID"
	in_file hugetlb.2MB.max 2097152
	in_file hugetlb.2MB.rsvd.max 2097152
	[ "$(moss events --stats "$ID" | jq -c '.data.hugetlb."2MB"')" = '{"usage":0,"failcnt":0}' ]
	moss delete --force "$ID"
	config '.linux.resources = {rdma: {mlx5_9: {hcaHandles: 3}}}'
	attempt run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"linux: resources: rdma: mlx5_9: write "*"hca_handle=3"* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "limits: a weight of block devices is in the file that this kernel has" {
	config '.linux.resources += {blockIO: {weight: 500}}'
	container 'cat /sys/fs/cgroup/io.bfq.weight 2>/dev/null || cat /sys/fs/cgroup/io.weight'
	if [ "$status" -ne 0 ]; then
		[[ "$stderr" == *"the kernel has no io.bfq.weight and no io.weight"* ]]
		skip "the kernel has neither io.bfq.weight nor io.weight"
	fi
	[[ "$output" == "default 500" || "$output" == 500 || "$output" == "default 4950" ]]
}
