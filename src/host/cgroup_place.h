/* cgroup_place.h - who makes a container's cgroup, and where. Side: host. */
#ifndef MOSS_CGROUP_PLACE_H
#define MOSS_CGROUP_PLACE_H
#include <stdbool.h>

#include "base/error.h"
#include "host/scope.h"
#include "spec/spec.h"

enum cgroup_manager { /* who makes a container's cgroup: --cgroup-manager, --systemd-cgroup */
	CGROUP_MANAGER_ANY, /* not said: see cgroup_place() */
	CGROUP_MANAGER_FS,
	CGROUP_MANAGER_SYSTEMD,
	CGROUP_MANAGER_DISABLED,
};

struct cgroup_place { /* texts of the arena */
	const char *path;  /* a path from the root of the hierarchy, as /proc/PID/cgroup has it; NULL: none that moss makes itself */
	struct scope_name scope; /* with a unit: systemd makes it; then @path is NULL */
	bool scope_is_asked; /* by an option or by the name; else limits are, that can't be had otherwise */
};

/* Where the container's cgroup will be. There is none when this host has no cgroup2 file system or ours can't be found.
 *
 * spec->cgroups_path: absolute: below the hierarchy's root; relative: below /moss (root; in a delegated unit, below the
 * unit's) or our own cgroup (a user; with limits, where ours is a leaf in a delegated unit: below the unit's, which can hand
 * controllers down); NULL: there, named after @id. "slice:prefix:name" is a scope of systemd's; so is any with
 * CGROUP_MANAGER_SYSTEMD, and a user's with limits and no path, where our own cgroup can't hand controllers down and
 * there is a bus.
 * Returns 0, or -errno with @err set for a path that can't be meant. */
int cgroup_place(struct spec *spec, const char *id, enum cgroup_manager manager, struct cgroup_place *ret_place, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
