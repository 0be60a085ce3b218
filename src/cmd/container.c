/* container.c - what most commands begin with: the container that they are about. Side: host. */
#define _GNU_SOURCE
#include "base/fd.h"
#include "cmd/commands.h"

int command_container_open(const struct global_options *global, const char *id, bool lock,
			   struct command_container *ret_container, struct error *err)
{
	struct command_container *container = ret_container;

	*container = (struct command_container){ .root.fd = -1, .dir_fd = -1, .pidfd = -1 };
	if (state_check_id(id, err) < 0 || command_root(global, false, &container->root, err) < 0 ||
	    state_open_read(&container->root, id, lock, &container->dir_fd, &container->state, err) < 0)
		return -err->code;
	container->status = state_status(container->dir_fd, &container->state, lock, &container->pidfd, err);
	return container->status < 0 ? container->status : 0;
}

void command_container_close(struct command_container *container)
{
	fd_close(&container->pidfd);
	fd_close(&container->dir_fd);
	state_free(&container->state);
	state_root_close(&container->root);
}
