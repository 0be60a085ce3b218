/* spec_resources.c - config.json: linux.resources, without its devices. Side: any; pure.
 *
 * Each limit that asks for something becomes an element of spec->limits (spec_limits.c); what only
 * version 1 of the cgroups could do is ignored with a warning, or refused where it is a limit.
 * Engines write whole empty objects: they ask nothing.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec_read.h"

#define KEY_MAX 128 /* of a name that becomes a part of a file's */

/* A limit that version 2 has no file for, after @ret of the check of its type. */
static int limit_note(int ret, struct json_object *value, struct json_context *ctx)
{
	return ret == 0 && spec_demands(value) ? spec_unsupported_add(ctx) : ret;
}

static int v1_note(int ret, struct json_object *value, struct json_context *ctx)
{
	return ret == 0 && spec_demands(value) ? spec_warn(ctx, "ignored: only cgroup v1 has it") : ret;
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

/* A number of bytes or processes, or -1: no limit. */
static int amount_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return json_read_range(value, -1, INT64_MAX, field, ctx);
}

static int idle_number(struct json_object *value, void *field, struct json_context *ctx)
{
	return json_read_range(value, 0, 1, field, ctx);
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
		{ "limit", json_type_int, false, offsetof(struct spec_memory, limit), amount_read },
		{ "reservation", json_type_int, false, offsetof(struct spec_memory, reservation), amount_read },
		{ "swap", json_type_int, false, offsetof(struct spec_memory, swap), amount_read },
		{ "kernel", json_type_int, false, 0, v1_int64 },
		{ "kernelTCP", json_type_int, false, 0, v1_int64 },
		{ "swappiness", json_type_int, false, 0, v1_uint64 },
		{ "disableOOMKiller", json_type_boolean, false, 0, v1_any },
		{ "useHierarchy", json_type_boolean, false, 0, v1_any },
		{ "checkBeforeUpdate", json_type_boolean, false, offsetof(struct spec_memory, check_before_update),
		  json_read_bool },
		{ 0 }
	};
	struct spec_memory memory = { 0 };
	int ret = json_read(value, fields, &memory, ctx);

	(void)field;
	return ret < 0 ? ret : spec_limits_memory(ctx, &memory);
}

static int burst_read(struct json_object *value, void *field, struct json_context *ctx)
{
	((struct spec_cpu *)field)->burst_given = true;
	return json_read_uint64(value, &((struct spec_cpu *)field)->burst, ctx);
}

static int idle_read(struct json_object *value, void *field, struct json_context *ctx)
{
	((struct spec_cpu *)field)->idle_given = true;
	return idle_number(value, &((struct spec_cpu *)field)->idle, ctx);
}

/* Of processors or memory nodes, cpuset(7), "List format": what it means is the kernel's affair, but it is one line. */
static int list_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);

	if (text[strspn(text, "0123456789,-:/ abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0') {
		json_fail(ctx, "this is no list of numbers");
		return error_hint(ctx->err, "numbers and ranges with commas: \"0-3,7\"");
	}
	return spec_read_word(value, field, ctx);
}

static int cpu_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "shares", json_type_int, false, offsetof(struct spec_cpu, shares), json_read_uint64 },
		{ "quota", json_type_int, false, offsetof(struct spec_cpu, quota), json_read_int64 },
		{ "burst", json_type_int, false, 0, burst_read },
		{ "period", json_type_int, false, offsetof(struct spec_cpu, period), json_read_uint64 },
		{ "realtimeRuntime", json_type_int, false, 0, limit_int64 },
		{ "realtimePeriod", json_type_int, false, 0, limit_uint64 },
		{ "cpus", json_type_string, false, offsetof(struct spec_cpu, cpus), list_read },
		{ "mems", json_type_string, false, offsetof(struct spec_cpu, mems), list_read },
		{ "idle", json_type_int, false, 0, idle_read },
		{ 0 }
	};
	struct spec_cpu cpu = { 0 };
	int ret = json_read(value, fields, &cpu, ctx);

	(void)field;
	return ret < 0 ? ret : spec_limits_cpu(ctx, &cpu);
}

/* Since 1.3 the specification can tell 0 from a limit that is absent. Before, it could not, and engines
 * write 0 for "no limit" (podman's --pids-limit=0). */
static bool zero_is_a_limit(const struct spec *spec)
{
	return spec->oci_version == NULL || strtoul(spec->oci_version + strlen("1."), NULL, 10) >= 3;
}

static int pids_limit_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec_limit max = { .file = "pids.max", .value = "max", .flags = SPEC_LIMIT_DEFAULT };
	int64_t number;

	(void)field;
	int ret = amount_read(value, &number, ctx);
	if (ret < 0 || (number == 0 && !zero_is_a_limit(ctx->owner)))
		return ret;
	if (number < 0)
		return spec_limit_add(ctx, NULL, &max);
	max.flags = 0;
	return spec_limit_format(ctx, NULL, max, "%" PRId64, number);
}

static int pids_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "limit", json_type_int, false, 0, pids_limit_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

