/* test_seccomp.c - unit test; what the program of a seccomp filter answers (host/seccomp_program.h). Side: host. */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config_text.h"
#include "host/seccomp_cache.h"
#include "host/seccomp_program.h"

#define ALLOW SECCOMP_RET_ALLOW
#define NO(number) (SECCOMP_RET_ERRNO | (number))
#define X32(number) (0x40000000u | (number))
#define NUMBER_MAX 20000

struct filter {
	struct spec spec;
	struct sock_filter program[BPF_MAXINSNS];
	uint16_t count;
};

static void filter_free(struct filter *filter)
{
	spec_free(&filter->spec);
}
#define filter_owned __attribute__((cleanup(filter_free))) struct filter

/* The filter of a section with these members; its default is EPERM unless they say otherwise. */
static void make(struct filter *filter, const char *members)
{
	struct error err = { 0 };
	char text[8192];

	snprintf(text, sizeof(text), LINUX("'seccomp': { %s }"), members);
	config_accept(text, &filter->spec);
	if (seccomp_program_make(filter->spec.seccomp, filter->program, &filter->count, &err) < 0)
		fail_msg("%s: %s: %s", members, err.object, err.cause);
	assert_in_range(filter->count, 1, BPF_MAXINSNS);
}

static uint32_t ask_on(const struct filter *filter, uint32_t arch, long number, const uint64_t *args)
{
	struct seccomp_data call = { .nr = (int)number, .arch = arch };

	if (args != NULL)
		memcpy(call.args, args, sizeof(call.args));
	return seccomp_program_run(filter->program, filter->count, &call);
}

static uint32_t ask(const struct filter *filter, long number)
{
	return ask_on(filter, seccomp_arch_native(), number, NULL);
}

static uint32_t ask_arg(const struct filter *filter, long number, unsigned index, uint64_t value)
{
	uint64_t args[6] = { 0 };

	args[index] = value;
	return ask_on(filter, seccomp_arch_native(), number, args);
}

static void every_action_is_what_it_says(void **state)
{
	static const struct {
		const char *action;
		uint32_t    verdict;
	} actions[] = {
		{ "'action': 'SCMP_ACT_KILL'", SECCOMP_RET_KILL_THREAD },
		{ "'action': 'SCMP_ACT_KILL_THREAD'", SECCOMP_RET_KILL_THREAD },
		{ "'action': 'SCMP_ACT_KILL_PROCESS'", SECCOMP_RET_KILL_PROCESS },
		{ "'action': 'SCMP_ACT_TRAP'", SECCOMP_RET_TRAP },
		{ "'action': 'SCMP_ACT_ERRNO'", NO(1) },
		{ "'action': 'SCMP_ACT_ERRNO', 'errnoRet': 4094", NO(4094) },
		{ "'errnoRet': 0, 'action': 'SCMP_ACT_ERRNO'", NO(0) },
		{ "'action': 'SCMP_ACT_TRACE'", SECCOMP_RET_TRACE | 1 },
		{ "'action': 'SCMP_ACT_TRACE', 'errnoRet': 65535", SECCOMP_RET_TRACE | 65535 },
		{ "'action': 'SCMP_ACT_LOG'", SECCOMP_RET_LOG },
		{ "'action': 'SCMP_ACT_NOTIFY'", SECCOMP_RET_USER_NOTIF },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		filter_owned filter;
		char members[256];

		snprintf(members, sizeof(members), "'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'getpid' ], %s } ]",
			 actions[i].action);
		make(&filter, members);
		assert_int_equal(ask(&filter, SYS_getpid), actions[i].verdict);
		assert_int_equal(ask(&filter, SYS_getppid), ALLOW);
	}
}

