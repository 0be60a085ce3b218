/* masks.h - linux.maskedPaths and linux.readonlyPaths.
 *
 * Side: userns. Needs the host's tree: a masked file is covered by the host's /dev/null, checked to
 * be that device (CVE-2025-31133: never the container's own).
 */
#ifndef MOSS_MASKS_H
#define MOSS_MASKS_H
#include "base/error.h"
#include "spec/spec.h"

/* Cover the paths; those that do not exist are passed over.
 * Returns 0 or -errno with @err set. */
int masks_apply(const struct spec *spec, int root_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
