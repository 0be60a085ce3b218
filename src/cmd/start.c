/* start.c - `start`. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/commands.h"
#include "host/destroy.h"
#include "host/hooks.h"
#include "host/notify.h"
#include "host/signals.h"
#include "host/state.h"
#include "host/talk.h"

static int check_created(int status, const char *id, struct error *err)
{
	switch (status) {
	case STATE_CREATED:
		return 0;
	case STATE_STOPPED:
		return error_at(err, 0, id, "cannot start a container that has stopped");
	case STATE_PAUSED:
		error_at(err, 0, id, "cannot start a container that is paused: container paused");
		return error_hint(err, "moss resume it first");
	case STATE_CREATING:
		return error_at(err, 0, id, "cannot start a container that is still being created");
	default:
		return error_at(err, 0, id, "cannot start an already running container");
	}
}

/* What the fifo still holds, which only we have open now: our own byte, when the init died before it
 * read it; or why the program could not be executed. */
static int check_executed(int dir_fd, const char *id, struct error *err)
{
	struct error why;

	fd_owned end = openat(dir_fd, STATE_FIFO, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	ssize_t count = end < 0 ? -1 : read(end, &why, sizeof(why));
	if (count < 0)
		return errno == EAGAIN ? 0 : error_at(err, errno, id, "read from %s", STATE_FIFO);
	if (count == 0)
		return 0;
	if (count != (ssize_t)sizeof(why) || !error_is_sound(&why))
		return error_at(err, 0, id, "the container's first process died before it was started");
	*err = why;
	err->exit_status = 0; /* 255 is the container's */
	return -err->code;
}

/* Let the init go on and wait until it has executed the program: its reading end of exec.fifo is
 * close-on-exec, so our writing end sees POLLERR then; or until it has died. */
static int let_go(int dir_fd, int pidfd, const struct state *state, struct error *err)
{
	const char *id = state->id;
	/* startContainer hooks come before the program, under its filter: how long they take is theirs to say. */
	bool  patient = !state->seccomp_listens || state->start_container;
	int   timeout_ms = patient ? -1 : TALK_LISTENER_PATIENCE_S * 1000, count;

	fd_owned fifo = openat(dir_fd, STATE_FIFO, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	/* What a user's state directory has there root must not write into: it may be a hard link. */
	if (fifo >= 0 && fstat(fifo, &st) == 0 && !S_ISFIFO(st.st_mode)) {
		error_at(err, 0, id, "%s in its state directory is no fifo", STATE_FIFO);
		return error_hint(err, "it is damaged: delete --force removes the container");
	}
	if (fifo < 0 || write(fifo, "", 1) != 1)
		return error_at(err, errno, id, "write to %s", STATE_FIFO);
	struct pollfd fds[] = { { .fd = fifo, .events = 0 }, { .fd = pidfd, .events = POLLIN } };
	while ((count = poll(fds, 2, timeout_ms)) < 0)
		if (errno != EINTR)
			return error_at(err, errno, id, "wait for the program");
	if (count == 0)
		return talk_listener_is_silent(err);
	if (check_executed(dir_fd, id, err) < 0)
		return -err->code;
	if (unlinkat(dir_fd, STATE_FIFO, 0) < 0 && errno != ENOENT)
		return error_at(err, errno, id, "remove %s", STATE_FIFO);
	return 0;
}

/* runtime.md, "Lifecycle": a poststart hook that fails is an error, and stops the container. */
static int run_hooks(int dir_fd, int pidfd, const struct state *state, int *ret_signal_fd, struct error *err)
{
	struct error ignored;

	if (!state->poststart)
		return 0;
	int ret = signals_open(ret_signal_fd, err);
	if (ret == 0)
		ret = hooks_poststart(state, dir_fd, *ret_signal_fd, err);
	if (ret < 0)
		(void)!destroy_kill(state, dir_fd, pidfd, &ignored);
	return ret;
}

/* Let it go; under a service manager that is to be notified, wait until it is ready. */
static int start(int dir_fd, int pidfd, const struct state *state, struct error *err)
{
	struct notify *notify = NULL;
	fd_owned signal_fd = -1;

	if (state->poststart && hooks_check_owner(dir_fd, err) < 0)
		return -err->code;
	int ret = notify_open(dir_fd, &notify, err);
	if (ret == 0)
		ret = let_go(dir_fd, pidfd, state, err);
	if (ret == 0) {
		notify_set_main_pid(notify, state->pid);
		state_unlock(dir_fd); /* others may look, kill, delete while we wait */
		ret = run_hooks(dir_fd, pidfd, state, &signal_fd, err);
	}
	if (ret == 0)
		ret = notify_wait_ready(notify, pidfd, signal_fd, err);
	notify_close(notify);
	return ret;
}

int start_run(const struct global_options *global, const void *options, char **arguments, struct error *err)
{
	const char *id = arguments[0];
	command_container_owned container = { .root.fd = -1, .dir_fd = -1, .pidfd = -1 };

	(void)options;
	if (command_container_open(global, id, true, &container, err) < 0 || check_created(container.status, id, err) < 0)
		return -err->code;
	if (container.state.no_process) {
		error_at(err, 0, id, "cannot start a container whose config.json has no process");
		return error_hint(err, "delete it, and create it again with a process in config.json");
	}
	return start(container.dir_fd, container.pidfd, &container.state, err);
}
