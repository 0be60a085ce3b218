/* create.c - `create` and `run`. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/commands.h"
#include "host/destroy.h"
#include "host/foreground.h"
#include "host/hooks.h"
#include "host/launch.h"
#include "host/notify.h"
#include "host/pid_file.h"

/* --systemd-cgroup is runc's word for one of them. podman says both: then the other one, crun's, counts. */
static enum cgroup_manager cgroup_manager_of(const struct global_options *global)
{
	const char *name = global->cgroup_manager;

	if (name == NULL)
		return global->systemd_cgroup ? CGROUP_MANAGER_SYSTEMD : CGROUP_MANAGER_ANY;
	return strcmp(name, "systemd") == 0 ? CGROUP_MANAGER_SYSTEMD : strcmp(name, "disabled") == 0 ? CGROUP_MANAGER_DISABLED
												       : CGROUP_MANAGER_FS;
}

static struct launch_options launch_options_of(const struct global_options *global,
					       const struct create_options *options, const char *id)
{
	return (struct launch_options){
		.id = id,
		.bundle = options->bundle ? options->bundle : ".",
		.config = options->config,
		.console_socket = options->console_socket,
		.pidfd_socket = options->pidfd_socket,
		.pid_file = options->pid_file,
		.network = options->network,
		.publish = &options->publish,
		.preserve_fds = options->preserve_fds,
		.no_new_keyring = options->no_new_keyring,
		.no_pivot = options->no_pivot,
		.keep_groups = options->keep_groups,
		.degrade = global->degrade != NULL && strcmp(global->degrade, "warn") == 0,
		.cgroup_manager = cgroup_manager_of(global),
	};
}

int create_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	struct launch_options options = launch_options_of(global, fields, arguments[0]);
	state_root_owned root = { .fd = -1 };
	launched_owned launched = { .dir_fd = -1, .pidfd = -1, .sock = -1, .console_fd = -1, .signal_fd = -1 };

	options.detach = true;
	if (state_check_id(options.id, err) < 0 || command_root(global, true, &root, err) < 0)
		return -err->code;
	return launch_create(&options, &root, &launched, err);
}

/* KILL and remove a container that we made; for what it is worth, when @err is set already. */
static int remove_container(struct launched *launched, struct error *err)
{
	int ret = destroy_kill(&launched->state, launched->dir_fd, launched->pidfd, err);

	return ret < 0 ? ret : destroy_remove(launched->root, &launched->state, launched->dir_fd, err);
}

/* Its program could not be started: leave nothing. */
static void forget(struct launched *launched, const struct create_options *create)
{
	struct error ignored;

	pid_file_remove(create->pid_file, launched->state.pid);
	if (state_lock_again(launched->root, launched->state.id, launched->dir_fd, &ignored) == 1)
		(void)!remove_container(launched, &ignored);
}

/* Others may look, kill, delete from here on. */
static int after_start(struct launched *launched, struct error *err)
{
	state_unlock(launched->dir_fd);
	return hooks_poststart(&launched->state, launched->dir_fd, launched->signal_fd, err);
}

/* The container is made and its program let go: stay with it. */
static int stay(struct launched *launched, const struct create_options *create, struct error *err)
{
	struct foreground *foreground = NULL;
	struct foreground_process process = { .pid = launched->state.pid, .pidfd = launched->pidfd,
					      .signal_fd = launched->signal_fd, .console_fd = fd_take(&launched->console_fd),
					      .notify = launched->notify };
	int status = foreground_open(&process, &foreground, err);

	if (status == 0)
		status = launch_wait_exec(launched, err);
	if (status == 0)
		status = after_start(launched, err);
	if (status == 0)
		status = foreground_wait(foreground, err);
	foreground_close(foreground);
	if (status < 0) {
		forget(launched, create);
		return status;
	}
	int again = create->keep ? 0 : state_lock_again(launched->root, launched->state.id, launched->dir_fd, err);
	if (again <= 0)
		return again < 0 ? again : status;
	fd_close(&launched->pidfd); /* it has ended and is reaped */
	/* Whatever it left in its cgroup (its pid namespace was not its own) ends with it. */
	if (remove_container(launched, err) < 0)
		return -err->code;
	return status;
}

int run_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct create_options *create = fields;
	struct launch_options options = launch_options_of(global, fields, arguments[0]);
	state_root_owned root = { .fd = -1 };
	launched_owned launched = { .dir_fd = -1, .pidfd = -1, .sock = -1, .console_fd = -1, .signal_fd = -1 };

	options.detach = create->detach;
	options.start_now = true;
	if (state_check_id(options.id, err) < 0 || command_root(global, true, &root, err) < 0)
		return -err->code;
	/* The container's orphans come to us, not to init, so that they are gone before we are. */
	if (!create->detach && !create->no_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	int ret = launch_create(&options, &root, &launched, err);
	if (ret < 0)
		return ret;
	if (!create->detach)
		return stay(&launched, create, err);
	ret = launch_wait_exec(&launched, err);
	if (ret < 0)
		err->exit_status = 0;
	else
		ret = after_start(&launched, err);
	if (ret < 0) {
		forget(&launched, create);
		return ret;
	}
	notify_set_main_pid(launched.notify, launched.state.pid);
	return notify_wait_ready(launched.notify, launched.pidfd, launched.signal_fd, err);
}
