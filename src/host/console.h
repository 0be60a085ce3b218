/* console.h - the caller's terminal and the pty of the container, one copied to the other. Side: host. */
#ifndef MOSS_HOST_CONSOLE_H
#define MOSS_HOST_CONSOLE_H
#include "base/error.h"

/* The caller's terminal: whichever of fds 0-2 is one, else the controlling terminal. Returns an fd,
 * lent, or -1 when there is none. */
int console_find_terminal(void);

/* Make the pty fit the caller's terminal, before the program can look at it: its size, and no
 * added carriage returns, because the terminal adds them already. */
void console_prepare(int master);

/* Open what is needed to copy between stdin, stdout and the pty; put stdin into raw mode when it is a
 * terminal and we are in the foreground. @master is taken over, also on failure.
 * Returns 0 and what console_close() is to be called with; or -errno with @err set. */
struct console;
int console_attach(int master, struct console **ret_console, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The program has started. Raw mode, if that is still to be done: a background job is stopped here
 * (SIGTTOU) until it is in the foreground. Returns 0 or -errno with @err set. */
int console_start(struct console *console, struct error *err) __attribute__((nonnull, warn_unused_result));

/* What to poll(2) for; @fds has room for three. */
struct pollfd;
void console_poll(const struct console *console, struct pollfd *fds) __attribute__((nonnull));

/* Move what can be moved, as the polled @fds say, without waiting. When the caller's terminal is gone,
 * or stdout can't be written, the pty is hung up, which sends SIGHUP to its programs.
 * Returns 0; or why it was hung up, -errno, once: afterwards there is nothing to move. */
int console_move(struct console *console, const struct pollfd *fds) __attribute__((nonnull, warn_unused_result));

/* Copy the terminal's size to the pty. */
void console_resize(const struct console *console) __attribute__((nonnull));

/* Give the terminal back as it was; moss is to be stopped. */
void console_suspend(struct console *console) __attribute__((nonnull));

/* moss was stopped and goes on: raw mode and size again. */
void console_resume(struct console *console) __attribute__((nonnull));

/* The program has ended: bring out what it wrote before that, however slowly it is read; a signal
 * that ends programs, read from @signal_fd, ends this. */
void console_drain(struct console *console, int signal_fd) __attribute__((nonnull));

/* Restore the terminal, hang up the pty, free. NULL is nothing. */
void console_close(struct console *console);

#endif
