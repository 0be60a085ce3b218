/* join.h - a container's process cloned, into new namespaces and existing ones.
 *
 * Side: host. Existing namespaces are entered in a process in between, never in moss itself. It has
 * our memory and our fds, as after vfork(2): nothing is copied for it, and what it finds needs no message.
 */
#ifndef MOSS_JOIN_H
#define MOSS_JOIN_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/exe.h"
#include "spec/spec.h"

struct join {
	int      fds[SPEC_NS_COUNT]; /* namespaces to enter; -1: none */
	int      pidfd;              /* of a process, lent: those of its namespaces are entered that ... */
	uint64_t pidfd_namespaces;   /* ... these CLONE_NEW* flags say, all by one setns(2) */
	uint64_t new_namespaces;     /* CLONE_NEW* flags */
	int      root_fd;            /* the root directory to be in after that; -1: that of the mount namespace */
	bool     any;                /* is there one to enter? */
	bool     user_by_owner;      /* config.json names no user namespace: the owner's is entered */
};
void join_close(struct join *join);
#define join_owned __attribute__((cleanup(join_close))) struct join

/* Open what config.json names, each checked to be of its type (ioctl_ns(2)); a namespace that is
 * our own already is left out. A normal user also enters the user namespace that owns them.
 * Returns 0 or -errno with @err set. */
int join_open(const struct spec *spec, struct join *ret_join, struct error *err)
	__attribute__((nonnull, warn_unused_result));

struct join_process { /* a container's first process */
	pid_t pid;
	int   pidfd; /* lent */
	bool  own_pid_namespace;
	bool  chroot;  /* its root directory is not that of its mount namespace */
	uid_t owner; /* of the record that names it */
	const struct spec_namespace *made; /* SPEC_NS_COUNT: config.json's, of which some are the container's own */
};

/* Find its namespaces that are not ours, for `exec`. One that was made for the container is taken to be
 * another than ours without a look: each look makes the kernel an inode, and to enter it again does no harm. The user namespace is the one that owns its pid
 * namespace (@own_pid_namespace), which the process can't leave; the process itself may have made another one
 * and entered it. With @chroot its root directory is what the new process gets, too: setns(2) leaves that behind. Where the record is another user's, it must be a user namespace of that user's.
 * Returns 0 or -errno with @err set; -ESRCH when it has ended. */
int join_open_process(const struct join_process *process, struct join *ret_join, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Will a user namespace be entered? */
bool join_enters_user(const struct join *join) __attribute__((nonnull));

struct join_child {
	int   cgroup_fd; /* lent; -1: stay in ours */
	int   sock;      /* lent: the child's end of the launch socket */
	/* What is to be done before it stops being dumpable, from when on its /proc files are root's;
	 * in the child, or in the process that clones it, which shares our fds. Returns 0, or -errno with
	 * @err set. */
	int (*prepare)(void *context, int sock, struct error *err);
	void (*run)(void *context, int sock); /* what the child does; must not return */
	void *context;
	bool  to_parent; /* it becomes our parent's child, for whom to wait is not ours; so does a process in between */
	/* First of all, in the process that clones it, and then that is always a process in between: have it moved into the cgroup
	 * that the child is to be born in, or open that: *@ret_cgroup_fd, which the caller of join_clone() gets in *@placed
	 * in every case and closes. NULL: nothing is to be done. */
	int (*place)(void *context, int *ret_cgroup_fd, struct error *err);
	int *placed;
	/* Where namespaces are entered: */
	bool     alone;         /* of our fds the child is to get no more than 0..2+preserved_fds and @sock */
	unsigned preserved_fds;
	const struct exe *exe;  /* the binary to seal (exe.h) before the clone; NULL: none */
	int *trees;             /* JOIN_TREES mounts that are left to be closed when there is time (see exe.h) come
				 * here; earlier ones in it are closed first */
};
#define JOIN_TREES 2

/* Clone it, by one clone3(2).
 * Returns 0, the pid as we see it and a pidfd; or -errno with @err set. */
int join_clone(const struct join *join, const struct join_child *child, pid_t *ret_pid, int *ret_pidfd,
	       struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
