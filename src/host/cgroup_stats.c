/* cgroup_stats.c - see cgroup_stats.h. Side: host. */
#define _GNU_SOURCE
#include "host/cgroup_stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define FILE_MAX 16384 /* bytes of a file; memory.stat has 1.5 KiB, io.stat a line for each device */
#define NS_OF_US 1000

static struct json_object *section(struct json_object *json, const char *name)
{
	struct json_object *object = json_object_new_object();

	return json_object_object_add(json, name, object) == 0 ? object : NULL;
}

static void add_number(struct json_object *json, const char *name, uint64_t number)
{
	json_object_object_add(json, name, json_object_new_uint64(number));
}

/* The number of a line "KEY NUMBER"; false when there is none. */
static bool find(const char *text, const char *key, uint64_t *ret_number)
{
	size_t length = strlen(key);

	for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			*ret_number = strtoull(line + length + 1, NULL, 10);
			return true;
		}
	return false;
}

static void add_found(struct json_object *json, const char *name, const char *text, const char *key, unsigned factor)
{
	uint64_t number;

	if (find(text, key, &number))
		add_number(json, name, number * factor);
}

/* A file that holds one number, or "max". */
static bool read_number(int cgroup_fd, const char *file, uint64_t max, uint64_t *ret_number)
{
	char text[64];

	if (io_read_small(cgroup_fd, file, text, sizeof(text)) < 0)
		return false;
	*ret_number = str_starts(text, "max") ? max : strtoull(text, NULL, 10);
	return true;
}

/* FILE is "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same with "full". */
static void add_pressure(struct json_object *json, int cgroup_fd, const char *file)
{
	char text[512], *line, *word, *rest = text;

	if (io_read_small(cgroup_fd, file, text, sizeof(text)) < 0)
		return;
	struct json_object *psi = section(json, "psi");
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		struct json_object *part = section(psi, strsep(&line, " "));

		while ((word = strsep(&line, " ")) != NULL) {
			char *value = strchr(word, '=');

			if (value == NULL)
				continue;
			*value++ = '\0';
			if (strcmp(word, "total") == 0)
				add_number(part, word, strtoull(value, NULL, 10));
			else
				json_object_object_add(part, word, json_object_new_double_s(strtod(value, NULL), value));
		}
	}
}

static void add_cpu(struct json_object *json, int cgroup_fd)
{
	struct json_object *cpu = section(json, "cpu"), *usage = section(cpu, "usage"), *throttling = section(cpu, "throttling");
	char text[FILE_MAX];

	if (io_read_small(cgroup_fd, "cpu.stat", text, sizeof(text)) >= 0) {
		add_found(usage, "total", text, "usage_usec", NS_OF_US);
		add_found(usage, "kernel", text, "system_usec", NS_OF_US);
		add_found(usage, "user", text, "user_usec", NS_OF_US);
		add_found(throttling, "periods", text, "nr_periods", 1);
		add_found(throttling, "throttledPeriods", text, "nr_throttled", 1);
		add_found(throttling, "throttledTime", text, "throttled_usec", NS_OF_US);
	}
	add_pressure(cpu, cgroup_fd, "cpu.pressure");
}

struct amount { uint64_t usage, limit, max, failures; };

static void add_amount(struct json_object *json, const char *name, const struct amount *amount)
{
	struct json_object *object = section(json, name);

	add_number(object, "limit", amount->limit);
	add_number(object, "usage", amount->usage);
	add_number(object, "max", amount->max);
	add_number(object, "failcnt", amount->failures);
}

/* In version 1, whose words these are, "swap" is memory and swap together. */
static void add_swap(struct json_object *memory, int cgroup_fd, const struct amount *without)
{
	struct amount swap = { 0 };

	if (!read_number(cgroup_fd, "memory.swap.current", 0, &swap.usage) ||
	    !read_number(cgroup_fd, "memory.swap.max", UINT64_MAX, &swap.limit))
		return;
	swap.usage += without->usage;
	swap.limit = swap.limit == UINT64_MAX || without->limit == UINT64_MAX ? UINT64_MAX : swap.limit + without->limit;
	add_amount(memory, "swap", &swap);
}

static void add_raw(struct json_object *memory, char *text)
{
	struct json_object *raw = section(memory, "raw");
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strchr(line, ' ');

		if (value == NULL)
			continue;
		*value++ = '\0';
		add_number(raw, line, strtoull(value, NULL, 10));
	}
}

