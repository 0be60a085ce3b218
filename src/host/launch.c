/* launch.c - see launch.h. Side: host. */
#define _GNU_SOURCE
#include "host/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sync.h"
#include "host/caller.h"
#include "host/cgroup.h"
#include "host/destroy.h"
#include "host/fd_socket.h"
#include "host/hooks.h"
#include "host/idmap.h"
#include "host/inherited.h"
#include "host/launch_cgroup.h"
#include "host/network.h"
#include "host/notify.h"
#include "host/pid_file.h"
#include "host/plan.h"
#include "host/plan_process.h"
#include "host/scope.h"
#include "host/seccomp.h"
#include "host/signals.h"
#include "host/talk.h"

#define HOOK_END_MS 2000

void launched_close(struct launched *launched)
{
	fd_close(&launched->dir_fd);
	fd_close(&launched->pidfd);
	fd_close(&launched->sock);
	fd_close(&launched->console_fd);
	fd_close(&launched->signal_fd);
	notify_close(launched->notify);
	seccomp_unmap(&launched->filter);
	state_free(&launched->state);
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* RFC 3339, UTC, with nanoseconds. */
static const char *time_now(struct arena *arena)
{
	static const int days_before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
	struct timespec now;
	char fraction[16];

	/* Not gmtime_r(3): glibc's reads the time zone's file even for UTC. */
	clock_gettime(CLOCK_REALTIME, &now);
	int  year = 1970, month = 0;
	long day = now.tv_sec / 86400, second = now.tv_sec % 86400;
	for (; day >= 365 + is_leap(year); year++)
		day -= 365 + is_leap(year);
	while (day >= days_before[month + 1] + (month >= 1 && is_leap(year)))
		month++;
	day -= days_before[month] + (month >= 2 && is_leap(year));
	/* RFC3339Nano drops the zeros at the end. */
	size_t length = (size_t)snprintf(fraction, sizeof(fraction), ".%09ld", now.tv_nsec);
	while (length > 0 && (fraction[length - 1] == '0' || fraction[length - 1] == '.'))
		fraction[--length] = '\0';
	return arena_format(arena, "%d-%02d-%02ldT%02ld:%02ld:%02ld%sZ", year, month + 1, day + 1, second / 3600,
			    second / 60 % 60, second % 60, fraction);
}

int launch_note(void *context, const char *text, struct error *err)
{
	struct making *making = context;
	struct state *state = &making->out->state;
	const char  **notes = arena_grow(&state->arena, state->notes, state->notes_count, sizeof(*notes));

	log_line(LOG_LEVEL_WARNING, "%s", text);
	if (notes == NULL || (notes[state->notes_count] = arena_text(&state->arena, text)) == NULL)
		return error_set(err, ENOMEM, "note");
	state->notes = notes;
	state->notes_count++;
	return 0;
}

static int fill_state(struct making *making, struct error *err)
{
	const struct plan *plan = making->plan;
	struct state *state = &making->out->state;

	/* The spec outlives the state's use within this command only; the state owns its texts. */
	state->id = arena_text(&state->arena, making->options->id);
	state->oci_version = arena_text(&state->arena, plan->spec.oci_version);
	state->bundle = arena_text(&state->arena, plan->bundle);
	state->rootfs = arena_text(&state->arena, plan->rootfs);
	state->created = time_now(&state->arena);
	state->cgroup = plan->cgroup.path ? arena_text(&state->arena, plan->cgroup.path) : NULL;
	state->systemd_unit = plan->cgroup.scope.unit ? arena_text(&state->arena, plan->cgroup.scope.unit) : NULL;
	if (plan->intel_rdt.root_fd >= 0) {
		state->rdt = plan->intel_rdt.record;
		state->rdt.group = arena_text(&state->arena, state->rdt.group);
		if (state->rdt.group == NULL)
			return error_set(err, ENOMEM, "state");
	}
	state->annotations = arena_alloc(&state->arena, plan->spec.annotations_count + 1, sizeof(*state->annotations));
	if (state->annotations == NULL || (plan->cgroup.path && !state->cgroup) || !state->id || !state->created ||
	    (plan->cgroup.scope.unit && !state->systemd_unit))
		return error_set(err, ENOMEM, "state");
	for (size_t i = 0; i < plan->spec.annotations_count; i++) {
		state->annotations[i].name = arena_text(&state->arena, plan->spec.annotations[i].name);
		state->annotations[i].value = arena_text(&state->arena, plan->spec.annotations[i].value);
		if (!state->annotations[i].name || !state->annotations[i].value)
			return error_set(err, ENOMEM, "state");
	}
	state->annotations_count = plan->spec.annotations_count;
	state->no_process = !plan->spec.process.given;
	state->start_container = plan->spec.hooks[SPEC_HOOK_START_CONTAINER].count > 0;
	state->poststart = plan->spec.hooks[SPEC_HOOK_POSTSTART].count > 0;
	state->poststop = plan->spec.hooks[SPEC_HOOK_POSTSTOP].count > 0;
	state->personality = plan->spec.personality_given ? (int64_t)plan->spec.personality : -1;
	state->memory_policy = plan->spec.memory_policy.given;
	state->new_keyring = plan->stage.init.keyring != NULL;
	state->own_pid_namespace = plan->stage.namespaces & CLONE_NEWPID;
	state->chroot = plan->stage.shared_tree;
	state->seccomp = plan->spec.seccomp != NULL;
	state->no_mknod = plan->no_mknod;
	state->seccomp_listens = plan->seccomp.listener != NULL;
	state->creating = true;
	int ret = proc_boot_id(state->boot_id);
	if (ret == 0)
		return 0;
	error_at(err, -ret, "/proc/sys/kernel/random/boot_id", "read");
	return error_hint(err, "moss needs a whole /proc: mount -t proc proc /proc");
}

/* The child of a new user namespace has no right to lower its oom_score_adj any more, and we have. */
static bool scores_from_outside(const struct stage *stage)
{
	return caller_get()->can_raise_limits && (stage->namespaces & CLONE_NEWUSER);
}

/* Inherited by what is cloned from us. */
static int prepare_child(void *context, int sock, struct error *err)
{
	const struct stage *stage = &((struct making *)context)->plan->stage;

	/* A new user namespace of root's allows setgroups(2): there init does it. */
	if (caller_get()->root && stage->in_user_ns && !(stage->namespaces & CLONE_NEWUSER) && !stage->init.keep_groups &&
	    inherited_drop_groups(err) < 0)
		return -err->code;
	return scores_from_outside(stage) ? 0 : inherited_oom_score(&stage->spec->process, sock, err);
}

static void run_child(void *context, int sock)
{
	stage_main(&((struct making *)context)->plan->stage, sock);
}

static int clone_container(struct making *making, struct error *err)
{
	struct launched *out = making->out;
	int socks[2], ret = sync_pair(socks);

	if (ret < 0)
		return error_set(err, -ret, "socketpair");
	out->sock = socks[0];
	making->child_sock = socks[1];
	struct stage *stage = &making->plan->stage;
	struct join_child child = { .cgroup_fd = making->cgroup_fd, .sock = socks[1],
				    .prepare = prepare_child, .run = run_child, .context = making };
	/* A service manager stops with patience only what is its child by the time that it is told of it. What is in a scope
	 * it does not take for its own. */
	child.to_parent = making->options->detach && out->notify != NULL && making->scope.sock < 0 &&
			  getpid() != 1; /* clone(2): EINVAL */
	if (making->plan->join.any) { /* then the stage would be too late */
		child.exe = stage->exe;
		child.alone = stage->foreign_tree; /* the host's tree is left behind then */
		child.preserved_fds = stage->init.preserved_fds;
		child.trees = making->trees;
		stage->exe = NULL;
	}
	if (making->scope.sock >= 0) {
		child.place = launch_cgroup_enter_scope;
		child.placed = &making->cgroup_fd;
	}
	ret = join_clone(&making->plan->join, &child, &making->pid, &out->pidfd, err);
	if (ret < 0 && making->scope.sock >= 0) {
		ret = launch_cgroup_scope_refused(making, err);
		child.place = NULL;
		if (ret == 0)
			ret = join_clone(&making->plan->join, &child, &making->pid, &out->pidfd, err);
	}
	if (ret < 0 && launch_cgroup_is_refused(making, ret, err)) {
		child.cgroup_fd = -1;
		ret = join_clone(&making->plan->join, &child, &making->pid, &out->pidfd, err);
	}
	fd_close(&making->child_sock);
	out->state.pid = making->pid;
	return ret == 0 && making->scope.sock >= 0 ? launch_cgroup_find_scope(making, err) : ret;
}

/* What the child waits for before it does anything that needs ids or network devices. */
static int prepare_namespaces(struct making *making, struct error *err)
{
	const struct spec *spec = &making->plan->spec;

	if (!making->plan->stage.wait_for_host)
		return 0;
	if (scores_from_outside(&making->plan->stage) && inherited_oom_score_of(&spec->process, making->pid, err) < 0)
		return error_step(err, "prepare");
	if ((making->plan->stage.namespaces & CLONE_NEWUSER) &&
	    idmap_write(making->pid, &spec->uid_maps, &spec->gid_maps, err) < 0)
		return error_step(err, "map ids");
	if (netdev_move(&making->plan->net_devices, making->pid, making->out->pidfd, err) < 0)
		return error_step(err, "move network devices");
	const struct network_of network = { making->out->pidfd, making->out->signal_fd, making->plan->stage.in_user_ns };
	if (network_is_slirp(spec) && network_start(spec, &network, &making->out->state.network, err) < 0)
		return -err->code;
	int ret = sync_send(making->out->sock, SYNC_MAPPED, NULL, 0, -1);
	return ret < 0 ? error_set(err, -ret, "tell that the namespaces are prepared") : 0;
}

/* Write the container's record while the other side works; it counts once that is ready. */
static int prepare_record(struct making *making, struct error *err)
{
	struct state *state = &making->out->state;
	int ret = proc_birth_of(making->pid, making->out->pidfd, &state->birth);

	if (ret == -ESRCH)
		return error_set(err, EPIPE, "the container's first process died at once");
	if (ret < 0)
		return error_set(err, -ret, "tell process %d from later ones of its number", (int)making->pid);
	state->creating = false;
	state->cgroup_id = making->cgroup_fd >= 0 ? cgroup_id(making->cgroup_fd) : 0;
	making->notes_written = state->notes_count;
	if (state_keep_config(making->out->dir_fd, making->plan->config, making->plan->config_size, err) < 0)
		return -err->code;
	return state_prepare(making->out->dir_fd, state, err);
}

/* All steps inside are done: record the container, then let it go on. */
static int finish(void *context, struct error *err)
{
	struct making *making = context;
	const struct state *state = &making->out->state;
	int ret;

	if (plan_set_scheduler(&making->plan->stage.init, making->pid, err) < 0)
		return -err->code;
	if (making->notes_written != state->notes_count && state_prepare(making->out->dir_fd, state, err) < 0)
		return -err->code;
	if ((!making->hooks_begun && hooks_begin(state, making->out->dir_fd, err) < 0) ||
	    state_commit(making->out->dir_fd, err) < 0 ||
	    pid_file_write(making->options->pid_file, making->pid, err) < 0 ||
	    (making->pidfd_sock >= 0 && fd_socket_send_pidfd(making->pidfd_sock, making->out->pidfd, err) < 0))
		return -err->code;
	ret = sync_send(making->out->sock, SYNC_GO, NULL, 0, -1);
	if (ret < 0)
		return error_set(err, -ret, "let the container go on");
	seccomp_keep(&making->plan->seccomp, making->out->root->fd);
	return 0;
}

/* Its filter is loaded: let who wants its listener have it. */
static int pass_listener(struct making *making, const struct talk *talk, struct error *err)
{
	const struct state *state = &making->out->state;
	const struct seccomp_state sent = {
		.oci_version = state->oci_version, .id = state->id, .bundle = state->bundle,
		.status = state_status_name(STATE_CREATING), .pid = making->pid, .container_pid = making->pid,
		.annotations = state->annotations, .annotations_count = state->annotations_count,
	};
	fd_owned listener = -1;

	if (making->plan->seccomp.listener == NULL)
		return 0;
	if (talk_take_listener(talk, &listener, err) < 0)
		return -err->code;
	return seccomp_send_listener(&making->plan->seccomp, listener, &sent, err);
}

static int send_files(void *context, struct error *err)
{
	struct making *making = context;
	int ret = sync_send(making->out->sock, SYNC_FILES, NULL, 0, making->fifo_fd);

	fd_close(&making->fifo_fd);
	if (ret < 0)
		return error_set(err, -ret, "send exec.fifo");
	return seccomp_make(&making->plan->seccomp, true, err); /* while the other side makes its mounts */
}

/* The container is made, but for the pivot. */
static int run_hooks(void *context, struct error *err)
{
	struct making   *making = context;
	struct launched *out = making->out;

	making->hooks_begun = true;
	if (hooks_begin(&out->state, out->dir_fd, err) < 0 ||
	    hooks_create(&making->hooks, making->pid, out->signal_fd, err) < 0)
		return -err->code;
	for (int i = 0; i < 2; i++) {
		int ret = sync_send(out->sock, SYNC_HOOKED, NULL, 0, making->hooks.output[i]);

		if (ret == -EPIPE) /* it died meanwhile: how, is told next */
			break;
		if (ret < 0)
			return error_set(err, -ret, "let the container go on");
	}
	return 0;
}

static struct talk talk_of(struct launched *out)
{
	return (struct talk){ .sock = out->sock, .pidfd = out->pidfd, .signal_fd = out->signal_fd, .console_sock = -1,
			      .console_fd = &out->console_fd };
}

static int make_fifo(struct making *making, struct error *err)
{
	if (making->options->start_now)
		return 0;
	if (mkfifoat(making->out->dir_fd, STATE_FIFO, 0600) < 0)
		return error_at(err, errno, STATE_FIFO, "make");
	making->fifo_fd = openat(making->out->dir_fd, STATE_FIFO, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return making->fifo_fd < 0 ? error_at(err, errno, STATE_FIFO, "open") : 0;
}

static int make_notify(struct making *making, struct error *err)
{
	struct launched *out = making->out;
	struct spec     *spec = &making->plan->spec;

	if (!making->plan->notify)
		return 0;
	const char *directory = arena_format(&spec->arena, "%s/%s/%s", out->root->path, making->options->id, NOTIFY_DIRECTORY);
	if (directory == NULL)
		return error_set(err, ENOMEM, "NOTIFY_SOCKET");
	if (notify_make(spec, out->dir_fd, directory, err) < 0)
		return -err->code;
	return making->options->start_now ? notify_open(out->dir_fd, &out->notify, err) : 0;
}

static int make_resolv_conf(struct making *making, struct error *err)
{
	struct launched *out = making->out;
	struct spec     *spec = &making->plan->spec;

	if (!network_is_slirp(spec))
		return 0;
	const char *directory = arena_format(&spec->arena, "%s/%s", out->root->path, making->options->id);
	return directory != NULL ? network_make_resolv_conf(spec, out->dir_fd, directory, err)
				 : error_set(err, ENOMEM, NETWORK_RESOLV_CONF);
}

static int make_hooks(struct making *making, struct error *err)
{
	struct plan  *plan = making->plan;
	struct stage *stage = &plan->stage;

	if (!hooks_any(&plan->spec, 0, SPEC_HOOK_POSTSTOP))
		return 0;
	if (hooks_open(&plan->spec, &making->out->state, &making->hooks, err) < 0)
		return -err->code;
	stage->ask_for_hooks = hooks_any(&plan->spec, SPEC_HOOK_PRESTART, SPEC_HOOK_CREATE_CONTAINER);
	stage->show_to_hooks = !caller_get()->root && (stage->namespaces & CLONE_NEWUSER) && !plan->join.any;
	stage->init.hooks = plan->spec.hooks;
	stage->init.hook_state = making->hooks.state;
	if (plan->spec.hooks[SPEC_HOOK_START_CONTAINER].count > 0 && (making->hooks.output[0] >= 0 || making->hooks.output[1] >= 0))
		return launch_note(making, "hooks: startContainer: they run inside the container, where the files of run.oci.hooks.stdout "
				    "and stderr are not given to them", err);
	return 0;
}

/* Everything that leaves a trace. */
static int make_container(struct making *making, struct error *err)
{
	struct plan     *plan = making->plan;
	struct launched *out = making->out;

	/* Written before anything is made, so that a moss killed half-way leaves a container that
	 * `delete --force` can clean up. */
	if (fill_state(making, err) < 0 || state_write(out->dir_fd, &out->state, err) < 0)
		return -err->code;
	for (size_t i = 0; i < plan->spec.warnings.count; i++)
		if (launch_note(making, plan->spec.warnings.texts[i], err) < 0)
			return -err->code;
	/* In a scope they wait until the process in between has left it: with that in it none can be handed down. */
	if (make_hooks(making, err) < 0 || launch_cgroup_make(making, err) < 0 ||
	    (plan->cgroup.scope.unit == NULL && launch_cgroup_prepare_limits(making, err) < 0) ||
	    intel_rdt_make(&plan->intel_rdt, err) < 0 || make_fifo(making, err) < 0 || make_notify(making, err) < 0 ||
	    make_resolv_conf(making, err) < 0)
		return -err->code;
	seccomp_find(&plan->seccomp, out->root->fd);
	plan_raise_file_limit(plan);
	int ret = clone_container(making, err);
	setrlimit(RLIMIT_NOFILE, &plan->files.limit);
	if (ret < 0 || intel_rdt_enter(&plan->intel_rdt, making->pid, err) < 0 ||
	    inherited_rlimits(&plan->spec.process, making->pid, err) < 0 || prepare_namespaces(making, err) < 0 ||
	    prepare_record(making, err) < 0 || launch_cgroup_set_limits(making, err) < 0 || launch_cgroup_delegate(making, err) < 0 ||
	    launch_cgroup_restrict_devices(making, err) < 0 ||
	    (making->options->start_now && seccomp_make(&plan->seccomp, false, err) < 0)) {
		if (err->code == EPIPE)
			talk_last_words(out->sock, err);
		launch_cgroup_explain_end(making, err);
		return -err->code;
	}
	struct talk talk = talk_of(out);
	talk.console_sock = making->console_sock;
	talk.note = launch_note;
	talk.sealed = send_files;
	talk.hooks = run_hooks;
	talk.ready = finish;
	talk.context = making;
	ret = talk_until_ready(&talk, err);
	if (ret == 0)
		ret = pass_listener(making, &talk, err);
	if (ret < 0 && plan->notify)
		notify_explain(err);
	if (ret < 0)
		launch_cgroup_explain_end(making, err);
	return ret;
}

static void close_files(struct making *making)
{
	hooks_close(&making->hooks);
	scope_close(&making->scope);
	fd_close(&making->cgroup_fd);
	fd_close(&making->child_sock);
	fd_close(&making->fifo_fd);
	fd_close(&making->console_sock);
	fd_close(&making->pidfd_sock);
	for (int i = 0; i < JOIN_TREES; i++)
		fd_close(&making->trees[i]);
}

/* Leave nothing of a container that could not be made. */
static void unmake(struct making *making)
{
	struct launched *out = making->out;
	struct error ignored;

	netdev_return(&making->plan->net_devices);
	fd_close(&out->sock); /* a child that we could not get hold of ends itself */
	close_files(making);  /* it may have failed for want of them */
	if (out->pidfd >= 0) {
		/* It kills the hook that it runs; the end of a pid namespace would do so, too. */
		if (making->hooks_begun && !out->state.own_pid_namespace)
			(void)!proc_wait_end(out->pidfd, HOOK_END_MS);
		pidfd_send_signal(out->pidfd, SIGKILL, NULL, 0);
		if (waitid(P_PIDFD, (id_t)out->pidfd, NULL, WEXITED) < 0)
			(void)!proc_wait_end(out->pidfd, HOOK_END_MS); /* our parent's child */
		fd_close(&out->pidfd);
	}
	network_end(&out->state, out->dir_fd);
	fd_close(&out->signal_fd); /* what is blocked stays so: nothing interrupts us here */
	pid_file_remove(making->options->pid_file, making->pid);
	if (out->state.cgroup != NULL && making->mark[0] != '\0')
		(void)!cgroup_remove(out->state.cgroup, &(struct cgroup_claim){ making->mark, out->state.cgroup_id, true }, &ignored);
	scope_forget(&out->state, out->dir_fd);
	intel_rdt_close(&making->plan->intel_rdt); /* and with it the lock */
	(void)!intel_rdt_remove(&out->state, out->dir_fd, &ignored);
	hooks_poststop(&out->state, out->dir_fd);
	(void)!state_remove(out->root, making->options->id, out->dir_fd, &ignored);
}

int launch_create(const struct launch_options *options, struct state_root *root,
		  struct launched *ret_launched, struct error *err)
{
	plan_owned    plan;
	struct making making = { .options = options, .plan = &plan, .out = ret_launched, .scope.sock = -1, .cgroup_fd = -1,
				 .child_sock = -1, .fifo_fd = -1, .console_sock = -1, .pidfd_sock = -1,
				 .trees = { -1, -1 }, .hooks = HOOKS_NONE };
	int ret;

	*ret_launched = (struct launched){ .root = root, .dir_fd = -1, .pidfd = -1, .sock = -1, .console_fd = -1,
					   .signal_fd = -1 };
	if (plan_make(options, &plan, err) < 0)
		return -err->code;
	ret = fd_socket_connect("--console-socket", options->console_socket, &making.console_sock, err);
	if (ret == 0)
		ret = fd_socket_connect("--pidfd-socket", options->pidfd_socket, &making.pidfd_sock, err);
	if (ret == 0)
		ret = signals_open(&ret_launched->signal_fd, err);
	if (ret == 0)
		ret = state_reserve(root, options->id, &ret_launched->dir_fd, err);
	if (ret == 0) {
		ret = make_container(&making, err);
		if (ret < 0)
			unmake(&making);
		ret_launched->filter = seccomp_take(&plan.seccomp);
	}
	close_files(&making);
	return ret;
}

int launch_wait_exec(struct launched *launched, struct error *err)
{
	struct talk talk = talk_of(launched);
	talk.seccomp = launched->filter;
	int ret = talk_until_executed(&talk, err);

	fd_close(&launched->sock);
	return ret;
}
