/* exec.c - see exec.h. Side: host. */
#define _GNU_SOURCE
#include "host/exec.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/lsm.h"
#include "base/proc.h"
#include "base/sync.h"
#include "host/caller.h"
#include "host/cgroup.h"
#include "host/destroy.h"
#include "host/exec_process.h"
#include "host/fd_socket.h"
#include "host/helper.h"
#include "host/idmap.h"
#include "host/inherited.h"
#include "host/intel_rdt.h"
#include "host/join.h"
#include "host/pid_file.h"
#include "host/plan_process.h"
#include "host/scope.h"
#include "host/seccomp.h"
#include "host/signals.h"
#include "host/talk.h"

#define DYING_MS 500 /* the first process kills the others and ends when they have ended */

struct entering { /* an exec under way */
	const struct exec_options *options;
	struct exec     *out;
	struct state     state;
	struct spec      spec;
	struct join      join;
	struct exe       exe;
	bool             seal_exe;
	struct init_exec init;
	struct spec      container; /* its config.json, where @spec is a file's and something in it is for all processes */
	struct seccomp   seccomp;
	int  root_fd;             /* of the state directory */
	int  status;              /* enum state_status of the container */
	int  dir_fd, first_pidfd; /* of the container, and of its first process */
	uid_t owner;              /* of the container: another user's is root's to enter */
	int  trees[JOIN_TREES];
	int  own_cgroup_fd; /* of the container, looked for once; negative: none, or why not */
	int  cgroup_fd, child_sock, console_sock, pidfd_sock;
	struct scope scope; /* systemd's helper under way */
};

void exec_close(struct exec *exec)
{
	fd_close(&exec->pidfd);
	fd_close(&exec->sock);
	fd_close(&exec->console_fd);
	fd_close(&exec->signal_fd);
	seccomp_unmap(&exec->filter);
}

/* It takes its time: this is for while the other side is busy, too. */
static void close_trees(struct entering *entering)
{
	for (int i = 0; i < JOIN_TREES; i++)
		fd_close(&entering->trees[i]);
}

static void entering_free(struct entering *entering)
{
	join_close(&entering->join);
	seccomp_close(&entering->seccomp);
	spec_free(&entering->spec);
	spec_free(&entering->container);
	state_free(&entering->state);
	fd_close(&entering->dir_fd);
	fd_close(&entering->first_pidfd);
	fd_close(&entering->own_cgroup_fd);
	fd_close(&entering->cgroup_fd);
	fd_close(&entering->child_sock);
	close_trees(entering);
	fd_close(&entering->console_sock);
	fd_close(&entering->pidfd_sock);
}

static int check_status(int status, const char *id, bool ignore_paused, struct error *err)
{
	if (status == STATE_RUNNING || status == STATE_CREATED || (status == STATE_PAUSED && ignore_paused))
		return 0;
	if (status == STATE_PAUSED) {
		error_at(err, 0, id, "cannot exec in a paused container: container paused");
		return error_hint(err, "moss resume it first; with --ignore-paused the process starts when it is resumed");
	}
	if (status == STATE_CREATING)
		return error_at(err, 0, id, "cannot exec in a container that is still being created");
	return error_at(err, 0, id, "cannot exec in a stopped container: container not running");
}

static int open_container(struct entering *entering, const char *id, const struct state_root *root, struct error *err)
{
	/* Without the lock: a `start` or another exec is not to wait for us, nor we for them. */
	if (state_check_id(id, err) < 0 || state_open_read(root, id, false, &entering->dir_fd, &entering->state, err) < 0)
		return -err->code;
	struct stat st;
	if (fstat(entering->dir_fd, &st) < 0)
		return error_at(err, errno, id, "stat the container's state directory");
	entering->owner = st.st_uid;
	entering->own_cgroup_fd = state_open_cgroup(entering->dir_fd, &entering->state);
	int status = state_status_in(entering->dir_fd, &entering->state, false, &entering->own_cgroup_fd, &entering->first_pidfd, err);
	entering->status = status;
	return status < 0 ? status : check_status(status, id, entering->options->ignore_paused, err);
}

