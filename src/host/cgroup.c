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
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/caller.h"

#define REMOVE_TIMEOUT_MS 10000
#define MARK_NAME "user.moss.container" /* Linux 5.7: cgroup2 has user.* attributes */
#define PARENT_NAME "user.moss.parent" /* of a directory made on the way to a container's */
#define MAKING_PREFIX "user.moss.making." /* followed by the name of one that is not marked yet */
#define MARK_MAX 512
#define DEPTH_MAX 64 /* nested cgroups that cgroup_remove() follows */

/* 0; -ENOENT where no cgroup2 is mounted; or another -errno: that can't be found out. */
static int hierarchy_find(const char **ret_path)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs st = { 0 };

	for (size_t i = 0; i < array_size(places); i++) {
		if (statfs(places[i], &st) < 0 && errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return -errno;
		if (st.f_type == CGROUP2_SUPER_MAGIC) {
			*ret_path = places[i];
			return 0;
		}
	}
	return -ENOENT;
}

const char *cgroup_hierarchy(void)
{
	const char *path = NULL;

	return hierarchy_find(&path) == 0 ? path : NULL;
}

/* 0; -ENOENT: it can't be named; or another -errno: it could not be read. */
static int path_of(pid_t pid, char *path, size_t size)
{
	char  text[8192], file[32] = "/proc/self/cgroup";
	char *line, *rest = text;

	if (pid != 0)
		snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	ssize_t count = io_read_small(AT_FDCWD, file, text, sizeof(text));
	if (count < 0)
		return (int)count;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!str_starts(line, "0::/"))
			continue;
		snprintf(path, size, "%s", strcmp(line, "0::/") == 0 ? "" : line + 3);
		/* "/../x": it lies outside our cgroup namespace; " (deleted)": it is gone. */
		return !str_starts(path, "/..") && strstr(path, " (deleted)") == NULL ? 0 : -ENOENT;
	}
	return -ENOENT;
}

bool cgroup_path_of(pid_t pid, char *path, size_t size)
{
	return path_of(pid, path, size) == 0;
}

int cgroup_find_own(const char **ret_hierarchy, char *path, size_t size)
{
	int ret = hierarchy_find(ret_hierarchy);

	return ret == 0 ? path_of(0, path, size) : ret;
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

int cgroup_open_path(const char *path)
{
	const char *hierarchy;
	struct statfs st;
	int ret = hierarchy_find(&hierarchy);

	if (ret < 0)
		return ret;
	fd_owned root = open(hierarchy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	path += strspn(path, "/");
	fd_owned fd = sys_openat2(root, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, 0,
				  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &st) < 0)
		return -errno;
	return st.f_type == CGROUP2_SUPER_MAGIC ? fd_take(&fd) : -ENOENT;
}

/* Split a path from the root into its parent directory, opened, and its last component. */
static int open_parent(const char *path, char *name, size_t size)
{
	char parent[PATH_MAX];
	size_t length, start = str_last_component(path, &length);

	if (length == 0 || length >= size || start >= sizeof(parent))
		return -EINVAL;
	snprintf(name, size, "%.*s", (int)length, path + start);
	snprintf(parent, sizeof(parent), "%.*s", (int)start, path);
	return cgroup_open_path(parent);
}

/* The attribute by which a directory names one below it that is being made. False: too long. */
static bool making_name(const char *name, char attribute[NAME_MAX + 1])
{
	return snprintf(attribute, NAME_MAX + 1, MAKING_PREFIX "%s", name) <= NAME_MAX;
}

/* Make one directory on the way to a container's. What we made is ours to remove, and is marked; the
 * directory above it says so first, because we may be killed in between. Any failure shows at the
 * next one: what exists may well be read-only. */
static void make_parent(char *path)
{
	char *slash = strrchr(path, '/');
	char  attribute[NAME_MAX + 1];

	if (access(path, F_OK) == 0 || !making_name(slash + 1, attribute))
		return;
	*slash = '\0';
	(void)!setxattr(path, attribute, "1", 1, 0);
	*slash = '/';
	if (mkdir(path, 0755) < 0 || setxattr(path, PARENT_NAME, "1", 1, 0) < 0)
		return;
	*slash = '\0';
	(void)!removexattr(path, attribute);
	*slash = '/';
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
		make_parent(copy);
		*slash = '/';
	}
	return mkdir(path, 0755) < 0 ? -errno : 0;
}

