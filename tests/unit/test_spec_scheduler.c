/* test_spec_scheduler.c - unit test; process.scheduler, ioPriority, execCPUAffinity, capabilities between their sets,
 * and linux.memoryPolicy. Side: any. */
#define _GNU_SOURCE
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>

#include "config_text.h"

#define SCHEDULER(policy, members) PROCESS(", 'scheduler': { 'policy': '" policy "'" members " }")
#define IO(members) PROCESS(", 'ioPriority': { " members " }")
#define AFFINITY(members) PROCESS(", 'execCPUAffinity': { " members " }")
#define CAPABILITIES(members) PROCESS(", 'capabilities': { " members " }")
#define POLICY(mode, members) CONFIG(ROOT ", 'linux': { 'memoryPolicy': { 'mode': '" mode "'" members " } }")
#undef PROCESS
#define PROCESS(members) CONFIG(ROOT ", 'process': { 'cwd': '/', 'args': ['sh'] " members " }")

static bool holds(const struct spec_numbers *numbers, unsigned number)
{
	const size_t word_bits = 8 * sizeof(unsigned long);

	assert_true(number < numbers->bits);
	return numbers->words[number / word_bits] >> number % word_bits & 1;
}

static unsigned count(const struct spec_numbers *numbers)
{
	unsigned sum = 0;

	for (unsigned number = 0; number < numbers->bits; number++)
		sum += holds(numbers, number);
	return sum;
}

static void each_policy_has_its_number(void **state)
{
	static const struct {
		const char *text;
		unsigned    policy;
	} policies[] = {
		{ SCHEDULER("SCHED_OTHER", ""), 0 },
		{ SCHEDULER("SCHED_FIFO", ", 'priority': 1"), 1 },
		{ SCHEDULER("SCHED_RR", ", 'priority': 99"), 2 },
		{ SCHEDULER("SCHED_BATCH", ", 'nice': 19"), 3 },
		{ SCHEDULER("SCHED_IDLE", ""), 5 },
		{ SCHEDULER("SCHED_DEADLINE", ", 'runtime': 1024, 'deadline': 1024"), 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		spec_owned spec;

		config_pass(policies[i].text);
		config_accept(policies[i].text, &spec);
		assert_true(spec.process.scheduler.given);
		assert_int_equal(spec.process.scheduler.policy, policies[i].policy);
		assert_int_equal(spec.unsupported_count, 0);
		assert_int_equal(spec.warnings.count, 0);
	}
	spec_owned spec;
	config_accept(PROCESS(""), &spec);
	assert_false(spec.process.scheduler.given || spec.process.io_priority.given || spec.memory_policy.given);
	config_refuse(PROCESS(", 'scheduler': {}"), "process: scheduler: policy", "missing");
	config_refuse(SCHEDULER("SCHED_ISO", ""), "process: scheduler: policy", "Linux has no SCHED_ISO");
	config_refuse(SCHEDULER("SCHED_FAST", ""), "process: scheduler: policy", "unknown policy \"SCHED_FAST\"");
	config_refuse(SCHEDULER("sched_rr", ""), "process: scheduler: policy", "unknown policy");
	config_refuse(SCHEDULER("", ""), "process: scheduler: policy", "unknown policy");
}

static void the_scheduler_members_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(SCHEDULER("SCHED_DEADLINE", ", 'nice': -20, 'priority': 0, 'runtime': 10000000, 'deadline': 20000000,"
				"'period': 9223372036854775807, 'flags': [ 'SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_DL_OVERRUN' ]"),
		      &spec);
	const struct spec_scheduler *scheduler = &spec.process.scheduler;
	assert_int_equal(scheduler->nice, -20);
	assert_int_equal(scheduler->priority, 0);
	assert_int_equal(scheduler->runtime_ns, 10000000);
	assert_int_equal(scheduler->deadline_ns, 20000000);
	assert_int_equal(scheduler->period_ns, INT64_MAX);
	assert_int_equal(scheduler->flags, SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_DL_OVERRUN);
	assert_string_equal(scheduler->policy_name, "SCHED_DEADLINE");
	config_refuse(SCHEDULER("SCHED_OTHER", ", 'nice': 20"), "process: scheduler: nice", "20 is not within -20..19");
	config_refuse(SCHEDULER("SCHED_OTHER", ", 'nice': -21"), "process: scheduler: nice", "-21 is not within");
	config_refuse(SCHEDULER("SCHED_OTHER", ", 'nice': 4294967296"), "process: scheduler: nice", "not within");
	config_refuse(SCHEDULER("SCHED_RR", ", 'priority': 100"), "process: scheduler: priority", "100 is not within 0..99");
	config_refuse(SCHEDULER("SCHED_RR", ", 'priority': -1"), "process: scheduler: priority", "not within");
	config_refuse(SCHEDULER("SCHED_RR", ", 'flags': [ 'SCHED_FLAG_NEW' ]"), "process: scheduler: flags",
		      "unknown flags \"SCHED_FLAG_NEW\"");
}