/* A weight of blkio; 0: none. The scheduler bfq has a file of its own, with the numbers as they are. */
static int weight_number(struct json_object *value, int64_t *ret_weight, struct json_context *ctx)
{
	*ret_weight = json_object_get_int64(value);
	return *ret_weight == 0 ? 0 : json_read_range(value, 10, 1000, ret_weight, ctx);
}

static int weight_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec_limit limit = { .file = "io.bfq.weight", .instead_file = "io.weight" };
	char    instead[32];
	int64_t weight;

	(void)field;
	int ret = weight_number(value, &weight, ctx);
	if (ret < 0 || weight == 0)
		return ret;
	snprintf(instead, sizeof(instead), "%u", spec_io_weight((unsigned)weight));
	limit.instead_value = instead;
	return spec_limit_format(ctx, NULL, limit, "%" PRId64, weight);
}

struct io_device {
	uint32_t major, minor;
	int64_t  weight;
	uint64_t rate;
	bool     rate_given;
};

static int device_weight_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return weight_number(value, &((struct io_device *)field)->weight, ctx);
}

static int rate_read(struct json_object *value, void *field, struct json_context *ctx)
{
	((struct io_device *)field)->rate_given = true;
	return json_read_uint64(value, &((struct io_device *)field)->rate, ctx);
}

static int weight_device_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "major", json_type_int, true, offsetof(struct io_device, major), json_read_uint32 },
		{ "minor", json_type_int, true, offsetof(struct io_device, minor), json_read_uint32 },
		{ "weight", json_type_int, false, 0, device_weight_read },
		{ "leafWeight", json_type_int, false, 0, v1_uint16 },
		{ 0 }
	};
	struct spec_limit limit = { .file = "io.bfq.weight", .instead_file = "io.weight" };
	struct io_device  device = { 0 };
	char instead[64];
	int  ret = json_read(value, fields, &device, ctx);

	(void)field;
	if (ret < 0 || device.weight == 0)
		return ret;
	snprintf(instead, sizeof(instead), "%u:%u %u", device.major, device.minor, spec_io_weight((unsigned)device.weight));
	limit.instead_value = instead;
	return spec_limit_format(ctx, NULL, limit, "%u:%u %" PRId64, device.major, device.minor, device.weight);
}

/* @word: of io.max. A rate of 0 took the limit away in version 1. */
static int throttle_device_read(struct json_object *value, const char *word, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "major", json_type_int, true, offsetof(struct io_device, major), json_read_uint32 },
		{ "minor", json_type_int, true, offsetof(struct io_device, minor), json_read_uint32 },
		{ "rate", json_type_int, false, 0, rate_read },
		{ 0 }
	};
	struct spec_limit limit = { .file = "io.max" };
	struct io_device  device = { 0 };
	int ret = json_read(value, fields, &device, ctx);

	if (ret < 0 || !device.rate_given)
		return ret;
	if (device.rate > 0)
		return spec_limit_format(ctx, NULL, limit, "%u:%u %s=%" PRIu64, device.major, device.minor, word, device.rate);
	limit.flags = SPEC_LIMIT_DEFAULT;
	return spec_limit_format(ctx, NULL, limit, "%u:%u %s=max", device.major, device.minor, word);
}

static int read_bps_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return throttle_device_read(value, "rbps", ctx);
}

static int write_bps_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return throttle_device_read(value, "wbps", ctx);
}

static int read_iops_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return throttle_device_read(value, "riops", ctx);
}

static int write_iops_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)field;
	return throttle_device_read(value, "wiops", ctx);
}

#define LIST_READ(name, element_read) \
	static int name(struct json_object *value, void *field, struct json_context *ctx) \
	{ \
		(void)field; \
		return list_check(value, element_read, ctx); \
	}
LIST_READ(weight_devices_read, weight_device_read)
LIST_READ(read_bps_devices_read, read_bps_read)
LIST_READ(write_bps_devices_read, write_bps_read)
LIST_READ(read_iops_devices_read, read_iops_read)
LIST_READ(write_iops_devices_read, write_iops_read)

static int block_io_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "weight", json_type_int, false, 0, weight_read },
		{ "leafWeight", json_type_int, false, 0, v1_uint16 },
		{ "weightDevice", json_type_array, false, 0, weight_devices_read },
		{ "throttleReadBpsDevice", json_type_array, false, 0, read_bps_devices_read },
		{ "throttleWriteBpsDevice", json_type_array, false, 0, write_bps_devices_read },
		{ "throttleReadIOPSDevice", json_type_array, false, 0, read_iops_devices_read },
		{ "throttleWriteIOPSDevice", json_type_array, false, 0, write_iops_devices_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

/* 2MB, 64KB, 1GB: as the kernel names them in hugetlb.SIZE.max. */
static int page_size_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);
	size_t      digits = strspn(text, "0123456789");

	if (digits > 0 && digits < 12 && text[0] != '0' && text[digits] != '\0' && strchr("KMG", text[digits]) != NULL &&
	    strcmp(text + digits + 1, "B") == 0)
		return json_read_text(value, field, ctx);
	json_fail(ctx, "\"%.100s\" is not a page size", text);
	return error_hint(ctx->err, "write a number and KB, MB or GB, like 2MB");
}

