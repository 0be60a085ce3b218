/* listen_fds.h - sockets that a service manager passes through moss to the program: LISTEN_FDS,
 * LISTEN_PID and LISTEN_FDNAMES of sd_listen_fds(3).
 *
 * Side: host. They are fds 3, 4, ... of moss and of the program; --preserve-fds come behind them.
 */
#ifndef MOSS_LISTEN_FDS_H
#define MOSS_LISTEN_FDS_H
#include "base/error.h"
#include "spec/spec.h"

struct listen_fds {
	unsigned count;  /* 0 when none are meant for us: LISTEN_PID is another process's, or absent */
	char    *pid;    /* "LISTEN_PID=" in the environment, with room: see init.h. NULL when count is 0 */
};

/* Find out what was passed, and set the variables in spec->process.env, in the place of config.json's.
 * As with runc, a LISTEN_FDS that is no number passes nothing; here that is noted.
 * Returns 0, or -EBADF for an fd that is not open, -ENOMEM, with @err set. */
int listen_fds_take(struct spec *spec, struct listen_fds *ret_fds, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
