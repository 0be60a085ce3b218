/* join.c - see join.h. Side: host. */
#define _GNU_SOURCE
#include "host/join.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "host/caller.h"

#define JOINER_STACK_BYTES (256 * 1024) /* only what is touched costs anything */
/* What is left to the child: from inside a cgroup namespace CLONE_INTO_CGROUP finds nothing, and a time
 * namespace is closed to a process that shares its memory. */
#define LATE_NAMESPACES ((uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME))

void join_close(struct join *join)
{
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		fd_close(&join->fds[type]);
	fd_close(&join->root_fd);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static int stat_own(enum spec_namespace_type type, struct stat *ret_st)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", spec_namespace_kinds[type].proc_name);
	return stat(path, ret_st);
}

static bool is_own(int fd, enum spec_namespace_type type)
{
	struct stat own, other;

	return stat_own(type, &own) == 0 && fstat(fd, &other) == 0 && is_same(&own, &other);
}

static void join_init(struct join *join)
{
	*join = (struct join){ .pidfd = -1, .root_fd = -1 };
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		join->fds[type] = -1;
}

static int open_one(const char *path, enum spec_namespace_type type, int *ret_fd, struct error *err)
{
	fd_owned fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		error_set(err, errno, "open %s", path);
		if (err->code == EACCES || err->code == EPERM)
			return error_hint(err, "only namespaces of your own processes can be joined");
		return error_hint(err, "it must be a file like /proc/PID/ns/%s, there for as long as that process lives",
				  spec_namespace_kinds[type].proc_name);
	}
	int kind = ioctl(fd, NS_GET_NSTYPE);
	if (kind < 0 || (uint64_t)kind != spec_namespace_kinds[type].flag) {
		error_set(err, 0, "%s is no namespace of type %s", path, spec_namespace_kinds[type].name);
		return error_hint(err, "use /proc/PID/ns/%s", spec_namespace_kinds[type].proc_name);
	}
	if (!is_own(fd, type))
		*ret_fd = fd_take(&fd);
	return 0;
}

/* A normal user may enter a namespace only from the user namespace that owns it. */
static int enter_owner(struct join *join, const struct spec *spec, struct error *err)
{
	for (int type = SPEC_NS_USER + 1; type < SPEC_NS_COUNT; type++) {
		if (join->fds[type] < 0)
			continue;
		fd_owned owner = ioctl(join->fds[type], NS_GET_USERNS);
		if (owner < 0 || is_own(owner, SPEC_NS_USER))
			continue;
		if (join->fds[SPEC_NS_USER] >= 0) {
			struct stat one, other;

			if (fstat(owner, &one) == 0 && fstat(join->fds[SPEC_NS_USER], &other) == 0 &&
			    is_same(&one, &other))
				continue;
			error_at(err, EPERM, "linux: namespaces", "%s belongs to another user namespace than the "
				 "one that is joined", spec->namespaces[type].path);
			return error_hint(err, "all joined namespaces must belong to one user namespace");
		}
		join->fds[SPEC_NS_USER] = fcntl(owner, F_DUPFD_CLOEXEC, 3);
		join->user_by_owner = true;
	}
	return 0;
}

int join_open(const struct spec *spec, struct join *ret_join, struct error *err)
{
	join_init(ret_join);
	for (int type = 0; type < SPEC_NS_COUNT; type++) {
		const struct spec_namespace *wanted = &spec->namespaces[type];

		if (!wanted->listed)
			continue;
		if (wanted->path == NULL)
			ret_join->new_namespaces |= spec_namespace_kinds[type].flag;
		else if (open_one(wanted->path, (enum spec_namespace_type)type, &ret_join->fds[type], err) < 0)
			return error_object(err, "linux: namespaces[%zu]: path", wanted->index);
	}
	if (!spec->namespaces[SPEC_NS_USER].listed || spec->namespaces[SPEC_NS_USER].path != NULL)
		if (!caller_get()->root && enter_owner(ret_join, spec, err) < 0)
			return -err->code;
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		ret_join->any |= ret_join->fds[type] >= 0;
	return 0;
}

/* Looking at a process's namespaces, and at its root, takes what ptrace(2) takes. */
static int explain_look(int code, pid_t pid, const char *name, struct error *err)
{
	if (code == ENOENT || code == ESRCH)
		return error_set(err, ESRCH, "process %d has ended", (int)pid);
	error_set(err, code, "look at the %s namespace of process %d", name, (int)pid);
	if (code == EACCES || code == EPERM)
		error_hint(err, "only the user who made the container, or root, can enter it; a program that nobody "
				"may read, or with file capabilities, shuts its process off, too");
	return -code;
}

