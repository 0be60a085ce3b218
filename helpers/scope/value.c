/* value.c - see value.h. Side: any; pure. */
#define _GNU_SOURCE
#include "value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct reading {
	const char   *at; /* what is still to be read */
	char          number_type;
	struct arena *arena;
	struct error *err;
};

static const struct type {
	const char *name;
	char        letter;
	int64_t     min;
	uint64_t    max;
} types[] = {
	{ "boolean", 'b', 0, 0 },
	{ "byte", 'y', 0, UINT8_MAX },
	{ "int16", 'n', INT16_MIN, INT16_MAX },
	{ "uint16", 'q', 0, UINT16_MAX },
	{ "int32", 'i', INT32_MIN, INT32_MAX },
	{ "uint32", 'u', 0, UINT32_MAX },
	{ "int64", 'x', INT64_MIN, INT64_MAX },
	{ "uint64", 't', 0, UINT64_MAX },
	{ "double", 'd', 0, 0 },
	{ "string", 's', 0, 0 },
	{ "objectpath", 'o', 0, 0 },
	{ "signature", 'g', 0, 0 },
};

static const struct type *type_of(char letter)
{
	for (size_t i = 0; i < array_size(types); i++)
		if (types[i].letter == letter)
			return &types[i];
	return NULL;
}

static int fail(struct reading *reading, const char *why)
{
	error_set(reading->err, 0, "%s at \"%.100s\"", why, reading->at);
	return error_hint(reading->err, "write 'text', true, false, a number, a list in brackets, or a type before them: uint64 5, "
					"int32 -1, double 0.5 (GVariant's text format)");
}

static void skip_blanks(struct reading *reading)
{
	reading->at += strspn(reading->at, " \t\n");
}

static bool is_signed(char type)
{
	return type == 'n' || type == 'i' || type == 'x';
}

static int read_text(struct reading *reading, union value_one *ret)
{
	char  quote = *reading->at++;
	char *copy = arena_alloc(reading->arena, strlen(reading->at) + 1, 1), *to = copy;

	if (copy == NULL)
		return error_set(reading->err, ENOMEM, "property");
	for (; *reading->at != quote; reading->at++) {
		if (*reading->at == '\\' && reading->at[1] != '\0')
			reading->at++;
		if (*reading->at == '\0')
			return fail(reading, "a text without its end");
		*to++ = *reading->at;
	}
	reading->at++;
	ret->text = copy;
	return 0;
}

static int read_number(struct reading *reading, char letter, union value_one *ret)
{
	const struct type *type = type_of(letter);
	char *end;

	errno = 0;
	if (letter == 'd')
		ret->real = strtod(reading->at, &end);
	else if (is_signed(letter))
		ret->integer = strtoll(reading->at, &end, 0);
	else
		ret->unsigned_integer = strtoull(reading->at, &end, 0);
	bool in_range = letter == 'd' ? isfinite(ret->real)
		: is_signed(letter) ? ret->integer >= type->min && ret->integer <= (int64_t)type->max
		: ret->unsigned_integer <= type->max && *reading->at != '-';
	if (end == reading->at || errno != 0 || !in_range || strchr(" \t\n,]", *end) == NULL)
		return fail(reading, "no number of its type");
	reading->at = end;
	return 0;
}