/* Who the ids are in the container's user namespace. */
static int find_ids(struct entering *entering, struct error *err)
{
	struct spec *spec = &entering->spec;
	const struct join *join = &entering->join;
	struct init_exec *init = &entering->init;
	char path[48];

	init->become = join_enters_user(join);
	/* When the first process has entered a user namespace of its own making, the maps to be seen are
	 * not the container's: the kernel alone knows those. */
	if ((join->pidfd_namespaces & CLONE_NEWUSER) &&
	    idmap_read(entering->state.pid, &spec->arena, &spec->uid_maps, &spec->gid_maps, err) < 0)
		return error_step(err, "read the id maps");
	init->uid = idmap_first(&spec->uid_maps);
	init->gid = idmap_first(&spec->gid_maps);
	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)entering->state.pid);
	init->init.set_groups = (!init->become && caller_get()->initial_user_ns) || !io_file_starts(path, "deny");
	return 0;
}

/* config.json has been read as the template of the process, or, beside a file with another one, for what is for all
 * processes. Returns it, or NULL with @err set. */
static const struct spec *find_container(struct entering *entering, struct error *err)
{
	if (entering->options->process == NULL)
		return &entering->spec;
	if (entering->container.oci_version == NULL && exec_process_read_container(entering->dir_fd, &entering->container, err) < 0)
		return NULL;
	return &entering->container;
}

static int plan_scheduler(struct entering *entering, struct error *err)
{
	const struct spec_process *process = &entering->spec.process;
	struct init *init = &entering->init.init;

	if (entering->state.memory_policy && entering->options->process != NULL) {
		const struct spec *container = find_container(entering, err);

		if (container == NULL)
			return -err->code;
		init->memory_policy = container->memory_policy.given ? &container->memory_policy : NULL;
	}
	/* What another user's config.json says is not done with our rights. */
	init->set_scheduler |= entering->owner != geteuid() && (process->scheduler.given || process->io_priority.given);
	init->cpus = process->exec_cpus_final.words != NULL ? &process->exec_cpus_final : NULL;
	return 0;
}

/* The container's filter is for what is added to it, too. */
static int plan_filter(struct entering *entering, struct error *err)
{
	if (!entering->state.seccomp)
		return 0;
	const struct spec *container = find_container(entering, err);
	if (container == NULL) {
		error_step(err, "seccomp");
		return -err->code;
	}
	if (container->seccomp == NULL) {
		error_at(err, 0, "linux: seccomp", "the container has a filter, and its copy of config.json says none");
		return error_hint(err, "the copy was changed: nothing can be added to the container without its filter");
	}
	/* The path is that user's to write, and what is sent there would come from root. */
	if (entering->owner != geteuid() && entering->state.seccomp_listens) {
		error_at(err, EPERM, "linux: seccomp: listenerPath", "the container is user %u's", (unsigned)entering->owner);
		return error_hint(err, "only that user can exec in a container with a seccomp listener");
	}
	if (seccomp_plan(container, entering->spec.process.no_new_privileges, &entering->seccomp, err) < 0)
		return -err->code;
	entering->init.init.seccomp = entering->seccomp.shared;
	return 0;
}

/* Is there something to do on the host side before the program may run? */
static bool host_is_needed(const struct entering *entering)
{
	const struct exec_options *options = entering->options;
	const struct spec_process *process = &entering->spec.process;

	return options->pid_file != NULL || options->pidfd_socket != NULL || process->terminal || process->scheduler.given ||
	       process->io_priority.given || entering->state.seccomp || entering->state.rdt.group != NULL ||
	       entering->state.stopped_by_signal;
}

static int plan(struct entering *entering, const char *id, struct error *err)
{
	struct spec_rlimit files;
	struct spec *spec = &entering->spec;
	struct init *init = &entering->init.init;
	const struct join_process first = { entering->state.pid, entering->first_pidfd, entering->state.own_pid_namespace,
					    entering->state.chroot, entering->owner, spec->namespaces };

	if (exec_process_read(entering->options, entering->dir_fd, spec, err) < 0 ||
	    join_open_process(&first, &entering->join, err) < 0 ||
	    find_ids(entering, err) < 0 || spec_check_process(spec, err) < 0)
		return -err->code;
	init->preserved_fds = entering->options->preserve_fds;
	init->keep_groups = entering->options->keep_groups;
	init->start_now = true;
	entering->init.go_on = !host_is_needed(entering);
	init->set_personality = entering->state.personality >= 0;
	init->personality = (unsigned long)entering->state.personality;
	if (entering->state.new_keyring) {
		init->keyring = arena_format(&spec->arena, "_ses.%s", id);
		if (init->keyring == NULL)
			return error_set(err, ENOMEM, "keyring");
	}
	if (plan_process(spec, entering->init.become, init, &files, err) < 0 ||
	    (entering->state.no_mknod && plan_without_mknod(spec, init, err) < 0) || exe_find(&entering->exe, err) < 0 ||
	    plan_filter(entering, err) < 0 || plan_scheduler(entering, err) < 0)
		return -err->code;
	bool maps_known = entering->init.become && spec->uid_maps.count > 0;
	entering->seal_exe = plan_exe_needed(&entering->exe, maps_known ? &spec->uid_maps : NULL);
	for (size_t i = 0; i < spec->warnings.count; i++)
		log_line(LOG_LEVEL_WARNING, "%s", spec->warnings.texts[i]);
	return 0;
}

