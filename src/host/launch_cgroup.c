/* launch_cgroup.c - see launch_cgroup.h. Side: host. */
#define _GNU_SOURCE
#include "host/launch_cgroup.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/caller.h"
#include "host/cgroup.h"
#include "host/cgroup_devices.h"
#include "host/cgroup_limits.h"
#include "host/idmap.h"

/* A container's program can't make device nodes when it has no CAP_MKNOD in the initial user
 * namespace: then "deny all" holds without eBPF (ROOTLESS in docs/). */
static int devices_without_program(struct making *making, const struct error *why, struct error *err)
{
	const struct plan *plan = making->plan;
	bool   can_mknod = !plan->stage.in_user_ns && caller_get()->initial_user_ns &&
			 (plan->stage.init.capabilities.bounding & (UINT64_C(1) << CAP_MKNOD));
	size_t rule;

	if (cgroup_devices_are_default(&plan->spec, &rule) && !(can_mknod && plan->spec.device_rules_count > 0))
		return 0;
	if (making->options->degrade)
		return launch_note(making, "linux: resources: devices: not enforced (--degrade=warn)", err);
	*err = *why;
	if (rule < plan->spec.device_rules_count)
		error_object(err, "linux: resources: devices[%zu]", rule);
	return error_hint(err, "this list needs eBPF on a cgroup of the container's own (root); leave it out, drop "
			       "CAP_MKNOD, or use --degrade=warn");
}

static bool is_not_ours(int ret)
{
	return ret == -EACCES || ret == -EPERM || ret == -EROFS || ret == -ENOENT || ret == -EOPNOTSUPP;
}

static int open_scope(struct making *making, struct error *err)
{
	const struct plan *plan = making->plan;
	const struct scope_start what = { &plan->cgroup.scope, making->out->state.id, making->mark, making->options->detach };

	int ret = scope_open(&what, &plan->spec, &making->scope, err);
	making->scope.signal_fd = making->out->signal_fd;
	return ret;
}

int launch_cgroup_make(struct making *making, struct error *err)
{
	struct state *state = &making->out->state;

	error_set(&making->no_devices, EPERM, "there is no cgroup that moss may make");
	if (making->options->cgroup_manager == CGROUP_MANAGER_DISABLED)
		error_set(&making->no_cgroup, 0, "--cgroup-manager disabled");
	else
		error_set(&making->no_cgroup, 0, "moss's own one can't be found below /sys/fs/cgroup");
	if (state->cgroup == NULL && state->systemd_unit == NULL)
		return 0;
	int ret = state_mark(making->out->dir_fd, state->id, making->mark);
	if (ret < 0)
		return error_at(err, -ret, state->id, "stat the container's state directory");
	if (state->systemd_unit != NULL)
		return open_scope(making, err);
	ret = cgroup_make(state->cgroup, making->mark, &making->cgroup_fd, &making->no_devices);
	if (ret == 0)
		return 0;
	state->cgroup = NULL; /* not made by us, not to be removed */
	making->no_cgroup = making->no_devices;
	if (is_not_ours(ret))
		return 0;
	*err = making->no_devices;
	return ret;
}

static struct cgroup_target target_of(const struct making *making)
{
	return (struct cgroup_target){ making->cgroup_fd, making->out->state.cgroup, &making->no_cgroup };
}

/* A limit that can't be had, @why. */
static int limit_missed(struct making *making, const struct error *why, struct error *err)
{
	char text[ERROR_TEXT_MAX];

	*err = *why;
	if (!making->options->degrade)
		return error_step(err, "set limits");
	snprintf(text, sizeof(text), "%s: not enforced (--degrade=warn): %s", why->object, why->cause);
	return launch_note(making, text, err);
}

int launch_cgroup_prepare_limits(struct making *making, struct error *err)
{
	struct spec *spec = &making->plan->spec;
	struct cgroup_target target = target_of(making);

	if (spec->limits_count == 0)
		return 0;
	making->limits = arena_alloc(&spec->arena, spec->limits_count, sizeof(*making->limits));
	if (making->limits == NULL)
		return error_set(err, ENOMEM, "limits");
	cgroup_limits_enable(&target, spec->limits, spec->limits_count);
	for (size_t i = 0; i < spec->limits_count; i++) {
		struct error why = { 0 };
		int ret = cgroup_limit_check(&target, &spec->limits[i], &why);

		if (ret < 0 && limit_missed(making, &why, err) < 0)
			return -err->code;
		if (ret > 0)
			making->limits[making->limits_count++] = spec->limits[i];
	}
	return 0;
}

/* The scope has them as properties, so that systemd writes no others when it reads its configuration again. */
static int set_scope_limits(struct making *making, struct error *err)
{
	if (making->scope.sock < 0)
		return 0;
	struct error why = { 0 };
	int ret = scope_wait(&making->scope, launch_note, making, &why);
	scope_close(&making->scope);
	return ret < 0 ? limit_missed(making, &why, err) : 0;
}

