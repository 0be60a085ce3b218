/* cgroup_mapped.c - see cgroup.h: cgroups that a user's container has given to other ids of its own. Side: host.
 * Needs: a user namespace with all the ids of the user. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sync.h"
#include "base/sys.h"
#include "host/cgroup.h"
#include "host/idmap.h"
#include "host/own_ids.h"

static void __attribute__((noreturn)) child_main(int sock, int parent_fd, const char *name)
{
	struct sync_message message;

	if (sync_receive(sock, &message) < 0 || message.kind != SYNC_MAPPED || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		_exit(EPERM);
	_exit(-cgroup_remove_tree(parent_fd, name));
}

static int map_ids(pid_t pid, struct error *err)
{
	struct spec_id_maps uid_maps, gid_maps;
	arena_owned arena = { NULL };

	if (own_ids_find(OWN_UIDS, &arena, &uid_maps, err) < 0 || own_ids_find(OWN_GIDS, &arena, &gid_maps, err) < 0)
		return -err->code;
	return idmap_write(pid, &uid_maps, &gid_maps, err);
}

int cgroup_remove_mapped(int parent_fd, const char *name)
{
	struct sys_clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	struct error err = { 0 };
	int socks[2], status = 0, ret = sync_pair(socks);

	if (ret < 0)
		return ret;
	fd_owned ours = socks[0], childs = socks[1];
	pid_t pid = sys_clone3(&args);
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		fd_close(&ours); /* or it would never see the end */
		child_main(childs, parent_fd, name);
	}
	fd_close(&childs);
	ret = map_ids(pid, &err);
	if (ret == 0)
		ret = sync_send(ours, SYNC_MAPPED, NULL, 0, -1);
	fd_close(&ours);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return ret < 0 ? ret : WIFEXITED(status) ? -WEXITSTATUS(status) : -EPROTO;
}
