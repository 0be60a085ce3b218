/* mounts.h - config.json's mounts, each made detached and then put in its place by fd.
 *
 * Side: userns. Needs the host's tree (for bind sources) and CAP_SYS_ADMIN in the user namespace
 * that owns the mount namespace.
 */
#ifndef MOSS_MOUNTS_H
#define MOSS_MOUNTS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/spec.h"

/* Clone the sources of bind mounts, while this process still has the ids of the caller: a
 * directory on the way may be closed to the container's root.
 * @shared: only those that stay peers of the host's mounts (the option shared below a shared root),
 * which must be cloned before this mount namespace is cut off; or only the others.
 * @sources: spec->mounts_count fds, -1 where there is none yet; owned by the caller, also on
 * failure. Returns 0 or -errno with @err set. */
int mounts_open_sources(const struct spec *spec, const char *bundle, bool shared, int *sources, struct error *err)
	__attribute__((nonnull, warn_unused_result));

struct mounts_file {
	uint32_t device_major, device_minor;
	uint64_t inode;
};

struct mounts_root { /* where mounts are made; all but fd is for mounts_apply(), 0 at first */
	int      fd;                     /* the container's root, O_PATH */
	bool     known;                  /* then these are so: */
	bool     in_procfs;
	uint64_t mount_id;
	struct mounts_file file;
	bool     proc_known;             /* then /proc in it is: */
	struct mounts_file proc;
};

/* Make mount number @index. A mount on the root itself replaces root->fd.
 * @tree: what mounts_open_sources() gave for it; afterwards the attached mount if mounts_propagate() needs
 * it, else -1. Owned by the caller, also on failure. */
int mounts_apply(const struct spec *spec, size_t index, struct mounts_root *root, int *tree, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Give the root, which is "/" by now, and the mounts @trees their propagation. The last of all: pivot_root(2)
 * refuses a shared root, and what is unbindable can't be cloned for read-only paths. */
int mounts_propagate(const struct spec *spec, const int *trees, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Put a detached mount on top of @target_fd. Returns 0 or -errno with errno set. */
int mounts_move(int tree_fd, int target_fd);

#endif
