/* mounts.c - see mounts.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "stage/filesystem.h"
#include "stage/rootfs.h"
#include "stage/source.h"

/* The number of the file system that @fd is on (statfs(2)). */
static int magic_of(int fd, long *ret_magic, struct error *err)
{
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return error_set(err, errno, "find out the file system");
	*ret_magic = (long)st.f_type;
	return 0;
}

int mounts_move(int tree_fd, int target_fd)
{
	return move_mount(tree_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? -errno : 0;
}

/* Is the mount's source to stay a peer of the host's mount? Only where both the mount and the root ask. */
static bool stays_shared(const struct spec *spec, const struct spec_mount *mount)
{
	return (spec->rootfs_propagation & MS_SHARED) && mount->options.propagation == MS_SHARED;
}

int mounts_open_sources(const struct spec *spec, const char *bundle, bool shared, int *sources, struct error *err)
{
	fd_owned bundle_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (bundle_fd < 0)
		return error_at(err, errno, bundle, "open the bundle");
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (sources[i] >= 0 || !mount->options.bind || (mount->options.special & MOUNT_REMOUNT) ||
		    stays_shared(spec, mount) != shared)
			continue;
		if (source_open(mount, bundle_fd, &sources[i], err) < 0)
			return error_object(err, "%s", mount->destination);
	}
	return 0;
}

static int tree_attributes(int tree, const struct spec_mount *mount, struct error *err)
{
	const struct mount_options *o = &mount->options;
	struct mount_attr all = { .attr_set = o->recursive_attr_set, .attr_clr = o->recursive_attr_clear };
	struct mount_attr one = { .attr_set = o->attr_set, .attr_clr = o->attr_clear };
	long magic = 0;

	/* CVE-2023-25809: the host's /sys holds the cgroup tree as a mount of its own, which a
	 * plain "ro" would leave writable. */
	if ((o->attr_set & MOUNT_ATTR_RDONLY) && o->recursive) {
		if (magic_of(tree, &magic, err) < 0)
			return -err->code;
		if (magic == SYSFS_MAGIC)
			all.attr_set |= MOUNT_ATTR_RDONLY;
	}
	if ((all.attr_set | all.attr_clr) != 0 &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &all, sizeof(all)) < 0)
		return error_set(err, errno, "set the recursive mount options");
	if (o->bind && (one.attr_set | one.attr_clr) != 0 &&
	    mount_setattr(tree, "", AT_EMPTY_PATH, &one, sizeof(one)) < 0) {
		int code = errno;
		error_set(err, code, "set the mount options");
		return code == EPERM ? error_hint(err, "a user namespace may not clear ro, nosuid, nodev, noexec or "
						       "change atime where the host has set them: leave the option out")
				     : -code;
	}
	return 0;
}

/* Files of procfs that a container may have covered, as runc allows (lxcfs and the like). */
static bool proc_file_may_be_covered(const char *path)
{
	static const char *const names[] = { "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime",
					     "loadavg", "slabinfo", "net/dev", "sys/kernel/ns_last_pid",
					     "sys/crypto/fips_enabled" };

	if (!str_starts(path, "/proc/"))
		return false;
	for (size_t i = 0; i < array_size(names); i++)
		if (strcmp(path + strlen("/proc/"), names[i]) == 0)
			return true;
	return false;
}

/* CVE-2019-16884, 2019-19921, 2023-27561, 2025-52881: nothing may take the place of procfs. */
static int target_check(const struct spec_mount *mount, int root_fd, int target, int tree, struct error *err)
{
	bool        to_proc = mount->type != NULL && !mount->options.bind && strcmp(mount->type, "proc") == 0;
	struct stat proc_st, target_st;
	long        target_magic = 0, tree_magic = 0;

	if (to_proc)
		return 0;
	if (magic_of(target, &target_magic, err) < 0 || (tree >= 0 && magic_of(tree, &tree_magic, err) < 0))
		return -err->code;
	if (tree_magic == PROC_SUPER_MAGIC)
		return 0;
	if (target_magic == PROC_SUPER_MAGIC && !proc_file_may_be_covered(mount->destination))
		return error_set(err, EPERM, "a mount inside /proc is refused");
	fd_owned proc = rootfs_find(root_fd, "proc", 0);
	if (proc == -ENOENT || proc == -ELOOP)
		return 0;
	if (proc < 0 || fstat(proc, &proc_st) < 0 || fstat(target, &target_st) < 0)
		return error_set(err, proc < 0 ? -proc : errno, "compare it with /proc");
	if (proc_st.st_dev == target_st.st_dev && proc_st.st_ino == target_st.st_ino)
		return error_set(err, EPERM, "only procfs may be mounted on /proc");
	return 0;
}

