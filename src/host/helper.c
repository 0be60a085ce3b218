/* helper.c - see helper.h. Side: host. Needs: /proc. */
#define _GNU_SOURCE
#include "host/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sync.h"

/* A file without an execute bit counts as missing, for root too (access(2)). */
static int take(const char *directory, const char *name, char *ret_path, size_t size)
{
	return snprintf(ret_path, size, "%s/%s", directory, name) < (int)size && access(ret_path, X_OK) == 0 ? 0 : -ENOENT;
}

int helper_find(const char *name, char *ret_path, size_t size, struct error *err)
{
	char    own[4096];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(own, '/');
	if (slash != NULL)
		*slash = '\0';
	if ((slash != NULL && take(own, name, ret_path, size) == 0) || take(MOSS_LIBEXECDIR, name, ret_path, size) == 0)
		return 0;
	error_at(err, ENOENT, name, "find the helper program");
	return error_hint(err, "it is neither in %s, where moss is, nor in " MOSS_LIBEXECDIR ": install moss again, or build it with this part",
			  slash != NULL ? own : "moss's own directory");
}

int helper_start(char *const *words, char *const *environment, const struct helper_fd *fds, size_t count, const char *path,
		 pid_t *ret_pid, struct error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	for (size_t i = 0; i < count; i++)
		if (fds[i].from >= 0)
			posix_spawn_file_actions_adddup2(&actions, fds[i].from, fds[i].as);
		else
			posix_spawn_file_actions_addopen(&actions, fds[i].as, "/dev/null", O_RDWR, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	int code = posix_spawn(ret_pid, path, &actions, &attributes, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return code != 0 ? error_at(err, code, path, "start") : 0;
}

int helper_wait(const char *name, int sock, int timeout_ms, int (*note)(void *context, const char *text, struct error *err),
		void *context, struct error *err)
{
	struct sync_message message;

	for (;;) {
		struct pollfd answer = { .fd = sock, .events = POLLIN };
		int ready = poll(&answer, 1, timeout_ms);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return error_at(err, ready < 0 ? errno : ETIMEDOUT, name, "wait for the helper program's answer");
		int ret = sync_receive(sock, &message);
		if (ret < 0)
			return error_at(err, -ret, name, "read the helper program's answer");
		fd_close(&message.fd); /* none is sent */
		if (message.kind == SYNC_READY)
			return 0;
		if (message.kind == SYNC_ERROR) {
			*err = message.error;
			return -err->code;
		}
		if (message.kind != SYNC_NOTE) {
			error_at(err, EPIPE, name, "the helper program ended without an answer");
			return error_hint(err, "it was killed, or a library of its is missing: run it by hand (it is beside moss, or in " MOSS_LIBEXECDIR ")");
		}
		if (note != NULL && note(context, message.text, err) < 0)
			return -err->code;
	}
}
