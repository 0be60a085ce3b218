/* main.c - find the command, parse, run, print the one error, exit status. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cmd/command.h"

#define EXIT_UNKNOWN_COMMAND 3 /* as runc */

/* A closed stdin, stdout or stderr would be taken by the next file that we open, and the container
 * would get that (CVE-2026-88265). */
static int open_stdio(struct error *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_NOCTTY) < 0)
			return error_at(err, errno, "/dev/null", "open for a closed stdin, stdout or stderr");
	return 0;
}

/* go-runc reads nothing but what begins with "runc version": a link with that name, for its users, says so. */
static int print_version(const char *called)
{
	const struct scmp_version *seccomp = seccomp_version();
	const char *slash = strrchr(called, '/');
	const char *name = strcmp(slash ? slash + 1 : called, "runc") == 0 ? "runc" : "moss";

	printf("%s version %s\ncommit: %s\nspec: 1.3.0\nlibseccomp: %u.%u.%u\n", name, PACKAGE_VERSION, MOSS_COMMIT,
	       seccomp->major, seccomp->minor, seccomp->micro);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int one_of(const char *option, const char *value, const char *const *allowed, struct error *err)
{
	if (value == NULL)
		return 0;
	for (; *allowed != NULL; allowed++)
		if (strcmp(value, *allowed) == 0)
			return 0;
	return error_set(err, 0, "invalid %s: %s", option, value);
}

static int check_global(const struct global_options *global, struct error *err)
{
	static const char *const formats[] = { "text", "json", NULL };
	static const char *const levels[] = { "error", "warning", "info", "debug", NULL };
	static const char *const managers[] = { "cgroupfs", "disabled", "systemd", NULL };
	static const char *const rootless[] = { "true", "false", "auto", NULL };
	static const char *const degrade[] = { "error", "warn", NULL };

	if (one_of("log-format", global->log_format, formats, err) < 0 ||
	    one_of("log-level", global->log_level, levels, err) < 0 ||
	    one_of("cgroup-manager", global->cgroup_manager, managers, err) < 0 ||
	    one_of("rootless", global->rootless, rootless, err) < 0 ||
	    one_of("degrade", global->degrade, degrade, err) < 0)
		return -err->code;
	return 0;
}

static enum log_level log_level_of(const struct global_options *global)
{
	if (global->debug)
		return LOG_LEVEL_DEBUG;
	switch (global->log_level ? global->log_level[0] : 'i') {
	case 'e': return LOG_LEVEL_ERROR;
	case 'w': return LOG_LEVEL_WARNING;
	case 'd': return LOG_LEVEL_DEBUG;
	default:  return LOG_LEVEL_INFO;
	}
}

static const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static int unknown_command(const char *name, struct error *err)
{
	if (command_is_planned(name))
		return error_set(err, 0, "moss %s is not supported yet", name);
	error_set(err, 0, "unknown command \"%s\"", name);
	err->exit_status = EXIT_UNKNOWN_COMMAND;
	return error_hint(err, "moss --help lists the commands");
}

/* Returns the exit status, or -errno with @err set. */
static int command_call(const struct global_options *global, int argc, char **argv, struct error *err)
{
	const struct command *command = command_find(argv[0]);
	bool help = false;

	if (strcmp(argv[0], "help") == 0)
		return command_help(argc > 1 ? command_find(argv[1]) : NULL);
	if (command == NULL)
		return unknown_command(argv[0], err);
	void *options = calloc(1, command->size);
	if (options == NULL)
		return error_set(err, ENOMEM, "options");
	struct option_target target = { command->options, options, command->stop_at_argument };
	int count = command_parse(&target, argc - 1, argv + 1, &help, err);
	int ret;
	if (help) {
		ret = command_help(command);
	} else if (count < 0) {
		error_hint(err, "moss %s --help lists its options", command->name);
		ret = error_step(err, "%s", command->name);
	} else if (count < command->arguments_min || count > command->arguments_max) {
		error_set(err, 0, "\"%s\" takes %s", command->name, command->arguments[0] ? command->arguments : "no argument");
		ret = error_hint(err, "moss %s --help", command->name);
	} else {
		argv[count + 1] = NULL;
		ret = command->run(global, options, argv + 1, err);
	}
	command_free_lists(&target);
	free(options);
	return ret;
}

int main(int argc, char **argv)
{
	struct global_options global = { 0 };
	struct option_target  target = { global_option_table, &global, true };
	struct error err = { 0 }, log_err = { 0 };
	bool help = false;

	/* Set-user-id, set-group-id or file capabilities: moss was not written for that, and must not
	 * even open its log with somebody else's rights. */
	if (getauxval(AT_SECURE) != 0) {
		error_set(&err, EPERM, "moss does not run set-user-id, set-group-id or with file capabilities");
		error_hint(&err, "chmod ug-s, setcap -r");
		log_error(&err);
		return EXIT_FAILURE;
	}
	/* A caller that ignores SIGCHLD would make our children vanish before we can ask for their
	 * status. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	int ret = open_stdio(&err);
	int count = ret < 0 ? ret : command_parse(&target, argc - 1, argv + 1, &help, &err);
	if (count >= 0)
		ret = check_global(&global, &err);
	else
		ret = count;
	struct log_options log = { .file = global.log, .level = log_level_of(&global),
				   .json = global.log_format != NULL && strcmp(global.log_format, "json") == 0 };
	if (log_open(&log, &log_err) < 0 && ret >= 0) {
		err = log_err;
		ret = -err.code;
	}
	if (ret >= 0) {
		if (global.version)
			ret = print_version(argc > 0 ? argv[0] : "");
		else if (help || count == 0)
			ret = command_help(NULL);
		else
			ret = command_call(&global, count, argv + 1, &err);
	}
	if (ret >= 0)
		return ret;
	command_explain(&err);
	log_error(&err);
	return err.exit_status != 0 ? err.exit_status : EXIT_FAILURE;
}
