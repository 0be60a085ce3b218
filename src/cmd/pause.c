/* pause.c - `pause` and `resume`. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>

#include "base/fd.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "host/cgroup.h"
#include "host/destroy.h"
#include "host/processes.h"
#include "host/state.h"

static int explain_freeze(int ret, const struct state *state, const char *step, struct error *err)
{
	error_at(err, -ret, state->id, "%s the cgroup %s", step, state->cgroup);
	if (ret == -ETIMEDOUT)
		return error_hint(err, "one of its processes waits in the kernel and can't be stopped; nothing has changed");
	return ret;
}

/* Without a cgroup: what SIGSTOP can do, which any process of the container may undo. */
static int stop_by_signal(struct command_container *container, struct error *err)
{
	struct state *state = &container->state;

	if (!state->own_pid_namespace) {
		error_at(err, ENOTSUP, state->id, "can't be paused: it has neither a cgroup nor a pid namespace of its own");
		return error_hint(err, "kill %d with STOP and CONT stops its first process", (int)state->pid);
	}
	/* Recorded first: killed in between, it is a container that can be resumed. */
	state->stopped_by_signal = true;
	if (state_write(container->dir_fd, state, err) < 0)
		return -err->code;
	int ret = processes_stop(state, container->dir_fd);
	if (ret < 0) {
		struct error why;

		state->stopped_by_signal = false;
		if (state_write(container->dir_fd, state, &why) < 0)
			log_line(LOG_LEVEL_WARNING, "%s: state.json says that it is paused", state->id);
		return processes_explain(state, ret, "stop its processes", err);
	}
	log_line(LOG_LEVEL_WARNING, "%s: paused by SIGSTOP, because it has no cgroup: SIGCONT from inside lets a process go on", state->id);
	return 0;
}

static int pause_container(struct command_container *container, struct error *err)
{
	const struct state *state = &container->state;

	if (container->status == STATE_PAUSED)
		return error_at(err, 0, state->id, "container already paused");
	if ((container->status != STATE_RUNNING && container->status != STATE_CREATED) || container->pidfd < 0)
		return error_at(err, 0, state->id, "cannot pause a %s container: container not running",
				state_status_name((enum state_status)container->status));
	fd_owned cgroup = state_open_cgroup(container->dir_fd, state);
	if (cgroup < 0 && cgroup != -ENOENT)
		return error_at(err, -cgroup, state->cgroup, "open the cgroup");
	if (cgroup < 0)
		return stop_by_signal(container, err);
	int ret = cgroup_set_frozen(cgroup, true);
	return ret < 0 ? explain_freeze(ret, state, "freeze", err) : 0;
}

static int resume_container(struct command_container *container, struct error *err)
{
	struct state *state = &container->state;

	if (container->status != STATE_PAUSED)
		return error_at(err, 0, state->id, "container not paused");
	if (state->stopped_by_signal) {
		int ret = processes_signal(state, container->dir_fd, SIGCONT);

		if (ret < 0)
			return processes_explain(state, ret, "let its processes go on", err);
		state->stopped_by_signal = false;
		return state_write(container->dir_fd, state, err);
	}
	fd_owned cgroup = state_open_cgroup(container->dir_fd, state);
	if (cgroup < 0)
		return error_at(err, -cgroup, state->cgroup ? state->cgroup : state->id, "open the cgroup");
	int ret = cgroup_set_frozen(cgroup, false);
	return ret < 0 ? explain_freeze(ret, state, "thaw", err) : 0;
}

int pause_run(const struct global_options *global, const void *options, char **arguments, struct error *err)
{
	command_container_owned container = { .root.fd = -1, .dir_fd = -1, .pidfd = -1 };

	(void)options;
	return command_container_open(global, arguments[0], true, &container, err) < 0 ? -err->code : pause_container(&container, err);
}

int resume_run(const struct global_options *global, const void *options, char **arguments, struct error *err)
{
	command_container_owned container = { .root.fd = -1, .dir_fd = -1, .pidfd = -1 };

	(void)options;
	return command_container_open(global, arguments[0], true, &container, err) < 0 ? -err->code : resume_container(&container, err);
}
