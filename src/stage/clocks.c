/* clocks.c - see clocks.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/clocks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/sys.h"

static int set_offsets(const struct spec *spec, int procfs, struct error *err)
{
	char   text[160];
	size_t size = 0;

	for (int clock = 0; clock < SPEC_CLOCK_COUNT; clock++) {
		const struct spec_time_offset *offset = &spec->time_offsets[clock];

		if (offset->given)
			size += (size_t)snprintf(text + size, sizeof(text) - size, "%s %" PRId64 " %" PRIu32 "\n",
						 spec_clock_names[clock], offset->seconds, offset->nanoseconds);
	}
	if (size == 0)
		return 0;
	fd_owned fd = procfs < 0 ? procfs : proc_file_open(procfs, "self/timens_offsets", O_WRONLY);
	if (fd < 0)
		return error_at(err, -fd, "linux: timeOffsets", "open /proc/self/timens_offsets");
	/* All of them in one write(2): the file takes no more than one page, and no part of a line. */
	if (write(fd, text, size) == (ssize_t)size)
		return 0;
	error_at(err, errno, "linux: timeOffsets", "write /proc/self/timens_offsets");
	return err->code == ERANGE || err->code == EINVAL
		? error_hint(err, "no clock may be set before 0, nor further ahead than some 146 years") : -err->code;
}

int clocks_enter(const struct spec *spec, bool foreign_tree, struct error *err)
{
	fd_owned procfs = foreign_tree ? proc_root_private() : proc_root_open();

	/* time_namespaces(7): unshare(2) makes it for the children; setns(2) takes us in, too. From then
	 * on its clocks are what they are. */
	if (unshare(CLONE_NEWTIME) < 0)
		return error_set(err, errno, "unshare CLONE_NEWTIME");
	if (set_offsets(spec, procfs, err) < 0)
		return -err->code;
	fd_owned dir = procfs < 0 ? procfs : proc_file_open(procfs, "self/ns", O_PATH | O_DIRECTORY);
	fd_owned fd = dir < 0 ? dir : openat(dir, "time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return error_at(err, dir < 0 ? -dir : errno, "/proc/self/ns/time_for_children", "enter the new time namespace");
	return 0;
}
