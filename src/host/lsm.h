/* lsm.h - labels of security modules: what this host can do. Side: host. */
#ifndef MOSS_HOST_LSM_H
#define MOSS_HOST_LSM_H
#include "base/error.h"
#include "base/lsm.h"
#include "spec/spec.h"

/* The labels of a process, which must be had here: AppArmor or SELinux is there and at work. "unconfined"
 * without AppArmor is what every process is, and gives no label. The texts are the spec's.
 * Returns 0, or -errno with @err set, the field's path being its object. */
int lsm_plan(const struct spec_process *process, struct lsm_labels *ret_labels, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Give linux.mountLabel to the mounts that take it: as runc, neither to bind mounts nor to proc, sysfs and cgroup,
 * nor to one that has a context of its own. Returns 0, or -errno with @err set. */
int lsm_plan_mounts(struct spec *spec, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
