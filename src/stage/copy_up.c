/* copy_up.c - see copy_up.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define DEPTH_MAX 100 /* three fds a level: within the usual limit of 1024 */

struct copy { /* under way */
	struct error *err;
	size_t        depth;
	char          path[PATH_MAX]; /* of what is being copied, for messages */
};

static void close_directory(DIR **directory)
{
	if (*directory != NULL)
		closedir(*directory);
}
#define directory_owned __attribute__((cleanup(close_directory))) DIR

static int copy_failed(struct copy *copy, int code, const char *what)
{
	error_at(copy->err, code, copy->path[0] != '\0' ? copy->path : ".", "tmpcopyup: %s", what);
	switch (code) {
	case ENOSPC:
		return error_hint(copy->err, "the tmpfs is too small for what it covers: raise its size= (or nr_inodes=)");
	case EPERM:
		return error_hint(copy->err, "a user namespace can't make device nodes: leave tmpcopyup out, or take the node out of "
					     "the image");
	case EINVAL:
		return error_hint(copy->err, "an owner that is not mapped into the container can't be kept: moss unshare chown");
	case EACCES:
		return error_hint(copy->err, "the image must be readable to the ids that are mapped into the container: see owner "
					     "and mode (moss unshare chown, chmod)");
	default:
		return -code;
	}
}

/* One attribute. A tmpfs has no place for some of them; what may be set is the kernel's decision. */
static int copy_xattr(int from, int to, const char *name)
{
	ssize_t size = fgetxattr(from, name, NULL, 0);

	if (size < 0)
		return 0;
	mem_owned char *value = malloc((size_t)size + 1);
	if (value == NULL)
		return -ENOMEM;
	size = fgetxattr(from, name, value, (size_t)size);
	if (size < 0 || fsetxattr(to, name, value, (size_t)size, 0) == 0 || errno == EOPNOTSUPP || errno == EPERM)
		return 0;
	return -errno;
}

