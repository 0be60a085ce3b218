/* bundle.h - config.json, read and held against this host and this user.
 *
 * Side: host. Makes nothing: whatever can be refused is refused here.
 */
#ifndef MOSS_BUNDLE_H
#define MOSS_BUNDLE_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/launch.h"
#include "spec/spec.h"

/* Read and check the bundle's configuration; spec_free() is needed in every case.
 * What can't be had but may be left out (options->degrade) becomes a text in spec->warnings.
 * Returns the size of config.json and in *@ret_bytes its bytes, which the caller frees; or -errno
 * with @err set. */
ssize_t bundle_read(const struct launch_options *options, struct spec *ret_spec, char **ret_bytes, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Is there who can take the terminal, and does nobody wait for one that will not come?
 * @detach: the caller does not stay. @console_socket: or NULL. */
int bundle_check_terminal(bool terminal, bool detach, const char *console_socket, struct error *err)
	__attribute__((nonnull(4), warn_unused_result));

#endif
