/* spec_words.c - config.json: fields that are one of some words, and lists of numbers in a text.
 * Side: any; pure. */
#define _GNU_SOURCE
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

#define WORD_BITS (8 * sizeof(unsigned long))

int spec_find_word(struct json_object *value, const struct spec_word *words, uint64_t *ret_value, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);

	for (; words->name != NULL; words++)
		if (strcmp(words->name, text) == 0) {
			*ret_value = words->value;
			return 0;
		}
	return json_fail(ctx, "unknown %s \"%.100s\"", json_name(ctx), text);
}

int spec_collect_words(struct json_object *array, const struct spec_word *words, uint64_t *ret_bits, struct json_context *ctx)
{
	struct spec_texts texts;
	int ret = spec_read_texts(array, &texts, ctx);

	*ret_bits = 0;
	for (size_t i = 0; ret == 0 && i < texts.count; i++) {
		uint64_t bits;

		ret = spec_find_word(json_object_array_get_idx(array, i), words, &bits, ctx);
		if (ret == 0)
			*ret_bits |= bits;
	}
	return ret;
}

/* The digits at @p as a number; NULL when there are none, or too many of them. */
static const char *number_at(const char *p, uint64_t *ret_number)
{
	size_t length = strspn(p, "0123456789");
	char   digits[16];

	if (length == 0 || length >= sizeof(digits))
		return NULL;
	memcpy(digits, p, length);
	digits[length] = '\0';
	return str_to_uint(digits, UINT32_MAX, ret_number) ? p + length : NULL;
}

/* "7" or "0-3", blanks around it; NULL when it is neither. */
static const char *range_at(const char *p, uint64_t *ret_first, uint64_t *ret_last)
{
	p = number_at(p + strspn(p, " "), ret_first);
	if (p == NULL)
		return NULL;
	*ret_last = *ret_first;
	if (*p == '-' && (p = number_at(p + 1, ret_last)) == NULL)
		return NULL;
	return p + strspn(p, " ");
}

int spec_read_numbers(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec_numbers *numbers = field;
	const char *text = json_object_get_string(value), *p = text;
	uint64_t first, last;

	if (*p == '\0')
		return 0;
	numbers->bits = SPEC_NUMBER_MAX + 1;
	numbers->words = arena_alloc(ctx->arena, numbers->bits / WORD_BITS, sizeof(*numbers->words));
	if (numbers->words == NULL)
		return json_fail_memory(ctx);
	do {
		p = range_at(p, &first, &last);
		if (p == NULL || (*p != ',' && *p != '\0')) {
			json_fail(ctx, "\"%.100s\" is no list of numbers", text);
			return error_hint(ctx->err, "numbers and ranges with commas between them, such as 0-3,7");
		}
		if (first > last)
			return json_fail(ctx, "\"%.100s\": the range %u-%u goes downwards", text, (unsigned)first, (unsigned)last);
		if (last > SPEC_NUMBER_MAX)
			return json_fail(ctx, "\"%.100s\": %u is more than %d", text, (unsigned)last, SPEC_NUMBER_MAX);
		for (; first <= last; first++)
			numbers->words[first / WORD_BITS] |= 1ul << first % WORD_BITS;
	} while (*p++ == ',');
	return 0;
}
