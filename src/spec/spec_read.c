/* spec_read.c - config.json: the top level, and what its parts share. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/spec_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_TEXT_MAX 512
#define WARNINGS_COMPARED_MAX 64 /* repeats are left out among so many: enough for real files */

bool spec_demands(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:    return false;
	case json_type_boolean: return json_object_get_boolean(value);
	case json_type_double:  return true;
	case json_type_int:
		return json_object_get_int64(value) != 0 && json_object_get_int64(value) != -1;
	case json_type_object:  return json_object_object_length(value) > 0;
	case json_type_array:   return json_object_array_length(value) > 0;
	case json_type_string:  return json_object_get_string_len(value) > 0;
	}
	return true;
}

int spec_warn(struct json_context *ctx, const char *text, ...)
{
	struct spec_texts *warnings = &((struct spec *)ctx->owner)->warnings;
	char    path[PATH_TEXT_MAX], words[PATH_TEXT_MAX];
	va_list ap;

	va_start(ap, text);
	vsnprintf(words, sizeof(words), text, ap);
	va_end(ap);
	json_path(ctx, path, sizeof(path));
	char *warning = arena_format(ctx->arena, "%s: %s", path, words);
	if (warning == NULL)
		return json_fail_memory(ctx);
	for (size_t i = 0; i < warnings->count && i < WARNINGS_COMPARED_MAX; i++)
		if (strcmp(warnings->texts[i], warning) == 0)
			return 0;
	const char **texts = arena_grow(ctx->arena, warnings->texts, warnings->count, sizeof(*texts));
	if (texts == NULL)
		return json_fail_memory(ctx);
	warnings->texts = texts;
	texts[warnings->count++] = warning;
	return 0;
}

int spec_unsupported_add(struct json_context *ctx)
{
	struct spec *spec = ctx->owner;
	char         path[PATH_TEXT_MAX];

	json_path(ctx, path, sizeof(path));
	char *text = arena_text(ctx->arena, path);
	struct spec_unsupported *list = arena_grow(ctx->arena, spec->unsupported,
						   spec->unsupported_count, sizeof(*list));
	if (text == NULL || list == NULL)
		return json_fail_memory(ctx);
	spec->unsupported = list;
	list[spec->unsupported_count++] = (struct spec_unsupported){ text };
	return 0;
}

int spec_read_texts(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element text = { json_type_string, sizeof(const char *), json_read_text };
	struct json_list list;
	int ret = json_read_list(value, &text, &list, ctx);

	if (ret == 0)
		*(struct spec_texts *)field = (struct spec_texts){ list.items, list.count };
	return ret;
}

int spec_read_id(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t id;

	/* The kernel takes 4294967295 for "no id": setresuid(2) would change nothing. */
	if (json_object_get_int64(value) == UINT32_MAX)
		return json_fail(ctx, "4294967295 is not a user or group id");
	int ret = json_read_range(value, 0, UINT32_MAX - 1, &id, ctx);
	if (ret == 0)
		*(uint32_t *)field = (uint32_t)id;
	return ret;
}

int spec_read_word(struct json_object *value, void *field, struct json_context *ctx)
{
	return json_object_get_string_len(value) > 0 ? json_read_text(value, field, ctx) : 0;
}

static int id_map_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "containerID", json_type_int, true, offsetof(struct spec_id_map, container_id),
		  spec_read_id },
		{ "hostID", json_type_int, true, offsetof(struct spec_id_map, host_id), spec_read_id },
		{ "size", json_type_int, true, offsetof(struct spec_id_map, count), json_read_uint32 },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

int spec_read_maps(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element map = { json_type_object, sizeof(struct spec_id_map), id_map_read };
	struct json_list list;
	int ret = json_read_list(value, &map, &list, ctx);

	if (ret == 0)
		*(struct spec_id_maps *)field = (struct spec_id_maps){ list.items, list.count };
	return ret;
}

/* The end of the digits at @p, or NULL when they are no number of a version. */
static const char *version_number(const char *p, unsigned *ret_number)
{
	size_t length = strspn(p, "0123456789");

	if (length == 0 || length > 6 || (length > 1 && p[0] == '0'))
		return NULL;
	*ret_number = 0;
	for (size_t i = 0; i < length; i++)
		*ret_number = *ret_number * 10 + (unsigned)(p[i] - '0');
	return p + length;
}

/* Split "1.0.2-dev". Returns whether it is a version at all. */
static bool version_split(const char *text, unsigned number[3])
{
	static const char suffix[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-+";

	for (int i = 0; i < 3; i++) {
		text = version_number(text, &number[i]);
		if (text == NULL || (i < 2 && *text++ != '.'))
			return false;
	}
	if (*text == '\0')
		return true;
	return (*text == '-' || *text == '+') && text[1] != '\0' &&
	       text[1 + strspn(text + 1, suffix)] == '\0';
}

static int version_read(struct json_object *value, void *field, struct json_context *ctx)
{
	unsigned    number[3];
	const char *text = json_object_get_string(value);

	if (!version_split(text, number) || number[0] != 1) {
		json_fail(ctx, "unsupported version \"%.100s\"", text);
		return error_hint(ctx->err, "versions " SPEC_VERSION_MIN " to " SPEC_VERSION_MAX " are supported");
	}
	if (number[1] > 3) {
		int ret = spec_warn(ctx, "version %.100s is newer than 1.3: what it adds is ignored", text);

		if (ret < 0)
			return ret;
	}
	return json_read_text(value, field, ctx);
}

static int root_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "path", json_type_string, true, offsetof(struct spec, root_path), json_read_text },
		{ "readonly", json_type_boolean, false, offsetof(struct spec, root_readonly),
		  json_read_bool },
		{ 0 }
	};
	((struct spec *)field)->root_given = true;
	return json_read(value, fields, field, ctx);
}