/* --cgroup: all that is said must be one place below the container's cgroup. */
static int find_sub_cgroup(const struct spec_texts *texts, const char **ret_path, struct error *err)
{
	*ret_path = NULL;
	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->texts[i], *colon = strchr(text, ':');

		if (colon != NULL) {
			error_set(err, 0, "--cgroup: unknown controller \"%.*s\"", (int)(colon - text), text);
			return error_hint(err, "cgroup version 2 has one tree for all controllers: give the path alone");
		}
		if (*ret_path != NULL && strcmp(*ret_path, text) != 0)
			return error_set(err, 0, "--cgroup: \"%.100s\" and \"%.100s\": a process is in one cgroup", *ret_path, text);
		*ret_path = text;
	}
	return 0;
}

/* Outside of it nothing would limit the process, nor would `kill --all` reach it. */
static int cgroup_missing(const struct entering *entering, struct error *err)
{
	error_at(err, 0, entering->state.cgroup, "the container's cgroup is gone or can't be seen from here");
	if (!entering->options->degrade)
		return error_hint(err, "moss delete --force ends the container; --degrade=warn goes on in moss's own cgroup");
	log_line(LOG_LEVEL_WARNING, "%s: %s: the process is not in it (--degrade=warn)", entering->state.cgroup, err->cause);
	*err = (struct error){ 0 };
	return 0;
}

static int open_cgroup(struct entering *entering, struct error *err)
{
	const struct state *state = &entering->state;
	const char *sub;
	int own = entering->own_cgroup_fd;

	if (find_sub_cgroup(&entering->options->cgroups, &sub, err) < 0)
		return -err->code;
	if (own < 0 && own != -ENOENT)
		return error_at(err, -own, state->cgroup, "open the container's cgroup");
	if (own < 0 && sub == NULL)
		return state->cgroup != NULL ? cgroup_missing(entering, err) : 0; /* in ours, as a container without one */
	if (own < 0)
		return error_set(err, 0, "--cgroup: the container has no cgroup of its own");
	if (sub == NULL) {
		entering->cgroup_fd = fd_take(&entering->own_cgroup_fd);
		return 0;
	}
	int ret = cgroup_open_sub(own, sub, &entering->cgroup_fd);
	if (ret == 0)
		return 0;
	if (ret == -EXDEV || ret == -ELOOP)
		return error_at(err, 0, "--cgroup", "%.200s is not a sub cgroup path", sub);
	error_at(err, -ret, "--cgroup", "%s/%.200s", state->cgroup, sub);
	return error_hint(err, "it must be a cgroup below the container's, made beforehand");
}

/* In the process in between, with the host's tree and /proc, before it is undumpable. */
static int prepare(void *context, int sock, struct error *err)
{
	struct entering *entering = context;
	const struct init_exec *init = &entering->init;
	const struct spec_process *process = &entering->spec.process;
	const struct spec_numbers *cpus = &process->exec_cpus_initial;

	/* Here, where /proc is the host's: the container's may be whatever its root has made of it. */
	if (lsm_label_next_exec(&init->init.labels, err) < 0)
		return error_step(err, "security labels");
	if ((entering->owner != geteuid() && inherited_drop_rights(err) < 0) ||
	    (caller_get()->root && init->become && !init->init.keep_groups && inherited_drop_groups(err) < 0) ||
	    inherited_oom_score(process, sock, err) < 0 || inherited_rlimits(process, 0, err) < 0)
		return -err->code;
	return cpus->words == NULL ? 0 : init_set_cpus(cpus, "process: execCPUAffinity: initial", err);
}

static void run_child(void *context, int sock)
{
	init_exec_main(&((struct entering *)context)->init, sock);
}

