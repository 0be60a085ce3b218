/* launch_cgroup.h - the cgroup of a container that is being made: itself, its scope of systemd's, its limits, its devices.
 *
 * Side: host. launch.c calls these in the order in which they stand here. Each returns 0 or -errno with @err set, and what was made
 * is unmade by launch.c; what can't be had and need not is a note in the container's record.
 */
#ifndef MOSS_LAUNCH_CGROUP_H
#define MOSS_LAUNCH_CGROUP_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/hooks.h"
#include "host/join.h"
#include "host/launch.h"
#include "host/plan.h"
#include "host/scope.h"
#include "host/state.h"

struct making { /* a launch under way */
	const struct launch_options *options;
	struct plan     *plan;
	struct launched *out;
	struct scope scope;      /* systemd's helper under way */
	int   cgroup_fd, child_sock, fifo_fd, console_sock, pidfd_sock, trees[JOIN_TREES];
	pid_t pid;
	char  mark[STATE_MARK_MAX]; /* of the cgroup */
	size_t notes_written;    /* of the state's notes, those in the record that is prepared */
	struct hooks hooks;      /* none: nothing is to be run */
	bool         hooks_begun;
	struct error no_devices; /* why there is no device program, if there is none */
	struct error no_cgroup;  /* why there is no cgroup, if there is none */
	struct spec_limit *limits; /* those that can be set, in the spec's arena */
	size_t limits_count;
};

/* Note for the container's record, and a warning in the log. @making is a struct making. */
int launch_note(void *making, const char *text, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Make the cgroup, or start the helper that makes the scope when the process that is to be in it is there. */
int launch_cgroup_make(struct making *making, struct error *err) __attribute__((nonnull, warn_unused_result));

/* While the cgroup is empty, and nothing else is made: the controllers; and which limits can't be had. */
int launch_cgroup_prepare_limits(struct making *making, struct error *err) __attribute__((nonnull, warn_unused_result));

/* In the process in between (join.h): only from within a user's own delegation can a process be born in its cgroups (cgroups(7),
 * "delegation containment"), and a scope is made of a process. */
int launch_cgroup_enter_scope(void *making, int *ret_cgroup_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* That process has not got a container's process into a scope, which @err says. 0: go on without, as --degrade=warn has it where
 * nobody has asked for systemd by name. */
int launch_cgroup_scope_refused(struct making *making, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The clone into the cgroup has failed, with @ret and @why. Entering takes a right on the common ancestor (cgroups(7)), which a user may
 * not have. True: it is no more, and the container does without. */
bool launch_cgroup_is_refused(struct making *making, int ret, const struct error *why) __attribute__((nonnull, warn_unused_result));

/* The container's process is in the scope: where that is, and its limits. */
int launch_cgroup_find_scope(struct making *making, struct error *err) __attribute__((nonnull, warn_unused_result));

/* While the other side makes its mounts; the program can't be executed before we say so. */
int launch_cgroup_set_limits(struct making *making, struct error *err) __attribute__((nonnull, warn_unused_result));

/* A service manager inside can divide its cgroup: one that it sees as the root, can write below, and owns. A normal user's
 * is the user's already, who is root in there. */
int launch_cgroup_delegate(struct making *making, struct error *err) __attribute__((nonnull, warn_unused_result));

/* While the other side makes its mounts: the verifier takes 0.25 ms. */
int launch_cgroup_restrict_devices(struct making *making, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The container's first process ended before its program was there. */
void launch_cgroup_explain_end(const struct making *making, struct error *err) __attribute__((nonnull));

#endif
