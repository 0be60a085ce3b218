/* properties.c - see properties.h. Side: helper. */
#define _GNU_SOURCE
#include "properties.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "value.h"

#define NAME_MAX_BYTES 128
#define CPU_STEP_US 10000 /* of a second: systemd keeps a quota as a whole percentage */
#define CPU_PERIOD_US 100000
#define MASK_BYTES 1024   /* CPUs or nodes 0..8191, as many as Linux can have */

static int append_failed(int ret, const char *name, struct error *err)
{
	return ret < 0 ? error_at(err, -ret, name, "put the property into a message") : 0;
}

static int append_item(sd_bus_message *message, char type, const union value_one *one)
{
	uint8_t  byte = (uint8_t)one->unsigned_integer;
	uint16_t word = type == 'n' ? (uint16_t)one->integer : (uint16_t)one->unsigned_integer;
	uint32_t half = type == 'i' ? (uint32_t)one->integer : (uint32_t)one->unsigned_integer;
	int      truth = one->truth;

	switch (type) {
	case 'b': return sd_bus_message_append_basic(message, type, &truth);
	case 'y': return sd_bus_message_append_basic(message, type, &byte);
	case 'n': case 'q': return sd_bus_message_append_basic(message, type, &word);
	case 'i': case 'u': return sd_bus_message_append_basic(message, type, &half);
	case 'x': return sd_bus_message_append_basic(message, type, &one->integer);
	case 't': return sd_bus_message_append_basic(message, type, &one->unsigned_integer);
	case 'd': return sd_bus_message_append_basic(message, type, &one->real);
	default: return sd_bus_message_append_basic(message, type, one->text);
	}
}

