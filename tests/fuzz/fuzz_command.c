/* fuzz_command.c - any command line at all, against the tables of every command. Side: host.
 *
 * One word a line: global options, the command, its options and arguments. Nothing is run.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>

#include "cmd/command.h"
#include "spec/spec.h"

#define WORDS_MAX 64 /* of the input */
#define LINE_MAX_WORDS (3 * WORDS_MAX)

struct line { /* a command line */
	char *words[LINE_MAX_WORDS]; /* the parser moves them about */
	char *given[LINE_MAX_WORDS]; /* as they were */
	int   count;
	void *fields; /* the command's own struct */
	int   arguments;
	bool  help;
};

static const void *field_of(const struct line *line, const struct option *option)
{
	return (const char *)line->fields + option->at;
}

static size_t field_size(const struct option *option)
{
	switch (option->kind) {
	case OPTION_FLAG:   return sizeof(bool);
	case OPTION_NUMBER: return sizeof(unsigned);
	case OPTION_LIST:   return sizeof(struct spec_texts);
	default:            return sizeof(const char *);
	}
}

static unsigned char flag_of(const struct line *line, const struct option *option)
{
	return *(const unsigned char *)field_of(line, option);
}

static unsigned number_of(const struct line *line, const struct option *option)
{
	return *(const unsigned *)field_of(line, option);
}

static const char *text_of(const struct line *line, const struct option *option)
{
	return *(const char *const *)field_of(line, option);
}

static const struct spec_texts *list_of(const struct line *line, const struct option *option)
{
	return field_of(line, option);
}

/* Is @text (the end of) one of the words that were given? */
static bool is_lent(const struct line *line, const char *text)
{
	for (int i = 0; i < line->count; i++)
		if (text >= line->given[i] && text <= line->given[i] + strlen(line->given[i]))
			return true;
	return false;
}

static void promises_of_list(const struct line *line, const struct spec_texts *list)
{
	promise(list->count <= (size_t)line->count && (list->texts == NULL) == (list->count == 0));
	for (size_t i = 0; i < list->count; i++)
		promise(is_lent(line, list->texts[i]));
	promise(list->texts == NULL || list->texts[list->count] == NULL);
}

/* The fields hold what their kind allows, and nothing but declared fields was written to. */
static void promises_of_fields(const struct line *line, const struct option *options, size_t size)
{
	unsigned char *declared = calloc(1, size);

	for (const struct option *option = options; option->name != NULL; option++) {
		promise(option->at + field_size(option) <= size);
		memset(declared + option->at, 1, field_size(option));
		if (option->kind == OPTION_FLAG)
			promise(flag_of(line, option) <= 1);
		else if (option->kind == OPTION_NUMBER)
			promise(number_of(line, option) <= INT32_MAX);
		else if (option->kind == OPTION_LIST)
			promises_of_list(line, list_of(line, option));
		else
			promise(text_of(line, option) == NULL || is_lent(line, text_of(line, option)));
	}
	for (size_t i = 0; i < size; i++)
		promise(declared[i] || ((const unsigned char *)line->fields)[i] == 0);
	free(declared);
}

/* The arguments are whole words, in the order in which they were given. */
static void promises_of_arguments(const struct line *line, bool stop_at_argument)
{
	int from = 0;

	promise(line->arguments <= line->count);
	for (int i = 0; i < line->arguments; i++, from++) {
		while (from < line->count && line->given[from] != line->words[i])
			from++;
		promise(from < line->count);
	}
	/* From the first one on every word is an argument. */
	if (stop_at_argument && line->arguments > 0)
		promise(line->words[0] == line->given[line->count - line->arguments]);
}

static void parse(struct line *line, const struct option *options, size_t size, bool stop_at_argument)
{
	struct error err = { 0 };

	line->fields = calloc(1, size); /* no larger than the table says */
	promise(line->fields != NULL);
	struct option_target target = { options, line->fields, stop_at_argument };
	memcpy(line->given, line->words, sizeof(line->given));
	line->arguments = command_parse(&target, line->count, line->words, &line->help, &err);
	promise(line->arguments >= 0 ||
		(line->arguments == -EINVAL && err.code == EINVAL && err.cause[0] != '\0'));
	promise(!line->help || line->arguments == 0);
	promises_of_fields(line, options, size);
	if (line->arguments > 0)
		promises_of_arguments(line, stop_at_argument);
}

