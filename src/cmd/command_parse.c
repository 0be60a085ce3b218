/* command_parse.c - argv into a command's struct; the tables as help. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cmd/command.h"
#include "spec/spec.h"

/* The option that "--name", "-name" or "-n" (up to @length) names, or NULL. */
static const struct option *option_find(const struct option *options, const char *name, size_t length)
{
	for (; options->name != NULL; options++)
		if ((strlen(options->name) == length && memcmp(options->name, name, length) == 0) ||
		    (length == 1 && options->key != 0 && options->key == name[0]))
			return options;
	return NULL;
}

static int list_add(struct spec_texts *list, const char *value, struct error *err)
{
	const char **texts = realloc(list->texts, (list->count + 2) * sizeof(*texts));

	if (texts == NULL)
		return error_set(err, ENOMEM, "options");
	texts[list->count++] = value;
	texts[list->count] = NULL;
	list->texts = texts;
	return 0;
}

void command_free_lists(const struct option_target *target)
{
	for (const struct option *option = target->options; option->name != NULL; option++)
		if (option->kind == OPTION_LIST)
			free(((struct spec_texts *)((char *)target->fields + option->at))->texts);
}

static int option_store(const struct option *option, const char *value, void *fields, struct error *err)
{
	void    *field = (char *)fields + option->at;
	uint64_t number;

	switch (option->kind) {
	case OPTION_FLAG:
		if (value != NULL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return error_set(err, 0, "--%s: \"%s\" is neither true nor false", option->name, value);
		*(bool *)field = value == NULL || strcmp(value, "true") == 0;
		return 0;
	case OPTION_TEXT:
		*(const char **)field = value;
		return 0;
	case OPTION_NUMBER:
		if (!str_to_uint(value, INT32_MAX, &number))
			return error_set(err, 0, "--%s: \"%s\" is not a number from 0 to %d", option->name, value, INT32_MAX);
		*(unsigned *)field = (unsigned)number;
		return 0;
	case OPTION_LIST:
		return list_add(field, value, err);
	}
	return error_set(err, 0, "--%s", option->name);
}

int command_parse(const struct option_target *target, int argc, char **argv, bool *ret_help, struct error *err)
{
	int arguments = 0;

	*ret_help = false;
	for (int i = 0; i < argc; i++) {
		const char *name = argv[i];

		if (name[0] != '-' || name[1] == '\0') {
			if (target->stop_at_argument) {
				memmove(argv, argv + i, (size_t)(argc - i) * sizeof(*argv));
				return argc - i;
			}
			argv[arguments++] = argv[i];
			continue;
		}
		if (strcmp(name, "--") == 0) {
			for (i++; i < argc; i++)
				argv[arguments++] = argv[i];
			break;
		}
		name += name[1] == '-' ? 2 : 1;
		size_t      length = strcspn(name, "=");
		const char *value = name[length] == '=' ? name + length + 1 : NULL;
		if (value == NULL && (strcmp(name, "help") == 0 || strcmp(name, "h") == 0)) {
			*ret_help = true;
			return 0;
		}
		const struct option *option = option_find(target->options, name, length);
		if (option == NULL)
			return error_set(err, 0, "unknown option \"%s\"", argv[i]);
		if (value == NULL && option->kind != OPTION_FLAG) {
			if (i + 1 >= argc)
				return error_set(err, 0, "option \"%s\" needs a value", argv[i]);
			value = argv[++i];
		}
		if (option_store(option, value, target->fields, err) < 0)
			return -err->code;
	}
	return arguments;
}

static void help_options(const struct option *options)
{
	for (; options->name != NULL; options++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s%s%c", options->name, options->value ? " " : "",
			 options->value ? options->value : "", options->key ? ", -" : "", options->key);
		printf("   %-28s %s\n", left, options->help);
	}
	printf("   %-28s %s\n", "--help, -h", "show this help");
}

int command_help(const struct command *command)
{
	if (command != NULL) {
		printf("moss %s - %s\n\nUsage:\n   moss %s [options]%s%s\n\nOptions:\n", command->name, command->help,
		       command->name, command->arguments[0] ? " " : "", command->arguments);
		help_options(command->options);
	} else {
		printf("moss - run OCI containers, as a normal user first\n\n"
		       "Usage:\n   moss [options] COMMAND [options] [arguments]\n\nCommands:\n");
		for (command = commands; command->name != NULL; command++)
			printf("   %-8s %-14s %s\n", command->name, command->arguments, command->help);
		printf("\nOptions:\n");
		help_options(global_option_table);
		printf("\nmoss COMMAND --help tells more of a command.\n");
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
