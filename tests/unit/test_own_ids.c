/* test_own_ids.c - unit test; how /etc/subuid is read (host/own_ids.h). Side: any. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "host/own_ids.h"

struct fixture {
	struct arena        arena;
	struct spec_id_maps maps;
};

/* Read @text for user "ann", 1000; returns the number of ranges. */
static int read_lines(struct fixture *fixture, const char *text)
{
	char copy[4096];

	memset(fixture, 0, sizeof(*fixture));
	snprintf(copy, sizeof(copy), "%s", text);
	return own_ids_read_lines(copy, "ann", 1000, &fixture->arena, &fixture->maps);
}

static void assert_map(const struct fixture *fixture, size_t index, uint32_t container, uint32_t host, uint32_t count)
{
	assert_true(index < fixture->maps.count);
	assert_int_equal(fixture->maps.maps[index].container_id, container);
	assert_int_equal(fixture->maps.maps[index].host_id, host);
	assert_int_equal(fixture->maps.maps[index].count, count);
}

static void lines_count_by_name_and_by_number(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_lines(&f, "bob:100000:65536\nann:200000:10\n1000:300000:20\n10001:5:5\nannette:7:7\n"), 2);
	assert_map(&f, 0, 0, 200000, 10);
	assert_map(&f, 1, 10, 300000, 20);
	arena_free(&f.arena);
}

static void without_a_name_the_number_counts(void **state)
{
	struct arena        arena = { NULL };
	struct spec_id_maps maps = { NULL, 0 };
	char lines[] = "ann:200000:10\n1000:300000:20";

	(void)state;
	assert_int_equal(own_ids_read_lines(lines, NULL, 1000, &arena, &maps), 1);
	assert_int_equal(maps.maps[0].host_id, 300000);
	arena_free(&arena);
}

static void overlapping_ranges_are_left_out(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_lines(&f, "ann:1000:100\nann:1000:100\nann:1050:100\nann:1099:1\nann:1100:5\n"), 2);
	assert_map(&f, 0, 0, 1000, 100);
	assert_map(&f, 1, 100, 1100, 5);
	arena_free(&f.arena);
}

static void lines_that_are_none_are_passed_over(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_lines(&f, "# ann:1:1\n\nann\nann:\nann:1\nann:x:5\nann:5:x\nann:-1:5\nann:1:0\n"
					"ann:4294967295:1\nann:99999999999999999999:1\nann:7:3\n"), 1);
	assert_map(&f, 0, 0, 7, 3);
	arena_free(&f.arena);
}

static void getsubids_prints_an_index_and_a_name_before_a_range(void **state)
{
	struct fixture f = { .maps = { NULL, 0 } };
	char lines[] = "0: ann 100000 65536\n1: ann 300000 10\n\n2: ann 5\nError fetching ranges\n";

	(void)state;
	assert_int_equal(own_ids_read_getsubids(lines, &f.arena, &f.maps), 2);
	assert_map(&f, 0, 0, 100000, 65536);
	assert_map(&f, 1, 65536, 300000, 10);
	arena_free(&f.arena);
}

static void getsubids_lines_that_are_none_are_passed_over(void **state)
{
	struct fixture f = { .maps = { NULL, 0 } };
	char lines[] = "0: ann 5000 -1\n1: ann -1 5\n2: ann 6000 +1\n3: ann 7000 1x\n"
		       "4: ann 8000 18446744073709551616\n5: ann 9000 3\n";

	(void)state;
	assert_int_equal(own_ids_read_getsubids(lines, &f.arena, &f.maps), 1);
	assert_map(&f, 0, 0, 9000, 3);
	arena_free(&f.arena);
}

static void a_range_ends_below_the_highest_id(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_lines(&f, "ann:4294967290:100\n"), 1);
	assert_map(&f, 0, 0, UINT32_C(4294967290), 5);
	arena_free(&f.arena);
}

static void no_more_ranges_than_the_kernel_takes(void **state)
{
	static char text[400 * 24];
	struct arena        arena = { NULL };
	struct spec_id_maps maps = { NULL, 0 };

	(void)state;
	for (unsigned i = 0, used = 0; i < 400; i++)
		used += (unsigned)snprintf(text + used, sizeof(text) - used, "ann:%u:10\n", 100000 + i * 20);
	assert_int_equal(own_ids_read_lines(text, "ann", 1000, &arena, &maps), 340);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_count_by_name_and_by_number),
		cmocka_unit_test(without_a_name_the_number_counts),
		cmocka_unit_test(overlapping_ranges_are_left_out),
		cmocka_unit_test(lines_that_are_none_are_passed_over),
		cmocka_unit_test(getsubids_prints_an_index_and_a_name_before_a_range),
		cmocka_unit_test(getsubids_lines_that_are_none_are_passed_over),
		cmocka_unit_test(a_range_ends_below_the_highest_id),
		cmocka_unit_test(no_more_ranges_than_the_kernel_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
