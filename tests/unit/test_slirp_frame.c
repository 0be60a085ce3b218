/* test_slirp_frame.c - unit test; what of a container's frames passes (helpers/slirp/frame.h). Side: any. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "base/str.h"
#include "helpers/slirp/frame.h"

#define TCP 6
#define UDP 17
#define ICMP 1
#define ICMP6 58
#define SYN 0x02
#define ACK 0x10
#define URG 0x20

static struct frame_rules rules;
static struct frame_flows flows;
static uint8_t frame[2048];
static size_t  size;

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void rules_of(const char *text)
{
	struct spec_network network;
	struct error err;

	assert_int_equal(spec_network_parse(text, &network, &err), 0);
	frame_rules_make(&network, &rules);
	memset(&flows, 0, sizeof(flows));
	assert_true(spec_network_parse_address("192.0.2.10", &rules.host[0]));
	assert_true(spec_network_parse_address("2001:db8::10", &rules.host[1]));
	rules.host_count = 2;
}

/* A packet of IPv4 or IPv6, as the addresses are, with room for @payload bytes. */
static uint8_t *packet(const char *from, const char *to, int protocol, size_t payload)
{
	uint8_t *ip = frame + FRAME_HEADER;
	bool     v6 = strchr(to, ':') != NULL;

	memset(frame, 0, sizeof(frame));
	frame[0] = 0x52;
	frame[6] = 0x02;
	put16(frame + 12, v6 ? 0x86dd : 0x0800);
	ip[0] = v6 ? 0x60 : 0x45;
	put16(ip + (v6 ? 4 : 2), (unsigned)payload + (v6 ? 0 : 20));
	ip[v6 ? 6 : 9] = (uint8_t)protocol;
	ip[v6 ? 7 : 8] = 64;
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, from, ip + (v6 ? 8 : 12)), 1);
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, to, ip + (v6 ? 24 : 16)), 1);
	size = FRAME_HEADER + (v6 ? 40 : 20) + payload;
	return ip + (v6 ? 40 : 20);
}

static const char *guest_for(const char *to)
{
	return strchr(to, ':') != NULL ? FRAME_GUEST6 : "10.0.2.100";
}

static enum frame_verdict judged(void)
{
	return frame_judge(&rules, &flows, frame, size);
}

static enum frame_verdict tcp(const char *to, unsigned port, unsigned flags)
{
	uint8_t *segment = packet(guest_for(to), to, TCP, 20);

	put16(segment, 40000);
	put16(segment + 2, port);
	segment[12] = 0x50;
	segment[13] = (uint8_t)flags;
	return judged();
}

static enum frame_verdict udp(const char *to, unsigned port)
{
	uint8_t *datagram = packet(guest_for(to), to, UDP, 20);

	put16(datagram, 40000);
	put16(datagram + 2, port);
	put16(datagram + 4, 20);
	return judged();
}

static enum frame_verdict ping(const char *to)
{
	packet(guest_for(to), to, strchr(to, ':') ? ICMP6 : ICMP, 16)[0] = strchr(to, ':') ? 128 : 8;
	return judged();
}

static void the_world_is_open(void **state)
{
	(void)state;
	rules_of("slirp");
	assert_int_equal(tcp("198.51.100.1", 443, SYN), FRAME_PASS);
	assert_int_equal(udp("198.51.100.1", 443), FRAME_PASS);
	assert_int_equal(ping("198.51.100.1"), FRAME_PASS);
	assert_int_equal(tcp("2001:db8::1", 443, SYN), FRAME_PASS);
	assert_int_equal(udp("2001:db8::1", 443), FRAME_PASS);
	assert_int_equal(ping("2001:db8::1"), FRAME_PASS);
}

