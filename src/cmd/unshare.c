/* unshare.c - `unshare`: a command in the caller's own id mapping. Side: host.
 *
 * For files of many owners: what tar(1), rm(1) or chown(1) may do to a root file system whose
 * files belong to the user's subordinate ids. A user namespace with the ids that a container of
 * this user gets, and a mount namespace; nothing else changes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "cmd/commands.h"
#include "host/caller.h"
#include "host/idmap.h"
#include "host/own_ids.h"
#include "host/signals.h"

/* In the new mount namespace: nothing mounted here reaches the host. */
static int own_mounts(struct error *err)
{
	struct mount_attr attributes = { .propagation = MS_SLAVE };

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
		return error_set(err, errno, "cut the mounts off from the host's");
	return 0;
}

static int execute(char **arguments, struct error *err)
{
	char *shell = getenv("SHELL");
	char *shell_arguments[] = { shell && shell[0] == '/' ? shell : "/bin/sh", NULL };
	char **argv = arguments[0] != NULL ? arguments : shell_arguments;

	sys_signals_reset();
	execvp(argv[0], argv);
	error_at(err, errno, argv[0], "execute");
	err->exit_status = err->code == ENOENT ? 127 : 126; /* as the shell has it */
	return -err->code;
}

static void __attribute__((noreturn)) child_main(int sock, char **arguments)
{
	struct sync_message message;
	struct error err = { 0 };

	if (sync_receive(sock, &message) < 0 || message.kind != SYNC_MAPPED)
		_exit(1); /* moss was killed, or could not map */
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		error_set(&err, errno, "become root in the user namespace");
	/* Denied where there is one id only: then the caller's groups stay. */
	else if (setgroups(0, NULL) < 0 && errno != EPERM)
		error_set(&err, errno, "setgroups");
	else if (own_mounts(&err) == 0)
		execute(arguments, &err);
	(void)!sync_send(sock, SYNC_ERROR, &err, sizeof(err), -1);
	_exit(1);
}

/* Stay until it has ended; what is sent to us is for it. */
static int wait_for(int pidfd, int signal_fd, struct error *err)
{
	struct pollfd fds[] = { { .fd = signal_fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	siginfo_t info = { 0 };
	int number;

	do {
		if (poll(fds, array_size(fds), -1) < 0 && errno != EINTR)
			return error_set(err, errno, "poll");
		/* The terminal sends INT, QUIT and TSTP to both of us already. */
		while ((number = signals_next(signal_fd)) != 0)
			if (number != SIGCHLD && number != SIGINT && number != SIGQUIT && number != SIGTSTP)
				pidfd_send_signal(pidfd, number, NULL, 0);
	} while (fds[1].revents == 0);
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		return error_set(err, errno, "wait");
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static int map_and_wait(pid_t pid, int pidfd, int sock, int signal_fd, struct error *err)
{
	struct spec_id_maps uid_maps, gid_maps;
	struct sync_message message;
	arena_owned arena = { NULL };

	if (own_ids_find(OWN_UIDS, &arena, &uid_maps, err) < 0 || own_ids_find(OWN_GIDS, &arena, &gid_maps, err) < 0 ||
	    idmap_write(pid, &uid_maps, &gid_maps, err) < 0)
		return error_step(err, "map ids");
	int ret = sync_send(sock, SYNC_MAPPED, NULL, 0, -1);
	if (ret == 0)
		ret = sync_receive(sock, &message); /* until the execve, or what went wrong */
	if (ret < 0)
		return error_set(err, -ret, "wait for the command");
	if (message.kind == SYNC_ERROR) {
		*err = message.error;
		return -err->code;
	}
	return wait_for(pidfd, signal_fd, err);
}

int unshare_run(const struct global_options *global, const void *options, char **arguments, struct error *err)
{
	int pidfd_made = -1, socks[2];

	(void)global, (void)options;
	if (caller_get()->privileged) { /* all ids are there already */
		if (unshare(CLONE_NEWNS) < 0)
			return error_set(err, errno, "unshare CLONE_NEWNS");
		return own_mounts(err) < 0 ? -err->code : execute(arguments, err);
	}
	fd_owned signal_fd = -1;
	if (signals_open(&signal_fd, err) < 0)
		return -err->code;
	int ret = sync_pair(socks);
	if (ret < 0)
		return error_set(err, -ret, "socketpair");
	fd_owned sock = socks[0];
	fd_owned child_sock = socks[1];
	struct sys_clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_PIDFD, .exit_signal = SIGCHLD,
				       .pidfd = (uintptr_t)&pidfd_made };
	pid_t pid = sys_clone3(&args);
	if (pid < 0) {
		int code = errno;
		error_set(err, code, "clone3");
		return caller_explain_user_ns(code, err);
	}
	if (pid == 0) {
		close(socks[0]);
		child_main(socks[1], arguments);
	}
	fd_owned pidfd = pidfd_made;
	fd_close(&child_sock);
	ret = map_and_wait(pid, pidfd, sock, signal_fd, err);
	if (ret < 0) {
		fd_close(&sock); /* it ends itself */
		pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		waitpid(pid, NULL, 0);
	}
	return ret;
}
