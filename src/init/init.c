/* init.c - the container's first process, from the pivot to the program.
 *
 * Side:  container. Sees only the container's tree; single-threaded; no allocation.
 * Needs: all capabilities of the container's user namespace (or root's); the launch socket.
 * Gives: the program, executed; or one struct error on the socket and exit status 1.
 */
#define _GNU_SOURCE
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "init/console.h"
#include "init/context.h"
#include "init/credentials.h"
#include "init/program.h"
#include "init/scheduler.h"
#include "init/seccomp.h"

static int step_session(const struct init *init, struct init_context *context, struct error *err)
{
	(void)init, (void)context;
	/* CVE-2017-5226: without a session of its own the container could type into the caller's
	 * terminal (TIOCSTI). */
	if (setsid() < 0)
		return error_set(err, errno, "setsid");
	return 0;
}

static int step_names(const struct init *init, struct init_context *context, struct error *err)
{
	(void)context;
	if (init->hostname != NULL && sethostname(init->hostname, strlen(init->hostname)) < 0)
		return error_at(err, errno, init->hostname, "sethostname");
	if (init->domainname != NULL && setdomainname(init->domainname, strlen(init->domainname)) < 0)
		return error_at(err, errno, init->domainname, "setdomainname");
	return 0;
}

static int step_loopback(const struct init *init, struct init_context *context, struct error *err)
{
	struct ifreq request = { .ifr_name = "lo" };

	(void)context;
	if (!init->bring_lo_up)
		return 0;
	fd_owned sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &request) < 0)
		return error_at(err, errno, "lo", "read the flags of the interface");
	request.ifr_flags |= IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &request) < 0)
		return error_at(err, errno, "lo", "bring the interface up");
	return 0;
}

static int step_keyring(const struct init *init, struct init_context *context, struct error *err)
{
	int serial = init->keyring ? sys_join_session_keyring(init->keyring) : 0;

	/* Another user may have opened one of this name to everybody, to find our keys in it later. */
	bool foreign = serial > 0 && sys_owns_keyring(serial) == 0;
	if (foreign) {
		init_note(context, "session keyring: %s is another user's: a new one without a name", init->keyring);
		serial = sys_join_session_keyring(NULL);
	}
	if (serial == 0 || (serial > 0 && (foreign || sys_open_keyring(serial) == 0)))
		return 0;
	if (errno == EDQUOT)
		init_note(context, "no session keyring: the user's quota is used up (sysctl kernel.keys.maxkeys)");
	else if (errno == ENOSYS || errno == EPERM || errno == EACCES)
		init_note(context, "no session keyring: %s", strerror(errno));
	else
		return error_at(err, errno, init->keyring, "make a session keyring");
	return 0;
}

static int step_root_readonly(const struct init *init, struct init_context *context, struct error *err)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

	(void)context;
	if (init->root_readonly && mount_setattr(AT_FDCWD, "/", 0, &attributes, sizeof(attributes)) < 0)
		return error_set(err, errno, "make the root file system read-only");
	return 0;
}

static int step_personality(const struct init *init, struct init_context *context, struct error *err)
{
	(void)context;
	if (!init->set_personality || personality(init->personality) >= 0)
		return 0;
	error_at(err, errno, "linux: personality: domain", "personality");
	return error_hint(err, "this kernel can't run programs of 32 bits");
}

static int step_umask(const struct init *init, struct init_context *context, struct error *err)
{
	(void)context, (void)err;
	umask(init->process->user.umask == SPEC_UMASK_UNSET ? 0022 : init->process->user.umask);
	return 0;
}

static int step_rlimits(const struct init *init, struct init_context *context, struct error *err)
{
	(void)context;
	for (size_t i = 0; i < init->rlimits_count; i++) {
		const struct spec_rlimit *one = &init->rlimits[i];

		/* What needs a privilege, a raised hard limit, the host side has done already. */
		if (setrlimit((__rlimit_resource_t)one->resource, &one->limit) < 0)
			return error_at(err, errno, "process: rlimits", "%s: soft %llu, hard %llu", one->name,
					(unsigned long long)one->limit.rlim_cur, (unsigned long long)one->limit.rlim_max);
	}
	return 0;
}

