/* foreground.c - see foreground.h. Side: host. */
#define _GNU_SOURCE
#include "host/foreground.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/console.h"
#include "host/signals.h"

struct foreground {
	struct launched *launched;
	bool             has_console;
	struct console   console;
};

int foreground_open(struct launched *launched, struct foreground **ret_foreground, struct error *err)
{
	struct foreground *foreground = calloc(1, sizeof(*foreground));

	if (foreground == NULL)
		return error_set(err, ENOMEM, "run");
	foreground->launched = launched;
	*ret_foreground = foreground;
	if (launched->console_fd < 0)
		return 0;
	foreground->has_console = true;
	int master = fd_take(&launched->console_fd);
	if (console_attach(&foreground->console, master, err) < 0)
		return error_step(err, "terminal");
	return 0;
}

static void forward(struct foreground *foreground, int number)
{
	if (number == SIGCHLD || number == SIGURG)
		return;
	if (number == SIGWINCH && foreground->has_console)
		console_resize(&foreground->console);
	else if (number == SIGCONT && foreground->has_console)
		console_resume(&foreground->console); /* `fg`: the shell has set its own modes meanwhile */
	else
		pidfd_send_signal(foreground->launched->pidfd, number, NULL, 0);
}

/* Children that are not the container's first process: orphans of the container that came to us
 * as the subreaper. */
static void reap_orphans(const struct launched *launched)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
		    info.si_pid == launched->state.pid)
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static int exit_status(const struct launched *launched, struct error *err)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)launched->pidfd, &info, WEXITED) < 0)
		return error_set(err, errno, "wait for the container");
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int foreground_wait(struct foreground *foreground, struct error *err)
{
	struct launched *launched = foreground->launched;
	struct pollfd fds[5];
	int number;

	for (;;) {
		fds[0] = (struct pollfd){ .fd = launched->signal_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = launched->pidfd, .events = POLLIN };
		if (foreground->has_console)
			console_poll(&foreground->console, &fds[2]);
		if (poll(fds, foreground->has_console ? 5 : 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_set(err, errno, "poll");
		}
		while (fds[0].revents != 0 && (number = signals_next(launched->signal_fd)) != 0)
			forward(foreground, number);
		reap_orphans(launched);
		if (fds[1].revents != 0)
			break;
		if (foreground->has_console)
			console_move(&foreground->console, &fds[2]);
	}
	if (foreground->has_console) {
		console_drain(&foreground->console, launched->signal_fd);
		console_close(&foreground->console);
	}
	return exit_status(launched, err);
}

void foreground_close(struct foreground *foreground)
{
	if (foreground != NULL && foreground->has_console)
		console_close(&foreground->console);
	free(foreground);
}