static void every_default_is_what_it_says(void **state)
{
	static const struct {
		const char *text;
		uint32_t    verdict;
	} defaults[] = {
		{ "'defaultAction': 'SCMP_ACT_KILL'", SECCOMP_RET_KILL_THREAD },
		{ "'defaultAction': 'SCMP_ACT_KILL_PROCESS'", SECCOMP_RET_KILL_PROCESS },
		{ "'defaultAction': 'SCMP_ACT_TRAP'", SECCOMP_RET_TRAP },
		{ "'defaultAction': 'SCMP_ACT_ERRNO'", NO(1) },
		{ "'defaultErrnoRet': 77, 'defaultAction': 'SCMP_ACT_ERRNO'", NO(77) },
		{ "'defaultAction': 'SCMP_ACT_TRACE', 'defaultErrnoRet': 78", SECCOMP_RET_TRACE | 78 },
		{ "'defaultAction': 'SCMP_ACT_LOG'", SECCOMP_RET_LOG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		filter_owned filter;
		char members[256];

		snprintf(members, sizeof(members), "%s, 'syscalls': [ { 'names': [ 'getpid', 'statx' ], 'action': 'SCMP_ACT_ALLOW' } ]",
			 defaults[i].text);
		make(&filter, members);
		assert_int_equal(ask(&filter, SYS_getpid), ALLOW);
		assert_int_equal(ask(&filter, SYS_getppid), defaults[i].verdict);
	}
}

static void arguments_are_compared_whole_and_without_a_sign(void **state)
{
	/* Where a long has 32 bits libseccomp looks at no more. */
	const uint64_t value = sizeof(long) == 8 ? UINT64_C(0x8000000100000005) : 0x80000005;
	static const struct {
		const char *op;
		bool below, equal, above;
	} ops[] = {
		{ "NE", true, false, true }, { "LT", true, false, false }, { "LE", true, true, false },
		{ "EQ", false, true, false }, { "GE", false, true, true }, { "GT", false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		for (unsigned index = 0; index < 6; index++) {
			filter_owned filter;
			char members[512];

			snprintf(members, sizeof(members), "'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [ { 'names': [ 'getpid' ], 'action': "
				 "'SCMP_ACT_ALLOW', 'args': [ { 'index': %u, 'value': %llu, 'op': 'SCMP_CMP_%s' } ] } ]",
				 index, (unsigned long long)value, ops[i].op);
			make(&filter, members);
			assert_int_equal(ask_arg(&filter, SYS_getpid, index, value - 1), ops[i].below ? ALLOW : NO(1));
			assert_int_equal(ask_arg(&filter, SYS_getpid, index, value), ops[i].equal ? ALLOW : NO(1));
			assert_int_equal(ask_arg(&filter, SYS_getpid, index, value + 1), ops[i].above ? ALLOW : NO(1));
			/* Only the lower half is the same, or larger. */
			assert_int_equal(ask_arg(&filter, SYS_getpid, index, 6), ops[i].below ? ALLOW : NO(1));
			assert_int_equal(ask_arg(&filter, SYS_getpid, index, ULONG_MAX), ops[i].above ? ALLOW : NO(1));
		}
}

static void a_mask_is_the_value_and_what_it_leaves_the_second(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, "'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [ { 'names': [ 'getpid' ], 'action': 'SCMP_ACT_ALLOW', "
		      "'args': [ { 'index': 1, 'value': 240, 'valueTwo': 80, 'op': 'SCMP_CMP_MASKED_EQ' } ] } ]");
	assert_int_equal(ask_arg(&filter, SYS_getpid, 1, 80), ALLOW);
	assert_int_equal(ask_arg(&filter, SYS_getpid, 1, 0xf00000000000005f), ALLOW);
	assert_int_equal(ask_arg(&filter, SYS_getpid, 1, 240), NO(1));
	assert_int_equal(ask_arg(&filter, SYS_getpid, 1, 0), NO(1));
	assert_int_equal(ask_arg(&filter, SYS_getpid, 0, 80), NO(1));
}

#define ARG(index, value) "{ 'index': " #index ", 'value': " #value ", 'op': 'SCMP_CMP_EQ' }"

static void different_arguments_must_all_hold(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, "'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [ { 'names': [ 'getpid' ], 'action': 'SCMP_ACT_ALLOW', "
		      "'args': [ " ARG(0, 5) ", " ARG(2, 7) " ] } ]");
	assert_int_equal(ask_on(&filter, seccomp_arch_native(), SYS_getpid, (uint64_t[6]){ 5, 0, 7 }), ALLOW);
	assert_int_equal(ask_on(&filter, seccomp_arch_native(), SYS_getpid, (uint64_t[6]){ 5, 0, 8 }), NO(1));
	assert_int_equal(ask_on(&filter, seccomp_arch_native(), SYS_getpid, (uint64_t[6]){ 4, 0, 7 }), NO(1));
}

static void the_same_argument_again_is_an_alternative(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, "'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [ { 'names': [ 'getpid' ], 'action': 'SCMP_ACT_ALLOW', "
		      "'args': [ " ARG(0, 5) ", " ARG(0, 6) ", " ARG(2, 7) " ] } ]");
	assert_int_equal(ask_arg(&filter, SYS_getpid, 0, 5), ALLOW);
	assert_int_equal(ask_arg(&filter, SYS_getpid, 0, 6), ALLOW);
	assert_int_equal(ask_arg(&filter, SYS_getpid, 2, 7), ALLOW); /* each by itself, as runc has it */
	assert_int_equal(ask_arg(&filter, SYS_getpid, 0, 7), NO(1));
}

