/* rootfs.h - the container's tree, entered by fd only.
 *
 * Side: userns. Nothing here resolves a path string outside openat2(RESOLVE_IN_ROOT): the image is
 * the container's, its symbolic links lead wherever its maker liked.
 */
#ifndef MOSS_ROOTFS_H
#define MOSS_ROOTFS_H
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Make @path a mount of its own in this mount namespace, with what is mounted below it.
 * Returns 0 and the root's O_PATH fd in *@ret_fd; or -errno with @err set. */
int rootfs_open(const char *path, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same where the mount namespace is not the container's alone: the directory as it is, nothing is mounted. No link
 * of procfs is followed: in a namespace that was joined the way there is another container's.
 * Returns 0 and its O_PATH fd in *@ret_fd; or -errno with @err set. */
int rootfs_open_shared(const char *path, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Open @path inside the root as O_PATH, following the image's links within the root.
 * @resolve: further RESOLVE_* flags. Returns the fd, or -errno (-ENOENT: not there). */
int rootfs_find(int root_fd, const char *path, unsigned resolve)
	__attribute__((nonnull, warn_unused_result));

/* The same, but what is missing is made: directories with mode 0755, and at the end a directory
 * or an empty file. Returns 0 and an O_PATH fd in *@ret_fd, or -errno with @err set. */
int rootfs_make(int root_fd, const char *path, mode_t type, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same for the directory that @path lies in, always a directory; its last component goes to @name, and is
 * neither "." nor "..". */
int rootfs_make_parent(int root_fd, const char *path, char name[NAME_MAX + 1], int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Is @fd the root itself? */
bool rootfs_is_root(int root_fd, int fd);

/* Make this process's root the container's and drop the host's tree. */
int rootfs_enter(int root_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Make this process's root the container's by chroot(2), in a tree that is shared with others. */
int rootfs_enter_shared(int root_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
