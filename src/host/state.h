/* state.h - what moss knows of its containers: ROOT/ID/state.json.
 *
 * Side: host. One directory a container; its lock is flock(2) on the directory itself, held by
 * every command that changes something. state.json is replaced as a whole, so that readers need
 * no lock. exec.fifo beside it means that the container is created and waits for its start.
 */
#ifndef MOSS_STATE_H
#define MOSS_STATE_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/proc.h"
#include "spec/spec.h"

#define STATE_VERSION 1         /* of the format of state.json */
#define STATE_FIFO "exec.fifo"
/* Of state.json. Root reads those of other users: what they may cost it is little. */
#define STATE_BYTES_MAX (1024 * 1024)
#define STATE_DEPTH_MAX 16
#define STATE_COUNT_MAX (16 * 1024) /* objects and arrays */

enum state_status { STATE_CREATING, STATE_CREATED, STATE_RUNNING, STATE_PAUSED, STATE_STOPPED };

/* The words of the OCI specification: "created", ... */
const char *state_status_name(enum state_status status);

struct state_rdt { /* linux.intelRdt, see intel_rdt.h */
	const char *group;         /* the class: a directory of resctrl, or "/"; NULL: none */
	bool made, monitor_made;   /* was it made for this container? And a monitoring group in it, named by the id? */
};

struct state_network { /* the helper program, see network.h */
	pid_t pid; /* 0: none */
	struct proc_birth birth;
};

struct state {
	struct arena arena;
	const char  *id, *oci_version, *bundle, *rootfs;
	const char  *created;      /* RFC 3339 with nanoseconds, UTC */
	bool         creating;     /* written before anything is made; false once it is */
	pid_t        pid;          /* 0: none yet */
	struct proc_birth birth;
	char         boot_id[PROC_BOOT_ID_SIZE];
	bool         own_pid_namespace;
	bool         no_process;   /* config.json has none: it can't be started */
	bool         chroot;       /* its root is one by chroot(2): the mount namespace is not its own */
	bool         start_container, poststart, poststop; /* config.json has such hooks (hooks.h) */
	int64_t      personality;  /* of personality(2), for its processes; -1: their maker's */
	bool         stopped_by_signal; /* paused, without a cgroup to freeze */
	bool         memory_policy; /* its config.json has one, for all of its processes */
	bool         new_keyring;  /* its processes have a session keyring of their own */
	bool         seccomp;      /* its processes have the filter of its config.json ... */
	bool         seccomp_listens; /* ... about which somebody is asked: he may never answer */
	bool         no_mknod;     /* none of its processes may have CAP_MKNOD (plan_process.h) */
	const char  *cgroup;       /* the container's own cgroup, from the hierarchy's root; NULL: none */
	uint64_t     cgroup_id;    /* of that (cgroup.h); 0: not known */
	const char  *systemd_unit; /* the scope that systemd made for it (scope.h); NULL: none */
	struct state_rdt rdt;
	struct state_network network;
	const char  *resources;    /* linux.resources as `update` left them, JSON; NULL: as in config.json */
	struct spec_annotation *annotations;
	size_t       annotations_count;
	const char **notes;        /* what was adapted */
	size_t       notes_count;
};
void state_free(struct state *state);
#define state_owned __attribute__((cleanup(state_free))) struct state

/* The directory of all containers. */
struct state_root {
	int   fd;   /* -1: it does not exist */
	char *path; /* absolute */
};
void state_root_close(struct state_root *root);
#define state_root_owned __attribute__((cleanup(state_root_close))) struct state_root

/* Open the directory that --root names, or the default one: root's /run/moss; a user's
 * $XDG_RUNTIME_DIR/moss, /run/user/UID/moss, /tmp/moss-UID.
 *
 * @path:    NULL for the default one.
 * @as_root: take root's default directory, else a user's.
 * @create:  make it (0700) when it is missing; else a missing one gives root->fd == -1.
 * A directory of another user, one that others may write, or a symbolic link is refused
 * (CVE-2019-12439: names in /tmp can be guessed); root may look into other users' directories, but
 * make nothing in them. */
int state_root_open(const char *path, bool as_root, bool create, struct state_root *ret_root,
		    struct error *err) __attribute__((nonnull(4, 5), warn_unused_result));

