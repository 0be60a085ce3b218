/* frame.c - see frame.h. Side: helper. */
#define _GNU_SOURCE
#include "frame.h"

#include <arpa/inet.h>
#include <string.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define ARP_SIZE 28
#define LINK_LOCAL 0xa9fe0000u /* 169.254.0.0/16: what clouds tell their machines is there, secrets among it */
#define METADATA 0xa9fea9feu

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10
#define TCP_URG 0x20

#define ICMP_ECHO 8
#define ICMP6_ECHO 128
#define ICMP6_ROUTER_ADVERTISEMENT 134
#define ICMP6_NEIGHBOUR_SOLICITATION 135
#define ICMP6_NEIGHBOUR_ADVERTISEMENT 136

/* A packet, taken apart; every length in it is checked. */
struct packet {
	const uint8_t *payload; /* the header of TCP, UDP or ICMP */
	size_t   size;          /* from there on */
	uint8_t  protocol;
	uint32_t to4;           /* IPv4: host byte order */
	struct in6_addr from, to; /* IPv4 as ::ffff:a.b.c.d */
	bool     v6;
};

/* What is reached at an address. */
enum place {
	PLACE_NOWHERE, /* nothing may go there */
	PLACE_WORLD,
	PLACE_DNS,     /* our resolver */
	PLACE_HOST,    /* closed unless host-loopback is on */
	PLACE_GATEWAY, /* likewise; but it is libslirp that answers a ping */
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)(value >> 16));
	put16(at + 2, (uint16_t)value);
}

void frame_rules_make(const struct spec_network *network, struct frame_rules *ret_rules)
{
	memset(ret_rules, 0, sizeof(*ret_rules));
	ret_rules->network = network->network;
	ret_rules->mask = network->mask;
	ret_rules->gateway = network->gateway;
	ret_rules->dns = network->dns;
	ret_rules->guest = network->guest;
	ret_rules->ipv6 = network->ipv6;
	ret_rules->host_loopback = network->host_loopback;
	inet_pton(AF_INET6, FRAME_PREFIX6, &ret_rules->prefix6);
	inet_pton(AF_INET6, FRAME_GATEWAY6, &ret_rules->gateway6);
	inet_pton(AF_INET6, FRAME_GUEST6, &ret_rules->guest6);
}

static struct in6_addr mapped(uint32_t address)
{
	struct in6_addr all = { .s6_addr = { [10] = 0xff, 0xff } };

	put32(&all.s6_addr[12], address);
	return all;
}

