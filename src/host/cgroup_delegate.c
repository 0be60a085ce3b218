/* cgroup_delegate.c - see cgroup.h: the container's cgroup made its root's own. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "host/cgroup.h"

#define DELEGATE_FILE "/sys/kernel/cgroup/delegate" /* Linux 4.15 */

int cgroup_delegate(int cgroup_fd, uid_t user, gid_t group, struct error *err)
{
	char  text[4096], *name, *rest = text;
	ssize_t size = io_read_small(AT_FDCWD, DELEGATE_FILE, text, sizeof(text));

	if (size < 0)
		return error_at(err, (int)-size, DELEGATE_FILE, "read which files of a cgroup may be given away");
	if (fchown(cgroup_fd, user, group) < 0)
		return error_at(err, errno, "linux: cgroupsPath", "give the cgroup to the container's root (host id %u)", (unsigned)user);
	while ((name = strsep(&rest, "\n")) != NULL) {
		/* Some belong to controllers that this cgroup has not. */
		if (name[0] == '\0' || strchr(name, '/') != NULL || fchownat(cgroup_fd, name, user, group, AT_SYMLINK_NOFOLLOW) == 0 ||
		    errno == ENOENT)
			continue;
		return error_at(err, errno, name, "give the cgroup's file to the container's root (host id %u)", (unsigned)user);
	}
	return 0;
}
