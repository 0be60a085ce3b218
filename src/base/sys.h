/* sys.h - system calls that libc has no function for. Side: any.
 *
 * Each returns what the system call returns: -1 with errno set on failure.
 */
#ifndef MOSS_SYS_H
#define MOSS_SYS_H
#include <linux/openat2.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/types.h>

/* clone3(2) as of Linux 5.7; <linux/sched.h> clashes with <sched.h>. */
struct sys_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

#define SYS_CLONE_INTO_CGROUP 0x200000000ULL
#ifndef CLONE_PIDFD /* glibc's <sched.h> has not all of them */
#define CLONE_PIDFD 0x1000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80 /* shares its bit with the exit signal: clone3(2) only */
#endif

/* ioctl(2) of a pidfd, linux/pidfd.h since 6.11: a namespace of the process, with the rights that a look at /proc/PID/ns takes. */
#define SYS_PIDFD_GET_CGROUP _IO(0xFF, 1)
#define SYS_PIDFD_GET_IPC    _IO(0xFF, 2)
#define SYS_PIDFD_GET_MNT    _IO(0xFF, 3)
#define SYS_PIDFD_GET_NET    _IO(0xFF, 4)
#define SYS_PIDFD_GET_PID    _IO(0xFF, 5)
#define SYS_PIDFD_GET_TIME   _IO(0xFF, 7)
#define SYS_PIDFD_GET_USER   _IO(0xFF, 9)
#define SYS_PIDFD_GET_UTS    _IO(0xFF, 10)

/* Like fork(2): 0 in the child, which must not use stdio or threads.
 * Where clone3 is answered with ENOSYS, as the seccomp filters of containers do because they can't
 * look at its arguments, clone(2) does the same; it can't enter a cgroup: EOPNOTSUPP. */
pid_t sys_clone3(struct sys_clone_args *args);

int sys_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

int sys_pivot_root(const char *new_root, const char *put_old);

/* Before a program of somebody else's is executed: every signal at its default action, none blocked.
 * signal(7): an ignored one would stay so in the program, and engines ignore SIGPIPE. Unlike with
 * signal(3) that goes for 32 and 33, too, which libc keeps for itself. */
void sys_signals_reset(void);

/* Milliseconds of a clock that is never set (CLOCK_MONOTONIC). */
int64_t sys_now_ms(void);

/* Close every fd from @first on but the @count of @keep (-1: none), in our own table, which is taken apart from
 * one that is shared. Returns 0, or -1 with errno. */
int sys_close_others(unsigned first, const int *keep, size_t count);

/* sched_attr of sched_setattr(2); only newer libcs have it. */
struct sys_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t  nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
	uint32_t util_min, util_max;
};

/* Of process @pid; 0: of ourselves. */
int sys_sched_getattr(pid_t pid, struct sys_sched_attr *ret_attributes);
int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attributes);
int sys_ioprio_set(pid_t pid, int priority);

/* Our own memory policy; @nodes of @bits - 1 bits. */
int sys_set_mempolicy(int mode, const unsigned long *nodes, size_t bits);

/* Join the session keyring of this name, where there is one that was opened to us, whoever's it is; else
 * a new one; with NULL always a new one, without a name.
 * Returns its serial number. keyctl(2): KEYCTL_JOIN_SESSION_KEYRING. */
int sys_join_session_keyring(const char *name);

/* Is this keyring our effective user's? Returns 1, 0, or -1 with errno. */
int sys_owns_keyring(int serial);

/* Let the user's other processes find and join this keyring, which a new one does not. */
int sys_open_keyring(int serial);

#endif
