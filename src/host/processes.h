/* processes.h - all processes of a container: those in its cgroup, or in its pid namespace. Side: host. */
#ifndef MOSS_PROCESSES_H
#define MOSS_PROCESSES_H
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/state.h"

/* Send @number to every process in the pid namespace of the container's first process, found through /proc.
 *
 * @dir_fd: its state directory.
 * Returns 0 or -errno, also when it could not be sent to one of them: -ESRCH when that process has ended; -EPERM when the namespace is ours, or not one that the
 * directory's owner can have made: state.json is wrong then. */
int processes_signal(const struct state *state, int dir_fd, int number) __attribute__((nonnull, warn_unused_result));

/* Stop all of them by SIGSTOP, also those that are made meanwhile.
 * Returns as processes_signal(), and -ETIMEDOUT when some still run after 10 s: after a failure all are let go on. */
int processes_stop(const struct state *state, int dir_fd) __attribute__((nonnull, warn_unused_result));

/* Set @err for @ret of one of these; @what: what could not be done. Returns @ret. */
int processes_explain(const struct state *state, int ret, const char *what, struct error *err) __attribute__((nonnull));

struct process_list {
	pid_t *pids; /* as we see them, in the kernel's order */
	size_t count;
};
void process_list_free(struct process_list *list);
#define process_list_owned __attribute__((cleanup(process_list_free))) struct process_list

/* Find them, through the cgroup or the pid namespace, which one of it has of its own.
 * Returns 0, or -errno with @err set: ENOTSUP where it has neither. */
int processes_list(const struct state *state, int dir_fd, struct process_list *ret_list, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
