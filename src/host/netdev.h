/* netdev.h - network devices that the container gets: linux.netDevices.
 *
 * Side: host. config-linux.md, "Network Devices": they are moved from the network namespace that the runtime is in
 * into the container's, renamed there, keep their permanent global addresses and are set up. Nothing is done
 * about them when the container ends: the kernel returns what is hardware to the machine's network namespace, and
 * removes what is not.
 */
#ifndef MOSS_NETDEV_H
#define MOSS_NETDEV_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

struct netdev;
struct netdev_set {
	struct netdev *devices; /* in the arena of the spec */
	size_t count;
	int    sock, inside_sock; /* for our network namespace and for the container's; -1: none */
};
void netdev_close(struct netdev_set *set);

/* Look for the devices and read their addresses; may the caller move them at all? Changes nothing.
 * netdev_close() is needed in every case. Returns 0 or -errno with @err set. */
int netdev_find(struct spec *spec, struct netdev_set *ret_set, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Move them into the network namespace of a process. Returns 0 or -errno with @err set; some of them may have been
 * moved then. */
int netdev_move(struct netdev_set *set, pid_t pid, int pidfd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The container could not be made: all that were moved are back, as they were. */
void netdev_return(struct netdev_set *set) __attribute__((nonnull));

#endif
