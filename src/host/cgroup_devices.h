/* cgroup_devices.h - linux.resources.devices as an eBPF program on the container's cgroup.
 *
 * Side: host. Needs CAP_BPF or CAP_SYS_ADMIN in the initial user namespace; a normal user gets
 * EPERM, and the caller decides what that means.
 */
#ifndef MOSS_CGROUP_DEVICES_H
#define MOSS_CGROUP_DEVICES_H
#include "base/error.h"
#include "spec/spec.h"

/* Load and attach it: the default devices are always allowed; of the rules the later one counts
 * first; what no rule names is denied. A node of linux.devices grants nothing by itself (GHSA-g54h-m393-cpwq).
 * Returns 0; -EPERM, -EACCES or -ENOSYS when eBPF is not for us; or another -errno; @err is set. */
int cgroup_devices_apply(int cgroup_fd, const struct spec *spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same for a cgroup that may have a program: in one step it gets this one in its place. */
int cgroup_devices_replace(int cgroup_fd, const struct spec *spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Do the rules say no more than "deny everything" (or nothing at all)? If not, *@ret_rule is the
 * index of the first that does. */
bool cgroup_devices_are_default(const struct spec *spec, size_t *ret_rule) __attribute__((nonnull));

#endif
