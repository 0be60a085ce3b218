/* state.c - `state` and `list`. Side: host. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/commands.h"
#include "host/state.h"
#include "spec/json_make.h"

struct entry { /* one container, as it is shown */
	char  id[256], owner[64], status[16];
	pid_t pid; /* 0 when it has stopped */
	const char *network; /* of its helper: running, ended; NULL: it has none */
	struct state state;
};

static struct json_object *entry_json(const struct entry *entry)
{
	struct json_object *json = json_object_new_object(), *annotations;
	const struct state *state = &entry->state;

	json_add_text(json, "ociVersion", state->oci_version);
	json_add_text(json, "id", entry->id);
	json_object_object_add(json, "pid", json_object_new_int(entry->pid));
	json_add_text(json, "status", entry->status);
	json_add_text(json, "bundle", state->bundle);
	json_add_text(json, "rootfs", state->rootfs);
	json_add_text(json, "created", state->created);
	if (state->annotations_count > 0 || entry->network != NULL) {
		annotations = json_object_new_object();
		for (size_t i = 0; i < state->annotations_count; i++)
			json_add_text(annotations, state->annotations[i].name, state->annotations[i].value);
		if (entry->network != NULL)
			json_add_text(annotations, "org.moss.network.status", entry->network);
		json_object_object_add(json, "annotations", annotations);
	}
	json_add_text(json, "owner", entry->owner);
	return json;
}

/* Print @json and free it. Returns 0, or -errno with @err set. */
static int print_json(struct json_object *json, int flags, struct error *err)
{
	const char *text = json_object_to_json_string_ext(json, flags | JSON_C_TO_STRING_NOSLASHESCAPE);
	int ret = text == NULL || printf("%s\n", text) < 0 || fflush(stdout) != 0 ? errno : 0;

	json_object_put(json);
	return ret != 0 ? error_set(err, ret, "write to stdout") : 0;
}

/* Is the network helper still there? */
static const char *network_status(int dir, const struct state *state)
{
	fd_owned pidfd = -1;

	if (state->network.pid <= 0)
		return NULL;
	return state_open_network(dir, state, &pidfd) == 0 && pidfd >= 0 ? "running" : "ended";
}

static int entry_read(const struct state_root *root, const char *id, struct entry *entry, struct error *err)
{
	fd_owned dir = -1, pidfd = -1;

	memset(entry, 0, sizeof(*entry));
	snprintf(entry->id, sizeof(entry->id), "%s", id);
	int ret = state_open_read(root, id, false, &dir, &entry->state, err);
	if (dir >= 0)
		state_owner(dir, entry->owner, sizeof(entry->owner));
	if (ret < 0)
		return ret;
	int status = state_status(dir, &entry->state, false, &pidfd, err);
	if (status < 0)
		return status;
	snprintf(entry->status, sizeof(entry->status), "%s", state_status_name((enum state_status)status));
	entry->network = network_status(dir, &entry->state);
	entry->pid = pidfd >= 0 ? entry->state.pid : 0;
	return 0;
}

int state_run(const struct global_options *global, const void *options, char **arguments, struct error *err)
{
	state_root_owned root = { .fd = -1 };
	struct entry entry;

	(void)options;
	if (state_check_id(arguments[0], err) < 0 || command_root(global, false, &root, err) < 0)
		return -err->code;
	int ret = entry_read(&root, arguments[0], &entry, err);
	if (ret == 0)
		ret = print_json(entry_json(&entry), JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED, err);
	state_free(&entry.state);
	return ret;
}

struct entries {
	struct entry *list;
	size_t        count, room;
};

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

static int entries_add(struct entries *entries, const struct state_root *root, const char *id, struct error *err)
{
	struct error why = { 0 };
	char text[ERROR_TEXT_MAX];

	if (entries->count == entries->room) {
		size_t room = entries->room * 2 + 16;
		struct entry *list = realloc(entries->list, room * sizeof(*list));

		if (list == NULL)
			return error_set(err, ENOMEM, "list");
		entries->list = list;
		entries->room = room;
	}
	struct entry *entry = &entries->list[entries->count];
	int ret = entry_read(root, id, entry, &why);
	if (ret == -ENOENT && entry->owner[0] == '\0') /* deleted meanwhile */
		return 0;
	if (ret < 0) {
		error_text(&why, text, sizeof(text));
		log_line(LOG_LEVEL_WARNING, "%s: %s", id, text);
		snprintf(entry->status, sizeof(entry->status), "unknown");
	}
	entries->count++;
	return 0;
}

