/* hook.c - see hook.h. Side: any. */
#define _GNU_SOURCE
#include "base/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif

#define TAIL_BYTES 1024            /* of the output, kept for the error */
#define DRAIN_BYTES (1024 * 1024)  /* at most what a pipe holds; one that is filled faster than we read has no end */

struct output { /* of stdout or stderr */
	int    pipe[2]; /* -1: it goes elsewhere */
	size_t used;
	char   tail[2 * TAIL_BYTES]; /* the last bytes, at the end of what is used */
};

struct running { /* one hook */
	const struct hook     *hook;
	const struct hook_run *run;
	int    input, pidfd;
	int    status[2]; /* pipe for the errno of an execve(2) that failed: close-on-exec is success */
	pid_t  pid, parent;
	struct output output[2];
};

static void running_close(struct running *running)
{
	fd_close(&running->input);
	fd_close(&running->pidfd);
	for (int end = 0; end < 2; end++) {
		fd_close(&running->status[end]);
		fd_close(&running->output[0].pipe[end]);
		fd_close(&running->output[1].pipe[end]);
	}
}
#define running_owned __attribute__((cleanup(running_close))) struct running

/* A file, not a pipe: a hook that does not read it is no reason to wait, one that closes it no SIGPIPE. Sealed:
 * each hook gets its own, but one that is forked from it could write. */
static int make_input(const char *const *texts, int *ret_fd)
{
	fd_owned fd = memfd_create("state", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* before Linux 6.3; after it sysctl vm.memfd_noexec can demand the flag */
		fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int ret = fd < 0 ? -errno : 0;
	for (; ret == 0 && *texts != NULL; texts++)
		ret = io_write_all(fd, *texts, strlen(*texts));
	if (ret < 0)
		return ret;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	*ret_fd = fd_take(&fd);
	return 0;
}

static int make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	return fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0; /* the hook's end blocks, as programs expect */
}

static int open_files(struct running *running)
{
	int ret = make_input(running->run->input, &running->input);

	if (ret == 0)
		ret = make_pipe(running->status);
	for (int i = 0; ret == 0 && i < 2; i++)
		if (running->run->output[i] < 0)
			ret = make_pipe(running->output[i].pipe);
	return ret;
}

/* Become the hook. Returns on failure, with errno. */
static void become(const struct running *running)
{
	static char *const no_environment[] = { NULL };
	const struct hook     *hook = running->hook;
	const struct hook_run *run = running->run;
	char *const by_path[] = { (char *)hook->path, NULL };

	setsid(); /* its own group, which can be killed; and no terminal to stop it for reading */
	if (run->dies_with_us) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != running->parent)
			_exit(1);
	}
	sys_signals_reset();
	if (dup2(running->input, STDIN_FILENO) < 0)
		return;
	for (int i = 0; i < 2; i++)
		if (dup2(run->output[i] >= 0 ? run->output[i] : running->output[i].pipe[1], STDOUT_FILENO + i) < 0)
			return;
	/* Ours have the flag; what the caller left open has not. */
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return;
	if (run->directory != NULL && chdir(run->directory) < 0 && chdir("/") < 0)
		return;
	execve(hook->path, hook->args ? hook->args : by_path, hook->env ? hook->env : no_environment);
}

/* What moss does for a hook in the container holds what the container is held to. */
static int explain_start(int code, const char *step, struct error *err)
{
	error_set(err, code, "%s", step);
	switch (code) {
	case EAGAIN:
		return error_hint(err, "no process may be made: RLIMIT_NPROC, a limit of pids, or for startContainer SCHED_DEADLINE without "
				       "SCHED_FLAG_RESET_ON_FORK");
	case EMFILE:
	case EFBIG:
		return error_hint(err, "for startContainer the limits of process.rlimits hold already: it takes some more open files and bytes to run a hook");
	case EPERM:
	case ENOSYS:
		return error_hint(err, "for startContainer a seccomp filter that has a listener is in force already: memfd_create, fcntl, pipe2, "
				       "clone3, poll, waitid and what the hook itself needs must be allowed");
	default:
		return -code;
	}
}

static int start(struct running *running, struct error *err)
{
	struct sys_clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&running->pidfd, .exit_signal = SIGCHLD };
	int ret = open_files(running);

	if (ret < 0)
		return explain_start(-ret, "make its stdin and stderr", err);
	running->parent = getpid();
	running->pid = sys_clone3(&args);
	if (running->pid < 0)
		return explain_start(errno, "clone", err);
	if (running->pid == 0) {
		become(running);
		int code = errno;
		(void)!write(running->status[1], &code, sizeof(code));
		_exit(127);
	}
	fd_close(&running->status[1]);
	for (int i = 0; i < 2; i++)
		fd_close(&running->output[i].pipe[1]);
	return 0;
}

/* Take what is there, keep the last of it. Returns the number of bytes. */
static size_t take_output(struct output *output)
{
	if (output->used > TAIL_BYTES) { /* room for as much again */
		memmove(output->tail, output->tail + output->used - TAIL_BYTES, TAIL_BYTES);
		output->used = TAIL_BYTES;
	}
	ssize_t count = read(output->pipe[0], output->tail + output->used, sizeof(output->tail) - output->used);
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(&output->pipe[0]);
	output->used += count > 0 ? (size_t)count : 0;
	return count > 0 ? (size_t)count : 0;
}

