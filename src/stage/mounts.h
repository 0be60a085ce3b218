/* mounts.h - config.json's mounts, each made detached and then put in its place by fd.
 *
 * Side: userns. Needs the host's tree (for bind sources) and CAP_SYS_ADMIN in the user namespace
 * that owns the mount namespace.
 */
#ifndef MOSS_MOUNTS_H
#define MOSS_MOUNTS_H
#include "base/error.h"
#include "spec/spec.h"

/* Clone the sources of all bind mounts, while this process still has the ids of the caller: a
 * directory on the way may be closed to the container's root.
 * @sources: spec->mounts_count fds; -1 where the mount is no bind. Owned by the caller, also on
 * failure. Returns 0 or -errno with @err set. */
int mounts_open_sources(const struct spec *spec, const char *bundle, int *sources, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Make mount number @index. @source: what mounts_open_sources() gave for it; lent. */
int mounts_apply(const struct spec *spec, size_t index, int root_fd, int source, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Put a detached mount on top of @target_fd. Returns 0 or -errno with errno set. */
int mounts_move(int tree_fd, int target_fd);

#endif
