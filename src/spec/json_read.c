/* json_read.c - see json_read.h. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/json_read.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spec/json_text.h"

#define json_owned __attribute__((cleanup(json_release))) struct json_object
#define tokener_owned __attribute__((cleanup(tokener_release))) struct json_tokener

static void json_release(struct json_object **object)
{
	json_object_put(*object);
}

static void tokener_release(struct json_tokener **tokener)
{
	if (*tokener != NULL)
		json_tokener_free(*tokener);
}

static const char *type_name(enum json_type type)
{
	switch (type) {
	case json_type_null:    return "null";
	case json_type_boolean: return "a boolean";
	case json_type_double:  return "a number that is not an integer";
	case json_type_int:     return "an integer";
	case json_type_object:  return "an object";
	case json_type_array:   return "an array";
	case json_type_string:  return "a string";
	}
	return "something else";
}

/* How many keys the objects of the tree have. */
static size_t keys_count(struct json_object *value)
{
	size_t keys = 0;

	if (json_object_is_type(value, json_type_array)) {
		size_t length = json_object_array_length(value);

		for (size_t i = 0; i < length; i++)
			keys += keys_count(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		keys = (size_t)json_object_object_length(value);
		for (struct lh_entry *e = json_object_get_object(value)->head; e != NULL; e = e->next)
			keys += keys_count((struct json_object *)lh_entry_v(e));
	}
	return keys;
}

static int parse_failed(struct json_tokener *tokener, const char *bytes, struct error *err)
{
	enum json_tokener_error code = json_tokener_get_error(tokener);

	/* From 0.17 on json-c has one more code, for memory. */
	if (code > json_tokener_error_size)
		return error_set(err, ENOMEM, "parse JSON");
	if (code == json_tokener_continue)
		error_set(err, 0, "the JSON text ends too early");
	else
		error_set(err, 0, "not JSON: %s", json_tokener_error_desc(code));
	return json_text_place(bytes, json_tokener_get_parse_end(tokener), err);
}

int json_parse(const char *bytes, size_t size, const struct json_limits *limits, struct json_object **ret_object,
	       struct error *err)
{
	size_t keys;

	if (size > INT_MAX)
		return error_set(err, E2BIG, "JSON text of %zu bytes", size);
	int ret = json_text_scan(bytes, size, limits, &keys, err);
	if (ret < 0)
		return ret;
	/* json-c counts differently for empty containers: it gets room, the scan has the say. */
	tokener_owned *tokener = json_tokener_new_ex(limits->depth + 2);
	if (tokener == NULL)
		return error_set(err, ENOMEM, "parse JSON");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	json_owned *object = json_tokener_parse_ex(tokener, bytes, (int)size);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		return parse_failed(tokener, bytes, err);
	/* Before 0.17 it answers without memory as it does to the text null. */
	if (object == NULL && memchr(bytes, '{', size) != NULL)
		return error_set(err, ENOMEM, "parse JSON");
	if (!json_object_is_type(object, json_type_object))
		return error_set(err, 0, "expected an object, found %s",
				 type_name(json_object_get_type(object)));
	size_t end = json_tokener_get_parse_end(tokener);
	while (end < size && strchr(" \t\r\n", bytes[end]) != NULL)
		end++;
	if (end < size) {
		error_set(err, 0, "unexpected text after the end of the JSON object");
		return json_text_place(bytes, end, err);
	}
	if (keys_count(object) != keys)
		return json_text_duplicate(bytes, size, keys, err);
	*ret_object = json_object_get(object);
	return 0;
}

static void path_push(struct json_context *ctx, const char *name)
{
	if (ctx->depth < JSON_PATH_MAX)
		ctx->path[ctx->depth] = (struct json_step){ name, -1 };
	ctx->depth++;
}

static void path_index(struct json_context *ctx, ssize_t index)
{
	if (ctx->depth > 0 && ctx->depth <= JSON_PATH_MAX)
		ctx->path[ctx->depth - 1].index = index;
}

const char *json_name(const struct json_context *ctx)
{
	return ctx->depth > 0 && ctx->depth <= JSON_PATH_MAX ? ctx->path[ctx->depth - 1].name : "";
}

void json_path(const struct json_context *ctx, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ctx->depth && i < JSON_PATH_MAX && used < size; i++) {
		const struct json_step *step = &ctx->path[i];
		const char *colon = i > 0 ? ": " : "";
		int len = step->index < 0 ? snprintf(text + used, size - used, "%s%s", colon, step->name)
					  : snprintf(text + used, size - used, "%s%s[%zd]", colon,
						     step->name, step->index);

		used += len > 0 ? (size_t)len : 0;
	}
}

int json_fail(struct json_context *ctx, const char *cause, ...)
{
	char    text[sizeof(ctx->err->cause)], path[sizeof(ctx->err->object)];
	va_list ap;

	va_start(ap, cause);
	vsnprintf(text, sizeof(text), cause, ap);
	va_end(ap);
	json_path(ctx, path, sizeof(path));
	error_set(ctx->err, 0, "%s", text);
	return error_object(ctx->err, "%s", path);
}

int json_fail_memory(struct json_context *ctx)
{
	return error_set(ctx->err, ENOMEM, "read JSON");
}

