/* test_state.c - unit test; state.json as text (host/state.h). Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/state.h"

/* A whole one, with more members at its end. The texts use ' for ". */
#define STATE_OF(id, more) \
	"{ 'version': 1, 'id': '" id "', 'oci_version': '1.3.0', 'bundle': '/b', 'rootfs': '/b/rootfs', " \
	"'created': '2026-01-02T03:04:05Z', 'creating': false, 'pid': 4711, 'pid_start_time': 99, " \
	"'boot_id': '01234567-89ab-cdef-0123-456789abcdef', 'own_pid_namespace': true, " \
	"'cgroup': '/moss/c1'" more " }"
#define STATE(more) STATE_OF("c1", more)

/* Parse @text into *@state, which the caller frees. */
static int parse(const char *text, struct state *state, struct error *err)
{
	char *bytes = strdup(text);

	assert_non_null(bytes);
	for (char *p = bytes; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	int ret = state_parse(bytes, strlen(bytes), state, err);
	free(bytes);
	return ret;
}

static void assert_refused(const char *text, const char *word)
{
	struct error err = { 0 };
	state_owned state;

	assert_int_equal(parse(text, &state, &err), -EINVAL);
	if (strstr(err.cause, word) == NULL)
		fail_msg("\"%s\" does not tell of \"%s\"", err.cause, word);
	assert_int_equal(strncmp(err.object, "state.json", strlen("state.json")), 0);
	assert_non_null(strstr(err.hint, "delete --force"));
}

static void what_is_written_is_read_again(void **unused)
{
	struct spec_annotation annotations[] = { { "org.a", "1" }, { "b", "\"\n\x7f \xc3\xbc" } };
	const char *notes[] = { "one", "", "three" };
	struct state written = {
		.id = "c1", .oci_version = "1.3.0", .bundle = "/b", .rootfs = "/b/rootfs",
		.created = "2026-01-02T03:04:05.678Z", .creating = true, .pid = 4711, .birth = { .start_time = 123456 },
		.boot_id = "01234567-89ab-cdef-0123-456789abcdef", .own_pid_namespace = true, .chroot = true, .cgroup = "/moss/c1", .cgroup_id = 4294967337, .systemd_unit = "moss-c1.scope",
		.seccomp = true, .seccomp_listens = true, .no_mknod = true,
		.annotations = annotations, .annotations_count = 2, .notes = notes, .notes_count = 3,
		.rdt = { .group = "gold", .made = true, .monitor_made = true },
		.resources = "{\"memory\":{\"limit\":-1},\"unified\":{\"io.max\":\"8:0 rbps=1/2\"}}",
	};
	struct error err = { 0 };
	state_owned state;
	written.memory_policy = true;
	char *text = state_text(&written);

	(void)unused;
	assert_non_null(text);
	assert_int_equal(state_parse(text, strlen(text), &state, &err), 0);
	assert_string_equal(state.id, written.id);
	assert_string_equal(state.created, written.created);
	assert_true(state.creating && state.own_pid_namespace && state.chroot && state.seccomp && state.seccomp_listens && state.no_mknod);
	assert_int_equal(state.pid, 4711);
	assert_int_equal(state.birth.start_time, 123456);
	assert_string_equal(state.boot_id, written.boot_id);
	assert_string_equal(state.cgroup, written.cgroup);
	assert_true(state.cgroup_id == written.cgroup_id);
	assert_string_equal(state.systemd_unit, written.systemd_unit);
	assert_string_equal(state.resources, written.resources);
	assert_int_equal(state.annotations_count, 2);
	assert_string_equal(state.annotations[1].value, annotations[1].value);
	assert_int_equal(state.notes_count, 3);
	assert_string_equal(state.notes[2], "three");
	assert_true(state.memory_policy);
	assert_string_equal(state.rdt.group, "gold");
	assert_true(state.rdt.made && state.rdt.monitor_made);
	char *again = state_text(&state);
	assert_string_equal(again, text);
	free(again);
	free(text);
}

static void a_text_that_no_moss_writes_is_damaged(void **unused)
{
	(void)unused;
	assert_refused("", "ends too early");
	assert_refused("null ", "expected an object");
	assert_refused("{ 'version': 1, ", "ends too early");
	assert_refused(STATE("") " x", "a word");
	assert_refused(STATE("") STATE(""), "not JSON");
	assert_refused(STATE(", 'pid': 1"), "duplicate key");
	assert_refused(STATE(", 'notes': [ 'a\\u0000b' ]"), "NUL");
	assert_refused(STATE(", 'more': 18446744073709551616"), "64 bits");
	assert_refused("{ 'version': 1, 'id': 'c1' }", "missing");
}

static void of_a_damaged_text_what_can_be_read_is_read(void **unused)
{
	struct error err = { 0 };
	state_owned state;

	(void)unused;
	assert_int_equal(parse(STATE("") " x", &state, &err), -EINVAL);
	assert_int_equal(state.pid, 4711);
	assert_string_equal(state.cgroup, "/moss/c1");
}

/* A whole text with a member more, an array of @count times @element, and @end behind it. */
static int parse_many(const char *element, size_t count, const char *end, struct state *state, struct error *err)
{
	static const char whole[] = STATE(", 'more': [ 0");
	size_t size = sizeof(whole) + count * strlen(element) + strlen(end) + 16, used;
	char  *text = calloc(size, 1);

	assert_non_null(text);
	used = (size_t)snprintf(text, size, "%.*s", (int)sizeof(whole) - 3, whole); /* without the last brace */
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s", element);
	snprintf(text + used, size - used, " ] }%s", end);
	int ret = parse(text, state, err);
	free(text);
	return ret;
}

/* What root spends on a text of another user's making has bounds, also when it is damaged. */
static void the_number_of_objects_and_arrays_is_limited(void **unused)
{
	static const struct {
		const char *element, *end;
		size_t      count;
		int         ret;
		pid_t       pid;
	} cases[] = {
		{ ",[]", "", STATE_COUNT_MAX - 2, 0, 4711 },
		{ ",[]", "", STATE_COUNT_MAX - 1, -EINVAL, 0 },
		{ ",{}", "", STATE_COUNT_MAX - 1, -EINVAL, 0 },
		{ ",{}", "x", STATE_COUNT_MAX - 2, -EINVAL, 4711 },
		{ ",{}", "x", STATE_COUNT_MAX - 1, -EINVAL, 0 },
		{ ",'[{'", "", 2 * STATE_COUNT_MAX, 0, 4711 },
		{ ",0", "x", 2 * STATE_COUNT_MAX, -EINVAL, 4711 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };
		state_owned state;

		assert_int_equal(parse_many(cases[i].element, cases[i].count, cases[i].end, &state, &err), cases[i].ret);
		assert_int_equal(state.pid, cases[i].pid);
		if (cases[i].ret < 0 && cases[i].end[0] == '\0')
			assert_string_equal(err.cause, "too many objects and arrays");
	}
}

static void the_depth_is_limited(void **unused)
{
	(void)unused;
	for (int levels = STATE_DEPTH_MAX - 1; levels <= STATE_DEPTH_MAX; levels++) {
		struct error err = { 0 };
		state_owned state;
		char text[1000];

		snprintf(text, sizeof(text), STATE(", 'more': %.*s%.*s"), levels, "[[[[[[[[[[[[[[[[[[[[", levels, "]]]]]]]]]]]]]]]]]]]]");
		assert_int_equal(parse(text, &state, &err), levels < STATE_DEPTH_MAX ? 0 : -EINVAL);
		if (levels == STATE_DEPTH_MAX)
			assert_string_equal(err.cause, "nested too deeply");
	}
}

static void the_id_is_one(void **unused)
{
	(void)unused;
	assert_refused(STATE_OF("", ""), "not the id");
	assert_refused(STATE_OF("..", ""), "not the id");
	assert_refused(STATE_OF("../c1", ""), "not the id");
	assert_refused(STATE_OF("c1\\n", ""), "not the id");
}

static void of_a_newer_version_what_is_known_is_read(void **unused)
{
	struct error err = { 0 };
	state_owned state;

	(void)unused;
	assert_int_equal(parse("{ 'version': 2, 'pid': 7, 'cgroup': '/x', 'new': [ {} ] }", &state, &err), -EINVAL);
	assert_non_null(strstr(err.cause, "version 2"));
	assert_int_equal(state.pid, 7);
	assert_string_equal(state.cgroup, "/x");
}

static void numbers_and_paths_out_of_range_count_as_absent(void **unused)
{
	static const char *const pids[] = { "-1", "2147483648", "18446744073709551615", "1.5", "'7'" };
	char text[100];

	(void)unused;
	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		struct error err = { 0 };
		state_owned state;

		snprintf(text, sizeof(text), "{ 'pid': %s, 'cgroup': 'moss', 'boot_id': '%037d' }", pids[i], 0);
		assert_int_equal(parse(text, &state, &err), -EINVAL);
		assert_int_equal(state.pid, 0);
		assert_null(state.cgroup);
		assert_string_equal(state.boot_id, "");
	}
}