static void add_memory(struct json_object *json, int cgroup_fd)
{
	struct json_object *memory = section(json, "memory");
	struct amount usage = { 0 };
	char text[FILE_MAX];

	if (read_number(cgroup_fd, "memory.current", 0, &usage.usage) &&
	    read_number(cgroup_fd, "memory.max", UINT64_MAX, &usage.limit)) {
		(void)!read_number(cgroup_fd, "memory.peak", 0, &usage.max);
		if (io_read_small(cgroup_fd, "memory.events", text, sizeof(text)) >= 0)
			(void)!find(text, "max", &usage.failures);
		add_amount(memory, "usage", &usage);
		add_swap(memory, cgroup_fd, &usage);
	}
	if (io_read_small(cgroup_fd, "memory.stat", text, sizeof(text)) >= 0) {
		add_found(memory, "cache", text, "file", 1);
		add_raw(memory, text);
	}
	add_pressure(memory, cgroup_fd, "memory.pressure");
}

static void add_pids(struct json_object *json, int cgroup_fd)
{
	struct json_object *pids = section(json, "pids");
	uint64_t number;

	if (read_number(cgroup_fd, "pids.current", 0, &number))
		add_number(pids, "current", number);
	if (read_number(cgroup_fd, "pids.max", 0, &number)) /* 0: none */
		add_number(pids, "limit", number);
}

static void add_io_word(struct json_object *blkio, const char *device, const char *word)
{
	static const struct { const char *key, *list, *op; } kinds[] = {
		{ "rbytes=", "ioServiceBytesRecursive", "Read" }, { "wbytes=", "ioServiceBytesRecursive", "Write" },
		{ "dbytes=", "ioServiceBytesRecursive", "Discard" }, { "rios=", "ioServicedRecursive", "Read" },
		{ "wios=", "ioServicedRecursive", "Write" }, { "dios=", "ioServicedRecursive", "Discard" },
	};
	unsigned major, minor;

	if (sscanf(device, "%u:%u", &major, &minor) != 2)
		return;
	for (size_t i = 0; i < array_size(kinds); i++) {
		struct json_object *list, *entry;

		if (!str_starts(word, kinds[i].key) || !json_object_object_get_ex(blkio, kinds[i].list, &list))
			continue;
		entry = json_object_new_object();
		add_number(entry, "major", major);
		add_number(entry, "minor", minor);
		json_object_object_add(entry, "op", json_object_new_string(kinds[i].op));
		add_number(entry, "value", strtoull(word + strlen(kinds[i].key), NULL, 10));
		json_object_array_add(list, entry);
	}
}

static void add_io(struct json_object *json, int cgroup_fd)
{
	struct json_object *blkio = section(json, "blkio");
	char text[FILE_MAX], *line, *word, *rest = text;

	json_object_object_add(blkio, "ioServiceBytesRecursive", json_object_new_array());
	json_object_object_add(blkio, "ioServicedRecursive", json_object_new_array());
	if (io_read_small(cgroup_fd, "io.stat", text, sizeof(text)) < 0)
		text[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *device = strsep(&line, " ");

		while ((word = strsep(&line, " ")) != NULL)
			add_io_word(blkio, device, word);
	}
	add_pressure(blkio, cgroup_fd, "io.pressure");
}

/* One for each hugetlb.SIZE.current. */
static void add_hugetlb(struct json_object *json, int cgroup_fd)
{
	struct json_object *hugetlb = section(json, "hugetlb"), *size;
	int   copy = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR  *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (dir == NULL) {
		fd_close(&copy);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		char name[16], file[64], text[256], rest[16];
		uint64_t number;

		if (sscanf(entry->d_name, "hugetlb.%15[0-9A-Z].%15[a-z]", name, rest) != 2 || strcmp(rest, "current") != 0 ||
		    !read_number(cgroup_fd, entry->d_name, 0, &number))
			continue;
		size = section(hugetlb, name);
		add_number(size, "usage", number);
		snprintf(file, sizeof(file), "hugetlb.%s.events", name);
		if (io_read_small(cgroup_fd, file, text, sizeof(text)) >= 0)
			add_found(size, "failcnt", text, "max", 1);
	}
	closedir(dir);
}

struct json_object *cgroup_stats(int cgroup_fd)
{
	struct json_object *json = json_object_new_object();

	if (json == NULL)
		return NULL;
	add_cpu(json, cgroup_fd);
	section(json, "cpuset");
	add_memory(json, cgroup_fd);
	add_pids(json, cgroup_fd);
	add_io(json, cgroup_fd);
	add_hugetlb(json, cgroup_fd);
	section(json, "intel_rdt");
	json_object_object_add(json, "network_interfaces", json_object_new_array());
	return json;
}