/* One of the process's namespaces, by its pidfd: on the way through /proc the kernel makes inodes for the process and its
 * directory, too, which takes twice as long. Before Linux 6.11 there is that way only. -1: errno says why not. */
static int open_namespace(const struct join_process *process, enum spec_namespace_type type)
{
	const struct spec_namespace_kind *kind = &spec_namespace_kinds[type];
	char path[48];
	int  fd = ioctl(process->pidfd, kind->pidfd_get, 0);

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)process->pid, kind->proc_name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int stat_namespace(const struct join_process *process, enum spec_namespace_type type, struct stat *ret_st,
			  struct error *err)
{
	fd_owned fd = open_namespace(process, type);

	return fd < 0 || fstat(fd, ret_st) < 0 ? explain_look(errno, process->pid, spec_namespace_kinds[type].proc_name, err) : 0;
}

/* The owner of the pid namespace that the process lives in; -1 when it can't be known. */
static int open_owner(const struct join_process *process)
{
	fd_owned fd = open_namespace(process, SPEC_NS_PID);

	return fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
}

bool join_enters_user(const struct join *join)
{
	return (join->pidfd_namespaces & CLONE_NEWUSER) || join->fds[SPEC_NS_USER] >= 0;
}

/* What a user's state directory says, the user has written: the process that it names may be one outside
 * of any container, and the environment that a program would get there is the user's choice. Within a user
 * namespace of that user's own, root's process has that user's rights and no more. */
static int check_owner(const struct join_process *process, const struct join *join, struct error *err)
{
	uid_t maker = (uid_t)-1;
	fd_owned fd = join->fds[SPEC_NS_USER] >= 0 ? fcntl(join->fds[SPEC_NS_USER], F_DUPFD_CLOEXEC, 3)
						    : open_namespace(process, SPEC_NS_USER);

	if (fd < 0)
		return explain_look(errno, process->pid, "user", err);
	if (join_enters_user(join) && ioctl(fd, NS_GET_OWNER_UID, &maker) == 0 && maker == process->owner)
		return 0;
	error_set(err, EPERM, "the container is user %u's, and its process %d is in no user namespace of that user",
		  (unsigned)process->owner, (int)process->pid);
	return error_hint(err, "whatever it runs would have root's rights; if that is wanted, nsenter(1) does it");
}

static int open_root(pid_t pid, int *ret_fd, struct error *err)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	*ret_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? explain_look(errno, pid, "mount", err) : 0;
}

/* Is it the user namespace that every other one descends from? It can't be entered from one of those,
 * user_namespaces(7): for us it is our own or nothing. Its number is the kernel's since 3.8 (include/linux/proc_ns.h:
 * PROC_USER_INIT_INO). */
static bool is_initial_user(const struct stat *st)
{
	return st->st_ino == 0xEFFFFFFDu;
}

int join_open_process(const struct join_process *process, struct join *ret_join, struct error *err)
{
	pid_t pid = process->pid;

	join_init(ret_join);
	ret_join->pidfd = process->pidfd;
	ret_join->any = true;
	for (int type = 0; type < SPEC_NS_COUNT; type++) {
		const struct spec_namespace *made = &process->made[type];
		struct stat own, other;

		/* setns(2) refuses one's own user namespace; to enter a time namespace costs a copy of our memory. */
		if (made->listed && made->path == NULL && type != SPEC_NS_USER && type != SPEC_NS_TIME) {
			ret_join->pidfd_namespaces |= spec_namespace_kinds[type].flag;
			continue;
		}
		int ret = stat_namespace(process, (enum spec_namespace_type)type, &other, err);
		/* What is made in it is owned by it, its pid namespace too: there is nothing else to look at. */
		if (ret == 0 && type == SPEC_NS_USER && is_initial_user(&other))
			continue;
		if (stat_own((enum spec_namespace_type)type, &own) < 0) {
			if (errno != ENOENT)
				return error_set(err, errno, "look at our own %s namespace", spec_namespace_kinds[type].proc_name);
			*err = (struct error){ 0 }; /* a kernel without namespaces of this type */
			continue;
		}
		if (ret < 0)
			return ret;
		fd_owned owner = type == SPEC_NS_USER && process->own_pid_namespace ? open_owner(process) : -1;
		struct stat st;
		if (owner >= 0 && fstat(owner, &st) == 0 && !is_same(&st, &other)) {
			if (!is_same(&st, &own))
				ret_join->fds[SPEC_NS_USER] = fd_take(&owner);
			continue;
		}
		/* setns(2): entering one's own user namespace again is refused; the others would be idle work. */
		if (!is_same(&own, &other))
			ret_join->pidfd_namespaces |= spec_namespace_kinds[type].flag;
	}
	if (process->chroot && open_root(pid, &ret_join->root_fd, err) < 0)
		return -err->code;
	if (process->owner != geteuid() && check_owner(process, ret_join, err) < 0)
		return -err->code;
	/* Still there: then all that was found behind its number was its own. */
	return proc_wait_end(process->pidfd, 0) == 1 ? error_set(err, ESRCH, "process %d has ended", (int)pid) : 0;
}