static int annotation_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec *spec = field;
	struct spec_annotation *annotation = &spec->annotations[spec->annotations_count];

	if (json_name(ctx)[0] == '\0')
		return json_fail(ctx, "an annotation has an empty name");
	annotation->name = arena_text(ctx->arena, json_name(ctx));
	if (annotation->name == NULL)
		return json_fail_memory(ctx);
	spec->annotations_count++;
	return json_read_text(value, &annotation->value, ctx);
}

static int annotations_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element member = { json_type_string, 0, annotation_read };
	struct spec *spec = field;

	spec->annotations = arena_alloc(ctx->arena, (size_t)json_object_object_length(value) + 1,
					sizeof(*spec->annotations));
	if (spec->annotations == NULL)
		return json_fail_memory(ctx);
	return json_read_members(value, &member, spec, ctx);
}

static int spec_read_fields(struct json_object *object, struct json_context *ctx)
{
	static const struct json_field version[] = {
		{ "ociVersion", json_type_string, true, offsetof(struct spec, oci_version), version_read },
		{ 0 }
	};
	static const struct json_field fields[] = {
		{ "process", json_type_object, false, 0, spec_process_read },
		{ "root", json_type_object, false, 0, root_read },
		{ "hostname", json_type_string, false, offsetof(struct spec, hostname), spec_read_word },
		{ "domainname", json_type_string, false, offsetof(struct spec, domainname), spec_read_word },
		{ "mounts", json_type_array, false, 0, spec_mounts_read },
		{ "hooks", json_type_object, false, 0, spec_hooks_read },
		{ "annotations", json_type_object, false, 0, annotations_read },
		{ "linux", json_type_object, false, 0, spec_linux_read },
		{ 0 }
	};
	/* First: what the other fields mean depends on it. */
	int ret = json_read(object, version, ctx->owner, ctx);

	return ret < 0 ? ret : json_read(object, fields, ctx->owner, ctx);
}

static int process_read_alone(struct json_object *object, struct json_context *ctx)
{
	static const struct json_step step = { "process", -1 };

	ctx->path[ctx->depth++] = step;
	return spec_process_read(object, ctx->owner, ctx);
}

static int resources_read_alone(struct json_object *object, struct json_context *ctx)
{
	ctx->path[ctx->depth++] = (struct json_step){ "linux", -1 };
	ctx->path[ctx->depth++] = (struct json_step){ "resources", -1 };
	return spec_resources_read(object, ctx->owner, ctx);
}

static int rdt_read_alone(struct json_object *object, struct json_context *ctx)
{
	return spec_intel_rdt_read(object, ctx->owner, ctx);
}

static int read_bytes(const char *bytes, size_t size, struct spec *spec, struct error *err,
		      int (*read)(struct json_object *object, struct json_context *ctx))
{
	static const struct json_limits limits = { SPEC_DEPTH_MAX, SPEC_COUNT_MAX };
	struct json_context ctx = { .arena = &spec->arena, .err = err, .owner = spec };
	struct json_object *object = NULL;

	*spec = (struct spec){ .process.user.umask = SPEC_UMASK_UNSET };
	*err = (struct error){ 0 };
	if (size > SPEC_BYTES_MAX)
		return error_set(err, E2BIG, "%zu bytes, more than the %d that are read", size,
				 SPEC_BYTES_MAX);
	int ret = json_parse(bytes, size, &limits, &object, err);
	if (ret == 0)
		ret = read(object, &ctx);
	json_object_put(object);
	return ret;
}

int spec_read(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
{
	return read_bytes(bytes, size, ret_spec, err, spec_read_fields);
}

int spec_read_process(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
{
	return read_bytes(bytes, size, ret_spec, err, process_read_alone);
}

const char *spec_annotation_find(const struct spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->annotations_count; i++)
		if (strcmp(spec->annotations[i].name, name) == 0)
			return spec->annotations[i].value;
	return NULL;
}

int spec_read_resources(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
{
	return read_bytes(bytes, size, ret_spec, err, resources_read_alone);
}

int spec_read_intel_rdt(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
{
	return read_bytes(bytes, size, ret_spec, err, rdt_read_alone);
}

bool spec_has_annotation(const struct spec *spec, const char *name)
{
	const char *value = spec_annotation_find(spec, name);

	return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

void spec_free(struct spec *spec)
{
	arena_free(&spec->arena);
	*spec = (struct spec){ 0 };
}
