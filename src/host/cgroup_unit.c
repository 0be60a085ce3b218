/* cgroup_unit.c - see cgroup_unit.h. Side: host. */
#define _GNU_SOURCE
#include "host/cgroup_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/run.h"
#include "base/str.h"
#include "host/caller.h"
#include "host/cgroup.h"

#define LEAF "supervisor"

/* For root alone. */
static bool is_delegated(const char *hierarchy, const char *path)
{
	char full[2 * PATH_MAX], value[8];

	return snprintf(full, sizeof(full), "%s%s", hierarchy, path) < (int)sizeof(full) &&
	       getxattr(full, "trusted.delegate", value, sizeof(value)) == 1 && value[0] == '1';
}

bool cgroup_unit_find(const char *hierarchy, char *own)
{
	char *slash;

	if (getenv("INVOCATION_ID") == NULL)
		return false;
	if (is_delegated(hierarchy, own))
		return true;
	slash = strrchr(own, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	if (slash > own && is_delegated(hierarchy, own))
		return true;
	*slash = '/';
	return false;
}

/* What the manager of the unit @name says of Delegate=. */
static bool ask_manager(const char *path, const char *name)
{
	char env[PATH_MAX], systemctl[PATH_MAX], runtime[64], text[16] = "", *manager = strstr(path, "/user@") ? "--user" : "--system";
	char *argv[] = { env, runtime, systemctl, manager, "show", "--property=Delegate", "--value", "--", (char *)name, NULL };
	struct run   run = { .pidfd = -1, .output = -1 };
	struct error ignored;

	snprintf(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=/run/user/%u", (unsigned)caller_get()->user);
	if (run_find("env", env, sizeof(env)) < 0 || run_find("systemctl", systemctl, sizeof(systemctl)) < 0)
		return false;
	int status = run_start(&run, argv, STDOUT_FILENO, &ignored);
	if (status == 0)
		status = run_wait(&run, text, sizeof(text), &ignored);
	run_end(&run);
	return status == 0 && strcmp(text, "yes\n") == 0;
}

/* Where it is "no" the manager would take controllers back at its next reload, and the limits with them. It is only ever
 * asked of our own unit, so once is enough. */
static bool manager_delegates(const char *path, const char *name)
{
	static enum { UNKNOWN, NO, YES } answer;

	if (answer == UNKNOWN)
		answer = ask_manager(path, name) ? YES : NO;
	return answer == YES;
}

/* Is it the cgroup of a unit that is delegated to us? A user's manager can set no such attribute; its own cgroup and its
 * slices it arranges itself. */
static bool is_unit(int dir_fd, const char *path)
{
	const char *name = strrchr(path, '/');
	char value[8];

	if (name == NULL || (!str_ends(name, strlen(name), ".scope") && !str_ends(name, strlen(name), ".service")))
		return false;
	if (caller_get()->root)
		return fgetxattr(dir_fd, "trusted.delegate", value, sizeof(value)) == 1 && value[0] == '1';
	return strncmp(name, "/user@", strlen("/user@")) != 0 && faccessat(dir_fd, "cgroup.subtree_control", W_OK, 0) == 0 &&
	       faccessat(dir_fd, "cgroup.procs", W_OK, 0) == 0 && manager_delegates(path, name + 1);
}

bool cgroup_unit_is_ours_alone(int dir_fd, const char *path)
{
	char own[PATH_MAX], pids[64], pid[16];

	if (!cgroup_path_of(0, own, sizeof(own)) || strcmp(own, path) != 0 ||
	    io_read_small(dir_fd, "cgroup.procs", pids, sizeof(pids)) < 0)
		return false;
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	return strcmp(pids, pid) == 0 && is_unit(dir_fd, path);
}

int cgroup_unit_leave(int dir_fd, const char *path)
{
	char pid[16];

	if (!cgroup_unit_is_ours_alone(dir_fd, path))
		return -EBUSY;
	if (mkdirat(dir_fd, LEAF, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	return io_write_small(dir_fd, LEAF "/cgroup.procs", pid);
}