struct huge_limit {
	const char *size;
	uint64_t    limit;
};

static int hugepage_limit_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "pageSize", json_type_string, true, offsetof(struct huge_limit, size), page_size_read },
		{ "limit", json_type_int, true, offsetof(struct huge_limit, limit), json_read_uint64 },
		{ 0 }
	};
	struct huge_limit huge = { 0 };
	char file[64], reserved[64];
	int  ret = json_read(value, fields, &huge, ctx);

	(void)field;
	if (ret < 0)
		return ret;
	snprintf(file, sizeof(file), "hugetlb.%s.max", huge.size);
	snprintf(reserved, sizeof(reserved), "hugetlb.%s.rsvd.max", huge.size);
	ret = spec_limit_format(ctx, NULL, (struct spec_limit){ .file = file }, "%" PRIu64, huge.limit);
	/* Only a limit of what is reserved lets mmap(2) fail; one of what is used ends in a SIGBUS. */
	return ret < 0 ? ret : spec_limit_format(ctx, NULL, (struct spec_limit){ .file = reserved, .flags = SPEC_LIMIT_OPTIONAL },
						 "%" PRIu64, huge.limit);
}

LIST_READ(hugepage_limits_read, hugepage_limit_read)

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

struct rdma_device {
	uint32_t handles, objects;
	bool     handles_given, objects_given;
};

static int handles_read(struct json_object *value, void *field, struct json_context *ctx)
{
	((struct rdma_device *)field)->handles_given = true;
	return json_read_uint32(value, &((struct rdma_device *)field)->handles, ctx);
}

static int objects_read(struct json_object *value, void *field, struct json_context *ctx)
{
	((struct rdma_device *)field)->objects_given = true;
	return json_read_uint32(value, &((struct rdma_device *)field)->objects, ctx);
}

static int rdma_device_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "hcaHandles", json_type_int, false, 0, handles_read },
		{ "hcaObjects", json_type_int, false, 0, objects_read },
		{ 0 }
	};
	struct rdma_device device = { 0 };
	char words[2][32] = { "", "" };
	const char *name = json_name(ctx);

	(void)field;
	if (name[0] == '\0' || strpbrk(name, " \t\n") != NULL || strlen(name) > KEY_MAX)
		return json_fail(ctx, "this is not the name of a device");
	int ret = json_read(value, fields, &device, ctx);
	if (ret < 0 || (!device.handles_given && !device.objects_given))
		return ret;
	if (device.handles_given)
		snprintf(words[0], sizeof(words[0]), " hca_handle=%u", device.handles);
	if (device.objects_given)
		snprintf(words[1], sizeof(words[1]), " hca_object=%u", device.objects);
	return spec_limit_format(ctx, NULL, (struct spec_limit){ .file = "rdma.max" }, "%s%s%s", name, words[0], words[1]);
}

static int rdma_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element device = { json_type_object, 0, rdma_device_read };

	return json_read_members(value, &device, field, ctx);
}

/* CONTROLLER.NAME, and nothing that leads elsewhere. cgroup.* is how moss moves, freezes and kills. */
static int unified_key_check(const char *key, struct json_context *ctx)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const char *dot = strchr(key, '.');

	if (dot != NULL && dot != key && dot[1] != '\0' && strlen(key) <= KEY_MAX && strspn(key, allowed) == strlen(key) &&
	    strncmp(key, "cgroup.", strlen("cgroup.")) != 0)
		return 0;
	json_fail(ctx, "this is not a file of a controller");
	return error_hint(ctx->err, "write CONTROLLER.NAME, like memory.high; cgroup.* is moss's own");
}

/* Each line is a write of its own: of files with a line for each device the kernel takes one at a time. */
static int unified_member_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec_limit limit = { .file = json_name(ctx) };
	const char *text;

	(void)field;
	int ret = unified_key_check(limit.file, ctx);
	if (ret == 0)
		ret = json_read_text(value, &text, ctx);
	if (ret == 0 && text[strspn(text, " \t\n")] == '\0') /* memory.max would take it for 0 */
		return json_fail(ctx, "the value is empty");
	while (ret == 0 && *text != '\0') {
		size_t length = strcspn(text, "\n");

		limit.value = arena_format(ctx->arena, "%.*s", (int)length, text);
		if (limit.value == NULL)
			return json_fail_memory(ctx);
		if (limit.value[strspn(limit.value, " \t")] != '\0')
			ret = spec_limit_add(ctx, NULL, &limit);
		text += length + (text[length] == '\n');
	}
	return ret;
}

static int unified_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element text = { json_type_string, 0, unified_member_read };

	return json_read_members(value, &text, field, ctx);
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
		{ 0 }
	};
	/* Last, wherever it stands: it has the last word on what the others say, too. */
	static const struct json_field unified[] = {
		{ "unified", json_type_object, false, 0, unified_read },
		{ 0 }
	};
	int ret = json_read(value, fields, field, ctx);

	return ret < 0 ? ret : json_read(value, unified, field, ctx);
}
