/* signals.h - signals as something to read, so that no handler runs in the middle of a step.
 * Side: host. */
#ifndef MOSS_SIGNALS_H
#define MOSS_SIGNALS_H
#include "base/error.h"

/* Block every signal but those of errors and of job control (SIGTTIN, SIGTTOU), and open a signalfd for them in *@ret_fd; the process
 * that the container starts from unblocks them again. Returns 0 or -errno with @err set. */
int signals_open(int *ret_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The next signal, without waiting; 0 when there is none. */
int signals_next(int fd);

/* Is this one of those that end moss while it makes a container (HUP, INT, QUIT, TERM)? */
_Bool signals_interrupts(int number);

/* Has one of them come? The others are dropped.
 * Returns 0; or -EINTR with @err set, err->exit_status being 128 + N for signal N. */
int signals_interrupted(int fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Does one of them wait for process @pid, which has blocked it? It stays for that process to read.
 * Returns 0, also where it can't be told; or -EINTR as above. */
int signals_interrupted_of(int pid, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