static void more_arguments_than_there_are_indices(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, "'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [ { 'names': [ 'getpid' ], 'action': 'SCMP_ACT_ALLOW', "
		      "'args': [ " ARG(0, 1) ", " ARG(1, 1) ", " ARG(2, 1) ", " ARG(3, 1) ", " ARG(4, 1) ", " ARG(5, 1) ", " ARG(0, 9)
		      ", " ARG(1, 9) ", " ARG(2, 9) ", " ARG(3, 9) ", " ARG(4, 9) ", " ARG(5, 9) " ] } ]");
	assert_int_equal(ask_arg(&filter, SYS_getpid, 5, 9), ALLOW);
	assert_int_equal(ask_arg(&filter, SYS_getpid, 5, 8), NO(1));
}

static void unknown_names_and_redundant_rules_are_left_out(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, "'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ "
		      "{ 'names': [ 'moss_no_such_call', 'getpid', '' ], 'action': 'SCMP_ACT_ERRNO' }, "
		      "{ 'names': [ 'getpid', 'getpid' ], 'action': 'SCMP_ACT_ERRNO' }, "
		      "{ 'names': [ 'getppid' ], 'action': 'SCMP_ACT_ALLOW' } ]");
	assert_int_equal(ask(&filter, SYS_getpid), NO(1));
	assert_int_equal(ask(&filter, SYS_getppid), ALLOW);
}

static void the_same_action_with_another_errno_is_not_redundant(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, "'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [ "
		      "{ 'names': [ 'getpid', 'statx' ], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 38 } ]");
	assert_int_equal(ask(&filter, SYS_getpid), NO(38));
	assert_int_equal(ask(&filter, SYS_getppid), NO(1));
}

#define KNOWS(name) "'syscalls': [ { 'names': [ 'getpid', '" name "' ], 'action': 'SCMP_ACT_ALLOW' } ]"

