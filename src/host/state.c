/* state.c - see state.h: directories, locks, status. Side: host. */
#define _GNU_SOURCE
#include "host/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/passwd.h"
#include "base/str.h"
#include "host/caller.h"
#include "host/cgroup.h"

#define LOCK_TIMEOUT_MS 10000

const char *state_status_name(enum state_status status)
{
	static const char *const names[] = { "creating", "created", "running", "paused", "stopped" };

	return names[status];
}

void state_free(struct state *state)
{
	arena_free(&state->arena);
}

void state_root_close(struct state_root *root)
{
	fd_close(&root->fd);
	free(root->path);
	root->path = NULL;
}

int state_check_id(const char *id, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
	size_t length = strlen(id);

	if (length == 0)
		return error_set(err, 0, "container id cannot be empty");
	if (length > NAME_MAX || strspn(id, allowed) != length || strcmp(id, ".") == 0 || strcmp(id, "..") == 0) {
		error_at(err, 0, id, "invalid container ID format");
		return error_hint(err, "1 to 255 of the characters A-Z a-z 0-9 _ + . -");
	}
	return 0;
}

/* Is the open directory one that this user may trust? */
static int root_check(int fd, const char *path, bool create, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_at(err, errno, path, "stat the state directory");
	if (geteuid() == 0 && !create)
		return 0;
	if (st.st_uid != geteuid()) {
		error_at(err, EPERM, path, "the state directory belongs to user %u", (unsigned)st.st_uid);
		return error_hint(err, "choose another one with --root");
	}
	if (st.st_mode & 022) {
		error_at(err, EPERM, path, "other users can write to the state directory (mode %04o)",
			 (unsigned)st.st_mode & 07777);
		return error_hint(err, "chmod go-w %s", path);
	}
	return 0;
}

/* The last component is never followed when it is a symbolic link. */
static int root_open_checked(const char *path, bool create, int *ret_fd, struct error *err)
{
	int tries = 0;

	for (;;) {
		fd_owned fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0) {
			int ret = root_check(fd, path, create, err);
			if (ret == 0)
				*ret_fd = fd_take(&fd);
			return ret;
		}
		if (errno == ELOOP || errno == ENOTDIR) {
			error_at(err, errno, path, "the state directory is a symbolic link or no directory");
			return error_hint(err, "choose another one with --root");
		}
		if (errno == ENOENT && !create)
			return 0;
		if (errno != ENOENT || tries++ > 0) {
			error_at(err, errno, path, "open the state directory");
			return err->code != EACCES ? -err->code : error_hint(err, "it, or a directory on the way to it, is closed to you: "
					"choose another one with --root, or run moss as the user whose containers are there");
		}
		/* Parents as mkdir -p; the last one is ours alone. */
		char *copy = strdup(path);
		for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash != NULL; slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			mkdir(copy, 0755);
			*slash = '/';
		}
		free(copy);
		if (mkdir(path, 0700) < 0 && errno != EEXIST) {
			error_at(err, errno, path, "make the state directory");
			return error_hint(err, "choose a place that you can write to with --root");
		}
	}
}

/* The default directories, best first. Returns false behind the last. */
static bool root_candidate(int number, bool as_root, char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	unsigned    uid = caller_get()->user;

	if (as_root) {
		snprintf(path, size, "/run/moss");
		return number == 0;
	}
	switch (number) {
	case 0:
		snprintf(path, size, "%s/moss", runtime ? runtime : "");
		return true;
	case 1:
		snprintf(path, size, "/run/user/%u/moss", uid);
		return true;
	case 2:
		snprintf(path, size, "/tmp/moss-%u", uid);
		return true;
	default:
		return false;
	}
}

