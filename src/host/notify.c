/* notify.c - see notify.h. Side: host. */
#define _GNU_SOURCE
#include "host/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/adapt.h"
#include "host/fd_socket.h"
#include "host/notify_message.h"
#include "host/signals.h"

#define MOUNT_POINT "/run/notify" /* in the container */
#define SOCKET_NAME "notify.sock"
#define DRAIN_TIMEOUT_MS 1000
#define BARRIER_TIMEOUT_MS 10000

struct notify {
	int   host;         /* connected to the manager; -1: it is gone */
	int   socket;       /* the container's */
	int   timer;        /* the end of a pause */
	int   dir_fd;       /* ROOT/ID/notify */
	pid_t main_pid;     /* for the manager to watch */
	bool  told_ready;   /* READY=1 was passed on */
	bool  told_dropped; /* that a message was too long, once for all */
	unsigned rest;      /* messages that may still be read in the second ... */
	int64_t  second_ms; /* ... that began then, by CLOCK_MONOTONIC */
	struct notify_message message; /* waits for the manager */
};

/* The manager's address in our environment, or NULL. */
static const char *manager(void)
{
	const char *address = getenv("NOTIFY_SOCKET");

	return address != NULL && address[0] != '\0' ? address : NULL;
}

/* sd_notify(3): an absolute path, or "@name" for an abstract socket. */
static int connect_manager(const char *text, int *ret_fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t   size = sizeof(address);
	fd_owned    dir = -1;
	const char *name;

	if (text[0] == '@' && strlen(text) <= sizeof(address.sun_path)) {
		memcpy(address.sun_path + 1, text + 1, strlen(text) - 1);
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text));
	} else if (text[0] == '/') {
		dir = io_open_parent(text, &name);
		int ret = dir < 0 ? dir : fd_socket_address(dir, name, &address);
		if (ret < 0)
			return error_at(err, -ret, text, "connect to the service manager");
	} else {
		return error_at(err, 0, text, "it is neither an absolute path nor an abstract socket (@...)");
	}
	fd_owned sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&address, size) < 0)
		return error_at(err, errno, text, "connect to the service manager");
	*ret_fd = fd_take(&sock);
	return 0;
}

int notify_plan(struct spec *spec, bool *ret_wanted, struct error *err)
{
	char         text[ERROR_TEXT_MAX];
	struct error why = { 0 };
	fd_owned     fd = -1;

	*ret_wanted = false;
	if (manager() == NULL)
		return 0;
	for (size_t i = 0; i < spec->process.env.count; i++)
		if (str_starts(spec->process.env.texts[i], "NOTIFY_SOCKET="))
			return 0; /* an engine that proxies by itself */
	if (!spec_has_own_tree(spec))
		return adapt_note(spec, err, "NOTIFY_SOCKET: the container gets none, which would have to be mounted");
	if (connect_manager(manager(), &fd, &why) < 0) {
		error_text(&why, text, sizeof(text));
		return adapt_note(spec, err, "NOTIFY_SOCKET: %.400s: the container gets none", text);
	}
	*ret_wanted = true;
	return adapt_env(spec, "NOTIFY_SOCKET=" MOUNT_POINT "/" SOCKET_NAME, err);
}

int notify_make(struct spec *spec, int dir_fd, const char *directory, struct error *err)
{
	struct spec_mount *mounts = arena_alloc(&spec->arena, spec->mounts_count + 2, sizeof(*mounts));
	mode_t mask = umask(0); /* every user of the container needs the way */
	int    ret = mkdirat(dir_fd, NOTIFY_DIRECTORY, 0755) < 0 ? -errno : 0;

	umask(mask);
	if (ret < 0)
		return error_at(err, -ret, directory, "make the directory of the notify socket");
	if (mounts == NULL)
		return error_set(err, ENOMEM, "mounts");
	if (spec->mounts_count > 0)
		memcpy(mounts, spec->mounts, spec->mounts_count * sizeof(*mounts));
	mounts[spec->mounts_count] = (struct spec_mount){
		.destination = MOUNT_POINT,
		.type = "bind",
		.source = directory,
		.options = { .bind = true, .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						       MOUNT_ATTR_NOEXEC },
	};
	spec->mounts = mounts;
	spec->mounts_count++;
	return 0;
}

