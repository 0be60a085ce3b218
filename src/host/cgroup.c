/* cgroup.c - see cgroup.h. Side: host. */
#define _GNU_SOURCE
#include "host/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "host/caller.h"

#define REMOVE_TIMEOUT_MS 10000
#define DEPTH_MAX 64 /* nested cgroups that cgroup_remove() follows */

/* Where cgroup2 is mounted: alone, or beside version 1 as systemd's hybrid mode has it. */
static const char *hierarchy_find(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs st;

	for (size_t i = 0; i < array_size(places); i++)
		if (statfs(places[i], &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
			return places[i];
	return NULL;
}

/* Our own cgroup: the line "0::/path" of /proc/self/cgroup; "" for the root of the hierarchy. */
static bool own_path(char *path, size_t size)
{
	char  text[8192];
	char *line, *rest = text;

	if (io_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return false;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!str_starts(line, "0::/"))
			continue;
		snprintf(path, size, "%s", strcmp(line, "0::/") == 0 ? "" : line + 3);
		/* "/../x": it lies outside our cgroup namespace; " (deleted)": it is gone. */
		return !str_starts(path, "/..") && strstr(path, " (deleted)") == NULL;
	}
	return false;
}

static bool has_dots(const char *path)
{
	for (const char *at = path; at != NULL; at = strchr(at, '/')) {
		at += strspn(at, "/");
		size_t length = strcspn(at, "/");
		if ((length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
			return true;
	}
	return false;
}

int cgroup_place(const char *cgroups_path, const char *id, struct arena *arena, const char **ret_path,
		 struct error *err)
{
	const char *hierarchy = hierarchy_find();
	char        own[PATH_MAX];
	bool        root = caller_get()->root;

	*ret_path = NULL;
	if (cgroups_path != NULL && has_dots(cgroups_path))
		return error_at(err, 0, "linux: cgroupsPath", "\"%s\" contains . or ..", cgroups_path);
	if (cgroups_path != NULL && strchr(cgroups_path, '/') == NULL && strchr(cgroups_path, ':') != NULL) {
		error_at(err, 0, "linux: cgroupsPath", "\"%s\": systemd units are not supported yet", cgroups_path);
		return error_hint(err, "use a path");
	}
	if (hierarchy == NULL || !own_path(own, sizeof(own)))
		return 0;
	if (cgroups_path != NULL && cgroups_path[0] == '/')
		*ret_path = arena_format(arena, "%s%s", hierarchy, cgroups_path);
	else if (cgroups_path != NULL)
		*ret_path = arena_format(arena, "%s%s/%s", hierarchy, root ? "/moss" : own, cgroups_path);
	else if (root)
		*ret_path = arena_format(arena, "%s/moss/%s", hierarchy, id);
	else
		*ret_path = arena_format(arena, "%s%s/moss-%s", hierarchy, own, id);
	return *ret_path == NULL ? error_set(err, ENOMEM, "cgroup") : 0;
}

/* The value of a line "NAME VALUE" of cgroup.events; -1 when it can't be read. */
static int event_value(int cgroup_fd, const char *name)
{
	char  text[256];
	char *at;

	if (io_read_small(cgroup_fd, "cgroup.events", text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, name);
	return at == NULL ? -1 : atoi(at + strlen(name));
}

static int make_with_parents(const char *path)
{
	char copy[PATH_MAX];

	if (mkdir(path, 0755) == 0)
		return 0;
	if (errno != ENOENT || snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -errno;
	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* Any failure shows at the next one; what exists may well be read-only. */
		(void)!mkdir(copy, 0755);
		*slash = '/';
	}
	return mkdir(path, 0755) < 0 ? -errno : 0;
}

int cgroup_make(const char *path, int *ret_fd, struct error *err)
{
	int ret = 0;

	/* Another moss may remove the empty parent while we make it: try again. */
	for (int tries = 0; tries < 100; tries++)
		if ((ret = make_with_parents(path)) != -ENOENT)
			break;
	if (ret < 0 && ret != -EEXIST)
		return error_at(err, -ret, path, "make the cgroup");
	fd_owned fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_at(err, errno, path, "open the cgroup");
	if (ret == -EEXIST) {
		if (event_value(fd, "populated ") != 0)
			return error_at(err, EBUSY, path, "the cgroup holds processes of somebody else");
		if (event_value(fd, "frozen ") != 0)
			return error_at(err, EBUSY, path, "the cgroup is frozen");
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

int cgroup_kill(const char *path)
{
	fd_owned fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return io_write_small(fd, "cgroup.kill", "1");
}

static int signal_one(int dir_fd, int signal)
{
	char *pids = NULL, *rest, *line;
	struct error err;
	ssize_t size = io_read_file(dir_fd, "cgroup.procs", 64 * 1024 * 1024, &pids, &err);

	if (size < 0)
		return (int)size;
	rest = pids;
	while ((line = strsep(&rest, "\n")) != NULL) {
		uint64_t pid;
		if (str_to_uint(line, INT32_MAX, &pid) && pid > 0)
			kill((pid_t)pid, signal);
	}
	free(pids);
	return 0;
}

/* The directories below, each given to @visit before its own; fds nest no deeper than DEPTH_MAX. */
static int for_each_below(int dir_fd, int depth, int (*visit)(int parent_fd, const char *name, int depth, int arg),
			  int arg)
{
	int   copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR  *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (dir == NULL) {
		fd_close(&copy);
		return -errno;
	}
	while (ret >= 0 && depth < DEPTH_MAX && (entry = readdir(dir)) != NULL)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			ret = visit(dir_fd, entry->d_name, depth + 1, arg);
	closedir(dir);
	return ret;
}

static int visit_signal(int parent_fd, const char *name, int depth, int signal)
{
	fd_owned fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	signal_one(fd, signal);
	return for_each_below(fd, depth, visit_signal, signal);
}

int cgroup_signal(const char *path, int signal)
{
	if (signal == SIGKILL)
		return cgroup_kill(path);
	return visit_signal(AT_FDCWD, path, 0, signal);
}

static int visit_remove(int parent_fd, const char *name, int depth, int arg)
{
	(void)arg;
	{
		fd_owned fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int ret = fd < 0 ? -errno : for_each_below(fd, depth, visit_remove, 0);

		if (ret < 0)
			return ret == -ENOENT ? 0 : ret;
	}
	return unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* Wait for "populated 0"; cgroup_namespaces' cgroup.events wakes pollers with POLLPRI. */
static int wait_until_empty(const char *path)
{
	char name[PATH_MAX + 16], text[256];

	snprintf(name, sizeof(name), "%s/cgroup.events", path);
	for (int waited = 0; waited <= REMOVE_TIMEOUT_MS; waited += 100) {
		fd_owned fd = open(name, O_RDONLY | O_CLOEXEC);
		struct pollfd events = { .fd = fd, .events = POLLPRI };
		ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

		if (fd < 0)
			return errno == ENOENT ? 0 : -errno;
		text[size > 0 ? size : 0] = '\0';
		if (strstr(text, "populated 1") == NULL)
			return 0;
		poll(&events, 1, 100);
	}
	return -EBUSY;
}

int cgroup_remove(const char *path, struct error *err)
{
	char  parent[PATH_MAX];
	char *slash;
	int   ret = rmdir(path) < 0 ? -errno : 0;

	if (ret == -ENOENT)
		return 0;
	if (ret < 0) {
		ret = wait_until_empty(path);
		if (ret == 0)
			ret = visit_remove(AT_FDCWD, path, 0, 0);
	}
	if (ret < 0)
		return error_at(err, -ret, path, "remove the cgroup");
	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	*slash = '\0';
	slash = strrchr(parent, '/');
	if (slash != NULL && strcmp(slash, "/moss") == 0)
		rmdir(parent); /* fails while another container is below it */
	return 0;
}

bool cgroup_is_frozen(const char *path)
{
	fd_owned fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && event_value(fd, "frozen ") == 1;
}

bool cgroup_belongs_to(const char *path, uid_t owner)
{
	struct statfs fs;
	struct stat   st;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC && stat(path, &st) == 0 &&
	       (owner == 0 || st.st_uid == owner);
}
