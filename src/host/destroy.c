/* destroy.c - see destroy.h. Side: host. */
#define _GNU_SOURCE
#include "host/destroy.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "host/cgroup.h"
#include "host/hooks.h"
#include "host/intel_rdt.h"
#include "host/network.h"
#include "host/scope.h"

#define END_TIMEOUT_MS 10000

int destroy_kill(const struct state *state, int dir_fd, int pidfd, struct error *err)
{
	fd_owned cgroup = state_open_cgroup(dir_fd, state);

	if (cgroup < 0 && cgroup != -ENOENT)
		return error_at(err, -cgroup, state->cgroup, "open the cgroup");
	bool by_cgroup = cgroup >= 0 && cgroup_kill(cgroup) == 0;

	if (pidfd < 0)
		return 0;
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH && !by_cgroup)
		return error_at(err, errno, state->id, "kill the container");
	int ret = proc_wait_end(pidfd, END_TIMEOUT_MS);
	if (ret < 0)
		return error_at(err, -ret, state->id, "wait for the end of the container");
	if (ret == 0)
		return error_at(err, ETIMEDOUT, state->id, "process %d did not end within %d s of SIGKILL",
				(int)state->pid, END_TIMEOUT_MS / 1000);
	return 0;
}

int destroy_remove(struct state_root *root, const struct state *state, int dir_fd, struct error *err)
{
	struct cgroup_claim claim;
	char mark[STATE_MARK_MAX];

	int ret = state_claim(dir_fd, state, mark, &claim);
	if (ret < 0)
		return error_at(err, -ret, state->id, "stat the container's state directory");
	network_end(state, dir_fd);
	if (state->cgroup != NULL && cgroup_remove(state->cgroup, &claim, err) < 0)
		return -err->code;
	scope_forget(state, dir_fd);
	if (intel_rdt_remove(state, dir_fd, err) < 0)
		return -err->code;
	hooks_poststop(state, dir_fd);
	return state_remove(root, state->id, dir_fd, err);
}
