/* test_spec_limits.c - unit test; linux.resources as values of cgroup version 2. Side: any. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>

#include "config_text.h"
#include "spec/resources_merge.h"
#include "spec/spec_read.h"

#define RESOURCES(members) LINUX("'resources': { " members " }")

struct line { const char *text, *lines; };

/* "FILE=VALUE[!]; ..." for each limit; "!" where every new cgroup has it, "?" where it is optional. */
static void lines_of(const struct spec *spec, char *lines, size_t size)
{
	lines[0] = '\0';
	for (size_t i = 0; i < spec->limits_count; i++) {
		const struct spec_limit *limit = &spec->limits[i];
		size_t used = strlen(lines);

		snprintf(lines + used, size - used, "%s%s=%s%s%s", i > 0 ? "; " : "", limit->file, limit->value,
			 limit->flags & SPEC_LIMIT_DEFAULT ? "!" : "", limit->flags & SPEC_LIMIT_OPTIONAL ? "?" : "");
		if (limit->instead_file != NULL) {
			used = strlen(lines);
			snprintf(lines + used, size - used, " or %s=%s", limit->instead_file, limit->instead_value);
		}
	}
}

static void expect_all(const struct line *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		spec_owned spec;
		char lines[2000];

		config_accept(cases[i].text, &spec);
		assert_int_equal(spec.unsupported_count, 0);
		lines_of(&spec, lines, sizeof(lines));
		if (strcmp(lines, cases[i].lines) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].text, lines, cases[i].lines);
	}
}
#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void memory_limits_become_those_of_version_2(void **state)
{
	static const struct line cases[] = {
		{ RESOURCES("'memory': { 'limit': 5 }"), "memory.max=5" },
		{ RESOURCES("'memory': { 'limit': 9223372036854775807 }"), "memory.max=9223372036854775807" },
		{ RESOURCES("'memory': { 'limit': 0 }"), "" },
		{ RESOURCES("'memory': { 'limit': -1 }"), "memory.swap.max=max!; memory.max=max!" },
		{ RESOURCES("'memory': { 'reservation': 7 }"), "memory.low=7" },
		{ RESOURCES("'memory': { 'reservation': -1 }"), "memory.low=0!" },
		{ RESOURCES("'memory': { 'limit': 100, 'swap': 300 }"), "memory.swap.max=200; memory.max=100" },
		{ RESOURCES("'memory': { 'limit': 100, 'swap': 100 }"), "memory.swap.max=0; memory.max=100" },
		{ RESOURCES("'memory': { 'swap': 9223372036854775807, 'limit': 1 }"),
		  "memory.swap.max=9223372036854775806; memory.max=1" },
		{ RESOURCES("'memory': { 'limit': 100, 'swap': -1 }"), "memory.swap.max=max!; memory.max=100" },
		{ RESOURCES("'memory': { 'limit': 100, 'swap': 0 }"), "memory.max=100" },
		{ RESOURCES("'memory': { 'swap': -1 }"), "memory.swap.max=max!" },
		{ RESOURCES("'memory': { 'limit': -1, 'swap': -1 }"), "memory.swap.max=max!; memory.max=max!" },
		{ RESOURCES("'memory': { 'swap': null, 'kernel': 0, 'kernelTCP': -1, 'swappiness': 0,"
			    "'useHierarchy': false, 'disableOOMKiller': false, 'checkBeforeUpdate': true }"), "" },
	};
	spec_owned spec;

	(void)state;
	EXPECT_ALL(cases);
	config_accept(RESOURCES("'memory': { 'limit': 5, 'checkBeforeUpdate': true }"), &spec);
	assert_int_equal(spec.limits[0].flags, SPEC_LIMIT_USAGE);
	assert_string_equal(spec.limits[0].path, "linux: resources: memory: limit");
}

static void swap_that_makes_no_sense_is_refused(void **state)
{
	(void)state;
	config_refuse(RESOURCES("'memory': { 'swap': 5 }"), "linux: resources: memory: swap", "needs one of memory");
	config_refuse(RESOURCES("'memory': { 'swap': 5, 'limit': -1 }"), "linux: resources: memory: swap", "needs one of memory");
	config_refuse(RESOURCES("'memory': { 'swap': 5, 'limit': 6 }"), "linux: resources: memory: swap", "smaller than that of memory");
	config_refuse(RESOURCES("'memory': { 'swap': -2 }"), "linux: resources: memory: swap", "-2 is not within -1..");
	config_refuse(RESOURCES("'memory': { 'limit': -2 }"), "linux: resources: memory: limit", "-2 is not within -1..");
}

