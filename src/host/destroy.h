/* destroy.h - end a container's processes and remove what moss made for it. Side: host. */
#ifndef MOSS_DESTROY_H
#define MOSS_DESTROY_H
#include <stdbool.h>

#include "base/error.h"
#include "host/state.h"

/* KILL everything in the container and wait until its first process has ended (10 s at the most).
 * @pidfd: that process, or -1 when it has ended already: what it left behind in its cgroup is
 *         killed all the same.
 * Returns 0 or -errno with @err set. */
int destroy_kill(const struct state *state, int dir_fd, int pidfd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Remove the cgroup and the groups of resctrl of a container whose processes have ended, run its poststop hooks, remove the
 * state directory. */
int destroy_remove(struct state_root *root, const struct state *state, int dir_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