int json_expect(struct json_object *value, enum json_type type, struct json_context *ctx)
{
	if (json_object_is_type(value, type))
		return 0;
	return json_fail(ctx, "expected %s, found %s", type_name(type),
			 type_name(json_object_get_type(value)));
}

static int field_read(struct json_object *value, const struct json_field *f, void *out,
		      struct json_context *ctx)
{
	path_push(ctx, f->name);
	int ret = f->type == JSON_ANY ? 0 : json_expect(value, f->type, ctx);
	if (ret == 0 && f->read != NULL)
		ret = f->read(value, out != NULL ? (char *)out + f->at : NULL, ctx);
	ctx->depth--;
	return ret;
}

int json_read(struct json_object *object, const struct json_field *fields, void *out,
	      struct json_context *ctx)
{
	uint64_t seen = 0; /* a bit for each field: no table is longer than 64 */

	/* A walk over what is there beats one hash per field: most fields are absent. */
	for (struct lh_entry *e = json_object_get_object(object)->head; e != NULL; e = e->next) {
		const char *name = lh_entry_k(e);
		struct json_object *value = (struct json_object *)lh_entry_v(e);

		for (const struct json_field *f = fields; value != NULL && f->name != NULL; f++) {
			if (f->name[0] != name[0] || strcmp(f->name, name) != 0)
				continue;
			int ret = field_read(value, f, out, ctx);
			if (ret < 0)
				return ret;
			seen |= UINT64_C(1) << (f - fields);
			break;
		}
	}
	for (const struct json_field *f = fields; f->name != NULL; f++)
		if (f->required && (seen >> (f - fields) & 1) == 0) {
			path_push(ctx, f->name);
			return json_fail(ctx, "missing");
		}
	return 0;
}

int json_read_list(struct json_object *array, const struct json_element *element,
		   struct json_list *ret_list, struct json_context *ctx)
{
	size_t count = json_object_array_length(array);
	char  *items = arena_alloc(ctx->arena, count + 1, element->size);

	if (items == NULL)
		return json_fail_memory(ctx);
	for (size_t i = 0; i < count; i++) {
		struct json_object *value = json_object_array_get_idx(array, i);

		path_index(ctx, (ssize_t)i);
		int ret = json_expect(value, element->type, ctx);
		if (ret == 0 && element->read != NULL)
			ret = element->read(value, items + i * element->size, ctx);
		if (ret < 0)
			return ret;
	}
	path_index(ctx, -1);
	*ret_list = (struct json_list){ items, count };
	return 0;
}

int json_read_members(struct json_object *object, const struct json_element *member, void *field,
		      struct json_context *ctx)
{
	for (struct lh_entry *e = json_object_get_object(object)->head; e != NULL; e = e->next) {
		struct json_object *value = (struct json_object *)lh_entry_v(e);

		path_push(ctx, lh_entry_k(e));
		int ret = json_expect(value, member->type, ctx);
		if (ret == 0 && member->read != NULL)
			ret = member->read(value, field, ctx);
		if (ret < 0)
			return ret;
		ctx->depth--;
	}
	return 0;
}

int json_read_text(struct json_object *value, void *field, struct json_context *ctx)
{
	size_t size = (size_t)json_object_get_string_len(value) + 1;
	char  *text = arena_alloc(ctx->arena, 1, size);

	if (text == NULL)
		return json_fail_memory(ctx);
	*(const char **)field = memcpy(text, json_object_get_string(value), size);
	return 0;
}

int json_read_bool(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)ctx;
	*(bool *)field = json_object_get_boolean(value);
	return 0;
}

int json_read_range(struct json_object *value, int64_t min, int64_t max, int64_t *ret_value,
		    struct json_context *ctx)
{
	int64_t number = json_object_get_int64(value);

	/* json-c answers INT64_MAX for everything between it and UINT64_MAX. */
	if (number == INT64_MAX && json_object_get_uint64(value) > (uint64_t)max)
		return json_fail(ctx, "%" PRIu64 " is not within %" PRId64 "..%" PRId64,
				 json_object_get_uint64(value), min, max);
	if (number < min || number > max)
		return json_fail(ctx, "%" PRId64 " is not within %" PRId64 "..%" PRId64, number, min, max);
	*ret_value = number;
	return 0;
}

int json_read_uint16(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t number = 0;
	int     ret = json_read_range(value, 0, UINT16_MAX, &number, ctx);

	if (ret == 0 && field != NULL)
		*(uint16_t *)field = (uint16_t)number;
	return ret;
}

int json_read_uint32(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t number = 0;
	int     ret = json_read_range(value, 0, UINT32_MAX, &number, ctx);

	if (ret == 0 && field != NULL)
		*(uint32_t *)field = (uint32_t)number;
	return ret;
}

int json_read_int64(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t number = 0;
	int     ret = json_read_range(value, INT64_MIN, INT64_MAX, &number, ctx);

	if (ret == 0 && field != NULL)
		*(int64_t *)field = number;
	return ret;
}

int json_read_uint64(struct json_object *value, void *field, struct json_context *ctx)
{
	if (json_object_get_int64(value) < 0)
		return json_fail(ctx, "%" PRId64 " is negative", json_object_get_int64(value));
	if (field != NULL)
		*(uint64_t *)field = json_object_get_uint64(value);
	return 0;
}