/* 0 when @id is [A-Za-z0-9_+.-]{1,255}, neither "." nor ".."; else -EINVAL with @err set. */
int state_check_id(const char *id, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Make ROOT/ID (0711) and lock it. -EEXIST when there is one.
 * Returns 0 and its fd, which holds the lock, in *@ret_fd. */
int state_reserve(const struct state_root *root, const char *id, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Open ROOT/ID; @lock: wait for the lock (10 s at the most) and hold it. -ENOENT: "container does
 * not exist". */
int state_open(const struct state_root *root, const char *id, bool lock, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Give the lock up, keeping the directory open; and take it again. The latter returns 1; 0 when the
 * container was deleted meanwhile, or another one with the same id was made; or -errno with @err set. */
void state_unlock(int dir_fd);
int state_lock_again(const struct state_root *root, const char *id, int dir_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read state.json of an open container; state_free() is needed in every case.
 * -EINVAL: damaged, or written by a newer moss; what could be read is there all the same, for
 * `delete --force`, which is nothing of one that is larger than STATE_BYTES_MAX. -ENOENT: half made. */
int state_read(int dir_fd, struct state *ret_state, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Both, which is more than one after the other: a container that is deleted in between, or whose state
 * directory was only just made or is only just being removed by somebody who holds its lock, does not
 * exist (-ENOENT, and *@ret_fd stays -1). A half made one is -ENOENT with *@ret_fd open, for
 * `delete --force`, as is what state_read() refuses. */
int state_open_read(const struct state_root *root, const char *id, bool lock, int *ret_fd,
		    struct state *ret_state, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The part of state_read() that only reads text: the contents of a state.json, refused where
 * json_parse() refuses a config.json, and with tighter limits. Pure; state_free() is needed in every case.
 * Returns 0, or -EINVAL or -ENOMEM with @err set. */
int state_parse(const char *bytes, size_t size, struct state *ret_state, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The text of a state.json, which state_parse() reads as the same state. Pure. The caller frees it;
 * NULL when there is no memory. */
char *state_text(const struct state *state) __attribute__((nonnull, warn_unused_result));

/* Write it; or write it ahead, beside the old one, to be put in its place by state_commit() (what
 * is never committed goes with state_remove()). What would be too large to be read again is refused. */
int state_write(int dir_fd, const struct state *state, struct error *err)
	__attribute__((nonnull, warn_unused_result));
int state_prepare(int dir_fd, const struct state *state, struct error *err)
	__attribute__((nonnull, warn_unused_result));
int state_commit(int dir_fd, struct error *err) __attribute__((nonnull, warn_unused_result));
void state_forget(int dir_fd); /* what is prepared */

/* Keep the bytes of config.json in the container's directory, for `exec`: the bundle's may be edited
 * or gone by then. Read them again: returns the size and *@ret_bytes, which the caller frees. */
int state_keep_config(int dir_fd, const char *bytes, size_t size, struct error *err)
	__attribute__((nonnull, warn_unused_result));
ssize_t state_read_config(int dir_fd, char **ret_bytes, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Remove ROOT/ID with its files, by fd. */
int state_remove(const struct state_root *root, const char *id, int dir_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* What names this container for ever, and nobody else's: the place of its state directory and its
 * id. Cgroups carry it (cgroup.h). Returns 0 or -errno. */
#define STATE_MARK_MAX 320
int state_mark(int dir_fd, const char *id, char mark[STATE_MARK_MAX]) __attribute__((nonnull, warn_unused_result));

/* What the record says of the container's cgroup (cgroup.h). @mark: filled; *@ret_claim points to it.
 * Returns 0 or -errno. */
struct cgroup_claim;
int state_claim(int dir_fd, const struct state *state, char mark[STATE_MARK_MAX], struct cgroup_claim *ret_claim)
	__attribute__((nonnull, warn_unused_result));

/* What the container is doing now: an enum state_status. It has ended only when that is certain:
 * no such process, another start time, another boot; or a process that can't be this user's
 * container (root looks at a user's state.json, which may name any process).
 *
 * @locked:    the caller holds the lock; else somebody who holds it is still creating.
 * @ret_pidfd: a pidfd of the container's process, or -1 when it has ended.
 * Returns the status, or -errno with @err set when it can't be found out. */
int state_status(int dir_fd, const struct state *state, bool locked, int *ret_pidfd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same where the caller has looked for its cgroup already: @cgroup_fd is what state_open_cgroup() returned. */
int state_status_in(int dir_fd, const struct state *state, bool locked, const int *cgroup_fd, int *ret_pidfd, struct error *err)
	__attribute__((nonnull(2, 5, 6), warn_unused_result));

/* A pidfd of its network helper in *@ret_pidfd; -1: it has ended, or what state.json names is no process of its owner's.
 * Returns 0, or -errno when it can't be found out. */
int state_open_network(int dir_fd, const struct state *state, int *ret_pidfd) __attribute__((nonnull, warn_unused_result));

/* The container's own cgroup; -ENOENT when it has none (any more), or another -errno. The caller closes it. */
int state_open_cgroup(int dir_fd, const struct state *state) __attribute__((nonnull, warn_unused_result));

/* The name of the owner of @dir_fd, or "#UID"; in @name. */
void state_owner(int dir_fd, char *name, size_t size) __attribute__((nonnull));

#endif
