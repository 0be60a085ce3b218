/* test_mem.c - unit test; one test per rule stated in base/mem.h. Side: any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

static void memory_is_zeroed_and_aligned(void **state)
{
	arena_owned arena = { 0 };

	(void)state;
	for (size_t size = 1; size < 300; size++) {
		unsigned char *bytes = arena_alloc(&arena, size, 1);

		assert_non_null(bytes);
		assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, size); /* the next one must not see it */
	}
}

static void nothing_has_an_address_too(void **state)
{
	arena_owned arena = { 0 };

	(void)state;
	assert_non_null(arena_alloc(&arena, 0, 8));
	assert_non_null(arena_alloc(&arena, 8, 0));
}

static void more_than_a_block_is_possible(void **state)
{
	arena_owned arena = { 0 };

	(void)state;
	char *small = arena_text(&arena, "small");
	char *large = arena_alloc(&arena, 1 << 20, 1);
	assert_non_null(large);
	memset(large, 1, 1 << 20);
	assert_string_equal(small, "small");
}

static void an_overflowing_product_is_refused(void **state)
{
	arena_owned arena = { 0 };

	(void)state;
	assert_null(arena_alloc(&arena, SIZE_MAX / 2 + 2, 2)); /* wraps around to 2 */
	assert_null(arena_alloc(&arena, SIZE_MAX, 1));
}

static void texts_are_copies(void **state)
{
	arena_owned arena = { 0 };
	char text[] = "one";

	(void)state;
	char *copy = arena_text(&arena, text);
	text[0] = 'x';
	assert_string_equal(copy, "one");
	assert_string_equal(arena_format(&arena, "%s-%d", "a", 7), "a-7");
}

static void a_freed_arena_is_usable(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_non_null(arena_alloc(&arena, 1, 1));
	arena_free(&arena);
	assert_null(arena.blocks);
	assert_non_null(arena_alloc(&arena, 1, 1));
	arena_free(&arena);
	arena_free(&arena);
}

static void owned_memory_is_freed(void **state)
{
	(void)state;
	mem_owned char *text = strdup("the leak checker sees the difference");
	assert_non_null(text);
	mem_free(&text);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(nothing_has_an_address_too),
		cmocka_unit_test(more_than_a_block_is_possible),
		cmocka_unit_test(an_overflowing_product_is_refused),
		cmocka_unit_test(texts_are_copies),
		cmocka_unit_test(a_freed_arena_is_usable),
		cmocka_unit_test(owned_memory_is_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
