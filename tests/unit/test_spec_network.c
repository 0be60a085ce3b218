/* test_spec_network.c - unit test; one test per rule stated in spec/spec_network.h. Side: any. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>

#include "base/str.h"
#include "spec/spec_network.h"

static struct spec_network network;
static struct spec_publish publish;
static struct error err;

static void reads(const char *text)
{
	memset(&network, 'x', sizeof(network));
	err = (struct error){ 0 };
	assert_int_equal(spec_network_parse(text, &network, &err), 0);
	assert_int_equal(err.code, 0);
}

static void refuses(const char *text, const char *object, const char *cause)
{
	err = (struct error){ 0 };
	assert_int_equal(spec_network_parse(text, &network, &err), -EINVAL);
	assert_string_equal(err.object, object);
	assert_non_null(strstr(err.cause, cause));
}

static void the_three_modes(void **state)
{
	(void)state;
	reads("none");
	assert_int_equal(network.mode, SPEC_NETWORK_NONE);
	reads("host");
	assert_int_equal(network.mode, SPEC_NETWORK_HOST);
	reads("slirp");
	assert_int_equal(network.mode, SPEC_NETWORK_SLIRP);
	refuses("", "", "is none of none, host and slirp");
	refuses("bridge", "", "is none of");
	refuses("slirp4netns", "", "is none of");
	refuses("host:mtu=1500", "", "is none of");
	refuses("SLIRP", "", "is none of");
}

static void defaults(void **state)
{
	(void)state;
	reads("slirp");
	assert_int_equal(network.mtu, 65520);
	assert_int_equal(network.network, 0x0a000200);
	assert_int_equal(network.mask, 0xffffff00);
	assert_int_equal(network.gateway, 0x0a000202);
	assert_int_equal(network.dns, 0x0a000203);
	assert_int_equal(network.guest, 0x0a000264);
	assert_true(network.ipv6);
	assert_false(network.host_loopback);
	assert_int_equal(network.resolver.family, 0);
	assert_int_equal(network.outbound.family, 0);
	assert_string_equal(network.interface, "");
}

static void options(void **state)
{
	(void)state;
	reads("slirp:mtu=1280,cidr=172.16.0.0/12,ipv6=off,dns=2001:db8::1,host-loopback=on,outbound=192.0.2.7");
	assert_int_equal(network.mtu, 1280);
	assert_int_equal(network.network, 0xac100000);
	assert_int_equal(network.mask, 0xfff00000);
	assert_int_equal(network.guest, 0xac100064);
	assert_false(network.ipv6);
	assert_true(network.host_loopback);
	assert_int_equal(network.resolver.family, AF_INET6);
	assert_int_equal(network.outbound.family, AF_INET);
	assert_int_equal(ntohl(network.outbound.v4.s_addr), 0xc0000207);
	reads("slirp:outbound=eth0");
	assert_int_equal(network.outbound.family, 0);
	assert_string_equal(network.interface, "eth0");
	/* The later one wins. */
	reads("slirp:mtu=1500,mtu=9000");
	assert_int_equal(network.mtu, 9000);
}

static void small_networks_have_room_for_all_three(void **state)
{
	(void)state;
	reads("slirp:cidr=192.168.9.8/29");
	assert_int_equal(network.gateway, 0xc0a8090a);
	assert_int_equal(network.dns, 0xc0a8090b);
	assert_int_equal(network.guest, 0xc0a8090c);
	reads("slirp:cidr=192.168.9.128/25");
	assert_int_equal(network.guest, 0xc0a80980 + 100);
	refuses("slirp:cidr=192.168.9.8/30", "cidr=192.168.9.8/30", "8 to 29");
}

static void what_is_wrong_is_named(void **state)
{
	static const char *const words[] = { "mtu=", "mtu=1279", "mtu=65521", "mtu=1500x", "mtu=-1500", "mtu= 1500", "cidr=10.0.2.0",
		"cidr=10.0.2.0/", "cidr=10.0.2.0/7", "cidr=10.0.2.1/24", "cidr=127.0.0.0/8", "cidr=0.0.0.0/8", "cidr=224.0.0.0/8",
		"cidr=10.0.2/24", "cidr=fd00::/64", "ipv6=yes", "ipv6=", "host-loopback=1", "dns=localhost", "dns=", "outbound=",
		"outbound=averylonginterface", "outbound=a/b", "mtu", "", "tftp=on" };

	(void)state;
	for (size_t i = 0; i < array_size(words); i++) {
		char text[80] = "slirp:";

		strcat(text, words[i]);
		refuses(text, words[i], "");
	}
	refuses("slirp:mtu=1500,", "", "NAME=VALUE");
	refuses("slirp:mtu=1500,,ipv6=on", "", "NAME=VALUE");
}

static void publishes(const char *text, const char *host, int first, int port, int count, bool udp)
{
	char address[INET6_ADDRSTRLEN];

	err = (struct error){ 0 };
	assert_int_equal(spec_network_parse_publish(text, &publish, &err), 0);
	assert_string_equal(spec_network_address_text(&publish.host, address), host);
	assert_int_equal(publish.host_port, first);
	assert_int_equal(publish.port, port);
	assert_int_equal(publish.count, count);
	assert_int_equal(publish.udp, udp);
}

static void ports(void **state)
{
	(void)state;
	publishes("8080:80", "0.0.0.0", 8080, 80, 1, false);
	publishes("8080:80/tcp", "0.0.0.0", 8080, 80, 1, false);
	publishes("53:5353/udp", "0.0.0.0", 53, 5353, 1, true);
	publishes("127.0.0.1:8080:80", "127.0.0.1", 8080, 80, 1, false);
	publishes("[::1]:8080:80", "::1", 8080, 80, 1, false);
	publishes("[2001:db8::1]:8000-8009:9000-9009/udp", "2001:db8::1", 8000, 9000, 10, true);
	publishes("1-65535:1-65535", "0.0.0.0", 1, 1, 65535, false);
	publishes("7-7:8", "0.0.0.0", 7, 8, 1, false);
}

static void no_ports(void **state)
{
	static const char *const texts[] = { "", "80", ":80", "80:", "0:80", "80:0", "65536:80", "80:65536", "8080:80/sctp", "8080:80/",
		"8080:80/TCP", "localhost:8080:80", "::1:8080:80", "[127.0.0.1]:8080:80", "[::1]8080:80", "[::1:8080:80", "1:2:3:4", "a:b",
		" 80:80", "80 :80", "80-70:80-70", "80-81-82:80-82", "80-:80-", "+80:80", "127.0.0.1::80", "[::1]:80", "08080:80", "[::ffff:127.0.0.1]:8080:80", "8080:080", "8080-08081:80-81",
		"1-2:3-5", "1-2:3" };

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++) {
		err = (struct error){ 0 };
		assert_int_equal(spec_network_parse_publish(texts[i], &publish, &err), -EINVAL);
		assert_non_null(strstr(err.cause, texts[i]));
	}
	/* The last two ones. */
	assert_non_null(strstr(err.cause, "not of the same length"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_modes),
		cmocka_unit_test(defaults),
		cmocka_unit_test(options),
		cmocka_unit_test(small_networks_have_room_for_all_three),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(ports),
		cmocka_unit_test(no_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