static int step_hide_files(const struct init *init, struct init_context *context, struct error *err)
{
	(void)context;
	if (close_range(3 + init->preserved_fds, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return error_set(err, errno, "close_range");
	return 0;
}

/* The order is the contract: each line says what breaks if it moves. */
struct step {
	const char *name;
	int (*run)(const struct init *init, struct init_context *context, struct error *err);
};
static const struct step steps[] = {
	{ "new session",           step_session },            /* before the console: only a session's leader can take it */
	{ "set hostname",          step_names },
	{ "loopback interface",    step_loopback },
	{ "session keyring",       step_keyring },            /* before the ids change: it belongs to who makes it */
	{ "console",               console_open },            /* before the root is read-only: /dev/console may be made on it */
	{ "read-only root",        step_root_readonly },
	{ "stdio",                 console_chown_stdio },     /* while we may chown */
	{ "HOME",                  program_set_home },        /* before the user changes: passwd may be closed to it */
	{ "LISTEN_PID",            program_set_listen_pid },
	{ "working directory",     program_enter_cwd },       /* first try as root: the way may be closed to the user */
	{ "umask",                 step_umask },
	{ "personality",           step_personality },
	{ "hide inherited files",  step_hide_files },
	{ "scheduling",            scheduler_apply },         /* late: it would slow our own steps down; before the limits, which may forbid it */
	{ "credentials",           credentials_apply },       /* from here on nothing needs a privilege */
	{ "resource limits",       step_rlimits },            /* late: a tight one would hit our own steps */
	{ "working directory",     program_check_cwd },       /* second try as the user (a file system may refuse root) */
	{ "exec",                  program_find },            /* as the user, who must be able to execute it */
};

/* For a process that `exec` adds: the container is made already. The reasons are those above. */
static const struct step exec_steps[] = {
	{ "new session",           step_session },
	{ "session keyring",       step_keyring },            /* the container's own, by its name */
	{ "console",               console_open },
	{ "stdio",                 console_chown_stdio },
	{ "HOME",                  program_set_home },
	{ "working directory",     program_enter_cwd },
	{ "umask",                 step_umask },
	{ "personality",           step_personality },
	{ "hide inherited files",  step_hide_files },
	{ "scheduling",            scheduler_apply },
	{ "credentials",           credentials_apply },
	{ "resource limits",       step_rlimits },
	{ "working directory",     program_check_cwd },
	{ "exec",                  program_find },
};

void init_note(struct init_context *context, const char *format, ...)
{
	char    text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* A note that can't be sent shows as a dead socket at the next step. */
	(void)!sync_send(context->sock, SYNC_NOTE, text, strlen(text), -1);
}

static void __attribute__((noreturn)) give_up(int sock, struct error *err, const char *step)
{
	error_step(err, "%s", step);
	(void)!sync_send(sock, SYNC_ERROR, err, sizeof(*err), -1);
	_exit(1);
}

/* Wait until `start` has written into exec.fifo. We hold a writing end, too, so that a reader
 * that comes and goes is no end of file. */
static void wait_for_start(int fifo_fd)
{
	char    byte;
	ssize_t count;

	do
		count = read(fifo_fd, &byte, 1);
	while (count < 0 && errno == EINTR);
	if (count != 1)
		_exit(1);
}

static void do_steps(const struct init *init, struct init_context *context, const struct step *step, size_t count)
{
	struct error err = { 0 };

	for (; count > 0; step++, count--)
		if (step->run(init, context, &err) < 0)
			give_up(context->sock, &err, step->name);
}

/* Say that the steps are done, and wait for the word to go on. */
static void report(int sock)
{
	struct sync_message message;
	struct error        err = { 0 };

	int ret = sync_send(sock, SYNC_READY, NULL, 0, -1);
	if (ret == 0)
		ret = sync_receive(sock, &message);
	if (ret < 0) {
		error_set(&err, -ret, "wait for the word to go on");
		give_up(sock, &err, "exec");
	}
	if (message.kind != SYNC_GO)
		_exit(1); /* moss was killed: nothing is left to wait for */
}

/* The last thing before the program, as its user. Their output is for the error alone: no file of the host's is
 * open in the container. */
static int run_start_hooks(const struct init *init, int sock, struct error *err)
{
	static const struct init_hook_place place = { .status = "created", .output = { -1, -1 } };

	if (init_run_hooks(init, SPEC_HOOK_START_CONTAINER, &place, sock, err) < 0)
		return error_step(err, "hooks");
	return 0;
}

/* Load the filter, and give its listener to the host side, if it has one: the last that needs a system call that the
 * filter may know. */
static int load_filter(const struct init *init, struct init_context *context, struct error *err)
{
	if (init->seccomp == NULL || context->filter_loaded)
		return 0;
	context->filter_loaded = true;
	int listener = seccomp_apply(init->seccomp, err);
	if (listener < 0)
		return error_step(err, "seccomp");
	int ret = listener > 0 ? sync_send(context->sock, SYNC_LISTENER, NULL, 0, listener) : 0;
	/* Who has it answers for the filter: not for a process of the container to take from us (pidfd_getfd(2)). */
	context->holds_listener = listener > 0 && !(init->seccomp->allows_close && close(listener) == 0);
	return ret < 0 ? error_at(err, -ret, "linux: seccomp", "hand the filter's listener over") : 0;
}

/* Returns only on failure. */
static void execute(const struct init *init, struct init_context *context, struct error *err)
{
	if (load_filter(init, context, err) == 0)
		program_execute(init, context, err);
}

static void __attribute__((noreturn)) execute_now(const struct init *init, struct init_context *context)
{
	struct error err = { 0 };

	if (run_start_hooks(init, context->sock, &err) < 0)
		give_up(context->sock, &err, "hooks");
	execute(init, context, &err);
	err.exit_status = 255;
	give_up(context->sock, &err, "exec");
}

void init_main(const struct init *init, int sock, int fifo_fd)
{
	static struct init_context context;
	struct error err = { 0 };

	context = (struct init_context){ .sock = sock, .env = init->env };
	do_steps(init, &context, steps, array_size(steps));
	report(sock);
	if (init->start_now)
		execute_now(init, &context);
	/* `create` is there to take the listener, `start` is not. The socket stays open then: close(2) may be denied,
	 * and its other end is gone. */
	bool listens = init->seccomp != NULL && init->seccomp->listens;
	if (listens && load_filter(init, &context, &err) < 0)
		give_up(sock, &err, "exec");
	if (!listens)
		close(sock);
	/* Nothing of the host's is open any more, and exec's helper must be able to look at us. */
	if (!listens || (init->seccomp->allows_prctl && !context.holds_listener))
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	wait_for_start(fifo_fd);
	/* An error is for `start`, which looks into the fifo when our end is closed; that of the program's execution for
	 * its own stderr, too. */
	if (run_start_hooks(init, -1, &err) < 0) {
		(void)!write(fifo_fd, &err, sizeof(err));
		_exit(1);
	}
	execute(init, &context, &err);
	error_step(&err, "exec");
	(void)!write(fifo_fd, &err, sizeof(err));
	char text[ERROR_TEXT_MAX];
	error_text(&err, text, sizeof(text));
	dprintf(STDERR_FILENO, "%s\n", text);
	_exit(255);
}

/* What the stage does for the container's first process. */
static int enter(const struct init_exec *exec, int sock, struct error *err)
{
	if (sys_close_others(3 + exec->init.preserved_fds, &sock, 1) < 0)
		return error_set(err, errno, "close_range");
	sys_signals_reset();
	/* Our own ids may not be mapped in the container: what is made then belongs to nobody. */
	if (exec->become &&
	    (setresgid(exec->gid, exec->gid, exec->gid) < 0 || setresuid(exec->uid, exec->uid, exec->uid) < 0))
		return error_set(err, errno, "become %u:%u in the container's user namespace", exec->uid, exec->gid);
	return 0;
}

void init_exec_main(const struct init_exec *exec, int sock)
{
	static struct init_context context;
	struct error err = { 0 };

	context = (struct init_context){ .sock = sock, .env = exec->init.env };
	if (enter(exec, sock, &err) < 0)
		give_up(sock, &err, "enter the container");
	do_steps(&exec->init, &context, exec_steps, array_size(exec_steps));
	if (!exec->go_on)
		report(sock);
	execute_now(&exec->init, &context);
}