static void cpu_limits_become_those_of_version_2(void **state)
{
	static const struct line cases[] = {
		{ RESOURCES("'cpu': { 'shares': 0 }"), "" },
		{ RESOURCES("'cpu': { 'shares': 2 }"), "cpu.weight=1" },
		{ RESOURCES("'cpu': { 'shares': 1024 }"), "cpu.weight=100!" },
		{ RESOURCES("'cpu': { 'shares': 18446744073709551615 }"), "cpu.weight=10000" },
		{ RESOURCES("'cpu': { 'quota': 5000 }"), "cpu.max=5000" },
		{ RESOURCES("'cpu': { 'quota': 5000, 'period': 20000 }"), "cpu.max=5000 20000" },
		{ RESOURCES("'cpu': { 'period': 20000 }"), "cpu.max=20000" },
		{ RESOURCES("'cpu': { 'quota': -1 }"), "cpu.max=max!" },
		{ RESOURCES("'cpu': { 'quota': -1, 'period': 100000 }"), "cpu.max=max 100000!" },
		{ RESOURCES("'cpu': { 'quota': -1, 'period': 20000 }"), "cpu.max=max 20000" },
		{ RESOURCES("'cpu': { 'quota': 0, 'period': 0 }"), "" },
		{ RESOURCES("'cpu': { 'burst': 0 }"), "cpu.max.burst=0!" },
		{ RESOURCES("'cpu': { 'burst': 18446744073709551615, 'quota': 1 }"), "cpu.max=1; cpu.max.burst=18446744073709551615" },
		{ RESOURCES("'cpu': { 'idle': 0 }"), "cpu.idle=0!" },
		{ RESOURCES("'cpu': { 'idle': 1, 'shares': 512 }"), "cpu.idle=1" },
		{ RESOURCES("'cpu': { 'cpus': '0-3,7', 'mems': '0' }"), "cpuset.cpus=0-3,7; cpuset.mems=0" },
		{ RESOURCES("'cpu': { 'cpus': '', 'mems': '' }"), "" },
		{ RESOURCES("'cpu': {}"), "" },
	};
	spec_owned spec;

	(void)state;
	EXPECT_ALL(cases);
	config_refuse(RESOURCES("'cpu': { 'idle': 2 }"), "linux: resources: cpu: idle", "2 is not within 0..1");
	config_accept(RESOURCES("'cpu': { 'period': 20000 }"), &spec);
	assert_int_equal(spec.limits[0].flags, SPEC_LIMIT_QUOTA);
}

/* All of them, against the formula as libm works it out. */
/* Found by the fuzzer of config.json: a second line would have been written to the cgroup's file, too. */
static void cpus_of_more_than_a_line_are_refused(void **state)
{
	(void)state;
	config_refuse(RESOURCES("'cpu': { 'cpus': '0\\n1' }"), "linux: resources: cpu: cpus", "no list of numbers");
	config_refuse(RESOURCES("'cpu': { 'mems': '0\\n' }"), "linux: resources: cpu: mems", "no list of numbers");
}

static void shares_become_weights_by_the_formula(void **state)
{
	(void)state;
	assert_int_equal(spec_weight_of_shares(0), 1);
	assert_int_equal(spec_weight_of_shares(2), 1);
	assert_int_equal(spec_weight_of_shares(1024), 100);
	assert_int_equal(spec_weight_of_shares(262144), 10000);
	assert_int_equal(spec_weight_of_shares(UINT64_MAX), 10000);
	for (unsigned shares = 3; shares < 262144; shares++) {
		double l = log2(shares), weight = ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));

		if (spec_weight_of_shares(shares) != (unsigned)weight)
			fail_msg("%u shares: %u, not %.0f", shares, spec_weight_of_shares(shares), weight);
	}
}

