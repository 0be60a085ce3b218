/* delete.c - `delete`. Side: host. */
#define _GNU_SOURCE
#include <errno.h>

#include "base/fd.h"
#include "cmd/commands.h"
#include "host/destroy.h"
#include "host/state.h"

int delete_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct delete_options *options = fields;
	const char *id = arguments[0];
	state_root_owned root = { .fd = -1 };
	fd_owned dir = -1, pidfd = -1;
	state_owned state = { .id = NULL };

	if (state_check_id(id, err) < 0)
		return -err->code;
	int ret = command_root(global, false, &root, err);
	if (ret == 0)
		ret = state_open_read(&root, id, true, &dir, &state, err);
	if (ret == -ENOENT && dir < 0 && options->force)
		return 0;
	/* Damaged, half made or newer: --force goes by what it still says. Not readable: no. */
	if (ret < 0 && !(dir >= 0 && options->force && (ret == -EINVAL || ret == -ENOENT)))
		return ret;
	state.id = id; /* the directory's name, whatever the file says */
	int status = state_status(dir, &state, true, &pidfd, err);
	if (status < 0)
		return status;
	if (status != STATE_STOPPED && status != STATE_CREATED && status != STATE_CREATING && !options->force) {
		error_set(err, 0, "cannot delete container %s that is not stopped: %s", id, state_status_name((enum state_status)status));
		return error_hint(err, "kill it first, or use delete --force");
	}
	if (destroy_kill(&state, dir, pidfd, err) < 0)
		return -err->code;
	return destroy_remove(&root, &state, dir, err);
}
