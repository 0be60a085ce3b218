/* plan.c - see plan.h. Side: host. */
#define _GNU_SOURCE
#include "host/plan.h"

#include <errno.h>
#include <fcntl.h>
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
#include "host/cgroup.h"
#include "host/idmap.h"
#include "host/listen_fds.h"
#include "host/notify.h"

void plan_free(struct plan *plan)
{
	join_close(&plan->join);
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

/* exe.h: could the container's root write the binary that this process runs from? */
static bool can_write_exe(const struct plan *plan)
{
	const struct stat *st = &plan->exe.stat;
	bool new_user_ns = plan->join.new_namespaces & CLONE_NEWUSER;

	if (!new_user_ns || (st->st_mode & 022))
		return true;
	return idmap_has_host(&plan->spec.uid_maps, st->st_uid);
}

static int plan_capabilities(struct plan *plan, struct error *err)
{
	struct spec_capabilities *caps = &plan->stage.init.capabilities;
	/* In a user namespace all can be had, else no more than ours. */
	uint64_t available = plan->stage.in_user_ns ? UINT64_MAX : caller_get()->permitted;

	*caps = plan->spec.process.capabilities;
	uint64_t wanted = caps->bounding | caps->effective | caps->permitted | caps->inheritable | caps->ambient;
	for (int cap = 0; cap < 64; cap++) {
		if (!(wanted & ~available & (UINT64_C(1) << cap)))
			continue;
		if (adapt_note(&plan->spec, err, "process: capabilities: number %d is not ours to give: left out", cap) < 0)
			return -err->code;
	}
	caps->bounding &= available;
	caps->effective &= available;
	caps->permitted &= available;
	caps->inheritable &= available;
	caps->ambient &= available;
	return 0;
}

static int plan_environment(struct plan *plan, struct error *err)
{
	const struct spec_texts *env = &plan->spec.process.env;
	struct init *init = &plan->stage.init;

	init->env = arena_alloc(&plan->spec.arena, env->count + 2, sizeof(*init->env));
	if (init->env == NULL)
		return error_set(err, ENOMEM, "environment");
	if (env->count > 0)
		memcpy(init->env, env->texts, env->count * sizeof(*env->texts));
	init->env_count = env->count;
	return 0;
}

static int plan_rlimits(struct plan *plan, struct error *err)
{
	const struct spec_process *process = &plan->spec.process;
	struct spec_rlimit *limits = arena_alloc(&plan->spec.arena, process->rlimits_count + 1, sizeof(*limits));

	if (limits == NULL)
		return error_set(err, ENOMEM, "rlimits");
	plan->files = (struct spec_rlimit){ .resource = RLIMIT_NOFILE, .name = "RLIMIT_NOFILE" };
	if (getrlimit(RLIMIT_NOFILE, &plan->files.limit) < 0)
		return error_at(err, errno, "RLIMIT_NOFILE", "getrlimit");
	bool files_given = false;
	for (size_t i = 0; i < process->rlimits_count; i++) {
		limits[i] = process->rlimits[i];
		files_given |= limits[i].resource == RLIMIT_NOFILE;
	}
	if (!files_given) /* we may raise it for the launch */
		limits[process->rlimits_count] = plan->files;
	plan->stage.init.rlimits = limits;
	plan->stage.init.rlimits_count = process->rlimits_count + (files_given ? 0 : 1);
	return 0;
}

void plan_raise_file_limit(const struct plan *plan)
{
	struct rlimit limit = plan->files.limit;

	if (plan->spec.mounts_count + 64 <= limit.rlim_cur)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Fds that were inherited have no close-on-exec flag, all of ours have. @first: 3, or what comes
 * behind LISTEN_FDS. */
static int check_preserved_fds(unsigned first, unsigned count, struct error *err)
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

int plan_make(const struct launch_options *options, struct plan *ret_plan, struct error *err)
{
	struct plan  *plan = ret_plan;
	struct stage *stage = &plan->stage;
	struct spec  *spec = &plan->spec;

	memset(plan, 0, sizeof(*plan));
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		plan->join.fds[type] = -1;
	struct listen_fds listened;
	if (bundle_read(options, spec, err) < 0 || listen_fds_take(spec, &listened, err) < 0 ||
	    notify_plan(spec, &plan->notify, err) < 0 ||
	    check_preserved_fds(3 + listened.count, options->preserve_fds, err) < 0 ||
	    find_bundle(plan, options->bundle, err) < 0 || find_rootfs(plan, err) < 0 ||
	    join_open(spec, &plan->join, err) < 0 || exe_find(&plan->exe, err) < 0)
		return -err->code;
	if (!options->no_cgroup && cgroup_place(spec->cgroups_path, options->id, &spec->arena, &plan->cgroup, err) < 0)
		return -err->code;

	bool new_user_ns = plan->join.new_namespaces & CLONE_NEWUSER;
	*stage = (struct stage){
		.spec = spec,
		.bundle = plan->bundle,
		.rootfs = plan->rootfs,
		.namespaces = plan->join.new_namespaces,
		.in_user_ns = new_user_ns || plan->join.fds[SPEC_NS_USER] >= 0,
		.wait_for_map = new_user_ns,
		.uid = idmap_first(&spec->uid_maps),
		.gid = idmap_first(&spec->gid_maps),
		.has_fifo = !options->start_now,
		.exe = can_write_exe(plan) ? &plan->exe : NULL,
		.init = {
			.hostname = spec->hostname,
			.domainname = spec->domainname,
			.process = &spec->process,
			.preserved_fds = listened.count + options->preserve_fds,
			.listen_pid = listened.pid,
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
	if (plan_capabilities(plan, err) < 0 || plan_environment(plan, err) < 0 || plan_rlimits(plan, err) < 0)
		return -err->code;
	return 0;
}
