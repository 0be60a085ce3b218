/* io.h - whole files, read and written. Side: any. */
#ifndef MOSS_IO_H
#define MOSS_IO_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Read the whole of @path below @dir_fd (AT_FDCWD: as open(2) does). A final symbolic link is
 * followed only when @dir_fd is AT_FDCWD.
 * Returns the size and in *@ret_bytes the contents and a NUL, which the caller frees; or -errno
 * with @err set: -E2BIG when it is larger than @max, -EISDIR when it is no file that can be read. */
ssize_t io_read_file(int dir_fd, const char *path, size_t max, char **ret_bytes, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read at most @size - 1 bytes of a small file (of /proc, /sys) into @text and end it with NUL.
 * Allocates nothing. Returns the number of bytes, or -errno. */
ssize_t io_read_small(int dir_fd, const char *path, char *text, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* Does the small file at this absolute path start with @text? A file that can't be read does not. */
bool io_file_starts(const char *path, const char *text) __attribute__((nonnull));

/* Write all of it. Returns 0 or -errno. */
int io_write_all(int fd, const void *bytes, size_t size) __attribute__((nonnull, warn_unused_result));

/* Write @text with one write(2) into an existing file (of /proc, /sys). Returns 0 or -errno. */
int io_write_small(int dir_fd, const char *path, const char *text)
	__attribute__((nonnull, warn_unused_result));

/* io_replace_file() in two halves, for work that can be done ahead, and for one writer at a time: write the temporary file, which
 * is ".NAME.new" and takes the place of one that a killed writer left; put it in its place. Without the second half it is to be
 * removed: io_replace_forget(). What root replaces belongs to the directory's owner. */
int io_replace_prepare(int dir_fd, const char *name, const char *bytes, size_t size, mode_t mode,
		       struct error *err) __attribute__((nonnull, warn_unused_result));
int io_replace_commit(int dir_fd, const char *name, struct error *err)
	__attribute__((nonnull, warn_unused_result));
void io_replace_forget(int dir_fd, const char *name) __attribute__((nonnull));

/* Open the directory that @path lies in, as O_PATH; *@ret_name is the last component, inside @path.
 * Returns the fd or -errno. */
int io_open_parent(const char *path, const char **ret_name) __attribute__((nonnull, warn_unused_result));

/* Remove @name in @dir_fd, a directory with everything below it. No link is followed; what lies deeper
 * than 32 levels stays. Returns 0, also when it is not there, or -errno. */
int io_remove_tree(int dir_fd, const char *name) __attribute__((nonnull));

/* Replace @name in @dir_fd by a file with these bytes: a temporary file beside it (".NAME.PID"),
 * then rename(2), so that a reader sees the old or the new one, whole. Nothing stays on failure.
 * Where there is no @name yet, the new file has no other one before, if the file system can do that.
 * Returns 0 or -errno with @err set. */
int io_replace_file(int dir_fd, const char *name, const char *bytes, size_t size, mode_t mode,
		    struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
