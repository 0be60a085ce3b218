/* cgroup.h - the container's own cgroup, version 2.
 *
 * Side: host. moss makes one where it may write below its own cgroup (a user) or below the root of
 * the hierarchy (root), enters it by clone3(CLONE_INTO_CGROUP) and never writes cgroup.procs
 * (moving a process waits 5-12 ms for RCU). Limits and systemd come with the cgroup managers.
 */
#ifndef MOSS_CGROUP_H
#define MOSS_CGROUP_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/mem.h"

/* Where the container's cgroup will be: an absolute directory in the cgroup2 file system, of the
 * arena. *@ret_path is NULL when this host has no cgroup2 file system or ours can't be found.
 *
 * @cgroups_path: linux.cgroupsPath, or NULL. Absolute: below the hierarchy's root; relative: below
 *                /moss (root) or our own cgroup (a user).
 * Returns 0, or -errno with @err set for a path that can't be meant. */
int cgroup_place(const char *cgroups_path, const char *id, struct arena *arena, const char **ret_path,
		 struct error *err) __attribute__((nonnull(2, 3, 4, 5), warn_unused_result));

/* Make it, with its parents, and open it.
 * Returns 0 and the fd in *@ret_fd; -EACCES, -EPERM, -EROFS or -ENOENT (with @err set) when it is not ours to
 * make; -EBUSY when it holds processes or is frozen; or another -errno. */
int cgroup_make(const char *path, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Kill every process in it and below. Returns 0 or -errno; no cgroup there is success. */
int cgroup_kill(const char *path) __attribute__((nonnull));

/* Send @signal to every process in it and below. Returns 0 or -errno. */
int cgroup_signal(const char *path, int signal) __attribute__((nonnull));

/* Wait until its processes have ended (10 s at the most), remove it and what was made below it,
 * and moss's own parent directories that are empty. No cgroup there is success. */
int cgroup_remove(const char *path, struct error *err) __attribute__((nonnull, warn_unused_result));

bool cgroup_is_frozen(const char *path) __attribute__((nonnull));

/* May a command act on this cgroup for a container whose state directory belongs to @owner? Its
 * path is only what state.json says: root must not follow a user's to another's processes. */
bool cgroup_belongs_to(const char *path, uid_t owner) __attribute__((nonnull));

#endif