/* @why_not: what came of asking systemd. That it could not be asked, for there is no unit, says nothing to anybody. */
static int cgroup_refused(struct entering *entering, int ret, const struct error *why_not, struct error *err)
{
	const char *path = entering->state.cgroup;

	if (ret == -EOPNOTSUPP)
		error_at(err, -ret, path, "enter the container's cgroup");
	else
		error_object(err, "%s", path);
	if (strcmp(why_not->step, "systemd") == 0)
		error_hint(err, "nor did systemd do it (%.200s: %.300s): run moss in the login session or scope that made the container, "
				"or --degrade=warn to go on outside", why_not->object, why_not->cause);
	return error_hint(err, "moving into a cgroup takes write permission on cgroup.procs of the one above both: run moss in "
			       "the login session or scope that made the container, or --degrade=warn to go on outside");
}

/* In the process in between: systemd may move it where the kernel does not let us be born, and then the child is born there. */
static int be_attached(void *context, int *ret_cgroup_fd, struct error *err)
{
	struct entering *entering = context;

	(void)ret_cgroup_fd;
	return scope_tell(&entering->scope, getpid(), err) < 0 || scope_wait(&entering->scope, NULL, NULL, err) < 0 ? -err->code : 0;
}

/* The child is born in the cgroup @path, after systemd has moved the process there that clones it. */
static int clone_attached_to(struct entering *entering, const char *path, struct join_child child, struct error *err)
{
	char unit[NAME_MAX + 1];
	const char *below;
	int  none = -1;

	if (!scope_split(path, unit, sizeof(unit), &below))
		return error_at(err, ENOENT, path, "no unit of systemd's");
	int ret = scope_open_attach(unit, below, &entering->scope, err);
	child.cgroup_fd = -1;
	child.place = be_attached;
	child.placed = &none;
	if (ret == 0)
		ret = join_clone(&entering->join, &child, &entering->out->pid, &entering->out->pidfd, err);
	scope_close(&entering->scope);
	return ret;
}

/* The kernel does not let the child be born in the container's cgroup: that takes a right on the cgroup above both.
 * Not into a paused container, where the process that is moved would be stopped, and we with it. */
static int clone_attached(struct entering *entering, const struct join_child *child, struct error *err)
{
	const struct spec_texts *asked = &entering->options->cgroups;
	const char *sub = asked->count > 0 ? asked->texts[0] + strspn(asked->texts[0], "/") : "";
	char path[PATH_MAX], first[PATH_MAX];

	helper_know_own(entering->exe.path); /* the attempt before has sealed it */
	if (entering->owner != geteuid())
		return error_at(err, 0, entering->state.id, "it is another user's");
	if (entering->status == STATE_PAUSED) {
		error_at(err, 0, entering->state.id, "it is paused, and what is moved there stops");
		return error_step(err, "systemd");
	}
	snprintf(path, sizeof(path), "%s%s%s", entering->state.cgroup, sub[0] ? "/" : "", sub);
	int ret = clone_attached_to(entering, path, *child, err);
	/* Divided by the container's own manager, as in clone_process(); systemd says no more than that it can't. */
	if (ret < 0 && asked->count == 0 && cgroup_path_of(entering->state.pid, first, sizeof(first)) && strcmp(first, path) != 0)
		ret = clone_attached_to(entering, first, *child, err);
	return ret;
}

static int cgroup_is_divided(const struct entering *entering, struct error *err)
{
	const struct spec_texts *asked = &entering->options->cgroups;

	error_at(err, EBUSY, "--cgroup", "%s/%s is divided among cgroups below it", entering->state.cgroup,
		 asked->texts[0] + strspn(asked->texts[0], "/"));
	return error_hint(err, "processes can be in those only (cgroups(7), \"no internal processes\"): name one, or leave --cgroup out");
}

