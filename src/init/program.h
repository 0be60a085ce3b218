/* program.h - the user's program: its directory, its HOME, its file, its execution.
 * Side: container. */
#ifndef MOSS_PROGRAM_H
#define MOSS_PROGRAM_H
#include "init/context.h"

/* Each returns 0 or -errno with @err set. */

/* Add HOME to the environment when it is missing: from the container's /etc/passwd, else "/". */
int program_set_home(const struct init *init, struct init_context *context, struct error *err);

/* LISTEN_PID of sd_listen_fds(3): the pid that the program will have is known only in here. */
int program_set_listen_pid(const struct init *init, struct init_context *context, struct error *err);

/* chdir to process.cwd; lack of permission is left for program_check_cwd(). */
int program_enter_cwd(const struct init *init, struct init_context *context, struct error *err);

/* chdir as the user if that is still to be done; refuse a directory outside the container's tree
 * (CVE-2024-21626). */
int program_check_cwd(const struct init *init, struct init_context *context, struct error *err);

/* Find args[0], through the container's PATH when it has no slash, and check that it can be
 * executed. */
int program_find(const struct init *init, struct init_context *context, struct error *err);

/* execve(2). Returns only on failure. */
int program_execute(const struct init *init, struct init_context *context, struct error *err);

#endif