static void __attribute__((format(printf, 2, 3))) add(struct line *line, const char *format, ...)
{
	va_list ap;

	promise(line->count < LINE_MAX_WORDS);
	va_start(ap, format);
	int size = vasprintf(&line->words[line->count++], format, ap);
	va_end(ap);
	promise(size >= 0);
}

/* The words that say the same: every option once, in the order of the table, then the arguments. */
static void say(const struct line *line, const struct option *options, struct line *ret_said)
{
	*ret_said = (struct line){ .count = 0 };
	for (const struct option *option = options; option->name != NULL; option++) {
		if (option->kind == OPTION_FLAG) {
			add(ret_said, "--%s=%s", option->name, flag_of(line, option) ? "true" : "false");
		} else if (option->kind == OPTION_NUMBER) {
			add(ret_said, "-%s", option->name);
			add(ret_said, "%u", number_of(line, option));
		} else if (option->kind == OPTION_LIST) {
			for (size_t i = 0; i < list_of(line, option)->count; i++) {
				add(ret_said, "--%s", option->name);
				add(ret_said, "%s", list_of(line, option)->texts[i]);
			}
		} else if (text_of(line, option) != NULL && option->key != 0) {
			add(ret_said, "-%c", option->key);
			add(ret_said, "%s", text_of(line, option));
		} else if (text_of(line, option) != NULL) {
			add(ret_said, "--%s=%s", option->name, text_of(line, option));
		}
	}
	add(ret_said, "--");
	for (int i = 0; i < line->arguments; i++)
		add(ret_said, "%s", line->words[i]);
}

static void same(const struct line *a, const struct line *b, const struct option *options)
{
	promise(a->arguments == b->arguments && !b->help);
	for (int i = 0; i < a->arguments; i++)
		promise(strcmp(a->words[i], b->words[i]) == 0);
	for (const struct option *option = options; option->name != NULL; option++) {
		if (option->kind == OPTION_FLAG) {
			promise(flag_of(a, option) == flag_of(b, option));
		} else if (option->kind == OPTION_NUMBER) {
			promise(number_of(a, option) == number_of(b, option));
		} else if (option->kind == OPTION_LIST) {
			const struct spec_texts *one = list_of(a, option), *other = list_of(b, option);

			promise(one->count == other->count);
			for (size_t i = 0; i < one->count; i++)
				promise(strcmp(one->texts[i], other->texts[i]) == 0);
		} else {
			const char *one = text_of(a, option), *other = text_of(b, option);

			promise(one == NULL || other == NULL ? one == other : strcmp(one, other) == 0);
		}
	}
}

static void fields_free(struct line *line, const struct option *options)
{
	struct option_target target = { options, line->fields, false };

	command_free_lists(&target);
	free(line->fields);
}

/* Parse @line; then say what was understood in other words, which must be understood as the same. */
static void understand(struct line *line, const struct option *options, size_t size, bool stop_at_argument)
{
	struct line said;

	parse(line, options, size, stop_at_argument);
	if (line->arguments < 0 || line->help)
		return;
	say(line, options, &said);
	parse(&said, options, size, stop_at_argument);
	same(line, &said, options);
	for (int i = 0; i < said.count; i++)
		free(said.given[i]);
	fields_free(&said, options);
}

/* The command that @line's first argument names, with the words behind it. */
static const struct command *command_of(const struct line *line, struct line *ret_rest)
{
	*ret_rest = (struct line){ .count = 0 };
	for (const struct command *command = commands; line->arguments > 0 && command->name != NULL; command++) {
		if (strcmp(command->name, line->words[0]) != 0)
			continue;
		ret_rest->count = line->arguments - 1;
		memcpy(ret_rest->words, line->words + 1, (size_t)ret_rest->count * sizeof(line->words[0]));
		return command;
	}
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size), *rest = text, *word;
	struct line line = { .count = 0 }, own;

	while (line.count < WORDS_MAX && (word = strsep(&rest, "\n")) != NULL)
		line.words[line.count++] = word;
	understand(&line, global_option_table, sizeof(struct global_options), true);
	const struct command *command = line.help ? NULL : command_of(&line, &own);
	if (command != NULL) {
		understand(&own, command->options, command->size, command->stop_at_argument);
		fields_free(&own, command->options);
	}
	fields_free(&line, global_option_table);
	free(text);
	return 0;
}
