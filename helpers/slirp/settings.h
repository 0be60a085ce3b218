/* settings.h - what moss-slirp is told by moss. Side: helper. */
#ifndef MOSS_SLIRP_SETTINGS_H
#define MOSS_SLIRP_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "spec/spec_network.h"

#define SETTINGS_PIDFD 3 /* of the container's first process */
#define SETTINGS_SOCK 4  /* where moss waits for SYNC_READY or SYNC_ERROR (base/sync.h) */

struct settings {
	struct spec_network  network;
	struct spec_publish *publish; /* from malloc(3) */
	size_t publish_count;
	bool   join_user;             /* the container's user namespace is not ours */
};

#endif
