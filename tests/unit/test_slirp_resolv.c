/* test_slirp_resolv.c - unit test; the name servers of a resolv.conf (helpers/slirp/resolv.h). Side: any. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "helpers/slirp/resolv.h"

static void expect(const char *text, const char *servers)
{
	struct spec_address found[3];
	char   line[200] = "", address[INET6_ADDRSTRLEN];
	size_t count = resolv_read(text, found, 3);

	for (size_t i = 0; i < count; i++)
		strcat(strcat(line, i > 0 ? " " : ""), spec_network_address_text(&found[i], address));
	assert_string_equal(line, servers);
}

static void servers_in_their_order(void **state)
{
	(void)state;
	expect("", "");
	expect("nameserver 192.0.2.1", "192.0.2.1");
	expect("# a comment\nsearch example.org\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 \r\noptions edns0\n", "192.0.2.1 2001:db8::1");
	expect("nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n", "1.1.1.1 2.2.2.2 3.3.3.3");
}

static void what_is_no_address_is_passed_over(void **state)
{
	(void)state;
	expect("nameserver\nnameserver \nnameserver example.org\nnameserver fe80::1%eth0\nnameserver 192.0.2.1\n", "192.0.2.1");
	expect("nameservers 192.0.2.1\n nameserver 192.0.2.2\n#nameserver 192.0.2.3\n", "");
	expect("nameserver 192.0.2.1.and.a.very.long.rest.of.a.word.that.does.not.end.soon\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(servers_in_their_order), cmocka_unit_test(what_is_no_address_is_passed_over) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
