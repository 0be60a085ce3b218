/* own_ids.c - see own_ids.h. Side: host. */
#define _GNU_SOURCE
#include "host/own_ids.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/passwd.h"
#include "base/run.h"
#include "base/str.h"

#define FILE_MAX (16 * 1024 * 1024)
#define RANGES_MAX 340 /* the kernel's limit, user_namespaces(7) */

static const struct { const char *file, *option; } kinds[] = {
	[OWN_UIDS] = { "/etc/subuid", NULL },
	[OWN_GIDS] = { "/etc/subgid", "-g" },
};

/* The output of a helper program in PATH, or NULL; the caller frees it. */
static char *output_of(const char *program, const char *first, const char *second)
{
	char   path[4096];
	char  *text = malloc(64 * 1024);
	struct run   run = { .pidfd = -1, .output = -1 };
	struct error ignored;

	if (text != NULL && run_find(program, path, sizeof(path)) == 0) {
		char *argv[] = { path, (char *)first, (char *)second, NULL };
		int   status = run_start(&run, argv, STDOUT_FILENO, &ignored);

		if (status == 0)
			status = run_wait(&run, text, 64 * 1024, &ignored);
		run_end(&run);
		if (status == 0)
			return text;
	}
	free(text);
	return NULL;
}

/* The caller's name, of the arena; NULL when nobody knows it. */
static const char *own_name(struct arena *arena)
{
	mem_owned char *passwd = NULL, *found = NULL;
	struct passwd_entry entry;
	struct error ignored;
	char *rest, uid[16];

	if (io_read_file(AT_FDCWD, "/etc/passwd", FILE_MAX, &passwd, &ignored) >= 0 &&
	    (rest = passwd, passwd_next(&rest, geteuid(), &entry)))
		return arena_text(arena, entry.name);
	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	found = output_of("getent", "passwd", uid); /* LDAP and the like */
	rest = found;
	return found != NULL && passwd_next(&rest, geteuid(), &entry) ? arena_text(arena, entry.name) : NULL;
}

/* Does nsswitch.conf(5) have the ranges come from elsewhere than the files? */
static bool ranges_are_in_nss(void)
{
	mem_owned char *text = NULL;
	struct error ignored;
	char *rest, *line;

	if (io_read_file(AT_FDCWD, "/etc/nsswitch.conf", FILE_MAX, &text, &ignored) < 0)
		return false;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		line += strspn(line, " \t");
		if (!str_starts(line, "subid:"))
			continue;
		line += strlen("subid:");
		line += strspn(line, " \t");
		return strncmp(line, "files", 5) != 0 || (line[5] != '\0' && !isspace((unsigned char)line[5]));
	}
	return false;
}

static bool overlaps(const struct spec_id_maps *maps, uint64_t first, uint64_t count)
{
	for (size_t i = 0; i < maps->count; i++) {
		uint64_t other = maps->maps[i].host_id, end = other + maps->maps[i].count;

		if (first < end && other < first + count)
			return true;
	}
	return false;
}

static int add_range(uint64_t first, uint64_t count, struct arena *arena, struct spec_id_maps *maps)
{
	uint64_t next = maps->count == 0 ? 0 : (uint64_t)maps->maps[maps->count - 1].container_id +
						       maps->maps[maps->count - 1].count;

	/* 4294967295 is no id; what does not fit behind the others is left out. */
	if (first >= UINT32_MAX || next >= UINT32_MAX || count == 0 || maps->count >= RANGES_MAX)
		return 0;
	if (count > UINT32_MAX - first)
		count = UINT32_MAX - first;
	if (count > UINT32_MAX - next)
		count = UINT32_MAX - next;
	if (overlaps(maps, first, count))
		return 0;
	struct spec_id_map *more = arena_grow(arena, maps->maps, maps->count, sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	more[maps->count] = (struct spec_id_map){ .container_id = (uint32_t)next, .host_id = (uint32_t)first,
						  .count = (uint32_t)count };
	maps->maps = more;
	maps->count++;
	return 0;
}

/* A range that is not written as two numbers is passed over. */
static int add_text_range(const char *first, const char *count, struct arena *arena, struct spec_id_maps *maps)
{
	uint64_t start, size;

	if (!str_to_uint(first, UINT64_MAX / 2, &start) || !str_to_uint(count, UINT64_MAX / 2, &size))
		return 0;
	return add_range(start, size, arena, maps);
}

int own_ids_read_lines(char *lines, const char *name, uint32_t uid, struct arena *arena,
		       struct spec_id_maps *maps)
{
	size_t before = maps->count;
	char  *line;

	while ((line = strsep(&lines, "\n")) != NULL) {
		const char *who = strsep(&line, ":"), *first = strsep(&line, ":"), *count = strsep(&line, ":");
		uint64_t owner;

		if (count == NULL || !((name != NULL && strcmp(who, name) == 0) ||
				       (str_to_uint(who, UINT32_MAX, &owner) && owner == uid)))
			continue;
		int ret = add_text_range(first, count, arena, maps);
		if (ret < 0)
			return ret;
	}
	return (int)(maps->count - before);
}

int own_ids_read_getsubids(char *lines, struct arena *arena, struct spec_id_maps *maps)
{
	size_t before = maps->count;
	char  *line;

	while ((line = strsep(&lines, "\n")) != NULL) {
		const char *fields[4] = { NULL }; /* index, name, first, count */

		for (size_t i = 0; i < array_size(fields) && line != NULL; i++)
			fields[i] = strsep(&line, " ");
		int ret = fields[3] != NULL ? add_text_range(fields[2], fields[3], arena, maps) : 0;
		if (ret < 0)
			return ret;
	}
	return (int)(maps->count - before);
}

static int read_ranges(enum own_ids_kind kind, const char *name, struct arena *arena, struct spec_id_maps *maps)
{
	mem_owned char *text = NULL;
	struct error ignored;
	int ret;

	if (name != NULL && ranges_are_in_nss()) {
		text = kinds[kind].option ? output_of("getsubids", kinds[kind].option, name)
					  : output_of("getsubids", name, NULL);
		ret = text ? own_ids_read_getsubids(text, arena, maps) : 0;
		return ret < 0 ? ret : 0;
	}
	if (io_read_file(AT_FDCWD, kinds[kind].file, FILE_MAX, &text, &ignored) < 0)
		return 0;
	ret = own_ids_read_lines(text, name, geteuid(), arena, maps);
	return ret < 0 ? ret : 0;
}

int own_ids_find(enum own_ids_kind kind, struct arena *arena, struct spec_id_maps *ret_maps, struct error *err)
{
	const char *name = own_name(arena);
	char number[16];

	*ret_maps = (struct spec_id_maps){ NULL, 0 };
	int ret = add_range(kind == OWN_UIDS ? geteuid() : getegid(), 1, arena, ret_maps);
	if (ret == 0)
		ret = read_ranges(kind, name, arena, ret_maps);
	if (ret < 0)
		return error_at(err, -ret, kinds[kind].file, "read the ranges");
	if (ret_maps->count > 1)
		return 0;
	snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
	error_at(err, ENOENT, kinds[kind].file, "it has no range of ids for user %s", name ? name : number);
	return error_hint(err, "as root: echo %s:%u:65536 >> %s (a range that no other line has), or usermod "
			       "--add-sub%cids; with your own id alone: moss spec --rootless", name ? name : number,
			  524288u + 65536u * (geteuid() % 1000), kinds[kind].file, kind == OWN_UIDS ? 'u' : 'g');
}
