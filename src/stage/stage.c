/* stage.c - make the container around this process.
 *
 * Side:  userns. Sees the host's tree; the container's namespaces are already its own.
 * Needs: CAP_SYS_ADMIN in the user namespace that owns the mount namespace; CAP_SYS_CHROOT where that is shared.
 * Gives: the container's tree as "/", then init; or one struct error on the socket.
 */
#define _GNU_SOURCE
#include "stage/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "stage/clocks.h"
#include "stage/devices.h"
#include "stage/masks.h"
#include "stage/mounts.h"
#include "stage/no_pivot.h"
#include "stage/rootfs.h"
#include "stage/sysctl.h"

struct work { /* what the steps hand on */
	const struct stage *stage;
	struct init         init; /* a copy: some of it is known only in here */
	int  sock;
	int  fifo_fd;
	struct mounts_root root;
	int *trees; /* one a mount: its source, then the mount itself as far as it is still needed */
};

/* Wait for one message of the host side; its end is ours. */
static int wait_for(struct work *work, enum sync_kind kind, int *ret_fd, struct error *err)
{
	struct sync_message message;
	int ret = sync_receive(work->sock, &message);

	if (ret < 0)
		return error_set(err, -ret, "wait for the host side");
	if (message.kind == SYNC_END)
		_exit(1); /* moss was killed: nobody is left to tell */
	if (message.kind != kind)
		return error_set(err, EPROTO, "message %d instead of %d", (int)message.kind, (int)kind);
	if (ret_fd != NULL)
		*ret_fd = message.fd;
	return 0;
}

/* The lowest fd from @first on that is ours: the socket, or a tree that the host side has made. UINT_MAX: none. */
static unsigned next_kept(const struct work *work, unsigned first)
{
	unsigned lowest = (unsigned)work->sock >= first ? (unsigned)work->sock : UINT_MAX;

	for (size_t i = 0; i < work->stage->spec->mounts_count; i++)
		if (work->trees[i] >= 0 && (unsigned)work->trees[i] >= first && (unsigned)work->trees[i] < lowest)
			lowest = (unsigned)work->trees[i];
	return lowest;
}

static int step_forget_caller(struct work *work, struct error *err)
{
	unsigned first = 3 + work->stage->init.preserved_fds, next;

	for (; (next = next_kept(work, first)) != UINT_MAX; first = next + 1)
		if (next > first && close_range(first, next - 1, 0) < 0)
			return error_set(err, errno, "close_range");
	if (close_range(first, UINT_MAX, 0) < 0)
		return error_set(err, errno, "close_range");
	sys_signals_reset();
	return 0;
}

static int step_wait_for_host(struct work *work, struct error *err)
{
	return work->stage->wait_for_host ? wait_for(work, SYNC_MAPPED, NULL, err) : 0;
}

static int step_receive_files(struct work *work, struct error *err)
{
	if (!work->stage->has_fifo)
		return 0;
	int ret = sync_send(work->sock, SYNC_SEALED, NULL, 0, -1);
	if (ret < 0)
		return error_set(err, -ret, "ask for the files");
	return wait_for(work, SYNC_FILES, &work->fifo_fd, err);
}

static int step_time_namespace(struct work *work, struct error *err)
{
	return work->stage->namespaces & CLONE_NEWTIME ? clocks_enter(work->stage->spec, work->stage->foreign_tree, err) : 0;
}

/* Until the maps are written the host side needs our /proc files, and the clocks are set through them; from
 * then on nobody of the same uid, inside or outside, may trace us while we hold something of the host's
 * (CVE-2026-41163). */
static int step_hide(struct work *work, struct error *err)
{
	(void)work;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_DUMPABLE");
	return 0;
}

static int step_protect_binary(struct work *work, struct error *err)
{
	if (work->stage->exe == NULL)
		return 0;
	fd_owned tree = -1;
	fd_owned fd = exe_open_sealed(work->stage->exe, &tree, err);
	return fd < 0 ? fd : exe_seal(work->stage->exe, fd, err);
}

static int step_propagation(struct work *work, struct error *err)
{
	unsigned long wanted = work->stage->spec->rootfs_propagation & ~(unsigned long)MS_REC;
	struct mount_attr attributes = {
		/* Slave: mounts made on the host arrive, ours never leave (as runc's default). */
		.propagation = wanted == MS_PRIVATE || wanted == MS_UNBINDABLE ? MS_PRIVATE : MS_SLAVE,
	};

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
		return error_set(err, errno, "cut the mounts off from the host's");
	return 0;
}

static int step_rootfs(struct work *work, struct error *err)
{
	umask(0);
	return rootfs_open(work->stage->rootfs, &work->root.fd, err);
}

static int step_shared_rootfs(struct work *work, struct error *err)
{
	umask(0);
	return rootfs_open_shared(work->stage->rootfs, &work->root.fd, err);
}

static int step_shared_sources(struct work *work, struct error *err)
{
	return mounts_open_sources(work->stage->spec, work->stage->bundle, true, work->trees, err);
}

static int step_mount_sources(struct work *work, struct error *err)
{
	return mounts_open_sources(work->stage->spec, work->stage->bundle, false, work->trees, err);
}

static int step_become_root(struct work *work, struct error *err)
{
	if (!work->stage->in_user_ns)
		return 0;
	if (setresgid(work->stage->gid, work->stage->gid, work->stage->gid) < 0 ||
	    setresuid(work->stage->uid, work->stage->uid, work->stage->uid) < 0)
		return error_set(err, errno, "become %u:%u in the user namespace", work->stage->uid, work->stage->gid);
	/* user_namespaces(7): "deny" is for ever. The kernel looks at that before it looks at the number of groups; /proc
	 * need not be there, nor be ours. */
	work->init.set_groups = setgroups((size_t)NGROUPS_MAX + 1, NULL) < 0 && errno != EPERM;
	return 0;
}

