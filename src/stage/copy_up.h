/* copy_up.h - the tree that a tmpfs covers, copied into it (mount option tmpcopyup).
 *
 * Side: userns. By fds only, and no link is followed. Needs the capabilities that keep owners and modes.
 */
#ifndef MOSS_COPY_UP_H
#define MOSS_COPY_UP_H
#include <stdbool.h>

#include "base/error.h"

/* Copy what is in the directory @from (an O_PATH fd) into the empty tree @to, both lent: files with
 * their holes, directories, links, FIFOs, sockets and device nodes; modes, owners, times, and those
 * extended attributes that a tmpfs takes. What is mounted below @from is copied, too. Hard links become
 * files of their own. Bounded by the size of the tmpfs and by 100 levels.
 * @owner: @to itself gets the owner of @from.
 * Returns 0, or -errno with @err set, its object being the path below @from. */
int copy_up(int from, int to, bool owner, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
