/* spec_limits.c - config.json: limits as values of cgroup version 2. Side: any; pure.
 *
 * linux.resources speaks the language of version 1. What a value becomes is what engines expect
 * of the other runtimes, so that the same config.json gives the same container.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "spec/spec_read.h"

#define PATH_TEXT_MAX 512
#define VALUE_MAX 256
#define PERIOD_DEFAULT_US 100000

int spec_limit_add(struct json_context *ctx, const char *name, const struct spec_limit *limit)
{
	struct spec *spec = ctx->owner;
	char         path[PATH_TEXT_MAX];

	json_path(ctx, path, sizeof(path));
	struct spec_limit *limits = arena_grow(ctx->arena, spec->limits, spec->limits_count, sizeof(*limits));
	if (limits == NULL)
		return json_fail_memory(ctx);
	spec->limits = limits;
	struct spec_limit *added = &limits[spec->limits_count];
	*added = *limit;
	added->path = arena_format(ctx->arena, "%s%s%s", path, name ? ": " : "", name ? name : "");
	added->file = arena_text(ctx->arena, limit->file);
	added->value = arena_text(ctx->arena, limit->value);
	if (limit->instead_file != NULL) {
		added->instead_file = arena_text(ctx->arena, limit->instead_file);
		added->instead_value = arena_text(ctx->arena, limit->instead_value);
	}
	if (!added->path || !added->file || !added->value || (limit->instead_file && (!added->instead_file || !added->instead_value)))
		return json_fail_memory(ctx);
	spec->limits_count++;
	return 0;
}

int spec_limit_format(struct json_context *ctx, const char *name, struct spec_limit limit, const char *value, ...)
{
	char    text[VALUE_MAX];
	va_list ap;

	va_start(ap, value);
	vsnprintf(text, sizeof(text), value, ap);
	va_end(ap);
	limit.value = text;
	return spec_limit_add(ctx, name, &limit);
}

/* json_fail() for a field of the object that is being read. */
static int fail_at(struct json_context *ctx, const char *name, const char *cause)
{
	char path[PATH_TEXT_MAX];

	json_path(ctx, path, sizeof(path));
	error_set(ctx->err, 0, "%s", cause);
	return error_object(ctx->err, "%s: %s", path, name);
}

/* "max" for -1, which every new cgroup has. */
static int add_bytes(struct json_context *ctx, const char *name, const char *file, int64_t bytes, unsigned flags)
{
	if (bytes < 0)
		return spec_limit_add(ctx, name, &(struct spec_limit){ .file = file, .value = "max", .flags = SPEC_LIMIT_DEFAULT });
	return spec_limit_format(ctx, name, (struct spec_limit){ .file = file, .flags = flags }, "%" PRId64, bytes);
}

/* In version 1 the limit of swap is one of memory and swap together. */
static int add_swap(struct json_context *ctx, const struct spec_memory *memory)
{
	if (memory->swap == -1 || (memory->swap == 0 && memory->limit == -1))
		return add_bytes(ctx, "swap", "memory.swap.max", -1, 0);
	if (memory->swap == 0)
		return 0;
	if (memory->limit <= 0) {
		fail_at(ctx, "swap", "it is the limit of memory and swap together, and needs one of memory");
		return error_hint(ctx->err, "set linux: resources: memory: limit, too");
	}
	if (memory->swap < memory->limit) {
		fail_at(ctx, "swap", "it is the limit of memory and swap together, and smaller than that of memory");
		return error_hint(ctx->err, "the same number allows no swap");
	}
	return add_bytes(ctx, "swap", "memory.swap.max", memory->swap - memory->limit, SPEC_LIMIT_NO_SWAP);
}

int spec_limits_memory(struct json_context *ctx, const struct spec_memory *memory)
{
	int ret = add_swap(ctx, memory);

	if (ret == 0 && memory->limit != 0)
		ret = add_bytes(ctx, "limit", "memory.max", memory->limit, memory->check_before_update ? SPEC_LIMIT_USAGE : 0);
	/* A soft limit of -1 meant no reservation. "max" in memory.low would mean to take nothing back ever. */
	if (ret == 0 && memory->reservation != 0)
		ret = memory->reservation > 0 ? add_bytes(ctx, "reservation", "memory.low", memory->reservation, 0)
			: spec_limit_add(ctx, "reservation", &(struct spec_limit){ .file = "memory.low", .value = "0",
										   .flags = SPEC_LIMIT_DEFAULT });
	return ret;
}

