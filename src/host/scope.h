/* scope.h - systemd as the maker of a container's cgroup, asked by the helper program moss-scope.
 *
 * Side: host. systemd makes a scope and moves a process of moss's into it; the container's cgroup is one below the scope,
 * made like any other (cgroup.h). What is known of the scope is its name, in state.json.
 */
#ifndef MOSS_SCOPE_H
#define MOSS_SCOPE_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/state.h"
#include "spec/spec.h"

#define SCOPE_SUB_CGROUP "container" /* the container's, below the scope's */

/* Was moss built with it, and is the helper program there? With @err set when not. */
int scope_check(struct error *err) __attribute__((nonnull, warn_unused_result));

/* Is there a bus on which a user's own systemd could be asked? A look at files, no more. */
bool scope_has_user_bus(void);

struct scope_name { /* texts of the arena */
	const char *unit;  /* "moss-web.scope" */
	const char *slice; /* "system.slice" */
};

/* What linux.cgroupsPath names, "slice:prefix:name" with parts that may be empty, or NULL: moss-@id.scope. The slice is
 * system.slice, for a user user.slice. Returns 0, or -EINVAL or -ENOMEM with @err set. */
int scope_read_name(struct spec *spec, const char *id, struct scope_name *ret_name, struct error *err)
	__attribute__((nonnull, warn_unused_result));

struct scope { /* the helper under way; { .sock = -1 } is none */
	pid_t pid;
	int   sock;
	pid_t owner;     /* who has started it */
	int   signal_fd; /* the caller's, of signals_open(): for scope_wait(); -1: none */
};

/* Start the helper, which will make the scope @name of the container @id. Its limits and annotations come from @spec.
 * @mark: see state_mark(). @detached: nobody stays with the container.
 * scope_close() is needed in every case. Returns 0 or -errno with @err set. */
struct scope_start {
	const struct scope_name *name;
	const char *id, *mark;
	bool        detached;
};
int scope_open(const struct scope_start *start, const struct spec *spec, struct scope *ret_scope, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same for a scope that is there: to move processes into the cgroup @path ("/container") below it. */
int scope_open_attach(const char *unit, const char *path, struct scope *ret_scope, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Tell the helper to do its work, with process @pid; after the start once more, for the limits. And wait until it is done. */
int scope_tell(const struct scope *scope, pid_t pid, struct error *err) __attribute__((nonnull, warn_unused_result));
int scope_wait(const struct scope *scope, int (*note)(void *context, const char *text, struct error *err), void *context, struct error *err)
	__attribute__((nonnull(1, 4), warn_unused_result));
void scope_close(struct scope *scope) __attribute__((nonnull));

/* We are in the scope @unit now: our cgroup, a path from the hierarchy's root. Returns 0 or -errno with @err set. */
int scope_find_own(const char *unit, char *path, size_t size, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Give the scope of a container that runs these limits as properties. Returns 0 or -errno with @err set. */
int scope_set_limits(const char *unit, const struct spec_limit *limits, size_t count, struct error *err)
	__attribute__((nonnull(1, 4), warn_unused_result));

/* The container's processes have ended: wait until systemd has forgotten its scope, and make it do so when it does not
 * by itself. What can't be had is a warning in the log: nothing runs in it. */
void scope_forget(const struct state *state, int dir_fd) __attribute__((nonnull));

/* The unit of systemd's that the cgroup @path lies in, with the path below it: "/user.slice/.../run-u3.scope/moss-web" is
 * "run-u3.scope" and "/moss-web". A user's manager is none. False: there is none. */
bool scope_split(const char *path, char *unit, size_t size, const char **ret_below) __attribute__((nonnull));

#endif