/* The type that is written before a value, or 0. @type_list: it is "@a?", of a list. */
static int read_type(struct reading *reading, char *ret_letter, bool *ret_list)
{
	*ret_letter = 0;
	*ret_list = false;
	if (*reading->at == '@') {
		const char *at = reading->at + 1;

		*ret_list = *at == 'a';
		at += *ret_list;
		if (type_of(*at) == NULL || strchr(" \t\n", at[1]) == NULL || at[1] == '\0')
			return fail(reading, "an unknown type");
		*ret_letter = *at;
		reading->at = at + 1;
		skip_blanks(reading);
		return 0;
	}
	size_t length = strspn(reading->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	if (length == 0 || (length == 4 && str_starts(reading->at, "true")) || (length == 5 && str_starts(reading->at, "false")) ||
	    (reading->at[0] >= '0' && reading->at[0] <= '9') || strchr(" \t\n", reading->at[length]) == NULL ||
	    reading->at[length] == '\0')
		return 0;
	for (size_t i = 0; i < array_size(types); i++)
		if (strlen(types[i].name) == length && strncmp(types[i].name, reading->at, length) == 0)
			*ret_letter = types[i].letter;
	if (*ret_letter == 0)
		return fail(reading, "an unknown type");
	reading->at += length;
	skip_blanks(reading);
	return 0;
}

/* The type of a value that none is written before. */
static char guess_type(const struct reading *reading)
{
	const char *at = reading->at;

	if (*at == '\'' || *at == '"')
		return 's';
	if (str_starts(at, "true") || str_starts(at, "false"))
		return 'b';
	if (at[strspn(at, "+-0123456789")] == '.')
		return 'd';
	if (strchr("+-0123456789", *at) == NULL || *at == '\0')
		return 0;
	return reading->number_type != 0 ? reading->number_type : *at == '-' ? 'x' : 't';
}

/* One value, no list. @type: what it must be, or 0; its type comes back in it. */
static int read_one(struct reading *reading, char *type, union value_one *ret)
{
	bool list;
	char letter;

	if (read_type(reading, &letter, &list) < 0)
		return -EINVAL;
	char found = guess_type(reading);
	if (letter == 0)
		letter = *type != 0 ? *type : found;
	bool fits = letter == found || (strchr("sog", letter) != NULL ? found == 's' : letter == 'd' ? strchr("xtid", found) != NULL
					: letter != 'b' && found != 0 && strchr("sbd", found) == NULL);
	if (list || letter == 0 || found == 0 || (*type != 0 && *type != letter) || !fits)
		return fail(reading, "no value of its type");
	*type = letter;
	if (letter == 'b') {
		ret->truth = *reading->at == 't';
		reading->at += ret->truth ? strlen("true") : strlen("false");
		return 0;
	}
	return strchr("sog", letter) != NULL ? read_text(reading, ret) : read_number(reading, letter, ret);
}

static int read_list(struct reading *reading, struct value *value)
{
	value->is_list = true;
	reading->at++;
	for (skip_blanks(reading); *reading->at != ']'; skip_blanks(reading)) {
		union value_one *items = arena_grow(reading->arena, value->items, value->count, sizeof(*items));

		if (items == NULL)
			return error_set(reading->err, ENOMEM, "property");
		value->items = items;
		if (read_one(reading, &value->type, &items[value->count]) < 0)
			return -reading->err->code;
		value->count++;
		skip_blanks(reading);
		if (*reading->at == ',')
			reading->at++;
		else if (*reading->at != ']')
			return fail(reading, "neither a comma nor the end of the list");
	}
	reading->at++;
	return value->type != 0 ? 0 : fail(reading, "an empty list needs a type (@as [])");
}

int value_read(const char *text, char number_type, struct arena *arena, struct value *ret_value, struct error *err)
{
	struct reading reading = { text, number_type, arena, err };
	bool list = false;
	int  ret;

	*ret_value = (struct value){ .type = 0 };
	skip_blanks(&reading);
	if (*reading.at == '@' && reading.at[1] == 'a' && read_type(&reading, &ret_value->type, &list) < 0)
		return -EINVAL;
	if (list != (*reading.at == '[') && list)
		return fail(&reading, "no list");
	if (*reading.at == '[') {
		ret = read_list(&reading, ret_value);
	} else {
		ret_value->items = arena_alloc(arena, 1, sizeof(*ret_value->items));
		ret_value->count = 1;
		ret = ret_value->items == NULL ? error_set(err, ENOMEM, "property")
					       : read_one(&reading, &ret_value->type, ret_value->items);
	}
	skip_blanks(&reading);
	return ret == 0 && *reading.at != '\0' ? fail(&reading, "something behind the value") : ret;
}

int value_seconds_to_us(struct value *value, struct error *err)
{
	union value_one *one = value->items;
	double seconds = -1;

	if (!value->is_list && value->type == 's' && strcmp(one->text, "infinity") == 0) {
		one->unsigned_integer = UINT64_MAX;
		value->type = 't';
		return 0;
	}
	if (!value->is_list && value->type == 'd')
		seconds = one->real;
	else if (!value->is_list && is_signed(value->type))
		seconds = (double)one->integer;
	else if (!value->is_list && strchr("yqut", value->type) != NULL)
		seconds = (double)one->unsigned_integer;
	if (seconds < 0 || seconds > 1e12)
		return error_set(err, 0, "a time in seconds is a number that is not negative, or 'infinity'");
	one->unsigned_integer = (uint64_t)(seconds * 1e6 + 0.5);
	value->type = 't';
	return 0;
}
