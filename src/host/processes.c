/* processes.c - see processes.h. Side: host. */
#define _GNU_SOURCE
#include "host/processes.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"

static int namespace_of(pid_t pid, struct stat *ret_st)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return stat(path, ret_st) < 0 ? -errno : 0;
}

int processes_signal(pid_t pid, int number)
{
	struct stat wanted, found;
	struct dirent *entry;
	int ret = namespace_of(pid, &wanted);
	DIR *proc = ret < 0 ? NULL : opendir("/proc");

	if (proc == NULL)
		return ret == -ENOENT ? -ESRCH : ret < 0 ? ret : -errno;
	while ((entry = readdir(proc)) != NULL) {
		uint64_t other;

		if (!str_to_uint(entry->d_name, INT32_MAX, &other))
			continue;
		/* The pidfd first: what it names can't change between the look and the signal. */
		fd_owned pidfd = pidfd_open((pid_t)other, 0);
		if (pidfd >= 0 && namespace_of((pid_t)other, &found) == 0 && found.st_ino == wanted.st_ino &&
		    found.st_dev == wanted.st_dev)
			pidfd_send_signal(pidfd, number, NULL, 0);
	}
	closedir(proc);
	return 0;
}
