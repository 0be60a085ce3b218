/* netlink.h - rtnetlink(7), as much as moving a network device, and making one, takes. Side: host. */
#ifndef MOSS_NETLINK_H
#define MOSS_NETLINK_H
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_ATTRIBUTES_MAX 256 /* bytes; more than any request here has */

struct netlink_request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
		struct rtmsg     route;
	};
	char attributes[NETLINK_ATTRIBUTES_MAX];
};

/* A socket that speaks for the network namespace that the caller is in now. Returns the fd or -errno. */
int netlink_open(void) __attribute__((warn_unused_result));

/* A request that is answered by an error code: RTM_SETLINK, RTM_NEWADDR, ... */
struct netlink_request netlink_link(int type, int index);
struct netlink_request netlink_address(int type, const struct ifaddrmsg *address);
struct netlink_request netlink_route(int type, int family); /* to everywhere, in the main table */

/* Append an attribute; there must be room for it. */
void netlink_add(struct netlink_request *request, unsigned short type, const void *bytes, size_t size)
	__attribute__((nonnull));
void netlink_add_uint32(struct netlink_request *request, unsigned short type, uint32_t value) __attribute__((nonnull));

/* Send it and wait for the answer. Returns 0 or -errno. */
int netlink_ask(int sock, struct netlink_request *request) __attribute__((nonnull, warn_unused_result));

/* Call @see for every message of a dump that this request asks for, until it returns less than 0.
 * Returns 0, what @see returned, or -errno. */
int netlink_dump(int sock, struct netlink_request *request, int (*see)(const struct nlmsghdr *message, void *context),
		 void *context) __attribute__((nonnull, warn_unused_result));

#endif
