/* destroy.c - see destroy.h. Side: host. */
#define _GNU_SOURCE
#include "host/destroy.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/proc.h"
#include "host/cgroup.h"

#define END_TIMEOUT_MS 10000

bool destroy_may_use_cgroup(const struct state *state, int dir_fd)
{
	char boot_id[PROC_BOOT_ID_SIZE];
	struct stat st;

	return state->cgroup != NULL && proc_boot_id(boot_id) == 0 && strcmp(boot_id, state->boot_id) == 0 &&
	       fstat(dir_fd, &st) == 0 && cgroup_belongs_to(state->cgroup, st.st_uid);
}

int destroy_kill(const struct state *state, int dir_fd, int pidfd, struct error *err)
{
	bool by_cgroup = destroy_may_use_cgroup(state, dir_fd) && cgroup_kill(state->cgroup) == 0;

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
	if (destroy_may_use_cgroup(state, dir_fd) && cgroup_remove(state->cgroup, err) < 0)
		return -err->code;
	return state_remove(root, state->id, dir_fd, err);
}
