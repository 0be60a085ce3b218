/* processes.h - the processes of a container that has a pid namespace but no cgroup of its own.
 * Side: host. */
#ifndef MOSS_PROCESSES_H
#define MOSS_PROCESSES_H
#include <sys/types.h>

/* Send @number to every process in the pid namespace of @pid, found through /proc.
 * Returns 0 or -errno: -ESRCH when @pid has ended. */
int processes_signal(pid_t pid, int number) __attribute__((warn_unused_result));

#endif
