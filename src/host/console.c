/* console.c - see console.h. Side: host. */
#define _GNU_SOURCE
#include "host/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/signals.h"

int console_find_terminal(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

static void copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
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

static int set_raw(const struct console *console)
{
	struct termios settings = console->saved;

	cfmakeraw(&settings);
	settings.c_oflag |= OPOST; /* as runc leaves it: what others write to the terminal stays readable */
	return tcsetattr(console->host, TCSADRAIN, &settings);
}

void console_resume(struct console *console)
{
	if (console->raw)
		set_raw(console);
	console_resize(console);
}

int console_attach(struct console *console, int master, struct error *err)
{
	memset(console, 0, sizeof(*console));
	console->master = master;
	console->host = console_find_terminal();
	if (console->host < 0)
		return error_set(err, ENOTTY, "none of stdin, stdout and stderr is a terminal");
	if (tcgetattr(console->host, &console->saved) < 0)
		return error_set(err, errno, "read the terminal's settings");
	if (set_raw(console) < 0)
		return error_set(err, errno, "set the terminal to raw mode");
	console->raw = true;
	/* POLLOUT promises no amount of room: a write of ours must not wait for the program. The
	 * description is ours alone, the container has the other end. */
	int flags = fcntl(master, F_GETFL);
	if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_set(err, errno, "make the pty non-blocking");
	return 0;
}

void console_resize(struct console *console)
{
	copy_size(console->host, console->master);
}

static bool is_empty(const struct console_buffer *buffer)
{
	return buffer->start == buffer->end;
}

void console_poll(struct console *console, struct pollfd *fds)
{
	bool read_in = is_empty(&console->in) && !console->in.ended;
	bool read_out = is_empty(&console->out) && !console->out.ended;

	fds[0] = (struct pollfd){ .fd = read_in ? STDIN_FILENO : -1, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = console->master,
				  .events = (short)((read_out ? POLLIN : 0) | (is_empty(&console->in) ? 0 : POLLOUT)) };
	if (fds[1].events == 0)
		fds[1].fd = -1; /* else a pty whose other end is closed would wake us for ever */
	fds[2] = (struct pollfd){ .fd = is_empty(&console->out) ? -1 : STDOUT_FILENO, .events = POLLOUT };
}

static void fill(struct console_buffer *buffer, int fd)
{
	ssize_t count = read(fd, buffer->bytes, sizeof(buffer->bytes));

	if (count > 0) {
		buffer->start = 0;
		buffer->end = (size_t)count;
	} else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
		buffer->ended = true; /* EIO: the last one who had the pty open is gone */
	}
}

static void drain(struct console_buffer *buffer, int fd)
{
	ssize_t count = write(fd, buffer->bytes + buffer->start, buffer->end - buffer->start);

	if (count > 0)
		buffer->start += (size_t)count;
	else if (errno != EINTR && errno != EAGAIN)
		buffer->start = buffer->end; /* nobody reads any more: the program goes on */
}

void console_move(struct console *console, const struct pollfd *fds)
{
	if (fds[0].revents != 0)
		fill(&console->in, STDIN_FILENO);
	if (fds[1].revents & POLLOUT)
		drain(&console->in, console->master);
	if (fds[1].revents & (POLLIN | POLLHUP | POLLERR) && is_empty(&console->out))
		fill(&console->out, console->master);
	if (fds[2].revents != 0)
		drain(&console->out, STDOUT_FILENO);
}

void console_drain(struct console *console, int signal_fd)
{
	struct pollfd fds[4] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = signal_fd, .events = POLLIN } };

	if (console->master >= 0 && console->raw) {
		/* Another process of the container may hold the pty open: take what is there. */
		console->in.ended = true;
		console->in.start = console->in.end;
		for (;;) {
			console_poll(console, fds);
			if (console->out.ended && is_empty(&console->out))
				break;
			/* Whoever reads our stdout may have stopped to: a signal ends the waiting. */
			if (poll(fds, 4, is_empty(&console->out) ? 0 : -1) <= 0)
				break;
			int number = fds[3].revents ? signals_next(signal_fd) : 0;
			if (number != 0 && signals_interrupts(number))
				break;
			console_move(console, fds);
		}
	}
}

void console_close(struct console *console)
{
	if (console->raw)
		tcsetattr(console->host, TCSADRAIN, &console->saved);
	console->raw = false;
	fd_close(&console->master);
}
