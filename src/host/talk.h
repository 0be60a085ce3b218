/* talk.h - the host's side of the launch socket: what `create`, `run` and `exec` do while the other
 * side makes the process ready. Side: host. */
#ifndef MOSS_TALK_H
#define MOSS_TALK_H
#include "base/error.h"
#include "init/init.h"

#define TALK_LISTENER_PATIENCE_S 10 /* with a seccomp agent that is asked about our own execve(2) */

struct talk { /* every fd is lent; a message whose function is NULL is an error */
	int  sock, pidfd, signal_fd;
	int  console_sock; /* who keeps the pty's master; -1: it comes into *console_fd */
	int *console_fd;
	/* SYNC_NOTE: something was adapted. */
	int (*note)(void *context, const char *text, struct error *err);
	/* SYNC_SEALED: it can't be looked into any more. */
	int (*sealed)(void *context, struct error *err);
	/* SYNC_HOOKS: it waits for hooks; NULL where there are none. */
	int (*hooks)(void *context, struct error *err);
	/* SYNC_READY: all its steps are done. The talk ends behind it. */
	int (*ready)(void *context, struct error *err);
	void *context;
	const struct init_seccomp *seccomp; /* the filter below which the program is executed; NULL: none */
};

/* Answer until the process is ready.
 * Returns 0; or -errno with @err set: what the other side or one of the functions above said, or
 * how the process ended; err->exit_status is 128 + N when signal N interrupted it. */
int talk_until_ready(const struct talk *talk, struct error *err) __attribute__((nonnull, warn_unused_result));

/* It was told to go on without waiting for a start, or goes on by itself: answer until the program is executed.
 * Returns 0, also when the process died on the way without a word: its status tells; a seccomp filter may leave
 * it no other way. Waits TALK_LISTENER_PATIENCE_S where that depends on who listens to the filter. */
int talk_until_executed(const struct talk *talk, struct error *err) __attribute__((nonnull, warn_unused_result));

/* It was told to go on: take the listener of its seccomp filter, which the caller closes.
 * Returns 0 or -errno with @err set. */
int talk_take_listener(const struct talk *talk, int *ret_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Set @err for a program that is not executed after TALK_LISTENER_PATIENCE_S. Returns -ETIMEDOUT. */
int talk_listener_is_silent(struct error *err) __attribute__((nonnull));

/* What the other side had to say before it died explains more than our broken pipe: put it into
 * @err, if there is something. */
void talk_last_words(int sock, struct error *err) __attribute__((nonnull));

#endif
