/* clocks.h - the container's time namespace. Side: userns. */
#ifndef MOSS_STAGE_CLOCKS_H
#define MOSS_STAGE_CLOCKS_H
#include <stdbool.h>

#include "base/error.h"
#include "spec/spec.h"

/* Make a time namespace, set its clocks as linux.timeOffsets says, and enter it.
 * @foreign_tree: /proc is another container's, and may be anything.
 * Needs CAP_SYS_ADMIN and CAP_SYS_TIME in the user namespace; with offsets, a process that may
 * write its own /proc files: a dumpable one, or root's.
 * Returns 0 or -errno with @err set. */
int clocks_enter(const struct spec *spec, bool foreign_tree, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