static bool same(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_of_host4(const struct frame_rules *rules, uint32_t address)
{
	for (size_t i = 0; i < rules->host_count; i++)
		if (rules->host[i].family == AF_INET && ntohl(rules->host[i].v4.s_addr) == address)
			return true;
	return false;
}

static bool is_of_host6(const struct frame_rules *rules, const struct in6_addr *address)
{
	for (size_t i = 0; i < rules->host_count; i++)
		if (rules->host[i].family == AF_INET6 && same(&rules->host[i].v6, address))
			return true;
	return false;
}

static enum place place_of4(const struct frame_rules *rules, uint32_t to)
{
	uint32_t first = to >> 24;

	/* libslirp would connect to 127.0.0.1 as it is told. */
	if (first == 0 || first == 127 || first >= 224 || to == METADATA)
		return PLACE_NOWHERE;
	if (to == rules->gateway)
		return PLACE_GATEWAY;
	if (to == rules->dns)
		return PLACE_DNS;
	if ((to & rules->mask) == rules->network || (to & 0xffff0000) == LINK_LOCAL)
		return PLACE_NOWHERE;
	return is_of_host4(rules, to) ? PLACE_HOST : PLACE_WORLD;
}

/* The addresses at which clouds tell their machines the same by IPv6. */
static bool is_metadata6(const struct in6_addr *to)
{
	static const uint8_t all[][16] = {
		{ 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 }, /* fd00:ec2::254 */
		{ 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23 },       /* fd00:ec2::23 */
		{ 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54 }, /* fd20:ce::254 */
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (memcmp(to, all[i], sizeof(*to)) == 0)
			return true;
	return false;
}

static enum place place_of6(const struct frame_rules *rules, const struct in6_addr *to)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (is_metadata6(to) || to->s6_addr[0] == 0xff || (to->s6_addr[0] == 0xfe && (to->s6_addr[1] & 0xc0) == 0x80))
		return PLACE_NOWHERE;
	if (same(to, &rules->gateway6))
		return PLACE_GATEWAY;
	if (memcmp(to, &rules->prefix6, 8) == 0)
		return PLACE_NOWHERE;
	/* Addresses that stand for one of IPv4 lead where that does. */
	if (memcmp(to, nat64, sizeof(nat64)) == 0)
		return place_of4(rules, get32(&to->s6_addr[12])) == PLACE_WORLD ? PLACE_WORLD : PLACE_NOWHERE;
	if (get16(to->s6_addr) == 0x2002)
		return place_of4(rules, get32(&to->s6_addr[2])) == PLACE_WORLD ? PLACE_WORLD : PLACE_NOWHERE;
	if (to->s6_addr[0] == 0) /* ::1, ::ffff:a.b.c.d and others of no network */
		return PLACE_NOWHERE;
	return is_of_host6(rules, to) ? PLACE_HOST : PLACE_WORLD;
}

/* In the third word of a header of IPv4: all but "don't fragment" (the reserved bit, more fragments, not the first one); and
 * all but this and "more fragments". */
#define WHOLE 0xbfff
#define FIRST 0x9fff

static bool parse4(const uint8_t *at, size_t size, uint16_t unwanted, struct packet *packet)
{
	if (size < IPV4_HEADER)
		return false;
	size_t header = (size_t)(at[0] & 15) * 4, total = get16(at + 2);

	if (at[0] >> 4 != 4 || header < IPV4_HEADER || total < header || total > size || (get16(at + 6) & unwanted) != 0)
		return false;
	*packet = (struct packet){ .payload = at + header, .size = total - header, .protocol = at[9],
				   .from = mapped(get32(at + 12)), .to4 = get32(at + 16), .to = mapped(get32(at + 16)) };
	return true;
}

/* Without extension headers: of those libslirp knows none. */
static bool parse6(const uint8_t *at, size_t size, struct packet *packet)
{
	if (size < IPV6_HEADER)
		return false;
	size_t payload = get16(at + 4);

	if (at[0] >> 4 != 6 || payload > size - IPV6_HEADER)
		return false;
	*packet = (struct packet){ .payload = at + IPV6_HEADER, .size = payload, .protocol = at[6], .v6 = true };
	memcpy(&packet->from, at + 8, sizeof(packet->from));
	memcpy(&packet->to, at + 24, sizeof(packet->to));
	return true;
}

static bool parse_but(const uint8_t *frame, size_t size, uint16_t unwanted, struct packet *packet)
{
	if (size < FRAME_HEADER)
		return false;
	if (get16(frame + 12) == ETHERTYPE_IPV4)
		return parse4(frame + FRAME_HEADER, size - FRAME_HEADER, unwanted, packet);
	return get16(frame + 12) == ETHERTYPE_IPV6 && parse6(frame + FRAME_HEADER, size - FRAME_HEADER, packet);
}

static bool parse(const uint8_t *frame, size_t size, struct packet *packet)
{
	return parse_but(frame, size, WHOLE, packet);
}

static enum frame_verdict judge_arp(const struct frame_rules *rules, const uint8_t *at, size_t size)
{
	static const uint8_t ethernet[] = { 0, 1, 8, 0, 6, 4, 0 };

	if (size < ARP_SIZE || memcmp(at, ethernet, sizeof(ethernet)) != 0 || at[7] < 1 || at[7] > 2)
		return FRAME_DROP;
	/* 0: the kernel asks whether somebody has its address already. */
	uint32_t from = get32(at + 14);
	return from == rules->guest || from == 0 ? FRAME_PASS : FRAME_DROP;
}

static enum frame_verdict judge_tcp(const struct frame_rules *rules, const struct packet *packet, enum place place)
{
	if (packet->size < TCP_HEADER)
		return FRAME_DROP;
	size_t  header = (size_t)(packet->payload[12] >> 4) * 4;
	uint8_t flags = packet->payload[13];
	bool    opens = (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;

	if (header < TCP_HEADER || header > packet->size)
		return FRAME_DROP;
	/* CVE-2026-9539: an urgent pointer behind the data. */
	if ((flags & TCP_URG) && get16(packet->payload + 18) > packet->size - header)
		return FRAME_DROP;
	if (place == PLACE_DNS)
		return get16(packet->payload + 2) == 53 ? FRAME_DNS_TCP : opens ? FRAME_REFUSE : FRAME_DROP;
	/* A connection that came in at a published port may be from there, and is answered. */
	if (place == PLACE_HOST || place == PLACE_GATEWAY)
		return opens && !rules->host_loopback ? FRAME_REFUSE : FRAME_PASS;
	return place == PLACE_WORLD ? FRAME_PASS : opens ? FRAME_REFUSE : FRAME_DROP;
}

static struct frame_flow *flow_at(const struct frame_flows *flows, const struct in6_addr *peer, uint16_t peer_port,
				  uint16_t guest_port)
{
	uint32_t hash = (uint32_t)peer_port * 31 + guest_port + get32(&peer->s6_addr[12]) * 7;

	return (struct frame_flow *)&flows->flows[hash & (FRAME_FLOWS - 1)];
}

static bool is_answer(const struct frame_flows *flows, const struct packet *packet)
{
	uint16_t from = get16(packet->payload), to = get16(packet->payload + 2);
	const struct frame_flow *flow = flow_at(flows, &packet->to, to, from);

	return flow->guest_port == from && flow->peer_port == to && same(&flow->peer, &packet->to) &&
	       flows->now_ms - flow->seen_ms <= FRAME_FLOW_MS;
}

static enum frame_verdict judge_udp(const struct frame_rules *rules, const struct frame_flows *flows, const struct packet *packet,
				    enum place place)
{
	if (packet->size < UDP_HEADER)
		return FRAME_DROP;
	uint16_t to = get16(packet->payload + 2), length = get16(packet->payload + 4);

	/* libslirp has servers of DHCP, TFTP and DHCPv6 that can't be switched off. */
	if (length < UDP_HEADER || length > packet->size || to == 67 || to == 69 || to == 547)
		return FRAME_DROP;
	if (place == PLACE_DNS)
		return to == 53 ? FRAME_DNS : FRAME_DROP;
	if (place == PLACE_HOST || place == PLACE_GATEWAY)
		return rules->host_loopback || is_answer(flows, packet) ? FRAME_PASS : FRAME_DROP;
	return place == PLACE_WORLD ? FRAME_PASS : FRAME_DROP;
}

static enum frame_verdict judge_packet(const struct frame_rules *rules, const struct frame_flows *flows, const struct packet *packet)
{
	enum place place = packet->v6 ? place_of6(rules, &packet->to) : place_of4(rules, packet->to4);
	uint8_t echo = packet->v6 ? ICMP6_ECHO : ICMP_ECHO;

	if (packet->protocol == IPPROTO_TCP)
		return judge_tcp(rules, packet, place);
	if (packet->protocol == IPPROTO_UDP)
		return judge_udp(rules, flows, packet, place);
	if (packet->protocol != (packet->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) || packet->size < 8 || packet->payload[0] != echo)
		return FRAME_DROP;
	return place == PLACE_WORLD || place == PLACE_GATEWAY || (place == PLACE_HOST && rules->host_loopback) ? FRAME_PASS : FRAME_DROP;
}

/* Who has this address of IPv6? Asked from an address that is not ours yet, to a group, or to libslirp's own ones. */
static bool is_neighbour_talk(const struct packet *packet)
{
	return packet->v6 && packet->protocol == IPPROTO_ICMPV6 && packet->size >= 24 &&
	       (packet->payload[0] == ICMP6_NEIGHBOUR_SOLICITATION || packet->payload[0] == ICMP6_NEIGHBOUR_ADVERTISEMENT);
}

enum frame_verdict frame_judge(const struct frame_rules *rules, const struct frame_flows *flows, const uint8_t *frame, size_t size)
{
	struct packet packet;

	if (size >= FRAME_HEADER && get16(frame + 12) == ETHERTYPE_ARP)
		return judge_arp(rules, frame + FRAME_HEADER, size - FRAME_HEADER);
	if (!parse(frame, size, &packet) || (packet.v6 && !rules->ipv6))
		return FRAME_DROP;
	if (is_neighbour_talk(&packet))
		return FRAME_PASS;
	struct in6_addr guest = packet.v6 ? rules->guest6 : mapped(rules->guest);
	return same(&packet.from, &guest) ? judge_packet(rules, flows, &packet) : FRAME_DROP;
}

bool frame_see_outgoing(const struct frame_rules *rules, struct frame_flows *flows, const uint8_t *frame, size_t size)
{
	struct packet packet;

	(void)rules;
	/* A datagram above the MTU leaves libslirp in pieces: the first one has the ports. */
	if (!parse_but(frame, size, FIRST, &packet))
		return true;
	if (packet.v6 && packet.protocol == IPPROTO_ICMPV6 && packet.size > 0 && packet.payload[0] == ICMP6_ROUTER_ADVERTISEMENT)
		return false;
	if (packet.protocol == IPPROTO_UDP && packet.size >= UDP_HEADER) {
		uint16_t from = get16(packet.payload), to = get16(packet.payload + 2);

		*flow_at(flows, &packet.from, from, to) = (struct frame_flow){ packet.from, from, to, flows->now_ms };
	}
	return true;
}

/* RFC 1071, over @size bytes, behind what is summed already. */
static uint32_t sum(const uint8_t *bytes, size_t size, uint32_t sum)
{
	for (; size > 1; bytes += 2, size -= 2)
		sum += get16(bytes);
	return size > 0 ? sum + ((uint32_t)bytes[0] << 8) : sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t checksum_with_addresses(const uint8_t *addresses, size_t addresses_size, const uint8_t *payload, size_t size,
					uint8_t protocol)
{
	return checksum(sum(payload, size, sum(addresses, addresses_size, (uint32_t)size + protocol)));
}

static void make_ipv4(uint8_t *at, uint16_t total, uint8_t protocol)
{
	memset(at, 0, IPV4_HEADER - 8);
	at[0] = 0x45;
	put16(at + 2, total);
	put16(at + 6, 0x4000); /* don't fragment */
	at[8] = 64;
	at[9] = protocol;
}

size_t frame_make_reset(const uint8_t *frame, uint8_t *answer)
{
	struct packet packet;

	if (!parse(frame, FRAME_MAX, &packet))
		return 0;
	size_t   header = packet.v6 ? IPV6_HEADER : IPV4_HEADER, width = packet.v6 ? 16 : 4;
	const uint8_t *from = frame + FRAME_HEADER + (packet.v6 ? 8 : 12);
	uint8_t *ip = answer + FRAME_HEADER, *tcp = ip + header, *addresses = ip + (packet.v6 ? 8 : 12);

	memcpy(answer, frame + 6, 6);
	memcpy(answer + 6, frame, 6);
	memcpy(answer + 12, frame + 12, 2);
	if (packet.v6) {
		memset(ip, 0, IPV6_HEADER);
		ip[0] = 0x60;
		put16(ip + 4, TCP_HEADER);
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
	} else {
		make_ipv4(ip, IPV4_HEADER + TCP_HEADER, IPPROTO_TCP);
	}
	memcpy(addresses, from + width, width);
	memcpy(addresses + width, from, width);
	if (!packet.v6)
		put16(ip + 10, checksum(sum(ip, IPV4_HEADER, 0)));
	memset(tcp, 0, TCP_HEADER);
	memcpy(tcp, packet.payload + 2, 2);
	memcpy(tcp + 2, packet.payload, 2);
	put32(tcp + 8, get32(packet.payload + 4) + 1);
	tcp[12] = TCP_HEADER / 4 << 4;
	tcp[13] = TCP_RST | TCP_ACK;
	put16(tcp + 16, checksum_with_addresses(addresses, 2 * width, tcp, TCP_HEADER, IPPROTO_TCP));
	return FRAME_HEADER + header + TCP_HEADER;
}

struct frame_datagram frame_datagram(const uint8_t *frame)
{
	const uint8_t *udp = frame + FRAME_HEADER + (size_t)(frame[FRAME_HEADER] & 15) * 4;
	struct frame_datagram datagram = { .guest_port = get16(udp), .bytes = udp + UDP_HEADER,
					   .size = (size_t)get16(udp + 4) - UDP_HEADER };

	memcpy(datagram.guest_mac, frame + 6, 6);
	return datagram;
}

/* libslirp's, for its own addresses. */
static void make_mac(uint8_t *at, uint32_t address)
{
	at[0] = 0x52;
	at[1] = 0x55;
	put32(at + 2, address);
}

size_t frame_make_datagram(const struct frame_rules *rules, const struct frame_datagram *datagram, uint8_t *frame, size_t room)
{
	uint8_t *ip = frame + FRAME_HEADER, *udp = ip + IPV4_HEADER;
	size_t   length = UDP_HEADER + datagram->size;

	if (length > 65535 - IPV4_HEADER || FRAME_HEADER + IPV4_HEADER + length > room)
		return 0;
	memcpy(frame, datagram->guest_mac, 6);
	make_mac(frame + 6, rules->dns);
	put16(frame + 12, ETHERTYPE_IPV4);
	make_ipv4(ip, (uint16_t)(IPV4_HEADER + length), IPPROTO_UDP);
	put32(ip + 12, rules->dns);
	put32(ip + 16, rules->guest);
	put16(ip + 10, checksum(sum(ip, IPV4_HEADER, 0)));
	put16(udp, 53);
	put16(udp + 2, datagram->guest_port);
	put16(udp + 4, (uint16_t)length);
	put16(udp + 6, 0);
	memcpy(udp + UDP_HEADER, datagram->bytes, datagram->size);
	uint16_t check = checksum_with_addresses(ip + 12, 8, udp, length, IPPROTO_UDP);
	put16(udp + 6, check != 0 ? check : 0xffff); /* RFC 768: 0 means none */
	return FRAME_HEADER + IPV4_HEADER + length;
}

/* RFC 1624: of a 16-bit word that is changed. */
static void change16(uint8_t *word, uint8_t *check, uint16_t value)
{
	uint32_t all = (uint32_t)(uint16_t)~get16(check) + (uint16_t)~get16(word) + value;

	put16(check, checksum(all));
	put16(word, value);
}

static struct frame_port *port_of(struct frame_ports *ports, uint16_t guest_port)
{
	for (int i = 0; i < FRAME_PORTS; i++)
		if (ports->ports[i].guest_port == guest_port)
			return &ports->ports[i];
	return NULL;
}

static struct frame_port *port_free(struct frame_ports *ports, int64_t now_ms)
{
	for (int i = 0; i < FRAME_PORTS; i++) {
		struct frame_port *port = &ports->ports[i];

		if (port->guest_port == 0 || port->finished || now_ms - port->used_ms > FRAME_PORT_IDLE_MS)
			return port;
	}
	return NULL;
}

/* The end of the connection that has had the port, as if the container had sent it: libslirp waits for an end from our side,
 * which it gives us no way to make. @frame: any of the container's to our resolver. */
static size_t make_end(const uint8_t *frame, const struct frame_port *port, uint16_t number, uint8_t *reset)
{
	uint8_t *ip = reset + FRAME_HEADER, *tcp = ip + IPV4_HEADER;

	memcpy(reset, frame, FRAME_HEADER);
	make_ipv4(ip, IPV4_HEADER + TCP_HEADER, IPPROTO_TCP);
	memcpy(ip + 12, frame + FRAME_HEADER + 12, 8);
	put16(ip + 10, checksum(sum(ip, IPV4_HEADER, 0)));
	memset(tcp, 0, TCP_HEADER);
	put16(tcp, port->guest_port);
	put16(tcp + 2, number);
	put32(tcp + 4, port->next);
	tcp[12] = TCP_HEADER / 4 << 4;
	tcp[13] = TCP_RST;
	put16(tcp + 16, checksum_with_addresses(ip + 12, 8, tcp, TCP_HEADER, IPPROTO_TCP));
	return FRAME_HEADER + IPV4_HEADER + TCP_HEADER;
}

struct frame_turn frame_ports_rewrite(struct frame_ports *ports, uint8_t *frame, int64_t now_ms)
{
	size_t   header = (size_t)(frame[FRAME_HEADER] & 15) * 4;
	uint8_t *tcp = frame + FRAME_HEADER + header;
	uint16_t guest_port = get16(tcp);
	bool     opens = (tcp[13] & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	struct frame_port *port = guest_port != 0 ? port_of(ports, guest_port) : NULL;
	struct frame_turn turn = { .port = -1 };

	if (port == NULL || (opens && port->finished)) {
		port = opens && guest_port != 0 ? port_free(ports, now_ms) : NULL;
		if (port == NULL)
			return turn;
		if (port->guest_port != 0)
			turn.reset_size = make_end(frame, port, (uint16_t)(FRAME_PORT_FIRST + (port - ports->ports)), turn.reset);
		*port = (struct frame_port){ .guest_port = guest_port, .next = get32(tcp + 4) };
		turn.is_new = true;
	}
	uint32_t payload = (uint32_t)(get16(frame + FRAME_HEADER + 2) - header - (size_t)(tcp[12] >> 4) * 4);
	uint32_t next = get32(tcp + 4) + payload + !!(tcp[13] & TCP_SYN) + !!(tcp[13] & TCP_FIN);
	if ((int32_t)(next - port->next) > 0) /* not one that was sent again */
		port->next = next;
	port->used_ms = now_ms;
	port->finished |= tcp[13] & (TCP_FIN | TCP_RST);
	turn.port = (int)(port - ports->ports);
	change16(tcp + 2, tcp + 16, (uint16_t)(FRAME_PORT_FIRST + turn.port));
	return turn;
}

void frame_ports_restore(const struct frame_rules *rules, uint8_t *frame, size_t size)
{
	struct packet packet;
	struct in6_addr dns = mapped(rules->dns);

	if (!parse(frame, size, &packet) || packet.protocol != IPPROTO_TCP || packet.size < TCP_HEADER || !same(&packet.from, &dns))
		return;
	uint8_t *tcp = frame + (packet.payload - frame);
	uint16_t from = get16(tcp);

	if (from >= FRAME_PORT_FIRST && from < FRAME_PORT_FIRST + FRAME_PORTS)
		change16(tcp, tcp + 16, 53);
}
