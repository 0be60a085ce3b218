/* mem.h - memory of one purpose, freed at once; and memory that frees itself. Side: any.
 *
 * A struct arena hands out zeroed memory that lives until arena_free(). The structs that are read
 * from config.json live in one: nothing in them is freed by itself.
 */
#ifndef MOSS_MEM_H
#define MOSS_MEM_H
#include <stddef.h>
#include <stdlib.h>

struct arena_block;
struct arena {
	struct arena_block *blocks; /* NULL when empty: a zeroed struct is ready for use */
};

/* @count zeroed elements of @size bytes, aligned for any type; never NULL for a size of 0.
 * Returns NULL when there is no memory or the product overflows. */
void *arena_alloc(struct arena *arena, size_t count, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* Room for one more item in an array of @count, and for a zeroed one behind it. The array doubles
 * when @count reaches a power of two, so no capacity needs to be kept; all its items must have come
 * this way. Returns the array, or NULL when there is no memory (the old one is as it was). */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t size)
	__attribute__((nonnull(1), warn_unused_result));

/* A copy of @text. Returns NULL when there is no memory. */
char *arena_text(struct arena *arena, const char *text) __attribute__((nonnull, warn_unused_result));

/* A formatted text. Returns NULL when there is no memory. */
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull, warn_unused_result));

/* Free everything that was handed out; the arena is empty and usable again. */
void arena_free(struct arena *arena) __attribute__((nonnull));

#define arena_owned __attribute__((cleanup(arena_free))) struct arena

static inline void mem_free(void *pointer_at)
{
	free(*(void **)pointer_at);
	*(void **)pointer_at = NULL;
}
/* A pointer from malloc(3) that is freed when it goes out of scope. */
#define mem_owned __attribute__((cleanup(mem_free)))

#endif