/* The call that makes the container. */
static pid_t clone_child(const struct join *join, int cgroup_fd, uint64_t more_flags, int *pidfd)
{
	struct sys_clone_args args = {
		/* The time namespace is made by the stage: its clocks can be set only before it is
		 * entered (time_namespaces(7)). */
		.flags = (join->new_namespaces & ~spec_namespace_kinds[SPEC_NS_TIME].flag) | CLONE_PIDFD |
			 more_flags | (cgroup_fd >= 0 ? SYS_CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = more_flags & CLONE_PARENT ? 0 : SIGCHLD,
		.cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
	};

	return sys_clone3(&args);
}

static int explain_clone(int code, const struct join *join, struct error *err)
{
	bool user = join->new_namespaces & CLONE_NEWUSER;

	error_set(err, code, "clone3");
	if (code == ENOSYS && !user)
		return error_hint(err, "moss needs Linux 5.14 or newer (clone3: 5.3); a seccomp filter around it may "
				       "hide the call, too");
	if (user)
		return caller_explain_user_ns(code, err);
	if (code == EPERM)
		return error_hint(err, "namespaces need CAP_SYS_ADMIN, or a user namespace among them");
	return -code;
}

static void __attribute__((noreturn)) fail(int sock, struct error *err, const char *step)
{
	error_step(err, "%s", step);
	(void)!sync_send(sock, SYNC_ERROR, err, sizeof(*err), -1);
	_exit(1);
}

struct joined { /* what the process in between hands back; in memory that is shared with a fork, too */
	struct error err; /* its code is 0: all went well */
	pid_t pid;
	int   trees[JOIN_TREES]; /* of the binary, of the cgroup */
	int   placed;            /* the cgroup that the child's place() has opened */
};

struct joining {
	const struct join       *join;
	const struct join_child *child;
	struct joined           *joined;
};

/* The namespaces that are entered before the child is cloned. */
static int enter(const struct join *join, struct error *err)
{
	for (int type = 0; type < SPEC_NS_COUNT; type++) {
		/* The cgroup namespace is for the child: from inside it CLONE_INTO_CGROUP finds nothing. */
		if (join->fds[type] < 0 || type == SPEC_NS_CGROUP)
			continue;
		if (setns(join->fds[type], (int)spec_namespace_kinds[type].flag) < 0)
			return error_at(err, errno, spec_namespace_kinds[type].name, "setns");
	}
	uint64_t flags = join->pidfd_namespaces & ~LATE_NAMESPACES;
	if (flags != 0 && setns(join->pidfd, (int)flags) < 0)
		return error_set(err, errno, "setns into the container's namespaces");
	if (join->root_fd >= 0 && (fchdir(join->root_fd) < 0 || chroot(".") < 0))
		return error_set(err, errno, "chroot into the container's root");
	return 0;
}

/* Those that the child enters itself. */
static int enter_late(const struct join *join, struct error *err)
{
	uint64_t flags = join->pidfd_namespaces & LATE_NAMESPACES;

	if (join->fds[SPEC_NS_CGROUP] >= 0 && setns(join->fds[SPEC_NS_CGROUP], CLONE_NEWCGROUP) < 0)
		return error_at(err, errno, "cgroup", "setns");
	if (flags != 0 && setns(join->pidfd, (int)flags) < 0)
		return error_set(err, errno, "setns into the container's cgroup and time namespaces");
	return 0;
}

/* The cgroup as a mount of its own that can't be written: the child has its fd, if only for a moment, and from a
 * directory of the host's mounts ".." leads to the host's root. -1 where that is not ours to make: then not either to
 * reach, see get_inside(). Private, because the clone of a shared mount is its peer: what is mounted on the one shows on
 * the other (mount_namespaces(7)). */
static int clone_cgroup(int cgroup_fd)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };
	fd_owned tree = open_tree(cgroup_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return -1;
	return fd_take(&tree);
}