static int entries_read(struct entries *entries, const struct state_root *root, struct error *err)
{
	struct error ignored;
	struct dirent *item;
	int   copy = root->fd < 0 ? -1 : openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR  *dir = copy < 0 ? NULL : fdopendir(copy);

	if (root->fd < 0)
		return 0; /* the default directory, not made yet */
	if (dir == NULL)
		return error_at(err, errno, root->path, "read the state directory");
	while (ret == 0 && (item = readdir(dir)) != NULL)
		if ((item->d_type == DT_DIR || item->d_type == DT_UNKNOWN) && state_check_id(item->d_name, &ignored) == 0)
			ret = entries_add(entries, root, item->d_name, err);
	closedir(dir);
	if (entries->count > 0)
		qsort(entries->list, entries->count, sizeof(*entries->list), compare_ids);
	return ret;
}

/* A user's state.json may hold anything: no control character reaches root's terminal. */
static void print_cell(const char *text, size_t width)
{
	size_t count = 0;

	for (; text[count] != '\0'; count++)
		putchar((unsigned char)text[count] < 0x20 || text[count] == 0x7f ? '?' : text[count]);
	for (; count < width; count++)
		putchar(' ');
	if (width == 0)
		putchar('\n');
}

/* Columns as wide as their widest text, at least 12, with three spaces behind. */
static int print_table(const struct entries *entries, struct error *err)
{
	static const char *const heads[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	size_t widths[array_size(heads)];
	char   pid[16];

	for (size_t column = 0; column < array_size(heads); column++)
		widths[column] = 9;
	for (int printing = 0; printing <= 1; printing++) {
		for (size_t row = 0; row <= entries->count; row++) {
			const struct entry *entry = row > 0 ? &entries->list[row - 1] : NULL;

			snprintf(pid, sizeof(pid), "%d", entry ? (int)entry->pid : 0);
			const char *texts[] = { entry ? entry->id : heads[0], entry ? pid : heads[1],
						entry ? entry->status : heads[2], entry ? entry->state.bundle : heads[3],
						entry ? entry->state.created : heads[4], entry ? entry->owner : heads[5] };
			for (size_t column = 0; column < array_size(heads); column++) {
				const char *text = texts[column] ? texts[column] : "";

				if (!printing && strlen(text) > widths[column])
					widths[column] = strlen(text);
				if (printing)
					print_cell(text, column + 1 < array_size(heads) ? widths[column] + 3 : 0);
			}
		}
	}
	return fflush(stdout) != 0 ? error_set(err, errno, "write to stdout") : 0;
}

static int print_entries(const struct entries *entries, const struct list_options *options, struct error *err)
{
	if (options->quiet) {
		for (size_t i = 0; i < entries->count; i++)
			printf("%s\n", entries->list[i].id);
		return fflush(stdout) != 0 ? error_set(err, errno, "write to stdout") : 0;
	}
	if (options->format == NULL || strcmp(options->format, "table") == 0)
		return print_table(entries, err);
	if (entries->count == 0)
		return puts("null") < 0 || fflush(stdout) != 0 ? error_set(err, errno, "write to stdout") : 0;
	struct json_object *json = json_object_new_array();
	for (size_t i = 0; i < entries->count; i++)
		json_object_array_add(json, entry_json(&entries->list[i]));
	return print_json(json, JSON_C_TO_STRING_PLAIN, err);
}

int list_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct list_options *options = fields;
	state_root_owned root = { .fd = -1 };
	struct entries entries = { NULL, 0, 0 };

	(void)arguments;
	if (options->format != NULL && strcmp(options->format, "table") != 0 && strcmp(options->format, "json") != 0)
		return error_set(err, 0, "invalid format option \"%s\": table or json", options->format);
	int ret = command_root(global, false, &root, err);
	if (ret == 0 && root.fd < 0 && global->root != NULL)
		ret = error_at(err, ENOENT, global->root, "open the state directory");
	if (ret == 0)
		ret = entries_read(&entries, &root, err);
	if (ret == 0)
		ret = print_entries(&entries, options, err);
	for (size_t i = 0; i < entries.count; i++)
		state_free(&entries.list[i].state);
	free(entries.list);
	return ret;
}
