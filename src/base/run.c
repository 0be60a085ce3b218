/* run.c - see run.h. Side: any. */
#define _GNU_SOURCE
#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

#define TIMEOUT_MS 10000

int run_find(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	if (snprintf(path, size, "/usr/bin/%s", name) < (int)size && access(path, X_OK) == 0)
		return 0;
	for (; dirs != NULL && geteuid() != 0; dirs = strchr(dirs, ':') ? strchr(dirs, ':') + 1 : NULL) {
		int length = (int)strcspn(dirs, ":");

		if (length > 0 && dirs[0] == '/' && snprintf(path, size, "%.*s/%s", length, dirs, name) < (int)size &&
		    access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

int run_start(struct run *run, char *const *argv, int fd, struct error *err)
{
	static char *const no_environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int      ends[2];

	*run = (struct run){ .pidfd = -1, .output = -1 };
	snprintf(run->path, sizeof(run->path), "%s", argv[0]);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_at(err, errno, run->path, "start");
	run->output = ends[0];
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, fd == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO, "/dev/null",
					 O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], fd);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	int code = posix_spawn(&run->pid, run->path, &actions, &attributes, argv, no_environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(ends[1]);
	if (code != 0) {
		run->pid = 0;
		return error_at(err, code, run->path, "start");
	}
	run->pidfd = pidfd_open(run->pid, 0);
	return run->pidfd < 0 ? error_at(err, errno, run->path, "pidfd_open") : 0;
}

int run_wait(struct run *run, char *text, size_t size, struct error *err)
{
	int64_t deadline = sys_now_ms() + TIMEOUT_MS;
	size_t  used = 0;
	int     status;

	text[0] = '\0';
	for (bool ended = false; !ended;) {
		struct pollfd fds[] = { { .fd = run->output, .events = POLLIN }, { .fd = run->pidfd, .events = POLLIN } };
		int64_t left = deadline - sys_now_ms();

		if (left <= 0)
			return error_at(err, ETIMEDOUT, run->path, "no answer after %d s", TIMEOUT_MS / 1000);
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return error_at(err, errno, run->path, "wait");
		char    rest[512]; /* what does not fit is read, so that the program can end */
		bool    fits = used < size - 1;
		ssize_t count = fds[0].revents ? read(run->output, fits ? text + used : rest,
						      fits ? size - 1 - used : sizeof(rest)) : -1;
		if (count > 0 && fits)
			used += (size_t)count;
		if (count == 0)
			fd_close(&run->output);
		text[used] = '\0';
		ended = fds[1].revents != 0 && count <= 0;
	}
	if (waitpid(run->pid, &status, 0) < 0)
		return error_at(err, errno, run->path, "wait");
	run->pid = 0;
	return status;
}

void run_end(struct run *run)
{
	/* A set-user-id program may not be ours to kill, but it does not run for long either. */
	if (run->pid > 0) {
		kill(run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
	}
	run->pid = 0;
	fd_close(&run->pidfd);
	fd_close(&run->output);
}
