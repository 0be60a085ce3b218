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

static struct mounts_file file_of(const struct statx *st)
{
	return (struct mounts_file){ st->stx_dev_major, st->stx_dev_minor, st->stx_ino };
}

static bool is_same(struct mounts_file one, struct mounts_file other)
{
	return one.device_major == other.device_major && one.device_minor == other.device_minor && one.inode == other.inode;
}

/* What is known of the root stays so as long as it is the root. */
static int root_look(struct mounts_root *root, struct error *err)
{
	struct statx st;
	long magic = 0;

	if (root->known)
		return 0;
	if (statx(root->fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st) < 0)
		return error_set(err, errno, "stat the root");
	if (magic_of(root->fd, &magic, err) < 0)
		return -err->code;
	root->file = file_of(&st);
	root->mount_id = st.stx_mnt_id;
	root->in_procfs = magic == PROC_SUPER_MAGIC;
	root->known = true;
	return 0;
}

/* Is this directory what /proc leads to? Where that is no link, only a mount on itself changes it, or one on the root. */
static int is_proc(struct mounts_root *root, struct mounts_file file, bool *ret_is, struct error *err)
{
	struct statx st;

	*ret_is = root->proc_known && is_same(file, root->proc);
	if (root->proc_known)
		return 0;
	fd_owned proc = rootfs_find(root->fd, "proc", RESOLVE_NO_SYMLINKS);
	bool link = proc == -ELOOP;
	if (link)
		proc = rootfs_find(root->fd, "proc", 0);
	if (proc == -ENOENT || proc == -ELOOP)
		return 0;
	if (proc < 0 || statx(proc, "", AT_EMPTY_PATH, STATX_INO, &st) < 0)
		return error_set(err, proc < 0 ? -proc : errno, "compare it with /proc");
	root->proc = file_of(&st);
	root->proc_known = !link;
	*ret_is = is_same(file, root->proc);
	return 0;
}

/* CVE-2019-16884, 2019-19921, 2023-27561, 2025-52881: nothing may take the place of procfs.
 * @st: of @target. With a thousand mounts each look counts: what is on the root's own file system is in no procfs. */
static int target_check(const struct spec_mount *mount, struct mounts_root *root, int target, const struct statx *st,
			int tree, struct error *err)
{
	bool to_proc = mount->type != NULL && !mount->options.bind && strcmp(mount->type, "proc") == 0, on_proc;
	struct mounts_file file = file_of(st);
	long target_magic = 0, tree_magic = 0;

	if (to_proc) {
		root->proc_known = false;
		return 0;
	}
	bool on_roots_device = file.device_major == root->file.device_major && file.device_minor == root->file.device_minor;
	if ((!on_roots_device || root->in_procfs) && magic_of(target, &target_magic, err) < 0)
		return -err->code;
	if (is_proc(root, file, &on_proc, err) < 0)
		return -err->code;
	if (target_magic != PROC_SUPER_MAGIC && !on_proc)
		return 0;
	if (tree >= 0 && magic_of(tree, &tree_magic, err) < 0)
		return -err->code;
	if (tree_magic == PROC_SUPER_MAGIC) {
		root->proc_known = false;
		return 0;
	}
	if (target_magic == PROC_SUPER_MAGIC && !proc_file_may_be_covered(mount->destination))
		return error_set(err, EPERM, "a mount inside /proc is refused");
	return on_proc ? error_set(err, EPERM, "only procfs may be mounted on /proc") : 0;
}

/* What a mount with this source covers; a new file system is a directory. */
static mode_t source_type(int source)
{
	struct stat st;

	return source >= 0 && fstat(source, &st) == 0 && !S_ISDIR(st.st_mode) ? S_IFREG : S_IFDIR;
}

static int differ_in_kind(mode_t type, struct error *err)
{
	error_set(err, S_ISDIR(type) ? ENOTDIR : EISDIR, "source and destination differ in kind");
	return error_hint(err, "mount a directory on a directory, a file on a file");
}

/* Open or make the place where the mount goes. */
static int target_open(const struct spec_mount *mount, int root_fd, int source, int *ret_fd, struct error *err)
{
	const char *destination = mount->destination;
	bool no_links = strcmp(destination, "/proc") == 0 || strcmp(destination, "/sys") == 0 ||
			(mount->type != NULL && !mount->options.bind &&
			 (strcmp(mount->type, "proc") == 0 || strcmp(mount->type, "sysfs") == 0));

	if (no_links) {
		*ret_fd = rootfs_find(root_fd, destination, RESOLVE_NO_SYMLINKS);
		if (*ret_fd == -ELOOP)
			return error_set(err, ELOOP, "a symbolic link in the image, where a directory must be");
		if (*ret_fd >= 0)
			return 0;
	}
	*ret_fd = rootfs_find(root_fd, destination, 0);
	if (*ret_fd >= 0)
		return 0;
	if (rootfs_make(root_fd, destination, source_type(source), ret_fd, err) < 0) {
		err->object[0] = '\0'; /* the caller names the destination */
		return -err->code;
	}
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
	if (mount->options.special & MOUNT_TARGET_NOFOLLOW) {
		int ret = target_open_link(mount, root_fd, source_type(source), ret_fd, err);
		if (ret <= 0)
			return ret;
	}
	return target_open(mount, root_fd, source, ret_fd, err);
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

static int attach(int tree, int target, struct error *err)
{
	struct stat st;
	int ret = mounts_move(tree, target);

	/* The kernel compares the kinds, too; so they are looked at only to explain. */
	if (ret == -EINVAL && fstat(target, &st) == 0 && S_ISDIR(st.st_mode) != S_ISDIR(source_type(tree)))
		return differ_in_kind(source_type(tree), err);
	return ret < 0 ? error_set(err, -ret, "attach the mount") : 0;
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
	return attach(*tree, target, err);
}

static bool is_link(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* What comes next is looked up in what covers the root now, and that is what the pivot enters. */
static int replace_root(struct mounts_root *root, int tree, struct error *err)
{
	int fd = fcntl(tree, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return error_set(err, errno, "keep the new root");
	fd_close(&root->fd);
	*root = (struct mounts_root){ .fd = fd };
	return 0;
}

static int apply(const struct spec_mount *mount, struct mounts_root *root, int *tree, struct error *err)
{
	struct statx st;
	fd_owned target = -1;

	if (mount->options.special & MOUNT_REMOUNT)
		return remount(mount, root->fd, tree, err);
	if ((mount->options.special & MOUNT_COPY_LINK) && is_link(*tree)) {
		int ret = link_copy(mount, root->fd, *tree, err);
		fd_close(tree);
		return ret;
	}
	if (root_look(root, err) < 0 || target_find(mount, root->fd, *tree, &target, err) < 0)
		return -err->code;
	if (statx(target, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO | STATX_MNT_ID, &st) < 0)
		return error_set(err, errno, "stat");
	if (*tree < 0 && !S_ISDIR(st.stx_mode))
		return differ_in_kind(S_IFDIR, err);
	if (target_check(mount, root, target, &st, *tree, err) < 0 ||
	    make_and_attach(mount, root->fd, target, tree, err) < 0)
		return -err->code;
	return st.stx_ino == root->file.inode && st.stx_mnt_id == root->mount_id ? replace_root(root, *tree, err) : 0;
}

int mounts_apply(const struct spec *spec, size_t index, struct mounts_root *root, int *tree, struct error *err)
{
	const struct spec_mount *mount = &spec->mounts[index];

	if (apply(mount, root, tree, err) < 0) {
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
