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

static int seccomp_arg_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "index", json_type_int, true, 0, json_read_uint32 },
		{ "value", json_type_int, true, 0, json_read_uint64 },
		{ "valueTwo", json_type_int, false, 0, json_read_uint64 },
		{ "op", json_type_string, true, 0, NULL },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int seccomp_args_check(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return list_check(value, json_type_object, seccomp_arg_check, ctx);
}

static int seccomp_rule_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "names", json_type_array, true, 0, texts_check },
		{ "action", json_type_string, true, 0, NULL },
		{ "errnoRet", json_type_int, false, 0, json_read_uint32 },
		{ "args", json_type_array, false, 0, seccomp_args_check },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int seccomp_rules_check(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return list_check(value, json_type_object, seccomp_rule_check, ctx);
}

int spec_seccomp_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "defaultAction", json_type_string, true, 0, NULL },
		{ "defaultErrnoRet", json_type_int, false, 0, json_read_uint32 },
		{ "flags", json_type_array, false, 0, texts_check },
		{ "listenerPath", json_type_string, false, 0, NULL },
		{ "listenerMetadata", json_type_string, false, 0, NULL },
		{ "architectures", json_type_array, false, 0, texts_check },
		{ "syscalls", json_type_array, false, 0, seccomp_rules_check },
		{ 0 }
	};
	(void)field;
	return note(json_read(value, fields, NULL, ctx), value, ctx);
}
