/* spec_unsupported.c - config.json: the fields that this build can't honour yet. Side: any; pure.
 *
 * Their types are checked, so that a wrong file is refused today as it will be later; a field that
 * asks for something is noted in spec->unsupported.
 */
#define _GNU_SOURCE
#include <string.h>

#include "spec/spec_read.h"

/* A field, after @ret of the check of its type. */
static int note(int ret, struct json_object *value, struct json_context *ctx)
{
	return ret == 0 && spec_demands(value) ? spec_unsupported_add(ctx, false) : ret;
}

static int list_check(struct json_object *value, enum json_type type, json_read_fn *read,
		      struct json_context *ctx)
{
	const struct json_element element = { type, 1, read };
	struct json_list list;

	return json_read_list(value, &element, &list, ctx);
}

static int texts_check(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return list_check(value, json_type_string, NULL, ctx);
}

static int int32_check(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t number;

	(void)field;
	return json_read_range(value, INT32_MIN, INT32_MAX, &number, ctx);
}

int spec_label_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return note(0, value, ctx);
}

static int timeout_check(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t seconds;

	(void)field;
	return json_read_range(value, 1, INT32_MAX, &seconds, ctx);
}

static int hook_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "path", json_type_string, true, 0, NULL },
		{ "args", json_type_array, false, 0, texts_check },
		{ "env", json_type_array, false, 0, texts_check },
		{ "timeout", json_type_int, false, 0, timeout_check },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int hook_list_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return note(list_check(value, json_type_object, hook_check, ctx), value, ctx);
}

int spec_hooks_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "prestart", json_type_array, false, 0, hook_list_read },
		{ "createRuntime", json_type_array, false, 0, hook_list_read },
		{ "createContainer", json_type_array, false, 0, hook_list_read },
		{ "startContainer", json_type_array, false, 0, hook_list_read },
		{ "poststart", json_type_array, false, 0, hook_list_read },
		{ "poststop", json_type_array, false, 0, hook_list_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

int spec_intel_rdt_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "closID", json_type_string, false, 0, NULL },
		{ "schemata", json_type_array, false, 0, texts_check },
		{ "l3CacheSchema", json_type_string, false, 0, NULL },
		{ "memBwSchema", json_type_string, false, 0, NULL },
		{ "enableMonitoring", json_type_boolean, false, 0, NULL },
		{ 0 }
	};
	(void)field;
	return note(json_read(value, fields, NULL, ctx), value, ctx);
}

int spec_memory_policy_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "mode", json_type_string, false, 0, NULL },
		{ "nodes", json_type_string, false, 0, NULL },
		{ "flags", json_type_array, false, 0, texts_check },
		{ 0 }
	};
	(void)field;
	return note(json_read(value, fields, NULL, ctx), value, ctx);
}

int spec_scheduler_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "policy", json_type_string, true, 0, NULL },
		{ "nice", json_type_int, false, 0, int32_check },
		{ "priority", json_type_int, false, 0, int32_check },
		{ "flags", json_type_array, false, 0, texts_check },
		{ "runtime", json_type_int, false, 0, json_read_uint64 },
		{ "deadline", json_type_int, false, 0, json_read_uint64 },
		{ "period", json_type_int, false, 0, json_read_uint64 },
		{ 0 }
	};
	(void)field;
	return note(json_read(value, fields, NULL, ctx), value, ctx);
}

int spec_io_priority_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "class", json_type_string, true, 0, NULL },
		{ "priority", json_type_int, false, 0, int32_check },
		{ 0 }
	};
	(void)field;
	return note(json_read(value, fields, NULL, ctx), value, ctx);
}

int spec_cpu_affinity_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "initial", json_type_string, false, 0, spec_label_read },
		{ "final", json_type_string, false, 0, spec_label_read },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}