static void each_scheduler_flag_has_its_bit(void **state)
{
	static const struct {
		const char *text;
		unsigned    bit;
	} flags[] = {
		{ SCHEDULER("SCHED_OTHER", ", 'flags': [ 'SCHED_FLAG_RESET_ON_FORK' ]"), 0x01 },
		{ SCHEDULER("SCHED_OTHER", ", 'flags': [ 'SCHED_FLAG_RECLAIM' ]"), 0x02 },
		{ SCHEDULER("SCHED_OTHER", ", 'flags': [ 'SCHED_FLAG_DL_OVERRUN' ]"), 0x04 },
		{ SCHEDULER("SCHED_OTHER", ", 'flags': [ 'SCHED_FLAG_KEEP_POLICY' ]"), 0x08 },
		{ SCHEDULER("SCHED_OTHER", ", 'flags': [ 'SCHED_FLAG_KEEP_PARAMS' ]"), 0x10 },
		{ SCHEDULER("SCHED_OTHER", ", 'flags': [ 'SCHED_FLAG_UTIL_CLAMP_MIN' ]"), 0x20 },
		{ SCHEDULER("SCHED_OTHER", ", 'flags': [ 'SCHED_FLAG_UTIL_CLAMP_MAX' ]"), 0x40 },
		{ SCHEDULER("SCHED_OTHER", ", 'flags': []"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		spec_owned spec;

		config_accept(flags[i].text, &spec);
		assert_int_equal(spec.process.scheduler.flags, flags[i].bit);
	}
}

static void values_of_another_policy_are_refused(void **state)
{
	spec_owned spec;

	(void)state;
	config_fail(SCHEDULER("SCHED_FIFO", ""), "process: scheduler: priority", "SCHED_FIFO needs one from 1 to 99");
	config_fail(SCHEDULER("SCHED_RR", ", 'priority': 0"), "process: scheduler: priority", "SCHED_RR needs one");
	config_fail(SCHEDULER("SCHED_OTHER", ", 'priority': 1"), "process: scheduler: priority", "SCHED_OTHER has none");
	config_fail(SCHEDULER("SCHED_BATCH", ", 'runtime': 1"), "process: scheduler: runtime", "not for SCHED_BATCH");
	config_fail(SCHEDULER("SCHED_IDLE", ", 'deadline': 1"), "process: scheduler: deadline", "not for SCHED_IDLE");
	config_fail(SCHEDULER("SCHED_RR", ", 'priority': 1, 'period': 1"), "process: scheduler: period", "not for SCHED_RR");
	config_accept(SCHEDULER("SCHED_IDLE", ", 'nice': 5"), &spec);
	assert_true(config_warns(&spec, "process: scheduler: nice has no effect with SCHED_IDLE"));
}

#define DEADLINE(members) SCHEDULER("SCHED_DEADLINE", members)

static void deadlines_are_checked(void **state)
{
	(void)state;
	config_pass(DEADLINE(", 'runtime': 1024, 'deadline': 1024, 'period': 1024"));
	config_pass(DEADLINE(", 'runtime': 1024, 'deadline': 9223372036854775807"));
	config_fail(DEADLINE(""), "process: scheduler: runtime", "1024 ns or more, not 0");
	config_fail(DEADLINE(", 'runtime': 1023, 'deadline': 2000"), "process: scheduler: runtime", "not 1023");
	config_fail(DEADLINE(", 'runtime': 2000"), "process: scheduler: deadline", "0 ns is less than the runtime of 2000");
	config_fail(DEADLINE(", 'runtime': 2001, 'deadline': 2000"), "process: scheduler: deadline", "less than the runtime");
	config_fail(DEADLINE(", 'runtime': 2000, 'deadline': 3000, 'period': 2999"), "process: scheduler: period",
		    "2999 ns is less than the deadline of 3000");
	config_fail(DEADLINE(", 'runtime': 2000, 'deadline': 9223372036854775808"), "process: scheduler: deadline", "more than the kernel");
	config_fail(DEADLINE(", 'runtime': 2000, 'deadline': 2000, 'period': 18446744073709551615"), "process: scheduler: period",
		    "more than the kernel");
	config_fail(DEADLINE(", 'priority': 5, 'runtime': 2000, 'deadline': 2000"), "process: scheduler: priority", "has none");
}

static void the_io_priority_is_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(IO("'class': 'IOPRIO_CLASS_BE', 'priority': 7"), &spec);
	assert_true(spec.process.io_priority.given);
	assert_int_equal(spec.process.io_priority.class, IOPRIO_CLASS_BE);
	assert_int_equal(spec.process.io_priority.level, 7);
	assert_int_equal(spec.unsupported_count, 0);
	spec_free(&spec);
	config_accept(IO("'class': 'IOPRIO_CLASS_RT'"), &spec);
	assert_int_equal(spec.process.io_priority.class, IOPRIO_CLASS_RT);
	assert_int_equal(spec.process.io_priority.level, 0);
	spec_free(&spec);
	config_accept(IO("'class': 'IOPRIO_CLASS_IDLE'"), &spec);
	assert_int_equal(spec.process.io_priority.class, IOPRIO_CLASS_IDLE);
	config_refuse(IO("'priority': 1"), "process: ioPriority: class", "missing");
	config_refuse(IO("'class': 'IOPRIO_CLASS_NONE'"), "process: ioPriority: class", "unknown class \"IOPRIO_CLASS_NONE\"");
	config_refuse(IO("'class': 'IOPRIO_CLASS_BE', 'priority': 8"), "process: ioPriority: priority", "8 is not within 0..7");
	config_refuse(IO("'class': 'IOPRIO_CLASS_BE', 'priority': -1"), "process: ioPriority: priority", "not within");
}

static void lists_of_cpus_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(AFFINITY("'initial': '0-3,7', 'final': ' 8191 , 5-5,5,63-64'"), &spec);
	const struct spec_numbers *initial = &spec.process.exec_cpus_initial, *final = &spec.process.exec_cpus_final;
	assert_int_equal(count(initial), 5);
	assert_true(holds(initial, 0) && holds(initial, 3) && holds(initial, 7) && !holds(initial, 4));
	assert_int_equal(count(final), 4);
	assert_true(holds(final, 5) && holds(final, 63) && holds(final, 64) && holds(final, 8191));
	assert_int_equal(spec.unsupported_count, 0);
	spec_free(&spec);
	config_accept(AFFINITY("'initial': ''"), &spec);
	assert_null(spec.process.exec_cpus_initial.words);
	assert_null(spec.process.exec_cpus_final.words);
}

