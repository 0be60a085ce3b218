/* plan_process.h - what init needs to know of a process, the container's first or one of `exec`.
 * Side: host. */
#ifndef MOSS_PLAN_PROCESS_H
#define MOSS_PLAN_PROCESS_H
#include "base/error.h"
#include "base/exe.h"
#include "init/init.h"
#include "spec/spec.h"

/* Fill process, labels, capabilities, env, rlimits, memory_policy and set_scheduler of @init, whose keyring is set, from
 * @spec; memory is spec's arena. What takes a right that we don't have is refused (rights.h). Capabilities that are not
 * ours to give, and ambient ones that can't be raised, are left out, with a note in spec->warnings.
 *
 * @in_user_ns: the process is in a user namespace of the container's, where all can be had.
 * @ret_files:  RLIMIT_NOFILE as it is now: the process gets it back when config.json says nothing.
 * Returns 0 or -errno with @err set. */
int plan_process(struct spec *spec, bool in_user_ns, struct init *init, struct spec_rlimit *ret_files,
		 struct error *err) __attribute__((nonnull, warn_unused_result));

/* Without a cgroup no program can watch what "deny all" denies; nobody in the container may make device nodes then:
 * CAP_MKNOD is taken from @init, with a note in spec->warnings. For `exec`, too. Returns 0 or -errno with @err set. */
int plan_without_mknod(struct spec *spec, struct init *init, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Give the process, which has done all its steps, the scheduler and io priority that are ours to give: its own
 * rights end at its user namespace. Returns 0 or -errno with @err set. */
int plan_set_scheduler(const struct init *init, pid_t pid, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Could a root user of the container write the binary that we run from (exe.h)?
 * @uid_maps: of the container's own user namespace, as we see them; NULL: it has none, or its ids are unknown. */
bool plan_exe_needed(const struct exe *exe, const struct spec_id_maps *uid_maps) __attribute__((nonnull(1)));

/* --preserve-fds: are @count fds from @first (3, or what comes behind LISTEN_FDS) on open? Fds that were
 * inherited have no close-on-exec flag, all of ours have. */
int plan_check_preserved_fds(unsigned first, unsigned count, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
