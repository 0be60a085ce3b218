/* cgroup_freezer.c - see cgroup.h: a cgroup stopped and let go on. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/sys.h"
#include "host/cgroup.h"

#define FREEZE_TIMEOUT_MS 10000

/* Read cgroup.events, which is open, from its start. Returns 1 when its "frozen" is @frozen, 0 or -errno. */
static int has_frozen(int events_fd, bool frozen)
{
	char    text[256];
	ssize_t size = pread(events_fd, text, sizeof(text) - 1, 0);

	if (size < 0)
		return -errno;
	text[size] = '\0';
	return strstr(text, frozen ? "frozen 1" : "frozen 0") != NULL;
}

int cgroup_set_frozen(int cgroup_fd, bool frozen)
{
	fd_owned events = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd change = { .fd = events, .events = POLLPRI };
	int64_t deadline = sys_now_ms() + FREEZE_TIMEOUT_MS;

	if (events < 0)
		return -errno;
	int ret = io_write_small(cgroup_fd, "cgroup.freeze", frozen ? "1" : "0");
	while (ret >= 0) {
		ret = has_frozen(events, frozen);
		int64_t left = deadline - sys_now_ms();
		if (ret != 0 || left <= 0)
			break;
		/* The kernel wakes pollers when the file changes (cgroups(7)), since it was last read. */
		if (poll(&change, 1, (int)left) < 0 && errno != EINTR)
			ret = -errno;
	}
	if (ret > 0)
		return 0;
	if (frozen)
		(void)!io_write_small(cgroup_fd, "cgroup.freeze", "0");
	return ret < 0 ? ret : -ETIMEDOUT;
}
