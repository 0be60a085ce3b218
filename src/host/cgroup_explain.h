/* cgroup_explain.h - why a limit can't be enforced. Only for cgroup_limits.c. Side: host. */
#ifndef MOSS_CGROUP_EXPLAIN_H
#define MOSS_CGROUP_EXPLAIN_H
#include <stdbool.h>
#include <stddef.h>

#include "host/cgroup_limits.h"

#define CONTROLLER_MAX 64

/* Is @word among the words of @text, which blanks and line ends separate? */
bool cgroup_has_word(const char *text, const char *word) __attribute__((nonnull, pure));

/* Hand the controllers @wanted (words) down from the root of the hierarchy to the cgroup @path, where they
 * are there and are not handed down yet. Returns 0; or -errno, and in @ret_above the cgroup where it failed. */
int cgroup_hand_down(const char *path, const char *wanted, char *ret_above, size_t size) __attribute__((nonnull));

/* Set @err for a limit that has no file to be written into. Returns -errno. */
int cgroup_explain(const struct cgroup_target *target, const struct spec_limit *limit, const char *controller,
		   struct error *err) __attribute__((nonnull));

#endif
