/* mount_idmap.h - idmapped mounts: their sources, cloned and mapped before the container is made.
 *
 * Side: host. The kernel lets only who has CAP_SYS_ADMIN over the file system itself map it: that is
 * neither the container's user namespace nor a normal user.
 */
#ifndef MOSS_MOUNT_IDMAP_H
#define MOSS_MOUNT_IDMAP_H
#include "base/error.h"
#include "spec/spec.h"

/* Open the sources of all mounts with MOUNT_IDMAP as detached trees that show the mapped ids.
 * @user_ns: what a mount without maps of its own takes, an fd; -1: none is joined.
 * Returns 0 and in *@ret_trees one fd a mount, -1 where there is none, from malloc(3) (NULL when there is no
 * such mount); or -errno with @err set. mount_idmap_close() is needed in every case. */
int mount_idmap_open(const struct spec *spec, const char *bundle, int user_ns, int **ret_trees, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Close the trees and free the array, NULL included. */
void mount_idmap_close(int *trees, size_t count);

#endif