static void the_host_is_closed(void **state)
{
	static const char *const closed[] = { "10.0.2.2", "192.0.2.10", "fd00::2", "2001:db8::10" };

	(void)state;
	rules_of("slirp");
	for (size_t i = 0; i < array_size(closed); i++) {
		assert_int_equal(tcp(closed[i], 22, SYN), FRAME_REFUSE);
		assert_int_equal(udp(closed[i], 53), FRAME_DROP);
		/* Of a connection that came from there. */
		assert_int_equal(tcp(closed[i], 22, SYN | ACK), FRAME_PASS);
		assert_int_equal(tcp(closed[i], 22, ACK), FRAME_PASS);
	}
	assert_int_equal(ping("10.0.2.2"), FRAME_PASS); /* libslirp's own answer */
	assert_int_equal(ping("192.0.2.10"), FRAME_DROP);
	rules_of("slirp:host-loopback=on");
	for (size_t i = 0; i < array_size(closed); i++) {
		assert_int_equal(tcp(closed[i], 22, SYN), FRAME_PASS);
		assert_int_equal(udp(closed[i], 53), FRAME_PASS);
	}
}

static void nothing_leads_nowhere(void **state)
{
	static const char *const closed[] = { "127.0.0.1", "127.255.255.255", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1",
		"240.0.0.1", "169.254.169.254", "10.0.2.1", "10.0.2.77", "10.0.2.100", "10.0.2.255", "10.0.2.0",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:198.51.100.1", "::169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
		"64:ff9b::10.0.2.2", "2002:7f00:1::", "2002:a9fe:a9fe::1", "fe80::2", "ff02::1", "ff0e::1", "fd00::1", "fd00::3", "fd00::100",
		"fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe", "febf::1", "169.254.0.1", "169.254.170.2",
		"169.254.170.23", "169.254.255.255", "64:ff9b::169.254.170.2", "2002:a9fe:aa02::1" };

	(void)state;
	for (int open = 0; open <= 1; open++) {
		rules_of(open ? "slirp:host-loopback=on" : "slirp");
		for (size_t i = 0; i < array_size(closed); i++) {
			assert_int_equal(tcp(closed[i], 80, SYN), FRAME_REFUSE);
			assert_int_equal(tcp(closed[i], 80, ACK), FRAME_DROP);
			assert_int_equal(udp(closed[i], 80), FRAME_DROP);
			assert_int_equal(ping(closed[i]), FRAME_DROP);
		}
	}
	/* Beside them; and a network of the container's own there. */
	assert_int_equal(tcp("169.253.255.255", 80, SYN), FRAME_PASS);
	assert_int_equal(tcp("169.255.0.0", 80, SYN), FRAME_PASS);
	assert_int_equal(tcp("fd00:ec2::253", 80, SYN), FRAME_PASS);
	assert_int_equal(tcp("64:ff9b::198.51.100.1", 80, SYN), FRAME_PASS);
	assert_int_equal(tcp("2002:c633:6401::1", 80, SYN), FRAME_PASS);
}

static void servers_of_libslirps_own_are_not_reached(void **state)
{
	static const unsigned ports[] = { 67, 69, 547 };

	(void)state;
	rules_of("slirp:host-loopback=on");
	for (size_t i = 0; i < array_size(ports); i++) {
		assert_int_equal(udp("10.0.2.2", ports[i]), FRAME_DROP);
		assert_int_equal(udp("255.255.255.255", ports[i]), FRAME_DROP);
		assert_int_equal(udp("198.51.100.1", ports[i]), FRAME_DROP);
		assert_int_equal(udp("fd00::2", ports[i]), FRAME_DROP);
		assert_int_equal(udp("ff02::1:2", ports[i]), FRAME_DROP);
		assert_int_equal(udp("2001:db8::1", ports[i]), FRAME_DROP);
	}
	assert_int_equal(udp("10.0.2.2", 68), FRAME_PASS);
}

static void fragments_can_not_be_judged(void **state)
{
	(void)state;
	rules_of("slirp");
	assert_int_equal(udp("198.51.100.1", 443), FRAME_PASS);
	put16(frame + FRAME_HEADER + 6, 0x2000); /* more of them */
	assert_int_equal(judged(), FRAME_DROP);
	put16(frame + FRAME_HEADER + 6, 0x0001); /* not the first */
	assert_int_equal(judged(), FRAME_DROP);
	put16(frame + FRAME_HEADER + 6, 0x8000); /* reserved */
	assert_int_equal(judged(), FRAME_DROP);
	put16(frame + FRAME_HEADER + 6, 0x4000); /* don't */
	assert_int_equal(judged(), FRAME_PASS);
	udp("2001:db8::1", 443);
	frame[FRAME_HEADER + 6] = 44; /* the header of IPv6 for them */
	assert_int_equal(judged(), FRAME_DROP);
	frame[FRAME_HEADER + 6] = 0; /* hop-by-hop options */
	assert_int_equal(judged(), FRAME_DROP);
}