static bool parent_is_ours(const char *path)
{
	char   parent[PATH_MAX];
	char  *slash;
	struct stat st;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash == NULL || slash == parent)
		return false;
	*slash = '\0';
	return stat(parent, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

static int root_open_default(bool as_root, bool create, struct state_root *root, struct error *err)
{
	char path[PATH_MAX];

	/* A runtime directory that is not there (no session) or not ours (su) is passed over. */
	for (int number = 0; root_candidate(number, as_root, path, sizeof(path)); number++)
		if (path[0] == '/' && (as_root || str_starts(path, "/tmp/") || parent_is_ours(path)))
			break;
	root->path = strdup(path);
	if (root->path == NULL)
		return error_set(err, ENOMEM, "state directory");
	return root_open_checked(path, create, &root->fd, err);
}

int state_root_open(const char *path, bool as_root, bool create, struct state_root *ret_root,
		    struct error *err)
{
	*ret_root = (struct state_root){ .fd = -1 };
	if (path == NULL)
		return root_open_default(as_root, create, ret_root, err);
	if (path[0] == '/') {
		ret_root->path = strdup(path);
	} else {
		char *here = getcwd(NULL, 0);
		if (here != NULL && asprintf(&ret_root->path, "%s/%s", here, path) < 0)
			ret_root->path = NULL;
		free(here);
	}
	if (ret_root->path == NULL)
		return error_at(err, errno, path, "make --root absolute");
	size_t length = strlen(ret_root->path);
	while (length > 1 && ret_root->path[length - 1] == '/')
		ret_root->path[--length] = '\0';
	if (path[0] == '\0' || length <= 1)
		return error_at(err, 0, "--root", "\"%s\" can't hold the state of containers", path);
	return root_open_checked(ret_root->path, create, &ret_root->fd, err);
}

int state_reserve(const struct state_root *root, const char *id, int *ret_fd, struct error *err)
{
	if (mkdirat(root->fd, id, 0711) < 0) {
		if (errno != EEXIST) {
			error_at(err, errno, root->path, "make the container's state directory %s", id);
			return error_hint(err, "choose a place that you can write to with --root");
		}
		error_at(err, EEXIST, id, "container with given ID already exists");
		/* The fixed text stands alone: "File exists" would say it twice. */
		snprintf(err->cause, sizeof(err->cause), "container with given ID already exists");
		return -err->code;
	}
	fd_owned fd = openat(root->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		error_at(err, errno, id, "lock the container's state directory");
		unlinkat(root->fd, id, AT_REMOVEDIR);
		return -err->code;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

static int not_there(const char *id, struct error *err)
{
	error_at(err, ENOENT, id, "container does not exist");
	snprintf(err->cause, sizeof(err->cause), "container does not exist");
	return error_hint(err, "moss list shows the containers of this state directory (--root)");
}

/* Commands hold the lock for as long as they work, which is not long; one that was stopped or
 * hangs must not take us with it. */
static int lock_wait(int fd, const char *id, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited_ms += 20) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_at(err, errno, id, "lock the container's state directory");
		if (waited_ms >= LOCK_TIMEOUT_MS)
			return error_at(err, ETIMEDOUT, id, "another moss has been at work on this container for %d s",
					LOCK_TIMEOUT_MS / 1000);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int state_open(const struct state_root *root, const char *id, bool lock, int *ret_fd, struct error *err)
{
	struct stat st;

	if (root->fd < 0)
		return not_there(id, err);
	fd_owned fd = openat(root->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? not_there(id, err)
				       : error_at(err, errno, id, "open the container's state directory");
	if (fstat(fd, &st) < 0)
		return error_at(err, errno, id, "stat the container's state directory");
	if (geteuid() != 0 && st.st_uid != geteuid())
		return error_at(err, EPERM, id, "the container belongs to user %u", (unsigned)st.st_uid);
	if (lock && lock_wait(fd, id, err) < 0)
		return -err->code;
	/* Whoever had the lock may have deleted the container. */
	if (lock && fstat(fd, &st) < 0)
		return error_at(err, errno, id, "stat the container's state directory");
	if (lock && st.st_nlink == 0)
		return not_there(id, err);
	*ret_fd = fd_take(&fd);
	return 0;
}

void state_unlock(int dir_fd)
{
	flock(dir_fd, LOCK_UN);
}

/* Is ROOT/ID still the directory that we have open? 1, 0, or -errno when that can't be found out. */
static int is_named(const struct state_root *root, const char *id, int dir_fd)
{
	struct stat ours, named;

	if (fstat(dir_fd, &ours) < 0 || fstatat(root->fd, id, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

int state_lock_again(const struct state_root *root, const char *id, int dir_fd, struct error *err)
{
	if (lock_wait(dir_fd, id, err) < 0)
		return -err->code;
	int named = is_named(root, id, dir_fd);
	return named < 0 ? error_at(err, -named, id, "stat the container's state directory") : named;
}

/* Does somebody hold the lock? By an open file of its own: the caller's lock stays as it is. */
static bool is_locked(int dir_fd)
{
	fd_owned fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int state_open_read(const struct state_root *root, const char *id, bool lock, int *ret_fd,
		    struct state *ret_state, struct error *err)
{
	*ret_fd = -1;
	*ret_state = (struct state){ 0 };
	int ret = state_open(root, id, lock, ret_fd, err);
	if (ret < 0)
		return ret;
	ret = state_read(*ret_fd, ret_state, err);
	if (ret == -ENOENT && (is_named(root, id, *ret_fd) == 0 || (!lock && is_locked(*ret_fd)))) {
		fd_close(ret_fd);
		return not_there(id, err);
	}
	return ret;
}

int state_remove(const struct state_root *root, const char *id, int dir_fd, struct error *err)
{
	int   copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR  *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (dir == NULL) {
		fd_close(&copy);
		return error_at(err, errno, id, "read the container's state directory");
	}
	/* state.json goes last: killed half-way, the container is still there to be deleted. */
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "state.json") != 0)
			io_remove_tree(dir_fd, entry->d_name);
	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dir_fd, entry->d_name, 0);
	closedir(dir);
	int named = is_named(root, id, dir_fd);
	if (named < 0 || (named == 1 && unlinkat(root->fd, id, AT_REMOVEDIR) < 0 && errno != ENOENT))
		return error_at(err, named < 0 ? -named : errno, id, "remove the container's state directory");
	return 0;
}

/* Does a process wait on the other end of exec.fifo? `start` may have been killed after it wrote
 * into it and before it removed it. 1, 0, or -errno: a running container must not be taken for a created one,
 * which is deleted without --force. */
static int waits_for_start(int dir_fd)
{
	fd_owned fifo = openat(dir_fd, STATE_FIFO, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	if (fifo < 0)
		return errno == ENOENT || errno == ENXIO ? 0 : -errno;
	return 1;
}

int state_mark(int dir_fd, const char *id, char mark[STATE_MARK_MAX])
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	snprintf(mark, STATE_MARK_MAX, "%ju:%ju:%s", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, id);
	return 0;
}

/* Could this process be a container of @owner's? Its user namespace is the owner's, or it is a
 * process of the owner itself. */
static bool may_be_of(pid_t pid, uid_t owner)
{
	char  path[48], text[4096];
	const char *line;
	uid_t maker = (uid_t)-1;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd_owned fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, NS_GET_OWNER_UID, &maker) == 0 && maker == owner)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (io_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	line = strstr(text, "\nUid:");
	return line != NULL && strtoul(line + strlen("\nUid:"), NULL, 10) == owner;
}

/* A pidfd of a process that the state names; -1 in *@ret_pidfd when it has certainly ended. */
static int open_named(int dir_fd, const struct state *state, pid_t pid, const struct proc_birth *birth, int *ret_pidfd)
{
	char boot_id[PROC_BOOT_ID_SIZE];
	struct stat st;
	int ret = proc_boot_id(boot_id);

	*ret_pidfd = -1;
	if (ret < 0 || fstat(dir_fd, &st) < 0)
		return ret < 0 ? ret : -errno;
	if (pid <= 0 || strcmp(boot_id, state->boot_id) != 0)
		return 0;
	fd_owned pidfd = -1;
	ret = proc_open(pid, birth, &pidfd);
	if (ret < 0)
		return ret == -ESRCH ? 0 : ret;
	if (st.st_uid == geteuid() || may_be_of(pid, st.st_uid))
		*ret_pidfd = fd_take(&pidfd);
	return 0;
}

/* The container's first process. */
static int open_process(int dir_fd, const struct state *state, int *ret_pidfd)
{
	return open_named(dir_fd, state, state->pid, &state->birth, ret_pidfd);
}

int state_open_network(int dir_fd, const struct state *state, int *ret_pidfd)
{
	return open_named(dir_fd, state, state->network.pid, &state->network.birth, ret_pidfd);
}

int state_claim(int dir_fd, const struct state *state, char mark[STATE_MARK_MAX], struct cgroup_claim *ret_claim)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	*ret_claim = (struct cgroup_claim){ mark, state->cgroup_id, st.st_uid == geteuid() };
	return state_mark(dir_fd, state->id, mark);
}

int state_open_cgroup(int dir_fd, const struct state *state)
{
	struct cgroup_claim claim;
	char mark[STATE_MARK_MAX];
	int  fd = -1;

	if (state->cgroup == NULL || state->id == NULL)
		return -ENOENT;
	int ret = state_claim(dir_fd, state, mark, &claim);
	if (ret == 0)
		ret = cgroup_open(state->cgroup, &claim, &fd);
	return ret < 0 ? ret : fd;
}

static bool is_frozen(int dir_fd, const struct state *state, const int *cgroup_fd)
{
	fd_owned cgroup = cgroup_fd == NULL ? state_open_cgroup(dir_fd, state) : -1;
	int fd = cgroup_fd == NULL ? cgroup : *cgroup_fd;

	return fd >= 0 && cgroup_is_frozen(fd);
}

int state_status(int dir_fd, const struct state *state, bool locked, int *ret_pidfd, struct error *err)
{
	return state_status_in(dir_fd, state, locked, NULL, ret_pidfd, err);
}

int state_status_in(int dir_fd, const struct state *state, bool locked, const int *cgroup_fd, int *ret_pidfd, struct error *err)
{
	int ret = open_process(dir_fd, state, ret_pidfd);

	if (ret < 0)
		return error_at(err, -ret, state->id ? state->id : "state.json", "find out whether process %d still runs",
				(int)state->pid);
	if (state->creating)
		return !locked && is_locked(dir_fd) ? STATE_CREATING : STATE_STOPPED;
	if (*ret_pidfd < 0)
		return STATE_STOPPED;
	if (state->stopped_by_signal || is_frozen(dir_fd, state, cgroup_fd))
		return STATE_PAUSED;
	ret = waits_for_start(dir_fd);
	if (ret < 0) {
		fd_close(ret_pidfd);
		return error_at(err, -ret, STATE_FIFO, "find out whether the container waits for its start");
	}
	return ret == 1 ? STATE_CREATED : STATE_RUNNING;
}

void state_owner(int dir_fd, char *name, size_t size)
{
	struct stat  st = { 0 };
	struct error err;
	struct passwd_entry entry;
	mem_owned char *passwd = NULL;
	char *rest;

	fstat(dir_fd, &st);
	snprintf(name, size, "#%u", (unsigned)st.st_uid);
	if (st.st_uid == 0) {
		snprintf(name, size, "root");
		return;
	}
	/* What /etc/passwd does not know is shown by number. */
	if (io_read_file(AT_FDCWD, "/etc/passwd", 16 * 1024 * 1024, &passwd, &err) >= 0 &&
	    (rest = passwd, passwd_next(&rest, st.st_uid, &entry)))
		snprintf(name, size, "%s", entry.name);
}
