/* cgroup_limits.c - see cgroup_limits.h. Side: host. */
#define _GNU_SOURCE
#include "host/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "host/cgroup.h"
#include "host/cgroup_explain.h"
#include "host/cgroup_unit.h"

#define NAMES_MAX 1024  /* of cgroup.controllers: a dozen words */
#define VALUES_MAX 8192 /* of a file of limits; io.max has a line for each device */

static const char *controller_of(const struct spec_limit *limit, char name[CONTROLLER_MAX])
{
	snprintf(name, CONTROLLER_MAX, "%.*s", (int)strcspn(limit->file, "."), limit->file);
	return name;
}

/* May it hand nothing down? With processes in it the kernel refuses most controllers; for some (pids, cpu) it
 * makes the cgroup a threaded one instead, below which no container can be made any more. 1, 0 or -errno. */
static int holds_processes(int dir_fd)
{
	char text[2];

	if (faccessat(dir_fd, "cgroup.type", F_OK, 0) < 0)
		return errno == ENOENT ? 0 : -errno; /* the root of the hierarchy may hold them */
	fd_owned procs = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	ssize_t  count = procs < 0 ? -1 : read(procs, text, 1);
	return count < 0 ? -errno : count > 0;
}

/* Hand @wanted (words) on from the cgroup @dir_fd, which is @path, to those below it, as far as it has them itself. */
static int hand_down(int dir_fd, const char *path, const char *wanted)
{
	char has[NAMES_MAX], gives[NAMES_MAX], word[CONTROLLER_MAX], text[NAMES_MAX] = "";
	ssize_t size = io_read_small(dir_fd, "cgroup.subtree_control", gives, sizeof(gives));

	if (size < 0 || (size = io_read_small(dir_fd, "cgroup.controllers", has, sizeof(has))) < 0)
		return (int)size;
	for (wanted += strspn(wanted, " "); *wanted != '\0'; wanted += strspn(wanted, " ")) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(wanted, " "), wanted);
		wanted += strcspn(wanted, " ");
		if (cgroup_has_word(has, word) && !cgroup_has_word(gives, word))
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "+%s ", word);
	}
	if (text[0] == '\0')
		return 0;
	int held = holds_processes(dir_fd);
	if (held > 0)
		held = cgroup_unit_leave(dir_fd, path);
	if (held < 0)
		return held;
	return io_write_small(dir_fd, "cgroup.subtree_control", text);
}

int cgroup_hand_down(const char *path, const char *wanted, char *ret_above, size_t size)
{
	size_t end = 0, length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	for (;;) {
		snprintf(ret_above, size, "%.*s", (int)end, path);
		fd_owned dir = cgroup_open_path(ret_above);
		int ret = dir < 0 ? dir : hand_down(dir, ret_above, wanted);

		if (ret < 0)
			return ret;
		size_t next = end + strspn(path + end, "/");
		next += strcspn(path + next, "/");
		if (next >= length)
			return 0;
		end = next;
	}
}