static void other_limits_become_those_of_version_2(void **state)
{
#define DEVICE(rest) "[ { 'major': 8, 'minor': 16" rest " } ]"
	static const struct line cases[] = {
		{ RESOURCES("'pids': { 'limit': 5 }"), "pids.max=5" },
		{ RESOURCES("'pids': { 'limit': 0 }"), "" }, /* ociVersion 1.2 */
		{ "{ 'ociVersion': '1.3.0', " ROOT ", 'linux': { 'resources': { 'pids': { 'limit': 0 } } } }", "pids.max=0" },
		{ RESOURCES("'pids': { 'limit': -1 }"), "pids.max=max!" },
		{ RESOURCES("'pids': {}"), "" },
		{ RESOURCES("'blockIO': { 'weight': 0, 'weightDevice': [] }"), "" },
		{ RESOURCES("'blockIO': { 'weight': 10 }"), "io.bfq.weight=10 or io.weight=1" },
		{ RESOURCES("'blockIO': { 'weight': 500 }"), "io.bfq.weight=500 or io.weight=4950" },
		{ RESOURCES("'blockIO': { 'weight': 1000 }"), "io.bfq.weight=1000 or io.weight=10000" },
		{ RESOURCES("'blockIO': { 'weightDevice': " DEVICE("") " }"), "" },
		{ RESOURCES("'blockIO': { 'weightDevice': " DEVICE(", 'weight': 100") " }"),
		  "io.bfq.weight=8:16 100 or io.weight=8:16 910" },
		{ RESOURCES("'blockIO': { 'throttleReadBpsDevice': " DEVICE("") " }"), "" },
		{ RESOURCES("'blockIO': { 'throttleReadBpsDevice': " DEVICE(", 'rate': 0") " }"), "io.max=8:16 rbps=max!" },
		{ RESOURCES("'blockIO': { 'throttleReadBpsDevice': " DEVICE(", 'rate': 18446744073709551615") ","
			    "'throttleWriteBpsDevice': " DEVICE(", 'rate': 2") ", 'throttleReadIOPSDevice': " DEVICE(", 'rate': 3") ","
			    "'throttleWriteIOPSDevice': " DEVICE(", 'rate': 4") " }"),
		  "io.max=8:16 rbps=18446744073709551615; io.max=8:16 wbps=2; io.max=8:16 riops=3; io.max=8:16 wiops=4" },
		{ RESOURCES("'hugepageLimits': [ { 'pageSize': '2MB', 'limit': 0 }, { 'pageSize': '1GB', 'limit': 18446744073709551615 } ]"),
		  "hugetlb.2MB.max=0; hugetlb.2MB.rsvd.max=0?; hugetlb.1GB.max=18446744073709551615; "
		  "hugetlb.1GB.rsvd.max=18446744073709551615?" },
		{ RESOURCES("'rdma': { 'mlx5_1': { 'hcaHandles': 3, 'hcaObjects': 4294967295 }, 'mlx4_0': { 'hcaObjects': 0 }, 'x': {} }"),
		  "rdma.max=mlx5_1 hca_handle=3 hca_object=4294967295; rdma.max=mlx4_0 hca_object=0" },
		{ RESOURCES("'hugepageLimits': [], 'rdma': {}, 'unified': {}, 'devices': [], 'oomScoreAdj': 5,"
			    "'network': { 'classID': 0, 'priorities': [] }"), "" },
	};
#undef DEVICE

	(void)state;
	EXPECT_ALL(cases);
	config_refuse(RESOURCES("'pids': { 'limit': -2 }"), "linux: resources: pids: limit", "-2 is not within -1..");
	config_refuse(RESOURCES("'blockIO': { 'weight': 9 }"), "linux: resources: blockIO: weight", "9 is not within 10..1000");
	config_refuse(RESOURCES("'blockIO': { 'weightDevice': [ { 'major': 1, 'minor': 4294967296 } ] }"),
		      "linux: resources: blockIO: weightDevice[0]: minor", "not within");
	config_refuse(RESOURCES("'rdma': { 'a b': {} }"), "linux: resources: rdma: a b", "not the name of a device");
}

