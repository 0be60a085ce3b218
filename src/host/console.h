/* console.h - the caller's terminal and the pty of the container, one copied to the other. Side: host. */
#ifndef MOSS_HOST_CONSOLE_H
#define MOSS_HOST_CONSOLE_H
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/error.h"

/* Bytes on their way from one side of the pty to the other. */
struct console_buffer {
	char   bytes[4096]; /* PIPE_BUF: a pipe that poll(2) calls writable takes it whole */
	size_t start, end;
	bool   ended;       /* nothing more will come in */
};

struct console {
	int  master;            /* owned */
	int  host;              /* the fd of 0..2 that is the caller's terminal */
	bool raw;               /* its settings are to be restored */
	struct termios saved;
	struct console_buffer in, out;
};

/* Make the pty fit the caller's terminal, before the program can look at it: its size, and no
 * added carriage returns, because the terminal adds them already. */
void console_prepare(int master);

/* Put the caller's terminal into raw mode. @master is taken over,
 * also on failure. Returns 0 or -errno with @err set: -ENOTTY when none of 0-2 is a terminal. */
int console_attach(struct console *console, int master, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Is one of fds 0-2 a terminal? Returns it, or -1. */
int console_find_terminal(void);

/* moss was stopped and goes on: raw mode and size again. */
void console_resume(struct console *console) __attribute__((nonnull));

/* Copy the terminal's size to the pty. */
void console_resize(struct console *console) __attribute__((nonnull));

/* What to poll(2) for; @fds has room for three. */
struct pollfd;
void console_poll(struct console *console, struct pollfd *fds) __attribute__((nonnull));

/* Move what can be moved, as the polled @fds say. */
void console_move(struct console *console, const struct pollfd *fds) __attribute__((nonnull));

/* Bring out what the program wrote before it ended, however slowly it is read; a signal that ends
 * programs, read from @signal_fd, ends this. */
void console_drain(struct console *console, int signal_fd) __attribute__((nonnull));

/* Restore the terminal, close the master. */
void console_close(struct console *console) __attribute__((nonnull));

#endif