/* Open or make the place where the mount goes. */
static int target_open(const struct spec_mount *mount, int root_fd, mode_t type, int *ret_fd, struct error *err)
{
	const char *destination = mount->destination;
	bool no_links = strcmp(destination, "/proc") == 0 || strcmp(destination, "/sys") == 0 ||
			(mount->type != NULL && !mount->options.bind &&
			 (strcmp(mount->type, "proc") == 0 || strcmp(mount->type, "sysfs") == 0));
	struct stat st;

	if (no_links) {
		int fd = rootfs_find(root_fd, mount->destination, RESOLVE_NO_SYMLINKS);
		if (fd == -ELOOP)
			return error_set(err, ELOOP, "a symbolic link in the image, where a directory must be");
		if (fd >= 0) {
			*ret_fd = fd;
			return 0;
		}
	}
	fd_owned fd = -1;
	if (rootfs_make(root_fd, mount->destination, type, &fd, err) < 0) {
		err->object[0] = '\0'; /* the caller names the destination */
		return -err->code;
	}
	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "stat");
	if (S_ISDIR(type) != S_ISDIR(st.st_mode)) {
		error_set(err, S_ISDIR(type) ? ENOTDIR : EISDIR, "source and destination differ in kind");
		return error_hint(err, "mount a directory on a directory, a file on a file");
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

/* With dest-nofollow a symbolic link at the destination is what is covered. Returns 1 when there is
 * none: then the usual way does the same. */
static int target_open_link(const struct spec_mount *mount, int root_fd, mode_t type, int *ret_fd, struct error *err)
{
	char        name[NAME_MAX + 1];
	struct stat st;
	fd_owned dir = -1;

	if (rootfs_make_parent(root_fd, mount->destination, name, &dir, err) < 0)
		return -err->code;
	fd_owned fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
		return 1;
	if (S_ISDIR(type)) {
		error_set(err, ENOTDIR, "a directory can't be mounted on a symbolic link, which dest-nofollow keeps");
		return error_hint(err, "leave dest-nofollow out");
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

static int target_find(const struct spec_mount *mount, int root_fd, int source, int *ret_fd, struct error *err)
{
	mode_t      type = S_IFDIR;
	struct stat st;

	if (source >= 0 && fstat(source, &st) == 0 && !S_ISDIR(st.st_mode))
		type = S_IFREG;
	if (mount->options.special & MOUNT_TARGET_NOFOLLOW) {
		int ret = target_open_link(mount, root_fd, type, ret_fd, err);
		if (ret <= 0)
			return ret;
	}
	return target_open(mount, root_fd, type, ret_fd, err);
}

/* copy-symlink: the link itself is made, nothing is mounted. @link: O_PATH. */
static int link_copy(const struct spec_mount *mount, int root_fd, int link, struct error *err)
{
	char     name[NAME_MAX + 1], wanted[PATH_MAX], there[PATH_MAX];
	fd_owned dir = -1;
	ssize_t  size = readlinkat(link, "", wanted, sizeof(wanted) - 1);

	if (size < 0)
		return error_set(err, errno, "read the link");
	wanted[size] = '\0';
	if (rootfs_make_parent(root_fd, mount->destination, name, &dir, err) < 0)
		return -err->code;
	if (symlinkat(wanted, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return error_set(err, errno, "make the link to %.200s", wanted);
	size = readlinkat(dir, name, there, sizeof(there) - 1);
	there[size < 0 ? 0 : size] = '\0';
	if (strcmp(there, wanted) == 0)
		return 0;
	error_set(err, EEXIST, "copy-symlink: there is something else than a link to %.200s", wanted);
	return error_hint(err, "take it out of the image, or leave copy-symlink out");
}

/* remount: the mount that is there gets the attributes; those that are not named stay as they are. */
static int remount(const struct spec_mount *mount, int root_fd, int *ret_tree, struct error *err)
{
	struct statx st;
	fd_owned target = rootfs_find(root_fd, mount->destination, 0);

	if (target < 0)
		return error_set(err, -target, "open what is to be remounted");
	if (statx(target, "", AT_EMPTY_PATH, 0, &st) < 0)
		return error_set(err, errno, "statx");
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		error_set(err, EINVAL, "remount: nothing is mounted there");
		return error_hint(err, "list the mount before, or leave \"remount\" out");
	}
	if (tree_attributes(target, mount, err) < 0)
		return -err->code;
	*ret_tree = fd_take(&target);
	return 0;
}

/* What mount(2) has put on @target: found by the same way again, and nothing else must be there. */
static int attached_find(const struct spec_mount *mount, int root_fd, int target, int *ret_tree, struct error *err)
{
	struct statx below, above;
	fd_owned tree = rootfs_find(root_fd, mount->destination, 0);

	if (tree < 0 || statx(tree, "", AT_EMPTY_PATH, STATX_MNT_ID, &above) < 0 ||
	    statx(target, "", AT_EMPTY_PATH, STATX_MNT_ID, &below) < 0)
		return error_set(err, tree < 0 ? -tree : errno, "find the new mount");
	if (!(above.stx_attributes & STATX_ATTR_MOUNT_ROOT) || above.stx_mnt_id == below.stx_mnt_id)
		return error_set(err, ESTALE, "the new mount is not where it was made");
	*ret_tree = fd_take(&tree);
	return 0;
}

static int make_and_attach(const struct spec_mount *mount, int root_fd, int target, int *tree, struct error *err)
{
	if (*tree < 0 && filesystem_needs_mount(mount)) {
		if (filesystem_attach(mount, target, err) < 0 || attached_find(mount, root_fd, target, tree, err) < 0)
			return -err->code;
		return tree_attributes(*tree, mount, err);
	}
	if (*tree < 0 && filesystem_make(mount, target, tree, err) < 0)
		return -err->code;
	if (tree_attributes(*tree, mount, err) < 0)
		return -err->code;
	int ret = mounts_move(*tree, target);
	return ret < 0 ? error_set(err, -ret, "attach the mount") : 0;
}

static bool is_link(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

static int apply(const struct spec_mount *mount, int *root_fd, int *tree, struct error *err)
{
	fd_owned target = -1;

	if (mount->options.special & MOUNT_REMOUNT)
		return remount(mount, *root_fd, tree, err);
	if ((mount->options.special & MOUNT_COPY_LINK) && is_link(*tree)) {
		int ret = link_copy(mount, *root_fd, *tree, err);
		fd_close(tree);
		return ret;
	}
	if (target_find(mount, *root_fd, *tree, &target, err) < 0)
		return -err->code;
	bool new_root = rootfs_is_root(*root_fd, target);
	if (target_check(mount, *root_fd, target, *tree, err) < 0 ||
	    make_and_attach(mount, *root_fd, target, tree, err) < 0)
		return -err->code;
	if (!new_root)
		return 0;
	/* What comes next is looked up in what covers the root now, and that is what the pivot enters. */
	int fd = fcntl(*tree, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, errno, "keep the new root");
	fd_close(root_fd);
	*root_fd = fd;
	return 0;
}

int mounts_apply(const struct spec *spec, size_t index, int *root_fd, int *tree, struct error *err)
{
	const struct spec_mount *mount = &spec->mounts[index];

	if (apply(mount, root_fd, tree, err) < 0) {
		if (err->object[0] == '\0' || strcmp(err->object, mount->destination) != 0)
			error_object(err, "%s", mount->destination);
		return -err->code;
	}
	if (mount->options.propagation == 0)
		fd_close(tree);
	return 0;
}

int mounts_propagate(const struct spec *spec, const int *trees, struct error *err)
{
	const unsigned long root = spec->rootfs_propagation;
	struct mount_attr whole = { .propagation = root & (MS_SHARED | MS_UNBINDABLE) };

	if (whole.propagation != 0 &&
	    mount_setattr(AT_FDCWD, "/", root & MS_REC ? AT_RECURSIVE : 0, &whole, sizeof(whole)) < 0) {
		error_set(err, errno, "set the propagation of the container's root");
		return error_object(err, "linux: rootfsPropagation");
	}
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct mount_options *options = &spec->mounts[i].options;
		struct mount_attr attributes = { .propagation = options->propagation };
		unsigned recursive = options->propagation_recursive ? AT_RECURSIVE : 0;

		if (trees[i] < 0 || options->propagation == 0)
			continue;
		if (mount_setattr(trees[i], "", AT_EMPTY_PATH | recursive, &attributes, sizeof(attributes)) < 0) {
			error_set(err, errno, "set the propagation");
			return error_object(err, "%s", spec->mounts[i].destination);
		}
	}
	return 0;
}
