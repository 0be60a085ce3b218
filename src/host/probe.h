/* probe.h - is this host ready? One question at a time, each asked by trying it.
 *
 * Side: host. What the error messages look for when something failed, `moss doctor` asks before.
 */
#ifndef MOSS_PROBE_H
#define MOSS_PROBE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum probe_status {
	PROBE_OK,
	PROBE_DEGRADED, /* containers run, with something less */
	PROBE_MISSING,  /* containers of this user can't run, when the probe is needed */
};

struct probe_result {
	enum probe_status status;
	char detail[512]; /* what was found */
	char fix[768];    /* what to do or type; "" when there is nothing to do */
};

struct probe {
	const char *name;   /* "user namespaces" */
	bool        needed; /* without it this user has no containers */
	void (*run)(struct probe_result *result);
};

/* Does this kernel know every system call that moss needs? (Linux 5.14, found out by trying.) */
void probe_kernel(struct probe_result *result) __attribute__((nonnull));

extern const struct probe probes[]; /* ended by a NULL name */

#endif
