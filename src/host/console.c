/* console.c - see console.h. Side: host. */
#define _GNU_SOURCE
#include "host/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/signals.h"

#define LEFT_BYTES   65536 /* more than the kernel keeps of a pty's output (Linux 6.18: 12 KiB) */
#define END_FIRST_MS 10
#define END_LAST_MS  1000

/* Bytes on their way from one side of the pty to the other. */
struct console_buffer {
	size_t start, end;
	char   bytes[16384];
};

struct console {
	int    master;        /* owned; -1 once the pty is hung up */
	int    slave;         /* owned: as long as we have it open, a program may close its terminal and open it again */
	int    source;        /* owned: stdin, to read from; after its end a timer */
	int    sink;          /* owned: stdout */
	bool   from_terminal, to_terminal;
	bool   raw;           /* the settings of stdin are to be restored */
	bool   source_ended;
	bool   sink_waits;    /* write(2) may wait for a reader: only after poll(2) */
	int    end_ms;        /* until the end of stdin is told (again) */
	size_t taken_bytes;   /* of output, so far */
	struct termios saved;
	struct console_buffer in, out;
};

int console_find_terminal(void)
{
	static int controlling = -1;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			return fd;
	if (controlling < 0)
		controlling = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	return controlling;
}

static void copy_size(int from, int to)
{
	struct winsize size;

	/* Zeros: a terminal that does not know its size; consoleSize may know one. */
	if (ioctl(from, TIOCGWINSZ, &size) == 0 && (size.ws_row != 0 || size.ws_col != 0))
		ioctl(to, TIOCSWINSZ, &size);
}

void console_prepare(int master)
{
	struct termios settings;

	if (tcgetattr(master, &settings) == 0) {
		settings.c_oflag &= ~(tcflag_t)ONLCR;
		tcsetattr(master, TCSANOW, &settings);
	}
	copy_size(console_find_terminal(), master);
}

/* TCSANOW, here and below: a terminal that is stopped, or that another program waits to write to, may
 * never drain; and what is written was processed by the old settings when it was written. */
static int set_raw(const struct console *console)
{
	struct termios settings = console->saved;

	cfmakeraw(&settings);
	settings.c_oflag |= OPOST; /* as runc leaves it: what others write to the terminal stays readable */
	return tcsetattr(console->source, TCSANOW, &settings);
}

/* Then the settings are somebody else's, and touching them would stop us (SIGTTOU). */
static bool in_background(const struct console *console)
{
	pid_t foreground = tcgetpgrp(console->source);

	return foreground > 0 && foreground != getpgrp();
}

/* A description of our own of what @fd, stdin or stdout, has open. The one that is there we share with
 * the shell and whatever it started: with O_NONBLOCK on it those would fail, without it a stopped
 * terminal would hold us up, and the signals with us. Only terminals and pipes: a file would be open at
 * another place, and never waits. Returns the fd or -1. */
static int reopen(int fd, int mode)
{
	const int   flags = mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char        path[32];
	struct stat st;
	unsigned    number;

	if (fstat(fd, &st) < 0 || (!S_ISFIFO(st.st_mode) && !isatty(fd)))
		return -1;
	if (ioctl(fd, TIOCGPTN, &number) == 0)
		return -1; /* a pty's master: its path leads to the multiplexer, which would make another pty */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int own = open(path, flags);
	/* After su(1) it is another user's terminal; the controlling terminal opens for everybody. */
	return own < 0 && tcgetsid(fd) >= 0 ? open("/dev/tty", flags) : own;
}

