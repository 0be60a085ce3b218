/* test_log.c - unit test; a line of --log-format json is valid JSON, whatever is in the message. Side: any. */
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/str.h"

static char path[] = "/tmp/moss-test-log.XXXXXX";
static int  file = -1;

static int open_log(void **state)
{
	const struct log_options options = { .file = path, .json = true, .level = LOG_LEVEL_INFO };
	struct error err;

	(void)state;
	file = mkstemp(path);
	return file < 0 ? -1 : log_open(&options, &err);
}

static int remove_log(void **state)
{
	(void)state;
	close(file);
	return unlink(path);
}

/* The line that the log gets for @text, without its end. */
static void log_one(const char *text, char *line, size_t size)
{
	assert_int_equal(ftruncate(file, 0), 0);
	log_line(LOG_LEVEL_INFO, "%s", text);
	ssize_t count = pread(file, line, size, 0);
	assert_true(count > 0 && (size_t)count < size && line[count - 1] == '\n');
	line[count - 1] = '\0';
}

/* In the line @text stands as @written, and a reader finds @read. */
static void expect(const char *text, const char *written, const char *read)
{
	static const char before[] = "{\"level\":\"info\",\"msg\":\"", after[] = "\",\"time\":\"";
	struct json_object *msg = NULL;
	char line[4096];

	log_one(text, line, sizeof(line));
	assert_true(str_starts(line, before));
	assert_true(str_starts(line + strlen(before), written));
	assert_true(str_starts(line + strlen(before) + strlen(written), after));
	struct json_object *json = json_tokener_parse(line);
	assert_true(json_object_object_get_ex(json, "msg", &msg));
	assert_string_equal(json_object_get_string(msg), read);
	json_object_put(json);
}

static void what_json_does_not_take_is_escaped(void **state)
{
	(void)state;
	expect("", "", "");
	expect("a \"b\" \\ c/d", "a \\\"b\\\" \\\\ c/d", "a \"b\" \\ c/d");
	expect("\n\t\x01\x1f\x7f", "\\u000a\\u0009\\u0001\\u001f\x7f", "\n\t\x01\x1f\x7f");
}

#define NONE "\\ufffd"
#define READ "\xef\xbf\xbd"

static void characters_stay_as_they_are(void **state)
{
	/* The first and the last one of each length, and those beside the surrogates. */
	static const char *const texts[] = { " ", "~", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
					     "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb1z" };

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++)
		expect(texts[i], texts[i], texts[i]);
}

static void a_byte_of_no_character_is_replaced(void **state)
{
	(void)state;
	expect("\x80", NONE, READ);
	expect("a\xbfz", "a" NONE "z", "a" READ "z");
	expect("\xff\xfe", NONE NONE, READ READ);
	/* cut short, by the end or by something else */
	expect("\xc3", NONE, READ);
	expect("\xe2\x82", NONE NONE, READ READ);
	expect("\xf0\x9f\x8c\"", NONE NONE NONE "\\\"", READ READ READ "\"");
	expect("\xe2\x82\xc3\xa4", NONE NONE "\xc3\xa4", READ READ "\xc3\xa4");
}

static void an_overlong_character_is_replaced(void **state)
{
	(void)state;
	expect("\xc0\x80", NONE NONE, READ READ);
	expect("\xc1\xbf", NONE NONE, READ READ);
	expect("\xe0\x80\xaf", NONE NONE NONE, READ READ READ);
	expect("\xe0\x9f\xbf", NONE NONE NONE, READ READ READ);
	expect("\xf0\x8f\xbf\xbf", NONE NONE NONE NONE, READ READ READ READ);
	expect("\xf8\x88\x80\x80\x80", NONE NONE NONE NONE NONE, READ READ READ READ READ);
}

static void a_surrogate_or_what_is_above_the_last_character_is_replaced(void **state)
{
	(void)state;
	expect("\xed\xa0\x80", NONE NONE NONE, READ READ READ);
	expect("\xed\xbf\xbf", NONE NONE NONE, READ READ READ);
	expect("\xed\xa0\x81\xed\xb0\x80", NONE NONE NONE NONE NONE NONE, READ READ READ READ READ READ);
	expect("\xf4\x90\x80\x80", NONE NONE NONE NONE, READ READ READ READ);
	expect("\xf5\x80\x80\x80", NONE NONE NONE NONE, READ READ READ READ);
}

/* A message is cut where its buffer ends, which may be in the middle of a character. */
static void a_long_message_is_cut_and_valid(void **state)
{
	char text[3001], line[4096];

	(void)state;
	for (size_t first = 0; first < 3; first++) {
		memset(text, 'x', first);
		for (size_t i = first; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		log_one(text, line, sizeof(line));
		struct json_tokener *tokener = json_tokener_new();
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		struct json_object *json = json_tokener_parse_ex(tokener, line, -1);
		assert_non_null(json);
		json_object_put(json);
		json_tokener_free(tokener);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_json_does_not_take_is_escaped),
		cmocka_unit_test(characters_stay_as_they_are),
		cmocka_unit_test(a_byte_of_no_character_is_replaced),
		cmocka_unit_test(an_overlong_character_is_replaced),
		cmocka_unit_test(a_surrogate_or_what_is_above_the_last_character_is_replaced),
		cmocka_unit_test(a_long_message_is_cut_and_valid),
	};

	return cmocka_run_group_tests(tests, open_log, remove_log);
}
