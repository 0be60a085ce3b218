/* proc.c - see proc.h. Side: any. */
#define _GNU_SOURCE
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/sys.h"

#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446 /* linux/magic.h, 6.9 */
#endif
#define PROC_ROOT_INODE 1 /* include/linux/proc_fs.h: PROC_ROOT_INO */

/* Field @wanted (4 or more) of /proc/PID/stat, a number. Returns 0, -ESRCH or another -errno as
 * proc_birth_of() does. */
static int stat_number(pid_t pid, int wanted, uint64_t *ret_number)
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
	for (int number = 3; number < wanted; number++) {
		field = strchr(field, ' ');
		if (field == NULL)
			return -EIO;
		field++;
	}
	*ret_number = strtoull(field, NULL, 10);
	return 0;
}

int proc_birth_of(pid_t pid, int pidfd, struct proc_birth *ret_birth)
{
	struct statfs fs;
	struct stat st;

	*ret_birth = (struct proc_birth){ 0 };
	if (fstatfs(pidfd, &fs) == 0 && fs.f_type == PID_FS_MAGIC && fstat(pidfd, &st) == 0) {
		ret_birth->pidfd_inode = st.st_ino;
		return 0;
	}
	return stat_number(pid, 22, &ret_birth->start_time);
}

/* Is it the one of this birth? 1, 0 or -errno. */
static int is_born(pid_t pid, int pidfd, const struct proc_birth *birth)
{
	uint64_t ticks;
	struct stat st;

	if (birth->pidfd_inode != 0)
		return fstat(pidfd, &st) < 0 ? -errno : st.st_ino == birth->pidfd_inode;
	int ret = stat_number(pid, 22, &ticks); /* which costs ten times as much */
	return ret < 0 ? ret : ticks == birth->start_time;
}

bool proc_signal_is_default(pid_t pid, int number)
{
	uint64_t ignored, caught, bit = UINT64_C(1) << (number - 1);

	return stat_number(pid, 33, &ignored) == 0 && stat_number(pid, 34, &caught) == 0 &&
	       !((ignored | caught) & bit);
}

int proc_boot_id(char id[PROC_BOOT_ID_SIZE])
{
	ssize_t size = io_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, PROC_BOOT_ID_SIZE);

	if (size < 0)
		return (int)size;
	return size == PROC_BOOT_ID_SIZE - 1 ? 0 : -EIO;
}

int proc_open(pid_t pid, const struct proc_birth *birth, int *ret_fd)
{
	if (pid <= 0)
		return -ESRCH;
	fd_owned fd = pidfd_open(pid, 0);
	if (fd < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	/* Checked after the pidfd is open: from here on the pid can't become another process. */
	int ret = is_born(pid, fd, birth);
	if (ret <= 0)
		return ret < 0 ? ret : -ESRCH;
	/* A zombie's threads may live on (its first one called pthread_exit(3)): the pidfd knows. */
	ret = proc_wait_end(fd, 0);
	if (ret != 0)
		return ret < 0 ? ret : -ESRCH;
	*ret_fd = fd_take(&fd);
	return 0;
}

int proc_root_open(void)
{
	struct statfs fs;
	struct stat   st;
	fd_owned fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* statfs(2) alone would take a bind mount of one of its directories for the whole. */
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return -EXDEV;
	return fd_take(&fd);
}

int proc_root_private(void)
{
	fd_owned fs = fsopen("proc", FSOPEN_CLOEXEC);
	int fd = -1;

	if (fs >= 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
	return fd >= 0 ? fd : proc_root_open();
}

int proc_file_open(int root_fd, const char *path, int flags)
{
	int fd = sys_openat2(root_fd, path, (uint64_t)flags, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);

	return fd < 0 ? -errno : fd;
}

ssize_t proc_file_write_at(int root_fd, const char *path, const char *text)
{
	fd_owned fd = proc_file_open(root_fd, path, O_WRONLY);

	if (fd < 0)
		return fd;
	ssize_t count = write(fd, text, strlen(text));
	return count < 0 ? -errno : count;
}

int proc_file_write(const char *path, const char *text)
{
	fd_owned root_fd = proc_root_open();
	ssize_t count = root_fd < 0 ? root_fd : proc_file_write_at(root_fd, path, text);

	return count < 0 ? (int)count : (size_t)count == strlen(text) ? 0 : -EIO;
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
