/* rootfs.c - see rootfs.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define LINKS_MAX 40 /* as the kernel's own limit, path_resolution(7) */

int rootfs_open(const char *path, int *ret_fd, struct error *err)
{
	fd_owned below = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (below < 0) {
		error_at(err, errno, path, "open the root file system");
		return error_hint(err, "\"root\": {\"path\": ...} of config.json names a directory that "
				       "this user can reach; a relative one starts at the bundle");
	}
	/* Recursive: in a user namespace the kernel refuses to clone a mount without what is
	 * mounted on it, because that would show what was covered (mount_namespaces(7)). */
	fd_owned tree = open_tree(below, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_at(err, errno, path, "clone the mount of the root file system");
	if (move_mount(tree, "", below, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_at(err, errno, path, "mount the root file system");
	*ret_fd = fd_take(&tree);
	return 0;
}

int rootfs_open_shared(const char *path, int *ret_fd, struct error *err)
{
	fd_owned top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = top < 0 ? -errno : rootfs_find(top, path, 0);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))) {
		fd_close(&fd);
		fd = -ENOTDIR;
	}
	if (fd < 0) {
		error_at(err, -fd, path, "open the root file system");
		return error_hint(err, "\"root\": {\"path\": ...} of config.json is looked up in the mount namespace that the "
				       "container is to be in, and must be a directory there");
	}
	*ret_fd = fd;
	return 0;
}

int rootfs_find(int root_fd, const char *path, unsigned resolve)
{
	int fd = sys_openat2(root_fd, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);

	return fd < 0 ? -errno : fd;
}

struct walk {
	char done[PATH_MAX]; /* what exists, without links, from the root; "" is the root itself */
	char rest[PATH_MAX]; /* what is still to be followed or made */
	int  links;
};

/* Cut the first component off walk->rest into @name. Returns false at the end. */
static bool walk_next(struct walk *walk, char *name, size_t size)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t      length = strcspn(start, "/");

	if (length == 0 || length >= size)
		return false;
	memcpy(name, start, length);
	name[length] = '\0';
	memmove(walk->rest, start + length, strlen(start + length) + 1);
	return true;
}

/* Put the target of link @name in @parent_fd in front of the rest of the way. */
static int walk_link(struct walk *walk, int parent_fd, const char *name)
{
	char    rest[PATH_MAX];
	ssize_t size = readlinkat(parent_fd, name, rest, sizeof(rest) - 1);

	if (size < 0)
		return -errno;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)size + 1 + strlen(walk->rest) >= sizeof(rest))
		return -ENAMETOOLONG;
	rest[size] = '/';
	memcpy(rest + size + 1, walk->rest, strlen(walk->rest) + 1);
	if (rest[0] == '/')
		walk->done[0] = '\0';
	memcpy(walk->rest, rest, strlen(rest) + 1);
	return 0;
}

/* One step: follow or make @name below walk->done. */
static int walk_step(struct walk *walk, int root_fd, const char *name, mode_t type)
{
	bool        last = walk->rest[strspn(walk->rest, "/")] == '\0';
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		char *slash = strrchr(walk->done, '/');
		*(slash ? slash : walk->done) = '\0';
		return 0;
	}
	fd_owned parent = sys_openat2(root_fd, walk->done[0] ? walk->done : ".", O_PATH | O_DIRECTORY, 0,
				      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	if (parent < 0)
		return -errno;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return walk_link(walk, parent, name);
	} else if (errno != ENOENT) {
		return -errno;
	} else if (last && type != S_IFDIR) {
		fd_owned file = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
		if (file < 0 && errno != EEXIST)
			return -errno;
	} else if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST) {
		return -errno;
	}
	if (strlen(walk->done) + 1 + strlen(name) >= sizeof(walk->done))
		return -ENAMETOOLONG;
	strcat(strcat(walk->done, walk->done[0] ? "/" : ""), name);
	return 0;
}

static int make_failed(int code, const char *path, const char *what, struct error *err)
{
	error_at(err, code, path, "%s inside the root file system", what);
	switch (code) {
	case ENOTDIR:
		return error_hint(err, "a part of the way to it is a file");
	case EROFS:
		return error_hint(err, "it is missing there and can't be made: put it into the image, or mount it elsewhere");
	case EACCES:
	case EPERM:
		return error_hint(err, "the root file system must be open to the ids that are mapped into the container: see its "
				       "owner and mode (moss unshare chown, chmod)");
	default:
		return -code;
	}
}

int rootfs_make(int root_fd, const char *path, mode_t type, int *ret_fd, struct error *err)
{
	struct walk walk = { .links = 0 };
	char        name[NAME_MAX + 1];
	int         ret = rootfs_find(root_fd, path, 0);

	if (ret < 0 && ret != -ENOENT)
		return make_failed(-ret, path, "open", err);
	if (ret < 0) {
		if (strlen(path) >= sizeof(walk.rest))
			return error_at(err, ENAMETOOLONG, path, "make inside the root file system");
		memcpy(walk.rest, path, strlen(path) + 1);
		ret = 0;
		while (ret == 0 && walk_next(&walk, name, sizeof(name)))
			ret = walk_step(&walk, root_fd, name, type);
		if (ret == 0 && walk.rest[strspn(walk.rest, "/")] != '\0')
			ret = -ENAMETOOLONG;
		if (ret == 0)
			ret = rootfs_find(root_fd, walk.done[0] ? walk.done : ".", RESOLVE_NO_SYMLINKS);
		if (ret < 0)
			return make_failed(-ret, path, "make", err);
	}
	*ret_fd = ret;
	return 0;
}

int rootfs_make_parent(int root_fd, const char *path, char name[NAME_MAX + 1], int *ret_fd, struct error *err)
{
	char   parent[PATH_MAX];
	size_t length, start = str_last_component(path, &length);

	if (start >= sizeof(parent) || length > NAME_MAX)
		return error_at(err, ENAMETOOLONG, path, "open");
	memcpy(name, path + start, length);
	name[length] = '\0';
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_at(err, EINVAL, path, "not the path of a file");
	memcpy(parent, path, start);
	parent[start] = '\0';
	return rootfs_make(root_fd, start > 0 ? parent : "/", S_IFDIR, ret_fd, err);
}

bool rootfs_is_root(int root_fd, int fd)
{
	struct statx root, other;

	return statx(root_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &root) == 0 &&
	       statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &other) == 0 &&
	       root.stx_ino == other.stx_ino && root.stx_mnt_id == other.stx_mnt_id;
}

int rootfs_enter(int root_fd, struct error *err)
{
	/* pivot_root(2), NOTES: with both arguments "." the old root ends up on top of the new one,
	 * so that no directory is needed for it. */
	if (fchdir(root_fd) < 0 || sys_pivot_root(".", ".") < 0)
		return error_set(err, errno, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return error_set(err, errno, "detach the host's tree");
	if (chdir("/") < 0)
		return error_set(err, errno, "chdir to the new root");
	return 0;
}

int rootfs_enter_shared(int root_fd, struct error *err)
{
	/* The working directory comes along: outside of the root it would be the way out (chroot(2)). */
	if (fchdir(root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return error_set(err, errno, "chroot into the root file system");
	return 0;
}
