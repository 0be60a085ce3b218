/* run.h - another program, run for its output. Side: any (used on the host). */
#ifndef MOSS_RUN_H
#define MOSS_RUN_H
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Where program @name is: /usr/bin first; the directories of PATH only for a caller that is not
 * root. Returns 0, or -ENOENT. */
int run_find(const char *name, char *path, size_t size) __attribute__((nonnull, warn_unused_result));

struct run { /* a program under way */
	char  path[4096];
	pid_t pid;    /* 0: none */
	int   pidfd;
	int   output; /* reading end of its stdout or stderr */
};

/* Start argv[0] (an absolute path), with an empty environment and /dev/null as stdin.
 * @fd: the one of stdout and stderr that is read; the other one is /dev/null.
 * run_end() is needed in every case. Returns 0 or -errno with @err set. */
int run_start(struct run *run, char *const *argv, int fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Wait for its end, 10 s at the most, and read up to @size - 1 bytes of its output.
 * Returns its wait status, or -errno with @err set (-ETIMEDOUT). */
int run_wait(struct run *run, char *text, size_t size, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Kill and reap it if it still runs; close the fds. */
void run_end(struct run *run) __attribute__((nonnull));

#endif
