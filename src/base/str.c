/* str.c - see str.h. Side: any; pure. */
#define _GNU_SOURCE
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool str_to_uint(const char *text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value) || value > max)
			return false;
	}
	*ret_value = value;
	return true;
}

bool str_starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

void str_add_bytes(struct str *str, const char *bytes, size_t size)
{
	if (str->failed)
		return;
	if (str->room - str->size <= size) {
		size_t room = (str->room + size + 64) * 2;
		bool   fits = str->room < SIZE_MAX / 8 && size < SIZE_MAX / 8; /* or the doubling wraps */
		char  *text = fits ? realloc(str->text, room) : NULL;

		if (text == NULL) {
			str->failed = true;
			return;
		}
		str->text = text;
		str->room = room;
	}
	memcpy(str->text + str->size, bytes, size);
	str->size += size;
	str->text[str->size] = '\0';
}

void str_add(struct str *str, const char *format, ...)
{
	char    small[256], *text = small;
	va_list ap, again;

	va_start(ap, format);
	va_copy(again, ap);
	int size = vsnprintf(small, sizeof(small), format, ap);
	if (size >= (int)sizeof(small) && vasprintf(&text, format, again) < 0)
		size = -1;
	va_end(again);
	va_end(ap);
	if (size < 0)
		str->failed = true;
	else
		str_add_bytes(str, text, (size_t)size);
	if (size >= (int)sizeof(small))
		free(text);
}

size_t str_last_component(const char *path, size_t *ret_length)
{
	size_t end = strlen(path);

	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	*ret_length = end - start;
	return start;
}

void str_free(struct str *str)
{
	free(str->text);
	*str = (struct str){ 0 };
}
