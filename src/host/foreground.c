/* foreground.c - see foreground.h. Side: host. */
#define _GNU_SOURCE
#include "host/foreground.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "host/console.h"
#include "host/notify.h"
#include "host/signals.h"

struct foreground {
	struct foreground_process process;
	struct console *console; /* NULL: the program has no terminal */
	bool            killed;  /* by us, in the place of SIGHUP */
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
	if (process->console_fd >= 0 && console_attach(process->console_fd, &foreground->console, err) < 0)
		return error_step(err, "terminal");
	return 0;
}

/* SIGTSTP, from outside: what is typed goes to the container's own terminal. Stop as any program does, but
 * give the terminal back before that. */
static void stop(struct foreground *foreground)
{
	sigset_t set, blocked;

	console_suspend(foreground->console);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	/* Here we are stopped; or go on at once, where it is ignored or no shell would wake us again. */
	sigprocmask(SIG_UNBLOCK, &set, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	console_resume(foreground->console);
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

static void forward(struct foreground *foreground, int number)
{
	if (number == SIGURG)
		return;
	if (number == SIGCHLD)
		reap_orphans(foreground->process.pid);
	else if (number == SIGWINCH && foreground->console)
		console_resize(foreground->console);
	else if (number == SIGTSTP && foreground->console)
		stop(foreground);
	else if (number == SIGCONT && foreground->console)
		console_resume(foreground->console); /* `fg`: the shell has set its own modes meanwhile */
	else
		pidfd_send_signal(foreground->process.pidfd, number, NULL, 0);
}

/* The pty is hung up, and the kernel has sent SIGHUP. pid_namespaces(7): the first process of the
 * container is spared by a signal that it did nothing about, and nobody could reach it any more. */
static void end_unreachable(struct foreground *foreground, int code)
{
	if (code != EPIPE && code != EIO) /* those are a reader's and a terminal's end */
		log_line(LOG_LEVEL_WARNING, "stdout: write: %s; the program gets SIGHUP", strerror(code));
	if (proc_signal_is_default(foreground->process.pid, SIGHUP))
		foreground->killed = pidfd_send_signal(foreground->process.pidfd, SIGKILL, NULL, 0) == 0;
}

static int exit_status(const struct foreground *foreground, struct error *err)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)foreground->process.pidfd, &info, WEXITED) < 0)
		return error_set(err, errno, "wait for the program");
	if (info.si_code == CLD_EXITED)
		return info.si_status;
	return 128 + (foreground->killed && info.si_status == SIGKILL ? SIGHUP : info.si_status);
}

int foreground_wait(struct foreground *foreground, struct error *err)
{
	const struct foreground_process *process = &foreground->process;
	/* Signals, the process, three of the terminal, the service manager's socket. */
	struct pollfd fds[] = { [2] = { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
	int number;

	if (foreground->console && console_start(foreground->console, err) < 0)
		return error_step(err, "terminal");
	for (;;) {
		fds[0] = (struct pollfd){ .fd = process->signal_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = process->pidfd, .events = POLLIN };
		if (foreground->console)
			console_poll(foreground->console, &fds[2]);
		notify_poll(process->notify, &fds[5]);
		if (poll(fds, array_size(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_set(err, errno, "poll");
		}
		while (fds[0].revents != 0 && (number = signals_next(process->signal_fd)) != 0)
			forward(foreground, number);
		if (fds[1].revents != 0)
			break;
		int ret = foreground->console ? console_move(foreground->console, &fds[2]) : 0;
		if (ret < 0)
			end_unreachable(foreground, -ret);
		notify_move(process->notify, &fds[5]);
	}
	notify_drain(process->notify);
	if (foreground->console)
		console_drain(foreground->console, process->signal_fd);
	return exit_status(foreground, err);
}

void foreground_close(struct foreground *foreground)
{
	if (foreground != NULL)
		console_close(foreground->console);
	free(foreground);
}
