/* helper.h - where the helper programs are. Side: host.
 *
 * What needs a bigger library than the core may link is a program of its own: moss-NAME. */
#ifndef MOSS_HELPER_H
#define MOSS_HELPER_H
#include <stddef.h>

#include "base/error.h"

/* Find the helper program @name ("moss-..."): beside the running binary, so that a build works from its own
 * directory, else in libexecdir/moss, where it is installed. The environment has no say: root trusts none for
 * where its programs are, and whoever could put a file beside the binary could replace the binary.
 *
 * @ret_path: @size bytes; an absolute path.
 * Returns 0 or -errno with @err set (-ENOENT: in neither place). */
int helper_find(const char *name, char *ret_path, size_t size, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
