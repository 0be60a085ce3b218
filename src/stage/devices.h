/* devices.h - device nodes and the links of /dev.
 *
 * Side: userns. Needs the host's tree: where mknod(2) is not allowed (a user namespace) the host's
 * node is bound. Source: config-linux.md, "Default Devices"; runtime-linux.md, "Dev symbolic links".
 */
#ifndef MOSS_DEVICES_H
#define MOSS_DEVICES_H
#include <stdbool.h>

#include "base/error.h"
#include "spec/spec.h"

/* Make the default devices, those of linux.devices and the links. Does nothing when /dev is a bind
 * mount from the host.
 * @by_bind: don't even try mknod(2). Returns 0 or -errno with @err set. */
int devices_make(const struct spec *spec, int root_fd, bool by_bind, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The host's @path as O_PATH, checked to be the character device @major:@minor.
 * Returns 0 and the fd in *@ret_fd, or -errno with @err set. */
int devices_open_host(const char *path, unsigned major, unsigned minor, int *ret_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