static void unified_is_written_last_and_as_it_is(void **state)
{
	static const struct line cases[] = {
		{ RESOURCES("'unified': { 'memory.high': '5', 'pids.max': '7' }, 'pids': { 'limit': 5 }"),
		  "pids.max=5; memory.high=5; pids.max=7" },
		{ RESOURCES("'unified': { 'io.max': '8:0 rbps=1\\n8:16 wiops=2\\n' }"), "io.max=8:0 rbps=1; io.max=8:16 wiops=2" },
		{ RESOURCES("'unified': { 'hugetlb.2MB.rsvd.max': 'max' }"), "hugetlb.2MB.rsvd.max=max" },
	};
	static const char *const bad[] = { "", ".", "memory", "memory.", ".max", "cgroup.procs", "cgroup.freeze", "a/b.c", "../a.b", "a b.c" };
	spec_owned spec;

	(void)state;
	EXPECT_ALL(cases);
	config_accept(RESOURCES("'unified': { 'memory.high': '5' }"), &spec);
	assert_string_equal(spec.limits[0].path, "linux: resources: unified: memory.high");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[300], path[100];

		snprintf(text, sizeof(text), RESOURCES("'unified': { '%s': '1' }"), bad[i]);
		snprintf(path, sizeof(path), "linux: resources: unified: %s", bad[i]);
		config_refuse(text, path, "not a file of a controller");
	}
	config_refuse(RESOURCES("'unified': { 'memory.max': '' }"), "linux: resources: unified: memory.max", "empty");
	config_refuse(RESOURCES("'unified': { 'memory.max': ' \\n' }"), "linux: resources: unified: memory.max", "empty");
}

static void resources_alone_are_read_as_in_config_json(void **state)
{
	static const char text[] = "{ \"pids\": { \"limit\": 5 }, \"devices\": [ { \"allow\": false } ] }";
	struct error err = { 0 };
	spec_owned   spec;

	(void)state;
	assert_int_equal(spec_read_resources(text, strlen(text), &spec, &err), 0);
	assert_int_equal(spec.limits_count, 1);
	assert_int_equal(spec.device_rules_count, 1);
	assert_string_equal(spec.limits[0].path, "linux: resources: pids: limit");
	spec_free(&spec);
	assert_int_equal(spec_read_resources("[]", 2, &spec, &err), -EINVAL);
	spec_free(&spec);
	assert_int_equal(spec_read_resources("{ \"pids\": 1 }", 13, &spec, &err), -EINVAL);
	assert_string_equal(err.object, "linux: resources: pids");
}

static void one_is_laid_over_another(void **state)
{
	struct json_object *base = json_tokener_parse("{ \"memory\": { \"limit\": 5, \"swap\": 6 }, \"hugepageLimits\": [1, 2] }");
	struct json_object *patch = json_tokener_parse("{ \"memory\": { \"limit\": 7, \"swap\": null }, \"hugepageLimits\": [3],"
						       "\"unified\": { \"memory.high\": \"1\" }, \"pids\": null }");

	(void)state;
	assert_int_equal(resources_merge(base, patch), 0);
	assert_string_equal(json_object_to_json_string_ext(base, JSON_C_TO_STRING_PLAIN),
			    "{\"memory\":{\"limit\":7,\"swap\":6},\"hugepageLimits\":[3],\"unified\":{\"memory.high\":\"1\"}}");
	assert_true(resources_name(patch, "linux: resources: memory: limit"));
	assert_true(resources_name(patch, "linux: resources: hugepageLimits[0]"));
	assert_true(resources_name(patch, "linux: resources: unified: memory.high"));
	assert_false(resources_name(patch, "linux: resources: memory: swap"));
	assert_false(resources_name(patch, "linux: resources: memory: reservation"));
	assert_false(resources_name(patch, "linux: resources: pids: limit"));
	assert_false(resources_name(patch, "linux: resources: unified: memory.high: more"));
	assert_false(resources_name(patch, "memory: limit"));
	json_object_put(base);
	json_object_put(patch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_limits_become_those_of_version_2),
		cmocka_unit_test(swap_that_makes_no_sense_is_refused),
		cmocka_unit_test(cpu_limits_become_those_of_version_2),
		cmocka_unit_test(cpus_of_more_than_a_line_are_refused),
		cmocka_unit_test(shares_become_weights_by_the_formula),
		cmocka_unit_test(other_limits_become_those_of_version_2),
		cmocka_unit_test(unified_is_written_last_and_as_it_is),
		cmocka_unit_test(resources_alone_are_read_as_in_config_json),
		cmocka_unit_test(one_is_laid_over_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
