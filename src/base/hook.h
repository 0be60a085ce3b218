/* hook.h - programs that are run one after the other, each told the same on its stdin. Side: any.
 *
 * Allocates nothing, so that it works after clone(2) and inside the container. A hook gets stdin,
 * stdout, stderr and no other fd, a session of its own, every signal at its default, the environment
 * that is given and nothing else. It is over when its process has ended: what it left running in the
 * background, holding its stderr, is not waited for.
 */
#ifndef MOSS_HOOK_H
#define MOSS_HOOK_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct hook {
	const char  *path;      /* absolute */
	char *const *args;      /* ended by NULL, the first one is its name; NULL: the path alone */
	char *const *env;       /* ended by NULL; NULL: an empty one */
	unsigned     timeout_s; /* 0: none */
};

struct hook_run { /* how a list of them is run */
	const char *kind;      /* for messages: "prestart" */
	const char *const *input; /* texts, ended by NULL: one behind the other they are its stdin */
	const char *directory; /* its working directory, "/" where that is gone; NULL: ours */
	int  output[2];        /* where stdout and stderr go, lent; -1: the end of it is kept, for the error */
	bool dies_with_us;     /* when we end, it is killed */
	/* While a hook runs @watch_fd (-1: none) is polled, and when something is to be read, or its other end is gone, this
	 * function says whether the hook is to be killed: then it returns -errno with @err set. */
	int watch_fd;
	int (*watch)(int watch_fd, struct error *err);
};

/* Run hook @index of @hooks and wait for its end. One that is killed, by its timeout or by run->watch(), is
 * killed with its process group.
 * Returns 0 when its exit status is 0; else -errno with @err set: the object is "KIND[INDEX]: PATH", the
 * cause how it failed and the end of what it wrote to stderr (to stdout, when that is nothing), made
 * printable. */
int hook_run(const struct hook *hooks, size_t index, const struct hook_run *run, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* All of them, up to the first that fails. */
int hook_run_all(const struct hook *hooks, size_t count, const struct hook_run *run, struct error *err)
	__attribute__((nonnull(3, 4), warn_unused_result));

#endif