static void calls_newer_than_the_profile_are_unknown_to_it(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		filter_owned filter;

		/* Also where the rule denies what it names: the author knew it. */
		make(&filter, i == 0 ? "'defaultAction': 'SCMP_ACT_ERRNO', " KNOWS("openat2")
				     : "'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [ { 'names': [ 'openat2' ], "
				       "'action': 'SCMP_ACT_KILL' } ]");
		assert_int_equal(ask(&filter, SYS_openat2), i == 0 ? ALLOW : SECCOMP_RET_KILL_THREAD);
		assert_int_equal(ask(&filter, SYS_getppid), NO(1));
		assert_int_equal(ask(&filter, SYS_openat2 + 1), NO(38));
		for (long number = SYS_openat2 + 1; number < NUMBER_MAX; number++)
			assert_int_equal(ask(&filter, number), NO(38));
		assert_int_equal(ask(&filter, -1), NO(1)); /* a tracer has answered already */
	}
}

static void only_an_errno_becomes_another_one(void **state)
{
	static const struct {
		const char *text;
		uint32_t    verdict;
	} filters[] = {
		{ "'defaultAction': 'SCMP_ACT_KILL', " KNOWS("openat2"), SECCOMP_RET_KILL_THREAD },
		{ "'defaultAction': 'SCMP_ACT_TRACE', " KNOWS("openat2"), SECCOMP_RET_TRACE | 1 },
		{ "'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'openat2' ], 'action': 'SCMP_ACT_ERRNO' } ]", ALLOW },
		{ "'defaultAction': 'SCMP_ACT_ERRNO'", NO(1) }, /* nothing is known of what it knows */
		{ "'defaultAction': 'SCMP_ACT_ERRNO', " KNOWS("openat2"), NO(38) },
		{ "'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 13, " KNOWS("openat2"), NO(38) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		filter_owned filter;

		make(&filter, filters[i].text);
		assert_int_equal(ask(&filter, SYS_openat2 + 1), filters[i].verdict);
	}
}

#if defined(__x86_64__)
#define THREE "'defaultAction': 'SCMP_ACT_ERRNO', 'architectures': [ 'SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_X86_64', " \
	"'SCMP_ARCH_X86' ], "

static void each_architecture_has_its_own_numbers(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, THREE KNOWS("statx"));
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, 39, NULL), ALLOW);
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, 20, NULL), NO(1));
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, 333, NULL), NO(38));
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, 20, NULL), ALLOW);
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, 39, NULL), NO(1));
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, 383, NULL), ALLOW);
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, 384, NULL), NO(38));
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, X32(39), NULL), ALLOW);
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, X32(332), NULL), ALLOW);
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, X32(333), NULL), NO(38));
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, X32(520), NULL), NO(1)); /* its execve is older than that number looks */
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_AARCH64, 172, NULL), SECCOMP_RET_KILL_THREAD);
}

/* i386 has calls with two ways in: socketcall(2) or ipc(2), and numbers of their own. */
static void calls_with_two_ways_in_are_known_by_both(void **state)
{
	static const struct {
		const char *text;
		int         number;
	} calls[] = { { THREE KNOWS("sendmsg"), 370 }, { THREE KNOWS("shmdt"), 398 }, { THREE KNOWS("socket"), 359 } };

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		filter_owned filter;

		make(&filter, calls[i].text);
		assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, calls[i].number, NULL), ALLOW);
		assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, calls[i].number + 1, NULL), NO(38));
		assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, 19, NULL), NO(1));
	}
}

static void an_architecture_that_is_not_named_is_killed(void **state)
{
	filter_owned filter;

	(void)state;
	make(&filter, "'defaultAction': 'SCMP_ACT_ERRNO', " KNOWS("statx"));
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, 39, NULL), ALLOW);
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_I386, 20, NULL), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(ask_on(&filter, AUDIT_ARCH_X86_64, X32(39), NULL), SECCOMP_RET_KILL_THREAD);
}
#endif

