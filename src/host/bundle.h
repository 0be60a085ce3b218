/* bundle.h - config.json, read and held against this host and this user.
 *
 * Side: host. Makes nothing: whatever can be refused is refused here.
 */
#ifndef MOSS_BUNDLE_H
#define MOSS_BUNDLE_H
#include <stdbool.h>

#include "base/error.h"
#include "host/launch.h"
#include "spec/spec.h"

/* Read and check the bundle's configuration; spec_free() is needed in every case.
 * What can't be had but may be left out (options->degrade) becomes a text in spec->warnings. */
int bundle_read(const struct launch_options *options, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