void cgroup_limits_enable(const struct cgroup_target *target, const struct spec_limit *limits, size_t count)
{
	char has[NAMES_MAX], wanted[NAMES_MAX] = "", name[CONTROLLER_MAX], above[4096];

	if (target->fd < 0 || io_read_small(target->fd, "cgroup.controllers", has, sizeof(has)) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (!(limits[i].flags & SPEC_LIMIT_DEFAULT) && !cgroup_has_word(has, controller_of(&limits[i], name)) &&
		    !cgroup_has_word(wanted, name))
			snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s ", name);
	if (wanted[0] != '\0')
		(void)!cgroup_hand_down(target->path, wanted, above, sizeof(above));
}

/* 1: there is such a file; 0: there is none; or -errno: who knows. */
static int has_file(int cgroup_fd, const char *file)
{
	if (faccessat(cgroup_fd, file, F_OK, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

struct place { /* which file takes a limit here, and the value for it */
	const char *file, *value;
};

/* 1; 0: there is none; or -errno. */
static int find_place(int cgroup_fd, const struct spec_limit *limit, struct place *ret_place)
{
	*ret_place = (struct place){ limit->file, limit->value };
	int ret = has_file(cgroup_fd, limit->file);
	if (ret != 0 || limit->instead_file == NULL)
		return ret;
	*ret_place = (struct place){ limit->instead_file, limit->instead_value };
	return has_file(cgroup_fd, limit->instead_file);
}

int cgroup_limit_check(const struct cgroup_target *target, const struct spec_limit *limit, struct error *err)
{
	struct place place;
	char name[CONTROLLER_MAX];
	int  ret = target->fd >= 0 ? find_place(target->fd, limit, &place) : 0;

	if (ret < 0)
		return error_at(err, -ret, limit->path, "look for the cgroup's %s", place.file);
	if (ret > 0 || (limit->flags & (SPEC_LIMIT_DEFAULT | SPEC_LIMIT_OPTIONAL)) ||
	    ((limit->flags & SPEC_LIMIT_NO_SWAP) && has_file(AT_FDCWD, "/proc/swaps") == 0))
		return ret;
	return cgroup_explain(target, limit, controller_of(limit, name), err);
}

/* checkBeforeUpdate: a limit below what is used would be met by killing. */
static int check_usage(int cgroup_fd, const struct spec_limit *limit, struct error *err)
{
	char text[32];
	uint64_t used, value;

	ssize_t size = io_read_small(cgroup_fd, "memory.current", text, sizeof(text));
	if (size < 0)
		return error_at(err, (int)-size, limit->path, "read the cgroup's memory.current");
	text[strcspn(text, "\n")] = '\0';
	if (!str_to_uint(text, UINT64_MAX, &used) || !str_to_uint(limit->value, UINT64_MAX, &value) || value > used)
		return 0;
	error_at(err, EBUSY, limit->path, "%s bytes are used already, and checkBeforeUpdate asks for a look at that", text);
	return error_hint(err, "choose a limit above what is used");
}

/* A set of processors that the cgroups above don't have is cut down by the kernel without a word. */
static int check_effective(int cgroup_fd, const char *file, const struct spec_limit *limit, struct error *err)
{
	char wanted[NAMES_MAX], found[NAMES_MAX], effective[64];

	if (strcmp(file, "cpuset.cpus") != 0 && strcmp(file, "cpuset.mems") != 0)
		return 0;
	snprintf(effective, sizeof(effective), "%s.effective", file);
	ssize_t size = io_read_small(cgroup_fd, file, wanted, sizeof(wanted));
	if (size >= 0)
		size = io_read_small(cgroup_fd, effective, found, sizeof(found));
	if (size < 0)
		return error_at(err, (int)-size, limit->path, "read the cgroup's %s", effective);
	if (strcmp(wanted, found) == 0)
		return 0;
	wanted[strcspn(wanted, "\n")] = found[strcspn(found, "\n")] = '\0';
	error_at(err, EINVAL, limit->path, "of \"%s\" only \"%s\" would be used: the cgroups above, or this host, have no more", wanted, found);
	return error_hint(err, "choose among these");
}

static int write_limit(int cgroup_fd, const char *file, const char *value, const struct spec_limit *limit)
{
	char text[VALUES_MAX];

	if (limit->flags & SPEC_LIMIT_QUOTA) {
		ssize_t size = io_read_small(cgroup_fd, file, text, sizeof(text));
		if (size < 0)
			return (int)size;
		size_t quota = strcspn(text, " ");
		snprintf(text + quota, sizeof(text) - quota, " %s", value);
		value = text;
	}
	return io_write_small(cgroup_fd, file, value);
}

static int explain_write(int code, const char *file, const struct spec_limit *limit, struct error *err)
{
	error_at(err, code, limit->path, "write \"%s\" to the cgroup's %s", limit->value, file);
	if (code == ENODEV || code == ENXIO)
		return error_hint(err, "this host has no such device; lsblk shows the numbers of the block devices");
	if (str_starts(file, "cpu.max") && code == EINVAL)
		return error_hint(err, "the kernel takes a period of 1000 to 1000000 us, a quota of at least 1000 us and a burst that is no "
				       "larger than the quota");
	if (code == EINVAL || code == ERANGE || code == EOPNOTSUPP)
		return error_hint(err, "the kernel does not take this value: https://docs.kernel.org/admin-guide/cgroup-v2.html");
	return -code;
}

int cgroup_limit_set(const struct cgroup_target *target, const struct spec_limit *limit, struct error *err)
{
	struct place place;
	int ret = cgroup_limit_check(target, limit, err);

	if (ret <= 0)
		return ret;
	ret = find_place(target->fd, limit, &place);
	if (ret <= 0)
		return error_at(err, ret < 0 ? -ret : ENOENT, limit->path, "find the cgroup's %s again", place.file);
	if ((limit->flags & SPEC_LIMIT_USAGE) && check_usage(target->fd, limit, err) < 0)
		return -err->code;
	ret = write_limit(target->fd, place.file, place.value, limit);
	return ret < 0 ? explain_write(-ret, place.file, limit, err) : check_effective(target->fd, place.file, limit, err);
}

/* What the file says now, as what could be written again: of a file with a line for each device, that
 * device's line. The caller frees it; NULL when it can't be told. */
static char *old_value(int cgroup_fd, const struct spec_limit *limit)
{
	struct place place;
	char text[VALUES_MAX], *line, *rest = text, *found = NULL;

	if (find_place(cgroup_fd, limit, &place) <= 0 || io_read_small(cgroup_fd, place.file, text, sizeof(text)) < 0)
		return NULL;
	const char *value = place.value, *file = place.file;
	size_t key = strcspn(value, " ");
	bool   keyed = value[key] != '\0' && (memchr(value, ':', key) != NULL || str_starts(file, "rdma."));
	if (!keyed) {
		line = strsep(&rest, "\n");
		if (line[0] == '\0') /* of a cpuset: to write nothing at all changes nothing */
			return strdup("\n");
		return strdup(str_starts(line, "default ") ? line + strlen("default ") : line);
	}
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, value, key) == 0 && line[key] == ' ')
			return strdup(line);
	if (asprintf(&found, "%.*s %s", (int)key, value, str_starts(file, "rdma.") ? "hca_handle=max hca_object=max" :
		     strcmp(file, "io.max") == 0 ? "rbps=max wbps=max riops=max wiops=max" : "default") < 0)
		return NULL;
	return found;
}

void cgroup_limits_put_back(const struct cgroup_target *target, const struct cgroup_replaced *replaced)
{
	/* Twice: what is refused before another one is back may be taken behind it (a quota and its burst). */
	for (int round = 0; round < 2; round++)
		for (size_t i = replaced->count; i-- > 0;) {
			struct place place;

			if (replaced->old[i] != NULL && find_place(target->fd, &replaced->limits[i], &place) > 0)
				(void)!io_write_small(target->fd, place.file, replaced->old[i]);
		}
}

void cgroup_replaced_free(struct cgroup_replaced *replaced)
{
	for (size_t i = 0; i < replaced->count; i++)
		free(replaced->old[i]);
	free(replaced->old);
	*replaced = (struct cgroup_replaced){ 0 };
}

/* Write those that are not @done. Returns how many were written now. */
static size_t set_some(const struct cgroup_target *target, const struct spec_limit *limits, size_t count, bool *done,
		       struct error *err)
{
	size_t written = 0;

	for (size_t i = 0; i < count; i++) {
		if (done[i])
			continue;
		done[i] = cgroup_limit_set(target, &limits[i], err) == 0;
		written += done[i];
		if (!done[i] && err->code != EINVAL)
			return 0;
	}
	return written;
}

int cgroup_limits_replace(const struct cgroup_target *target, const struct spec_limit *limits, size_t count,
			  struct cgroup_replaced *ret_replaced, struct error *err)
{
	mem_owned char **old = calloc(count + 1, sizeof(*old));
	mem_owned bool  *done = calloc(count + 1, sizeof(*done));
	bool all = true;

	*ret_replaced = (struct cgroup_replaced){ 0 };
	if (old == NULL || done == NULL)
		return error_set(err, ENOMEM, "limits");
	cgroup_limits_enable(target, limits, count);
	for (size_t i = 0; i < count && target->fd >= 0; i++)
		old[i] = old_value(target->fd, &limits[i]);
	*ret_replaced = (struct cgroup_replaced){ limits, old, count };
	old = NULL;
	/* A value may be taken only behind another one, like a larger burst behind its larger quota. */
	while (set_some(target, limits, count, done, err) > 0)
		;
	for (size_t i = 0; i < count; i++)
		all = all && done[i];
	if (!all && target->fd >= 0)
		cgroup_limits_put_back(target, ret_replaced);
	return all ? 0 : -err->code;
}

unsigned long cgroup_oom_kills(int cgroup_fd)
{
	char text[512];
	const char *at;

	if (io_read_small(cgroup_fd, "memory.events", text, sizeof(text)) < 0 || (at = strstr(text, "oom_kill ")) == NULL)
		return 0;
	return strtoul(at + strlen("oom_kill "), NULL, 10);
}
