/* features.h - what this build can do, as `moss features` prints it. Side: any; pure.
 *
 * Source: OCI runtime-spec 1.3, features.md and features-linux.md. A list that is there and empty
 * means "none"; what is left out means "unknown".
 */
#ifndef MOSS_FEATURES_H
#define MOSS_FEATURES_H
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct features_build { /* what the readers of config.json can't know */
	const char *version, *commit, *libseccomp;
	bool        cgroups_by_systemd; /* --systemd-cgroup works */
	bool        checkpoint;         /* there are the commands checkpoint and restore */
	uint32_t    seccomp_flags;      /* those of seccomp(2) that this kernel knows */
	bool      (*seccomp_arch)(uint32_t arch); /* does libseccomp know it (SCMP_ARCH_*)? */
};

/* Nothing in it is written down twice: names come from the tables that read them, and whether a
 * field is honoured is asked by reading a config.json that has it.
 * Returns 0 and an object for json_object_put(), or -ENOMEM with @err set. */
int features_make(const struct features_build *build, struct json_object **ret_features, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
