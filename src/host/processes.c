/* processes.c - see processes.h. Side: host. */
#define _GNU_SOURCE
#include "host/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/cgroup.h"
#include "host/destroy.h"

#define STOP_TIMEOUT_MS 10000

static int namespace_of(pid_t pid, struct stat *ret_st)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return stat(path, ret_st) < 0 ? -errno : 0;
}

/* What a user's state directory says, the user has written: the process that it names may be one of the host's pid
 * namespace, or of somebody else's, whose processes are not the user's to reach with root's rights. 0 or -errno. */
static int check_namespace(pid_t pid, int dir_fd)
{
	char  path[48];
	struct stat own, found, dir;
	uid_t maker = (uid_t)-1;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	fd_owned fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	if (fstat(fd, &found) < 0 || namespace_of(getpid(), &own) < 0 || fstat(dir_fd, &dir) < 0)
		return -errno;
	if (found.st_ino == own.st_ino && found.st_dev == own.st_dev)
		return -EPERM;
	if (dir.st_uid == geteuid())
		return 0;
	fd_owned owner = ioctl(fd, NS_GET_USERNS);
	return owner >= 0 && ioctl(owner, NS_GET_OWNER_UID, &maker) == 0 && maker == dir.st_uid ? 0 : -EPERM;
}

/* Is this a process of the namespace @wanted? 1, 0 or -errno. What we may not look at is not the container's: over that
 * its maker has every right. */
static int is_in(pid_t pid, const struct stat *wanted)
{
	struct stat found;
	int ret = namespace_of(pid, &found);

	if (ret < 0)
		return ret == -ENOENT || ret == -ESRCH || ret == -EACCES ? 0 : ret;
	return found.st_ino == wanted->st_ino && found.st_dev == wanted->st_dev;
}

/* One entry of /proc. Returns whether it is one of them, or -errno. */
static int visit_one(const char *name, const struct stat *wanted, int (*visit)(pid_t pid, int pidfd, void *context), void *context)
{
	uint64_t pid;

	if (!str_to_uint(name, INT32_MAX, &pid))
		return 0;
	/* The pidfd first: what it names can't change between the look and the signal. */
	fd_owned pidfd = pidfd_open((pid_t)pid, 0);
	if (pidfd < 0)
		return errno == ESRCH ? 0 : -errno;
	int ret = is_in((pid_t)pid, wanted);
	if (ret == 1) {
		int visited = visit((pid_t)pid, pidfd, context);
		/* -EPERM is check_namespace()'s word. */
		ret = visited == -EPERM ? -EACCES : visited < 0 && visited != -ESRCH ? visited : 1;
	}
	return ret;
}

/* Call @visit with every process in the pid namespace of @pid, also after it has failed with one. Returns 0, or the first -errno. */
static int for_each(pid_t pid, int (*visit)(pid_t pid, int pidfd, void *context), void *context)
{
	struct stat wanted;
	struct dirent *entry;
	int  ret = namespace_of(pid, &wanted);
	bool found = false;
	DIR *proc = ret < 0 ? NULL : opendir("/proc");
	char first[16];

	if (proc == NULL)
		return ret == -ENOENT ? -ESRCH : ret < 0 ? ret : -errno;
	snprintf(first, sizeof(first), "%d", (int)pid);
	for (errno = 0; (entry = readdir(proc)) != NULL; errno = 0) {
		int visited = visit_one(entry->d_name, &wanted, visit, context);

		if (visited < 0 && ret == 0)
			ret = visited;
		found |= visited == 1 && strcmp(entry->d_name, first) == 0;
	}
	if (errno != 0 && ret == 0)
		ret = -errno;
	closedir(proc);
	return ret == 0 && !found ? -ESRCH : ret;
}

static int signal_one(pid_t pid, int pidfd, void *number)
{
	(void)pid;
	return pidfd_send_signal(pidfd, *(int *)number, NULL, 0) < 0 ? -errno : 0;
}

int processes_signal(const struct state *state, int dir_fd, int number)
{
	int ret = check_namespace(state->pid, dir_fd);

	return ret < 0 ? ret : for_each(state->pid, signal_one, &number);
}

/* Counts those that could still make others. */
static int stop_one(pid_t pid, int pidfd, void *running)
{
	char path[32], stat[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ssize_t size = io_read_small(AT_FDCWD, path, stat, sizeof(stat));
	if (size < 0)
		return size == -ENOENT ? 0 : (int)size;
	const char *state = strrchr(stat, ')'); /* the name before it may hold anything */
	if (state == NULL || state[1] != ' ' || strchr("TtZX", state[2]) != NULL)
		return 0;
	++*(size_t *)running;
	return signal_one(pid, pidfd, &(int){ SIGSTOP });
}

int processes_stop(const struct state *state, int dir_fd)
{
	int64_t deadline = sys_now_ms() + STOP_TIMEOUT_MS;

	for (;;) {
		size_t running = 0;
		int    ret = check_namespace(state->pid, dir_fd);

		if (ret == 0)
			ret = for_each(state->pid, stop_one, &running);
		if (ret == 0 && running == 0)
			return 0;
		if (ret == 0 && sys_now_ms() >= deadline)
			ret = -ETIMEDOUT;
		if (ret < 0) {
			(void)!processes_signal(state, dir_fd, SIGCONT);
			return ret;
		}
		poll(NULL, 0, 1); /* a signal takes its time to arrive; nothing tells of it */
	}
}

int processes_explain(const struct state *state, int ret, const char *what, struct error *err)
{
	error_at(err, -ret, state->id, "%s", what);
	if (ret != -EPERM)
		return ret;
	return error_hint(err, "state.json names process %d, whose pid namespace is not one that the container's user has made",
			  (int)state->pid);
}

void process_list_free(struct process_list *list)
{
	free(list->pids);
	*list = (struct process_list){ 0 };
}

struct listing {
	struct process_list *list;
	size_t room;
	bool   failed;
};

static void add(pid_t pid, void *context)
{
	struct listing *listing = context;
	struct process_list *list = listing->list;

	if (list->count == listing->room) {
		size_t room = listing->room ? 2 * listing->room : 64;
		pid_t *more = reallocarray(list->pids, room, sizeof(*more));

		if (more == NULL) {
			listing->failed = true;
			return;
		}
		list->pids = more;
		listing->room = room;
	}
	list->pids[list->count++] = pid;
}

static int add_of_namespace(pid_t pid, int pidfd, void *context)
{
	(void)pidfd;
	add(pid, context);
	return 0;
}

int processes_list(const struct state *state, int dir_fd, struct process_list *ret_list, struct error *err)
{
	struct listing listing = { .list = ret_list };
	fd_owned cgroup = state_open_cgroup(dir_fd, state);
	int ret;

	*ret_list = (struct process_list){ 0 };
	if (cgroup >= 0) {
		ret = cgroup_for_each_process(cgroup, add, &listing);
	} else if (state->own_pid_namespace) {
		ret = check_namespace(state->pid, dir_fd);
		if (ret == 0)
			ret = for_each(state->pid, add_of_namespace, &listing);
	} else {
		error_at(err, ENOTSUP, state->id, "its processes can't be told from others: it has neither a cgroup nor a "
						  "pid namespace of its own");
		return error_hint(err, "its first process is %d", (int)state->pid);
	}
	if (ret == 0 && listing.failed)
		ret = -ENOMEM;
	if (ret < 0)
		process_list_free(ret_list);
	return ret < 0 ? processes_explain(state, ret, "find its processes", err) : 0;
}
