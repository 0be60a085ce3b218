/* json_text.c - see json_text.h. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct text {
	const char   *bytes, *end;
	struct error *err;
};

struct key {
	size_t      object; /* number of the object that it is in */
	const char *name;
	size_t      length;
};

int json_text_place(const char *bytes, size_t at, struct error *err)
{
	size_t line = 1, start = 0;

	for (size_t i = 0; i < at; i++)
		if (bytes[i] == '\n') {
			line++;
			start = i + 1;
		}
	return error_object(err, "line %zu, column %zu", line, at - start + 1);
}

static const char *refuse(const struct text *text, const char *at, const char *cause)
{
	error_set(text->err, 0, "%s", cause);
	json_text_place(text->bytes, (size_t)(at - text->bytes), text->err);
	return NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the string whose first byte after the quote is @p, or NULL with the error set. */
static const char *string_end(const struct text *text, const char *p)
{
	const char *start = p - 1;

	while (p < text->end) {
		unsigned char c = (unsigned char)*p;

		if (c == '"')
			return p + 1;
		if (c < ' ')
			return refuse(text, p, c == '\0' ? "NUL byte inside a string"
							 : "control character inside a string");
		if (c != '\\') {
			p++;
			continue;
		}
		if (text->end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
			return refuse(text, p, "NUL (\\u0000) inside a string");
		p += 2;
	}
	return refuse(text, start, "string without an end");
}

static const char *digits_end(const struct text *text, const char *p)
{
	while (p < text->end && is_digit(*p))
		p++;
	return p;
}

/* Whether @from..@to, digits only, is more than int64_t or uint64_t holds. */
static bool digits_overflow(const char *from, const char *to, bool negative)
{
	uint64_t value = 0;

	if (to - from < 19)
		return false;
	for (const char *p = from; p < to; p++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return true;
	return negative && value > (uint64_t)INT64_MAX + 1;
}

/* The end of the number at @p, or NULL with the error set. */
static const char *number_end(const struct text *text, const char *p)
{
	const char *start = p, *first = p + (*p == '-'), *q;

	p = digits_end(text, first);
	if (p == first || (*first == '0' && p - first > 1))
		return refuse(text, start, "not a JSON number");
	bool integer = true;
	if (p < text->end && *p == '.') {
		q = digits_end(text, p + 1);
		if (q == p + 1)
			return refuse(text, start, "not a JSON number");
		p = q;
		integer = false;
	}
	if (p < text->end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < text->end && (*p == '+' || *p == '-');
		q = digits_end(text, p);
		if (q == p)
			return refuse(text, start, "not a JSON number");
		p = q;
		integer = false;
	}
	if (integer && digits_overflow(first, digits_end(text, first), first != start))
		return refuse(text, start, "integer that does not fit 64 bits");
	return p;
}

/* The end of the word at @p, or NULL with the error set. */
static const char *word_end(const struct text *text, const char *p)
{
	static const char *const known[] = { "true", "false", "null" };
	const char *start = p;

	while (p < text->end && is_letter(*p))
		p++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == (size_t)(p - start) &&
		    memcmp(known[i], start, (size_t)(p - start)) == 0)
			return p;
	return refuse(text, start, "a word that JSON does not have");
}

/* The place behind the bracket at @p, which opens an object or an array, or NULL with the error set. */
static const char *opened(const struct text *text, const char *p, const struct json_limits *limits,
			  int depth, size_t count)
{
	if (depth > limits->depth)
		return refuse(text, p, "nested too deeply");
	return count > limits->count ? refuse(text, p, "too many objects and arrays") : p + 1;
}

int json_text_scan(const char *bytes, size_t size, const struct json_limits *limits, size_t *ret_keys,
		   struct error *err)
{
	const struct text text = { bytes, bytes + size, err };
	const char *p = bytes;
	size_t      keys = 0, count = 0;
	int         depth = 0;

	while (p != NULL && p < text.end) {
		char c = *p;

		if (is_space(c)) {
			p++;
		} else if (c == '"') {
			p = string_end(&text, p + 1);
		} else if (c == ':') {
			keys++;
			p++;
		} else if (c == ',') {
			p++;
		} else if (c == '{' || c == '[') {
			p = opened(&text, p, limits, ++depth, ++count);
		} else if (c == '}' || c == ']') {
			depth--;
			p++;
		} else if (c == '-' || is_digit(c)) {
			p = number_end(&text, p);
		} else if (is_letter(c)) {
			p = word_end(&text, p);
		} else {
			p = refuse(&text, p, c == '\0' ? "NUL byte" : "unexpected character");
		}
	}
	if (p == NULL)
		return -err->code;
	*ret_keys = keys;
	return 0;
}

static int key_compare(const void *left, const void *right)
{
	const struct key *a = left, *b = right;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->name, b->name, a->length);
}

/* Put up to @max keys into @keys. Returns how many. */
static size_t keys_collect(const struct text *text, struct key *keys, size_t max)
{
	size_t open[128], depth = 0, objects = 0, count = 0; /* the parser stopped deeper texts */

	open[0] = 0;
	for (const char *p = text->bytes; p != NULL && p < text->end && count < max;) {
		const char *start = p++;

		if ((*start == '{' || *start == '[') && depth + 1 < sizeof(open) / sizeof(open[0]))
			open[++depth] = ++objects;
		if ((*start == '}' || *start == ']') && depth > 0)
			depth--;
		if (*start != '"')
			continue;
		p = string_end(text, p);
		const char *next = p;
		while (next != NULL && next < text->end && is_space(*next))
			next++;
		if (next != NULL && next < text->end && *next == ':')
			keys[count++] = (struct key){ open[depth], start + 1, (size_t)(p - start) - 2 };
	}
	return count;
}

int json_text_duplicate(const char *bytes, size_t size, size_t keys_count, struct error *err)
{
	const struct text text = { bytes, bytes + size, err };
	mem_owned struct key *keys = calloc(keys_count + 1, sizeof(*keys));

	if (keys == NULL)
		return error_set(err, ENOMEM, "look for a duplicate key");
	size_t count = keys_collect(&text, keys, keys_count);
	qsort(keys, count, sizeof(*keys), key_compare);
	for (size_t i = 1; i < count; i++) {
		if (key_compare(&keys[i - 1], &keys[i]) != 0)
			continue;
		const char *at = keys[i].name > keys[i - 1].name ? keys[i].name : keys[i - 1].name;

		error_set(err, 0, "duplicate key \"%.*s\"",
			  (int)(keys[i].length < 100 ? keys[i].length : 100), at);
		return json_text_place(bytes, (size_t)(at - bytes) - 1, err);
	}
	return error_set(err, 0, "an object has the same key twice, once written with escapes");
}