static void lengths_must_be_true(void **state)
{
	(void)state;
	rules_of("slirp");
	for (int v6 = 0; v6 <= 1; v6++) {
		const char *to = v6 ? "2001:db8::1" : "198.51.100.1";

		assert_int_equal(tcp(to, 443, SYN), FRAME_PASS);
		for (size--; size > 0; size--)
			assert_int_equal(judged(), FRAME_DROP);
		(void)tcp(to, 443, SYN);
		put16(frame + FRAME_HEADER + (v6 ? 4 : 2), 2000);
		assert_int_equal(judged(), FRAME_DROP);
		(void)udp(to, 443);
		put16(frame + FRAME_HEADER + (v6 ? 40 : 20) + 4, 21); /* more than there is */
		assert_int_equal(judged(), FRAME_DROP);
		put16(frame + FRAME_HEADER + (v6 ? 40 : 20) + 4, 7); /* not even the header */
		assert_int_equal(judged(), FRAME_DROP);
		(void)tcp(to, 443, SYN);
		frame[FRAME_HEADER + (v6 ? 40 : 20) + 12] = 0x40;
		assert_int_equal(judged(), FRAME_DROP);
		frame[FRAME_HEADER + (v6 ? 40 : 20) + 12] = 0x60;
		assert_int_equal(judged(), FRAME_DROP);
	}
	(void)tcp("198.51.100.1", 443, SYN);
	frame[FRAME_HEADER] = 0x44;
	assert_int_equal(judged(), FRAME_DROP);
	frame[FRAME_HEADER] = 0x65;
	assert_int_equal(judged(), FRAME_DROP);
}

static void urgent_pointers_point_into_the_segment(void **state)
{
	(void)state;
	rules_of("slirp");
	(void)tcp("198.51.100.1", 23, ACK | URG);
	put16(frame + FRAME_HEADER + 20 + 18, 1);
	assert_int_equal(judged(), FRAME_DROP);
	put16(frame + FRAME_HEADER + 20 + 18, 0);
	assert_int_equal(judged(), FRAME_PASS);
}

static void only_the_container_speaks(void **state)
{
	(void)state;
	rules_of("slirp");
	packet("10.0.2.101", "198.51.100.1", ICMP, 16)[0] = 8;
	assert_int_equal(judged(), FRAME_DROP);
	packet("fd00::101", "2001:db8::1", ICMP6, 16)[0] = 128;
	assert_int_equal(judged(), FRAME_DROP);
	packet("10.0.2.100", "198.51.100.1", 132, 16); /* SCTP */
	assert_int_equal(judged(), FRAME_DROP);
	packet("10.0.2.100", "198.51.100.1", ICMP, 16)[0] = 5; /* a redirect */
	assert_int_equal(judged(), FRAME_DROP);
	put16(frame + 12, 0x88f8); /* NC-SI, which libslirp speaks */
	assert_int_equal(judged(), FRAME_DROP);
}

static void without_ipv6_there_is_none(void **state)
{
	(void)state;
	rules_of("slirp:ipv6=off");
	assert_int_equal(tcp("2001:db8::1", 443, SYN), FRAME_DROP);
	packet("fe80::1", "ff02::1:ff00:2", ICMP6, 24)[0] = 135;
	assert_int_equal(judged(), FRAME_DROP);
	rules_of("slirp");
	packet("fe80::1", "ff02::1:ff00:2", ICMP6, 24)[0] = 135;
	assert_int_equal(judged(), FRAME_PASS);
	packet("fe80::1", "ff02::2", ICMP6, 24)[0] = 133; /* a router solicitation */
	assert_int_equal(judged(), FRAME_DROP);
}