/* It becomes part of a path below resctrl. */
static void a_group_of_resctrl_is_a_name(void **unused)
{
	static const char *const groups[] = { "'..'", "'../x'", "'a/b'", "''", "'info'", "5", "null" };
	struct error err = { 0 };
	state_owned whole;
	char text[600];

	(void)unused;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		state_owned state;

		snprintf(text, sizeof(text), STATE(", 'intel_rdt': { 'group': %s, 'made': true }"), groups[i]);
		assert_int_equal(parse(text, &state, &err), 0);
		assert_null(state.rdt.group);
		assert_false(state.rdt.made);
	}
	assert_int_equal(parse(STATE(", 'intel_rdt': { 'group': '/', 'made': true }"), &whole, &err), 0);
	assert_string_equal(whole.rdt.group, "/");
	assert_false(whole.rdt.made); /* nobody makes the default class */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_text_that_no_moss_writes_is_damaged),
		cmocka_unit_test(of_a_damaged_text_what_can_be_read_is_read),
		cmocka_unit_test(the_number_of_objects_and_arrays_is_limited),
		cmocka_unit_test(the_depth_is_limited),
		cmocka_unit_test(the_id_is_one),
		cmocka_unit_test(of_a_newer_version_what_is_known_is_read),
		cmocka_unit_test(a_group_of_resctrl_is_a_name),
		cmocka_unit_test(numbers_and_paths_out_of_range_count_as_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
