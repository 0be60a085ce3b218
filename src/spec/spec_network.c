/* spec_network.c - see spec_network.h. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/spec_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define WORD_MAX 128 /* more than any value has */

static int refuse(const char *word, const char *why, struct error *err)
{
	return error_at(err, 0, word, "%s", why);
}

bool spec_network_parse_address(const char *text, struct spec_address *ret_address)
{
	*ret_address = (struct spec_address){ 0 };
	if (inet_pton(AF_INET, text, &ret_address->v4) == 1)
		ret_address->family = AF_INET;
	else if (inet_pton(AF_INET6, text, &ret_address->v6) == 1)
		ret_address->family = AF_INET6;
	return ret_address->family != 0;
}

const char *spec_network_address_text(const struct spec_address *address, char *text)
{
	if (address->family == 0 || inet_ntop(address->family, &address->v4, text, INET6_ADDRSTRLEN) == NULL)
		text[0] = '\0';
	return text;
}

static int read_mtu(const char *word, const char *value, struct spec_network *network, struct error *err)
{
	uint64_t mtu;

	if (!str_to_uint(value, SPEC_NETWORK_MTU, &mtu) || mtu < SPEC_NETWORK_MTU_MIN)
		return error_at(err, 0, word, "it is no number from %d to %d", SPEC_NETWORK_MTU_MIN, SPEC_NETWORK_MTU);
	network->mtu = (uint32_t)mtu;
	return 0;
}

/* Where gateway, resolver and container are: at .2, .3 and .100, or .4 of a small network. */
static void place(struct spec_network *network)
{
	network->gateway = network->network + 2;
	network->dns = network->network + 3;
	network->guest = network->network + (~network->mask >= 127 ? 100 : 4);
}

static int read_cidr(const char *word, const char *value, struct spec_network *network, struct error *err)
{
	char   text[INET_ADDRSTRLEN];
	size_t length = strcspn(value, "/");
	struct in_addr address;
	uint64_t bits;

	if (value[length] != '/' || length >= sizeof(text))
		return refuse(word, "it is no network like 10.0.2.0/24", err);
	memcpy(text, value, length);
	text[length] = '\0';
	if (inet_pton(AF_INET, text, &address) != 1 || !str_to_uint(value + length + 1, 29, &bits) || bits < 8)
		return refuse(word, "it is no IPv4 network like 10.0.2.0/24, of 8 to 29 bits", err);
	network->mask = UINT32_MAX << (32 - bits);
	network->network = ntohl(address.s_addr);
	if (network->network & ~network->mask)
		return refuse(word, "the address has bits behind the network's", err);
	uint32_t first = network->network >> 24;
	if (first == 0 || first == 127 || first >= 224)
		return refuse(word, "such addresses are no host's", err);
	place(network);
	return 0;
}

static int read_switch(const char *word, const char *value, bool *field, struct error *err)
{
	*field = strcmp(value, "on") == 0;
	return *field || strcmp(value, "off") == 0 ? 0 : refuse(word, "it is neither on nor off", err);
}

static int read_outbound(const char *word, const char *value, struct spec_network *network, struct error *err)
{
	network->interface[0] = '\0';
	if (spec_network_parse_address(value, &network->outbound))
		return 0;
	if (value[0] == '\0' || strlen(value) >= sizeof(network->interface) || value[strcspn(value, "/: \t\n")] != '\0')
		return refuse(word, "it is neither an address nor the name of an interface", err);
	snprintf(network->interface, sizeof(network->interface), "%s", value);
	return 0;
}

/* One NAME=VALUE. */
static int read_word(const char *word, struct spec_network *network, struct error *err)
{
	const char *value = strchr(word, '=');

	if (value == NULL)
		return refuse(word, "it is no NAME=VALUE", err);
	value++;
	if (str_starts(word, "mtu="))
		return read_mtu(word, value, network, err);
	if (str_starts(word, "cidr="))
		return read_cidr(word, value, network, err);
	if (str_starts(word, "ipv6="))
		return read_switch(word, value, &network->ipv6, err);
	if (str_starts(word, "host-loopback="))
		return read_switch(word, value, &network->host_loopback, err);
	if (str_starts(word, "outbound="))
		return read_outbound(word, value, network, err);
	if (str_starts(word, "dns="))
		return spec_network_parse_address(value, &network->resolver) ? 0 : refuse(word, "it is no address", err);
	refuse(word, "slirp has no such option", err);
	return error_hint(err, "the options are mtu, cidr, ipv6, dns, host-loopback and outbound");
}

