/* spec_resources.c - config.json: linux.resources, without its devices. Side: any; pure.
 *
 * Every limit that asks for something is noted in spec->unsupported; what only version 1 of the
 * cgroups could do is ignored with a warning. Engines write whole empty objects: they ask nothing.
 */
#define _GNU_SOURCE
#include <string.h>

#include "spec/spec_read.h"

/* A limit, after @ret of the check of its type. */
static int limit_note(int ret, struct json_object *value, struct json_context *ctx)
{
	return ret == 0 && spec_demands(value) ? spec_unsupported_add(ctx, true) : ret;
}

static int v1_note(int ret, struct json_object *value, struct json_context *ctx)
{
	return ret == 0 && spec_demands(value) ? spec_warn(ctx, "ignored: only cgroup v1 has it") : ret;
}

static int limit_any(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return limit_note(0, value, ctx);
}

static int limit_int64(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return limit_note(json_read_int64(value, NULL, ctx), value, ctx);
}

static int limit_uint64(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return limit_note(json_read_uint64(value, NULL, ctx), value, ctx);
}

/* 1024 shares are cpu.weight 100, what every new cgroup has: met without doing anything. */
static int limit_shares(struct json_object *value, void *field, struct json_context *ctx)
{
	uint64_t shares;

	(void)field;
	int ret = json_read_uint64(value, &shares, ctx);
	return ret == 0 && shares == 1024 ? 0 : limit_note(ret, value, ctx);
}

static int limit_uint16(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return limit_note(json_read_uint16(value, NULL, ctx), value, ctx);
}

static int v1_any(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return v1_note(0, value, ctx);
}

static int v1_int64(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return v1_note(json_read_int64(value, NULL, ctx), value, ctx);
}

static int v1_uint64(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return v1_note(json_read_uint64(value, NULL, ctx), value, ctx);
}

static int v1_uint32(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return v1_note(json_read_uint32(value, NULL, ctx), value, ctx);
}

static int v1_uint16(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return v1_note(json_read_uint16(value, NULL, ctx), value, ctx);
}

/* An array of objects whose @read checks one of them. */
static int list_check(struct json_object *value, json_read_fn *read, struct json_context *ctx)
{
	const struct json_element element = { json_type_object, 1, read };
	struct json_list list;

	return json_read_list(value, &element, &list, ctx);
}

static int memory_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "limit", json_type_int, false, 0, limit_int64 },
		{ "reservation", json_type_int, false, 0, limit_int64 },
		{ "swap", json_type_int, false, 0, limit_int64 },
		{ "kernel", json_type_int, false, 0, v1_int64 },
		{ "kernelTCP", json_type_int, false, 0, v1_int64 },
		{ "swappiness", json_type_int, false, 0, v1_uint64 },
		{ "disableOOMKiller", json_type_boolean, false, 0, v1_any },
		{ "useHierarchy", json_type_boolean, false, 0, v1_any },
		{ "checkBeforeUpdate", json_type_boolean, false, 0, NULL },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

static int cpu_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "shares", json_type_int, false, 0, limit_shares },
		{ "quota", json_type_int, false, 0, limit_int64 },
		{ "burst", json_type_int, false, 0, limit_uint64 },
		{ "period", json_type_int, false, 0, limit_uint64 },
		{ "realtimeRuntime", json_type_int, false, 0, limit_int64 },
		{ "realtimePeriod", json_type_int, false, 0, limit_uint64 },
		{ "cpus", json_type_string, false, 0, limit_any },
		{ "mems", json_type_string, false, 0, limit_any },
		{ "idle", json_type_int, false, 0, limit_int64 },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

static int pids_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "limit", json_type_int, false, 0, limit_int64 },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

static int weight_device_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "major", json_type_int, true, 0, json_read_int64 },
		{ "minor", json_type_int, true, 0, json_read_int64 },
		{ "weight", json_type_int, false, 0, json_read_uint16 },
		{ "leafWeight", json_type_int, false, 0, json_read_uint16 },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int throttle_device_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "major", json_type_int, true, 0, json_read_int64 },
		{ "minor", json_type_int, true, 0, json_read_int64 },
		{ "rate", json_type_int, false, 0, json_read_uint64 },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int weight_devices_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return limit_note(list_check(value, weight_device_check, ctx), value, ctx);
}

static int throttle_devices_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return limit_note(list_check(value, throttle_device_check, ctx), value, ctx);
}

static int block_io_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "weight", json_type_int, false, 0, limit_uint16 },
		{ "leafWeight", json_type_int, false, 0, v1_uint16 },
		{ "weightDevice", json_type_array, false, 0, weight_devices_read },
		{ "throttleReadBpsDevice", json_type_array, false, 0, throttle_devices_read },
		{ "throttleWriteBpsDevice", json_type_array, false, 0, throttle_devices_read },
		{ "throttleReadIOPSDevice", json_type_array, false, 0, throttle_devices_read },
		{ "throttleWriteIOPSDevice", json_type_array, false, 0, throttle_devices_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

/* 2MB, 64KB, 1GB: as the kernel names them in hugetlb.SIZE.max. */
static int page_size_check(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);
	size_t      digits = strspn(text, "0123456789");

	(void)field;
	if (digits > 0 && text[0] != '0' && text[digits] != '\0' && strchr("KMG", text[digits]) != NULL &&
	    strcmp(text + digits + 1, "B") == 0)
		return 0;
	json_fail(ctx, "\"%.100s\" is not a page size", text);
	return error_hint(ctx->err, "write a number and KB, MB or GB, like 2MB");
}

static int hugepage_limit_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "pageSize", json_type_string, true, 0, page_size_check },
		{ "limit", json_type_int, true, 0, json_read_uint64 },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int hugepage_limits_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return limit_note(list_check(value, hugepage_limit_check, ctx), value, ctx);
}

static int priority_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "name", json_type_string, true, 0, NULL },
		{ "priority", json_type_int, true, 0, json_read_uint32 },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int priorities_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return v1_note(list_check(value, priority_check, ctx), value, ctx);
}

static int network_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "classID", json_type_int, false, 0, v1_uint32 },
		{ "priorities", json_type_array, false, 0, priorities_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

static int rdma_device_check(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "hcaHandles", json_type_int, false, 0, json_read_uint32 },
		{ "hcaObjects", json_type_int, false, 0, json_read_uint32 },
		{ 0 }
	};
	(void)field;
	return json_read(value, fields, NULL, ctx);
}

static int rdma_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element device = { json_type_object, 0, rdma_device_check };

	return limit_note(json_read_members(value, &device, field, ctx), value, ctx);
}

static int unified_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element text = { json_type_string, 0, NULL };

	return limit_note(json_read_members(value, &text, field, ctx), value, ctx);
}

int spec_resources_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "devices", json_type_array, false, 0, spec_device_rules_read },
		{ "memory", json_type_object, false, 0, memory_read },
		{ "cpu", json_type_object, false, 0, cpu_read },
		{ "pids", json_type_object, false, 0, pids_read },
		{ "blockIO", json_type_object, false, 0, block_io_read },
		{ "hugepageLimits", json_type_array, false, 0, hugepage_limits_read },
		{ "network", json_type_object, false, 0, network_read },
		{ "rdma", json_type_object, false, 0, rdma_read },
		{ "unified", json_type_object, false, 0, unified_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}
