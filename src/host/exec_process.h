/* exec_process.h - the process that `exec` adds, from its file or template and its options.
 * Side: host. */
#ifndef MOSS_EXEC_PROCESS_H
#define MOSS_EXEC_PROCESS_H
#include "base/error.h"
#include "host/exec.h"
#include "spec/spec.h"

/* Read the process and change it as the options say, into ret_spec->process; spec_free() is needed in
 * every case. @dir_fd: the container's state directory.
 * Returns 0 or -errno with @err set. */
int exec_process_read(const struct exec_options *options, int dir_fd, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read the config.json of the container's creation; spec_free() is needed in every case.
 * Returns 0 or -errno with @err set. */
int exec_process_read_container(int dir_fd, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* "UID" or "UID:GID", decimal and nothing else (CVE-2026-30892): the ids that are given are stored.
 * Returns 0 or -EINVAL with @err set. */
int exec_process_parse_user(const char *text, struct spec_user *user, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read the container's copy of config.json, as it was when that was created; spec_free() is needed in every case.
 * Returns 0 or -errno with @err set. */
int exec_process_read_config(int dir_fd, struct spec *ret_spec, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