/* Before it is reaped: until then its pid, which is the group's number, is nobody else's. */
static void kill_group(const struct running *running)
{
	kill(-running->pid, SIGKILL); /* not there before its setsid(2) */
	pidfd_send_signal(running->pidfd, SIGKILL, NULL, 0);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until its process has ended, or is to be killed: then -errno with @err set. */
static int wait_for_end(struct running *running, struct error *err)
{
	const struct hook_run *run = running->run;
	int64_t end = running->hook->timeout_s > 0 ? now_ms() + (int64_t)running->hook->timeout_s * 1000 : INT64_MAX;

	for (;;) {
		struct pollfd fds[] = { { .fd = running->pidfd, .events = POLLIN },
					{ .fd = running->output[0].pipe[0], .events = POLLIN },
					{ .fd = running->output[1].pipe[0], .events = POLLIN },
					{ .fd = run->watch_fd, .events = POLLIN } };
		int64_t left = end == INT64_MAX ? -1 : end - now_ms();

		if (end != INT64_MAX && left <= 0) {
			error_set(err, 0, "killed after its timeout of %u s", running->hook->timeout_s);
			return -(err->code = ETIMEDOUT);
		}
		if (poll(fds, array_size(fds), left > INT32_MAX ? INT32_MAX : (int)left) < 0) {
			if (errno == EINTR)
				continue;
			return error_set(err, errno, "wait for its end");
		}
		for (int i = 0; i < 2; i++)
			if (fds[1 + i].revents != 0)
				take_output(&running->output[i]);
		if (fds[0].revents != 0)
			return 0;
		if (fds[3].revents != 0 && run->watch(run->watch_fd, err) < 0)
			return -err->code;
	}
}

/* One line, whatever it wrote: what can't be shown, and each end of a line, becomes a space. */
static const char *printable(struct output *output)
{
	char  *from = output->tail, *to = output->tail, *end;

	end = from + output->used;
	if (output->used >= TAIL_BYTES) /* what was cut off may have ended within a character */
		for (from = end - TAIL_BYTES; from < end && ((unsigned char)*from & 0xc0) == 0x80; from++)
			;
	for (; from < end; from++) {
		bool shown = (unsigned char)*from > ' ' && *from != 0x7f;

		if (shown)
			*to++ = *from;
		else if (to > output->tail && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > output->tail && to[-1] == ' ')
		to--;
	*to = '\0';
	return output->tail;
}

/* "#!/no/such/shell" and a missing dynamic loader both end as ENOENT for a file that is there. */
static int explain_exec(const char *path, int code, struct error *err)
{
	error_set(err, code, "it can't be executed");
	switch (code) {
	case ENOENT:
		return error_hint(err, faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0 ?
				  "the file is there; its interpreter or its dynamic loader is not" :
				  "a hook's path is that of a file where the hook runs: on the host, for startContainer in the container");
	case EACCES:
		return error_hint(err, "chmod +x it; the way to it and its file system (noexec) must allow it, too");
	case ENOEXEC:
		return error_hint(err, "a script begins with a line like #!/bin/sh");
	default:
		return -code;
	}
}

/* Its exit status, or what was in its way; 0 when all went well. */
static int judge(struct running *running, struct error *err)
{
	siginfo_t info = { 0 };
	int code = 0;

	if (waitid(P_PIDFD, (id_t)running->pidfd, &info, WEXITED) < 0)
		return error_set(err, errno, "wait for its end");
	if (read(running->status[0], &code, sizeof(code)) == (ssize_t)sizeof(code))
		return explain_exec(running->hook->path, code, err);
	if (info.si_code == CLD_EXITED && info.si_status == 0)
		return 0;
	if (info.si_code == CLD_EXITED)
		return error_set(err, 0, "exit status %d", info.si_status);
	return error_set(err, 0, "killed by signal %d (%s)", info.si_status, sigabbrev_np(info.si_status) ?: "?");
}

/* What is still in the pipe; a daemon that goes on writing is not followed for ever. */
static void drain(struct output *output)
{
	size_t taken = 0, count;

	while (taken < DRAIN_BYTES && output->pipe[0] >= 0 && (count = take_output(output)) > 0)
		taken += count;
}

/* Append the end of what it wrote. */
static void quote(struct running *running, struct error *err)
{
	if (running->run->output[1] >= 0)
		error_hint(err, "what it wrote is in the file that its stderr goes to");
	drain(&running->output[0]);
	drain(&running->output[1]);
	struct output *out = &running->output[0], *stderr_of = &running->output[1];
	bool   nothing = printable(stderr_of)[0] == '\0';
	size_t used = strlen(err->cause);

	if (!nothing || printable(out)[0] != '\0')
		snprintf(err->cause + used, sizeof(err->cause) - used, "%s: \"%s\"", nothing ? "; it wrote" : "",
			 nothing ? out->tail : stderr_of->tail);
}

int hook_run(const struct hook *hooks, size_t index, const struct hook_run *run, struct error *err)
{
	running_owned running = { .hook = &hooks[index], .run = run, .input = -1, .pidfd = -1, .status = { -1, -1 },
				  .output = { { .pipe = { -1, -1 } }, { .pipe = { -1, -1 } } } };
	int ret = start(&running, err);

	if (ret == 0) {
		ret = wait_for_end(&running, err);
		if (ret < 0) {
			kill_group(&running);
			waitid(P_PIDFD, (id_t)running.pidfd, NULL, WEXITED);
		} else {
			ret = judge(&running, err);
		}
		if (ret < 0)
			quote(&running, err);
	}
	return ret < 0 ? error_object(err, "%s[%zu]: %s", run->kind, index, hooks[index].path) : 0;
}

int hook_run_all(const struct hook *hooks, size_t count, const struct hook_run *run, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (hook_run(hooks, i, run, err) < 0)
			return -err->code;
	return 0;
}
