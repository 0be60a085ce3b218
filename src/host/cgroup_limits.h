/* cgroup_limits.h - limits into the files of the container's cgroup.
 *
 * Side: host. A limit that does not hold is worse than an error: whatever the kernel does not take is
 * one, and says which setting it was, where the controller stops being handed down, and the remedy.
 */
#ifndef MOSS_CGROUP_LIMITS_H
#define MOSS_CGROUP_LIMITS_H
#include <stddef.h>

#include "base/error.h"
#include "spec/spec.h"

struct cgroup_target { /* whose limits they are */
	int         fd;    /* -1: there is no cgroup of the container's own */
	const char *path;  /* of it, from the root of the hierarchy; NULL without one */
	const struct error *reason; /* why there is none; NULL with one */
};

/* Hand the controllers that the limits need down to the cgroup, where they are missing: by one write in
 * each cgroup above that does not do so yet. To be called while the cgroup is empty: with processes in it
 * the kernel waits for RCU. What fails shows in cgroup_limit_check(). */
void cgroup_limits_enable(const struct cgroup_target *target, const struct spec_limit *limits, size_t count)
	__attribute__((nonnull(1)));

/* Is there a file to write it into? Returns 1; 0: there is none, but the limit is met without; or
 * -errno with @err set. */
int cgroup_limit_check(const struct cgroup_target *target, const struct spec_limit *limit, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Write it. Returns 0 or -errno with @err set. */
int cgroup_limit_set(const struct cgroup_target *target, const struct spec_limit *limit, struct error *err)
	__attribute__((nonnull, warn_unused_result));

struct cgroup_replaced { /* what was there before */
	const struct spec_limit *limits; /* lent */
	char **old;   /* of each; NULL: it could not be told */
	size_t count;
};

/* Write all of them into the cgroup of a running container, or none: after a failure the old values are
 * back. On success they are in *@ret_replaced, which is to be freed in every case.
 * Returns 0 or -errno with @err set. */
int cgroup_limits_replace(const struct cgroup_target *target, const struct spec_limit *limits, size_t count,
			  struct cgroup_replaced *ret_replaced, struct error *err)
	__attribute__((nonnull(1, 4, 5), warn_unused_result));

/* After all not: write the old values. For what it is worth. */
void cgroup_limits_put_back(const struct cgroup_target *target, const struct cgroup_replaced *replaced) __attribute__((nonnull));
void cgroup_replaced_free(struct cgroup_replaced *replaced) __attribute__((nonnull));

/* How many processes of the cgroup the kernel has killed for want of memory; 0 where it does not say. */
unsigned long cgroup_oom_kills(int cgroup_fd);

#endif
