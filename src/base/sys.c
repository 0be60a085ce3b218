/* sys.c - see sys.h. Side: any. */
#define _GNU_SOURCE
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

pid_t sys_clone3(struct sys_clone_args *args)
{
	pid_t pid = (pid_t)syscall(SYS_clone3, args, sizeof(*args));

	if (pid >= 0 || errno != ENOSYS)
		return pid;
	if (args->flags & SYS_CLONE_INTO_CGROUP) {
		errno = EOPNOTSUPP;
		return -1;
	}
	/* clone(2): the signal is part of the flags, and with CLONE_PIDFD the pidfd takes the place of
	 * the parent's tid. A thread's stack and tls are not for us. */
	unsigned long flags = (unsigned long)(args->flags | args->exit_signal);
#ifdef __s390__
	return (pid_t)syscall(SYS_clone, NULL, flags, (void *)(uintptr_t)args->pidfd, NULL, NULL);
#else
	return (pid_t)syscall(SYS_clone, flags, NULL, (void *)(uintptr_t)args->pidfd, NULL, NULL);
#endif
}

int sys_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	int fd;

	/* openat2(2): EAGAIN when a rename or mount raced with a scoped look-up; it is for us to retry. */
	for (int tries = 0; tries < 1000; tries++) {
		fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

void sys_signals_reset(void)
{
	/* The kernel's own struct sigaction, all zero: SIG_DFL, no flags, empty mask. On no machine has it
	 * more than 32 bytes; on those of 32 bits it is larger than four words, because of the mask. */
	uint64_t action[4] = { 0 };
	sigset_t none;

	/* KILL and STOP are refused, and need nothing. */
	for (int number = 1; number < _NSIG; number++)
		syscall(SYS_rt_sigaction, number, action, NULL, _NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int64_t sys_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int sys_close_others(unsigned first, const int *keep, size_t count)
{
	for (;;) {
		unsigned next = ~0u; /* the lowest fd of @keep that is left */

		for (size_t i = 0; i < count; i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= first && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > first && close_range(first, next == ~0u ? next : next - 1, CLOSE_RANGE_UNSHARE) < 0)
			return -1;
		if (next == ~0u)
			return 0;
		first = next + 1;
	}
}

int sys_sched_getattr(pid_t pid, struct sys_sched_attr *ret_attributes)
{
	return (int)syscall(SYS_sched_getattr, pid, ret_attributes, sizeof(*ret_attributes), 0);
}

int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attributes)
{
	return (int)syscall(SYS_sched_setattr, pid, attributes, 0);
}

int sys_ioprio_set(pid_t pid, int priority)
{
	return (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, priority);
}

int sys_set_mempolicy(int mode, const unsigned long *nodes, size_t bits)
{
	return (int)syscall(SYS_set_mempolicy, mode, nodes, bits);
}

int sys_join_session_keyring(const char *name)
{
	return (int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);
}

int sys_owns_keyring(int serial)
{
	char text[512], *uid; /* "keyring;UID;GID;PERMISSIONS;NAME" */
	long size = syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, text, sizeof(text) - 1, 0);

	if (size < 0)
		return -1;
	text[size < (long)sizeof(text) ? size : (long)sizeof(text) - 1] = '\0';
	uid = strchr(text, ';');
	return uid != NULL && strtoul(uid + 1, NULL, 10) == geteuid();
}

int sys_open_keyring(int serial)
{
	/* What a new one has (security/keys/process_keys.c, join_session_keyring), and search for the user. */
	const unsigned possessor_all = 0x3f000000, user_view_read_search_link = 0x001b0000;

	return (int)syscall(SYS_keyctl, KEYCTL_SETPERM, serial, possessor_all | user_view_read_search_link, 0, 0);
}
