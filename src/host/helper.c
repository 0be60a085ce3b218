/* helper.c - see helper.h. Side: host. Needs: /proc. */
#define _GNU_SOURCE
#include "host/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "host/signals.h"

#define LOOK_MS 100

/* A file without an execute bit counts as missing, for root too (access(2)). */
static int take(const char *directory, const char *name, char *ret_path, size_t size)
{
	return snprintf(ret_path, size, "%s/%s", directory, name) < (int)size && access(ret_path, X_OK) == 0 ? 0 : -ENOENT;
}

static char own_path[4096]; /* "": it can't be told, or was not looked for */

void helper_know_own(const char *path)
{
	if (strlen(path) < sizeof(own_path))
		strcpy(own_path, path);
}

/* "": it can't be told, as of a binary that was removed. */
static const char *own_directory(void)
{
	static char own[sizeof(own_path)];
	static bool known;

	if (known)
		return own;
	known = true;
	if (own_path[0] == '\0')
		(void)!readlink("/proc/self/exe", own_path, sizeof(own_path) - 1);
	const char *slash = own_path[0] == '/' && access(own_path, F_OK) == 0 ? strrchr(own_path, '/') : own_path;
	memcpy(own, own_path, (size_t)(slash - own_path));
	return own;
}

int helper_find(const char *name, char *ret_path, size_t size, struct error *err)
{
	const char *own = own_directory();

	if ((own[0] != '\0' && take(own, name, ret_path, size) == 0) || take(MOSS_LIBEXECDIR, name, ret_path, size) == 0)
		return 0;
	error_at(err, ENOENT, name, "find the helper program");
	return error_hint(err, "it is neither in %s, where moss is, nor in " MOSS_LIBEXECDIR ": install moss again, or build it with this part",
			  own[0] != '\0' ? own : "moss's own directory");
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
	/* What a terminal sends to moss and its kind is moss's to judge: a session of its own. */
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	posix_spawnattr_setsigmask(&attributes, &none);
	int code = posix_spawn(ret_pid, path, &actions, &attributes, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return code != 0 ? error_at(err, code, path, "start") : 0;
}

int helper_ended(const char *name, struct error *err)
{
	error_at(err, 0, name, "the helper program ended without an answer");
	return error_hint(err, "it was killed, or a library of its is missing: run it by hand (it is beside moss, or in " MOSS_LIBEXECDIR ")");
}

/* The longest time without a look at somebody else's signals. */
static int slice(const struct helper_wait *wait, int64_t left)
{
	return wait->asleep > 0 && left > LOOK_MS ? LOOK_MS : (int)left;
}

/* 1: there is something to read. */
static int wait_readable(const struct helper_wait *wait, int64_t deadline, struct error *err)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = wait->sock, .events = POLLIN }, { .fd = wait->signal_fd, .events = POLLIN } };
		int64_t left = deadline - sys_now_ms();

		if (left <= 0)
			return error_at(err, ETIMEDOUT, wait->name, "wait for the helper program's answer");
		int ready = poll(fds, array_size(fds), slice(wait, left));
		if (ready < 0 && errno != EINTR)
			return error_at(err, errno, wait->name, "wait for the helper program's answer");
		if (fds[0].revents != 0)
			return 1;
		if (fds[1].revents != 0 && signals_interrupted(wait->signal_fd, err) < 0)
			return -err->code;
		if (ready == 0 && wait->asleep > 0 && signals_interrupted_of(wait->asleep, err) < 0)
			return -err->code;
	}
}

int helper_wait(const struct helper_wait *wait, struct error *err)
{
	int64_t deadline = sys_now_ms() + wait->timeout_ms;
	struct sync_message message;

	while (wait_readable(wait, deadline, err) > 0) {
		int ret = sync_receive(wait->sock, &message);

		if (ret < 0)
			return error_at(err, -ret, wait->name, "read the helper program's answer");
		fd_close(&message.fd); /* none is sent */
		if (message.kind == SYNC_READY)
			return 0;
		if (message.kind == SYNC_ERROR) {
			*err = message.error;
			return -err->code;
		}
		if (message.kind != SYNC_NOTE)
			return helper_ended(wait->name, err);
		if (wait->note != NULL && wait->note(wait->context, message.text, err) < 0)
			return -err->code;
	}
	return -err->code;
}
