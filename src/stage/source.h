/* source.h - what a bind mount shows, as a detached tree.
 *
 * Side: userns; and host for idmapped mounts, which only the owner of the file system can make.
 */
#ifndef MOSS_SOURCE_H
#define MOSS_SOURCE_H
#include "base/error.h"
#include "spec/spec.h"

/* Clone the source of a bind mount, with what is mounted below it for rbind, as a detached tree in
 * *@ret_fd. With copy-symlink and a source that is a symbolic link, an O_PATH fd of the link instead.
 * @bundle_fd: where relative sources start.
 * Returns 0 or -errno with @err set. */
int source_open(const struct spec_mount *mount, int bundle_fd, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
