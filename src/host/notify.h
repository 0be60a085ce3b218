/* notify.h - the service manager's socket, $NOTIFY_SOCKET of sd_notify(3), proxied into the container.
 *
 * Side: host. The container has a socket of its own at /run/notify/notify.sock: a bind mount of
 * ROOT/ID/notify, read-only, made with the other mounts by fd. Its messages are filtered
 * (notify_message.h); fds in them are dropped. At most one message waits here, and no more than
 * NOTIFY_RATE a second are read: a container that sends more waits itself.
 */
#ifndef MOSS_NOTIFY_H
#define MOSS_NOTIFY_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

#define NOTIFY_DIRECTORY "notify" /* in ROOT/ID */
#define NOTIFY_RATE 128

/* create, run: is there a service manager to be told? Then NOTIFY_SOCKET is set in
 * spec->process.env, unless config.json has one. A manager that can't be reached is noted: the variable is often
 * inherited by those that it was not meant for.
 * Returns 0 or -ENOMEM with @err set. */
int notify_plan(struct spec *spec, bool *ret_wanted, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Make the directory in ROOT/ID (@dir_fd) and add its mount to the spec.
 * @directory: its path, of the spec's arena. Returns 0 or -errno with @err set. */
int notify_make(struct spec *spec, int dir_fd, const char *directory, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* A failure that is about this mount is one of NOTIFY_SOCKET's: config.json does not name it. */
void notify_explain(struct error *err) __attribute__((nonnull));

/* Before the program can look for it: connect to the manager and bind the container's socket.
 *
 * @dir_fd: ROOT/ID; lent, until notify_close().
 * *@ret_notify is NULL when there is nothing to proxy: no NOTIFY_SOCKET; the manager can't be reached, a
 * warning in the log; or moss made no directory for this container. NULL is nothing for all the
 * functions below, too. Returns 0 or -errno with @err set. */
struct notify;
int notify_open(int dir_fd, struct notify **ret_notify, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The process that READY=1 will name as the one to be watched. */
void notify_set_main_pid(struct notify *notify, pid_t main_pid);

/* What to poll(2) for; and what to do about it. */
struct pollfd;
void notify_poll(const struct notify *notify, struct pollfd *ret_fd);
void notify_move(struct notify *notify, const struct pollfd *fd);

/* The container has ended: pass on what it said before, waiting 1 s for the manager at the most. */
void notify_drain(struct notify *notify);

/* Proxy until READY=1 was passed on, and the manager has seen it, or the process behind @pidfd has ended.
 * @signal_fd: signals_open(), or -1. Returns 0, or -errno with @err set: a signal interrupted it. */
int notify_wait_ready(struct notify *notify, int pidfd, int signal_fd, struct error *err)
	__attribute__((nonnull(4), warn_unused_result));

/* Remove the socket; close and free all. */
void notify_close(struct notify *notify);

#endif
