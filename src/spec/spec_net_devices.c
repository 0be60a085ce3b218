/* spec_net_devices.c - config.json: linux.netDevices. Side: any; pure. */
#define _GNU_SOURCE
#include <net/if.h>
#include <string.h>

#include "spec/spec_read.h"

#define NET_DEVICES_MAX 1000 /* each is compared with each */

/* What the kernel takes for the name of a network device (net/core/dev.c, dev_valid_name). */
static int name_check(const char *name, struct json_context *ctx)
{
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    name[strcspn(name, "/: \t\n\v\f\r")] != '\0')
		return json_fail(ctx, "\"%.100s\" can't be the name of a network device", name);
	if (strlen(name) >= IFNAMSIZ)
		return json_fail(ctx, "\"%.100s\" has more than the %d bytes that the kernel keeps", name, IFNAMSIZ - 1);
	return 0;
}

/* config-linux.md, "Network Devices": a "%d" in the new name is replaced by the kernel with the first
 * number that is free. */
static int new_name_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *name = json_object_get_string(value), *template = strchr(name, '%');

	if (name[0] == '\0')
		return 0;
	if (name_check(name, ctx) < 0)
		return -ctx->err->code;
	if (template != NULL && (template[1] != 'd' || strchr(template + 2, '%') != NULL))
		return json_fail(ctx, "\"%.100s\": only one %%d can stand for a number", name);
	return json_read_text(value, field, ctx);
}

static int net_device_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "name", json_type_string, false, offsetof(struct spec_net_device, new_name), new_name_read },
		{ 0 }
	};
	struct spec *spec = field;
	struct spec_net_device *device = &spec->net_devices[spec->net_devices_count];

	if (name_check(json_name(ctx), ctx) < 0)
		return -ctx->err->code;
	device->name = arena_text(ctx->arena, json_name(ctx));
	if (device->name == NULL)
		return json_fail_memory(ctx);
	spec->net_devices_count++;
	int ret = json_read(value, fields, device, ctx);
	if (ret == 0 && device->new_name == NULL)
		device->new_name = device->name;
	return ret;
}

int spec_net_devices_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element member = { json_type_object, 0, net_device_read };
	struct spec *spec = field;

	if (json_object_object_length(value) > NET_DEVICES_MAX)
		return json_fail(ctx, "more than %d devices", NET_DEVICES_MAX);
	spec->net_devices = arena_alloc(ctx->arena, (size_t)json_object_object_length(value) + 1,
					sizeof(*spec->net_devices));
	if (spec->net_devices == NULL)
		return json_fail_memory(ctx);
	return json_read_members(value, &member, spec, ctx);
}
