/* update_options.c - the options of `update` as a linux.resources. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cmd/commands.h"

enum kind { BYTES, SIGNED, UNSIGNED, WORD };

static const struct setting {
	const char *option;        /* without "--" */
	size_t      at;            /* of its text in struct update_options */
	const char *section, *key; /* in linux.resources */
	enum kind   kind;
} settings[] = {
#define AT(field) offsetof(struct update_options, field)
	{ "blkio-weight", AT(blkio_weight), "blockIO", "weight", UNSIGNED },
	{ "cpu-period", AT(cpu_period), "cpu", "period", UNSIGNED },
	{ "cpu-quota", AT(cpu_quota), "cpu", "quota", SIGNED },
	{ "cpu-burst", AT(cpu_burst), "cpu", "burst", UNSIGNED },
	{ "cpu-share", AT(cpu_share), "cpu", "shares", UNSIGNED },
	{ "cpu-rt-period", AT(cpu_rt_period), "cpu", "realtimePeriod", UNSIGNED },
	{ "cpu-rt-runtime", AT(cpu_rt_runtime), "cpu", "realtimeRuntime", SIGNED },
	{ "cpuset-cpus", AT(cpuset_cpus), "cpu", "cpus", WORD },
	{ "cpuset-mems", AT(cpuset_mems), "cpu", "mems", WORD },
	{ "cpu-idle", AT(cpu_idle), "cpu", "idle", SIGNED },
	{ "memory", AT(memory), "memory", "limit", BYTES },
	{ "memory-reservation", AT(memory_reservation), "memory", "reservation", BYTES },
	{ "memory-swap", AT(memory_swap), "memory", "swap", BYTES },
	{ "pids-limit", AT(pids_limit), "pids", "limit", SIGNED },
#undef AT
};

/* Digits with nothing, or k, m, g, t behind them (also kb, KiB): powers of 1024. */
static bool read_bytes(const char *text, int64_t *ret_bytes)
{
	static const char units[] = "kmgt";
	char     digits[32];
	size_t   count = strspn(text, "0123456789");
	uint64_t number;

	if (count == 0 || count >= sizeof(digits))
		return false;
	memcpy(digits, text, count);
	digits[count] = '\0';
	if (!str_to_uint(digits, INT64_MAX, &number))
		return false;
	text += count;
	const char *unit = *text != '\0' ? strchr(units, *text | 0x20) : NULL;
	for (const char *at = units; unit != NULL && at <= unit; at++) {
		if (number > INT64_MAX / 1024)
			return false;
		number *= 1024;
	}
	text += unit != NULL;
	text += unit != NULL && (*text == 'i' || *text == 'I');
	text += *text == 'b' || *text == 'B';
	*ret_bytes = (int64_t)number;
	return *text == '\0';
}

static bool read_signed(const char *text, int64_t *ret_number)
{
	uint64_t number = 0;
	bool     minus = text[0] == '-';

	if (!str_to_uint(text + minus, INT64_MAX, &number))
		return false;
	*ret_number = minus ? -(int64_t)number : (int64_t)number;
	return true;
}

static int value_of(const struct setting *setting, const char *text, struct json_object **ret_value, struct error *err)
{
	int64_t  number = -1;
	uint64_t positive;
	bool     good = true;

	if (setting->kind == WORD) {
		*ret_value = json_object_new_string(text);
	} else if (setting->kind == UNSIGNED) {
		good = str_to_uint(text, UINT64_MAX, &positive);
		*ret_value = good ? json_object_new_uint64(positive) : NULL;
	} else {
		good = setting->kind == SIGNED ? read_signed(text, &number) : strcmp(text, "-1") == 0 || read_bytes(text, &number);
		*ret_value = good ? json_object_new_int64(number) : NULL;
	}
	if (!good) {
		error_set(err, 0, "--%s: \"%s\" is not a %s", setting->option, text, setting->kind == BYTES ? "number of bytes" : "number");
		return setting->kind == BYTES ? error_hint(err, "like 104857600, 100m, 2g, or -1 for no limit") : -err->code;
	}
	return *ret_value == NULL ? error_set(err, ENOMEM, "update") : 0;
}

static int put(struct json_object *patch, const struct setting *setting, struct json_object *value)
{
	struct json_object *section = NULL;

	if (!json_object_object_get_ex(patch, setting->section, &section)) {
		section = json_object_new_object();
		if (section == NULL || json_object_object_add(patch, setting->section, section) < 0)
			return -ENOMEM;
	}
	return json_object_object_add(section, setting->key, value) < 0 ? -ENOMEM : 0;
}

int update_patch(const struct update_options *options, struct json_object **ret_patch, struct error *err)
{
	*ret_patch = json_object_new_object();
	for (size_t i = 0; *ret_patch != NULL && i < array_size(settings); i++) {
		const char *text = *(const char *const *)((const char *)options + settings[i].at);
		struct json_object *value;

		if (text == NULL)
			continue;
		if (value_of(&settings[i], text, &value, err) < 0)
			return -err->code;
		if (put(*ret_patch, &settings[i], value) < 0)
			return error_set(err, ENOMEM, "update");
	}
	return *ret_patch == NULL ? error_set(err, ENOMEM, "update") : 0;
}

int update_rdt(const struct update_options *options, struct spec *ret_spec, struct error *err)
{
	struct json_object *json = json_object_new_object();
	const char *text;
	int ret = 0;

	*ret_spec = (struct spec){ .oci_version = NULL };
	if (json != NULL && options->l3_cache_schema != NULL)
		ret |= json_object_object_add(json, "l3CacheSchema", json_object_new_string(options->l3_cache_schema));
	if (json != NULL && options->mem_bw_schema != NULL)
		ret |= json_object_object_add(json, "memBwSchema", json_object_new_string(options->mem_bw_schema));
	text = json != NULL && ret == 0 ? json_object_to_json_string(json) : NULL;
	if (options->l3_cache_schema == NULL && options->mem_bw_schema == NULL)
		ret = 0;
	else if (text == NULL)
		ret = error_set(err, ENOMEM, "update");
	else
		ret = spec_read_intel_rdt(text, strlen(text), ret_spec, err);
	json_object_put(json);
	if (ret < 0 && err->code != ENOMEM) /* what the user knows the field as */
		snprintf(err->object, sizeof(err->object), "--%s-schema", strstr(err->object, "memBw") != NULL ? "mem-bw" : "l3-cache");
	return ret;
}
