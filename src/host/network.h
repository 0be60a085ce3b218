/* network.h - --network and --publish: what they change in a container, and the helper program moss-slirp.
 *
 * Side: host. Without them, and without the annotations org.moss.network and org.moss.publish, nothing here makes a system
 * call. The helper (helpers/slirp) is one a container; it ends with the container, which lives on without it.
 */
#ifndef MOSS_NETWORK_H
#define MOSS_NETWORK_H
#include "base/error.h"
#include "host/launch.h"
#include "spec/spec.h"

#define NETWORK_RESOLV_CONF "resolv.conf" /* in the container's state directory */

/* Options win over the annotations. Sets spec->network and spec->publish, and what follows from them: a network
 * namespace, sysctls of it. To be called before adapt_spec().
 * Returns 0, or -EINVAL or -ENOMEM with @err set. */
int network_adapt(const struct launch_options *options, struct spec *spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Will a helper be started? */
bool network_is_slirp(const struct spec *spec) __attribute__((nonnull, pure));

/* Write the container's resolv.conf into its state directory @dir_fd, which is at @directory, and add its mount, unless
 * config.json mounts one. Returns 0 or -errno with @err set. */
int network_make_resolv_conf(struct spec *spec, int dir_fd, const char *directory, struct error *err)
	__attribute__((nonnull, warn_unused_result));

struct network_of {
	int  pidfd;      /* of the container's first process */
	int  signal_fd;  /* of signals_open(): a signal that ends moss ends the waiting */
	bool in_user_ns; /* its user namespace is not ours */
};

/* Start the helper and wait until the device is in the container and the published ports are bound. The container's first
 * process must be dumpable yet.
 * Returns 0 and what state.json is to say of the helper, or -errno with @err set; then there is none. */
int network_start(const struct spec *spec, const struct network_of *of, struct state_network *ret_network, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* End the helper, if there is one, and wait until its ports are free. */
void network_end(const struct state *state, int dir_fd) __attribute__((nonnull));

/* For `moss doctor`: is the helper there, and with which libslirp? */
struct probe_result; /* host/probe.h */
void network_probe(struct probe_result *result) __attribute__((nonnull));

#endif
