/* filesystem.h - mounts of a new file system: its options, and its own words when it refuses them.
 *
 * Side: userns. Needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace.
 */
#ifndef MOSS_FILESYSTEM_H
#define MOSS_FILESYSTEM_H
#include <stdbool.h>

#include "base/error.h"
#include "spec/spec.h"

/* Is there something that fsconfig(2) can't carry, a text above 255 bytes or a flag that only
 * mount(2) has? Then filesystem_attach() is for it. */
bool filesystem_needs_mount(const struct spec_mount *mount) __attribute__((nonnull));

/* Make it as a detached mount. @target: where it will go, an O_PATH fd; lent. With tmpcopyup the
 * content of @target is copied into it.
 * Returns 0 and the mount in *@ret_fd, or -errno with @err set. */
int filesystem_make(const struct spec_mount *mount, int target, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Make @what with mount(2), right on @target. All options together, and the source, may have 4095 bytes.
 * Returns 0 or -errno with @err set. */
int filesystem_attach(const struct spec_mount *what, int target, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
