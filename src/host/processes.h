/* processes.h - all processes of a container: those in its cgroup, or in its pid namespace. Side: host. */
#ifndef MOSS_PROCESSES_H
#define MOSS_PROCESSES_H
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/state.h"

/* Send @number to every process in the pid namespace of @pid, found through /proc.
 * Returns 0 or -errno: -ESRCH when @pid has ended. */
int processes_signal(pid_t pid, int number) __attribute__((warn_unused_result));

/* Stop every process in the pid namespace of @pid by SIGSTOP, also those that are made meanwhile.
 * Returns 0; -ESRCH when @pid has ended; -ETIMEDOUT when some still run after 10 s, all are let go on then; -errno. */
int processes_stop(pid_t pid) __attribute__((warn_unused_result));

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