static int open_source(void)
{
	int fd = reopen(STDIN_FILENO, O_RDONLY);

	return fd >= 0 ? fd : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static int open_sink(bool *ret_waits)
{
	struct stat st;
	int fd = reopen(STDOUT_FILENO, O_WRONLY);

	*ret_waits = fd < 0 && !(fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode));
	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

void console_resize(const struct console *console)
{
	copy_size(console_find_terminal(), console->master);
}

int console_start(struct console *console, struct error *err)
{
	console_resize(console); /* a SIGWINCH of the time before is lost */
	/* Where keys are not what we read, they stay what they are: ^C still interrupts us. */
	if (console->raw || !console->from_terminal)
		return 0;
	/* Changes nothing, but stops a background job as every change does; until then the settings are
	 * those that the shell has while it reads a line. */
	tcflow(console->source, TCOON);
	if (tcgetattr(console->source, &console->saved) < 0)
		return error_set(err, errno, "read the terminal's settings");
	if (set_raw(console) < 0)
		return error_set(err, errno, "set the terminal to raw mode");
	console->raw = true;
	return 0;
}

/* Returns 0 or -errno with @err set. */
static int attach(struct console *console, struct error *err)
{
	console->source = open_source();
	console->sink = open_sink(&console->sink_waits);
	if (console->source < 0 || console->sink < 0)
		return error_set(err, errno, "open stdin and stdout");
	/* POLLOUT promises no amount of room: a write of ours must not wait for the program. The
	 * description is ours alone, the container has the other end. */
	int flags = fcntl(console->master, F_GETFL);
	if (flags < 0 || fcntl(console->master, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_set(err, errno, "make the pty non-blocking");
	console->slave = ioctl(console->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console->slave < 0)
		return error_set(err, errno, "open the pty's other end");
	console->from_terminal = isatty(console->source);
	console->to_terminal = isatty(console->sink);
	/* Before the program asks the terminal something and the answer is shown. Not where we would be stopped:
	 * the caller may hold locks. */
	return in_background(console) ? 0 : console_start(console, err);
}

int console_attach(int master, struct console **ret_console, struct error *err)
{
	struct console *console = calloc(1, sizeof(*console));

	if (console == NULL) {
		close(master);
		return error_set(err, ENOMEM, "console");
	}
	console->master = master;
	console->slave = console->source = console->sink = -1;
	console->end_ms = END_FIRST_MS;
	if (attach(console, err) < 0) {
		console_close(console);
		return -err->code;
	}
	*ret_console = console;
	return 0;
}

void console_suspend(struct console *console)
{
	if (console->raw && !in_background(console))
		tcsetattr(console->source, TCSANOW, &console->saved);
	console->raw = false;
}

void console_resume(struct console *console)
{
	struct error ignored; /* the next read(2) tells */

	if (console->raw)
		set_raw(console);
	(void)!console_start(console, &ignored);
}

static bool is_empty(const struct console_buffer *buffer)
{
	return buffer->start == buffer->end;
}

void console_poll(const struct console *console, struct pollfd *fds)
{
	short master = (short)((is_empty(&console->out) ? POLLIN : 0) | (is_empty(&console->in) ? 0 : POLLOUT));
	short sink = is_empty(&console->out) ? 0 : POLLOUT;
	bool  open = console->master >= 0;
	/* Not our own description of it: a FIFO that is opened after its last writer has gone never tells its end. */
	int   source = console->source_ended ? console->source : STDIN_FILENO;

	fds[0] = (struct pollfd){ .fd = open && is_empty(&console->in) ? source : -1, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = open && master ? console->master : -1, .events = master };
	/* A terminal that goes away is told also while there is nothing to write. */
	fds[2] = (struct pollfd){ .fd = open && (sink || console->to_terminal) ? console->sink : -1, .events = sink };
}

/* Returns the number of bytes, 0 when there are none just now, or -errno; -EPIPE at the end of file. */
static int fill(struct console_buffer *buffer, int fd, size_t size)
{
	ssize_t count = read(fd, buffer->bytes, size);

	if (count < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	buffer->start = 0;
	buffer->end = (size_t)count;
	return count > 0 ? (int)count : -EPIPE;
}

/* Returns 0 or -errno. */
static int drain(struct console_buffer *buffer, int fd)
{
	/* A pty takes a part of it, and is often ready for the next one at once. */
	while (!is_empty(buffer)) {
		ssize_t count = write(fd, buffer->bytes + buffer->start, buffer->end - buffer->start);

		if (count < 0)
			return errno == EINTR || errno == EAGAIN ? 0 : -errno;
		buffer->start += (size_t)count;
	}
	return 0;
}

static void arm(const struct console *console)
{
	struct itimerspec when = { .it_value = { .tv_sec = console->end_ms / 1000,
						 .tv_nsec = console->end_ms % 1000 * 1000000L } };

	timerfd_settime(console->source, 0, &when, NULL);
}

/* A terminal has no end of file, only a key that makes one read(2) return nothing. It is pressed when all
 * is read that was typed; and again whenever it is read, because programs read more than once, and one
 * that changes the modes just then, as shells do for each line, loses it. */
static void tell_end(struct console *console)
{
	struct pollfd  typed = { .fd = console->slave, .events = POLLIN };
	struct termios settings;
	uint64_t       times;

	if (read(console->source, &times, sizeof(times)) > 0 && poll(&typed, 1, 0) == 0 &&
	    tcgetattr(console->master, &settings) == 0 && settings.c_cc[VEOF] != _POSIX_VDISABLE)
		(void)!write(console->master, &settings.c_cc[VEOF], 1);
	if (console->end_ms < END_LAST_MS)
		console->end_ms *= 2;
	arm(console);
}

/* Returns 0, or -errno when the caller's terminal is gone. */
static int move_in(struct console *console)
{
	if (console->source_ended) {
		tell_end(console);
		return 0;
	}
	int ret = fill(&console->in, console->source, sizeof(console->in.bytes));
	if (ret >= 0)
		return 0;
	if (console->from_terminal)
		return ret;
	console->source_ended = true;
	close(console->source);
	console->source = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	arm(console);
	return 0;
}

/* Returns 0, or -errno when the pty or who reads its output is gone. */
static int move_out(struct console *console, const struct pollfd *fds)
{
	bool writable = fds[2].revents & (POLLOUT | POLLERR);

	if (fds[1].revents & (POLLIN | POLLHUP | POLLERR) && is_empty(&console->out)) {
		/* pipe(7): what poll(2) calls writable takes that much without waiting. */
		int ret = fill(&console->out, console->master, PIPE_BUF);

		if (ret < 0)
			return ret;
		console->taken_bytes += (size_t)ret;
		writable = !console->sink_waits;
	}
	return writable ? drain(&console->out, console->sink) : 0;
}

static void hang_up(struct console *console)
{
	static const struct timespec now = { 0 };
	sigset_t set;

	fd_close(&console->slave);
	fd_close(&console->master);
	console->in.start = console->in.end;
	console->out.start = console->out.end;
	/* The one that our own write raised is not meant for the container. */
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigtimedwait(&set, NULL, &now);
}

int console_move(struct console *console, const struct pollfd *fds)
{
	bool filled = fds[0].revents != 0;
	int  ret = fds[2].revents & POLLHUP ? -EIO : 0;

	if (console->master < 0)
		return 0;
	if (ret == 0 && filled)
		ret = move_in(console);
	if (ret == 0 && (filled || fds[1].revents & POLLOUT) && !is_empty(&console->in) &&
	    drain(&console->in, console->master) < 0)
		console->in.start = console->in.end; /* nobody has the terminal open */
	if (ret == 0)
		ret = move_out(console, fds);
	if (ret < 0)
		hang_up(console);
	return ret;
}

void console_drain(struct console *console, int signal_fd)
{
	struct pollfd fds[4];
	size_t        end = console->taken_bytes + LEFT_BYTES;

	console->in.start = console->in.end; /* nobody is there to read it */
	for (;;) {
		console_poll(console, fds);
		fds[0].fd = -1;
		fds[3] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
		/* Another process of the container may hold the pty open, and may write for ever. */
		if (is_empty(&console->out) && console->taken_bytes >= end)
			break;
		/* Whoever reads our stdout may have stopped to: a signal ends the waiting. */
		if (poll(fds, 4, is_empty(&console->out) ? 0 : -1) <= 0)
			break;
		int number = fds[3].revents ? signals_next(signal_fd) : 0;
		if (number != 0 && signals_interrupts(number))
			break;
		if (console_move(console, fds) < 0)
			break;
	}
}

void console_close(struct console *console)
{
	if (console == NULL)
		return;
	console_suspend(console);
	fd_close(&console->source);
	fd_close(&console->sink);
	fd_close(&console->slave);
	fd_close(&console->master);
	free(console);
}
