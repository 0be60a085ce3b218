/* inherited.h - what a container's process gets from the process that clones it, because only that
 * one may do it. Side: host. */
#ifndef MOSS_INHERITED_H
#define MOSS_INHERITED_H
#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

/* Set our own oom_score_adj to the process's, before the clone or in the clone; /proc/self must be
 * ours still. Inside somebody else's user namespace one that can't be had is noted on @sock.
 * Returns 0 or -errno with @err set. */
int inherited_oom_score(const struct spec_process *process, int sock, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same from outside, for @pid, which has entered a user namespace and left the right to lower it behind.
 * Returns 0 or -errno with @err set. */
int inherited_oom_score_of(const struct spec_process *process, pid_t pid, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Raise the hard limits of @pid (0: our own) that are to be higher, which is the host's right; the process
 * sets the exact values itself, late. Returns 0 or -errno with @err set. */
int inherited_rlimits(const struct spec_process *process, pid_t pid, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Give up our supplementary groups, before a clone into a user namespace that is there already: it may deny
 * setgroups(2), and root's groups are not for its processes. Returns 0 or -errno with @err set. */
int inherited_drop_groups(struct error *err) __attribute__((nonnull, warn_unused_result));

/* Give up what root's process would hand on to one in another user's container: the session keyring (an empty
 * one takes its place), and the right to raise limits, which is not for that user's config.json to use.
 * Returns 0 or -errno with @err set. */
int inherited_drop_rights(struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
