/* seccomp.h - the filter of a container's system calls, from linux.seccomp to what init loads. Side: host.
 *
 * What can be refused is refused before anything is made; the program is looked up, or made while the kernel makes the
 * container, and lies in memory that init shares before that is let go on.
 */
#ifndef MOSS_SECCOMP_H
#define MOSS_SECCOMP_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"
#include "init/init.h"
#include "spec/spec.h"

struct seccomp {
	const struct spec_seccomp *spec; /* NULL: there is no filter */
	struct init_seccomp *shared;
	struct str  key;                 /* in the cache */
	struct sock_filter *program;     /* one that was made; of our own: the other side can write what it shares, ... */
	uint16_t    count;               /* ... and the next container gets what is kept */
	bool        found;               /* the program was there ... */
	bool        ready;               /* ... or has been made */
	const char *listener;            /* path of the socket for the listener; NULL: it has none */
	int         sock;                /* connected to it; -1: not */
};
void seccomp_close(struct seccomp *seccomp) __attribute__((nonnull));

/* Refuse what this kernel and this libseccomp can't do; get the shared memory; connect to who wants the listener.
 *
 * @spec:              the one with linux.seccomp, which outlives *@ret_seccomp.
 * @no_new_privileges: of the process that is to have the filter.
 * seccomp_close() is needed in every case. Returns 0 or -errno with @err set. */
int seccomp_plan(const struct spec *spec, bool no_new_privileges, struct seccomp *ret_seccomp, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Look the program up in the cache of the state directory @root_fd: before the clone, it takes no time. */
void seccomp_find(struct seccomp *seccomp, int root_fd) __attribute__((nonnull));

/* Make it, if it was not found, and refuse one below which moss itself could not go on to execve(2).
 * @waits: for exec.fifo, below the filter if it has a listener.
 * Returns 0, at once when it was done before, or -errno with @err set. */
int seccomp_make(struct seccomp *seccomp, bool waits, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Give the shared memory away, to be unmapped by seccomp_unmap(); NULL when there is none. */
struct init_seccomp *seccomp_take(struct seccomp *seccomp) __attribute__((nonnull));
void seccomp_unmap(struct init_seccomp **shared) __attribute__((nonnull));

/* Keep a program that was made; when nobody waits for us any more. */
void seccomp_keep(const struct seccomp *seccomp, int root_fd) __attribute__((nonnull));

struct seccomp_state { /* the container process state of config-linux.md; texts are lent */
	const char *oci_version, *id, *status, *bundle;
	pid_t       pid, container_pid; /* of the process with the filter, and of the container's first one */
	const struct spec_annotation *annotations;
	size_t      annotations_count;
};

/* Send the listener (lent) with the state to who listens, and close the connection.
 * Returns 0 or -errno with @err set. */
int seccomp_send_listener(struct seccomp *seccomp, int listener, const struct seccomp_state *state, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Which flags of seccomp(2) this kernel knows: SECCOMP_FILTER_FLAG_*. */
uint32_t seccomp_kernel_flags(void);

#endif
