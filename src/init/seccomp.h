/* seccomp.h - the container's system call filter, loaded. Side: container. */
#ifndef MOSS_INIT_SECCOMP_H
#define MOSS_INIT_SECCOMP_H
#include "init/init.h"

/* Load the filter. From here on nothing but what it allows can be done.
 * Returns the listener's fd, O_CLOEXEC, or 0 when there is none; or -errno with @err set. */
int seccomp_apply(const struct init_seccomp *seccomp, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
