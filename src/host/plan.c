/* plan.c - see plan.h. Side: host. */
#define _GNU_SOURCE
#include "host/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "host/adapt.h"
#include "host/bundle.h"
#include "host/caller.h"
#include "host/cgroup_devices.h"
#include "host/idmap.h"
#include "host/listen_fds.h"
#include "host/lsm.h"
#include "host/mount_idmap.h"
#include "host/network.h"
#include "host/notify.h"
#include "host/plan_namespaces.h"
#include "host/plan_process.h"

void plan_free(struct plan *plan)
{
	join_close(&plan->join);
	netdev_close(&plan->net_devices);
	intel_rdt_close(&plan->intel_rdt);
	seccomp_close(&plan->seccomp);
	mount_idmap_close(plan->mount_trees, plan->mount_trees_count);
	free(plan->config);
	spec_free(&plan->spec);
}

/* An absolute path without links, so that state.json and hooks mean the same place for ever. */
static int find_bundle(struct plan *plan, const char *bundle, struct error *err)
{
	char *path = realpath(bundle, NULL);

	if (path == NULL) {
		int code = errno;

		error_at(err, code, bundle, "open the bundle");
		return code == ENOENT ? error_hint(err, "--bundle names the directory of config.json") : -code;
	}
	plan->bundle = arena_text(&plan->spec.arena, path);
	free(path);
	return plan->bundle ? 0 : error_set(err, ENOMEM, "bundle");
}

