/* test_rdt_schemata.c - unit test; schemata of resctrl compared (host/rdt_schemata.h). Side: host. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/rdt_schemata.h"

static const char text[] = "    L3:0=00ff;1=fffff\n    MB:0= 100;1=  50\n  L3MON:0=1\n";

static void what_is_the_same_is_found(void **state)
{
	static const char *const lines[] = { "L3:0=ff;1=fffff", "L3:1=FFFFF;0=0ff", "L3:0=ff", "MB:1=50", "MB: 1 = 050 ; 0=100",
					     "L3:00=ff", "L3:", "L3:0=ff;", "l3:0=ff" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!rdt_schemata_has(text, lines[i]))
			fail_msg("not found: %s", lines[i]);
}

static void what_differs_is_not(void **state)
{
	static const char *const lines[] = { "L3:0=f", "L3:0=fff", "L3:2=ff", "L3:0=ff;1=ff", "L2:0=ff", "MB:1=5", "MB:1=500", "L3:0",
					     "L3:=ff", "L3:0=", "L:0=ff", "L3M:0=1", ":0=ff", "", "=", "L3:0=ff;1" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (rdt_schemata_has(text, lines[i]))
			fail_msg("found: %s", lines[i]);
	assert_false(rdt_schemata_has("", "L3:0=ff"));
	assert_false(rdt_schemata_has("L3", "L3:0=ff"));
	assert_false(rdt_schemata_has("L3:", "L3:0=ff"));
	/* A domain of the next line is not this one's. */
	assert_false(rdt_schemata_has("L3:0\nMB:1=ff", "L3:1=ff"));
	assert_false(rdt_schemata_has("L3:0\n=ff", "L3:0=ff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_the_same_is_found),
		cmocka_unit_test(what_differs_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
