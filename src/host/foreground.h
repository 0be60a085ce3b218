/* foreground.h - stay with a running program until it ends: signals, terminal, reaping. `run`, `exec`.
 * Side: host. */
#ifndef MOSS_FOREGROUND_H
#define MOSS_FOREGROUND_H
#include <sys/types.h>

#include "base/error.h"

struct notify; /* host/notify.h */

struct foreground_process {
	pid_t pid;        /* our child */
	int   pidfd;      /* lent */
	int   signal_fd;  /* lent: signals_open() */
	int   console_fd; /* the pty's master, taken over; -1: none */
	struct notify *notify; /* lent: to be kept at work; NULL: none */
};

/* Prepare to stay with it. foreground_close() is needed in every case. Returns 0 or -errno with @err set. */
struct foreground;
int foreground_open(const struct foreground_process *process, struct foreground **ret_foreground, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Forward every signal but SIGCHLD and SIGURG to the program, copy between the caller's terminal and the
 * pty, reap what is orphaned to us, until the program has ended. With a pty, SIGWINCH resizes it,
 * SIGTSTP and SIGCONT stop us and let us go on; a background job is stopped until it is in the foreground.
 * When the caller's terminal goes, or nobody reads stdout any more, the program gets SIGHUP.
 * Returns its status, 128 + N when signal N killed it; or -errno with @err set. */
int foreground_wait(struct foreground *foreground, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Restore the terminal; free. NULL is nothing. */
void foreground_close(struct foreground *foreground);

#endif
