/* proc.c - see proc.h. Side: any. */
#define _GNU_SOURCE
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "base/io.h"

int proc_start_time(pid_t pid, uint64_t *ret_ticks)
{
	char path[32], stat[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ssize_t size = io_read_small(AT_FDCWD, path, stat, sizeof(stat));
	if (size < 0)
		return size == -ENOENT ? -ESRCH : (int)size;
	/* The command's name stands in parentheses and may hold anything, ")" and spaces too. */
	char *field = strrchr(stat, ')');
	if (field == NULL || field[1] != ' ')
		return -EIO;
	field += 2;
	for (int number = 3; number < 22; number++) {
		field = strchr(field, ' ');
		if (field == NULL)
			return -EIO;
		field++;
	}
	*ret_ticks = strtoull(field, NULL, 10);
	return 0;
}

int proc_boot_id(char id[PROC_BOOT_ID_SIZE])
{
	ssize_t size = io_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, PROC_BOOT_ID_SIZE);

	if (size < 0)
		return (int)size;
	return size == PROC_BOOT_ID_SIZE - 1 ? 0 : -EIO;
}

int proc_open(pid_t pid, uint64_t start_time, int *ret_fd)
{
	uint64_t ticks;

	if (pid <= 0)
		return -ESRCH;
	fd_owned fd = pidfd_open(pid, 0);
	if (fd < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	/* Checked after the pidfd is open: from here on the pid can't become another process. */
	int ret = proc_start_time(pid, &ticks);
	if (ret < 0)
		return ret;
	if (ticks != start_time)
		return -ESRCH;
	/* A zombie's threads may live on (its first one called pthread_exit(3)): the pidfd knows. */
	ret = proc_wait_end(fd, 0);
	if (ret != 0)
		return ret < 0 ? ret : -ESRCH;
	*ret_fd = fd_take(&fd);
	return 0;
}

int proc_wait_end(int pidfd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int ret;

	do
		ret = poll(&poll_fd, 1, timeout_ms);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}
