/* test_notify_message.c - unit test; one test per rule stated in host/notify_message.h. Side: any. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "host/notify_message.h"

static struct notify_message out;

static void filter(const char *bytes, size_t size)
{
	memset(&out, 'x', sizeof(out)); /* what an earlier message left */
	notify_message_filter(bytes, size, 4711, &out);
}

static void expect(const char *text, const char *passed)
{
	filter(text, strlen(text));
	assert_int_equal(out.size, strlen(passed));
	assert_memory_equal(out.text, passed, out.size);
}

static void a_services_own_affairs_pass(void **state)
{
	static const char *const lines[] = {
		"STATUS=half way\n", "STATUS=\n", "STATUS=\xc3\xa4\xe2\x82\xac\n", "RELOADING=1\n", "STOPPING=1\n", "WATCHDOG=1\n",
		"WATCHDOG=trigger\n", "ERRNO=2\n", "EXIT_STATUS=0\n", "MONOTONIC_USEC=18446744073709551615\n",
		"EXTEND_TIMEOUT_USEC=5\n", "BUSERROR=org.example.Error\n", "VARLINKERROR=x\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		expect(lines[i], lines[i]);
		assert_false(out.ready);
	}
	expect("STATUS=no newline", "STATUS=no newline\n");
	expect("STATUS=a\nERRNO=1\nSTATUS=b\n", "STATUS=a\nERRNO=1\nSTATUS=b\n");
}

static void ready_brings_the_main_pid(void **state)
{
	(void)state;
	expect("READY=1", "READY=1\nMAINPID=4711\n");
	assert_true(out.ready);
	expect("MAINPID=1\nREADY=1\nSTATUS=x\nMAINPID=2", "READY=1\nSTATUS=x\nMAINPID=4711\n");
	assert_true(out.ready);
}

static void everything_else_goes(void **state)
{
	static const char *const lines[] = {
		"", "\n", "\n\n", "=", "x", "READY", "READY=", "READY=0", "READY=11", "READY=1 ", " READY=1", "ready=1", "XREADY=1",
		"STATUS", "MAINPID=1", "MAINPIDFDID=1", "NOTIFYACCESS=all", "WATCHDOG_USEC=0", "WATCHDOG=", "WATCHDOG=2", "FDSTORE=1",
		"FDSTOREREMOVE=1", "FDNAME=x", "FDPOLL=0", "BARRIER=1", "RELOADING=0", "STOPPING=", "ERRNO=", "ERRNO=-1", "ERRNO=1x",
		"EXTEND_TIMEOUT_USEC=123456789012345678901", "X_OWN=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		expect(lines[i], "");
		assert_false(out.ready);
	}
}

static void texts_have_no_control_characters(void **state)
{
	(void)state;
	expect("STATUS=\033[2J\nSTATUS=a\rb\nSTATUS=a\x7f\nSTATUS=a\xc2\x9b" "2J\nSTATUS=\tx\nERRNO=1", "ERRNO=1\n");
	expect("STATUS=\xc2\xa0", "STATUS=\xc2\xa0\n");
	expect("STATUS=\xc2", "STATUS=\xc2\n"); /* no character at all: for the manager to judge */
	filter("STATUS=a\0b", 10);
	assert_int_equal(out.size, 0);
}

static void one_nul_at_the_end_is_allowed(void **state)
{
	(void)state;
	filter("READY=1", 8);
	assert_true(out.ready);
	filter("READY=1\0", 9);
	assert_false(out.ready);
}

static void the_longest_message_fits_with_the_pid(void **state)
{
	static char text[NOTIFY_TAKEN_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "READY=1\nSTATUS=", 15);
	notify_message_filter(text, NOTIFY_TAKEN_MAX, INT32_MAX, &out);
	assert_int_equal(out.size, NOTIFY_TAKEN_MAX + 1 + strlen("MAINPID=2147483647\n"));
	assert_true(out.size <= NOTIFY_BYTES_MAX);
	filter(text, NOTIFY_TAKEN_MAX + 1);
	assert_int_equal(out.size, 0);
	assert_false(out.ready);
	memset(text, '\n', sizeof(text)); /* the most lines */
	filter(text, NOTIFY_TAKEN_MAX);
	assert_int_equal(out.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_services_own_affairs_pass),
		cmocka_unit_test(ready_brings_the_main_pid),
		cmocka_unit_test(everything_else_goes),
		cmocka_unit_test(texts_have_no_control_characters),
		cmocka_unit_test(one_nul_at_the_end_is_allowed),
		cmocka_unit_test(the_longest_message_fits_with_the_pid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
