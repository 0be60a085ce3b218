/* mem.c - see mem.h. Side: any. */
#define _GNU_SOURCE
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES 4032 /* with malloc's own header, one page */

struct arena_block {
	struct arena_block *next;
	size_t              used, size;
	max_align_t         bytes[];
};

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	size_t bytes, step = sizeof(max_align_t);

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + step - 1) / step * step;
	struct arena_block *block = arena->blocks;
	if (block == NULL || block->size - block->used < bytes) {
		size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

		block = calloc(1, sizeof(*block) + room);
		if (block == NULL)
			return NULL;
		block->size = room;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	void *memory = (char *)block->bytes + block->used;
	block->used += bytes;
	return memory;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t size)
{
	if (count > 0 && (count & (count - 1)) != 0)
		return items;
	void *grown = arena_alloc(arena, count * 2 + 2, size);
	if (grown != NULL && count > 0)
		memcpy(grown, items, count * size);
	return grown;
}

char *arena_text(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char  *copy = arena_alloc(arena, 1, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	char   *text = NULL, *copy = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) >= 0) {
		copy = arena_text(arena, text);
		free(text);
	}
	va_end(ap);
	return copy;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}
