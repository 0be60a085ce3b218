/* no_pivot.h - the container's root without pivot_root(2). Side: userns. */
#ifndef MOSS_STAGE_NO_PIVOT_H
#define MOSS_STAGE_NO_PIVOT_H
#include "base/error.h"

/* Make the mount @root_fd, which is at @rootfs, the root of this process, on a machine whose root file system is the
 * initramfs: that one can't be pivoted away (pivot_root(2), NOTES). The mount is moved over it, what else the host
 * has mounted is unmounted or covered, and the process enters the mount.
 * The initramfs stays below it for good: who could unmount the root would see it. That takes CAP_SYS_ADMIN in the
 * user namespace that owns the mounts, which the container must not have.
 * Returns 0 or -errno with @err set. */
int no_pivot_enter(int root_fd, const char *rootfs, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