/* For each tree of mounts that is taken apart the kernel waits for RCU, 0.15 ms of every exec. From Linux 6.15 on the
 * binary's can be a part of the cgroup's: on a file of it that nobody looks for. Before, there are two to wait for. */
static void unite_trees(const int trees[JOIN_TREES])
{
	if (trees[0] >= 0 && trees[1] >= 0)
		(void)!move_mount(trees[0], "", trees[1], "cgroup.procs", MOVE_MOUNT_F_EMPTY_PATH);
}

/* The child gets what is open here. */
static int close_ours(const struct joining *joining, int cgroup_fd, struct error *err)
{
	const struct join_child *child = joining->child;
	int tree = joining->joined->trees[1];
	const int keep[] = { child->sock, joining->join->pidfd, joining->join->fds[SPEC_NS_CGROUP],
			     tree >= 0 ? tree : cgroup_fd };

	if (sys_close_others(3 + child->preserved_fds, keep, array_size(keep)) < 0)
		return error_set(err, errno, "close_range");
	return 0;
}

/* All that is done before the clone. A process of a joined pid namespace that may trace everything
 * (CAP_SYS_PTRACE, no user namespace) can take hold of the child's fds and of its /proc/PID/exe as soon as there are
 * any (CVE-2016-9962, CVE-2019-5736): the binary is sealed before, and nothing of the host's is left open for an exec.
 * A stage has the host's root itself. Where memory is shared it is our binary that is sealed, which does no harm. */
static int get_inside(const struct joining *joining, int cgroup_fd, struct error *err)
{
	const struct join_child *child = joining->child;
	struct joined *joined = joining->joined;
	fd_owned exe_fd = -1;

	if (child->prepare(child->context, child->sock, err) < 0)
		return -err->code;
	if (child->exe != NULL && (exe_fd = exe_open_sealed(child->exe, &joined->trees[0], err)) < 0)
		return -err->code;
	joined->trees[1] = child->alone && cgroup_fd >= 0 && !join_enters_user(joining->join) ? clone_cgroup(cgroup_fd) : -1;
	unite_trees(joined->trees);
	/* A process of the joined namespaces could otherwise look into ours and the child's, while
	 * they still have the host's root and files (CVE-2026-41163). */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_DUMPABLE");
	if (enter(joining->join, err) < 0)
		return -err->code;
	if (child->exe != NULL && exe_seal(child->exe, exe_fd, err) < 0) /* with the rights that we have inside */
		return -err->code;
	return child->alone ? close_ours(joining, cgroup_fd, err) : 0;
}

/* Clone the child where there is nothing to enter. */
static pid_t clone_outside(const struct join *join, const struct join_child *child, int cgroup_fd, uint64_t flags, int *pidfd)
{
	/* The owner of a user namespace has every right in it: a container of root's without one
	 * of its own, in the host's pid namespace, must not get hold of a child that has one and
	 * still our files. A normal user's child can't write its own map once it is undumpable;
	 * nobody but the user can see it before. */
	if (caller_get()->root)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	pid_t pid = clone_child(join, cgroup_fd, flags, pidfd);
	if (pid == 0) {
		struct error why = { 0 };

		if (child->prepare(child->context, child->sock, &why) < 0)
			fail(child->sock, &why, "prepare");
		child->run(child->context, child->sock);
	}
	return pid;
}

/* The child's cgroup, and whatever else is to be entered. @ret_cgroup_fd is lent; -1: ours. */
static int get_ready(const struct joining *joining, int *ret_cgroup_fd, struct error *err)
{
	const struct join_child *child = joining->child;
	struct joined *joined = joining->joined;

	if (child->place != NULL && child->place(child->context, &joined->placed, err) < 0)
		return -err->code;
	*ret_cgroup_fd = child->place != NULL ? joined->placed : child->cgroup_fd;
	if (!joining->join->any)
		return 0;
	if (get_inside(joining, *ret_cgroup_fd, err) < 0)
		return -err->code;
	if (joined->trees[1] >= 0)
		*ret_cgroup_fd = joined->trees[1];
	return 0;
}

