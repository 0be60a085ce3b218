/* test_json.c - unit test; what spec/json_text.h and json_parse() refuse. Side: any. */
#define _GNU_SOURCE
#include <stdio.h>

#include "config_text.h"
#include "spec/json_read.h"

#define COUNT_MAX 100

/* Parse @size bytes of @text as they are. */
static int parse(const char *text, size_t size, int depth, struct error *err)
{
	const struct json_limits limits = { depth, COUNT_MAX };
	struct json_object *object = NULL;
	char *bytes = malloc(size + (size == 0));

	assert_non_null(bytes);
	memcpy(bytes, text, size);
	*err = (struct error){ 0 };
	int ret = json_parse(bytes, size, &limits, &object, err);
	free(bytes);
	json_object_put(object);
	assert_int_equal(ret, -err->code);
	return ret;
}

static void accept(const char *text)
{
	struct error err;

	if (parse(text, strlen(text), 64, &err) != 0)
		fail_msg("%s: %s: %s", text, err.object, err.cause);
}

static void refuse(const char *text, const char *object, const char *cause)
{
	struct error err;

	if (parse(text, strlen(text), 64, &err) == 0)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.object, object);
	if (strstr(err.cause, cause) == NULL)
		fail_msg("%s: \"%s\" is not in \"%s\"", text, cause, err.cause);
}

static void plain_json_is_accepted(void **state)
{
	(void)state;
	accept("{}");
	accept(" \t\r\n{ \"a\" : [ 1, -2.5e+3, 0, -0, \"\\u00e9\\\"\\\\\", true, false, null, {} ] }\n ");
}

static void only_one_object_is_accepted(void **state)
{
	(void)state;
	refuse("[]", "", "expected an object, found an array");
	refuse("null\n", "", "expected an object, found null");
	refuse("\"a\"", "", "expected an object");
	refuse("{} {}", "line 1, column 4", "");
	refuse("{}\n x", "line 2, column 2", "a word that JSON does not have");
	refuse("{} 1", "line 1, column 4", "");
	refuse("{}]", "line 1, column 3", "");
}

static void an_unfinished_text_is_refused(void **state)
{
	(void)state;
	refuse("", "line 1, column 1", "ends too early");
	refuse("{", "line 1, column 2", "ends too early");
	refuse("{\"a\":[1", "line 1, column 8", "ends too early");
	refuse("{\"a", "line 1, column 2", "string without an end");
	refuse("{\"a\\", "line 1, column 2", "string without an end");
}

static void syntax_is_strict(void **state)
{
	(void)state;
	refuse("{]", "line 1, column 2", "not JSON");
	refuse("{\"a\":1,}", "line 1, column 8", "");
	refuse("{\"a\":[1,]}", "line 1, column 9", "");
	refuse("{'a':1}", "line 1, column 2", "unexpected character");
	refuse("{/* */}", "line 1, column 2", "unexpected character");
	refuse("{\"a\":NaN}", "line 1, column 6", "a word that JSON does not have");
	refuse("{\"a\":Infinity}", "line 1, column 6", "a word that JSON does not have");
	refuse("{\"a\":-Infinity}", "line 1, column 6", "not a JSON number");
	refuse("{\"a\":True}", "line 1, column 6", "a word that JSON does not have");
	refuse("{\"a\":\v1}", "line 1, column 6", "unexpected character");
	refuse("{\"a\" \"b\"}", "line 1, column 6", "not JSON");
}

static void numbers_are_jsons(void **state)
{
	(void)state;
	refuse("{\"a\":01}", "line 1, column 6", "not a JSON number");
	refuse("{\"a\":-01}", "line 1, column 6", "not a JSON number");
	refuse("{\"a\":1.}", "line 1, column 6", "not a JSON number");
	refuse("{\"a\":1e}", "line 1, column 6", "not a JSON number");
	refuse("{\"a\":-}", "line 1, column 6", "not a JSON number");
	refuse("{\"a\":+1}", "line 1, column 6", "unexpected character");
}

static void integers_beyond_64_bits_are_refused(void **state)
{
	(void)state;
	accept("{\"a\":18446744073709551615}");
	accept("{\"a\":-9223372036854775808}");
	accept("{\"a\":100000000000000000000.5}"); /* no integer: json-c keeps a double */
	refuse("{\"a\":18446744073709551616}", "line 1, column 6", "does not fit 64 bits");
	refuse("{\"a\":-9223372036854775809}", "line 1, column 6", "does not fit 64 bits");
	refuse("{\n\"a\":99999999999999999999999}", "line 2, column 5", "does not fit 64 bits");
	refuse("{\"a\":100000000000000000000}", "line 1, column 6", "does not fit 64 bits");
}

