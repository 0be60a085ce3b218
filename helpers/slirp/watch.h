/* watch.h - the small process outside of the sandbox. Side: helper.
 *
 * It tells the one inside what that can't see: the host's resolvers and addresses. It reads nothing that comes from
 * there. It ends with the container, and ends the other one.
 */
#ifndef MOSS_SLIRP_WATCH_H
#define MOSS_SLIRP_WATCH_H
#include "settings.h"

struct watch {
	int container; /* pidfd of the container's first process */
	int inside;    /* pidfd of the process in the sandbox, a child of ours */
	int updates;   /* SOCK_SEQPACKET: its end is the sandbox's engine->updates */
	const struct spec_network *network;
};

/* Tell the first time, before there is anybody inside. Returns 0 or -errno. */
int watch_begin(const struct watch *watch) __attribute__((nonnull, warn_unused_result));

/* Until the container or the other process has ended, or SIGTERM asks for it. */
void watch_run(const struct watch *watch) __attribute__((nonnull));

#endif
