/* foreground.h - stay with a running container until it ends: signals, terminal, reaping.
 * Side: host. */
#ifndef MOSS_FOREGROUND_H
#define MOSS_FOREGROUND_H
#include "base/error.h"
#include "host/launch.h"

/* Take the terminal, if there is a pty, before the program starts to use it. */
struct foreground;
int foreground_open(struct launched *launched, struct foreground **ret_foreground, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Forward every signal but SIGCHLD and SIGURG to the container (SIGWINCH resizes the pty), reap
 * what is orphaned to us, until the container's process has ended.
 * Returns its status, 128 + N when signal N killed it; or -errno with @err set. */
int foreground_wait(struct foreground *foreground, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Restore the terminal; free. NULL is nothing. */
void foreground_close(struct foreground *foreground);

#endif
