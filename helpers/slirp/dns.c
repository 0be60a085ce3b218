/* dns.c - see dns.h. Side: helper. */
#define _GNU_SOURCE
#include "dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define QUESTIONS 256      /* at a time */
#define QUESTION_MAX 4096  /* bytes; questions are small */
#define TRY_MS 1500
#define TRIES_EACH 2       /* of every resolver */
#define HEADER 12
#define STREAM_MAX 65537   /* RFC 1035, 4.2.2: two bytes of length, and a message */
#define STREAM_TRY_MS (TRY_MS * TRIES_EACH) /* without a sign of a resolver: as long as one is asked by UDP */
#define IP_AND_UDP 28

struct question {
	int      sock; /* -1: free */
	uint8_t *bytes;
	size_t   size;
	uint8_t  guest_mac[6];
	uint16_t guest_port;
	unsigned tries;
	int64_t  deadline_ms;
};

/* Questions are kept until they are answered, and answers until they are whole: what one resolver leaves is the next one's. */
struct connection {
	int      sock; /* to the resolver; -1: none */
	unsigned resolver; /* the next one */
	bool     connected, answered; /* answered: a question, by this resolver */
	bool     waits; /* for the container to read the answer */
	int64_t  deadline_ms; /* for the next sign of the resolver, or of the container that is waited for */
	uint8_t *asked; /* of which the resolver has been sent a part; STREAM_MAX each */
	size_t   asked_size, sent;
	uint8_t *told;  /* of which the container has been passed a part, once it is whole */
	size_t   told_size, passed;
};

struct port { /* what libslirp hands back to us */
	struct dns *dns;
	uint32_t    number;
};

struct dns {
	struct engine *engine;
	struct port ports[FRAME_PORTS];
	struct spec_address resolvers[ENGINE_RESOLVERS_MAX];
	size_t   resolvers_count;
	struct question questions[QUESTIONS];
	unsigned next; /* the one that makes room for another */
	size_t   open;
	struct connection connections[FRAME_PORTS];
	uint8_t  answer[65536];
};

/* Where the question ends that begins at @at; 0: nowhere. */
static size_t question_end(const uint8_t *bytes, size_t size)
{
	size_t at = HEADER;

	while (at < size && bytes[at] != 0) {
		if (bytes[at] > 63) /* a pointer: there is nothing before it to point to */
			return 0;
		at += (size_t)bytes[at] + 1;
	}
	return at + 5 <= size ? at + 5 : 0;
}

size_t dns_make_answer(const uint8_t *question, size_t size, unsigned flags, uint8_t *answer)
{
	if (size < HEADER || (question[2] & 0x80))
		return 0;
	size_t end = question[4] == 0 && question[5] == 1 ? question_end(question, size) : 0;
	bool   whole = end > 0;

	if (!whole)
		end = HEADER;
	memmove(answer, question, end);
	answer[2] = (uint8_t)((answer[2] & 0x79) | flags >> 8); /* the kind of question and RD stay */
	answer[3] = (uint8_t)(0x80 | (flags & 0x7f)); /* recursion is to be had */
	memset(answer + 4, 0, HEADER - 4);
	answer[5] = whole;
	return end;
}

static socklen_t address_of(const struct spec_address *resolver, struct sockaddr_storage *address)
{
	struct sockaddr_in  *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)resolver->family;
	if (resolver->family == AF_INET) {
		v4->sin_addr = resolver->v4;
		v4->sin_port = htons(53);
		return sizeof(*v4);
	}
	v6->sin6_addr = resolver->v6;
	v6->sin6_port = htons(53);
	return sizeof(*v6);
}

void dns_set_resolvers(struct dns *dns, const struct spec_address *resolvers, size_t count)
{
	dns->resolvers_count = count < ENGINE_RESOLVERS_MAX ? count : ENGINE_RESOLVERS_MAX;
	memcpy(dns->resolvers, resolvers, dns->resolvers_count * sizeof(*resolvers));
}

static void question_close(struct dns *dns, struct question *question)
{
	if (question->bytes != NULL)
		dns->open--;
	fd_close(&question->sock);
	free(question->bytes);
	question->bytes = NULL;
}

