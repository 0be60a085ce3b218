/* plan_process.h - what init needs to know of a process, the container's first or one of `exec`.
 * Side: host. */
#ifndef MOSS_PLAN_PROCESS_H
#define MOSS_PLAN_PROCESS_H
#include "base/error.h"
#include "init/init.h"
#include "spec/spec.h"

/* Fill process, capabilities, env and rlimits of @init from spec->process; memory is spec's arena.
 * Capabilities that are not ours to give are left out, with a note in spec->warnings.
 *
 * @in_user_ns: the process is in a user namespace of the container's, where all can be had.
 * @ret_files:  RLIMIT_NOFILE as it is now: the process gets it back when config.json says nothing.
 * Returns 0 or -errno with @err set. */
int plan_process(struct spec *spec, bool in_user_ns, struct init *init, struct spec_rlimit *ret_files,
		 struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
