/* rdt_update.c - see rdt_update.h. Side: host. */
#define _GNU_SOURCE
#include "host/rdt_update.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "host/processes.h"

#define FIELD "linux: intelRdt"
#define FILE_BYTES_MAX (1024 * 1024)
#define ROUNDS_MAX 100

void rdt_update_close(struct rdt_update *update)
{
	intel_rdt_close(&update->rdt);
	free(update->before);
	update->before = NULL;
}

/* The container is in no class yet. */
static int plan_new(struct rdt_update *update, struct state *state, struct error *err)
{
	const char *group = state->id;

	if (!spec_rdt_group_is_valid(group))
		return error_at(err, 0, FIELD, "\"%.100s\" can't be the name of a class", group);
	if (faccessat(update->rdt.root_fd, group, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		error_at(err, EEXIST, FIELD, "resctrl has a group \"%.100s\" already, the container's id", group);
		return error_hint(err, "remove it with rmdir if nobody needs it");
	}
	state->rdt = (struct state_rdt){ .group = group, .made = true };
	update->rdt.record = state->rdt;
	return 0;
}

int rdt_update_plan(const struct spec_intel_rdt *wanted, struct state *state, int dir_fd, struct rdt_update *ret_update,
		    struct error *err)
{
	char path[PATH_MAX];
	struct stat st;

	*ret_update = (struct rdt_update){ .before = NULL };
	if (intel_rdt_open(wanted, state->id, &ret_update->rdt, err) < 0)
		return -err->code;
	if (fstat(dir_fd, &st) < 0)
		return error_at(err, errno, state->id, "stat the container's state directory");
	if (st.st_uid != geteuid()) { /* no record of a user's counts, and so nobody would remove the class */
		error_at(err, EPERM, FIELD, "the container is user %u's: a class that root makes for it would stay behind it", (unsigned)st.st_uid);
		return error_hint(err, "make a directory in resctrl by hand, and write the container's processes into its file \"tasks\"");
	}
	if (!intel_rdt_has_record(state, dir_fd))
		return plan_new(ret_update, state, err);
	ret_update->rdt.record = state->rdt;
	if (!state->rdt.made) {
		error_at(err, EPERM, FIELD, "the class \"%.100s\" was not made for this container: others may be in it", state->rdt.group);
		return error_hint(err, "write to its file \"schemata\" in resctrl, if all of them are meant");
	}
	intel_rdt_path(state->rdt.group, "schemata", path);
	ssize_t size = io_read_file(ret_update->rdt.root_fd, path, FILE_BYTES_MAX, &ret_update->before, err);
	return size < 0 ? error_step(err, FIELD) : 0;
}

/* Each thread of the process. 1: there were some that are not in the class yet; 0; or -errno with @err set. */
static int enter_threads(const struct rdt_update *update, pid_t pid, const char *known, struct error *err)
{
	char path[PATH_MAX], line[32], directory[32];
	struct dirent *entry;
	int  ret = 0;

	snprintf(directory, sizeof(directory), "/proc/%d/task", (int)pid);
	DIR *dir = opendir(directory);
	if (dir == NULL)
		return errno == ENOENT || errno == ESRCH ? 0 : error_at(err, errno, directory, "open");
	intel_rdt_path(update->rdt.record.group, "tasks", path);
	while (ret >= 0 && (entry = readdir(dir)) != NULL) {
		snprintf(line, sizeof(line), "\n%.16s\n", entry->d_name);
		if (entry->d_name[0] == '.' || strstr(known, line) != NULL)
			continue;
		int written = io_write_small(update->rdt.root_fd, path, entry->d_name);
		if (written < 0 && written != -ESRCH)
			ret = error_at(err, -written, FIELD, "write thread %s to resctrl's %.200s", entry->d_name, path);
		else
			ret |= written == 0;
	}
	closedir(dir);
	return ret;
}

/* What a thread clones is in its class: so when all of a round are in it, all are. */
static int enter_all(const struct rdt_update *update, const struct state *state, int dir_fd, struct error *err)
{
	char path[PATH_MAX];
	int  ret = 1;

	intel_rdt_path(update->rdt.record.group, "tasks", path);
	for (int round = 0; ret == 1; round++) {
		process_list_owned list = { 0 };
		mem_owned char *tasks = NULL, *known = NULL;

		if (round == ROUNDS_MAX)
			return error_at(err, ETIMEDOUT, FIELD, "put all processes of the container into the class: there are ever new ones");
		if (processes_list(state, dir_fd, &list, err) < 0)
			return -err->code;
		if (io_read_file(update->rdt.root_fd, path, FILE_BYTES_MAX, &tasks, err) < 0)
			return error_step(err, FIELD);
		if (asprintf(&known, "\n%s", tasks) < 0)
			return error_set(err, ENOMEM, FIELD);
		ret = 0;
		for (size_t i = 0; ret >= 0 && i < list.count; i++) {
			int entered = enter_threads(update, list.pids[i], known, err);
			ret = entered < 0 ? entered : ret | entered;
		}
	}
	return ret;
}

int rdt_update_apply(struct rdt_update *update, const struct state *state, int dir_fd, struct error *err)
{
	if (update->before == NULL && mkdirat(update->rdt.root_fd, update->rdt.record.group, 0755) < 0)
		return intel_rdt_explain(&update->rdt, errno, "make the class in resctrl", err);
	int ret = intel_rdt_write_schemata(&update->rdt, err);
	if (ret == 0 && update->before == NULL)
		ret = enter_all(update, state, dir_fd, err);
	if (ret < 0)
		rdt_update_undo(update);
	return ret;
}

void rdt_update_undo(const struct rdt_update *update)
{
	char path[PATH_MAX];

	intel_rdt_path(update->rdt.record.group, "schemata", path);
	if (update->before != NULL)
		(void)!io_write_small(update->rdt.root_fd, path, update->before);
	else
		unlinkat(update->rdt.root_fd, update->rdt.record.group, AT_REMOVEDIR);
}
