/* io.c - see io.h. Side: any. */
#define _GNU_SOURCE
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"

_Static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64: stat(2) fails for what 32 bits can't count");
_Static_assert(sizeof(time_t) == 8, "build with -D_TIME_BITS=64: stat(2) fails for times after 2038");

ssize_t io_read_file(int dir_fd, const char *path, size_t max, char **ret_bytes, struct error *err)
{
	/* O_NONBLOCK: a FIFO in the place of the file must not hang us. */
	fd_owned fd = openat(dir_fd, path,
			     O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (dir_fd == AT_FDCWD ? 0 : O_NOFOLLOW));
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_at(err, errno, path, "open");
	if (S_ISDIR(st.st_mode))
		return error_at(err, EISDIR, path, "read");
	size_t room = (S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 4096) + 1, size = 0;
	if (room > max + 1)
		room = max + 1;
	mem_owned char *bytes = malloc(room + 1);
	while (bytes != NULL) {
		ssize_t count = read(fd, bytes + size, room - size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_at(err, errno, path, "read");
		size += (size_t)count;
		if (size > max) {
			error_at(err, 0, path, "more than %zu bytes", max);
			err->code = E2BIG; /* whose words are about something else */
			return -E2BIG;
		}
		if (count == 0)
			break;
		if (size == room) {
			room = room * 2 > max + 1 ? max + 1 : room * 2;
			char *more = realloc(bytes, room + 1);
			if (more == NULL)
				return error_at(err, ENOMEM, path, "read");
			bytes = more;
		}
	}
	if (bytes == NULL)
		return error_at(err, ENOMEM, path, "read");
	bytes[size] = '\0';
	*ret_bytes = bytes;
	bytes = NULL;
	return (ssize_t)size;
}

ssize_t io_read_small(int dir_fd, const char *path, char *text, size_t size)
{
	fd_owned fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	size_t used = 0;

	if (fd < 0)
		return -errno;
	while (used < size - 1) {
		ssize_t count = read(fd, text + used, size - 1 - used);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0)
			break;
		used += (size_t)count;
	}
	text[used] = '\0';
	return (ssize_t)used;
}

bool io_file_starts(const char *path, const char *text)
{
	char found[256];

	return io_read_small(AT_FDCWD, path, found, sizeof(found)) >= 0 && strncmp(found, text, strlen(text)) == 0;
}

int io_write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t count = write(fd, at, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		at += count;
		size -= (size_t)count;
	}
	return 0;
}

int io_write_small(int dir_fd, const char *path, const char *text)
{
	fd_owned fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	size_t   size = strlen(text);

	if (fd < 0)
		return -errno;
	ssize_t count = write(fd, text, size);
	if (count < 0)
		return -errno;
	return (size_t)count == size ? 0 : -EIO;
}

int io_open_parent(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	*ret_name = slash ? slash + 1 : path;
	if (snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".") >=
	    (int)sizeof(directory))
		return -ENAMETOOLONG;
	int fd = open(directory[0] ? directory : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

#define TREE_DEPTH_MAX 32 /* each level is an open directory */

static int remove_tree(int dir_fd, const char *name, unsigned depth)
{
	struct dirent *entry;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	int  fd = depth < TREE_DEPTH_MAX ? openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL)
		fd_close(&fd);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_tree(fd, entry->d_name, depth + 1);
	if (dir != NULL)
		closedir(dir);
	return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int io_remove_tree(int dir_fd, const char *name)
{
	return remove_tree(dir_fd, name, 0);
}

#define TEMPORARY_MAX 300

/* The name of whoever has the place to himself: what he leaves when he is killed is the next one's to replace. */
static void prepared_name(const char *name, char temporary[TEMPORARY_MAX])
{
	snprintf(temporary, TEMPORARY_MAX, ".%.240s.new", name);
}

static int open_new(int dir_fd, const char *name, mode_t mode)
{
	return openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

/* What root writes into a user's directory is for that user to go on with. */
static int give_to_owner(int fd, int dir_fd)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	return st.st_uid == geteuid() || geteuid() != 0 || fchown(fd, st.st_uid, st.st_gid) == 0 ? 0 : -errno;
}

static int write_temporary(int dir_fd, const char *temporary, const char *bytes, size_t size, mode_t mode)
{
	fd_owned fd = open_new(dir_fd, temporary, mode);

	if (fd < 0 && errno == EEXIST && unlinkat(dir_fd, temporary, 0) == 0) /* of a process that was killed */
		fd = open_new(dir_fd, temporary, mode);
	if (fd < 0)
		return -errno;
	int ret = give_to_owner(fd, dir_fd);
	if (ret == 0)
		ret = io_write_all(fd, bytes, size);
	if (ret < 0)
		unlinkat(dir_fd, temporary, 0);
	return ret;
}

static int rename_temporary(int dir_fd, const char *temporary, const char *name)
{
	if (renameat(dir_fd, temporary, dir_fd, name) == 0)
		return 0;
	int ret = -errno;
	unlinkat(dir_fd, temporary, 0);
	return ret;
}

int io_replace_prepare(int dir_fd, const char *name, const char *bytes, size_t size, mode_t mode,
		       struct error *err)
{
	char temporary[TEMPORARY_MAX];

	prepared_name(name, temporary);
	int ret = write_temporary(dir_fd, temporary, bytes, size, mode);
	return ret < 0 ? error_at(err, -ret, name, "write") : 0;
}

int io_replace_commit(int dir_fd, const char *name, struct error *err)
{
	char temporary[TEMPORARY_MAX];

	prepared_name(name, temporary);
	int ret = rename_temporary(dir_fd, temporary, name);
	return ret < 0 ? error_at(err, -ret, name, "write") : 0;
}

void io_replace_forget(int dir_fd, const char *name)
{
	char temporary[TEMPORARY_MAX];

	prepared_name(name, temporary);
	unlinkat(dir_fd, temporary, 0);
}

/* A file that gets its name when it is whole: killed before, we leave nothing. -EEXIST: there is one;
 * other errors: not every file system has such files. */
static int create_whole(int dir_fd, const char *name, const char *bytes, size_t size, mode_t mode)
{
	char path[48];

	fd_owned fd = openat(dir_fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	int ret = io_write_all(fd, bytes, size);
	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dir_fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int io_replace_file(int dir_fd, const char *name, const char *bytes, size_t size, mode_t mode,
		    struct error *err)
{
	char temporary[TEMPORARY_MAX];

	if (create_whole(dir_fd, name, bytes, size, mode) == 0)
		return 0;
	snprintf(temporary, TEMPORARY_MAX, ".%.240s.%d", name, (int)getpid());
	int ret = write_temporary(dir_fd, temporary, bytes, size, mode);
	if (ret == 0)
		ret = rename_temporary(dir_fd, temporary, name);
	return ret < 0 ? error_at(err, -ret, name, "write") : 0;
}