/* An answer for the container; one that does not fit asks it to come again by TCP. */
static void answer(struct dns *dns, const struct question *question, const uint8_t *bytes, size_t size)
{
	struct frame_datagram datagram = { .guest_port = question->guest_port, .bytes = bytes, .size = size };
	struct engine *engine = dns->engine;

	memcpy(datagram.guest_mac, question->guest_mac, sizeof(datagram.guest_mac));
	if (size + IP_AND_UDP > engine->config.if_mtu) {
		datagram.size = dns_make_answer(question->bytes, question->size, DNS_TRUNCATED, dns->answer);
		datagram.bytes = dns->answer;
	}
	size_t frame = datagram.size > 0 ? frame_make_datagram(&engine->rules, &datagram, engine->frame, sizeof(engine->frame)) : 0;
	if (frame > 0)
		engine_send(engine, engine->frame, frame);
}

static void fail(struct dns *dns, struct question *question)
{
	size_t size = dns_make_answer(question->bytes, question->size, DNS_SERVER_FAILURE, dns->answer);

	if (size > 0)
		answer(dns, question, dns->answer, size);
	question_close(dns, question);
}

/* Ask the next resolver, as long as there is one that was not asked often enough. */
static void try_next(struct dns *dns, struct question *question)
{
	struct sockaddr_storage address;

	while (question->tries < dns->resolvers_count * TRIES_EACH) {
		const struct spec_address *resolver = &dns->resolvers[question->tries++ % dns->resolvers_count];
		socklen_t size = address_of(resolver, &address);

		fd_close(&question->sock);
		question->sock = socket(resolver->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (question->sock >= 0 && connect(question->sock, (struct sockaddr *)&address, size) == 0 &&
		    send(question->sock, question->bytes, question->size, 0) == (ssize_t)question->size &&
		    engine_watch(dns->engine, question->sock, EPOLLIN, ENGINE_DNS_UDP, (uint32_t)(question - dns->questions)) == 0) {
			question->deadline_ms = engine_now_ms() + TRY_MS;
			return;
		}
	}
	fail(dns, question);
}

void dns_ask(struct dns *dns, const struct frame_datagram *datagram)
{
	struct question *question = &dns->questions[dns->next];

	if (datagram->size < HEADER || datagram->size > QUESTION_MAX || (datagram->bytes[2] & 0x80))
		return;
	dns->next = (dns->next + 1) % QUESTIONS;
	question_close(dns, question); /* the oldest one, of which nothing was heard */
	question->bytes = malloc(datagram->size);
	if (question->bytes == NULL)
		return;
	dns->open++;
	memcpy(question->bytes, datagram->bytes, datagram->size);
	memcpy(question->guest_mac, datagram->guest_mac, sizeof(question->guest_mac));
	question->size = datagram->size;
	question->guest_port = datagram->guest_port;
	question->tries = 0;
	try_next(dns, question);
}

void dns_udp_ready(struct dns *dns, uint32_t number)
{
	struct question *question = &dns->questions[number % QUESTIONS];

	if (question->sock < 0)
		return;
	ssize_t size = recv(question->sock, dns->answer, sizeof(dns->answer), 0);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size < 0) {
		try_next(dns, question);
		return;
	}
	/* Not the answer to this question: somebody else's. */
	if (size < HEADER || memcmp(dns->answer, question->bytes, 2) != 0 || !(dns->answer[2] & 0x80))
		return;
	answer(dns, question, dns->answer, (size_t)size);
	question_close(dns, question);
}

static void connection_close(struct connection *connection)
{
	fd_close(&connection->sock);
	free(connection->asked);
	free(connection->told);
	*connection = (struct connection){ .sock = -1 };
}

void dns_connection_new(struct dns *dns, uint32_t number)
{
	connection_close(&dns->connections[number % FRAME_PORTS]);
}

/* The size of the message that these bytes begin with, and its two bytes of length; 0: it is not whole. */
static size_t whole(const uint8_t *bytes, size_t size)
{
	size_t length = size >= 2 ? 2 + ((size_t)bytes[0] << 8 | bytes[1]) : SIZE_MAX;

	return length <= size ? length : 0;
}

static void forget(struct connection *connection, size_t at, size_t size)
{
	connection->asked_size -= size;
	connection->sent -= connection->sent < at + size ? connection->sent : size;
	memmove(connection->asked + at, connection->asked + at + size, connection->asked_size - at);
}

