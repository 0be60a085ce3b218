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
#include "base/str.h"
#include "host/console.h"
#include "host/notify.h"
#include "host/signals.h"

struct foreground {
	struct foreground_process process;
	bool           has_console;
	struct console console;
};

int foreground_open(const struct foreground_process *process, struct foreground **ret_foreground, struct error *err)
{
	struct foreground *foreground = calloc(1, sizeof(*foreground));

	if (foreground == NULL) {
		int console_fd = process->console_fd;

		fd_close(&console_fd);
		return error_set(err, ENOMEM, "run");
	}
	foreground->process = *process;
	*ret_foreground = foreground;
	if (process->console_fd < 0)
		return 0;
	foreground->has_console = true;
	if (console_attach(&foreground->console, process->console_fd, err) < 0)
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
		pidfd_send_signal(foreground->process.pidfd, number, NULL, 0);
}

/* Children that are not the program itself: orphans of the container that came to us
 * as the subreaper. */
static void reap_orphans(pid_t first)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
		    info.si_pid == first)
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static int exit_status(int pidfd, struct error *err)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		return error_set(err, errno, "wait for the program");
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int foreground_wait(struct foreground *foreground, struct error *err)
{
	const struct foreground_process *process = &foreground->process;
	/* Signals, the process, three of the terminal, the service manager's socket. */
	struct pollfd fds[] = { [2] = { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
	int number;

	for (;;) {
		fds[0] = (struct pollfd){ .fd = process->signal_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = process->pidfd, .events = POLLIN };
		if (foreground->has_console)
			console_poll(&foreground->console, &fds[2]);
		notify_poll(process->notify, &fds[5]);
		if (poll(fds, array_size(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_set(err, errno, "poll");
		}
		while (fds[0].revents != 0 && (number = signals_next(process->signal_fd)) != 0)
			forward(foreground, number);
		reap_orphans(process->pid);
		if (fds[1].revents != 0)
			break;
		if (foreground->has_console)
			console_move(&foreground->console, &fds[2]);
		notify_move(process->notify, &fds[5]);
	}
	notify_drain(process->notify);
	if (foreground->has_console) {
		console_drain(&foreground->console, process->signal_fd);
		console_close(&foreground->console);
	}
	return exit_status(process->pidfd, err);
}

void foreground_close(struct foreground *foreground)
{
	if (foreground != NULL && foreground->has_console)
		console_close(&foreground->console);
	free(foreground);
}
