/* fd_socket.c - see fd_socket.h. Side: host. */
#define _GNU_SOURCE
#include "host/fd_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"

#define PATIENCE_S 10 /* with a listener whose queue is full */

static int failed(int code, const char *option, const char *path, struct error *err)
{
	error_at(err, code, path, "connect to the socket of %s", option);
	return error_hint(err, "%s names a socket that a program listens on to receive the fd", option);
}

int fd_socket_address(int dir_fd, const char *name, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/%s", dir_fd, name) >=
	       (int)sizeof(ret_address->sun_path) ? -ENAMETOOLONG : 0;
}

int fd_socket_connect(const char *option, const char *path, int *ret_fd, struct error *err)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address;
	const char *name;

	*ret_fd = -1;
	if (path == NULL)
		return 0;
	fd_owned dir = io_open_parent(path, &name);
	if (dir < 0)
		return failed(-dir, option, path, err);
	fd_owned sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return failed(errno, option, path, err);
	int ret = fd_socket_address(dir, name, &address);
	if (ret < 0)
		return failed(-ret, option, path, err);
	if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
		return failed(errno == EAGAIN ? ETIMEDOUT : errno, option, path, err);
	*ret_fd = fd_take(&sock);
	return 0;
}

int fd_socket_send(int sock, int fd, const char *text)
{
	union { struct cmsghdr header; char bytes[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct iovec  part = { (void *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	ssize_t count = sendmsg(sock, &message, MSG_NOSIGNAL);
	if (count < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)count == part.iov_len ? 0 : -ETIMEDOUT; /* the rest waits for who doesn't read */
}

int fd_socket_send_console(int sock, int console_fd, struct error *err)
{
	char     name[32];
	unsigned number = 0;

	ioctl(console_fd, TIOCGPTN, &number);
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	int ret = fd_socket_send(sock, console_fd, name);
	return ret < 0 ? error_set(err, -ret, "send the pty through the console socket") : 0;
}

int fd_socket_send_pidfd(int sock, int pidfd, struct error *err)
{
	int ret = fd_socket_send(sock, pidfd, "pidfd");

	return ret < 0 ? error_set(err, -ret, "send the pidfd through its socket") : 0;
}
