/* fuzz_frame.c - frames as a container may craft them, through moss-slirp's filter into libslirp. Side: any.
 *
 * An input is frames, each with two bytes of length before it, big-endian; the highest bit of that leaves the checksums as
 * they are, else they are made right, so that libslirp looks further. It runs in a network namespace of its own, with a
 * listener on loopback; without one (no user namespaces) the filter alone is tried. */
#define _GNU_SOURCE
#include "replay.h"

#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <slirp/libslirp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "helpers/slirp/frame.h"

#define POLLS 64

static bool apart; /* in a network namespace of our own */
static struct frame_rules rules;
static struct frame_flows flows;
static struct pollfd polls[POLLS];
static int polls_count;

static ssize_t send_packet(const void *frame, size_t size, void *opaque)
{
	(void)opaque;
	promise(size <= FRAME_MAX);
	frame_see_outgoing(&rules, &flows, frame, size);
	frame_ports_restore(&rules, (uint8_t *)frame, size);
	return (ssize_t)size;
}

static int64_t clock_ns(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void guest_error(const char *text, void *opaque)
{
	(void)text, (void)opaque;
}

static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
	(void)callback, (void)callback_opaque;
	return opaque;
}

static void timer_free(void *timer, void *opaque)
{
	(void)timer, (void)opaque;
}

static void timer_mod(void *timer, int64_t expires, void *opaque)
{
	(void)timer, (void)expires, (void)opaque;
}

