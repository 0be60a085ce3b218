/* command.h - how a command and its options are declared. Side: host.
 *
 * One table entry feeds the parser and --help; nothing about a command is written twice.
 */
#ifndef MOSS_COMMAND_H
#define MOSS_COMMAND_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_NUMBER, /* unsigned; 0 to 2^31 - 1 */
	OPTION_LIST,   /* struct spec_texts: may be given more than once */
};

struct option {
	const char      *name;  /* without "--"; NULL ends the table */
	char             key;   /* one letter, or 0 */
	enum option_kind kind;
	size_t           at;    /* offset of the field in the command's own struct */
	const char      *value; /* name of the value in --help; NULL for a flag */
	const char      *help;
};

struct global_options { /* before the command */
	bool        debug, systemd_cgroup, help, version;
	const char *log, *log_format, *log_level, *root, *rootless, *cgroup_manager, *degrade;
};

struct command {
	const char          *name, *arguments, *help;
	const struct option *options;
	int                  arguments_min, arguments_max;
	size_t               size;             /* of the command's own struct, zeroed before parsing */
	bool                 stop_at_argument; /* options end at the first argument: kill ID -9 */
	/* Returns the exit status, or -errno with @err set. */
	int (*run)(const struct global_options *global, const void *options, char **arguments, struct error *err);
};

extern const struct option  global_option_table[];
extern const struct command commands[]; /* ended by a NULL name */

/* Is it a command of the command line that this build does not have yet? */
bool command_is_planned(const char *name);

/* Fill @fields from @argv, starting at argv[0]. Options may stand behind arguments unless
 * @stop_at_argument; the arguments are moved to the front of @argv. Texts are lent by @argv, lists are to be freed: command_free_lists().
 * "--help" and "-h" set *@ret_help and end the parsing.
 * Returns the number of arguments, or -EINVAL with @err set. */
struct option_target {
	const struct option *options;
	void                *fields;
	bool                 stop_at_argument;
};
int command_parse(const struct option_target *target, int argc, char **argv, bool *ret_help, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Free the lists among the fields. */
void command_free_lists(const struct option_target *target) __attribute__((nonnull));

/* A system call was not there (ENOSYS): find out which, and since when Linux has it, for the hint. */
void command_explain(struct error *err) __attribute__((nonnull));

/* Print the help of a command, or of moss with NULL, to stdout. Returns 0, or 1 when it can't be written. */
int command_help(const struct command *command);

#endif
