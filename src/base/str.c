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

bool str_ends(const char *text, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length > size && strncmp(text + length - size, end, size) == 0;
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

/* How many bytes the UTF-8 character at @c has; 0: it is none. RFC 3629, section 4: no character is
 * longer than it needs to be, none is half of a surrogate pair or above U+10FFFF. */
static size_t utf8_size(const unsigned char *c)
{
	unsigned char least = *c == 0xe0 ? 0xa0 : *c == 0xf0 ? 0x90 : 0x80;
	unsigned char most = *c == 0xed ? 0x9f : *c == 0xf4 ? 0x8f : 0xbf;
	size_t size = *c < 0x80 ? 1 : *c < 0xc2 ? 0 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : *c < 0xf5 ? 4 : 0;

	if (size > 1 && (c[1] < least || c[1] > most))
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

bool str_is_utf8(const char *text)
{
	size_t size;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c += size)
		if ((size = utf8_size(c)) == 0)
			return false;
	return true;
}

void str_add_json(struct str *str, const char *text)
{
	str_add(str, "\"");
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
		size_t size = utf8_size(c);

		if (*c == '"' || *c == '\\')
			str_add(str, "\\%c", *c);
		else if (*c < 0x20)
			str_add(str, "\\u%04x", *c);
		else if (size > 0)
			str_add_bytes(str, (const char *)c, size);
		else
			str_add(str, "\\ufffd");
		c += size > 0 ? size : 1;
	}
	str_add(str, "\"");
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
