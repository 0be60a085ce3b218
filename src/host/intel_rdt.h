/* intel_rdt.h - linux.intelRdt: a container's class of service and monitoring group.
 *
 * Side: host. Both are directories of the resctrl file system, which root mounts (Documentation/arch/x86/resctrl.rst of
 * the kernel): a process belongs to the group in whose file "tasks" its pid was written, and what it clones, too. Groups are
 * made and removed under the lock that the kernel's page asks for, flock(2) on the file system's root.
 */
#ifndef MOSS_INTEL_RDT_H
#define MOSS_INTEL_RDT_H
#include <limits.h>

#include "base/error.h"
#include "host/state.h"
#include "spec/spec.h"

struct intel_rdt {
	const struct spec_intel_rdt *spec;
	const char *id;     /* of the container; also the monitoring group's name */
	int   root_fd;      /* of the resctrl file system, locked; -1: there is nothing to do */
	struct state_rdt record; /* what will be made: for state.json, before it is */
};

/* Look for the file system, take its lock, and find out what is to be made. Refused: what this host can't do, and a
 * class that is there and has another schemata. intel_rdt_close() is needed in every case.
 * Makes no system call when config.json asks for nothing. Returns 0 or -errno with @err set. */
int intel_rdt_plan(const struct spec *spec, const char *id, struct intel_rdt *ret_rdt, struct error *err)
	__attribute__((nonnull, warn_unused_result));
void intel_rdt_close(struct intel_rdt *rdt) __attribute__((nonnull));

/* Make what the record says. Returns 0 or -errno with @err set; intel_rdt_remove() removes a part, too. */
int intel_rdt_make(const struct intel_rdt *rdt, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Put the container's first process, which has cloned nothing yet, into its groups, and give up the lock.
 * Returns 0 or -errno with @err set. */
int intel_rdt_enter(struct intel_rdt *rdt, pid_t pid, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The same for a process that `exec` adds. @dir_fd: the container's directory, which must be ours to be believed. */
int intel_rdt_enter_exec(const struct state *state, int dir_fd, pid_t pid, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Remove what was made for the container: the monitoring group, and its class when no process is in that
 * any more. What is gone already is success. Returns 0 or -errno with @err set. */
int intel_rdt_remove(const struct state *state, int dir_fd, struct error *err) __attribute__((nonnull, warn_unused_result));

/* --- for rdt_update.h --- */

/* Find the file system, take its lock, and check that the machine has the resources that @spec names. intel_rdt_close() is
 * needed in every case. Returns 0 or -errno with @err set. */
int intel_rdt_open(const struct spec_intel_rdt *spec, const char *id, struct intel_rdt *ret_rdt, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Does state.json, which must be root's own, say that the container is in a class? */
bool intel_rdt_has_record(const struct state *state, int dir_fd) __attribute__((nonnull));

/* "GROUP/FILE" in resctrl; of the default class "FILE". */
void intel_rdt_path(const char *group, const char *file, char path[PATH_MAX]) __attribute__((nonnull));

/* Write the lines of rdt->spec into the schemata of the class of rdt->record. Returns 0 or -errno with @err set. */
int intel_rdt_write_schemata(const struct intel_rdt *rdt, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Set @err for @code, which resctrl answered when @what was done. Returns -@code. */
int intel_rdt_explain(const struct intel_rdt *rdt, int code, const char *what, struct error *err) __attribute__((nonnull));

#endif
