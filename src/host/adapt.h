/* adapt.h - a config.json made for root, fitted to a caller that is not: ROOTLESS in docs/.
 *
 * Side: host. Runs between spec_read() and spec_check(), the only place that changes what a spec says.
 * Each change is a text in spec->warnings, so that it is noted in the log and in state.json. What the
 * caller's environment adds comes after it, through adapt_env() (listen_fds.h, notify.h).
 */
#ifndef MOSS_ADAPT_H
#define MOSS_ADAPT_H
#include "base/error.h"
#include "spec/spec.h"

/* Add the user namespace and the mappings that are missing; replace what the kernel does not allow
 * in a user namespace by what is as safe; refuse what has no replacement, before anything is made.
 * Does nothing for the machine's root without a user namespace in config.json.
 * Returns 0 or -errno with @err set. */
int adapt_spec(struct spec *spec, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The part that is about the process's resource limits, for one of `exec`. */
int adapt_rlimits(struct spec *spec, struct error *err) __attribute__((nonnull, warn_unused_result));

/* One more text in spec->warnings. Returns 0, or -ENOMEM with @err set. */
int adapt_note(struct spec *spec, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull));

/* Set a variable in spec->process.env: "NAME=value", of the spec's arena, takes the place of those
 * with the same name, or is added. Returns 0, or -ENOMEM with @err set. */
int adapt_env(struct spec *spec, const char *text, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Let every group use ping sockets in the container's network namespace, unless config.json says who; adapt_spec() keeps
 * to the groups that are mapped. Returns 0, or -ENOMEM with @err set. */
int adapt_allow_ping(struct spec *spec, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
