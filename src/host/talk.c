/* talk.c - see talk.h. Side: host. */
#define _GNU_SOURCE
#include "host/talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sync.h"
#include "host/console.h"
#include "host/fd_socket.h"
#include "host/signals.h"
#include "spec/spec_seccomp.h"

#define LAST_WORDS_MS 1000

/* The other end of the socket is closed and no error came: say how the process ended. */
static int explain_end(int pidfd, struct error *err)
{
	siginfo_t info = { 0 };

	/* An exec.fifo in flight or a caller's kill: the status is all that is left to tell. */
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT) < 0)
		return error_set(err, errno == ECHILD ? EPIPE : errno, "the container's process is gone");
	if (info.si_code == CLD_EXITED)
		return error_set(err, EPIPE, "the container's process ended with status %d", info.si_status);
	error_set(err, EPIPE, "the container's process was killed by signal %d", info.si_status);
	return info.si_status == SIGKILL ? error_hint(err, "out of memory, or killed by somebody") : -EPIPE;
}

/* Returns 1 when there is nothing more to say. */
static int handle(const struct talk *talk, struct sync_message *message, struct error *err)
{
	fd_owned fd = message->fd;

	switch (message->kind) {
	case SYNC_SEALED:
		if (talk->sealed != NULL)
			return talk->sealed(talk->context, err);
		break;
	case SYNC_HOOKS:
		if (talk->hooks != NULL)
			return talk->hooks(talk->context, err);
		break;
	case SYNC_NOTE:
		if (talk->note != NULL)
			return talk->note(talk->context, message->text, err);
		break;
	case SYNC_CONSOLE:
		if (talk->console_fd == NULL)
			break;
		if (talk->console_sock >= 0)
			return fd_socket_send_console(talk->console_sock, fd, err);
		console_prepare(fd);
		*talk->console_fd = fd_take(&fd);
		return 0;
	case SYNC_READY:
		if (talk->ready != NULL)
			return talk->ready(talk->context, err) < 0 ? -err->code : 1;
		break;
	case SYNC_ERROR:
		*err = message->error;
		return -err->code;
	case SYNC_END:
		return explain_end(talk->pidfd, err);
	default:
		break;
	}
	return error_set(err, EPROTO, "message %d", (int)message->kind);
}

/* Wait for the socket, but not longer than until a signal asks us to stop; or for @timeout_ms (-1: for ever). */
static int wait_readable(const struct talk *talk, int timeout_ms, struct error *err)
{
	struct pollfd fds[] = { { .fd = talk->sock, .events = POLLIN }, { .fd = talk->signal_fd, .events = POLLIN } };

	for (;;) {
		int count = poll(fds, array_size(fds), timeout_ms);

		if (count < 0 && errno != EINTR)
			return error_set(err, errno, "poll");
		if (count == 0)
			return error_set(err, ETIMEDOUT, "the other side");
		if (count < 0)
			continue;
		/* First: a program that is executed already gets its signals from us, and is not ended by them. */
		if (fds[0].revents != 0)
			return 0;
		if (fds[1].revents != 0 && signals_interrupted(talk->signal_fd, err) < 0)
			return -err->code;
	}
}

int talk_listener_is_silent(struct error *err)
{
	error_at(err, ETIMEDOUT, "linux: seccomp: listenerPath", "the program is not executed after %d s", TALK_LISTENER_PATIENCE_S);
	return error_hint(err, "who listens there must answer for execve, or linux.seccomp must not notify of it");
}

int talk_until_ready(const struct talk *talk, struct error *err)
{
	struct sync_message message;
	int ret = 0;

	while (ret == 0) {
		if (wait_readable(talk, -1, err) < 0)
			return -err->code;
		ret = sync_receive(talk->sock, &message);
		if (ret < 0)
			return error_set(err, -ret, "receive from the container's process");
		ret = handle(talk, &message, err);
	}
	return ret < 0 ? ret : 0;
}

int talk_until_executed(const struct talk *talk, struct error *err)
{
	struct sync_message message;

	bool patient = talk->seccomp == NULL || !talk->seccomp->listens;

	do {
		if (wait_readable(talk, patient ? -1 : TALK_LISTENER_PATIENCE_S * 1000, err) < 0)
			return err->code == ETIMEDOUT ? talk_listener_is_silent(err) : -err->code;
		int ret = sync_receive(talk->sock, &message);
		if (ret < 0)
			return error_set(err, -ret, "wait for the program");
		/* End of file: the program is executed, or its process died on the way; its status tells. */
		if (message.kind != SYNC_END && handle(talk, &message, err) < 0)
			return -err->code;
	} while (message.kind != SYNC_END);
	int code = talk->seccomp != NULL ? atomic_load(&talk->seccomp->exec_errno) : 0;
	if (code == 0)
		return 0;
	/* Written by the container's side. */
	error_at(err, code > 0 && code <= SPEC_SECCOMP_ERRNO_MAX ? code : EPERM, "exec", "execute the program");
	err->exit_status = 255;
	return error_hint(err, "the seccomp filter let moss say no more; without linux.seccomp it says what is missing");
}

int talk_take_listener(const struct talk *talk, int *ret_fd, struct error *err)
{
	struct sync_message message;

	if (wait_readable(talk, -1, err) < 0)
		return -err->code;
	int ret = sync_receive(talk->sock, &message);
	if (ret < 0)
		return error_set(err, -ret, "wait for the listener of the seccomp filter");
	if (message.kind == SYNC_LISTENER && message.fd >= 0) {
		*ret_fd = message.fd;
		return 0;
	}
	ret = handle(talk, &message, err);
	return ret < 0 ? ret : error_set(err, EPROTO, "message %d", (int)message.kind);
}

void talk_last_words(int sock, struct error *err)
{
	struct pollfd more = { .fd = sock, .events = POLLIN };
	struct sync_message message;

	/* It has ended, or is about to: somebody who waits for us has nothing to say. */
	while (poll(&more, 1, LAST_WORDS_MS) > 0 && sync_receive(sock, &message) == 0 && message.kind != SYNC_END) {
		fd_close(&message.fd);
		if (message.kind == SYNC_ERROR) {
			*err = message.error;
			return;
		}
	}
}
