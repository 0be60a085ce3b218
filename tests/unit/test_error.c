/* test_error.c - unit test; one test per rule stated in base/error.h. Side: any. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"

static void set_returns_the_negative_code(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, ENOENT, "open"), -ENOENT);
	assert_int_equal(err.code, ENOENT);
}

static void set_without_a_code_keeps_einval(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, 0, "bad %s", "word"), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.cause, "bad word");
}

static void the_kernels_word_ends_the_cause(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, ENOENT, "open");
	assert_string_equal(err.cause, "open: no such file or directory");
	error_set(&err, ENOENT, "%s", "");
	assert_string_equal(err.cause, "no such file or directory");
}

static void the_kernels_word_survives_a_long_cause(void **state)
{
	struct error err = { 0 };
	char long_text[2000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	error_set(&err, EPERM, "%s", long_text);
	const char *word = ": operation not permitted";
	assert_string_equal(err.cause + strlen(err.cause) - strlen(word), word);
}

static void set_forgets_an_earlier_failure(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, 0, "first");
	error_object(&err, "object");
	error_step(&err, "step");
	error_hint(&err, "hint");
	error_set(&err, 0, "second");
	assert_string_equal(err.object, "");
	assert_string_equal(err.step, "");
	assert_string_equal(err.hint, "");
}

static void outer_objects_go_before_inner_ones(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, 0, "missing");
	error_object(&err, "path");
	error_object(&err, "namespaces[%d]", 2);
	assert_int_equal(error_object(&err, "linux"), -EINVAL);
	assert_string_equal(err.object, "linux: namespaces[2]: path");
}

static void a_long_object_is_cut(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, 0, "missing");
	for (int i = 0; i < 200; i++)
		error_object(&err, "object%d", i);
	assert_true(strlen(err.object) < sizeof(err.object));
	assert_memory_equal(err.object, "object199: object198", 20);
}

static void the_innermost_step_and_hint_are_kept(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, EBUSY, "target");
	error_step(&err, "mount");
	error_hint(&err, "unmount %s", "it");
	assert_int_equal(error_step(&err, "create"), -EBUSY);
	assert_int_equal(error_hint(&err, "try again"), -EBUSY);
	assert_string_equal(err.step, "mount");
	assert_string_equal(err.hint, "unmount it");
}

static void text_has_every_part_in_order(void **state)
{
	struct error err = { 0 };
	char text[ERROR_TEXT_MAX];

	(void)state;
	error_set(&err, 0, "cause");
	error_text(&err, text, sizeof(text));
	assert_string_equal(text, "cause");
	error_object(&err, "object");
	error_step(&err, "step");
	error_hint(&err, "hint");
	error_text(&err, text, sizeof(text));
	assert_string_equal(text, "step: object: cause; hint");
}

static void one_error_crosses_a_pipe_in_one_write(void **state)
{
	(void)state;
	assert_true(sizeof(struct error) < PIPE_BUF);
}

static void the_longest_text_fits(void **state)
{
	struct error err = { .code = EINVAL };
	char text[ERROR_TEXT_MAX];

	(void)state;
	memset(err.step, 's', sizeof(err.step) - 1);
	memset(err.object, 'o', sizeof(err.object) - 1);
	memset(err.cause, 'c', sizeof(err.cause) - 1);
	memset(err.hint, 'h', sizeof(err.hint) - 1);
	error_text(&err, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(err.step) + sizeof(err.object) + sizeof(err.cause) +
				       sizeof(err.hint) - 4 + 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_returns_the_negative_code),
		cmocka_unit_test(set_without_a_code_keeps_einval),
		cmocka_unit_test(the_kernels_word_ends_the_cause),
		cmocka_unit_test(the_kernels_word_survives_a_long_cause),
		cmocka_unit_test(set_forgets_an_earlier_failure),
		cmocka_unit_test(outer_objects_go_before_inner_ones),
		cmocka_unit_test(a_long_object_is_cut),
		cmocka_unit_test(the_innermost_step_and_hint_are_kept),
		cmocka_unit_test(text_has_every_part_in_order),
		cmocka_unit_test(one_error_crosses_a_pipe_in_one_write),
		cmocka_unit_test(the_longest_text_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