static void wrong_lists_of_cpus_are_refused(void **state)
{
	static const char *const wrong[] = {
		AFFINITY("'final': ' '"),   AFFINITY("'final': ','"),	AFFINITY("'final': '0,'"),     AFFINITY("'final': ',0'"),
		AFFINITY("'final': '0,,1'"), AFFINITY("'final': '-1'"),	AFFINITY("'final': '1-'"),     AFFINITY("'final': '1 - 2'"),
		AFFINITY("'final': '1-2-3'"), AFFINITY("'final': '0 1'"), AFFINITY("'final': '0x1'"),   AFFINITY("'final': 'a'"),
		AFFINITY("'final': '+1'"),  AFFINITY("'final': '0\\t'"), AFFINITY("'final': '4294967296'"),
		AFFINITY("'final': '18446744073709551616'"), AFFINITY("'final': '0-99999999999999999999'"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		config_refuse(wrong[i], "process: execCPUAffinity: final", "is no list of numbers");
	config_refuse(AFFINITY("'initial': '3-1'"), "process: execCPUAffinity: initial", "the range 3-1 goes downwards");
	config_refuse(AFFINITY("'initial': '8192'"), "process: execCPUAffinity: initial", "8192 is more than 8191");
	config_refuse(AFFINITY("'initial': '0-4294967295'"), "process: execCPUAffinity: initial", "4294967295 is more than");
}

static void memory_policies_are_read(void **state)
{
	static const struct {
		const char *text;
		int         mode, flags;
		unsigned    nodes;
	} policies[] = {
		{ POLICY("MPOL_DEFAULT", ""), 0, 0, 0 },
		{ POLICY("MPOL_PREFERRED", ", 'nodes': ''"), 1, 0, 0 },
		{ POLICY("MPOL_PREFERRED", ", 'nodes': '1'"), 1, 0, 1 },
		{ POLICY("MPOL_BIND", ", 'nodes': '0-2', 'flags': [ 'MPOL_F_NUMA_BALANCING', 'MPOL_F_STATIC_NODES' ]"), 2, 0xa000, 3 },
		{ POLICY("MPOL_INTERLEAVE", ", 'nodes': '0', 'flags': [ 'MPOL_F_RELATIVE_NODES' ]"), 3, 0x4000, 1 },
		{ POLICY("MPOL_LOCAL", ", 'flags': []"), 4, 0, 0 },
		{ POLICY("MPOL_PREFERRED_MANY", ", 'nodes': '0,1', 'flags': [ 'MPOL_F_NUMA_BALANCING' ]"), 5, 0x2000, 2 },
		{ POLICY("MPOL_WEIGHTED_INTERLEAVE", ", 'nodes': '1023'"), 6, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		spec_owned spec;

		config_pass(policies[i].text);
		config_accept(policies[i].text, &spec);
		assert_true(spec.memory_policy.given);
		assert_int_equal(spec.memory_policy.mode, policies[i].mode);
		assert_int_equal(spec.memory_policy.flags, policies[i].flags);
		assert_int_equal(spec.memory_policy.nodes.words ? count(&spec.memory_policy.nodes) : 0, policies[i].nodes);
		assert_int_equal(spec.unsupported_count, 0);
	}
	spec_owned spec;
	config_accept(CONFIG(ROOT ", 'linux': { 'memoryPolicy': {} }"), &spec);
	assert_false(spec.memory_policy.given);
}

static void wrong_memory_policies_are_refused(void **state)
{
#define AT "linux: memoryPolicy: "
	(void)state;
	config_refuse(CONFIG(ROOT ", 'linux': { 'memoryPolicy': { 'nodes': '0' } }"), AT "mode", "missing");
	config_refuse(POLICY("MPOL_RANDOM", ""), AT "mode", "unknown mode \"MPOL_RANDOM\"");
	config_refuse(POLICY("MPOL_BIND", ", 'nodes': '0,'"), AT "nodes", "no list of numbers");
	config_refuse(POLICY("MPOL_BIND", ", 'nodes': '0', 'flags': [ 'MPOL_F_X' ]"), AT "flags", "unknown flags \"MPOL_F_X\"");
	config_fail(POLICY("MPOL_DEFAULT", ", 'nodes': '0'"), AT "nodes", "MPOL_DEFAULT takes none");
	config_fail(POLICY("MPOL_LOCAL", ", 'nodes': '0'"), AT "nodes", "MPOL_LOCAL takes none");
	config_fail(POLICY("MPOL_BIND", ""), AT "nodes", "MPOL_BIND needs at least one");
	config_fail(POLICY("MPOL_INTERLEAVE", ", 'nodes': ''"), AT "nodes", "needs at least one");
	config_fail(POLICY("MPOL_PREFERRED_MANY", ""), AT "nodes", "needs at least one");
	config_fail(POLICY("MPOL_WEIGHTED_INTERLEAVE", ""), AT "nodes", "needs at least one");
	config_fail(POLICY("MPOL_BIND", ", 'nodes': '0', 'flags': [ 'MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES' ]"), AT "flags",
		    "only one of them");
	config_fail(POLICY("MPOL_PREFERRED", ", 'flags': [ 'MPOL_F_STATIC_NODES' ]"), AT "flags", "need nodes");
	config_fail(POLICY("MPOL_INTERLEAVE", ", 'nodes': '0', 'flags': [ 'MPOL_F_NUMA_BALANCING' ]"), AT "flags",
		    "can't go with MPOL_INTERLEAVE");
#undef AT
}

static void capability_sets_that_the_kernel_refuses_are_named(void **state)
{
	(void)state;
	config_pass(CAPABILITIES("'permitted': [ 'CAP_KILL' ], 'effective': [ 'CAP_KILL' ]"));
	config_pass(CAPABILITIES("'ambient': [ 'CAP_KILL' ]")); /* that one is only noted */
	config_fail(CAPABILITIES("'permitted': [ 'CAP_KILL' ], 'effective': [ 'CAP_KILL', 'CAP_SYS_TIME' ]"),
		    "process: capabilities: effective", "CAP_SYS_TIME is not in permitted");
	config_fail(CAPABILITIES("'permitted': [ 'CAP_CHOWN' ], 'inheritable': [ 'CAP_CHOWN' ]"), "process: capabilities: inheritable",
		    "CAP_CHOWN is not in bounding");
}

static void capabilities_have_names(void **state)
{
	(void)state;
	assert_string_equal(spec_capability_name(0).text, "CAP_CHOWN");
	assert_string_equal(spec_capability_name(40).text, "CAP_CHECKPOINT_RESTORE");
	assert_string_equal(spec_capability_name(63).text, "number 63");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_policy_has_its_number),
		cmocka_unit_test(the_scheduler_members_are_read),
		cmocka_unit_test(each_scheduler_flag_has_its_bit),
		cmocka_unit_test(values_of_another_policy_are_refused),
		cmocka_unit_test(deadlines_are_checked),
		cmocka_unit_test(the_io_priority_is_read),
		cmocka_unit_test(lists_of_cpus_are_read),
		cmocka_unit_test(wrong_lists_of_cpus_are_refused),
		cmocka_unit_test(memory_policies_are_read),
		cmocka_unit_test(wrong_memory_policies_are_refused),
		cmocka_unit_test(capability_sets_that_the_kernel_refuses_are_named),
		cmocka_unit_test(capabilities_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
