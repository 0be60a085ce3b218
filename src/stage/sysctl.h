/* sysctl.h - values of the container's namespaces. Side: userns. */
#ifndef MOSS_STAGE_SYSCTL_H
#define MOSS_STAGE_SYSCTL_H
#include "base/error.h"
#include "spec/spec.h"

/* Write all of linux.sysctl but the names, which have system calls, in the order of config.json.
 * Needs the namespaces, and the id that is root in the user namespace that owns them.
 * Returns 0 or -errno with @err set. */
int sysctl_apply(const struct spec *spec, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