/* Answers come in any order: a question goes by its number. */
static void forget_answered(struct connection *connection)
{
	size_t size;

	for (size_t at = 0; (size = whole(connection->asked + at, connection->sent - at)) > 0; at += size) {
		if (size < 4 || connection->told_size < 4 || memcmp(connection->asked + at + 2, connection->told + 2, 2) != 0)
			continue;
		forget(connection, at, size);
		connection->answered = true;
		return;
	}
}

static void watch(struct dns *dns, struct connection *connection)
{
	uint32_t events = (connection->sent < connection->asked_size ? EPOLLOUT : 0) |
			  (connection->connected && !connection->waits ? EPOLLIN : 0);

	engine_watch(dns->engine, connection->sock, events, ENGINE_DNS_TCP, (uint32_t)(connection - dns->connections));
}

/* With nobody left to ask, dns_tick() says so to the container: here libslirp may be in the middle of a segment. */
static void connect_next(struct dns *dns, struct connection *connection)
{
	struct sockaddr_storage address;

	if (connection->answered) /* one that closes after each answer has more of them */
		connection->resolver--;
	connection->connected = connection->answered = false;
	connection->sent = 0;
	while (connection->resolver < dns->resolvers_count) {
		const struct spec_address *resolver = &dns->resolvers[connection->resolver++];
		socklen_t size = address_of(resolver, &address);

		fd_close(&connection->sock);
		connection->sock = socket(resolver->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connection->sock >= 0 &&
		    (connect(connection->sock, (struct sockaddr *)&address, size) == 0 || errno == EINPROGRESS)) {
			connection->deadline_ms = engine_now_ms() + STREAM_TRY_MS;
			watch(dns, connection);
			return;
		}
	}
	fd_close(&connection->sock);
}

/* The resolver is gone, or as good as that. */
static void lost(struct dns *dns, struct connection *connection)
{
	if (!connection->waits)
		connection->told_size = 0;
	if (connection->asked_size > 0)
		connect_next(dns, connection);
	else if (connection->waits)
		fd_close(&connection->sock);
	else
		connection_close(connection);
}

static void write_out(struct dns *dns, struct connection *connection)
{
	ssize_t sent = send(connection->sock, connection->asked + connection->sent, connection->asked_size - connection->sent,
			    MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		lost(dns, connection);
		return;
	}
	if (sent > 0) {
		connection->connected = true;
		connection->sent += (size_t)sent;
		connection->deadline_ms = engine_now_ms() + STREAM_TRY_MS;
	}
	watch(dns, connection);
}

/* libslirp's callback: bytes of the container's connection to this port. */
static ssize_t take(const void *bytes, size_t size, void *opaque)
{
	struct port *port = opaque;
	struct connection *connection = &port->dns->connections[port->number];

	if (connection->asked == NULL)
		connection->asked = malloc(STREAM_MAX);
	if (connection->told == NULL)
		connection->told = malloc(STREAM_MAX);
	if (connection->asked == NULL || connection->told == NULL || size > STREAM_MAX - connection->asked_size)
		return -1;
	memcpy(connection->asked + connection->asked_size, bytes, size);
	connection->asked_size += size;
	if (connection->sock < 0) {
		connection->resolver = 0;
		connect_next(port->dns, connection);
	} else {
		if (connection->sent == connection->asked_size - size) /* nothing was waited for before */
			connection->deadline_ms = engine_now_ms() + STREAM_TRY_MS;
		watch(port->dns, connection);
	}
	return (ssize_t)size;
}

static struct in_addr own_address(const struct dns *dns)
{
	return (struct in_addr){ htonl(dns->engine->rules.dns) };
}

/* Give libslirp of the answer what it has room for. */
static void pass(struct dns *dns, struct connection *connection)
{
	struct in_addr own = own_address(dns);
	int    port = FRAME_PORT_FIRST + (int)(connection - dns->connections);
	size_t room = slirp_socket_can_recv(dns->engine->slirp, own, port), size = connection->told_size - connection->passed;

	if (size > room)
		size = room;
	if (size > 0)
		slirp_socket_recv(dns->engine->slirp, own, port, connection->told + connection->passed, (int)size);
	connection->passed += size;
	bool waits = connection->passed < connection->told_size;
	if (size > 0 || !connection->waits)
		connection->deadline_ms = engine_now_ms() + (waits ? FRAME_PORT_IDLE_MS : STREAM_TRY_MS);
	connection->waits = waits;
	if (!waits)
		connection->told_size = connection->passed = 0;
}

