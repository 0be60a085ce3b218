/* spec_hooks.c - config.json: hooks. Side: any; pure. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

const char *const spec_hook_names[SPEC_HOOK_COUNT] = {
	[SPEC_HOOK_PRESTART] = "prestart",
	[SPEC_HOOK_CREATE_RUNTIME] = "createRuntime",
	[SPEC_HOOK_CREATE_CONTAINER] = "createContainer",
	[SPEC_HOOK_START_CONTAINER] = "startContainer",
	[SPEC_HOOK_POSTSTART] = "poststart",
	[SPEC_HOOK_POSTSTOP] = "poststop",
};

/* config.md, "POSIX-platform Hooks": "Runtimes MUST resolve this value in the runtime namespace", or in the
 * container's; "This specification extends the IEEE standard in that path MUST be absolute." */
static int path_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *path = json_object_get_string(value);

	if (path[0] != '/') {
		json_fail(ctx, "\"%.200s\" is not an absolute path", path);
		return error_hint(ctx->err, "a hook is not looked up in PATH");
	}
	return json_read_text(value, field, ctx);
}

/* An empty list is like an absent one: execve(2) needs a first argument. */
static int words_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec_texts words;
	int ret = spec_read_texts(value, &words, ctx);

	if (ret == 0 && words.count > 0)
		*(char *const **)field = (char *const *)words.texts;
	return ret;
}

/* config.md: "If set, timeout MUST be greater than zero." */
static int timeout_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t seconds;
	int ret = json_read_range(value, 1, INT32_MAX, &seconds, ctx);

	if (ret == 0)
		*(unsigned *)field = (unsigned)seconds;
	return ret;
}

static int hook_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "path", json_type_string, true, offsetof(struct hook, path), path_read },
		{ "args", json_type_array, false, offsetof(struct hook, args), words_read },
		{ "env", json_type_array, false, offsetof(struct hook, env), words_read },
		{ "timeout", json_type_int, false, offsetof(struct hook, timeout_s), timeout_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

static int list_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element hook = { json_type_object, sizeof(struct hook), hook_read };
	struct json_list list;
	int ret = json_read_list(value, &hook, &list, ctx);

	if (ret == 0)
		*(struct spec_hooks *)field = (struct spec_hooks){ list.items, list.count };
	return ret;
}

int spec_hooks_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define KIND(name, kind) { name, json_type_array, false, offsetof(struct spec, hooks[kind]), list_read }
	static const struct json_field fields[] = {
		KIND("prestart", SPEC_HOOK_PRESTART),
		KIND("createRuntime", SPEC_HOOK_CREATE_RUNTIME),
		KIND("createContainer", SPEC_HOOK_CREATE_CONTAINER),
		KIND("startContainer", SPEC_HOOK_START_CONTAINER),
		KIND("poststart", SPEC_HOOK_POSTSTART),
		KIND("poststop", SPEC_HOOK_POSTSTOP),
		{ 0 }
	};
#undef KIND
	return json_read(value, fields, field, ctx);
}

int spec_hook_state_make(const struct spec_hook_container *container, struct arena *arena,
			 struct spec_hook_state *ret_state, struct error *err)
{
	str_owned head = { 0 }, tail = { 0 };

	str_add(&head, "{\"ociVersion\":");
	str_add_json(&head, container->oci_version);
	str_add(&head, ",\"id\":");
	str_add_json(&head, container->id);
	str_add(&head, ",\"status\":\"");

	str_add(&tail, ",\"bundle\":");
	str_add_json(&tail, container->bundle);
	for (size_t i = 0; i < container->annotations_count; i++) {
		str_add(&tail, i == 0 ? ",\"annotations\":{" : ",");
		str_add_json(&tail, container->annotations[i].name);
		str_add(&tail, ":");
		str_add_json(&tail, container->annotations[i].value);
	}
	str_add(&tail, container->annotations_count > 0 ? "}}\n" : "}\n");
	if (!head.failed && !tail.failed) {
		ret_state->head = arena_text(arena, head.text);
		ret_state->tail = arena_text(arena, tail.text);
		if (ret_state->head != NULL && ret_state->tail != NULL)
			return 0;
	}
	return error_set(err, ENOMEM, "the state for the hooks");
}

void spec_hook_input(const struct spec_hook_state *state, const char *status, int pid, struct spec_hook_input *ret_input)
{
	*ret_input = (struct spec_hook_input){ .texts = { state->head, status, ret_input->pid, state->tail, NULL } };
	/* runtime.md, "State": pid is there while there is a process. */
	snprintf(ret_input->pid, sizeof(ret_input->pid), pid > 0 ? "\",\"pid\":%d" : "\"", pid);
}