static void nul_bytes_are_refused(void **state)
{
	static const char inside[] = "{\"a\":\"x\0y\"}", outside[] = "{}\0{}";
	struct error err;

	(void)state;
	assert_int_equal(parse(inside, sizeof(inside) - 1, 64, &err), -EINVAL);
	assert_string_equal(err.object, "line 1, column 8");
	assert_non_null(strstr(err.cause, "NUL byte"));
	assert_int_equal(parse(outside, sizeof(outside) - 1, 64, &err), -EINVAL);
	assert_string_equal(err.object, "line 1, column 3");
	refuse("{\"a\":\"x\\u0000y\"}", "line 1, column 8", "NUL");
	refuse("{\"a\\u0000\":1}", "line 1, column 4", "NUL");
	accept("{\"a\":\"\\\\u0000\"}"); /* a backslash and the text u0000 */
}

static void control_characters_in_a_string_are_refused(void **state)
{
	(void)state;
	refuse("{\"a\":\"x\ny\"}", "line 1, column 8", "control character");
	accept("{\"a\":\"x\\ny\"}");
}

static void duplicate_keys_are_refused_by_name(void **state)
{
	(void)state;
	refuse("{\"a\":1,\"b\":2,\n\"a\":3}", "line 2, column 1", "duplicate key \"a\"");
	refuse("{\"x\":[{\"b\":1},{\"b\":1,\"c\":{},\"b\" :2}]}", "line 1, column 29",
	       "duplicate key \"b\"");
	refuse("{\"a\":{\"z\":null,\"z\":null}}", "line 1, column 16", "duplicate key \"z\"");
	refuse("{\"a\":1,\"\\u0061\":2}", "", "the same key twice");
}

static void equal_keys_of_different_objects_are_accepted(void **state)
{
	(void)state;
	accept("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}],\"c\":\"a:a:a\",\"d\":\":\"}");
}

static void the_depth_is_limited(void **state)
{
	char text[400];
	struct error err;

	(void)state;
	for (int levels = 63; levels <= 66; levels++) {
		int used = snprintf(text, sizeof(text), "{\"a\":");

		for (int i = 1; i < levels; i++)
			text[used++] = '[';
		for (int i = 1; i < levels; i++)
			text[used++] = ']';
		text[used++] = '}';
		int ret = parse(text, (size_t)used, 64, &err);
		assert_int_equal(ret, levels <= 64 ? 0 : -EINVAL);
		if (ret < 0)
			assert_string_equal(err.cause, "nested too deeply");
	}
	/* A value in the innermost container is no further level. */
	int used = snprintf(text, sizeof(text), "{\"a\":");
	for (int i = 1; i < 64; i++)
		text[used++] = '[';
	text[used++] = '1';
	for (int i = 1; i < 64; i++)
		text[used++] = ']';
	text[used++] = '}';
	assert_int_equal(parse(text, (size_t)used, 64, &err), 0);
}

static void the_number_of_objects_and_arrays_is_limited(void **state)
{
	char text[4 * COUNT_MAX + 40];
	struct error err;

	(void)state;
	for (size_t count = COUNT_MAX; count <= COUNT_MAX + 1; count++) {
		int used = snprintf(text, sizeof(text), "{\"a\":[\"[[[{{{\"");

		for (size_t i = 2; i < count; i++)
			used += snprintf(text + used, sizeof(text) - (size_t)used, i % 2 ? ",[]" : ",{}");
		used += snprintf(text + used, sizeof(text) - (size_t)used, "]}");
		int ret = parse(text, (size_t)used, 64, &err);
		assert_int_equal(ret, count <= COUNT_MAX ? 0 : -EINVAL);
		if (ret < 0)
			assert_string_equal(err.cause, "too many objects and arrays");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_json_is_accepted),
		cmocka_unit_test(only_one_object_is_accepted),
		cmocka_unit_test(an_unfinished_text_is_refused),
		cmocka_unit_test(syntax_is_strict),
		cmocka_unit_test(numbers_are_jsons),
		cmocka_unit_test(integers_beyond_64_bits_are_refused),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(control_characters_in_a_string_are_refused),
		cmocka_unit_test(duplicate_keys_are_refused_by_name),
		cmocka_unit_test(equal_keys_of_different_objects_are_accepted),
		cmocka_unit_test(the_depth_is_limited),
		cmocka_unit_test(the_number_of_objects_and_arrays_is_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
