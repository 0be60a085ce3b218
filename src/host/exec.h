/* exec.h - one more process in a running container. Side: host.
 *
 * A process in between enters the container's namespaces by one setns(2) on the pidfd of its first
 * process and clones ours, straight into the container's cgroup (join.h); nothing is polled, moved or
 * started twice. The order of the work is in docs/design.md.
 */
#ifndef MOSS_EXEC_H
#define MOSS_EXEC_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/state.h"
#include "spec/spec.h"

struct exec_options { /* texts are lent; NULL: not given */
	const char *process;        /* file with a process object; else that of config.json is the template */
	const char *cwd, *user;     /* "UID" or "UID:GID" */
	const char *console_socket, *pidfd_socket, *pid_file;
	const char *process_label, *apparmor; /* in the place of the process's own labels; "": none */
	struct spec_texts args;     /* none: those of @process */
	struct spec_texts env;      /* NAME=VALUE, later ones win */
	struct spec_texts additional_gids, capabilities;
	struct spec_texts cgroups;  /* [CONTROLLER:]PATH below the container's cgroup */
	unsigned    preserve_fds;
	bool        tty, detach, no_new_privileges, ignore_paused, keep_groups;
	bool        degrade;        /* --degrade=warn: go on outside the container's cgroup */
};

struct init_seccomp; /* init/init.h */

struct exec {
	pid_t pid;        /* the new process, our child, as we see it */
	int   pidfd;
	int   sock;       /* the launch socket, until the program is executed */
	int   console_fd; /* the pty's master; -1: none, or sent away */
	int   signal_fd;  /* all signals are blocked and read from here */
	struct init_seccomp *filter; /* its seccomp filter, shared with it until the program is executed; NULL: none */
};
void exec_close(struct exec *exec);
#define exec_owned __attribute__((cleanup(exec_close))) struct exec

/* Add the process: all is ready, and it is told to execute its program or has done so already. On failure nothing is left of it.
 * exec_close() is needed in every case. Returns 0 or -errno with @err set; err->exit_status is 128 + N
 * when signal N interrupted it. */
int exec_start(const struct exec_options *options, const char *id, const struct state_root *root,
	       struct exec *ret_exec, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Wait until the program is executed. Returns 0 or -errno with @err set. */
int exec_wait(struct exec *exec, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Kill and reap the process; remove the pid file, if it is one of ours. */
void exec_abandon(struct exec *exec, const struct exec_options *options) __attribute__((nonnull));

#endif
