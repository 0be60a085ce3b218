/* dns.h - the container's resolver: what it asks us is passed on to the host's resolvers.
 *
 * Side: helper. Datagrams come as frames, and go out by a socket of their own each, so that nobody can guess its port;
 * TCP comes through libslirp. Neither is looked into: but for its number a question is just passed on.
 */
#ifndef MOSS_SLIRP_DNS_H
#define MOSS_SLIRP_DNS_H
#include "engine.h"

/* Needs engine->slirp. Returns NULL when there is no memory. */
struct dns *dns_make(struct engine *engine) __attribute__((nonnull, warn_unused_result));

/* Who is asked from now on. */
void dns_set_resolvers(struct dns *dns, const struct spec_address *resolvers, size_t count) __attribute__((nonnull));

/* A question of the container's. */
void dns_ask(struct dns *dns, const struct frame_datagram *datagram) __attribute__((nonnull));

/* A new TCP connection of the container's has got port @number: forget the one before. */
void dns_connection_new(struct dns *dns, uint32_t number) __attribute__((nonnull));

/* Something is to be done about question or connection @number; about what took too long, or could not go on. */
void dns_udp_ready(struct dns *dns, uint32_t number) __attribute__((nonnull));
void dns_tcp_ready(struct dns *dns, uint32_t number, uint32_t events) __attribute__((nonnull));
void dns_tick(struct dns *dns) __attribute__((nonnull));

/* Milliseconds until dns_tick() has something to do; -1: never. */
int dns_timeout(const struct dns *dns) __attribute__((nonnull));

/* The answer to a question that nobody else answers: the question with these @flags (RFC 1035, 4.1.1) beside its own
 * RD. @answer has @size bytes, and may be @question. Returns its size, or 0 when that is no question. */
#define DNS_SERVER_FAILURE 0x8002u
#define DNS_TRUNCATED 0x8200u
size_t dns_make_answer(const uint8_t *question, size_t size, unsigned flags, uint8_t *answer) __attribute__((nonnull));

#endif
