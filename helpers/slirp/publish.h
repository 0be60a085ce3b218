/* publish.h - ports of the host that lead into the container. Side: helper. */
#ifndef MOSS_SLIRP_PUBLISH_H
#define MOSS_SLIRP_PUBLISH_H
#include <slirp/libslirp.h>

#include "settings.h"

/* Bind all of them. Returns 0, or -errno with @err set, which names the address and, where it can be found, who has it. */
int publish_ports(Slirp *slirp, const struct settings *settings, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
