/* engine.h - libslirp, and the loop around it.
 *
 * Side: helper. The loop waits with epoll(7), which is told only what has changed between two rounds of
 * slirp_pollfds_fill(): what 1000 idle connections cost a packet is libslirp's own walk over them, and no system call. What is
 * not asked for any more stays watched until it happens: libslirp often asks again before that.
 */
#ifndef MOSS_SLIRP_ENGINE_H
#define MOSS_SLIRP_ENGINE_H
#include <slirp/libslirp.h>

#include "frame.h"
#include "settings.h"

struct dns; /* dns.h */

struct engine_socket { /* by its fd: one of libslirp's */
	uint32_t events, wanted, ready; /* EPOLL*: what epoll watches for; what libslirp asked for last; what is there */
	uint32_t round;                 /* when it asked */
	bool     known, listens;        /* it is a listening one, if that is known */
};

struct engine {
	Slirp *slirp;
	int    epoll, tap, updates;
	struct frame_rules rules;
	struct frame_flows flows;
	struct frame_ports dns_ports;
	struct dns *dns;
	struct engine_socket *sockets; /* sockets_room of them, by fd */
	size_t   sockets_room;
	uint32_t round;
	bool     full;      /* no file is left: since full_ms nothing is accepted */
	int64_t  full_ms;
	int64_t  walked_ms; /* when slirp_pollfds_poll() ran last */
	struct sockaddr_in  outbound4;
	struct sockaddr_in6 outbound6;
	SlirpConfig config;
	uint8_t frame[FRAME_MAX + 64];
};

/* What the process outside of the sandbox tells the one inside: whole, whenever it changes. */
#define ENGINE_RESOLVERS_MAX 8
struct engine_update {
	uint32_t resolvers_count, host_count;
	struct spec_address resolvers[ENGINE_RESOLVERS_MAX], host[FRAME_HOST_MAX];
};

/* Who is meant by an event of epoll: one of these in the upper half, an fd or a number in the lower one. */
enum engine_source { ENGINE_SLIRP, ENGINE_TAP, ENGINE_UPDATES, ENGINE_DNS_UDP, ENGINE_DNS_TCP };

/* Start libslirp and bind the published ports, while that is still allowed. @engine is the only one there is.
 * Returns 0 or -errno with @err set. */
int engine_make(const struct settings *settings, struct engine **ret_engine, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Run until @updates is closed, the device is gone or something can't go on. @tap and @updates are lent. */
void engine_run(struct engine *engine, int tap, int updates) __attribute__((nonnull));

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t engine_now_ms(void);

/* Write a frame to the container. A full device drops it, as a network does. */
void engine_send(struct engine *engine, const uint8_t *frame, size_t size) __attribute__((nonnull));

/* Watch @fd, or change what for; @events 0: no more. */
int engine_watch(struct engine *engine, int fd, uint32_t events, enum engine_source source, uint32_t number)
	__attribute__((nonnull));

#endif
