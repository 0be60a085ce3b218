/* ps.c - `ps`: a container's processes, as the host's ps(1) shows them. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/run.h"
#include "base/str.h"
#include "cmd/commands.h"
#include "host/processes.h"
#include "host/state.h"

#define OUTPUT_MAX_BYTES (32 * 1024 * 1024)

static int print_json(const struct process_list *list)
{
	printf("[");
	for (size_t i = 0; i < list->count; i++)
		printf("%s%d", i > 0 ? "," : "", (int)list->pids[i]);
	printf("]\n");
	return 0;
}

static bool has(const struct process_list *list, uint64_t pid)
{
	for (size_t i = 0; i < list->count; i++)
		if ((uint64_t)list->pids[i] == pid)
			return true;
	return false;
}

/* Which of the words of this header is PID? -1: none. */
static int find_column(const char *header)
{
	int column = 0;

	for (const char *at = header + strspn(header, " "); *at != '\0'; column++) {
		size_t length = strcspn(at, " ");

		if (length == 3 && strncmp(at, "PID", 3) == 0)
			return column;
		at += length;
		at += strspn(at, " ");
	}
	return -1;
}

static bool is_shown(const char *line, int column, const struct process_list *list)
{
	char word[16] = "";
	uint64_t pid;

	line += strspn(line, " ");
	for (; column > 0; column--) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(line, " "), line);
	return str_to_uint(word, INT32_MAX, &pid) && has(list, pid);
}

static int print_table(char *text, const struct process_list *list, struct error *err)
{
	char *rest = text, *line = strsep(&rest, "\n");
	int   column = find_column(line);

	if (column < 0) {
		error_set(err, 0, "ps: its output has no column PID: couldn't find PID field in ps output");
		return error_hint(err, "options like -ef, or -o pid,args, have one");
	}
	puts(line);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (is_shown(line, column, list))
			puts(line);
	return 0;
}

/* Run the host's ps with @options, or -ef. */
static int run_ps(char **options, char *text, size_t size, struct error *err)
{
	char path[4096];
	size_t count = 0;
	struct run run = { .pidfd = -1, .output = -1 };

	if (run_find("ps", path, sizeof(path)) < 0)
		strcpy(path, "/bin/ps"); /* where /usr is not merged */
	if (access(path, X_OK) < 0) {
		error_set(err, ENOENT, "ps");
		return error_hint(err, "install procps, or use --format json");
	}
	while (options[count] != NULL)
		count++;
	mem_owned char **argv = calloc(count + 3, sizeof(*argv));
	char all[] = "-ef";
	if (argv == NULL)
		return error_set(err, ENOMEM, "ps");
	argv[0] = path;
	argv[1] = all;
	if (count > 0)
		memcpy(argv + 1, options, count * sizeof(*argv));
	int status = run_start(&run, argv, STDOUT_FILENO, err);
	if (status == 0)
		status = run_wait(&run, text, size, err);
	run_end(&run);
	if (status < 0)
		return status;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		error_set(err, 0, "ps: failed (%s %d)", WIFEXITED(status) ? "exit status" : "signal",
			  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		return error_hint(err, "%s with the same options says why", path);
	}
	return 0;
}

static int list_processes(const struct global_options *global, const char *id, struct process_list *ret_list, struct error *err)
{
	command_container_owned container = { .root.fd = -1, .dir_fd = -1, .pidfd = -1 };

	if (command_container_open(global, id, false, &container, err) < 0)
		return -err->code;
	if (container.pidfd < 0)
		return error_at(err, 0, id, "container not running");
	return processes_list(&container.state, container.dir_fd, ret_list, err);
}

int ps_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct ps_options *options = fields;
	const char *format = options->format ? options->format : "table";
	process_list_owned list = { 0 };
	int ret;

	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return error_set(err, 0, "invalid format option \"%s\": table or json", format);
	if (list_processes(global, arguments[0], &list, err) < 0)
		return -err->code;
	if (strcmp(format, "json") == 0) {
		ret = print_json(&list);
	} else {
		mem_owned char *text = malloc(OUTPUT_MAX_BYTES);

		if (text == NULL)
			return error_set(err, ENOMEM, "ps");
		ret = run_ps(arguments + 1, text, OUTPUT_MAX_BYTES, err);
		if (ret == 0)
			ret = print_table(text, &list, err);
	}
	if (ret == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		return error_set(err, errno ? errno : EIO, "write to stdout");
	return ret;
}
