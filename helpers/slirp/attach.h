/* attach.h - the container's end: a tap device in its network namespace. Side: helper. */
#ifndef MOSS_SLIRP_ATTACH_H
#define MOSS_SLIRP_ATTACH_H
#include "settings.h"

#define ATTACH_DEVICE "tap0"

/* Make the device, give it its addresses and routes, and set it up; by a child that enters the namespace.
 * Needs: the container's first process is dumpable, or we are root.
 * Returns its fd (non-blocking), or -errno with @err set. */
int attach_tap(const struct settings *settings, int pidfd, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
