/* resolv.h - the name servers of a resolv.conf(5). Side: helper; pure. */
#ifndef MOSS_SLIRP_RESOLV_H
#define MOSS_SLIRP_RESOLV_H
#include <stddef.h>

#include "spec/spec_network.h"

/* Read at most @room of them, in their order; what is no address (or one of a link, with its name) is passed over.
 * Returns how many. */
size_t resolv_read(const char *text, struct spec_address *ret_servers, size_t room) __attribute__((nonnull));

#endif
