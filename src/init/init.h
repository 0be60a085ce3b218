/* init.h - what the container's first process needs after the pivot. Side: container.
 *
 * Declared here, filled on the host side before the clone, const afterwards.
 */
#ifndef MOSS_INIT_H
#define MOSS_INIT_H
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lsm.h"
#include "spec/spec.h"

/* In memory that both sides share: the host side fills the program in while the container is being made, before it lets
 * init go on; the filter may deny init every way to tell of a failed execve(2) but a plain store. */
struct init_seccomp {
	uint32_t   flags;      /* of seccomp(2) */
	bool       listens;    /* there are notifications: loading gives an fd for the host side */
	bool       allows_prctl, allows_close; /* ... without asking anybody */
	bool       privileged; /* without no_new_privs it takes CAP_SYS_ADMIN */
	atomic_int exec_errno; /* init → host: why execve(2) failed; 0: it did not */
	uint16_t   count;      /* instructions of the program */
	struct sock_filter program[BPF_MAXINSNS];
};

struct init {
	const char *hostname, *domainname;     /* NULL: leave it */
	const char *keyring;                   /* name of the new session keyring; NULL: keep the caller's */
	const struct spec_process *process;    /* without args when config.json has none: it is never started */
	struct spec_capabilities capabilities; /* those of the process that can be had */
	char      **env;                       /* NULL-ended; after the texts of process.env there is room for HOME */
	size_t      env_count;
	const struct spec_rlimit *rlimits;     /* those of the process, and what moss itself had changed */
	size_t      rlimits_count;
	char       *listen_pid;                /* "LISTEN_PID=2147483647" in env, for us to write our pid; or NULL */
	unsigned    preserved_fds;             /* fds 3..2+preserved_fds reach the program */
	struct lsm_labels labels;              /* that the program gets */
	bool        set_personality;
	unsigned long personality;             /* of personality(2) */
	const struct spec_memory_policy *memory_policy; /* NULL: the caller's */
	const struct spec_numbers *cpus;       /* that the program may run on; NULL: those that we have */
	bool        set_scheduler;             /* false: there is nothing to set, or the host side does it */
	bool        bring_lo_up;               /* there is a new network namespace */
	bool        set_groups;                /* false: setgroups(2) may be denied in this user namespace */
	bool        keep_groups;               /* the caller's supplementary groups stay */
	bool        bind_console;              /* show the pty as /dev/console */
	struct init_seccomp *seccomp;          /* the filter that is loaded last of all; NULL: none */
	bool        root_readonly;
	bool        start_now;                 /* execute at once, without waiting on exec.fifo */
	const struct spec_hooks *hooks;        /* those of the spec, one list a kind; NULL: there are none */
	struct spec_hook_state hook_state;
};

/* Run the hooks of a kind that runs in the container's namespaces.
 *
 * @place: status of the container, for their stdin; their directory and output, see struct hook_run.
 * @sock:  the launch socket; when its other end is gone a hook is killed. -1: none.
 * Returns 0, or -errno with @err set. */
struct init_hook_place {
	const char *status, *directory;
	int         output[2];
};
int init_run_hooks(const struct init *init, enum spec_hook_kind kind, const struct init_hook_place *place, int sock,
		   struct error *err) __attribute__((nonnull, warn_unused_result));

/* Do all steps, wait for the start, execute the program.
 *
 * @sock:      the launch socket, lent.
 * @fifo_fd:   exec.fifo, open for reading and writing; -1 with start_now.
 * The host's tree is gone; "/" is the container's. Single-threaded, no allocation.
 * Does not return: the process becomes the program, or tells the host side why not and ends. */
void init_main(const struct init *init, int sock, int fifo_fd) __attribute__((noreturn, nonnull));

/* Give process @pid (0: ourselves) the scheduler and the io priority of config.json. Where both are the host's to
 * give, the host side calls it when all steps are done.
 * Returns 0 or -errno with @err set. */
int init_set_scheduler(const struct spec_process *process, pid_t pid, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Let ourselves run on these CPUs alone, as @field of config.json says; the host side's process in between, too.
 * Returns 0 or -errno with @err set. */
int init_set_cpus(const struct spec_numbers *cpus, const char *field, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* A process that `exec` adds to a running container. */
struct init_exec {
	struct init       init;     /* start_now is true */
	bool        become;   /* a user namespace was entered: ... */
	uint32_t    uid, gid; /* ... be this one in it until the credentials are set */
	bool        go_on;    /* without a word when it is ready: the host side has nothing to do before */
};

/* The same for a process that has entered the container's namespaces already, in the place of the
 * stage's work and init_main(); every fd but 0-2, the preserved ones and @sock is closed first. */
void init_exec_main(const struct init_exec *exec, int sock) __attribute__((noreturn, nonnull));

#endif
