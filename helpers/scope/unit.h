/* unit.h - one scope of systemd's: made, joined, changed, ended. Side: helper. */
#ifndef SCOPE_UNIT_H
#define SCOPE_UNIT_H
#include <sys/types.h>

#include "base/error.h"
#include "bus.h"
#include "properties.h"

struct unit {
	const char *name;        /* "moss-web.scope" */
	const char *slice;       /* "system.slice" */
	const char *description;
	const char *mark;        /* what it is known by again: unit_stop() */
	char      **properties;  /* NAME=VALUE, see properties_add(); properties_count of them */
	int         properties_count;
};

/* Have systemd make the scope with process @pid in it, delegated, and wait until it has done so (10 s at the most).
 * Returns 0 or -errno with @err set; -EEXIST: the name is taken. */
int unit_start(const struct bus *bus, const struct unit *unit, pid_t pid, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Set the properties that these limits are, for as long as it lives. @limits: what this systemd has no property for is dropped.
 * Returns 0 or -errno with @err set. */
int unit_set(const struct bus *bus, const struct unit *unit, struct properties_limits *limits, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Have systemd move process @pid into the cgroup @path ("/container") below the scope's. A user's manager asks the
 * machine's where it may not do so itself.
 * Returns 0 or -errno with @err set; -EBUSY: that holds no processes, because it is divided. */
int unit_attach(const struct bus *bus, const struct unit *unit, const char *path, pid_t pid, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Kill what is in it, end it, forget it, and wait until that is done. One that is gone, or has another mark,
 * which means that it is somebody else's, is success.
 * Returns 0 or -errno with @err set. */
int unit_stop(const struct bus *bus, const struct unit *unit, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