static int clone_process(struct entering *entering, struct error *err)
{
	struct exec *out = entering->out;
	int socks[2], ret = sync_pair(socks);

	if (ret < 0)
		return error_set(err, -ret, "socketpair");
	out->sock = socks[0];
	entering->child_sock = socks[1];
	struct join_child child = { .cgroup_fd = entering->cgroup_fd, .sock = socks[1],
				    .prepare = prepare, .run = run_child, .context = entering,
				    .alone = true, .preserved_fds = entering->options->preserve_fds,
				    .exe = entering->seal_exe ? &entering->exe : NULL, .trees = entering->trees };
	ret = join_clone(&entering->join, &child, &out->pid, &out->pidfd, err);
	/* cgroups(7), "no internal processes": the container's own manager has divided its cgroup and sits
	 * in a part of it. */
	if (ret == -EBUSY && entering->options->cgroups.count == 0) {
		fd_close(&entering->cgroup_fd);
		if (cgroup_open_of(entering->state.pid, entering->state.cgroup, &entering->cgroup_fd) < 0)
			return ret;
		child.cgroup_fd = entering->cgroup_fd;
		ret = join_clone(&entering->join, &child, &out->pid, &out->pidfd, err);
	}
	if (ret == -EBUSY && entering->options->cgroups.count > 0)
		return cgroup_is_divided(entering, err);
	if (entering->cgroup_fd >= 0 && (ret == -EACCES || ret == -EOPNOTSUPP)) {
		struct error why_not = { 0 };

		if (!caller_get()->root && clone_attached(entering, &child, &why_not) == 0)
			return 0;
		if (why_not.code == EINTR) { /* a signal: nobody waits for us any more */
			*err = why_not;
			return -EINTR;
		}
		if (!entering->options->degrade)
			return cgroup_refused(entering, ret, &why_not, err);
		log_line(LOG_LEVEL_WARNING, "%s: the process is not in the container's cgroup (--degrade=warn)", entering->state.cgroup);
		child.cgroup_fd = -1;
		ret = join_clone(&entering->join, &child, &out->pid, &out->pidfd, err);
	}
	return ret;
}

static int note_of_talk(void *context, const char *text, struct error *err)
{
	(void)context, (void)err;
	log_line(LOG_LEVEL_WARNING, "%s", text);
	return 0;
}

/* The container is paused by SIGSTOP: what is added has its place there, and waits for `resume` with its program. It can't be
 * stopped like the others: before its program it is out of the reach of a user's `resume`. */
static int wait_for_resume(const struct entering *entering, struct error *err)
{
	char path[32];
	fd_owned watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", entering->dir_fd);
	if (watch < 0 || inotify_add_watch(watch, path, IN_MOVED_TO | IN_DELETE) < 0)
		return error_at(err, errno, "state.json", "watch it (inotify)");
	for (;;) {
		struct state now;
		char changes[4096];
		int  ret = state_read(entering->dir_fd, &now, err);
		bool resumed = ret == 0 && !now.stopped_by_signal;

		state_free(&now);
		if (ret < 0 || resumed)
			return ret;
		struct pollfd fds[] = { { .fd = watch, .events = POLLIN }, { .fd = entering->out->pidfd, .events = POLLIN },
					{ .fd = entering->out->signal_fd, .events = POLLIN } };
		if (poll(fds, array_size(fds), -1) < 0 && errno != EINTR)
			return error_set(err, errno, "poll");
		if (fds[1].revents != 0)
			return error_set(err, EPIPE, "the container's process is gone");
		if (fds[2].revents != 0 && signals_interrupted(entering->out->signal_fd, err) < 0)
			return -err->code;
		(void)!read(watch, changes, sizeof(changes));
	}
}

static int finish(void *context, struct error *err)
{
	struct entering *entering = context;

	if (plan_set_scheduler(&entering->init.init, entering->out->pid, err) < 0 ||
	    pid_file_write(entering->options->pid_file, entering->out->pid, err) < 0 ||
	    (entering->pidfd_sock >= 0 && fd_socket_send_pidfd(entering->pidfd_sock, entering->out->pidfd, err) < 0))
		return -err->code;
	if (entering->state.stopped_by_signal && wait_for_resume(entering, err) < 0)
		return -err->code;
	int ret = sync_send(entering->out->sock, SYNC_GO, NULL, 0, -1);
	if (ret < 0)
		return error_set(err, -ret, "let the process go on");
	seccomp_keep(&entering->seccomp, entering->root_fd);
	return 0;
}

static int pass_listener(struct entering *entering, const struct talk *talk, struct error *err)
{
	const struct state *state = &entering->state;
	const struct seccomp_state sent = {
		.oci_version = state->oci_version, .id = state->id, .bundle = state->bundle,
		.status = state_status_name((enum state_status)entering->status), .pid = entering->out->pid,
		.container_pid = state->pid, .annotations = state->annotations, .annotations_count = state->annotations_count,
	};
	fd_owned listener = -1;

	if (entering->seccomp.listener == NULL)
		return 0;
	if (talk_take_listener(talk, &listener, err) < 0)
		return -err->code;
	return seccomp_send_listener(&entering->seccomp, listener, &sent, err);
}

