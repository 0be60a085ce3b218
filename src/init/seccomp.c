/* seccomp.c - see seccomp.h. Side: container. */
#define _GNU_SOURCE
#include "init/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_apply(const struct init_seccomp *seccomp, struct error *err)
{
	/* The kernel only reads it. */
	struct sock_fprog program = { .len = seccomp->count, .filter = (struct sock_filter *)seccomp->program };
	unsigned long flags = seccomp->flags | (seccomp->listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);

	/* seccomp(2): with a listener a thread that could not be synchronised is an errno, not a number. */
	if (seccomp->listens && (flags & SECCOMP_FILTER_FLAG_TSYNC))
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	long ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (ret >= 0)
		return seccomp->listens ? (int)ret : 0;
	error_at(err, errno, "linux: seccomp", "load the filter of %u instructions", (unsigned)seccomp->count);
	if (err->code == EACCES)
		return error_hint(err, "it takes CAP_SYS_ADMIN, or process.noNewPrivileges");
	if (err->code == EBUSY)
		return error_hint(err, "moss itself runs under a filter with a listener, and a process can have one only");
	return -err->code;
}
