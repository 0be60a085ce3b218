/* engine.c - see engine.h. Side: helper. */
#define _GNU_SOURCE
#include "engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "dns.h"
#include "publish.h"

#define FRAMES_A_ROUND 64  /* of the container's, before the sockets get their turn */
#define EVENTS_A_ROUND 256
#define IDLE_MS 1000
#define FULL_MS 100        /* without new connections, when no file is left for one */
#define UNSENT_MAX (128 * 1024)
/* libslirp, whose window is 65535 bytes at most, tells of room in a full one once it is two segments more; a sender
 * that has less than a segment left waits for that, else for its own timer, 0.2 s. A third of the window does for both. */
#define SEGMENT_MTU 21880
#define TIMER_MS 50        /* libslirp's own clock: between two looks at its timers */

static int64_t now_ns(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t engine_now_ms(void)
{
	return now_ns(NULL) / 1000000;
}

static void guest_error(const char *text, void *opaque)
{
	(void)text, (void)opaque;
}

/* libslirp has one timer, of router advertisements, which no container is to see. */
static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
	(void)callback, (void)callback_opaque;
	return opaque;
}

static void timer_free(void *timer, void *opaque)
{
	(void)timer, (void)opaque;
}

static void timer_mod(void *timer, int64_t expires_ms, void *opaque)
{
	(void)timer, (void)expires_ms, (void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque; /* every round asks libslirp anew */
}

/* The fd is another socket from now on, of which epoll knows nothing. */
static void forget_fd(int fd, void *opaque)
{
	struct engine *engine = opaque;

	if (fd >= 0 && (size_t)fd < engine->sockets_room)
		engine->sockets[fd] = (struct engine_socket){ .round = engine->sockets[fd].round, .wanted = engine->sockets[fd].wanted };
}

/* What a peer does not read waits in libslirp, which counts against our limits, not in megabytes of the kernel's. */
static void new_fd(int fd, void *opaque)
{
	forget_fd(fd, opaque);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){ UNSENT_MAX }, sizeof(int)); /* one of UDP has none */
}

void engine_send(struct engine *engine, const uint8_t *frame, size_t size)
{
	while (write(engine->tap, frame, size) < 0 && errno == EINTR)
		;
}

static ssize_t send_packet(const void *bytes, size_t size, void *opaque)
{
	struct engine *engine = opaque;

	if (!frame_see_outgoing(&engine->rules, &engine->flows, bytes, size))
		return (ssize_t)size;
	frame_ports_restore(&engine->rules, (uint8_t *)bytes, size); /* libslirp is done with it */
	engine_send(engine, bytes, size);
	return (ssize_t)size;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = now_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = new_fd,
	.unregister_poll_fd = forget_fd,
	.notify = notify,
};

