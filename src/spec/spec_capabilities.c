/* spec_capabilities.c - config.json: process.capabilities. Side: any; pure. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include "spec/spec_read.h"

bool spec_capability_find(const char *name, int *ret_number)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

	/* libcap stops at the first other character and takes numbers too. */
	return strncasecmp(name, "CAP_", 4) == 0 && name[strspn(name, letters)] == '\0' &&
	       cap_from_name(name, ret_number) == 0 && *ret_number >= 0 && *ret_number < 64;
}

/* Set the bit of one capability in the uint64_t @field. */
static int capability_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *name = json_object_get_string(value);
	int number;

	if (spec_capability_find(name, &number)) {
		*(uint64_t *)field |= UINT64_C(1) << number;
		return 0;
	}
	return spec_warn(ctx, "unknown capability \"%.100s\" is ignored", name);
}

/* Like json_read_list(), but into the bits of one number. */
static int capability_set_read(struct json_object *value, void *field, struct json_context *ctx)
{
	size_t count = json_object_array_length(value);

	*(uint64_t *)field = 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *name = json_object_array_get_idx(value, i);
		int ret = json_expect(name, json_type_string, ctx);

		if (ret == 0)
			ret = capability_read(name, field, ctx);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int spec_capabilities_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "bounding", json_type_array, false, offsetof(struct spec_capabilities, bounding),
		  capability_set_read },
		{ "effective", json_type_array, false, offsetof(struct spec_capabilities, effective),
		  capability_set_read },
		{ "inheritable", json_type_array, false, offsetof(struct spec_capabilities, inheritable),
		  capability_set_read },
		{ "permitted", json_type_array, false, offsetof(struct spec_capabilities, permitted),
		  capability_set_read },
		{ "ambient", json_type_array, false, offsetof(struct spec_capabilities, ambient),
		  capability_set_read },
		{ 0 }
	};
	struct spec_capabilities *capabilities = field;

	capabilities->given = true;
	if (!json_object_is_type(value, json_type_array)) {
		int ret = json_expect(value, json_type_object, ctx);

		return ret < 0 ? ret : json_read(value, fields, capabilities, ctx);
	}
	int ret = capability_set_read(value, &capabilities->bounding, ctx);
	if (ret < 0)
		return ret;
	capabilities->effective = capabilities->permitted = capabilities->bounding;
	return spec_warn(ctx, "a list, the form from before 1.0, is used as %s",
			 "bounding, effective and permitted");
}

struct spec_capability_name spec_capability_name(int number)
{
	struct spec_capability_name name;
	char *text = cap_to_name(number); /* "cap_kill", or the number where it has no name */

	if (text != NULL && strncmp(text, "cap_", 4) == 0)
		snprintf(name.text, sizeof(name.text), "%s", text);
	else
		snprintf(name.text, sizeof(name.text), "number %d", number);
	cap_free(text);
	for (char *letter = name.text; strncmp(name.text, "number", 6) != 0 && *letter != '\0'; letter++)
		if (*letter >= 'a' && *letter <= 'z')
			*letter = (char)(*letter - 'a' + 'A');
	return name;
}

/* The lowest bit, as a name. */
static struct spec_capability_name first_name(uint64_t bits)
{
	return spec_capability_name(__builtin_ctzll(bits));
}

/* capset(2): what can't hold between the sets; it would answer EPERM, and not say which. */
int spec_check_capabilities(const struct spec_capabilities *capabilities, struct error *err)
{
	uint64_t not_permitted = capabilities->effective & ~capabilities->permitted;
	uint64_t not_bounding = capabilities->inheritable & ~capabilities->bounding;

	if (not_permitted != 0) {
		error_set(err, 0, "%s is not in permitted", first_name(not_permitted).text);
		error_object(err, "process: capabilities: effective");
		return error_hint(err, "add it there, too, or leave it out");
	}
	if (not_bounding != 0) {
		error_set(err, 0, "%s is not in bounding", first_name(not_bounding).text);
		error_object(err, "process: capabilities: inheritable");
		return error_hint(err, "add it there, too, or leave it out");
	}
	return 0;
}