static void see_fd(int fd, void *opaque)
{
	(void)fd, (void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = { .send_packet = send_packet, .guest_error = guest_error, .clock_get_ns = clock_ns,
				   .timer_new = timer_new, .timer_free = timer_free, .timer_mod = timer_mod,
				   .register_poll_fd = see_fd, .unregister_poll_fd = see_fd, .notify = notify };

static int add_poll(int fd, int events, void *opaque)
{
	(void)opaque;
	if (polls_count == POLLS)
		return -1;
	polls[polls_count] = (struct pollfd){ .fd = fd, .events = (short)(((events & SLIRP_POLL_IN) ? POLLIN : 0) |
									   ((events & SLIRP_POLL_OUT) ? POLLOUT : 0)) };
	return polls_count++;
}

static int get_events(int index, void *opaque)
{
	short events = index < 0 ? 0 : polls[index].revents;

	(void)opaque;
	return ((events & POLLIN) ? SLIRP_POLL_IN : 0) | ((events & POLLOUT) ? SLIRP_POLL_OUT : 0) |
	       ((events & POLLHUP) ? SLIRP_POLL_HUP : 0) | ((events & POLLERR) ? SLIRP_POLL_ERR : 0);
}

static void turn(Slirp *slirp)
{
	uint32_t timeout = 0;

	polls_count = 0;
	slirp_pollfds_fill(slirp, &timeout, add_poll, NULL);
	poll(polls, (nfds_t)polls_count, 0);
	slirp_pollfds_poll(slirp, 0, get_events, NULL);
}

static void go_apart(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(80) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return;
	int any = socket(AF_INET, SOCK_DGRAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);
	promise(any >= 0 && ioctl(any, SIOCSIFFLAGS, &lo) == 0);
	promise(bind(listener, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(listener, 1000) == 0);
	apart = true;
}

static Slirp *make(void)
{
	SlirpConfig config = { .version = 4, .in_enabled = true, .in6_enabled = true, .vnetwork.s_addr = htonl(rules.network),
			       .vnetmask.s_addr = htonl(rules.mask), .vhost.s_addr = htonl(rules.gateway),
			       .vdhcp_start.s_addr = htonl(rules.guest), .vnameserver.s_addr = htonl(rules.network + 1),
			       .vprefix_addr6 = rules.prefix6, .vprefix_len = 64, .vhost6 = rules.gateway6, .vnameserver6 = rules.gateway6,
			       .if_mtu = 1500, .if_mru = 1500, .disable_dns = true, .disable_dhcp = true };

	return slirp_new(&config, &callbacks, NULL);
}

static unsigned sum(const uint8_t *bytes, size_t size, unsigned total)
{
	for (size_t i = 0; i < size; i++)
		total += i % 2 ? bytes[i] : (unsigned)bytes[i] << 8;
	return total;
}

static void put_sum(uint8_t *at, unsigned total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	at[0] = (uint8_t)(~total >> 8);
	at[1] = (uint8_t)~total;
}

/* Of a frame that the filter has taken apart: every length in it is true. */
static void make_sums_right(uint8_t *frame)
{
	uint8_t *ip = frame + FRAME_HEADER;
	bool     v6 = frame[12] == 0x86;
	size_t   header = v6 ? 40 : (size_t)(ip[0] & 15) * 4, width = v6 ? 16 : 4;
	size_t   size = (size_t)(ip[v6 ? 4 : 2] << 8 | ip[v6 ? 5 : 3]) - (v6 ? 0 : header);
	uint8_t  protocol = ip[v6 ? 6 : 9];
	size_t   at = protocol == IPPROTO_TCP ? 16 : protocol == IPPROTO_UDP ? 6 : 2;

	if (frame[12] == 0x08 && frame[13] == 0x06)
		return;
	if (!v6) {
		memset(ip + 10, 0, 2);
		put_sum(ip + 10, sum(ip, header, 0));
	}
	memset(ip + header + at, 0, 2);
	unsigned addresses = protocol == IPPROTO_ICMP ? 0 : sum(ip + (v6 ? 8 : 12), 2 * width, (unsigned)size + protocol);
	put_sum(ip + header + at, sum(ip + header, size, addresses));
}

static void give(Slirp *slirp, const uint8_t *bytes, size_t size, bool right)
{
	static struct frame_ports ports;
	uint8_t answer[FRAME_RESET_MAX], *frame = malloc(size + (size == 0)); /* so that a read past its end is seen */

	if (frame == NULL)
		return;
	memcpy(frame, bytes, size);
	enum frame_verdict verdict = frame_judge(&rules, &flows, frame, size);
	if (verdict == FRAME_REFUSE)
		promise(frame_make_reset(frame, answer) <= sizeof(answer));
	if (verdict == FRAME_DNS)
		promise(frame_datagram(frame).size < size);
	if (verdict == FRAME_DNS_TCP) {
		struct frame_turn turn = frame_ports_rewrite(&ports, frame, 0);

		promise(turn.port >= -1 && turn.port < FRAME_PORTS && turn.reset_size <= sizeof(turn.reset));
		if (turn.reset_size > 0 && slirp != NULL)
			slirp_input(slirp, turn.reset, (int)turn.reset_size);
		verdict = turn.port < 0 ? FRAME_DROP : verdict;
	}
	if ((verdict == FRAME_PASS || verdict == FRAME_DNS_TCP) && slirp != NULL) {
		if (right)
			make_sums_right(frame);
		slirp_input(slirp, frame, (int)size);
		turn(slirp);
	}
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool begun;
	struct spec_network network;
	struct error err;

	if (!begun)
		go_apart();
	begun = true;
	promise(spec_network_parse("slirp:host-loopback=on", &network, &err) == 0);
	frame_rules_make(&network, &rules);
	memset(&flows, 0, sizeof(flows));
	Slirp *slirp = apart ? make() : NULL;
	while (size >= 2) {
		size_t length = (size_t)((bytes[0] & 0x7f) << 8 | bytes[1]);
		bool   right = !(bytes[0] & 0x80);

		bytes += 2;
		size -= 2;
		length = length < size ? length : size;
		give(slirp, bytes, length, right);
		bytes += length;
		size -= length;
	}
	if (slirp != NULL) {
		turn(slirp);
		slirp_cleanup(slirp);
	}
	return 0;
}
