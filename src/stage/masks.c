/* masks.c - see masks.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/masks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/sys.h"
#include "stage/devices.h"
#include "stage/mounts.h"
#include "stage/rootfs.h"

/* What covers masked directories: one empty read-only tmpfs, attached to the first of them and
 * cloned from there (cloning a detached tree works only since Linux 6.15). */
struct cover {
	const char *label; /* SELinux's for the tmpfs, or NULL */
	int null_fd;  /* the host's /dev/null; -1 until needed */
	int empty_fd; /* the tmpfs; -1 until needed */
};

static int cover_empty(struct cover *cover, int *ret_tree, struct error *err)
{
	if (cover->empty_fd >= 0) {
		*ret_tree = open_tree(cover->empty_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		return *ret_tree < 0 ? error_set(err, errno, "clone the empty directory") : 0;
	}
	fd_owned fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "0", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "2", 0) < 0 ||
	    (cover->label != NULL && fsconfig(fs, FSCONFIG_SET_STRING, "context", cover->label, 0) < 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_set(err, errno, "make an empty tmpfs");
	*ret_tree = fsmount(fs, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return *ret_tree < 0 ? error_set(err, errno, "mount an empty tmpfs") : 0;
}

static int cover_null(struct cover *cover, int *ret_tree, struct error *err)
{
	if (cover->null_fd < 0 && devices_open_host("/dev/null", 1, 3, &cover->null_fd, err) < 0)
		return -err->code;
	*ret_tree = open_tree(cover->null_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return *ret_tree < 0 ? error_set(err, errno, "clone /dev/null") : 0;
}

static int mask(const char *path, int root_fd, struct cover *cover, struct error *err)
{
	struct stat st;
	fd_owned target = rootfs_find(root_fd, path, 0);

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0 || fstat(target, &st) < 0)
		return error_set(err, target < 0 ? -target : errno, "open");
	if (rootfs_is_root(root_fd, target)) {
		error_set(err, EINVAL, "the whole root can't be masked");
		return error_hint(err, "leave it out");
	}
	fd_owned tree = -1;
	int ret = S_ISDIR(st.st_mode) ? cover_empty(cover, &tree, err) : cover_null(cover, &tree, err);
	if (ret < 0)
		return ret;
	ret = mounts_move(tree, target);
	if (ret < 0)
		return error_set(err, -ret, "cover");
	if (S_ISDIR(st.st_mode) && cover->empty_fd < 0)
		cover->empty_fd = fd_take(&tree);
	return 0;
}

static int make_readonly(const char *path, int root_fd, struct error *err)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	fd_owned target = rootfs_find(root_fd, path, 0);

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return error_set(err, -target, "open");
	if (rootfs_is_root(root_fd, target)) {
		error_set(err, EINVAL, "that is the whole root");
		return error_hint(err, "use \"root\": {\"readonly\": true}");
	}
	fd_owned tree = open_tree(target, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_set(err, errno, "clone");
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
		return error_set(err, errno, "make read-only");
	int ret = mounts_move(tree, target);
	return ret < 0 ? error_set(err, -ret, "attach the read-only clone") : 0;
}

int masks_apply(const struct spec *spec, int root_fd, struct error *err)
{
	struct cover cover = { .label = spec->mount_label, .null_fd = -1, .empty_fd = -1 };
	int ret = 0;

	/* Read-only first: a mask below a read-only path must end up on top of it. */
	for (size_t i = 0; i < spec->readonly_paths.count && ret == 0; i++) {
		ret = make_readonly(spec->readonly_paths.texts[i], root_fd, err);
		if (ret < 0)
			error_object(err, "linux: readonlyPaths: %s", spec->readonly_paths.texts[i]);
	}
	for (size_t i = 0; i < spec->masked_paths.count && ret == 0; i++) {
		ret = mask(spec->masked_paths.texts[i], root_fd, &cover, err);
		if (ret < 0)
			error_object(err, "linux: maskedPaths: %s", spec->masked_paths.texts[i]);
	}
	fd_close(&cover.null_fd);
	fd_close(&cover.empty_fd);
	return ret;
}
