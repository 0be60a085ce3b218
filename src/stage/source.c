/* source.c - see source.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"

int source_open(const struct spec_mount *mount, int bundle_fd, int *ret_fd, struct error *err)
{
	const unsigned no_follow = MOUNT_COPY_LINK | MOUNT_SOURCE_NOFOLLOW;
	const char *path = mount->source ? mount->source : "";
	struct stat st;
	fd_owned fd = openat(bundle_fd, path, O_PATH | O_CLOEXEC | (mount->options.special & no_follow ? O_NOFOLLOW : 0));

	if (fd < 0) {
		int code = errno;

		error_at(err, code, path, "open the source");
		return error_hint(err, code == ENOENT    ? "the source of a bind mount must exist on the host"
				       : code == ENOTDIR ? "a part of the way to the source is a file"
							 : "the source must be reachable for the user who runs moss");
	}
	if ((mount->options.special & MOUNT_COPY_LINK) && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
		*ret_fd = fd_take(&fd);
		return 0;
	}
	unsigned recursive = mount->options.recursive ? AT_RECURSIVE : 0;
	int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
	if (tree < 0) {
		int code = errno;

		error_at(err, code, path, "clone the source");
		/* mount_namespaces(7), "Restrictions": what covers a directory can't be left out. */
		return code == EINVAL && !recursive
			       ? error_hint(err, "something is mounted below the source, and a user namespace may "
						 "not uncover it: use rbind instead of bind")
			       : -code;
	}
	*ret_fd = tree;
	return 0;
}
