/* talk.h - the host's side of the launch socket: what `create`, `run` and `exec` do while the other
 * side makes the process ready. Side: host. */
#ifndef MOSS_TALK_H
#define MOSS_TALK_H
#include "base/error.h"

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
};

/* Answer until the process is ready.
 * Returns 0; or -errno with @err set: what the other side or one of the functions above said, or
 * how the process ended; err->exit_status is 128 + N when signal N interrupted it. */
int talk_until_ready(const struct talk *talk, struct error *err) __attribute__((nonnull, warn_unused_result));

/* It was told to go on without waiting for a start, or goes on by itself: answer until the program is executed.
 * Returns 0, also when the process died on the way without a word: its status tells. */
int talk_until_executed(const struct talk *talk, struct error *err) __attribute__((nonnull, warn_unused_result));

/* What the other side had to say before it died explains more than our broken pipe: put it into
 * @err, if there is something. */
void talk_last_words(int sock, struct error *err) __attribute__((nonnull));

#endif