static int copy_xattrs(int from, int to)
{
	ssize_t size = flistxattr(from, NULL, 0);

	if (size <= 0)
		return 0;
	mem_owned char *names = malloc((size_t)size + 1);
	if (names == NULL)
		return -ENOMEM;
	size = flistxattr(from, names, (size_t)size);
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		int ret = copy_xattr(from, to, name);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* In this order: a change of owner takes set-user-id bits and capabilities away. */
static int copy_attributes(struct copy *copy, int from, int to, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return copy_failed(copy, errno, "keep the owner");
	if (fchmod(to, st->st_mode & 07777) < 0)
		return copy_failed(copy, errno, "keep the mode");
	int ret = copy_xattrs(from, to);
	if (ret < 0)
		return copy_failed(copy, -ret, "keep the extended attributes");
	return futimens(to, times) < 0 ? copy_failed(copy, errno, "keep the times") : 0;
}

/* The data and not the holes, as far as the file reached when it was looked at. */
static int copy_bytes(int from, int to, off_t end)
{
	off_t at = 0;

	if (ftruncate(to, end) < 0)
		return -errno;
	while (at < end) {
		off_t data = lseek(from, at, SEEK_DATA);

		if (data < 0 && errno == ENXIO)
			return 0;
		if (data < 0)
			return -errno;
		off_t hole = lseek(from, data, SEEK_HOLE);
		at = hole < 0 || hole > end ? end : hole;
		if (lseek(to, data, SEEK_SET) < 0)
			return -errno;
		while (data < at) {
			ssize_t count = sendfile(to, from, &data, (size_t)(at - data));

			if (count < 0 && errno != EINTR)
				return -errno;
			if (count == 0) /* shorter by now */
				return 0;
		}
	}
	return 0;
}

static int copy_file(struct copy *copy, int from_dir, int to_dir, const char *name)
{
	struct stat st;
	fd_owned from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (from < 0 || fstat(from, &st) < 0)
		return copy_failed(copy, errno, "open");
	if (!S_ISREG(st.st_mode))
		return copy_failed(copy, ESTALE, "another file by now");
	fd_owned to = openat(to_dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
	int ret = to < 0 ? -errno : copy_bytes(from, to, st.st_size);
	return ret < 0 ? copy_failed(copy, -ret, "copy") : copy_attributes(copy, from, to, &st);
}

/* What has no content: a link, a device, a FIFO, a socket. */
static int copy_node(struct copy *copy, int from_dir, int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	char    target[PATH_MAX];
	ssize_t size;

	if (S_ISLNK(st->st_mode)) {
		size = readlinkat(from_dir, name, target, sizeof(target) - 1);
		if (size < 0)
			return copy_failed(copy, errno, "read the link");
		target[size] = '\0';
		if (symlinkat(target, to_dir, name) < 0)
			return copy_failed(copy, errno, "make the link");
	} else if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0) {
		return copy_failed(copy, errno, "mknod");
	}
	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_failed(copy, errno, "keep the owner");
	if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return copy_failed(copy, errno, "keep the mode");
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? copy_failed(copy, errno, "keep the times") : 0;
}

static int copy_content(struct copy *copy, int from, int to);

static int copy_directory(struct copy *copy, int from_dir, int to_dir, const char *name)
{
	struct stat st;
	fd_owned from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (from < 0 || fstat(from, &st) < 0)
		return copy_failed(copy, errno, "open");
	if (mkdirat(to_dir, name, 0700) < 0)
		return copy_failed(copy, errno, "make");
	fd_owned to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return copy_failed(copy, errno, "open the copy");
	int ret = copy_content(copy, from, to);
	return ret < 0 ? ret : copy_attributes(copy, from, to, &st);
}

static int copy_entry(struct copy *copy, int from_dir, int to_dir, const char *name)
{
	size_t      length = strlen(copy->path);
	struct stat st;
	int         ret;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (length + 1 + strlen(name) >= sizeof(copy->path))
		return copy_failed(copy, ENAMETOOLONG, "what is below");
	strcat(strcat(copy->path, length > 0 ? "/" : ""), name);
	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		ret = copy_failed(copy, errno, "stat");
	else if (S_ISDIR(st.st_mode))
		ret = copy_directory(copy, from_dir, to_dir, name);
	else if (S_ISREG(st.st_mode))
		ret = copy_file(copy, from_dir, to_dir, name);
	else
		ret = copy_node(copy, from_dir, to_dir, name, &st);
	copy->path[length] = '\0';
	return ret;
}

/* The entries of directory @from, which is lent. */
static int copy_content(struct copy *copy, int from, int to)
{
	struct dirent *entry;
	int            ret = 0;

	if (copy->depth >= DEPTH_MAX)
		return copy_failed(copy, ELOOP, "directories are nested too deeply");
	fd_owned again = fcntl(from, F_DUPFD_CLOEXEC, 0);
	directory_owned *directory = again < 0 ? NULL : fdopendir(again);
	if (directory == NULL)
		return copy_failed(copy, errno, "open the directory");
	fd_take(&again); /* the directory's now */
	copy->depth++;
	while (ret == 0 && (errno = 0, entry = readdir(directory)) != NULL)
		ret = copy_entry(copy, from, to, entry->d_name);
	copy->depth--;
	return ret == 0 && errno != 0 ? copy_failed(copy, errno, "read the directory") : ret;
}

int copy_up(int from, int to, bool owner, struct error *err)
{
	struct copy copy = { .err = err };
	struct stat st;
	fd_owned readable = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (readable < 0 || fstat(readable, &st) < 0)
		return copy_failed(&copy, errno, "open");
	if (copy_content(&copy, readable, to) < 0)
		return -err->code;
	if (owner && fchownat(to, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		return copy_failed(&copy, errno, "keep the owner");
	return 0;
}