static void arp(void **state)
{
	static const uint8_t request[] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 100, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2 };

	(void)state;
	rules_of("slirp");
	memset(frame, 0, sizeof(frame));
	put16(frame + 12, 0x0806);
	memcpy(frame + FRAME_HEADER, request, sizeof(request));
	size = FRAME_HEADER + sizeof(request);
	assert_int_equal(judged(), FRAME_PASS);
	size--;
	assert_int_equal(judged(), FRAME_DROP);
	size++;
	frame[FRAME_HEADER + 17] = 101; /* another's address */
	assert_int_equal(judged(), FRAME_DROP);
	memset(frame + FRAME_HEADER + 14, 0, 4);
	assert_int_equal(judged(), FRAME_PASS);
	frame[FRAME_HEADER + 7] = 3;
	assert_int_equal(judged(), FRAME_DROP);
}

/* A datagram of libslirp's to the container. */
static void comes_in(const char *from, unsigned from_port, unsigned to_port)
{
	uint8_t *datagram = packet(from, strchr(from, ':') ? FRAME_GUEST6 : "10.0.2.100", UDP, 20);

	put16(datagram, from_port);
	put16(datagram + 2, to_port);
	put16(datagram + 4, 20);
	assert_true(frame_see_outgoing(&rules, &flows, frame, size));
}

static void answers_of_published_ports_pass(void **state)
{
	static const char *const peers[] = { "10.0.2.2", "192.0.2.10", "fd00::2", "2001:db8::10" };

	(void)state;
	rules_of("slirp");
	for (size_t i = 0; i < array_size(peers); i++) {
		comes_in(peers[i], 5000, 40000);
		assert_int_equal(udp(peers[i], 5000), FRAME_PASS); /* from port 40000 */
		assert_int_equal(udp(peers[i], 5001), FRAME_DROP);
		comes_in(peers[i], 5001, 40001);
		assert_int_equal(udp(peers[i], 5001), FRAME_DROP);
	}
}

static void their_way_closes_when_the_host_is_silent(void **state)
{
	(void)state;
	rules_of("slirp");
	flows.now_ms = 1000000;
	comes_in("10.0.2.2", 5000, 40000);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(udp("10.0.2.2", 5000), FRAME_PASS);
		flows.now_ms += 10000;
	}
	assert_int_equal(udp("10.0.2.2", 5000), FRAME_PASS);
	flows.now_ms++; /* what the container sends did not keep it open */
	assert_int_equal(udp("10.0.2.2", 5000), FRAME_DROP);
	comes_in("10.0.2.2", 5000, 40000);
	assert_int_equal(udp("10.0.2.2", 5000), FRAME_PASS);
}

/* A datagram above the MTU, in pieces: the first one has the ports, the others have not. */
static void pieces_open_a_way_once(void **state)
{
	uint8_t *datagram = packet("10.0.2.2", "10.0.2.100", UDP, 1480);

	(void)state;
	rules_of("slirp");
	put16(datagram, 5000);
	put16(datagram + 2, 40000);
	put16(datagram + 4, 3000);
	put16(frame + FRAME_HEADER + 6, 185);
	assert_true(frame_see_outgoing(&rules, &flows, frame, size));
	assert_int_equal(udp("10.0.2.2", 5000), FRAME_DROP);
	datagram = packet("10.0.2.2", "10.0.2.100", UDP, 1480);
	put16(datagram, 5000);
	put16(datagram + 2, 40000);
	put16(datagram + 4, 3000);
	put16(frame + FRAME_HEADER + 6, 0x2000);
	assert_true(frame_see_outgoing(&rules, &flows, frame, size));
	assert_int_equal(udp("10.0.2.2", 5000), FRAME_PASS);
}

static void router_advertisements_are_not_shown(void **state)
{
	(void)state;
	rules_of("slirp");
	packet("fe80::2", "ff02::1", ICMP6, 16)[0] = 134;
	assert_false(frame_see_outgoing(&rules, &flows, frame, size));
	frame[FRAME_HEADER + 40] = 136;
	assert_true(frame_see_outgoing(&rules, &flows, frame, size));
}

