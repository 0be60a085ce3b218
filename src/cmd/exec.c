/* exec.c - `exec`. Side: host. */
#define _GNU_SOURCE
#include "host/exec.h"

#include <string.h>

#include "base/fd.h"
#include "cmd/commands.h"
#include "host/foreground.h"

#define EXIT_OWN_FAILURE 255 /* as runc: what the program itself can hardly answer */

/* The program is let go: stay with it. */
static int stay(struct exec *exec, struct error *err)
{
	struct foreground *foreground = NULL;
	struct foreground_process process = { .pid = exec->pid, .pidfd = exec->pidfd, .signal_fd = exec->signal_fd,
					      .console_fd = fd_take(&exec->console_fd) };
	int status = foreground_open(&process, &foreground, err);

	if (status == 0)
		status = exec_wait(exec, err);
	if (status == 0)
		status = foreground_wait(foreground, err);
	foreground_close(foreground);
	return status;
}

int exec_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	struct exec_options options = *(const struct exec_options *)fields;
	const char *id = arguments[0];
	state_root_owned root = { .fd = -1 };
	exec_owned exec = { .pidfd = -1, .sock = -1, .console_fd = -1, .signal_fd = -1 };

	options.degrade = global->degrade != NULL && strcmp(global->degrade, "warn") == 0;
	options.args.texts = (const char **)arguments + 1;
	while (arguments[options.args.count + 1] != NULL)
		options.args.count++;
	int ret = command_root(global, false, &root, err);
	if (ret == 0)
		ret = exec_start(&options, id, &root, &exec, err);
	if (ret == 0) {
		ret = options.detach ? exec_wait(&exec, err) : stay(&exec, err);
		if (ret < 0)
			exec_abandon(&exec, &options);
	}
	if (ret < 0 && err->exit_status == 0)
		err->exit_status = EXIT_OWN_FAILURE;
	return ret;
}