static int step_sysctls(struct work *work, struct error *err)
{
	return sysctl_apply(work->stage->spec, err);
}

static int step_mounts(struct work *work, struct error *err)
{
	const struct spec *spec = work->stage->spec;

	for (size_t i = 0; i < spec->mounts_count; i++)
		if (mounts_apply(spec, i, &work->root, &work->trees[i], err) < 0)
			return err->code == EACCES ? error_object(err, "%s", work->stage->rootfs) : -err->code;
	return 0;
}

static int step_devices(struct work *work, struct error *err)
{
	return devices_make(work->stage->spec, work->root.fd, work->stage->in_user_ns, err);
}

static int step_masks(struct work *work, struct error *err)
{
	return masks_apply(work->stage->spec, work->root.fd, err);
}

static int step_cwd(struct work *work, struct error *err)
{
	const char *cwd = work->stage->spec->process.cwd;
	fd_owned fd = rootfs_find(work->root.fd, cwd, 0);

	if (fd == -ENOENT && rootfs_make(work->root.fd, cwd, S_IFDIR, &fd, err) < 0)
		return error_object(err, "process: cwd");
	return 0;
}

static int step_enter(struct work *work, struct error *err)
{
	if (work->stage->no_pivot)
		return no_pivot_enter(work->root.fd, work->stage->rootfs, err);
	if (rootfs_enter(work->root.fd, err) < 0)
		return err->code == EINVAL ? error_hint(err, "is the machine's root the initramfs? --no-pivot does without") : -err->code;
	return 0;
}

static int step_enter_shared(struct work *work, struct error *err)
{
	return rootfs_enter_shared(work->root.fd, err);
}

static int step_root_propagation(struct work *work, struct error *err)
{
	return mounts_propagate(work->stage->spec, work->trees, err);
}

/* The order is the contract: each line says what breaks if it moves. */
struct step {
	const char *name;
	int (*run)(struct work *work, struct error *err);
};
static const struct step steps[] = {
	{ "forget the caller",       step_forget_caller },    /* first: nothing inherited is there to leak */
	{ "wait for the id maps",    step_wait_for_host },
	{ "time namespace",          step_time_namespace },   /* needs the host's /proc, and a user to be dumpable */
	{ "hide from others",        step_hide },             /* before anything of the host's is opened */
	{ "receive exec.fifo",       step_receive_files },    /* not dumpable any more */
	{ "protect the binary",      step_protect_binary },   /* needs the host's tree, before any process of the container */
	{ "mount",                   step_shared_sources },   /* what is to stay shared with the host, before all is cut off */
	{ "mount propagation",       step_propagation },      /* before the first mount */
	{ "root file system",        step_rootfs },           /* with the caller's ids: the way may be closed to ours */
	{ "mount",                   step_mount_sources },    /* likewise */
	{ "enter the user namespace", step_become_root },     /* before files are made: they must be owned by mapped ids */
	{ "set sysctls",             step_sysctls },          /* as root in there; the container's own /proc plays no part */
	{ "mount",                   step_mounts },
	{ "devices",                 step_devices },          /* after the mounts: /dev is one of them */
	{ "masked paths",            step_masks },            /* after /proc and /sys, before the host's /dev/null is gone */
	{ "working directory",       step_cwd },              /* before the root becomes read-only */
	{ "enter the root",          step_enter },            /* the host's tree goes */
	{ "mount propagation",       step_root_propagation }, /* a shared root can't be pivoted to */
};

/* In a mount namespace that is not the container's alone. The reasons are those above; nothing may be mounted. */
static const struct step shared_tree_steps[] = {
	{ "forget the caller",       step_forget_caller },
	{ "wait for the id maps",    step_wait_for_host },
	{ "time namespace",          step_time_namespace },
	{ "hide from others",        step_hide },
	{ "receive exec.fifo",       step_receive_files },
	{ "protect the binary",      step_protect_binary },
	{ "root file system",        step_shared_rootfs },
	{ "enter the user namespace", step_become_root },
	{ "set sysctls",             step_sysctls },
	{ "working directory",       step_cwd },
	{ "enter the root",          step_enter_shared },
};

void stage_main(const struct stage *stage, int sock)
{
	struct work work = { .stage = stage, .init = stage->init, .sock = sock, .fifo_fd = -1, .root.fd = -1 };
	struct error err = { 0 };
	const struct step *step = stage->shared_tree ? shared_tree_steps : steps;
	size_t count = stage->shared_tree ? array_size(shared_tree_steps) : array_size(steps);

	work.trees = calloc(stage->spec->mounts_count + 1, sizeof(*work.trees));
	if (work.trees == NULL)
		_exit(1);
	for (size_t i = 0; i < stage->spec->mounts_count; i++)
		work.trees[i] = i < stage->sources_count ? stage->sources[i] : -1;
	for (; count > 0; step++, count--) {
		if (step->run(&work, &err) >= 0)
			continue;
		error_step(&err, "%s", step->name);
		(void)!sync_send(sock, SYNC_ERROR, &err, sizeof(err), -1);
		_exit(1);
	}
	fd_close(&work.root.fd);
	for (size_t i = 0; i < stage->spec->mounts_count; i++)
		fd_close(&work.trees[i]);
	init_main(&work.init, sock, work.fifo_fd);
}