int launch_cgroup_set_limits(struct making *making, struct error *err)
{
	struct cgroup_target target = target_of(making);

	if (making->plan->cgroup.scope.unit != NULL && launch_cgroup_prepare_limits(making, err) < 0)
		return -err->code;

	for (size_t i = 0; i < making->limits_count; i++) {
		struct error why = { 0 };

		if (cgroup_limit_set(&target, &making->limits[i], &why) < 0 && limit_missed(making, &why, err) < 0)
			return -err->code;
	}
	return set_scope_limits(making, err);
}

static bool shows_own_cgroups(const struct spec *spec)
{
	const struct spec_namespace *namespace = &spec->namespaces[SPEC_NS_CGROUP];

	for (size_t i = 0; i < spec->mounts_count && namespace->listed && namespace->path == NULL; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (mount->type != NULL && str_starts(mount->type, "cgroup") && !mount->options.bind &&
		    !(mount->options.attr_set & MOUNT_ATTR_RDONLY))
			return true;
	}
	return false;
}

int launch_cgroup_delegate(struct making *making, struct error *err)
{
	const struct spec *spec = &making->plan->spec;
	const struct spec_id_map *user = idmap_find(&spec->uid_maps, 0), *group = idmap_find(&spec->gid_maps, 0);

	if (making->cgroup_fd < 0 || !caller_get()->privileged || user == NULL || group == NULL || !shows_own_cgroups(spec))
		return 0;
	return cgroup_delegate(making->cgroup_fd, user->host_id, group->host_id, err);
}

int launch_cgroup_restrict_devices(struct making *making, struct error *err)
{
	const struct plan *plan = making->plan;

	if (making->cgroup_fd >= 0 && caller_get()->root) {
		int ret = cgroup_devices_apply(making->cgroup_fd, &plan->spec, &making->no_devices);

		if (ret == 0)
			return 0;
		if (ret != -EPERM && ret != -EACCES && ret != -ENOSYS) {
			*err = making->no_devices;
			return ret;
		}
	}
	return devices_without_program(making, &making->no_devices, err);
}

int launch_cgroup_enter_scope(void *context, int *ret_cgroup_fd, struct error *err)
{
	struct making *making = context;
	char own[PATH_MAX], path[PATH_MAX];

	/* A killed moss is to leave no scope: the one process in it would be us. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != making->scope.owner)
		_exit(1);
	if (scope_tell(&making->scope, getpid(), err) < 0 || scope_wait(&making->scope, NULL, NULL, err) < 0 ||
	    scope_find_own(making->plan->cgroup.scope.unit, own, sizeof(own), err) < 0)
		return -err->code;
	if (snprintf(path, sizeof(path), "%s/" SCOPE_SUB_CGROUP, own) >= (int)sizeof(path))
		return error_at(err, ENAMETOOLONG, own, "make a cgroup in the scope");
	int ret = cgroup_make(path, making->mark, ret_cgroup_fd, err);
	return ret < 0 ? error_step(err, "make the cgroup") : 0;
}

int launch_cgroup_scope_refused(struct making *making, struct error *err)
{
	struct state *state = &making->out->state;

	if (err->code == EEXIST) /* it is somebody else's: not to be ended by us */
		state->systemd_unit = NULL;
	if (!making->options->degrade || making->plan->cgroup.scope_is_asked)
		return -err->code;
	making->no_cgroup = making->no_devices = *err;
	fd_close(&making->cgroup_fd);
	scope_close(&making->scope);
	scope_forget(state, making->out->dir_fd);
	state->systemd_unit = NULL;
	return 0;
}

bool launch_cgroup_is_refused(struct making *making, int ret, const struct error *why)
{
	struct state *state = &making->out->state;
	struct error ignored;

	if (making->cgroup_fd < 0 || making->scope.sock >= 0 || (ret != -EOPNOTSUPP && (!is_not_ours(ret) || caller_get()->root)))
		return false;
	making->no_cgroup = *why;
	fd_close(&making->cgroup_fd);
	(void)!cgroup_remove(state->cgroup, &(struct cgroup_claim){ making->mark, state->cgroup_id, true }, &ignored);
	state->cgroup = NULL;
	return true;
}

int launch_cgroup_find_scope(struct making *making, struct error *err)
{
	struct state *state = &making->out->state;
	char path[PATH_MAX];

	if (!cgroup_path_of(making->pid, path, sizeof(path)))
		return error_at(err, 0, state->systemd_unit, "find the cgroup of the container's first process");
	state->cgroup = arena_text(&state->arena, path);
	if (state->cgroup == NULL)
		return error_set(err, ENOMEM, "cgroup");
	/* It takes its time: this is for while the other side is busy, too. */
	return scope_tell(&making->scope, making->pid, err);
}

void launch_cgroup_explain_end(const struct making *making, struct error *err)
{
	if (making->limits_count == 0 || making->cgroup_fd < 0 || cgroup_oom_kills(making->cgroup_fd) == 0)
		return;
	err->hint[0] = '\0'; /* a guess, now that we know */
	error_hint(err, "the kernel killed it for want of memory: raise linux: resources: memory: limit");
}