static int find_rootfs(struct plan *plan, struct error *err)
{
	const char *path = plan->spec.root_path;
	struct stat st;

	plan->rootfs = path[0] == '/' ? path : arena_format(&plan->spec.arena, "%s/%s", plan->bundle, path);
	if (plan->rootfs == NULL)
		return error_set(err, ENOMEM, "root");
	if (plan->join.fds[SPEC_NS_MOUNT] >= 0)
		return 0; /* it lies in there: the stage looks */
	int code = stat(plan->rootfs, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (code != 0) {
		error_at(err, code, plan->rootfs, "the root file system");
		error_hint(err, "put one there, or name its place in \"root\": {\"path\": ...} of config.json");
		return error_step(err, "config.json");
	}
	/* Without links, so that what state.json and the mount table say is the same place. */
	char *real = realpath(plan->rootfs, NULL);
	if (real != NULL)
		plan->rootfs = arena_text(&plan->spec.arena, real);
	free(real);
	return plan->rootfs ? 0 : error_set(err, ENOMEM, "root");
}

static bool may(const struct plan *plan, int capability)
{
	return plan->stage.init.capabilities.bounding & (UINT64_C(1) << capability);
}

/* chroot(2) is no wall: what is weaker than it looks is said. */
static int note_shared_tree(struct plan *plan, struct error *err)
{
	struct spec *spec = &plan->spec;

	if (!plan->stage.shared_tree)
		return 0;
	if (adapt_note(spec, err, "linux: namespaces: no mount namespace of the container's own: chroot(2) alone keeps it in its "
		       "root, and nothing is mounted for it, not even the default devices") < 0)
		return -err->code;
	if (!may(plan, CAP_SYS_CHROOT) && !may(plan, CAP_SYS_ADMIN))
		return 0;
	return adapt_note(spec, err, "process: capabilities: with %s the container can leave its root, which is one by chroot(2) only",
			  may(plan, CAP_SYS_CHROOT) ? "CAP_SYS_CHROOT" : "CAP_SYS_ADMIN");
}

/* no_pivot.h says why. A user namespace that the container makes itself is no way out: there its root is locked. */
static int check_no_pivot(const struct launch_options *options, const struct plan *plan, struct error *err)
{
	if (!options->no_pivot || plan->stage.shared_tree || !may(plan, CAP_SYS_ADMIN))
		return 0;
	error_at(err, 0, "--no-pivot", "with CAP_SYS_ADMIN the container could unmount its root, and see the host's below it");
	return error_hint(err, "take CAP_SYS_ADMIN out of process.capabilities.bounding in config.json, or leave --no-pivot out");
}

void plan_raise_file_limit(const struct plan *plan)
{
	struct rlimit limit = plan->files.limit;

	if (plan->spec.mounts_count + 64 <= limit.rlim_cur)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int plan_make(const struct launch_options *options, struct plan *ret_plan, struct error *err)
{
	struct plan  *plan = ret_plan;
	struct stage *stage = &plan->stage;
	struct spec  *spec = &plan->spec;
	size_t rule;

	memset(plan, 0, sizeof(*plan));
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		plan->join.fds[type] = -1;
	plan->join.root_fd = -1;
	plan->net_devices.sock = plan->net_devices.inside_sock = plan->intel_rdt.root_fd = plan->seccomp.sock = -1;
	struct listen_fds listened;
	ssize_t size = bundle_read(options, spec, &plan->config, err);
	if (size < 0)
		return -err->code;
	plan->config_size = (size_t)size;
	if (listen_fds_take(spec, &listened, err) < 0 || notify_plan(spec, &plan->notify, err) < 0 ||
	    plan_check_preserved_fds(3 + listened.count, options->preserve_fds, err) < 0 ||
	    find_bundle(plan, options->bundle, err) < 0 || join_open(spec, &plan->join, err) < 0 || find_rootfs(plan, err) < 0 ||
	    plan_namespaces_check(spec, &plan->join, err) < 0 || lsm_plan_mounts(spec, err) < 0 ||
	    intel_rdt_plan(spec, options->id, &plan->intel_rdt, err) < 0 ||
	    netdev_find(spec, &plan->net_devices, err) < 0 || exe_find(&plan->exe, err) < 0)
		return -err->code;
	if (cgroup_place(spec, options->id, options->cgroup_manager, &plan->cgroup, err) < 0)
		return -err->code;

	bool new_user_ns = plan->join.new_namespaces & CLONE_NEWUSER;
	bool keep_groups = options->keep_groups || spec_has_annotation(spec, "org.moss.keep-groups") ||
			   spec_has_annotation(spec, "run.oci.keep_original_groups");
	*stage = (struct stage){
		.spec = spec,
		.bundle = plan->bundle,
		.rootfs = plan->rootfs,
		.namespaces = plan->join.new_namespaces,
		.in_user_ns = new_user_ns || plan->join.fds[SPEC_NS_USER] >= 0,
		.wait_for_host = new_user_ns || spec->net_devices_count > 0 || network_is_slirp(spec),
		.uid = idmap_first(&spec->uid_maps),
		.gid = idmap_first(&spec->gid_maps),
		.shared_tree = !spec_has_own_tree(spec),
		.foreign_tree = plan->join.fds[SPEC_NS_MOUNT] >= 0,
		.no_pivot = options->no_pivot,
		.has_fifo = !options->start_now,
		.exe = plan_exe_needed(&plan->exe, new_user_ns ? &spec->uid_maps : NULL) ? &plan->exe : NULL,
		.init = {
			.hostname = spec->hostname ? spec->hostname : spec->sysctl_hostname,
			.domainname = spec->domainname ? spec->domainname : spec->sysctl_domainname,
			.set_personality = spec->personality_given,
			.personality = spec->personality,
			.preserved_fds = listened.count + options->preserve_fds,
			.listen_pid = listened.pid,
			.keep_groups = keep_groups,
			.bind_console = spec_has_own_tree(spec),
			.bring_lo_up = plan->join.new_namespaces & CLONE_NEWNET,
			.root_readonly = spec->root_readonly,
			.set_groups = caller_get()->initial_user_ns || !io_file_starts("/proc/self/setgroups", "deny"),
			.start_now = options->start_now,
		},
	};
	if (!options->no_new_keyring) {
		stage->init.keyring = arena_format(&spec->arena, "_ses.%s", options->id);
		if (stage->init.keyring == NULL)
			return error_set(err, ENOMEM, "keyring");
	}
	if (plan->join.user_by_owner &&
	    adapt_note(spec, err, "linux: namespaces: the user namespace that owns the joined ones is joined, too") < 0)
		return -err->code;
	if (!spec->process.given) { /* somebody harmless has to wait there all the same */
		spec->process.cwd = "/";
		spec->process.user.uid = stage->in_user_ns ? stage->uid : 0;
		spec->process.user.gid = stage->in_user_ns ? stage->gid : 0;
	}
	if (plan_process(spec, stage->in_user_ns, &stage->init, &plan->files, err) < 0 || check_no_pivot(options, plan, err) < 0 ||
	    note_shared_tree(plan, err) < 0 || seccomp_plan(spec, spec->process.no_new_privileges, &plan->seccomp, err) < 0)
		return -err->code;
	/* Said by the caller, and not found out: no cgroup. */
	plan->no_mknod = options->cgroup_manager == CGROUP_MANAGER_DISABLED && !stage->in_user_ns && caller_get()->initial_user_ns &&
			 spec->device_rules_count > 0 && cgroup_devices_are_default(spec, &rule);
	if (plan->no_mknod && plan_without_mknod(spec, &stage->init, err) < 0)
		return -err->code;
	stage->init.seccomp = plan->seccomp.shared;
	plan_raise_file_limit(plan);
	plan->mount_trees_count = spec->mounts_count; /* moss may add mounts of its own to them */
	if (mount_idmap_open(spec, plan->bundle, plan->join.fds[SPEC_NS_USER], &plan->mount_trees, err) < 0)
		return error_step(err, "mount");
	stage->sources = plan->mount_trees;
	stage->sources_count = plan->mount_trees ? plan->mount_trees_count : 0;
	return 0;
}