static void architectures_that_libseccomp_lacks_are_told_apart(void **state)
{
	(void)state;
	assert_true(seccomp_program_knows(seccomp_arch_native()));
	/* One program is for one byte order. */
	assert_int_equal(seccomp_program_knows(SCMP_ARCH_AARCH64), __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
	assert_int_equal(seccomp_program_knows(SCMP_ARCH_MIPS), __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	assert_false(seccomp_program_knows(0x12345));
}

static void a_program_that_makes_no_sense_kills(void **state)
{
	static const struct sock_filter endless[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	static const struct sock_filter outside[] = { BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, ALLOW) };
	static const struct sock_filter beyond[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, ALLOW) };
	const struct seccomp_data call = { .nr = 1 };

	(void)state;
	assert_int_equal(seccomp_program_run(endless, 1, &call), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(seccomp_program_run(outside, 2, &call), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(seccomp_program_run(beyond, 2, &call), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(seccomp_program_run(beyond + 1, 1, &call), ALLOW);
}

/* The key is the whole of what a program is made from. */
static void another_section_has_another_key(void **state)
{
	static const char *const sections[] = {
		"'defaultAction': 'SCMP_ACT_ALLOW'",
		"'defaultAction': 'SCMP_ACT_LOG'",
		"'defaultAction': 'SCMP_ACT_ERRNO'",
		"'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 2",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': [ 'SCMP_ARCH_X86' ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': [ 'SCMP_ARCH_X32' ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_TRAP' } ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_LOG' } ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a', 'b' ], 'action': 'SCMP_ACT_TRAP' } ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a 1:b' ], 'action': 'SCMP_ACT_TRAP' } ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_TRAP' }, "
		"{ 'names': [ 'b' ], 'action': 'SCMP_ACT_TRAP' } ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_TRAP', 'args': [ " ARG(0, 1) " ] } ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_TRAP', 'args': [ " ARG(1, 1) " ] } ]",
		"'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_TRAP', 'args': [ " ARG(0, 2) " ] } ]",
	};
	enum { COUNT = sizeof(sections) / sizeof(sections[0]) };
	struct str keys[COUNT] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct spec spec;
		char text[1024];

		snprintf(text, sizeof(text), LINUX("'seccomp': { %s }"), sections[i]);
		config_accept(text, &spec);
		seccomp_cache_key(spec.seccomp, &keys[i]);
		assert_false(keys[i].failed);
		spec_free(&spec);
		for (size_t j = 0; j < i; j++)
			if (keys[i].size == keys[j].size && memcmp(keys[i].text, keys[j].text, keys[i].size) == 0)
				fail_msg("%s and %s have the same key", sections[i], sections[j]);
	}
	for (size_t i = 0; i < COUNT; i++)
		str_free(&keys[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_action_is_what_it_says),
		cmocka_unit_test(every_default_is_what_it_says),
		cmocka_unit_test(arguments_are_compared_whole_and_without_a_sign),
		cmocka_unit_test(a_mask_is_the_value_and_what_it_leaves_the_second),
		cmocka_unit_test(different_arguments_must_all_hold),
		cmocka_unit_test(the_same_argument_again_is_an_alternative),
		cmocka_unit_test(more_arguments_than_there_are_indices),
		cmocka_unit_test(unknown_names_and_redundant_rules_are_left_out),
		cmocka_unit_test(the_same_action_with_another_errno_is_not_redundant),
		cmocka_unit_test(calls_newer_than_the_profile_are_unknown_to_it),
		cmocka_unit_test(only_an_errno_becomes_another_one),
#if defined(__x86_64__)
		cmocka_unit_test(each_architecture_has_its_own_numbers),
		cmocka_unit_test(calls_with_two_ways_in_are_known_by_both),
		cmocka_unit_test(an_architecture_that_is_not_named_is_killed),
#endif
		cmocka_unit_test(architectures_that_libseccomp_lacks_are_told_apart),
		cmocka_unit_test(a_program_that_makes_no_sense_kills),
		cmocka_unit_test(another_section_has_another_key),
	};
	/* All that libseccomp has, whatever this kernel has of it. */
	if (seccomp_api_get() < 6)
		(void)seccomp_api_set(6);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
