/* plan.h - config.json and options turned into what the other side needs.
 *
 * Side: host. The last place that reads the spec on the host side: what is in the plan is const
 * from the clone on.
 */
#ifndef MOSS_PLAN_H
#define MOSS_PLAN_H
#include "base/error.h"
#include "host/cgroup_place.h"
#include "host/intel_rdt.h"
#include "host/join.h"
#include "host/launch.h"
#include "host/netdev.h"
#include "host/seccomp.h"
#include "stage/stage.h"

struct plan {
	struct spec  spec;
	struct join  join;
	struct exe   exe;
	struct netdev_set net_devices;
	struct intel_rdt intel_rdt;
	struct seccomp seccomp;
	struct stage stage;
	int         *mount_trees;     /* of idmapped mounts, see mount_idmap_open(): one for each of the ... */
	size_t       mount_trees_count; /* ... mounts of config.json */
	const char  *bundle, *rootfs; /* absolute */
	char        *config;          /* the bytes of config.json, config_size of them; from malloc(3) */
	size_t       config_size;
	struct cgroup_place cgroup;   /* who makes it, and where */
	bool         no_mknod;        /* plan_without_mknod(), for its later processes, too */
	bool         notify;          /* NOTIFY_SOCKET is proxied (notify.h) */
	struct spec_rlimit files;     /* RLIMIT_NOFILE as the caller had it */
};
void plan_free(struct plan *plan);
#define plan_owned __attribute__((cleanup(plan_free))) struct plan

/* Read, check and work out everything that needs nothing to be made. plan_free() is needed in
 * every case. Returns 0 or -errno with @err set. */
int plan_make(const struct launch_options *options, struct plan *ret_plan, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Raise our soft limit of open files for the clone, when the bind mounts' sources need it: they
 * are all open at once. The container gets plan->files back, or what config.json says. */
void plan_raise_file_limit(const struct plan *plan);

#endif