int engine_watch(struct engine *engine, int fd, uint32_t events, enum engine_source source, uint32_t number)
{
	struct epoll_event event = { .events = events, .data.u64 = (uint64_t)source << 32 | number };

	if (events == 0)
		return epoll_ctl(engine->epoll, EPOLL_CTL_DEL, fd, NULL);
	if (epoll_ctl(engine->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return errno == ENOENT ? epoll_ctl(engine->epoll, EPOLL_CTL_ADD, fd, &event) : -1;
}

static uint32_t to_epoll(int events)
{
	return ((events & SLIRP_POLL_IN) ? EPOLLIN : 0) | ((events & SLIRP_POLL_OUT) ? EPOLLOUT : 0) |
	       ((events & SLIRP_POLL_PRI) ? EPOLLPRI : 0) | ((events & SLIRP_POLL_ERR) ? EPOLLERR : 0) |
	       ((events & SLIRP_POLL_HUP) ? EPOLLHUP : 0);
}

static int from_epoll(uint32_t events)
{
	return ((events & EPOLLIN) ? SLIRP_POLL_IN : 0) | ((events & EPOLLOUT) ? SLIRP_POLL_OUT : 0) |
	       ((events & EPOLLPRI) ? SLIRP_POLL_PRI : 0) | ((events & EPOLLERR) ? SLIRP_POLL_ERR : 0) |
	       ((events & EPOLLHUP) ? SLIRP_POLL_HUP : 0);
}

static bool make_room(struct engine *engine, int fd)
{
	size_t room = engine->sockets_room;

	if ((size_t)fd < room)
		return true;
	while (room <= (size_t)fd)
		room = room * 2 + 64;
	struct engine_socket *sockets = realloc(engine->sockets, room * sizeof(*sockets));
	if (sockets == NULL)
		return false;
	memset(sockets + engine->sockets_room, 0, (room - engine->sockets_room) * sizeof(*sockets));
	engine->sockets = sockets;
	engine->sockets_room = room;
	return true;
}

static void watch_socket(struct engine *engine, int fd, uint32_t events)
{
	struct engine_socket *socket = &engine->sockets[fd];

	socket->events = engine_watch(engine, fd, events, ENGINE_SLIRP, (uint32_t)fd) == 0 ? events : 0;
}

static bool is_listening(struct engine_socket *socket, int fd)
{
	int listens = 0;

	if (!socket->known) /* once for each: this is asked for every event */
		socket->listens = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &(socklen_t){ sizeof(listens) }) == 0 && listens;
	socket->known = true;
	return socket->listens;
}

/* When no file is left, accept(2) fails, and the connection stays there for epoll to tell of without end. */
static bool find_full(struct engine *engine)
{
	fd_owned fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		engine->full_ms = engine->flows.now_ms;
	return fd < 0;
}

/* libslirp wants to know of @fd in this round. */
static int add_poll(int fd, int events, void *opaque)
{
	struct engine *engine = opaque;

	if (fd < 0 || !make_room(engine, fd))
		return -1;
	struct engine_socket *socket = &engine->sockets[fd];
	socket->round = engine->round;
	socket->ready = 0;
	socket->wanted = engine->full && is_listening(socket, fd) ? 0 : to_epoll(events);
	if (socket->wanted & ~socket->events)
		watch_socket(engine, fd, socket->wanted | socket->events);
	return fd;
}

/* epoll saw something at one of libslirp's sockets. Returns whether that is to be told. */
static bool see(struct engine *engine, uint32_t fd, uint32_t events)
{
	struct engine_socket *socket = &engine->sockets[fd];
	uint32_t wanted = socket->round == engine->round ? socket->wanted : 0;

	if (wanted == 0 || (events & ~(wanted | EPOLLHUP | EPOLLERR)))
		watch_socket(engine, (int)fd, wanted);
	if ((wanted & EPOLLIN) && !engine->full && (events & EPOLLIN) && is_listening(socket, (int)fd) && find_full(engine))
		engine->full = true;
	socket->ready = wanted != 0 ? events & (wanted | EPOLLHUP | EPOLLERR) : 0;
	return socket->ready != 0;
}

static int get_events(int index, void *opaque)
{
	struct engine *engine = opaque;

	return index < 0 ? 0 : from_epoll(engine->sockets[index].ready);
}

static void take_dns_segment(struct engine *engine, size_t size)
{
	struct frame_turn turn = frame_ports_rewrite(&engine->dns_ports, engine->frame, engine_now_ms());

	if (turn.reset_size > 0)
		slirp_input(engine->slirp, turn.reset, (int)turn.reset_size);
	if (turn.is_new)
		dns_connection_new(engine->dns, (uint32_t)turn.port);
	if (turn.port >= 0)
		slirp_input(engine->slirp, engine->frame, (int)size);
}

static void take_frame(struct engine *engine, size_t size)
{
	uint8_t answer[FRAME_RESET_MAX];

	switch (frame_judge(&engine->rules, &engine->flows, engine->frame, size)) {
	case FRAME_PASS:
		slirp_input(engine->slirp, engine->frame, (int)size);
		break;
	case FRAME_REFUSE:
		engine_send(engine, answer, frame_make_reset(engine->frame, answer));
		break;
	case FRAME_DNS: {
		struct frame_datagram datagram = frame_datagram(engine->frame);

		dns_ask(engine->dns, &datagram);
		break;
	}
	case FRAME_DNS_TCP:
		take_dns_segment(engine, size);
		break;
	case FRAME_DROP:
		break;
	}
}

/* False: the device is gone. */
static bool take_frames(struct engine *engine)
{
	for (int i = 0; i < FRAMES_A_ROUND; i++) {
		ssize_t size = read(engine->tap, engine->frame, sizeof(engine->frame));

		if (size < 0)
			return errno == EAGAIN || errno == EINTR;
		take_frame(engine, (size_t)size);
	}
	return true;
}

/* False: the process outside is gone. */
static bool take_update(struct engine *engine, int flags)
{
	static struct engine_update update;
	ssize_t size = recv(engine->updates, &update, sizeof(update), flags);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (size != sizeof(update) || update.host_count > FRAME_HOST_MAX)
		return false;
	engine->rules.host_count = update.host_count;
	memcpy(engine->rules.host, update.host, sizeof(update.host));
	dns_set_resolvers(engine->dns, update.resolvers, update.resolvers_count);
	return true;
}

static bool handle(struct engine *engine, const struct epoll_event *event, bool *ret_walk)
{
	uint32_t number = (uint32_t)event->data.u64;

	switch ((enum engine_source)(event->data.u64 >> 32)) {
	case ENGINE_SLIRP:
		*ret_walk |= number < engine->sockets_room && see(engine, number, event->events);
		return true;
	case ENGINE_TAP:
		return take_frames(engine);
	case ENGINE_UPDATES:
		return take_update(engine, MSG_DONTWAIT);
	case ENGINE_DNS_UDP:
		dns_udp_ready(engine->dns, number);
		return true;
	case ENGINE_DNS_TCP:
		dns_tcp_ready(engine->dns, number, event->events);
		return true;
	}
	return true;
}

static int round_of(struct engine *engine)
{
	struct epoll_event events[EVENTS_A_ROUND];
	uint32_t timeout = UINT32_MAX;

	engine->round++;
	engine->full &= engine_now_ms() - engine->full_ms < FULL_MS;
	slirp_pollfds_fill(engine->slirp, &timeout, add_poll, engine);
	/* A second is what it says when it waits for nothing. */
	int own = dns_timeout(engine->dns), wait = timeout >= IDLE_MS ? -1 : (int)timeout;
	if (wait < 0 || (own >= 0 && own < wait))
		wait = own;
	if (engine->full && (wait < 0 || wait > FULL_MS))
		wait = FULL_MS;
	int count = epoll_wait(engine->epoll, events, EVENTS_A_ROUND, wait);
	if (count < 0)
		return errno == EINTR ? 0 : -1;
	engine->flows.now_ms = engine_now_ms();
	bool walk = engine->flows.now_ms - engine->walked_ms >= TIMER_MS;
	/* The sockets first: a frame may close one, and its number be another's. */
	for (int tap = 0; tap <= 1; tap++) {
		for (int i = 0; i < count; i++)
			if ((events[i].data.u64 >> 32 == ENGINE_TAP) == tap && !handle(engine, &events[i], &walk))
				return -1;
		if (tap == 0 && walk) {
			slirp_pollfds_poll(engine->slirp, 0, get_events, engine);
			engine->walked_ms = engine_now_ms();
		}
	}
	dns_tick(engine->dns);
	return 0;
}

void engine_run(struct engine *engine, int tap, int updates)
{
	engine->tap = tap;
	engine->updates = updates;
	if (engine_watch(engine, tap, EPOLLIN, ENGINE_TAP, 0) < 0 || engine_watch(engine, updates, EPOLLIN, ENGINE_UPDATES, 0) < 0)
		return;
	/* Not a frame passes before it is known what is closed to them. */
	bool runs = take_update(engine, 0);
	while (runs && round_of(engine) == 0)
		;
}

/* outbound=IFACE: the first address of each kind that it has now. */
static int find_interface(const char *name, struct engine *engine, struct error *err)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return error_set(err, errno, "look for the host's addresses");
	for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		if (one->ifa_addr == NULL || strcmp(one->ifa_name, name) != 0)
			continue;
		if (one->ifa_addr->sa_family == AF_INET && engine->config.outbound_addr == NULL) {
			engine->outbound4 = *(struct sockaddr_in *)one->ifa_addr;
			engine->config.outbound_addr = &engine->outbound4;
		}
		if (one->ifa_addr->sa_family == AF_INET6 && engine->config.outbound_addr6 == NULL &&
		    !IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr)) {
			engine->outbound6 = *(struct sockaddr_in6 *)one->ifa_addr;
			engine->config.outbound_addr6 = &engine->outbound6;
		}
	}
	freeifaddrs(all);
	if (engine->config.outbound_addr != NULL || engine->config.outbound_addr6 != NULL)
		return 0;
	error_at(err, ENODEV, name, "slirp: outbound: no interface of the host with an address");
	return error_hint(err, "see ip address");
}