static int append_value(sd_bus_message *message, const char *name, const struct value *value)
{
	const char item[] = { value->type, '\0' }, list[] = { 'a', value->type, '\0' };
	int ret = sd_bus_message_open_container(message, 'r', "sv");

	if (ret >= 0)
		ret = sd_bus_message_append(message, "s", name);
	if (ret >= 0)
		ret = sd_bus_message_open_container(message, 'v', value->is_list ? list : item);
	if (ret >= 0 && value->is_list)
		ret = sd_bus_message_open_container(message, 'a', item);
	for (size_t i = 0; ret >= 0 && i < value->count; i++)
		ret = append_item(message, value->type, &value->items[i]);
	if (ret >= 0 && value->is_list)
		ret = sd_bus_message_close_container(message);
	if (ret >= 0)
		ret = sd_bus_message_close_container(message);
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

/* What moss itself decides, or the container would not be where moss takes it to be. */
static bool is_ours(const char *name)
{
	static const char *const names[] = { "PIDs", "PIDFDs", "Slice", "Delegate", "DelegateSubgroup" };

	for (size_t i = 0; i < array_size(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int take_name(const char *text, char name[NAME_MAX_BYTES], struct error *err)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	snprintf(name, NAME_MAX_BYTES, "%.*s", (int)strcspn(text, "="), text);
	if (length < 3 || length >= NAME_MAX_BYTES || text[length] != '=') {
		error_set(err, 0, "\"%s\" is not the name of a property", name);
		return error_hint(err, "it has letters and digits only, as systemd.resource-control(5) writes it");
	}
	if (!is_ours(name))
		return 0;
	error_set(err, 0, "moss sets this property itself");
	return error_hint(err, "leave the annotation out; the slice and the name are in linux.cgroupsPath (slice:prefix:name)");
}

int properties_add(sd_bus_message *message, const char *text, struct error *err)
{
	arena_owned arena = { 0 };
	char  name[NAME_MAX_BYTES];
	struct value value;
	int   ret = take_name(text, name, err);

	/* Of a scope's properties, those that name a signal are int32; every other number is uint64. */
	if (ret == 0)
		ret = value_read(text + strlen(name) + 1, str_ends(name, strlen(name), "Signal") ? 'i' : 0, &arena, &value, err);
	if (ret == 0 && str_ends(name, strlen(name), "Sec") && !str_ends(name, strlen(name), "USec")) {
		ret = value_seconds_to_us(&value, err);
		snprintf(name + strlen(name) - strlen("Sec"), strlen("USec") + 1, "USec");
	}
	if (ret == 0)
		ret = append_failed(append_value(message, name, &value), name, err);
	return ret == 0 ? 0 : error_object(err, "annotations: org.systemd.property.%.*s", (int)strcspn(text, "="), text);
}

/* --- limits --- */

static int append_number(sd_bus_message *message, const char *name, const char *value)
{
	uint64_t number = UINT64_MAX;

	if (strcmp(value, "max") != 0 && !str_to_uint(value, UINT64_MAX, &number))
		return 0; /* words that systemd has no number for */
	return sd_bus_message_append(message, "(sv)", name, "t", number);
}

/* "QUOTA PERIOD", "QUOTA", or of a limit of the period alone only that, which leaves the quota: see cgroup_limits.c. */
static int append_quota(sd_bus_message *message, const char *value)
{
	char     quota[32];
	uint64_t quota_us, period_us = CPU_PERIOD_US;
	size_t   length = strcspn(value, " ");

	snprintf(quota, sizeof(quota), "%.*s", (int)length, value);
	if (value[length] == ' ' && !str_to_uint(value + length + 1, 1000000, &period_us))
		return 0;
	if (strcmp(quota, "max") == 0)
		return sd_bus_message_append(message, "(sv)", "CPUQuotaPerSecUSec", "t", UINT64_MAX);
	if (!str_to_uint(quota, UINT64_MAX / 1000000, &quota_us) || period_us == 0)
		return 0;
	uint64_t per_second = (quota_us * 1000000 + period_us - 1) / period_us;
	per_second = (per_second + CPU_STEP_US - 1) / CPU_STEP_US * CPU_STEP_US;
	int ret = sd_bus_message_append(message, "(sv)", "CPUQuotaPeriodUSec", "t", period_us);
	return ret < 0 ? ret : sd_bus_message_append(message, "(sv)", "CPUQuotaPerSecUSec", "t", per_second);
}

/* A list like 0-2,7 as systemd's bit mask. */
static int append_mask(sd_bus_message *message, const char *name, const char *value)
{
	uint8_t mask[MASK_BYTES] = { 0 };
	size_t  bytes = 0;
	char   *end;

	for (const char *at = value; *at != '\0'; at = *end == ',' ? end + 1 : end) {
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end == at)
			return 0;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last >= 8 * sizeof(mask) || (*end != ',' && *end != '\0'))
			return 0;
		for (; first <= last; first++) {
			mask[first / 8] |= (uint8_t)(1u << first % 8);
			bytes = first / 8 + 1 > bytes ? first / 8 + 1 : bytes;
		}
	}
	int ret = sd_bus_message_open_container(message, 'r', "sv");
	if (ret >= 0)
		ret = sd_bus_message_append(message, "s", name);
	if (ret >= 0)
		ret = sd_bus_message_open_container(message, 'v', "ay");
	if (ret >= 0)
		ret = sd_bus_message_append_array(message, 'y', mask, bytes);
	if (ret >= 0)
		ret = sd_bus_message_close_container(message);
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

static int append_device(sd_bus_message *message, const char *name, const char *device, uint64_t number)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/block/%.*s", (int)strcspn(device, " "), device);
	return sd_bus_message_append(message, "(sv)", name, "a(st)", 1, path, number);
}

/* "N", "default N" or "MAJOR:MINOR N". */
static int append_io_weight(sd_bus_message *message, const char *value)
{
	const char *number = strchr(value, ' ');
	uint64_t    weight;

	if (number == NULL || str_starts(value, "default "))
		return append_number(message, "IOWeight", number != NULL ? number + 1 : value);
	return str_to_uint(number + 1, 10000, &weight) ? append_device(message, "IODeviceWeight", value, weight) : 0;
}

/* "MAJOR:MINOR WORD=RATE". */
static int append_io_max(sd_bus_message *message, const char *value)
{
	static const struct {
		const char *word, *name;
	} words[] = {
		{ "rbps=", "IOReadBandwidthMax" }, { "wbps=", "IOWriteBandwidthMax" },
		{ "riops=", "IOReadIOPSMax" }, { "wiops=", "IOWriteIOPSMax" },
	};
	const char *word = strchr(value, ' ');
	uint64_t    rate = UINT64_MAX;

	for (size_t i = 0; word != NULL && i < array_size(words); i++) {
		const char *number = word + 1 + strlen(words[i].word);

		if (str_starts(word + 1, words[i].word) && (strcmp(number, "max") == 0 || str_to_uint(number, UINT64_MAX, &rate)))
			return append_device(message, words[i].name, value, rate);
	}
	return 0;
}

static int append_limit(sd_bus_message *message, const char *file, const char *value)
{
	static const struct {
		const char *file, *name;
	} numbers[] = {
		{ "memory.max", "MemoryMax" }, { "memory.high", "MemoryHigh" }, { "memory.low", "MemoryLow" },
		{ "memory.min", "MemoryMin" }, { "memory.swap.max", "MemorySwapMax" }, { "pids.max", "TasksMax" },
		{ "cpu.weight", "CPUWeight" },
	};

	for (size_t i = 0; i < array_size(numbers); i++)
		if (strcmp(file, numbers[i].file) == 0)
			return append_number(message, numbers[i].name, value);
	if (strcmp(file, "cpu.max") == 0)
		return append_quota(message, value);
	if (strcmp(file, "cpu.idle") == 0) /* 0 is systemd's word for "idle"; UINT64_MAX for none set */
		return sd_bus_message_append(message, "(sv)", "CPUWeight", "t", strcmp(value, "1") == 0 ? UINT64_C(0) : UINT64_MAX);
	if (strcmp(file, "cpuset.cpus") == 0 || strcmp(file, "cpuset.mems") == 0)
		return append_mask(message, file[7] == 'c' ? "AllowedCPUs" : "AllowedMemoryNodes", value);
	if (strcmp(file, "io.weight") == 0)
		return append_io_weight(message, value);
	return strcmp(file, "io.max") == 0 ? append_io_max(message, value) : 0;
}

int properties_add_limits(sd_bus_message *message, const struct properties_limits *limits, struct error *err)
{
	for (int i = 0; i < limits->count; i++) {
		const char *text = limits->texts[i], *equals = strchr(text, '=');
		char file[NAME_MAX_BYTES];

		if (equals == NULL)
			return error_at(err, 0, text, "not FILE=VALUE");
		snprintf(file, sizeof(file), "%.*s", (int)(equals - text), text);
		if (append_failed(append_limit(message, file, equals + 1), file, err) < 0)
			return -err->code;
	}
	return 0;
}