static void read_in(struct dns *dns, struct connection *connection)
{
	size_t want = connection->told_size < 2 ? 2 : 2 + ((size_t)connection->told[0] << 8 | connection->told[1]);
	ssize_t size = recv(connection->sock, connection->told + connection->told_size, want - connection->told_size, 0);

	if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
		lost(dns, connection);
		return;
	}
	if (size > 0) {
		connection->told_size += (size_t)size;
		connection->deadline_ms = engine_now_ms() + STREAM_TRY_MS;
	}
	if (whole(connection->told, connection->told_size) > 0) {
		forget_answered(connection);
		pass(dns, connection);
	}
	watch(dns, connection);
}

void dns_tcp_ready(struct dns *dns, uint32_t number, uint32_t events)
{
	struct connection *connection = &dns->connections[number % FRAME_PORTS];

	if (connection->sock >= 0 && (events & (EPOLLOUT | EPOLLERR)) && connection->sent < connection->asked_size)
		write_out(dns, connection);
	if (connection->sock >= 0 && connection->connected && !connection->waits && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		read_in(dns, connection);
}

/* Nobody is left to ask. libslirp can't close such a connection; a failure is an answer, too. */
static void fail_asked(struct dns *dns, struct connection *connection)
{
	size_t size;

	while (!connection->waits && (size = whole(connection->asked, connection->asked_size)) > 0) {
		size_t made = dns_make_answer(connection->asked + 2, size - 2, DNS_SERVER_FAILURE, connection->told + 2);

		forget(connection, 0, size);
		if (made == 0)
			continue;
		connection->told[0] = (uint8_t)(made >> 8);
		connection->told[1] = (uint8_t)made;
		connection->told_size = made + 2;
		pass(dns, connection);
	}
}

static void connection_tick(struct dns *dns, struct connection *connection)
{
	if (connection->waits) {
		pass(dns, connection);
		if (connection->waits && connection->deadline_ms <= engine_now_ms()) { /* perhaps it has closed */
			connection_close(connection);
			return;
		}
		if (!connection->waits && connection->sock >= 0)
			watch(dns, connection);
	} else if (connection->sock >= 0 && connection->asked_size > 0 && connection->deadline_ms <= engine_now_ms()) {
		lost(dns, connection);
	}
	if (connection->sock < 0 && connection->asked_size > 0)
		fail_asked(dns, connection);
}

void dns_tick(struct dns *dns)
{
	int64_t now = dns->open > 0 ? engine_now_ms() : 0;

	for (int i = 0; i < QUESTIONS && dns->open > 0; i++)
		if (dns->questions[i].bytes != NULL && dns->questions[i].deadline_ms <= now)
			try_next(dns, &dns->questions[i]);
	for (int i = 0; i < FRAME_PORTS; i++)
		connection_tick(dns, &dns->connections[i]);
}

int dns_timeout(const struct dns *dns)
{
	bool waits = false, asks = dns->open > 0;

	for (int i = 0; i < FRAME_PORTS; i++) {
		waits |= dns->connections[i].waits;
		asks |= dns->connections[i].sock >= 0 && dns->connections[i].asked_size > 0;
	}
	return waits ? 20 : asks ? 200 : -1;
}

struct dns *dns_make(struct engine *engine)
{
	struct dns *dns = calloc(1, sizeof(*dns));

	if (dns == NULL)
		return NULL;
	dns->engine = engine;
	for (int i = 0; i < QUESTIONS; i++)
		dns->questions[i].sock = -1;
	for (uint32_t i = 0; i < FRAME_PORTS; i++) {
		struct in_addr own = own_address(dns);

		dns->connections[i].sock = -1;
		dns->ports[i] = (struct port){ dns, i };
		if (slirp_add_guestfwd(engine->slirp, take, &dns->ports[i], &own, FRAME_PORT_FIRST + (int)i) < 0) {
			free(dns);
			return NULL;
		}
	}
	return dns;
}
