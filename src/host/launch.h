/* launch.h - make a container: everything up to its first process waiting for the start.
 *
 * Side: host. The order of the work is in docs/design.md; what is made here is unmade by
 * destroy.h, also after a failure half-way.
 */
#ifndef MOSS_LAUNCH_H
#define MOSS_LAUNCH_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/cgroup_place.h"
#include "host/state.h"

struct launch_options {
	const char *id;
	const char *bundle;         /* directory of config.json */
	const char *config;         /* another file than bundle/config.json, or NULL */
	const char *console_socket; /* or NULL */
	const char *pidfd_socket;   /* or NULL */
	const char *pid_file;       /* or NULL */
	const char *network;        /* --network, or NULL */
	const struct spec_texts *publish; /* --publish, or NULL */
	unsigned    preserve_fds;
	bool        no_new_keyring;
	bool        no_pivot;       /* the machine's root is the initramfs */
	bool        keep_groups;    /* also by annotation */
	bool        detach;         /* the caller does not stay: no terminal of its own */
	bool        start_now;      /* do not wait on exec.fifo: `run` */
	bool        degrade;        /* --degrade=warn: go on without limits that can't be had */
	enum cgroup_manager cgroup_manager;
};

struct notify; /* host/notify.h */
struct init_seccomp; /* init/init.h */

struct launched {
	struct state_root *root;   /* lent */
	int          dir_fd;       /* ROOT/ID, locked */
	struct state state;
	int          pidfd;        /* the container's first process; our child */
	int          sock;         /* launch socket; with start_now: until the program is executed */
	int          console_fd;   /* the pty's master; -1: none, or sent away */
	struct notify *notify;     /* with start_now: the proxy of NOTIFY_SOCKET; NULL: none */
	int          signal_fd;    /* all signals are blocked and read from here */
	struct init_seccomp *filter; /* its seccomp filter, shared with it until the program is executed; NULL: none */
};
void launched_close(struct launched *launched);
#define launched_owned __attribute__((cleanup(launched_close))) struct launched

/* Make the container. On failure nothing is left of it.
 * Returns 0 or -errno with @err set; err->exit_status is 128 + N when signal N interrupted it. */
int launch_create(const struct launch_options *options, struct state_root *root,
		  struct launched *ret_launched, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* With start_now: wait until the program is executed. On failure the container is still there;
 * err->exit_status is 255 when it was the execve(2) that failed. */
int launch_wait_exec(struct launched *launched, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