void notify_explain(struct error *err)
{
	if (strstr(err->object, MOUNT_POINT) != NULL)
		error_object(err, "NOTIFY_SOCKET");
}

static int bind_socket(int dir_fd, int *ret_socket, struct error *err)
{
	struct sockaddr_un address;
	fd_owned sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return error_at(err, errno, "NOTIFY_SOCKET", "socket");
	int ret = fd_socket_address(dir_fd, SOCKET_NAME, &address);
	if (ret < 0)
		return error_at(err, -ret, "NOTIFY_SOCKET", "name the container's socket");
	unlinkat(dir_fd, SOCKET_NAME, 0); /* of a `start` that was killed */
	mode_t mask = umask(0);           /* any user of the container may send; chmod(2) would follow a link */
	ret = bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (ret < 0) {
		error_at(err, -ret, "NOTIFY_SOCKET", "make the container's socket in the state directory");
		return error_hint(err, "--root chooses another place, where sockets can be made; or unset NOTIFY_SOCKET");
	}
	*ret_socket = fd_take(&sock);
	return 0;
}

/* notify->host is -1 when the manager can't be reached. */
static int open_all(struct notify *notify, struct error *err)
{
	char         text[ERROR_TEXT_MAX];
	struct error why = { 0 };

	if (connect_manager(manager(), &notify->host, &why) < 0) {
		error_text(&why, text, sizeof(text));
		log_line(LOG_LEVEL_WARNING, "NOTIFY_SOCKET: %s", text);
		return 0;
	}
	notify->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (notify->timer < 0)
		return error_at(err, errno, "NOTIFY_SOCKET", "timerfd_create");
	return bind_socket(notify->dir_fd, &notify->socket, err);
}

int notify_open(int dir_fd, struct notify **ret_notify, struct error *err)
{
	*ret_notify = NULL;
	if (manager() == NULL)
		return 0;
	fd_owned dir = openat(dir_fd, NOTIFY_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0) {
		if (errno != ENOENT)
			return error_at(err, errno, NOTIFY_DIRECTORY, "open in the state directory");
		log_line(LOG_LEVEL_WARNING, "NOTIFY_SOCKET: the container was created without one: nothing is passed on");
		return 0;
	}
	struct notify *notify = malloc(sizeof(*notify));
	if (notify == NULL)
		return error_set(err, ENOMEM, "NOTIFY_SOCKET");
	*notify = (struct notify){ .host = -1, .socket = -1, .timer = -1, .dir_fd = fd_take(&dir), .main_pid = getpid(),
				    .rest = NOTIFY_RATE };
	int ret = open_all(notify, err);
	if (ret < 0 || notify->host < 0) {
		notify_close(notify);
		return ret;
	}
	*ret_notify = notify;
	return 0;
}

void notify_set_main_pid(struct notify *notify, pid_t main_pid)
{
	if (notify != NULL)
		notify->main_pid = main_pid;
}

/* The manager is gone: who sends to the container's socket must not wait for a reader. */
static void stop(struct notify *notify)
{
	fd_close(&notify->host);
	fd_close(&notify->socket);
}

void notify_close(struct notify *notify)
{
	if (notify == NULL)
		return;
	/* What comes later finds no socket, instead of one that refuses. */
	unlinkat(notify->dir_fd, SOCKET_NAME, 0);
	stop(notify);
	fd_close(&notify->timer);
	fd_close(&notify->dir_fd);
	free(notify);
}

void notify_poll(const struct notify *notify, struct pollfd *ret_fd)
{
	if (notify == NULL || notify->host < 0)
		*ret_fd = (struct pollfd){ .fd = -1 };
	else if (notify->message.size > 0)
		*ret_fd = (struct pollfd){ .fd = notify->host, .events = POLLOUT };
	else
		*ret_fd = (struct pollfd){ .fd = notify->rest > 0 ? notify->socket : notify->timer, .events = POLLIN };
}

