/* frame.h - what of the container's frames may reach libslirp; and the few frames that are our own.
 *
 * Side: helper. Pure: no system call, no memory but the caller's. Everything that comes in here is the
 * container's to choose. What can't be judged (a fragment, an unknown protocol, a length that is not true) is dropped.
 */
#ifndef MOSS_SLIRP_FRAME_H
#define MOSS_SLIRP_FRAME_H
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/spec_network.h"

#define FRAME_HEADER 14                 /* of Ethernet */
#define FRAME_MAX (FRAME_HEADER + 65535) /* bytes of the longest */
#define FRAME_PORTS 8                   /* TCP connections to our resolver at a time */
#define FRAME_PORT_FIRST 50001          /* see frame_ports */

/* IPv6 is the same in every container: nobody but libslirp ever sees it. */
#define FRAME_PREFIX6 "fd00::"
#define FRAME_GATEWAY6 "fd00::2"
#define FRAME_DNS6 "fd00::3" /* nobody answers there */
#define FRAME_GUEST6 "fd00::100"

#define FRAME_HOST_MAX 2048 /* addresses of the host that are kept apart; with more of them there is no slirp */

struct frame_rules {
	uint32_t network, mask, gateway, dns, guest; /* IPv4, host byte order */
	struct in6_addr prefix6, gateway6, guest6;
	bool ipv6, host_loopback;
	struct spec_address host[FRAME_HOST_MAX]; /* the host's own addresses, as they are now */
	size_t host_count;
};

/* Rules for @network, without addresses of the host. */
void frame_rules_make(const struct spec_network *network, struct frame_rules *ret_rules) __attribute__((nonnull));

/* UDP from the host to the container, so that the answer passes though its address is closed: a published port. */
#define FRAME_FLOWS 4096 /* a power of two */
#define FRAME_FLOW_MS 60000
struct frame_flows {
	struct frame_flow {
		struct in6_addr peer; /* IPv4 as ::ffff:a.b.c.d */
		uint16_t peer_port, guest_port;
		int64_t  seen_ms;     /* the host's last datagram; the container's do not keep its way open */
	} flows[FRAME_FLOWS];
	int64_t now_ms;               /* kept by the caller */
};

enum frame_verdict {
	FRAME_DROP,
	FRAME_PASS,
	FRAME_REFUSE,  /* a TCP connection to where none may go: frame_make_reset() tells the container */
	FRAME_DNS,     /* a datagram for our resolver: frame_datagram() */
	FRAME_DNS_TCP, /* a segment for it: frame_ports_rewrite() */
};

/* What is to become of a frame from the container. */
enum frame_verdict frame_judge(const struct frame_rules *rules, const struct frame_flows *flows, const uint8_t *frame,
			       size_t size) __attribute__((nonnull, warn_unused_result));

/* libslirp sends this frame to the container: keep its flow if it is UDP. False when the container shall not see it:
 * router advertisements, which would give it addresses that are not ours. */
bool frame_see_outgoing(const struct frame_rules *rules, struct frame_flows *flows, const uint8_t *frame, size_t size)
	__attribute__((nonnull));

/* The answer to a FRAME_REFUSE: a RST. @answer has FRAME_RESET_MAX bytes. Returns its size. */
#define FRAME_RESET_MAX 80
size_t frame_make_reset(const uint8_t *frame, uint8_t *answer) __attribute__((nonnull));

struct frame_datagram { /* of IPv4, to or from our resolver */
	uint8_t  guest_mac[6];
	uint16_t guest_port;
	const uint8_t *bytes;
	size_t   size;
};
/* Of a FRAME_DNS; the bytes are lent by the frame. */
struct frame_datagram frame_datagram(const uint8_t *frame) __attribute__((nonnull));

/* A frame from our resolver to the container. Returns its size, or 0 when it has more than @room bytes. */
size_t frame_make_datagram(const struct frame_rules *rules, const struct frame_datagram *datagram, uint8_t *frame,
			   size_t room) __attribute__((nonnull, warn_unused_result));

/* libslirp can't tell one connection to a port of its own from another. So each of the container's to our resolver's port
 * 53 is given one of FRAME_PORTS ports from FRAME_PORT_FIRST on, by its own port. */
struct frame_ports {
	struct frame_port {
		uint16_t guest_port; /* 0: free */
		int64_t  used_ms;    /* when a segment was seen last */
		uint32_t next;       /* the sequence number that the container's next byte has */
		bool     finished;   /* the container has nothing more to say */
	} ports[FRAME_PORTS];
};
#define FRAME_PORT_IDLE_MS 10000

struct frame_turn {
	int    port;       /* its number; -1: none is free, or the segment is of no connection: drop it */
	bool   is_new;     /* the connection begins with it */
	size_t reset_size; /* not 0: before it, libslirp is to get this frame, by which it forgets who had the port */
	uint8_t reset[FRAME_RESET_MAX];
};

/* A FRAME_DNS_TCP on its way in: write its port into the frame. */
struct frame_turn frame_ports_rewrite(struct frame_ports *ports, uint8_t *frame, int64_t now_ms)
	__attribute__((nonnull, warn_unused_result));

/* A frame on its way out: is it from one of those ports, then let it be from 53 again. */
void frame_ports_restore(const struct frame_rules *rules, uint8_t *frame, size_t size) __attribute__((nonnull));

#endif
