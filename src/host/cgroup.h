/* cgroup.h - the container's own cgroup, version 2.
 *
 * Side: host. moss makes one where it may write below its own cgroup (a user) or below the root of
 * the hierarchy (root), or in a scope that systemd has made for it (scope.h); it is entered by
 * clone3(CLONE_INTO_CGROUP), and moss never writes cgroup.procs (moving a process waits 5-12 ms for RCU).
 */
#ifndef MOSS_CGROUP_H
#define MOSS_CGROUP_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Where cgroup2 is mounted: alone, or beside version 1 as systemd's hybrid mode has it; or NULL. */
const char *cgroup_hierarchy(void);

/* The cgroup of process @pid (0: ours), from the hierarchy's root: the line "0::/path" of /proc/self/cgroup; "" for the
 * root itself. Returns false when it can't be named. */
bool cgroup_path_of(pid_t pid, char *path, size_t size) __attribute__((nonnull));

/* The hierarchy, and our own cgroup as cgroup_path_of() has it. Returns 0; -ENOENT where no cgroup2 is mounted; or another -errno:
 * that can't be found out. */
int cgroup_find_own(const char **ret_hierarchy, char *path, size_t size) __attribute__((nonnull, warn_unused_result));

/* Make it, with its parents, mark it as ours and open it.
 *
 * @mark: names the container for ever (state_mark()). It is kept as an extended attribute of the
 *        directory, so that no path in a file decides whose processes are killed.
 * Returns 0 and the fd in *@ret_fd; -EACCES, -EPERM, -EROFS, -ENOENT or the like (with @err set) when it
 * is not ours to make; -EBUSY when it holds processes, is frozen, or is another container's. */
int cgroup_make(const char *path, const char *mark, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Open @path below the root of the hierarchy, whoever's it is, through no link. Returns the fd or -errno. */
int cgroup_open_path(const char *path) __attribute__((nonnull));

/* Why a cgroup is said to be a container's. */
struct cgroup_claim {
	const char *mark; /* lent; see cgroup_make() */
	uint64_t    id;   /* the directory's inode number, which is not given again (cgroup_id()); 0: not known */
	bool        own;  /* a record of our own says so. What another user has written proves nothing by itself */
};

/* The inode number of the open cgroup; 0 when it can't be had. */
uint64_t cgroup_id(int cgroup_fd);

/* Open it if the claim holds: it carries the mark, or our own record has its id. The root of a container that may divide
 * its cgroup can take the mark away. Returns 0 and the fd; -ENOENT: it is gone, or not ours; or another
 * -errno. */
int cgroup_open(const char *path, const struct cgroup_claim *claim, int *ret_fd) __attribute__((nonnull));

/* Open the cgroup @path below @cgroup_fd; "", "/" and "." are that itself. A path that leads out of it, by
 * ".." or a link, is -EXDEV or -ELOOP. Returns 0 and the fd, or -errno. */
int cgroup_open_sub(int cgroup_fd, const char *path, int *ret_fd) __attribute__((nonnull));

/* Open the cgroup that process @pid is in now, when that is @path or below it. Returns 0 and the fd;
 * -ENOENT: it is elsewhere; or another -errno. */
int cgroup_open_of(pid_t pid, const char *path, int *ret_fd) __attribute__((nonnull));

/* Give it to somebody else to divide (cgroups(7), "delegation"): the directory and the files that /sys/kernel/cgroup/delegate
 * names. Its limits are in none of those. Returns 0 or -errno with @err set. */
int cgroup_delegate(int cgroup_fd, uid_t user, gid_t group, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Kill every process in it and below. Returns 0 or -errno. */
int cgroup_kill(int cgroup_fd);

/* Send @signal to every process in it and below. Returns 0 or -errno. */
int cgroup_signal(int cgroup_fd, int signal);

/* Call @visit with every process in it and below that has a pid in our namespace. Returns 0 or -errno. */
int cgroup_for_each_process(int cgroup_fd, void (*visit)(pid_t pid, void *context), void *context)
	__attribute__((nonnull(2)));

/* The part of cgroup_remove() that removes: @name in @parent_fd, with all below it. Returns 0 or -errno. */
int cgroup_remove_tree(int parent_fd, const char *name) __attribute__((nonnull, warn_unused_result));

/* The same as root of a user namespace with all of the user's ids: a service manager in a container gives its users' cgroups to
 * them, and what is below such a one only its owner can remove. */
int cgroup_remove_mapped(int parent_fd, const char *name) __attribute__((nonnull, warn_unused_result));

/* Remove it if nothing is in it, whoever made it; for what systemd has left of a scope. */
void cgroup_remove_empty(const char *path) __attribute__((nonnull));

bool cgroup_is_frozen(int cgroup_fd);

/* Freeze or thaw it with all below it, and wait until that is done, 10 s at the most (a process that the kernel can't
 * stop, in state D, takes part only later). A freeze that fails is undone.
 * Returns 0 or -errno: -ETIMEDOUT; -ENODEV when it has been removed. */
int cgroup_set_frozen(int cgroup_fd, bool frozen) __attribute__((warn_unused_result));

/* Wait until its processes have ended (10 s at the most), remove it and what was made below it,
 * and the directories above it that moss made and that are empty. One that is gone or not ours is success;
 * one without any mark (moss was killed between making and marking it) is removed when empty, where the claim is our own. */
int cgroup_remove(const char *path, const struct cgroup_claim *claim, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