/* Pass the message on; it stays when the manager has no room for it. */
static void send_message(struct notify *notify)
{
	struct notify_message *message = &notify->message;

	if (send(notify->host, message->text, message->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return;
		log_line(LOG_LEVEL_WARNING, "NOTIFY_SOCKET: send to the service manager: %s: nothing more is passed on",
			 strerror(errno));
		stop(notify);
	} else {
		notify->told_ready |= message->ready;
	}
	message->size = 0;
}

/* Read one message and pass it on. Returns false when there was none. */
static bool receive_message(struct notify *notify)
{
	char bytes[NOTIFY_TAKEN_MAX];
	/* Without room for control data the kernel closes the fds that come along, which is all that a
	 * BARRIER=1 waits for. MSG_TRUNC: the whole size, also of what does not fit. */
	ssize_t size = recv(notify->socket, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);

	if (size < 0)
		return false;
	if ((size_t)size > sizeof(bytes) && !notify->told_dropped)
		log_line(LOG_LEVEL_WARNING, "NOTIFY_SOCKET: a message of %zd bytes is dropped", size);
	notify->told_dropped |= (size_t)size > sizeof(bytes);
	notify_message_filter(bytes, (size_t)size, notify->main_pid, &notify->message);
	if (notify->message.size > 0)
		send_message(notify);
	return true;
}

/* A new second begins, or the rest of this one is waited for. */
static void count_seconds(struct notify *notify)
{
	int64_t now_ms = sys_now_ms(), left_ms = notify->second_ms + 1000 - now_ms;

	if (left_ms <= 0) {
		notify->rest = NOTIFY_RATE;
		notify->second_ms = now_ms;
	} else if (notify->rest == 0) {
		struct itimerspec end = { .it_value = { .tv_nsec = left_ms % 1000 * 1000000, .tv_sec = left_ms / 1000 } };

		timerfd_settime(notify->timer, 0, &end, NULL);
	}
}

void notify_move(struct notify *notify, const struct pollfd *fd)
{
	if (notify == NULL || notify->host < 0 || fd->revents == 0)
		return;
	if (notify->message.size > 0)
		send_message(notify);
	while (notify->host >= 0 && notify->message.size == 0) {
		count_seconds(notify);
		if (notify->rest == 0 || !receive_message(notify))
			break;
		notify->rest--;
	}
}

void notify_drain(struct notify *notify)
{
	for (unsigned count = 0; notify != NULL && notify->host >= 0 && count < NOTIFY_RATE; count++) {
		struct pollfd fd = { .fd = notify->host, .events = POLLOUT };

		if (notify->message.size == 0 && !receive_message(notify))
			break;
		if (notify->message.size > 0 && poll(&fd, 1, DRAIN_TIMEOUT_MS) <= 0)
			break;
		if (notify->message.size > 0)
			send_message(notify);
	}
}

/* sd_notify_barrier(3): wait until the manager has read everything. It finds out whose message it is
 * by our pid, which must not be gone by then. */
static void wait_for_manager(struct notify *notify)
{
	struct pollfd host = { .fd = notify->host, .events = POLLOUT };
	int ends[2];

	if (notify->host < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return;
	struct pollfd end = { .fd = ends[0] };
	int ret = poll(&host, 1, BARRIER_TIMEOUT_MS) == 1 ? fd_socket_send(notify->host, ends[1], "BARRIER=1") : -EAGAIN;
	close(ends[1]);
	if (ret < 0 || poll(&end, 1, BARRIER_TIMEOUT_MS) != 1)
		log_line(LOG_LEVEL_WARNING, "NOTIFY_SOCKET: the service manager did not read its messages within %d s",
			 BARRIER_TIMEOUT_MS / 1000);
	close(ends[0]);
}

int notify_wait_ready(struct notify *notify, int pidfd, int signal_fd, struct error *err)
{
	bool ended = false;
	int  number;

	while (notify != NULL && notify->host >= 0 && !notify->told_ready && !ended) {
		struct pollfd fds[] = { { .fd = -1 }, { .fd = pidfd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };

		notify_poll(notify, &fds[0]);
		if (poll(fds, array_size(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_set(err, errno, "poll");
		}
		while (fds[2].revents != 0 && (number = signals_next(signal_fd)) != 0)
			if (signals_interrupts(number)) {
				error_set(err, EINTR, "signal %d (%s) before the container said READY=1", number, sigabbrev_np(number));
				err->exit_status = 128 + number;
				return error_hint(err, "the container goes on");
			}
		notify_move(notify, &fds[0]);
		ended = fds[1].revents != 0;
	}
	if (ended)
		notify_drain(notify);
	if (notify != NULL && notify->told_ready)
		wait_for_manager(notify);
	return 0;
}