/* log2(@value) of 1 or more: its characteristic, then a binary digit by each squaring of the mantissa.
 * Not libm's: its tables would be half of what the static program may still grow. */
static double logarithm(uint64_t value)
{
	int    whole = 63 - __builtin_clzll(value);
	double mantissa = (double)value / (double)(UINT64_C(1) << whole), result = whole;

	for (double digit = 0.5; digit > 1e-15; digit /= 2) {
		mantissa *= mantissa;
		if (mantissa >= 2) {
			mantissa /= 2;
			result += digit;
		}
	}
	return result;
}

/* 10^@exponent for 0..4: 10^whole, times the series of e^(rest * ln 10). */
static double power_of_ten(double exponent)
{
	double result = 1, term = 1, sum = 1;

	for (; exponent >= 1; exponent--)
		result *= 10;
	for (int i = 1; i < 40; i++) {
		term *= exponent * 2.302585092994045684 / i;
		sum += term;
	}
	return result * sum;
}

unsigned spec_weight_of_shares(uint64_t shares)
{
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	double l = logarithm(shares);
	double weight = power_of_ten((l * l + 125 * l) / 612.0 - 7.0 / 34.0);
	/* Rounded up, but not what only the arithmetic put above a whole number: no other weight comes as near to one. */
	unsigned result = (unsigned)weight;
	return weight - result > 1e-7 ? result + 1 : result;
}

unsigned spec_io_weight(unsigned weight)
{
	return 1 + (weight - 10) * 9999 / 990;
}

static int add_weight(struct json_context *ctx, const struct spec_cpu *cpu)
{
	struct spec_limit weight = { .file = "cpu.weight" };
	unsigned value = spec_weight_of_shares(cpu->shares);

	/* An idle cgroup has the least weight of all, and the kernel refuses to give it another one. */
	if (cpu->shares == 0 || cpu->idle == 1)
		return 0;
	weight.flags = value == 100 ? SPEC_LIMIT_DEFAULT : 0;
	return spec_limit_format(ctx, "shares", weight, "%u", value);
}

/* cpu.max is "QUOTA PERIOD"; the quota alone leaves the period as it is. */
static int add_quota(struct json_context *ctx, const struct spec_cpu *cpu)
{
	struct spec_limit max = { .file = "cpu.max" };
	char quota[24] = "max";

	if (cpu->quota > 0)
		snprintf(quota, sizeof(quota), "%" PRId64, cpu->quota);
	else if (cpu->period == 0 || cpu->period == PERIOD_DEFAULT_US)
		max.flags = SPEC_LIMIT_DEFAULT;
	if (cpu->quota != 0 && cpu->period != 0)
		return spec_limit_format(ctx, "quota", max, "%s %" PRIu64, quota, cpu->period);
	if (cpu->quota != 0)
		return spec_limit_format(ctx, "quota", max, "%s", quota);
	max.flags |= SPEC_LIMIT_QUOTA;
	return cpu->period != 0 ? spec_limit_format(ctx, "period", max, "%" PRIu64, cpu->period) : 0;
}

int spec_limits_cpu(struct json_context *ctx, const struct spec_cpu *cpu)
{
	struct spec_limit idle = { .file = "cpu.idle", .flags = cpu->idle == 0 ? SPEC_LIMIT_DEFAULT : 0 };
	struct spec_limit burst = { .file = "cpu.max.burst", .flags = cpu->burst == 0 ? SPEC_LIMIT_DEFAULT : 0 };
	int ret = 0;

	if (cpu->idle_given)
		ret = spec_limit_format(ctx, "idle", idle, "%" PRId64, cpu->idle);
	if (ret == 0)
		ret = add_weight(ctx, cpu);
	if (ret == 0)
		ret = add_quota(ctx, cpu);
	if (ret == 0 && cpu->burst_given)
		ret = spec_limit_format(ctx, "burst", burst, "%" PRIu64, cpu->burst);
	if (ret == 0 && cpu->cpus != NULL)
		ret = spec_limit_add(ctx, "cpus", &(struct spec_limit){ .file = "cpuset.cpus", .value = cpu->cpus });
	if (ret == 0 && cpu->mems != NULL)
		ret = spec_limit_add(ctx, "mems", &(struct spec_limit){ .file = "cpuset.mems", .value = cpu->mems });
	return ret;
}
