/* spec_network.h - the words of --network and --publish, and of the annotations org.moss.network and
 * org.moss.publish. Side: any; pure. */
#ifndef MOSS_SPEC_NETWORK_H
#define MOSS_SPEC_NETWORK_H
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SPEC_NETWORK_MTU 65520 /* the default: a frame of it fits into 64 KiB with its header */
#define SPEC_NETWORK_MTU_MIN 1280 /* of IPv6; below that libslirp is not safe (CVE-2026-95507) */

enum spec_network_mode {
	SPEC_NETWORK_NONE,  /* a network namespace with nothing but lo */
	SPEC_NETWORK_HOST,  /* the runtime's */
	SPEC_NETWORK_SLIRP, /* a network namespace, and moss-slirp to connect it */
};

struct spec_address {
	int family; /* AF_INET, AF_INET6; 0: none */
	union {
		struct in_addr  v4;
		struct in6_addr v6;
	};
};

struct spec_network {
	enum spec_network_mode mode;
	/* Of slirp: */
	uint32_t mtu;
	uint32_t network, mask;        /* of IPv4, in host byte order */
	uint32_t gateway, dns, guest;  /* addresses in it; the guest is the container */
	bool     ipv6, host_loopback;
	struct spec_address resolver;  /* dns=: whom the helper asks instead of the host's resolvers */
	struct spec_address outbound;  /* outbound=ADDR: the host's address to connect from ... */
	char     interface[IFNAMSIZ];  /* ... or that of this interface; "" */
};

struct spec_publish {
	struct spec_address host;      /* 0.0.0.0 where none is given */
	uint16_t host_port, port;      /* the first ones; never 0 */
	uint16_t count;                /* 1 or more: of so many ports, one after the other */
	bool     udp;
};

/* Read "none", "host" or "slirp[:name=value,...]"; what is not said has its default.
 * Returns 0, or -EINVAL with @err set, whose object is the word that is wrong. */
int spec_network_parse(const char *text, struct spec_network *ret_network, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read "[HOSTIP:]HOSTPORT[-END]:PORT[-END][/tcp|udp]"; an IPv6 address stands in brackets.
 * Returns 0, or -EINVAL with @err set, whose object is @text. */
int spec_network_parse_publish(const char *text, struct spec_publish *ret_publish, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read an IPv4 or IPv6 address, without brackets. False where it is none. */
bool spec_network_parse_address(const char *text, struct spec_address *ret_address) __attribute__((nonnull, warn_unused_result));

/* The address in words; @text has INET6_ADDRSTRLEN bytes. */
const char *spec_network_address_text(const struct spec_address *address, char *text) __attribute__((nonnull));

#endif
