/* helper.h - the helper programs: where they are, how they are started, what they answer. Side: host.
 *
 * What needs a bigger library than the core may link is a program of its own: moss-NAME. */
#ifndef MOSS_HELPER_H
#define MOSS_HELPER_H
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Find the helper program @name ("moss-..."): beside the running binary, so that a build works from its own
 * directory, else in libexecdir/moss, where it is installed. The environment has no say: root trusts none for
 * where its programs are, and whoever could put a file beside the binary could replace the binary.
 *
 * @ret_path: @size bytes; an absolute path.
 * Returns 0 or -errno with @err set (-ENOENT: in neither place). */
int helper_find(const char *name, char *ret_path, size_t size, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The running binary is @path, as /proc/self/exe said before it was sealed (base/exe.h): from then on that tells nothing. Where
 * helper_find() is called before a container's process is made, it looks itself. */
void helper_know_own(const char *path) __attribute__((nonnull));

struct helper_fd { /* an fd that the program gets */
	int from; /* ours, lent; -1: /dev/null. Above every @as */
	int as;
};

/* Start the program @path with these words, this environment (both end with NULL) and @count @fds; no signal is blocked in
 * it. What else of ours is not close-on-exec it has, too, and closes itself.
 * Returns 0 with our child's pid, or -errno with @err set. */
int helper_start(char *const *words, char *const *environment, const struct helper_fd *fds, size_t count, const char *path,
		 pid_t *ret_pid, struct error *err) __attribute__((nonnull, warn_unused_result));

struct helper_wait {
	const char *name; /* the program's, for messages */
	int         sock; /* base/sync.h */
	int         timeout_ms;
	int         signal_fd; /* of signals_open(): a signal that ends moss ends the waiting; -1: it waits */
	pid_t       asleep;    /* whose signals end it as well: it has blocked them, and sleeps; 0: nobody */
	int (*note)(void *context, const char *text, struct error *err); /* gets what the program notes; may be NULL */
	void       *context;
};

/* Wait for READY. Returns 0; the program's own error; or -errno with @err set: @note's, -EINTR for a signal, -ETIMEDOUT,
 * -EINVAL where the program ended without an answer (never -EPIPE, which is the container's process's end). */
int helper_wait(const struct helper_wait *wait, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The error for that. Returns -EINVAL. */
int helper_ended(const char *name, struct error *err) __attribute__((nonnull));

#endif
