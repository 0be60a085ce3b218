/* test_str.c - unit test; one test per rule stated in base/str.h. Side: any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"

static void a_number_is_digits_alone_and_within_its_bounds(void **state)
{
	static const char *const refused[] = { "", " 1", "1 ", "+1", "-1", "0x10", "1.0", "1e3", "18446744073709551616",
					       "99999999999999999999999" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < array_size(refused); i++)
		assert_false(str_to_uint(refused[i], UINT64_MAX, &value));
	assert_int_equal(value, 7);
	assert_true(str_to_uint("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_true(str_to_uint("007", 7, &value));
	assert_int_equal(value, 7);
	assert_false(str_to_uint("8", 7, &value));
}

static void a_text_grows_by_pieces_of_any_size(void **state)
{
	struct str text = { 0 };
	char big[1000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 100; i++)
		str_add(&text, "%d:%s,", i % 10, big);
	assert_false(text.failed);
	assert_int_equal(text.size, 100 * (2 + 999 + 1));
	assert_int_equal(strlen(text.text), text.size);
	str_add_bytes(&text, "a\0b", 3);
	assert_int_equal(text.text[text.size - 1], 'b');
	str_free(&text);
	assert_null(text.text);
}

static void a_text_that_no_memory_holds_is_refused(void **state)
{
	struct str text = { 0 };

	(void)state;
	str_add_bytes(&text, "x", SIZE_MAX - 50); /* twice that and some room wraps around to a few bytes */
	assert_true(text.failed);
	str_add(&text, "y");
	assert_null(text.text);
	str_free(&text);
}

static void a_start_is_no_part_of_something_longer(void **state)
{
	(void)state;
	assert_true(str_starts("/proc/x", "/proc/"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("/pro", "/proc"));
	assert_true(str_ends("a.scope", 7, ".scope"));
	assert_true(str_ends("a.scope/b", 7, ".scope"));
	assert_false(str_ends("a.scope/b", 9, ".scope"));
	assert_false(str_ends(".scope", 6, ".scope"));
	assert_false(str_ends("cope", 4, ".scope"));
}

static void the_last_component_has_no_slashes(void **state)
{
	static const struct { const char *path; size_t start, length; } cases[] = {
		{ "/a/bc", 3, 2 }, { "/a/bc//", 3, 2 }, { "a", 0, 1 }, { "a/", 0, 1 }, { "//a", 2, 1 }, { "/", 0, 0 }, { "///", 0, 0 }, { "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		size_t length = 99;

		assert_int_equal(str_last_component(cases[i].path, &length), cases[i].start);
		assert_int_equal(length, cases[i].length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_digits_alone_and_within_its_bounds),
		cmocka_unit_test(a_text_grows_by_pieces_of_any_size),
		cmocka_unit_test(a_text_that_no_memory_holds_is_refused),
		cmocka_unit_test(a_start_is_no_part_of_something_longer),
		cmocka_unit_test(the_last_component_has_no_slashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