int spec_network_parse(const char *text, struct spec_network *ret_network, struct error *err)
{
	char word[WORD_MAX];

	*ret_network = (struct spec_network){ .mode = SPEC_NETWORK_SLIRP, .mtu = SPEC_NETWORK_MTU, .ipv6 = true,
					      .network = 0x0a000200, .mask = 0xffffff00 };
	place(ret_network);
	if (strcmp(text, "none") == 0 || strcmp(text, "host") == 0) {
		ret_network->mode = text[0] == 'n' ? SPEC_NETWORK_NONE : SPEC_NETWORK_HOST;
		return 0;
	}
	if (strcmp(text, "slirp") == 0)
		return 0;
	if (!str_starts(text, "slirp:")) {
		error_set(err, 0, "\"%.100s\" is none of none, host and slirp", text);
		return error_hint(err, "slirp takes options: slirp:mtu=1500,ipv6=off");
	}
	for (text += strlen("slirp:");; text++) {
		size_t length = strcspn(text, ",");

		if (length >= sizeof(word))
			return error_set(err, 0, "\"%.100s\": an option of slirp is longer than %d bytes", text, WORD_MAX - 1);
		memcpy(word, text, length);
		word[length] = '\0';
		if (read_word(word, ret_network, err) < 0)
			return -err->code;
		text += length;
		if (*text == '\0')
			return 0;
	}
}

/* PORT or PORT-END. */
static bool read_ports(const char *text, uint16_t *ret_first, uint16_t *ret_count)
{
	char     number[8];
	size_t   length = strcspn(text, "-");
	uint64_t first, last;

	if (length >= sizeof(number) || text[0] == '0') /* 080 is another number for some */
		return false;
	memcpy(number, text, length);
	number[length] = '\0';
	if (!str_to_uint(number, UINT16_MAX, &first) || first == 0)
		return false;
	last = first;
	if (text[length] == '-' && (text[length + 1] == '0' || !str_to_uint(text + length + 1, UINT16_MAX, &last) || last < first))
		return false;
	*ret_first = (uint16_t)first;
	*ret_count = (uint16_t)(last - first + 1);
	return true;
}

/* Cut the protocol off the end of @words. */
static bool read_protocol(char *words, bool *ret_udp)
{
	char *slash = strchr(words, '/');

	*ret_udp = slash != NULL && strcmp(slash, "/udp") == 0;
	if (slash == NULL)
		return true;
	if (!*ret_udp && strcmp(slash, "/tcp") != 0)
		return false;
	*slash = '\0';
	return true;
}

/* Where the ports begin in @words; NULL: the address before them is none. */
static char *read_host(char *words, struct spec_address *ret_host)
{
	char *end;

	*ret_host = (struct spec_address){ .family = AF_INET };
	if (words[0] == '[') {
		end = strchr(words, ']');
		if (end == NULL || end[1] != ':')
			return NULL;
		*end = '\0';
		return spec_network_parse_address(words + 1, ret_host) && ret_host->family == AF_INET6 ? end + 2 : NULL;
	}
	end = strrchr(words, ':');
	if (end == NULL)
		return NULL;
	*end = '\0';
	char *before = strchr(words, ':');
	*end = ':';
	if (before == NULL)
		return words;
	*before = '\0';
	return spec_network_parse_address(words, ret_host) ? before + 1 : NULL;
}

int spec_network_parse_publish(const char *text, struct spec_publish *ret_publish, struct error *err)
{
	char     words[WORD_MAX];
	uint16_t count;

	*ret_publish = (struct spec_publish){ 0 };
	if (strlen(text) < sizeof(words)) {
		strcpy(words, text);
		char *ports = read_protocol(words, &ret_publish->udp) ? read_host(words, &ret_publish->host) : NULL;
		char *colon = ports != NULL ? strchr(ports, ':') : NULL;

		if (colon != NULL) {
			*colon = '\0';
			if (read_ports(ports, &ret_publish->host_port, &ret_publish->count) &&
			    read_ports(colon + 1, &ret_publish->port, &count)) {
				if (ret_publish->host.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&ret_publish->host.v6)) {
					error_set(err, 0, "\"%s\": that address is one of IPv4", text);
					return error_hint(err, "write it as such: 127.0.0.1:8080:80");
				}
				if (count == ret_publish->count)
					return 0;
				return error_set(err, 0, "\"%s\": the two ranges of ports are not of the same length", text);
			}
		}
	}
	error_set(err, 0, "\"%.100s\" is no [HOSTIP:]HOSTPORT[-END]:PORT[-END][/tcp|udp]", text);
	return error_hint(err, "like 8080:80, 127.0.0.1:8080:80 or [::1]:5300-5310:5300-5310/udp; ports are 1 to 65535");
}
