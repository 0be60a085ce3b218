/* kill.c - `kill`. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cmd/commands.h"
#include "host/cgroup.h"
#include "host/destroy.h"
#include "host/processes.h"
#include "host/state.h"

/* A number, or a name with or without SIG, in any case. Returns it, or -EINVAL with @err set. */
static int signal_parse(const char *text, struct error *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;

	if (str_to_uint(text, 64, &number))
		return (int)number;
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);
		if (known != NULL && strcasecmp(known, name) == 0)
			return i;
	}
	/* RTMIN+N and RTMAX-N, as the shell has them; the numbers are the kernel's, not libc's. */
	if (strncasecmp(name, "RTMIN", 5) == 0 && (name[5] == '\0' || (name[5] == '+' && str_to_uint(name + 6, 30, &number))))
		return SIGRTMIN + (name[5] ? (int)number : 0);
	if (strncasecmp(name, "RTMAX", 5) == 0 && (name[5] == '\0' || (name[5] == '-' && str_to_uint(name + 6, 30, &number))))
		return SIGRTMAX - (name[5] ? (int)number : 0);
	if (strcasecmp(name, "IOT") == 0)
		return SIGABRT;
	if (strcasecmp(name, "CLD") == 0)
		return SIGCHLD;
	if (strcasecmp(name, "IO") == 0)
		return SIGIO;
	return error_set(err, 0, "unknown signal \"%s\"", text);
}

/* @asked: by --all; else the first process alone will do where the others can't be found. */
static int signal_all(const struct state *state, int dir_fd, int pidfd, int number, bool asked, struct error *err)
{
	fd_owned cgroup = state_open_cgroup(dir_fd, state);
	int ret;

	if (cgroup >= 0) {
		ret = cgroup_signal(cgroup, number);
	} else if (state->own_pid_namespace && number == SIGKILL) {
		ret = pidfd_send_signal(pidfd, number, NULL, 0) < 0 ? -errno : 0; /* the kernel kills the rest */
	} else if (state->own_pid_namespace) {
		ret = processes_signal(state, dir_fd, number);
	} else if (!asked) {
		ret = pidfd_send_signal(pidfd, number, NULL, 0) < 0 ? -errno : 0;
	} else {
		error_at(err, ENOTSUP, state->id, "its processes can't be told from others: it has neither a cgroup nor a "
						  "pid namespace of its own");
		return error_hint(err, "without --all the signal reaches its first process");
	}
	return ret < 0 ? processes_explain(state, ret, "signal all processes", err) : 0;
}

int kill_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct kill_options *options = fields;
	const char *id = arguments[0];
	command_container_owned container = { .root.fd = -1, .dir_fd = -1, .pidfd = -1 };
	const struct state *state = &container.state;

	if (state_check_id(id, err) < 0)
		return -err->code;
	int number = signal_parse(arguments[1] ? arguments[1] : "TERM", err);
	if (number < 0 || command_container_open(global, id, false, &container, err) < 0)
		return -err->code;
	if (container.status == STATE_STOPPED || container.pidfd < 0)
		return error_at(err, ESRCH, id, "container not running");
	/* Without a pid namespace of its own the end of the first process leaves the others. */
	bool all = options->all || (number == SIGKILL && !state->own_pid_namespace && state->cgroup != NULL);
	if (all)
		return signal_all(state, container.dir_fd, container.pidfd, number, options->all, err);
	if (pidfd_send_signal(container.pidfd, number, NULL, 0) < 0)
		return errno == ESRCH ? error_at(err, ESRCH, id, "container not running")
				      : error_at(err, errno, id, "send signal %d", number);
	return 0;
}