/* Remove @name in @parent if it was made on the way to a container's cgroup. 1: it is gone; 0: it
 * stays, somebody else's or not empty; -errno: it may be ours, but can't be looked at or removed. */
static int remove_parent(int parent, const char *name)
{
	char attribute[NAME_MAX + 1], value[8];
	bool has_attribute = making_name(name, attribute) && fgetxattr(parent, attribute, value, sizeof(value)) >= 0;
	fd_owned fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return errno == EACCES ? 0 : -errno;
	if (fd >= 0 && fgetxattr(fd, PARENT_NAME, value, sizeof(value)) < 0 && !has_attribute)
		return errno == ENODATA ? 0 : -errno;
	if (fd >= 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return errno == EBUSY || errno == ENOTEMPTY || errno == EACCES || errno == EPERM ? 0 : -errno;
	if (has_attribute)
		(void)!fremovexattr(parent, attribute);
	return 1;
}

/* The directories above that were made on the way to a container's cgroup, up to the first that is
 * not empty or not ours. */
static int remove_empty_parents(const char *path)
{
	char above[PATH_MAX], name[NAME_MAX + 1];
	int  ret = 1;

	snprintf(above, sizeof(above), "%s", path);
	for (char *slash; ret > 0 && (slash = strrchr(above, '/')) != NULL && slash != above;) {
		*slash = '\0';
		fd_owned parent = open_parent(above, name, sizeof(name));
		if (parent >= 0)
			ret = remove_parent(parent, name);
		else if (parent != -ENOENT) /* gone, too: what is above it may be there */
			return parent == -EACCES ? 0 : parent;
	}
	return ret < 0 ? ret : 0;
}

/* 1: it carries this mark; 0: none at all; -EBUSY: another one. */
static int has_mark(int cgroup_fd, const char *mark)
{
	char    found[MARK_MAX];
	ssize_t size = fgetxattr(cgroup_fd, MARK_NAME, found, sizeof(found));

	if (size < 0)
		return errno == ENODATA ? 0 : errno == ERANGE ? -EBUSY : -errno;
	return (size_t)size == strlen(mark) && memcmp(found, mark, (size_t)size) == 0 ? 1 : -EBUSY;
}

uint64_t cgroup_id(int cgroup_fd)
{
	struct stat st;

	return fstat(cgroup_fd, &st) == 0 ? st.st_ino : 0;
}

/* The same: is it the one that is claimed? */
static int is_claimed(int cgroup_fd, const struct cgroup_claim *claim)
{
	if (claim->own && claim->id != 0 && cgroup_id(cgroup_fd) == claim->id)
		return 1;
	return has_mark(cgroup_fd, claim->mark);
}

/* May a cgroup that was there before us be this container's? */
static int check_existing(int fd, const char *path, const char *mark, struct error *err)
{
	if (has_mark(fd, mark) < 0)
		error_at(err, EBUSY, path, "the cgroup is another container's");
	else if (event_value(fd, "populated ") != 0)
		error_at(err, EBUSY, path, "the cgroup holds processes of somebody else");
	else if (event_value(fd, "frozen ") != 0)
		error_at(err, EBUSY, path, "the cgroup is frozen");
	else
		return 0;
	return error_hint(err, "name another one in linux.cgroupsPath; one of the same id may be in another state directory (--root)");
}

static int open_and_mark(const char *path, const char *mark, bool existed, int *ret_fd, struct error *err)
{
	fd_owned fd = cgroup_open_path(path);

	if (fd < 0)
		return error_at(err, -fd, path, "open the cgroup");
	if (existed && check_existing(fd, path, mark, err) < 0)
		return -err->code;
	if (fsetxattr(fd, MARK_NAME, mark, strlen(mark), 0) < 0)
		return error_at(err, errno, path, "mark the cgroup");
	*ret_fd = fd_take(&fd);
	return 0;
}

int cgroup_make(const char *path, const char *mark, int *ret_fd, struct error *err)
{
	const char *hierarchy;
	char full[PATH_MAX];
	int  ret = hierarchy_find(&hierarchy);

	if (ret < 0 ||
	    snprintf(full, sizeof(full), "%s/%s", hierarchy, path + strspn(path, "/")) >= (int)sizeof(full))
		return error_at(err, ret < 0 ? -ret : ENOENT, path, "make the cgroup");
	ret = -ENOENT;
	/* Another moss may remove the empty parent while we make it: try again. */
	for (int tries = 0; tries < 100 && ret == -ENOENT; tries++)
		ret = make_with_parents(full);
	bool made = ret == 0;
	if (made || ret == -EEXIST)
		ret = open_and_mark(path, mark, !made, ret_fd, err);
	else
		error_at(err, -ret, path, "make the cgroup");
	if (ret < 0 && made)
		rmdir(full);
	if (ret < 0)
		(void)!remove_empty_parents(path);
	return ret;
}

int cgroup_open(const char *path, const struct cgroup_claim *claim, int *ret_fd)
{
	fd_owned fd = cgroup_open_path(path);
	int marked = fd < 0 ? fd : is_claimed(fd, claim);

	if (marked < 0 && marked != -EBUSY)
		return marked;
	if (marked != 1)
		return -ENOENT;
	*ret_fd = fd_take(&fd);
	return 0;
}

int cgroup_open_sub(int cgroup_fd, const char *path, int *ret_fd)
{
	path += strspn(path, "/");
	*ret_fd = sys_openat2(cgroup_fd, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, 0,
			      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
	return *ret_fd < 0 ? -errno : 0;
}

int cgroup_open_of(pid_t pid, const char *path, int *ret_fd)
{
	char found[PATH_MAX];
	size_t length = strlen(path);

	if (!cgroup_path_of(pid, found, sizeof(found)))
		return -ENOENT;
	while (length > 0 && path[length - 1] == '/')
		length--;
	if (strncmp(found, path, length) != 0 || (found[length] != '/' && found[length] != '\0'))
		return -ENOENT;
	*ret_fd = cgroup_open_path(found);
	return *ret_fd < 0 ? *ret_fd : 0;
}

int cgroup_kill(int cgroup_fd)
{
	return io_write_small(cgroup_fd, "cgroup.kill", "1");
}

struct process_visit {
	void (*visit)(pid_t pid, void *context);
	void *context;
};

static int visit_processes_of_one(int dir_fd, const struct process_visit *visit)
{
	char *pids = NULL, *rest, *line;
	struct error err;
	ssize_t size = io_read_file(dir_fd, "cgroup.procs", 64 * 1024 * 1024, &pids, &err);

	if (size < 0)
		return (int)size;
	rest = pids;
	while ((line = strsep(&rest, "\n")) != NULL) {
		uint64_t pid;
		if (str_to_uint(line, INT32_MAX, &pid) && pid > 0) /* 0: one that has no pid in our namespace */
			visit->visit((pid_t)pid, visit->context);
	}
	free(pids);
	return 0;
}

/* The directories below, each given to @visit before its own; fds nest no deeper than DEPTH_MAX. */
static int for_each_below(int dir_fd, int depth,
			  int (*visit)(int parent_fd, const char *name, int depth, const void *arg), const void *arg)
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

static int visit_processes(int parent_fd, const char *name, int depth, const void *visit)
{
	fd_owned fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	int ret = visit_processes_of_one(fd, visit);
	/* A threaded cgroup's processes are its domain's: they are listed there (cgroups(7)). */
	if (ret < 0 && ret != -EOPNOTSUPP && ret != -ENODEV)
		return ret;
	return for_each_below(fd, depth, visit_processes, visit);
}

int cgroup_for_each_process(int cgroup_fd, void (*visit)(pid_t pid, void *context), void *context)
{
	const struct process_visit each = { visit, context };

	return visit_processes(cgroup_fd, ".", 0, &each);
}

static void signal_process(pid_t pid, void *number)
{
	kill(pid, *(int *)number);
}

int cgroup_signal(int cgroup_fd, int signal)
{
	if (signal == SIGKILL)
		return cgroup_kill(cgroup_fd);
	return cgroup_for_each_process(cgroup_fd, signal_process, &signal);
}

static int visit_remove(int parent_fd, const char *name, int depth, const void *arg)
{
	(void)arg;
	{
		fd_owned fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int ret = fd < 0 ? -errno : for_each_below(fd, depth, visit_remove, NULL);

		if (ret < 0)
			return ret == -ENOENT ? 0 : ret;
	}
	return unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove_tree(int parent_fd, const char *name)
{
	return visit_remove(parent_fd, name, 0, NULL);
}

void cgroup_remove_empty(const char *path)
{
	char name[NAME_MAX + 1];
	fd_owned parent = open_parent(path, name, sizeof(name));

	if (parent >= 0)
		(void)!unlinkat(parent, name, AT_REMOVEDIR);
}

/* Wait for "populated 0": cgroup.events wakes pollers with POLLPRI when it changes (cgroups(7)). */
static int wait_until_empty(int cgroup_fd)
{
	for (int waited = 0; waited <= REMOVE_TIMEOUT_MS; waited += 100) {
		fd_owned fd = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
		struct pollfd events = { .fd = fd, .events = POLLPRI };
		char    text[256];
		ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

		if (fd < 0 || size < 0)
			return errno == ENOENT || errno == ENODEV ? 0 : -errno;
		text[size] = '\0';
		if (strstr(text, "populated 1") == NULL)
			return 0;
		poll(&events, 1, 100);
	}
	return -EBUSY;
}

/* An empty one of ours, which most are, without a file being opened: that there can be no more of them may be why it
 * has to go. cgroup2 has no symbolic links, so only ".." could lead out of it. */
static bool remove_empty(const char *path, const char *mark)
{
	const char *hierarchy;
	char full[PATH_MAX], found[MARK_MAX];
	struct statfs st;

	if (strstr(path, "..") != NULL || hierarchy_find(&hierarchy) < 0 ||
	    snprintf(full, sizeof(full), "%s/%s", hierarchy, path + strspn(path, "/")) >= (int)sizeof(full))
		return false;
	ssize_t size = lgetxattr(full, MARK_NAME, found, sizeof(found));
	return size >= 0 && (size_t)size == strlen(mark) && memcmp(found, mark, (size_t)size) == 0 && statfs(full, &st) == 0 &&
	       st.f_type == CGROUP2_SUPER_MAGIC && rmdir(full) == 0;
}

static int remove_claimed(const char *path, const struct cgroup_claim *claim)
{
	char name[NAME_MAX + 1];
	fd_owned fd = cgroup_open_path(path);
	fd_owned parent = open_parent(path, name, sizeof(name));
	int marked = fd < 0 ? fd : parent < 0 ? parent : is_claimed(fd, claim), ret = 0;

	if (marked == -EBUSY || (marked == 0 && !claim->own))
		return 0; /* not ours */
	if (marked < 0 && marked != -ENOENT)
		return marked;
	if (marked >= 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && marked == 1 && errno != ENOENT) {
		ret = wait_until_empty(fd);
		if (ret == 0)
			ret = cgroup_remove_tree(parent, name);
		if ((ret == -EACCES || ret == -EPERM) && !caller_get()->privileged)
			ret = cgroup_remove_mapped(parent, name);
	}
	return ret;
}

int cgroup_remove(const char *path, const struct cgroup_claim *claim, struct error *err)
{
	int ret = remove_empty(path, claim->mark) ? 0 : remove_claimed(path, claim);

	if (ret == 0)
		ret = remove_empty_parents(path);
	return ret < 0 ? error_at(err, -ret, path, "remove the cgroup") : 0;
}

bool cgroup_is_frozen(int cgroup_fd)
{
	return event_value(cgroup_fd, "frozen ") == 1;
}
