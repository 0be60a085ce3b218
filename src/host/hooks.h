/* hooks.h - the hooks of config.json that run in the runtime's namespaces, and what all kinds share.
 *
 * Side: host. The order, and which side runs what, is in docs/design.md, "Hooks". The commands after `create` read
 * them in the copy of config.json that it made.
 */
#ifndef MOSS_HOOKS_H
#define MOSS_HOOKS_H
#include <stdbool.h>

#include "base/error.h"
#include "host/state.h"
#include "spec/spec.h"

struct hooks {
	const struct spec_hooks *lists; /* lent: of a struct spec; NULL: there are none */
	const char *bundle;             /* lent: the working directory */
	struct spec_hook_state state;
	int output[2];                  /* files of the annotations run.oci.hooks.stdout and .stderr, or -1 */
};
#define HOOKS_NONE { .output = { -1, -1 } }
void hooks_close(struct hooks *hooks);

/* Are there any of the kinds from @first to @last? Looks into memory only. */
bool hooks_any(const struct spec *spec, enum spec_hook_kind first, enum spec_hook_kind last) __attribute__((nonnull, pure));

/* Prepare to run hooks of @spec for the container of @state; both are lent, memory is the spec's. Its texts are
 * there after a failure to open the files of the annotations, too.
 * Returns 0 or -errno with @err set. hooks_close() is needed in every case. */
int hooks_open(struct spec *spec, const struct state *state, struct hooks *ret_hooks, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* From now on this container's poststop hooks are to be run, by whoever removes it: the first hook runs, or the
 * container is made. Returns 0 or -errno with @err set. */
int hooks_begin(const struct state *state, int dir_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Run prestart and createRuntime hooks. @signal_fd: of signals_open().
 * Returns 0 or -errno with @err set; err->exit_status is 128 + N when signal N interrupted it. */
int hooks_create(const struct hooks *hooks, pid_t pid, int signal_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* May we run what the state directory says? Root does not run another user's hooks: they would have root's
 * rights. Returns 0 or -EPERM with @err set. */
int hooks_check_owner(int dir_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Run poststart hooks, if there are any; the rest is as in hooks_create(). */
int hooks_poststart(const struct state *state, int dir_fd, int signal_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Run those poststop hooks that have not been started yet, if there are any and hooks_begin() was called; the caller
 * holds the lock, and removes the directory afterwards. A failure is a warning in the log; a signal that asks us
 * to stop ends the hook that runs. */
void hooks_poststop(const struct state *state, int dir_fd) __attribute__((nonnull));

#endif