/* The process in between: enter, clone, end. */
static int joiner_main(void *context)
{
	const struct joining    *joining = context;
	const struct join       *join = joining->join;
	const struct join_child *child = joining->child;
	struct joined           *joined = joining->joined;

	int cgroup_fd = -1;

	if (get_ready(joining, &cgroup_fd, &joined->err) == 0) {
		int   pidfd = -1;
		pid_t pid = join->any ? clone_child(join, cgroup_fd, CLONE_PARENT, &pidfd)
				      : clone_outside(join, child, cgroup_fd, CLONE_PARENT, &pidfd);
		if (pid == 0) { /* from here on *joined is not ours */
			struct error err = { 0 };

			if (enter_late(join, &err) < 0)
				fail(child->sock, &err, "join namespaces");
			child->run(child->context, child->sock);
		}
		if (pid < 0)
			explain_clone(errno, join, &joined->err);
		joined->pid = pid;
	}
	_exit(0);
}

/* time_namespaces(7): a process that shares its memory with another can't enter one. The address
 * sanitizer knows no stack but its own. */
static bool shares_memory(const struct join *join)
{
#if defined(__SANITIZE_ADDRESS__)
	(void)join;
	return false;
#else
	return join->fds[SPEC_NS_TIME] < 0;
#endif
}

/* Its children by CLONE_PARENT are its parent's: ours, or like it our parent's. */
static pid_t clone_joiner(struct joining *joining)
{
	bool  to_parent = joining->child->to_parent;
	int   end = to_parent ? CLONE_PARENT : SIGCHLD;
	char *stack;

	if (!shares_memory(joining->join)) {
		struct sys_clone_args args = { .flags = CLONE_VFORK | CLONE_FILES | (to_parent ? CLONE_PARENT : 0),
					       .exit_signal = to_parent ? 0 : SIGCHLD };
		pid_t pid = sys_clone3(&args);

		return pid == 0 ? joiner_main(joining) : pid;
	}
	stack = mmap(NULL, JOINER_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -1;
	pid_t pid = clone(joiner_main, stack + JOINER_STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_FILES | end, joining);
	int   code = errno;
	munmap(stack, JOINER_STACK_BYTES); /* it has ended */
	errno = code;
	return pid;
}

/* Run it. We sleep until it has ended, and have everything back as it was, but for its fds. */
static int run_joiner(struct joining *joining, struct error *err)
{
	int   dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), status = 0;
	pid_t joiner = clone_joiner(joining);
	int   code = errno;

	if (joiner > 0) {
		if (!joining->child->to_parent)
			waitpid(joiner, &status, 0);
		prctl(PR_SET_DUMPABLE, dumpable == 1, 0, 0, 0); /* it belongs to the memory */
	}
	if (joiner < 0)
		return explain_clone(code, joining->join, err);
	if (joining->joined->err.code != 0) {
		*err = joining->joined->err;
		return error_step(err, "join namespaces");
	}
	return joining->joined->pid > 0 ? 0 : error_set(err, EPROTO, "the joining process died (wait status %d)", status);
}

int join_clone(const struct join *join, const struct join_child *child, pid_t *ret_pid, int *ret_pidfd,
	       struct error *err)
{
	if (!join->any && child->place == NULL) {
		pid_t pid = clone_outside(join, child, child->cgroup_fd, child->to_parent ? CLONE_PARENT : 0, ret_pidfd);
		int   code = errno;

		if (caller_get()->root)
			prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		if (pid < 0)
			return explain_clone(code, join, err);
		*ret_pid = pid;
		return 0;
	}
	struct joined *joined = mmap(NULL, sizeof(*joined), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (joined == MAP_FAILED)
		return error_set(err, errno, "memory for the joining process");
	joined->trees[0] = joined->trees[1] = joined->placed = -1;
	struct joining joining = { .join = join, .child = child, .joined = joined };
	int ret = run_joiner(&joining, err);
	*ret_pid = joined->pid;
	if (child->place != NULL)
		*child->placed = joined->placed;
	for (int i = 0; i < JOIN_TREES && join->any; i++) {
		fd_close(&child->trees[i]);
		child->trees[i] = joined->trees[i];
	}
	/* Our child, which is there until we have waited for it. */
	*ret_pidfd = ret == 0 ? pidfd_open(joined->pid, 0) : -1;
	if (ret == 0 && *ret_pidfd < 0) {
		ret = error_set(err, errno, "pidfd_open");
		kill(joined->pid, SIGKILL);
		waitpid(joined->pid, NULL, 0); /* the container's first process may be one that reaps nobody */
	}
	munmap(joined, sizeof(*joined));
	return ret;
}
