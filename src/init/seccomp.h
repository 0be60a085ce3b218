/* seccomp.h - the container's system call filter, loaded. Side: container. */
#ifndef MOSS_INIT_SECCOMP_H
#define MOSS_INIT_SECCOMP_H
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* In memory that both sides share: the host side fills the program in while the container is being made, before it lets
 * init go on; the filter may deny init every way to tell of a failed execve(2) but a plain store. */
struct init_seccomp {
	uint32_t   flags;      /* of seccomp(2) */
	bool       listens;    /* there are notifications: loading gives an fd for the host side */
	bool       privileged; /* without no_new_privs it takes CAP_SYS_ADMIN */
	atomic_int exec_errno; /* init → host: why execve(2) failed; 0: it did not */
	uint16_t   count;      /* instructions of the program */
	struct sock_filter program[BPF_MAXINSNS];
};

/* Load the filter. From here on nothing but what it allows can be done.
 * Returns the listener's fd, O_CLOEXEC, or 0 when there is none; or -errno with @err set. */
int seccomp_apply(const struct init_seccomp *seccomp, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