static struct talk talk_of(struct exec *out)
{
	return (struct talk){ .sock = out->sock, .pidfd = out->pidfd, .signal_fd = out->signal_fd, .console_sock = -1,
			      .console_fd = &out->console_fd };
}

static int enter(struct entering *entering, const char *id, const struct state_root *root, struct error *err)
{
	const struct exec_options *options = entering->options;
	struct exec *out = entering->out;

	if (open_container(entering, id, root, err) < 0 || plan(entering, id, err) < 0 || open_cgroup(entering, err) < 0 ||
	    fd_socket_connect("--console-socket", options->console_socket, &entering->console_sock, err) < 0 ||
	    fd_socket_connect("--pidfd-socket", options->pidfd_socket, &entering->pidfd_sock, err) < 0 ||
	    signals_open(&out->signal_fd, err) < 0)
		return -err->code;
	seccomp_find(&entering->seccomp, root->fd);
	int ret = clone_process(entering, err);
	fd_close(&entering->child_sock);
	if (ret == 0)
		ret = seccomp_make(&entering->seccomp, false, err);
	if (ret < 0 || intel_rdt_enter_exec(&entering->state, entering->dir_fd, out->pid, err) < 0)
		return -err->code;
	struct talk talk = talk_of(out);
	talk.console_sock = entering->console_sock;
	talk.note = note_of_talk;
	talk.ready = finish;
	talk.context = entering;
	if (!entering->init.go_on) {
		ret = talk_until_ready(&talk, err);
		return ret < 0 ? ret : pass_listener(entering, &talk, err);
	}
	close_trees(entering);
	ret = talk_until_executed(&talk, err);
	fd_close(&out->sock);
	return ret;
}

/* Whatever it was that failed in a container that is gone by now, it failed because of that. One that is
 * dying has no namespaces any more (ESRCH), or no more pids to give (ENOMEM), or kills what we have made (EPIPE). */
static int explain_failure(const struct entering *entering, const char *id, struct error *err)
{
	bool dying = err->code == ESRCH || err->code == ENOMEM || err->code == EPIPE;

	if (proc_wait_end(entering->first_pidfd, dying ? DYING_MS : 0) == 1)
		return error_at(err, ESRCH, id, "the container has ended meanwhile: container not running");
	if (err->code == ESRCH)
		return error_at(err, ESRCH, id, "the first thread of the container's process has ended and others live on: "
				"there is nothing to enter it by");
	return -err->code;
}

int exec_start(const struct exec_options *options, const char *id, const struct state_root *root,
	       struct exec *ret_exec, struct error *err)
{
	struct entering entering = { .options = options, .out = ret_exec, .join.pidfd = -1, .join.root_fd = -1, .trees = { -1, -1 },
				     .dir_fd = -1, .first_pidfd = -1, .own_cgroup_fd = -1, .cgroup_fd = -1, .child_sock = -1, .console_sock = -1,
				     .pidfd_sock = -1, .scope.sock = -1, .seccomp.sock = -1, .root_fd = root->fd };

	*ret_exec = (struct exec){ .pidfd = -1, .sock = -1, .console_fd = -1, .signal_fd = -1 };
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		entering.join.fds[type] = -1;
	int ret = plan_check_preserved_fds(3, options->preserve_fds, err);
	if (ret == 0)
		ret = enter(&entering, id, root, err);
	ret_exec->filter = seccomp_take(&entering.seccomp);
	if (ret < 0)
		exec_abandon(ret_exec, options);
	if (ret < 0 && err->exit_status == 0 && entering.first_pidfd >= 0)
		ret = explain_failure(&entering, id, err);
	entering_free(&entering);
	return ret;
}

int exec_wait(struct exec *exec, struct error *err)
{
	if (exec->sock < 0)
		return 0;
	struct talk talk = talk_of(exec);
	talk.seccomp = exec->filter;
	int ret = talk_until_executed(&talk, err);

	fd_close(&exec->sock);
	return ret;
}

void exec_abandon(struct exec *exec, const struct exec_options *options)
{
	fd_close(&exec->sock);
	if (exec->pidfd < 0)
		return;
	pidfd_send_signal(exec->pidfd, SIGKILL, NULL, 0);
	waitid(P_PIDFD, (id_t)exec->pidfd, NULL, WEXITED);
	pid_file_remove(options->pid_file, exec->pid);
}
