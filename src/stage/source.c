/* source.c - see source.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"

/* Is it a symbolic link? Then it is open as such. */
static bool link_open(int bundle_fd, const char *path, int *ret_fd)
{
	struct stat st;
	fd_owned fd = openat(bundle_fd, path, O_PATH | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
		return false;
	*ret_fd = fd_take(&fd);
	return true;
}

/* open_tree(2) finds the source and clones it. */
static int explain(int code, const char *path, bool recursive, struct error *err)
{
	switch (code) {
	case ENOENT:
		error_at(err, code, path, "open the source");
		return error_hint(err, "the source of a bind mount must exist on the host");
	case ENOTDIR:
		error_at(err, code, path, "open the source");
		return error_hint(err, "a part of the way to the source is a file");
	case EACCES:
	case ELOOP:
	case ENAMETOOLONG:
		error_at(err, code, path, "open the source");
		return error_hint(err, "the source must be reachable for the user who runs moss");
	case EINVAL:
		error_at(err, code, path, "clone the source");
		/* mount_namespaces(7), "Restrictions": what covers a directory can't be left out. */
		return recursive ? -code : error_hint(err, "something is mounted below the source, and a user namespace may "
						      "not uncover it: use rbind instead of bind");
	default:
		return error_at(err, code, path, "open and clone the source");
	}
}

int source_open(const struct spec_mount *mount, int bundle_fd, int *ret_fd, struct error *err)
{
	const unsigned no_follow = MOUNT_COPY_LINK | MOUNT_SOURCE_NOFOLLOW;
	const char *path = mount->source ? mount->source : "";
	unsigned recursive = mount->options.recursive ? AT_RECURSIVE : 0;

	if ((mount->options.special & MOUNT_COPY_LINK) && link_open(bundle_fd, path, ret_fd))
		return 0;
	*ret_fd = open_tree(bundle_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive |
					     (mount->options.special & no_follow ? AT_SYMLINK_NOFOLLOW : 0));
	return *ret_fd < 0 ? explain(errno, path, recursive, err) : 0;
}
