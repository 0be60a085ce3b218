/* context.h - what init's steps share while they run. Side: container. */
#ifndef MOSS_INIT_CONTEXT_H
#define MOSS_INIT_CONTEXT_H
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>

#include "init/init.h"

struct init_context {
	int    sock;          /* the launch socket, lent */
	char **env;           /* init->env, HOME added when it was missing */
	bool   cwd_entered;   /* the first try worked */
	bool   filter_loaded; /* of seccomp */
	bool   holds_listener; /* its fd could not be closed */
	char   home[PATH_MAX]; /* "HOME=/root" */
	char   program[PATH_MAX]; /* args[0], found */
};

/* Tell the host side of something that was adapted; it goes to the log and into state.json. */
void init_note(struct init_context *context, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
