/* rdt_schemata.c - see rdt_schemata.h. Side: host; pure. */
#define _GNU_SOURCE
#include "host/rdt_schemata.h"

#include <stddef.h>
#include <string.h>

struct word { /* a part of a text */
	const char *at;
	size_t      length;
};

/* What stands before any of @ends, without blanks around it; *@text is moved behind that. */
static struct word word_take(const char **text, const char *ends)
{
	struct word word = { *text + strspn(*text, " \t"), 0 };
	const char *end = word.at + strcspn(word.at, ends);

	*text = *end != '\0' ? end + 1 : end;
	while (end > word.at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	word.length = (size_t)(end - word.at);
	return word;
}

static struct word without_zeros(struct word word)
{
	while (word.length > 1 && word.at[0] == '0') {
		word.at++;
		word.length--;
	}
	return word;
}

static bool is_same(struct word one, struct word other)
{
	return one.length == other.length && strncasecmp(one.at, other.at, one.length) == 0;
}

/* The value of @domain in "0=ff;1=f", up to the line's end. */
static bool has_value(const char *domains, struct word domain, struct word value)
{
	while (*domains != '\0' && *domains != '\n') {
		const char *end = domains + strcspn(domains, ";\n"), *rest = domains;
		struct word there = word_take(&rest, "=;\n");

		if (rest <= end && is_same(without_zeros(there), without_zeros(domain)))
			return is_same(without_zeros(word_take(&rest, ";\n")), without_zeros(value));
		domains = *end == ';' ? end + 1 : end;
	}
	return false;
}

/* The domains of resource @name, or NULL. */
static const char *find_resource(const char *text, struct word name)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		const char *rest = text;

		if (memchr(text, ':', length) != NULL && is_same(word_take(&rest, ":"), name))
			return rest;
		text += length + (text[length] == '\n');
	}
	return NULL;
}

bool rdt_schemata_has(const char *text, const char *line)
{
	const char *domains = find_resource(text, word_take(&line, ":"));

	while (domains != NULL && *line != '\0') {
		const char *pair = line;
		struct word domain = word_take(&pair, "=;"), value = { "", 0 };
		size_t length = strcspn(line, ";");

		if (memchr(line, '=', length) != NULL)
			value = word_take(&pair, ";");
		if ((domain.length > 0 || value.length > 0) && !has_value(domains, domain, value))
			return false;
		line += length + (line[length] == ';');
	}
	return domains != NULL;
}
