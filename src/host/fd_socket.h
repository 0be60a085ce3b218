/* fd_socket.h - the sockets of a caller that wants an fd: --console-socket, --pidfd-socket. Side: host. */
#ifndef MOSS_FD_SOCKET_H
#define MOSS_FD_SOCKET_H
#include "base/error.h"

/* The address of socket @name in the directory @dir_fd (O_PATH will do), which must stay open while it
 * is used: sun_path holds 108 bytes; through the fd only the last component counts.
 * Returns 0 or -ENAMETOOLONG. */
struct sockaddr_un;
int fd_socket_address(int dir_fd, const char *name, struct sockaddr_un *ret_address)
	__attribute__((nonnull, warn_unused_result));

/* Send @fd (lent) through a connected socket, with @text as data. Returns 0 or -errno; -ETIMEDOUT when who
 * is connected does not take it all within 10 s. */
int fd_socket_send(int sock, int fd, const char *text) __attribute__((nonnull, warn_unused_result));

/* Connect to the AF_UNIX stream socket @path, of any length; NULL: there is none, and *@ret_fd is -1.
 * Waits 10 s at the most for a listener that takes no more connections.
 * @option: "--console-socket", for the messages. Returns 0 and the fd, or -errno with @err set. */
int fd_socket_connect(const char *option, const char *path, int *ret_fd, struct error *err)
	__attribute__((nonnull(1, 3, 4), warn_unused_result));

/* Send the pty's master @console_fd through it, with its name as data (as runc does). */
int fd_socket_send_console(int sock, int console_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Send the pidfd, with "pidfd" as data (as runc does). */
int fd_socket_send_pidfd(int sock, int pidfd, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