static int find_outbound(const struct spec_network *network, struct engine *engine, struct error *err)
{
	if (network->interface[0] != '\0')
		return find_interface(network->interface, engine, err);
	if (network->outbound.family == AF_INET) {
		engine->outbound4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = network->outbound.v4 };
		engine->config.outbound_addr = &engine->outbound4;
	} else if (network->outbound.family == AF_INET6) {
		engine->outbound6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = network->outbound.v6 };
		engine->config.outbound_addr6 = &engine->outbound6;
	}
	return 0;
}

static void configure(const struct spec_network *network, SlirpConfig *config)
{
	*config = (SlirpConfig){
		.version = 4,
		.in_enabled = true,
		.in6_enabled = network->ipv6,
		.vnetwork.s_addr = htonl(network->network),
		.vnetmask.s_addr = htonl(network->mask),
		.vhost.s_addr = htonl(network->gateway),
		.vdhcp_start.s_addr = htonl(network->guest),
		/* Nobody's: a port of our own can't be at libslirp's name server. */
		.vnameserver.s_addr = htonl(network->network + 1),
		.vprefix_len = 64,
		.if_mtu = network->mtu,
		.if_mru = network->mtu < SEGMENT_MTU ? network->mtu : SEGMENT_MTU, /* of TCP's segments alone */
		/* The way to the gateway is closed by our own rules, which let the answers of published ports through. */
		.disable_host_loopback = false,
		.disable_dns = true,
		.disable_dhcp = true,
	};
	inet_pton(AF_INET6, FRAME_PREFIX6, &config->vprefix_addr6);
	inet_pton(AF_INET6, FRAME_GATEWAY6, &config->vhost6);
	inet_pton(AF_INET6, FRAME_DNS6, &config->vnameserver6);
}

int engine_make(const struct settings *settings, struct engine **ret_engine, struct error *err)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (engine == NULL)
		return error_set(err, ENOMEM, "slirp");
	/* Every TCP socket has two buffers of 128 KiB. Each in a mapping of its own goes back to the kernel when
	 * it is closed; packets, of 64 KiB, are used again at once and stay in the heap. */
	mallopt(M_MMAP_THRESHOLD, 96 * 1024);
	mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
	mallopt(M_ARENA_MAX, 1);
	engine->tap = engine->updates = -1;
	engine->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (engine->epoll < 0)
		return error_set(err, errno, "epoll");
	frame_rules_make(&settings->network, &engine->rules);
	configure(&settings->network, &engine->config);
	if (find_outbound(&settings->network, engine, err) < 0)
		return -err->code;
	engine->slirp = slirp_new(&engine->config, &callbacks, engine);
	engine->dns = engine->slirp != NULL ? dns_make(engine) : NULL;
	if (engine->dns == NULL)
		return error_set(err, ENOMEM, "start libslirp");
	*ret_engine = engine;
	return publish_ports(engine->slirp, settings, err);
}