/* The sum that a right checksum leaves, over addresses, payload, length and protocol. */
static unsigned sum(const uint8_t *addresses, size_t addresses_size, const uint8_t *payload, size_t payload_size, unsigned protocol)
{
	unsigned total = protocol + (unsigned)payload_size;

	for (size_t i = 0; i < addresses_size; i += 2)
		total += (unsigned)addresses[i] << 8 | addresses[i + 1];
	for (size_t i = 0; i < payload_size; i++)
		total += i % 2 ? payload[i] : (unsigned)payload[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

static void a_refusal_is_a_reset(void **state)
{
	uint8_t answer[FRAME_RESET_MAX];

	(void)state;
	rules_of("slirp");
	for (int v6 = 0; v6 <= 1; v6++) {
		const char *to = v6 ? "fd00::2" : "10.0.2.2";
		size_t ip = v6 ? 40 : 20, width = v6 ? 16 : 4;

		assert_int_equal(tcp(to, 22, SYN), FRAME_REFUSE);
		put16(frame + FRAME_HEADER + ip + 6, 0x1234);
		assert_int_equal(frame_make_reset(frame, answer), FRAME_HEADER + ip + 20);
		uint8_t *segment = answer + FRAME_HEADER + ip, *addresses = segment - 2 * width;
		assert_memory_equal(addresses, frame + FRAME_HEADER + ip - width, width);
		assert_memory_equal(addresses + width, frame + FRAME_HEADER + ip - 2 * width, width);
		assert_memory_equal(answer, frame + 6, 6);
		assert_int_equal(segment[13], 0x14);
		assert_int_equal(segment[1], 22);
		assert_int_equal(segment[10] << 8 | segment[11], 0x1235); /* what came, and the SYN */
		assert_int_equal(sum(addresses, 2 * width, segment, 20, TCP), 0xffff);
		if (!v6)
			assert_int_equal(sum(NULL, 0, answer + FRAME_HEADER, 20, -20u), 0xffff); /* without its length */
	}
}

static void questions_go_to_our_resolver(void **state)
{
	static const uint8_t bytes[] = "an answer";
	uint8_t out[256];

	(void)state;
	rules_of("slirp");
	assert_int_equal(udp("10.0.2.3", 53), FRAME_DNS);
	assert_int_equal(udp("10.0.2.3", 54), FRAME_DROP);
	assert_int_equal(ping("10.0.2.3"), FRAME_DROP);
	(void)udp("10.0.2.3", 53);
	struct frame_datagram datagram = frame_datagram(frame);
	assert_int_equal(datagram.guest_port, 40000);
	assert_int_equal(datagram.size, 12);
	assert_memory_equal(datagram.guest_mac, frame + 6, 6);
	datagram.bytes = bytes;
	datagram.size = sizeof(bytes);
	assert_int_equal(frame_make_datagram(&rules, &datagram, out, 41), 0);
	assert_int_equal(frame_make_datagram(&rules, &datagram, out, sizeof(out)), FRAME_HEADER + 28 + sizeof(bytes));
	assert_memory_equal(out, frame + 6, 6);
	assert_memory_equal(out + FRAME_HEADER + 12, ((uint8_t[]){ 10, 0, 2, 3, 10, 0, 2, 100 }), 8);
	assert_int_equal(sum(out + FRAME_HEADER + 12, 8, out + FRAME_HEADER + 20, 8 + sizeof(bytes), UDP), 0xffff);
	assert_memory_equal(out + FRAME_HEADER + 28, bytes, sizeof(bytes));
}

/* A segment of the container's from @port to our resolver; with a right checksum. */
static struct frame_turn rewritten(struct frame_ports *ports, unsigned port, unsigned flags, int64_t now)
{
	uint8_t *segment = frame + FRAME_HEADER + 20;

	assert_int_equal(tcp("10.0.2.3", 53, flags), FRAME_DNS_TCP);
	put16(segment, port);
	put16(segment + 6, 700);
	put16(segment + 16, ~sum(frame + FRAME_HEADER + 12, 8, segment, 20, TCP) & 0xffff);
	return frame_ports_rewrite(ports, frame, now);
}

static void each_connection_has_a_port_of_its_own(void **state)
{
	struct frame_ports ports = { 0 };
	uint8_t *segment = frame + FRAME_HEADER + 20;

	(void)state;
	rules_of("slirp");
	assert_int_equal(rewritten(&ports, 1000, ACK, 0).port, -1); /* of none */
	for (int i = 0; i < FRAME_PORTS; i++) {
		struct frame_turn turn = rewritten(&ports, 1000 + (unsigned)i, SYN, 0);

		assert_int_equal(turn.port, i);
		assert_true(turn.is_new);
		assert_int_equal(turn.reset_size, 0);
		assert_int_equal(segment[2] << 8 | segment[3], FRAME_PORT_FIRST + i);
		assert_int_equal(sum(frame + FRAME_HEADER + 12, 8, segment, 20, TCP), 0xffff);
	}
	assert_int_equal(rewritten(&ports, 2000, SYN, 100).port, -1); /* all are taken */
	assert_int_equal(rewritten(&ports, 1003, ACK, 200).port, 3);
	assert_false(rewritten(&ports, 1003, ACK, 200).is_new);
	assert_int_equal(rewritten(&ports, 2000, SYN, FRAME_PORT_IDLE_MS + 100).port, 0); /* nothing was heard for long */
	/* What comes back is from port 53 again. */
	packet("10.0.2.3", "10.0.2.100", TCP, 20);
	put16(segment, FRAME_PORT_FIRST + 3);
	segment[12] = 0x50;
	put16(segment + 16, ~sum(frame + FRAME_HEADER + 12, 8, segment, 20, TCP) & 0xffff);
	frame_ports_restore(&rules, frame, size);
	assert_int_equal(segment[0] << 8 | segment[1], 53);
	assert_int_equal(sum(frame + FRAME_HEADER + 12, 8, segment, 20, TCP), 0xffff);
}

static void who_had_the_port_is_forgotten(void **state)
{
	struct frame_ports ports = { 0 };

	(void)state;
	rules_of("slirp");
	for (unsigned i = 0; i < FRAME_PORTS; i++)
		assert_int_equal(rewritten(&ports, 1000 + i, SYN, 0).port, i);
	assert_int_equal(rewritten(&ports, 1005, ACK | 1, 300).port, 5); /* FIN */
	struct frame_turn turn = rewritten(&ports, 2000, SYN, 400);
	assert_int_equal(turn.port, 5);
	assert_true(turn.is_new);
	assert_int_equal(turn.reset_size, FRAME_HEADER + 40);
	uint8_t *segment = turn.reset + FRAME_HEADER + 20;
	assert_int_equal(segment[0] << 8 | segment[1], 1005);
	assert_int_equal(segment[2] << 8 | segment[3], FRAME_PORT_FIRST + 5);
	assert_int_equal(segment[6] << 8 | segment[7], 701); /* behind the FIN */
	assert_int_equal(segment[13], 0x04);
	assert_int_equal(sum(turn.reset + FRAME_HEADER + 12, 8, segment, 20, TCP), 0xffff);
	assert_memory_equal(turn.reset + FRAME_HEADER + 12, frame + FRAME_HEADER + 12, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_world_is_open),
		cmocka_unit_test(the_host_is_closed),
		cmocka_unit_test(nothing_leads_nowhere),
		cmocka_unit_test(servers_of_libslirps_own_are_not_reached),
		cmocka_unit_test(fragments_can_not_be_judged),
		cmocka_unit_test(lengths_must_be_true),
		cmocka_unit_test(urgent_pointers_point_into_the_segment),
		cmocka_unit_test(only_the_container_speaks),
		cmocka_unit_test(without_ipv6_there_is_none),
		cmocka_unit_test(arp),
		cmocka_unit_test(answers_of_published_ports_pass),
		cmocka_unit_test(their_way_closes_when_the_host_is_silent),
		cmocka_unit_test(pieces_open_a_way_once),
		cmocka_unit_test(router_advertisements_are_not_shown),
		cmocka_unit_test(a_refusal_is_a_reset),
		cmocka_unit_test(questions_go_to_our_resolver),
		cmocka_unit_test(each_connection_has_a_port_of_its_own),
		cmocka_unit_test(who_had_the_port_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
