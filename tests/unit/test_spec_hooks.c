/* test_spec_hooks.c - unit test; hooks of config.json, and the state that they are told. Side: any. */
#define _GNU_SOURCE
#include <stdio.h>

#include "config_text.h"

#define HOOKS(kind, hook) CONFIG("'hooks': { '" kind "': [ { 'path': '/x' }, { " hook " } ] }")

static void each_kind_is_read_into_its_own_list(void **state)
{
	(void)state;
	for (int kind = 0; kind < SPEC_HOOK_COUNT; kind++) {
		char text[200];
		spec_owned spec;

		snprintf(text, sizeof(text), CONFIG("'hooks': { '%s': [ { 'path': '/a' }, { 'path': '/b' } ] }"),
			 spec_hook_names[kind]);
		config_accept(text, &spec);
		assert_int_equal(spec.unsupported_count, 0);
		for (int other = 0; other < SPEC_HOOK_COUNT; other++)
			assert_int_equal(spec.hooks[other].count, other == kind ? 2 : 0);
		assert_string_equal(spec.hooks[kind].hooks[0].path, "/a");
		assert_string_equal(spec.hooks[kind].hooks[1].path, "/b");
	}
}

static void a_hook_has_words_and_a_time(void **state)
{
	const struct hook *hook;
	spec_owned spec;

	(void)state;
	config_accept(CONFIG("'hooks': { 'prestart': [ { 'path': '/x', 'args': [ 'name', 'a b' ], 'env': [ 'K=v' ], 'timeout': 7 } ] }"),
		      &spec);
	hook = &spec.hooks[SPEC_HOOK_PRESTART].hooks[0];
	assert_string_equal(hook->args[0], "name");
	assert_string_equal(hook->args[1], "a b");
	assert_null(hook->args[2]);
	assert_string_equal(hook->env[0], "K=v");
	assert_null(hook->env[1]);
	assert_int_equal(hook->timeout_s, 7);
}

static void what_is_left_out_or_empty_is_not_there(void **state)
{
	static const char *const texts[] = { HOOKS("poststop", "'path': '/y'"), HOOKS("poststop", "'path': '/y', 'args': [], 'env': []"),
					     HOOKS("poststop", "'path': '/y', 'args': null, 'env': null, 'timeout': null") };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		spec_owned spec;

		config_accept(texts[i], &spec);
		const struct hook *hook = &spec.hooks[SPEC_HOOK_POSTSTOP].hooks[1];
		assert_string_equal(hook->path, "/y");
		assert_true(hook->args == NULL && hook->env == NULL && hook->timeout_s == 0);
	}
	spec_owned empty;
	config_accept(CONFIG("'hooks': { 'prestart': [], 'poststop': null, 'later': 1 }"), &empty);
	for (int kind = 0; kind < SPEC_HOOK_COUNT; kind++)
		assert_int_equal(empty.hooks[kind].count, 0);
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *object, *cause;
	} wrong[] = {
		{ HOOKS("prestart", "'args': []"), "hooks: prestart[1]: path", "missing" },
		{ HOOKS("createRuntime", "'path': 'bin/x'"), "hooks: createRuntime[1]: path", "\"bin/x\" is not an absolute path" },
		{ HOOKS("createRuntime", "'path': ''"), "hooks: createRuntime[1]: path", "not an absolute path" },
		{ HOOKS("createContainer", "'path': '/x', 'timeout': 0"), "hooks: createContainer[1]: timeout", "0 is not within 1.." },
		{ HOOKS("createContainer", "'path': '/x', 'timeout': -1"), "hooks: createContainer[1]: timeout", "-1 is not within" },
		{ HOOKS("createContainer", "'path': '/x', 'timeout': 2147483648"), "hooks: createContainer[1]: timeout", "not within" },
		{ HOOKS("startContainer", "'path': '/x', 'timeout': '1'"), "hooks: startContainer[1]: timeout", "an integer" },
		{ HOOKS("startContainer", "'path': '/x', 'args': [ 1 ]"), "hooks: startContainer[1]: args[0]", "a string" },
		{ HOOKS("poststart", "'path': '/x', 'env': 1"), "hooks: poststart[1]: env", "an array" },
		{ CONFIG("'hooks': { 'poststop': [ null ] }"), "hooks: poststop[0]", "an object" },
		{ CONFIG("'hooks': { 'poststop': { 'path': '/x' } }"), "hooks: poststop", "an array" },
		{ CONFIG("'hooks': []"), "hooks", "an object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		config_refuse(wrong[i].text, wrong[i].object, wrong[i].cause);
}

/* The texts of an input, joined. */
static const char *joined(const struct spec_hook_input *input)
{
	static char text[1000];

	text[0] = '\0';
	for (size_t i = 0; input->texts[i] != NULL; i++)
		strncat(text, input->texts[i], sizeof(text) - strlen(text) - 1);
	return text;
}

static void the_state_is_json_with_what_is_there(void **state)
{
	static const struct spec_annotation annotations[] = { { "a/b", "1" }, { "c", "say \"\\\n" } };
	struct spec_hook_container container = { "1.0.2", "id", "/b \"undle", annotations, 2 };
	struct spec_hook_state made;
	struct spec_hook_input input;
	struct error err;
	arena_owned arena = { NULL };

	(void)state;
	assert_int_equal(spec_hook_state_make(&container, &arena, &made, &err), 0);
	spec_hook_input(&made, "creating", 42, &input);
	assert_string_equal(joined(&input), "{\"ociVersion\":\"1.0.2\",\"id\":\"id\",\"status\":\"creating\",\"pid\":42,"
			    "\"bundle\":\"/b \\\"undle\",\"annotations\":{\"a/b\":\"1\",\"c\":\"say \\\"\\\\\\u000a\"}}\n");
	container.annotations_count = 0;
	assert_int_equal(spec_hook_state_make(&container, &arena, &made, &err), 0);
	spec_hook_input(&made, "stopped", 0, &input);
	assert_string_equal(joined(&input), "{\"ociVersion\":\"1.0.2\",\"id\":\"id\",\"status\":\"stopped\","
			    "\"bundle\":\"/b \\\"undle\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_read_into_its_own_list),
		cmocka_unit_test(a_hook_has_words_and_a_time),
		cmocka_unit_test(what_is_left_out_or_empty_is_not_there),
		cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
		cmocka_unit_test(the_state_is_json_with_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
