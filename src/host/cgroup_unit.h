/* cgroup_unit.h - moss in a systemd unit whose cgroup is delegated (Delegate=yes).
 *
 * Side: host. The system's manager marks such a cgroup with the extended attribute trusted.delegate, which root can
 * read; a user's manager can't, and is asked by systemctl(1). What is below it is ours to arrange
 * (https://systemd.io/CGROUP_DELEGATION).
 */
#ifndef MOSS_CGROUP_UNIT_H
#define MOSS_CGROUP_UNIT_H
#include <stdbool.h>

/* Root's: is our own cgroup @own (from the root of @hierarchy) one that a unit delegates to us, or directly below such a
 * one (DelegateSubgroup=, .control)? Then *@own is cut to the unit's. Asks nothing where systemd has not started us, by
 * INVOCATION_ID in the environment. */
bool cgroup_unit_find(const char *hierarchy, char *own) __attribute__((nonnull));

/* Is @path, open as @dir_fd, a delegated unit's cgroup that holds nobody but us? */
bool cgroup_unit_is_ours_alone(int dir_fd, const char *path) __attribute__((nonnull));

/* A cgroup with processes in it can hand no controller down. Where @path, open as @dir_fd, is our own, is a
 * delegated unit's, and holds nobody but us, move ourselves into a leaf of it, "supervisor", as DelegateSubgroup= would
 * have done. Takes 5 to 12 ms, in which the kernel waits for RCU.
 * Returns 0; -EBUSY where it is not so; or another -errno. */
int cgroup_unit_leave(int dir_fd, const char *path) __attribute__((nonnull, warn_unused_result));

#endif
