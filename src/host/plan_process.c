/* plan_process.c - see plan_process.h. Side: host. */
#define _GNU_SOURCE
#include "host/plan_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

#include "host/adapt.h"
#include "host/caller.h"
#include "host/idmap.h"
#include "host/lsm.h"
#include "host/rights.h"

/* capabilities(7): an ambient one is permitted and inheritable, too. config.md has it noted, not refused. */
static int plan_ambient(struct spec *spec, struct spec_capabilities *caps, struct error *err)
{
	uint64_t can_be = caps->permitted & caps->inheritable;

	for (int cap = 0; cap < 64; cap++) {
		if (!(caps->ambient & ~can_be & (UINT64_C(1) << cap)))
			continue;
		if (adapt_note(spec, err, "process: capabilities: ambient: %s can't be raised: it must be permitted and "
			       "inheritable, too", spec_capability_name(cap).text) < 0)
			return -err->code;
	}
	caps->ambient &= can_be;
	return 0;
}

static int plan_capabilities(struct spec *spec, bool in_user_ns, struct init *init, struct error *err)
{
	struct spec_capabilities *caps = &init->capabilities;
	/* In a user namespace all can be had, else no more than ours. */
	uint64_t available = in_user_ns ? UINT64_MAX : caller_get()->permitted;

	*caps = spec->process.capabilities;
	uint64_t wanted = caps->bounding | caps->effective | caps->permitted | caps->inheritable | caps->ambient;
	for (int cap = 0; cap < 64; cap++) {
		if (!(wanted & ~available & (UINT64_C(1) << cap)))
			continue;
		if (adapt_note(spec, err, "process: capabilities: %s is not ours to give: left out",
			       spec_capability_name(cap).text) < 0)
			return -err->code;
	}
	caps->bounding &= available;
	caps->effective &= available;
	caps->permitted &= available;
	caps->inheritable &= available;
	caps->ambient &= available;
	return plan_ambient(spec, caps, err);
}

int plan_without_mknod(struct spec *spec, struct init *init, struct error *err)
{
	struct spec_capabilities *caps = &init->capabilities;
	uint64_t kept = ~(UINT64_C(1) << CAP_MKNOD);

	if (!((caps->bounding | caps->permitted | caps->inheritable) & ~kept))
		return 0;
	caps->bounding &= kept;
	caps->effective &= kept;
	caps->permitted &= kept;
	caps->inheritable &= kept;
	caps->ambient &= kept;
	return adapt_note(spec, err, "process: capabilities: CAP_MKNOD: left out: it takes that, without a cgroup, to deny all devices");
}

static int plan_environment(struct spec *spec, struct init *init, struct error *err)
{
	const struct spec_texts *env = &spec->process.env;

	init->env = arena_alloc(&spec->arena, env->count + 2, sizeof(*init->env));
	if (init->env == NULL)
		return error_set(err, ENOMEM, "environment");
	if (env->count > 0)
		memcpy(init->env, env->texts, env->count * sizeof(*env->texts));
	init->env_count = env->count;
	return 0;
}

static int plan_rlimits(struct spec *spec, struct init *init, struct spec_rlimit *ret_files, struct error *err)
{
	const struct spec_process *process = &spec->process;
	struct spec_rlimit *limits = arena_alloc(&spec->arena, process->rlimits_count + 1, sizeof(*limits));

	if (limits == NULL)
		return error_set(err, ENOMEM, "rlimits");
	*ret_files = (struct spec_rlimit){ .resource = RLIMIT_NOFILE, .name = "RLIMIT_NOFILE" };
	if (getrlimit(RLIMIT_NOFILE, &ret_files->limit) < 0)
		return error_at(err, errno, "RLIMIT_NOFILE", "getrlimit");
	bool files_given = false;
	for (size_t i = 0; i < process->rlimits_count; i++) {
		limits[i] = process->rlimits[i];
		files_given |= limits[i].resource == RLIMIT_NOFILE;
	}
	if (!files_given) /* we may raise it for the launch */
		limits[process->rlimits_count] = *ret_files;
	init->rlimits = limits;
	init->rlimits_count = process->rlimits_count + (files_given ? 0 : 1);
	return 0;
}

/* Groups that are kept and groups that are set: one or the other. */
static int check_groups(const struct spec *spec, const struct init *init, struct error *err)
{
	if (!init->keep_groups || spec->process.user.additional_gids_count == 0)
		return 0;
	error_at(err, 0, "process: user: additionalGids", "the caller's groups are to be kept, and others are asked for");
	return error_hint(err, "leave one of them out: additionalGids, or --keep-groups and its annotations");
}

int plan_process(struct spec *spec, bool in_user_ns, struct init *init, struct spec_rlimit *ret_files,
		 struct error *err)
{
	const struct spec_process *process = &spec->process;

	init->process = process;
	init->memory_policy = spec->memory_policy.given ? &spec->memory_policy : NULL;
	init->set_scheduler = (process->scheduler.given || process->io_priority.given) && !rights_schedule();
	if (lsm_plan(process, &init->labels, err) < 0)
		return -err->code;
	init->labels.label_keyring = init->keyring != NULL;
	if (rights_check(process, err) < 0 || check_groups(spec, init, err) < 0 || plan_capabilities(spec, in_user_ns, init, err) < 0 ||
	    plan_environment(spec, init, err) < 0)
		return -err->code;
	return plan_rlimits(spec, init, ret_files, err);
}

int plan_set_scheduler(const struct init *init, pid_t pid, struct error *err)
{
	const struct spec_process *process = init->process;

	if (init->set_scheduler || !(process->scheduler.given || process->io_priority.given))
		return 0;
	return init_set_scheduler(process, pid, err);
}

bool plan_exe_needed(const struct exe *exe, const struct spec_id_maps *uid_maps)
{
	if (uid_maps == NULL || (exe->stat.st_mode & 022))
		return true;
	return idmap_has_host(uid_maps, exe->stat.st_uid);
}

int plan_check_preserved_fds(unsigned first, unsigned count, struct error *err)
{
	for (unsigned fd = first; fd < first + count; fd++) {
		if (fcntl((int)fd, F_GETFD) == 0)
			continue;
		error_at(err, EBADF, "--preserve-fds", "fd %u is not open", fd);
		return error_hint(err, "N fds means %u to N+%u, all of them open in the caller%s", first, first - 1,
				  first > 3 ? ", behind those of LISTEN_FDS" : "");
	}
	return 0;
}
