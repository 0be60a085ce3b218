/* test_scope_value.c - unit test; values of systemd's properties in words (helpers/scope/value.h). Side: any. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "value.h"

static struct arena arena;

static int free_arena(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* Read it; it must be of this type. */
static struct value value_of(const char *text, char type)
{
	struct value value;
	struct error err = { 0 };

	if (value_read(text, 0, &arena, &value, &err) < 0)
		fail_msg("%s: %s", text, err.cause);
	if (value.type != type)
		fail_msg("%s: type %c, not %c", text, value.type, type);
	return value;
}

static void assert_refused(const char *text)
{
	struct value value;
	struct error err = { 0 };

	if (value_read(text, 0, &arena, &value, &err) != -EINVAL)
		fail_msg("%s: read", text);
	assert_true(err.cause[0] != '\0' && err.hint[0] != '\0');
}

static void values_without_a_type_have_one(void **state)
{
	struct error err = { 0 };
	struct value value;

	(void)state;
	assert_true(value_of("true", 'b').items[0].truth);
	assert_false(value_of(" false ", 'b').items[0].truth);
	assert_true(value_of("18446744073709551615", 't').items[0].unsigned_integer == UINT64_MAX);
	assert_true(value_of("-9223372036854775808", 'x').items[0].integer == INT64_MIN);
	assert_true(value_of("0.25", 'd').items[0].real == 0.25);
	assert_string_equal(value_of("'a \\'b\\\\'", 's').items[0].text, "a 'b\\");
	assert_string_equal(value_of("\"it's\"", 's').items[0].text, "it's");
	assert_int_equal(value_read("15", 'i', &arena, &value, &err), 0);
	assert_int_equal(value.type, 'i');
	assert_int_equal(value.items[0].integer, 15);
}

static void a_type_before_a_value_is_its_type(void **state)
{
	static const struct {
		const char *text;
		char        type;
	} known[] = {
		{ "boolean true", 'b' }, { "byte 255", 'y' }, { "int16 -32768", 'n' }, { "uint16 65535", 'q' }, { "int32 -5", 'i' },
		{ "uint32 4294967295", 'u' }, { "int64 -1", 'x' }, { "uint64 0x10", 't' }, { "double 5", 'd' }, { "string 'x'", 's' },
		{ "objectpath '/a'", 'o' }, { "signature 'as'", 'g' }, { "@t 5", 't' }, { "@s 'x'", 's' }, { "@i -5", 'i' },
	};

	(void)state;
	for (size_t i = 0; i < array_size(known); i++)
		value_of(known[i].text, known[i].type);
	assert_true(value_of("uint64 0x10", 't').items[0].unsigned_integer == 16);
	assert_true(value_of("double 5", 'd').items[0].real == 5.0);
}

static void lists_hold_values_of_one_type(void **state)
{
	struct value list;

	(void)state;
	list = value_of("['a.service', 'b.service',]", 's');
	assert_true(list.is_list);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[1].text, "b.service");
	list = value_of("[uint32 1, 2]", 'u');
	assert_int_equal(list.items[1].unsigned_integer, 2);
	list = value_of("@as []", 's');
	assert_true(list.is_list && list.count == 0);
	assert_refused("['a', 1]");
	assert_refused("[uint32 1, uint64 2]");
	assert_refused("[]");
	assert_refused("['a' 'b']");
	assert_refused("['a'");
	assert_refused("[['a']]");
	assert_refused("@as 'a'");
}

static void what_is_no_value_is_refused(void **state)
{
	static const char *const refused[] = { "", " ", "yes", "number 5", "uint8 5", "byte 256", "uint32 -1", "int16 40000", "uint64",
					       "'a", "\"a'", "'a' b", "5 5", "truely", "1x", "--1", "string 5", "boolean 1", "byte 'a'",
					       "18446744073709551616", "double inf", "nan", "@z 5", "@", "@t", "int32 2.5", "(1, 2)" };

	(void)state;
	for (size_t i = 0; i < array_size(refused); i++)
		assert_refused(refused[i]);
}

static void seconds_become_microseconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t    us;
	} known[] = { { "5", 5000000 }, { "0.5", 500000 }, { "int32 3", 3000000 }, { "double 1.0000005", 1000001 }, { "'infinity'", UINT64_MAX } };
	static const char *const refused[] = { "-1", "'5'", "true", "[5]", "1e30" };
	struct error err = { 0 };
	struct value value;

	(void)state;
	for (size_t i = 0; i < array_size(known); i++) {
		assert_int_equal(value_read(known[i].text, 0, &arena, &value, &err), 0);
		assert_int_equal(value_seconds_to_us(&value, &err), 0);
		assert_int_equal(value.type, 't');
		assert_true(value.items[0].unsigned_integer == known[i].us);
	}
	for (size_t i = 0; i < array_size(refused); i++)
		assert_true(value_read(refused[i], 0, &arena, &value, &err) < 0 || value_seconds_to_us(&value, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_without_a_type_have_one),
		cmocka_unit_test(a_type_before_a_value_is_its_type),
		cmocka_unit_test(lists_hold_values_of_one_type),
		cmocka_unit_test(what_is_no_value_is_refused),
		cmocka_unit_test(seconds_become_microseconds),
	};
	return cmocka_run_group_tests(tests, NULL, free_arena);
}
