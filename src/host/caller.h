/* caller.h - who runs moss, and what that lets it do. Side: host. */
#ifndef MOSS_CALLER_H
#define MOSS_CALLER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct caller {
	bool  privileged;      /* uid 0 with CAP_SYS_ADMIN: makes containers without a user namespace */
	bool  initial_user_ns; /* false: inside somebody else's (rootless podman, another moss) */
	bool  root;            /* both: the machine's root */
	bool  can_raise_limits; /* CAP_SYS_RESOURCE in the initial user namespace */
	uint64_t permitted;    /* capabilities; bit N is number N */
	uid_t user;            /* whose /run/user/UID counts: outside of the user namespace we are in */
};

/* Found out once; never NULL. */
const struct caller *caller_get(void) __attribute__((returns_nonnull));

/* clone3 with CLONE_NEWUSER failed with @code: look for the cause (sysctls, seccomp, limits) and
 * put it, with the remedy, into the hint of @err. Returns -err->code. */
int caller_explain_user_ns(int code, struct error *err) __attribute__((nonnull));

#endif
