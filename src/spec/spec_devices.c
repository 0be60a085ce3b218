/* spec_devices.c - config.json: linux.devices and linux.resources.devices. Side: any; pure. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>

#include "spec/spec_read.h"

/* The kernel's own bounds: a dev_t there has 12 bits for the major number, 20 for the minor. */
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)
#define NUMBER_ABSENT INT64_MIN

struct device_text {
	const char *type;
	int64_t     major, minor; /* NUMBER_ABSENT: not given */
};

static int device_number(int64_t number, int64_t max, const char *name, struct json_context *ctx)
{
	if (number == NUMBER_ABSENT)
		return json_fail(ctx, "%s is missing", name);
	if (number < 0 || number > max)
		return json_fail(ctx, "%s %jd is not within 0..%jd", name, (intmax_t)number, (intmax_t)max);
	return 0;
}

static int device_mode_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t mode;
	int     ret = json_read_range(value, 0, S_IFMT | 07777, &mode, ctx);

	/* Engines write stat(2)'s whole st_mode here; the type is a field of its own. */
	if (ret == 0)
		*(mode_t *)field = (mode_t)mode & 07777;
	return ret;
}

static int device_type(const char *text, mode_t *ret_type, struct json_context *ctx)
{
	char type = strlen(text) == 1 ? text[0] : '\0';

	if (type == 'c' || type == 'u')
		*ret_type = S_IFCHR;
	else if (type == 'b')
		*ret_type = S_IFBLK;
	else if (type == 'p')
		*ret_type = S_IFIFO;
	else
		return json_fail(ctx, "unknown device type \"%.100s\"", text);
	return 0;
}

static int device_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec_device, member)
	static const struct json_field fields[] = {
		{ "path", json_type_string, true, AT(path), json_read_text },
		{ "fileMode", json_type_int, false, AT(mode), device_mode_read },
		{ "uid", json_type_int, false, AT(uid), spec_read_id },
		{ "gid", json_type_int, false, AT(gid), spec_read_id },
		{ 0 }
	};
#undef AT
	static const struct json_field numbers[] = {
		{ "type", json_type_string, true, offsetof(struct device_text, type), json_read_text },
		{ "major", json_type_int, false, offsetof(struct device_text, major), json_read_int64 },
		{ "minor", json_type_int, false, offsetof(struct device_text, minor), json_read_int64 },
		{ 0 }
	};
	struct spec_device *device = field;
	struct device_text  text = { NULL, NUMBER_ABSENT, NUMBER_ABSENT };

	device->mode = 0666;
	int ret = json_read(value, fields, device, ctx);
	if (ret == 0)
		ret = json_read(value, numbers, &text, ctx);
	if (ret == 0)
		ret = device_type(text.type, &device->type, ctx);
	if (ret < 0 || device->type == S_IFIFO)
		return ret;
	ret = device_number(text.major, MAJOR_MAX, "major", ctx);
	if (ret == 0)
		ret = device_number(text.minor, MINOR_MAX, "minor", ctx);
	if (ret == 0) {
		device->major = (uint32_t)text.major;
		device->minor = (uint32_t)text.minor;
	}
	return ret;
}

int spec_devices_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element device = {
		json_type_object, sizeof(struct spec_device), device_read
	};
	struct spec     *spec = field;
	struct json_list list;
	int ret = json_read_list(value, &device, &list, ctx);

	if (ret < 0)
		return ret;
	spec->devices = list.items;
	spec->devices_count = list.count;
	return 0;
}

static int rule_type_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);

	if (text[0] == '\0')
		return 0;
	if (text[1] != '\0' || strchr("abc", text[0]) == NULL)
		return json_fail(ctx, "unknown device type \"%.100s\"", text);
	*(char *)field = text[0];
	return 0;
}

static int rule_number_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return json_read_range(value, -1, UINT32_MAX, field, ctx);
}

static int rule_access_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);
	unsigned    access = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == 'r')
			access |= SPEC_DEVICE_READ;
		else if (*p == 'w')
			access |= SPEC_DEVICE_WRITE;
		else if (*p == 'm')
			access |= SPEC_DEVICE_MKNOD;
		else
			return json_fail(ctx, "\"%.100s\" is not made of the letters r, w and m", text);
	}
	if (access != 0)
		*(unsigned *)field = access;
	return 0;
}

static int rule_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec_device_rule, member)
	static const struct json_field fields[] = {
		{ "allow", json_type_boolean, true, AT(allow), json_read_bool },
		{ "type", json_type_string, false, AT(type), rule_type_read },
		{ "major", json_type_int, false, AT(major), rule_number_read },
		{ "minor", json_type_int, false, AT(minor), rule_number_read },
		{ "access", json_type_string, false, AT(access), rule_access_read },
		{ 0 }
	};
#undef AT
	*(struct spec_device_rule *)field = (struct spec_device_rule){
		.type = 'a', .major = -1, .minor = -1,
		.access = SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MKNOD,
	};
	return json_read(value, fields, field, ctx);
}

int spec_device_rules_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element rule = {
		json_type_object, sizeof(struct spec_device_rule), rule_read
	};
	struct spec     *spec = field;
	struct json_list list;
	int ret = json_read_list(value, &rule, &list, ctx);

	if (ret < 0)
		return ret;
	spec->device_rules = list.items;
	spec->device_rules_count = list.count;
	return 0;
}
