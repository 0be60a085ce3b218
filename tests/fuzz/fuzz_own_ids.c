/* fuzz_own_ids.c - any /etc/subuid and any output of getsubids(1) give ranges that the kernel takes.
 * Side: host.
 *
 * The user is ann, 1000.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <errno.h>

#include "base/str.h"
#include "host/own_ids.h"

typedef int read_fn(char *lines, struct arena *arena, struct spec_id_maps *maps);

static int read_lines(char *lines, struct arena *arena, struct spec_id_maps *maps)
{
	return own_ids_read_lines(lines, "ann", 1000, arena, maps);
}

static int read_lines_of_nobody(char *lines, struct arena *arena, struct spec_id_maps *maps)
{
	return own_ids_read_lines(lines, NULL, 1000, arena, maps);
}

static void promises(const struct spec_id_maps *maps)
{
	uint64_t next = 0;

	promise(maps->count >= 1 && maps->count <= 340 && maps->maps[0].host_id == 1000);
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_id_map *map = &maps->maps[i];

		promise(map->count > 0 && map->container_id == next);
		next += map->count;
		promise(next <= UINT32_MAX && (uint64_t)map->host_id + map->count <= UINT32_MAX);
		for (size_t j = 0; j < i; j++)
			promise(map->host_id + map->count <= maps->maps[j].host_id ||
				maps->maps[j].host_id + maps->maps[j].count <= map->host_id);
	}
}

/* The ranges, written as lines, are read as the same ranges. */
static void same_again(const struct spec_id_maps *maps)
{
	struct spec_id_maps again = { NULL, 0 };
	arena_owned arena = { 0 };
	str_owned lines = { 0 };

	for (size_t i = 0; i < maps->count; i++)
		str_add(&lines, "ann:%u:%u\n", maps->maps[i].host_id, maps->maps[i].count);
	promise(!lines.failed && read_lines(lines.text, &arena, &again) == (int)maps->count);
	for (size_t i = 0; i < maps->count; i++)
		promise(memcmp(&maps->maps[i], &again.maps[i], sizeof(again.maps[i])) == 0);
}

/* As own_ids_find() goes about it: the user's own id first. */
static void read_with(read_fn *read, const char *bytes, size_t size)
{
	struct spec_id_maps maps = { NULL, 0 };
	arena_owned arena = { 0 };
	char own[] = "1000:1000:1";
	char *lines = strndup(bytes, size);

	promise(read_lines(own, &arena, &maps) == 1);
	int ret = read(lines, &arena, &maps);
	promise(ret >= 0 && (size_t)ret + 1 == maps.count);
	promises(&maps);
	same_again(&maps);
	free(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	read_with(read_lines, (const char *)bytes, size);
	read_with(read_lines_of_nobody, (const char *)bytes, size);
	read_with(own_ids_read_getsubids, (const char *)bytes, size);
	return 0;
}
