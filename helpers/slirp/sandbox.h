/* sandbox.h - the walls around libslirp.
 *
 * Side: helper. libslirp reads what the container sends, byte for byte, and has been broken by that before. So it runs in
 * a user, mount, pid and ipc namespace of its own, in an empty root, without a capability, with few system calls.
 */
#ifndef MOSS_SLIRP_SANDBOX_H
#define MOSS_SLIRP_SANDBOX_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct sandbox {
	bool  may_bind; /* sockets are bound to an outbound address */
	unsigned ports; /* files that are open for published ports: so many more may be */
	uid_t uid;      /* whose it is, as seen from outside: set by sandbox_clone() */
	gid_t gid;
};

/* Root: be nobody from now on. Then clone a process in new namespaces; its memory is a copy of ours.
 * Returns its pid (0 in it) and a pidfd in *@ret_pidfd; or -errno with @err set. */
pid_t sandbox_clone(struct sandbox *sandbox, int *ret_pidfd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* In it: close the walls. Returns 0 or -errno with @err set. */
int sandbox_enter(const struct sandbox *sandbox, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
