/* signals.c - see signals.h. Side: host. */
#define _GNU_SOURCE
#include "host/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/io.h"

int signals_open(int *ret_fd, struct error *err)
{
	/* The synchronous ones, and those that stop a background job that uses its terminal: the shell
	 * expects that of us. */
	static const int unblocked[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGTTIN, SIGTTOU };
	sigset_t set;

	sigfillset(&set);
	for (unsigned i = 0; i < sizeof(unblocked) / sizeof(unblocked[0]); i++)
		sigdelset(&set, unblocked[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_set(err, errno, "block the signals");
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_fd < 0 ? error_set(err, errno, "signalfd") : 0;
}

int signals_next(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

bool signals_interrupts(int number)
{
	return number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM;
}

static int interrupted(int number, struct error *err)
{
	error_set(err, EINTR, "signal %d (%s)", number, sigabbrev_np(number));
	err->exit_status = 128 + number;
	return -EINTR;
}

int signals_interrupted(int fd, struct error *err)
{
	int number;

	while ((number = signals_next(fd)) != 0) {
		if (!signals_interrupts(number))
			continue;
		return interrupted(number, err);
	}
	return 0;
}

int signals_interrupted_of(int pid, struct error *err)
{
	static const char name[] = "\nShdPnd:";
	char path[32], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	const char *line = io_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 ? NULL : strstr(text, name);
	if (line == NULL)
		return 0;
	unsigned long long pending = strtoull(line + strlen(name), NULL, 16);
	for (int number = 1; number < SIGSYS; number++)
		if (signals_interrupts(number) && (pending & 1ULL << (number - 1)))
			return interrupted(number, err);
	return 0;
}
