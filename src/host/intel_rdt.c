/* intel_rdt.c - see intel_rdt.h. Side: host. */
#define _GNU_SOURCE
#include "host/intel_rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/mountinfo.h"
#include "base/str.h"
#include "host/caller.h"
#include "host/rdt_schemata.h"

#define FIELD "linux: intelRdt"
#define LOCK_TIMEOUT_MS 10000
#define FILE_BYTES_MAX (1024 * 1024)

void intel_rdt_close(struct intel_rdt *rdt)
{
	fd_close(&rdt->root_fd);
}

/* The root of the file system, wherever it is mounted, in *@ret_fd; -1: nowhere. */
static int find_root(int *ret_fd, struct error *err)
{
	mem_owned char *text = NULL;
	struct mountinfo mount;

	*ret_fd = -1;
	if (io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_BYTES_MAX, &text, err) < 0)
		return -err->code;
	for (char *rest = text; *ret_fd < 0 && mountinfo_next(&rest, &mount);) {
		if (strcmp(mount.type, "resctrl") != 0 || strcmp(mount.root, "/") != 0)
			continue;
		*ret_fd = open(mount.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (*ret_fd < 0)
			return error_at(err, errno, mount.path, "open the resctrl file system");
	}
	return 0;
}

static int explain_absence(struct error *err)
{
	error_at(err, 0, FIELD, "no resctrl file system is mounted");
	if (access("/sys/fs/resctrl", F_OK) < 0) /* the kernel makes the mount point when it finds what it needs */
		return error_hint(err, "this kernel or processor can't do it: there is no /sys/fs/resctrl (CONFIG_X86_CPU_RESCTRL; flags like "
				       "rdt_a in /proc/cpuinfo); leave the field out");
	return error_hint(err, "mount it, as root: mount -t resctrl resctrl /sys/fs/resctrl; or leave the field out");
}

static int lock(int root_fd, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	for (int waited_ms = 0; flock(root_fd, LOCK_EX | LOCK_NB) < 0; waited_ms += 20) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_at(err, errno, FIELD, "lock the resctrl file system");
		if (waited_ms >= LOCK_TIMEOUT_MS)
			return error_at(err, ETIMEDOUT, FIELD, "another program has held the lock of the resctrl file system for %d s",
					LOCK_TIMEOUT_MS / 1000);
		nanosleep(&pause, NULL);
	}
	return 0;
}

void intel_rdt_path(const char *group, const char *file, char path[PATH_MAX])
{
	bool is_default = strcmp(group, "/") == 0;

	snprintf(path, PATH_MAX, "%s%s%s", is_default ? "" : group, is_default ? "" : "/", file);
}

static void monitor_path(const struct state_rdt *record, const char *id, const char *file, char path[PATH_MAX])
{
	char name[300];

	snprintf(name, sizeof(name), "mon_groups/%s%s", id, file);
	intel_rdt_path(record->group, name, path);
}

static bool exists(int root_fd, const char *path)
{
	return faccessat(root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Each resource that is named must be one that this machine has. */
static int check_resources(const struct intel_rdt *rdt, struct error *err)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < rdt->spec->schemata.count; i++) {
		const char *line = rdt->spec->schemata.texts[i];

		snprintf(path, sizeof(path), "info/%.*s", (int)strcspn(line, ": "), line);
		if (exists(rdt->root_fd, path))
			continue;
		error_at(err, ENOENT, FIELD, "\"%.100s\": this machine has no such resource: resctrl's %.100s", line, path);
		return error_hint(err, "leave the line out; ls /sys/fs/resctrl/info shows what there is (L3CODE and L3DATA when it is mounted with cdp)");
	}
	if (!rdt->spec->monitoring || exists(rdt->root_fd, "info/L3_MON"))
		return 0;
	error_at(err, ENOENT, FIELD ": enableMonitoring", "this machine can't monitor: resctrl's info/L3_MON");
	return error_hint(err, "leave it out");
}

static int compare_schemata(const struct intel_rdt *rdt, struct error *err)
{
	mem_owned char *text = NULL;
	char path[PATH_MAX];

	if (rdt->spec->schemata.count == 0)
		return 0;
	intel_rdt_path(rdt->record.group, "schemata", path);
	if (io_read_file(rdt->root_fd, path, FILE_BYTES_MAX, &text, err) < 0)
		return error_step(err, FIELD);
	for (size_t i = 0; i < rdt->spec->schemata.count; i++) {
		const char *line = rdt->spec->schemata.texts[i];

		if (rdt_schemata_has(text, line))
			continue;
		error_at(err, 0, FIELD ": closID", "the class \"%.100s\" is there and has not \"%.200s\" in its schemata", rdt->record.group, line);
		return error_hint(err, "leave the schemata out to use the class as it is, or name another closID");
	}
	return 0;
}

/* What of the class is there already, by the rules of config-linux.md, "IntelRdt". */
static int plan_groups(struct intel_rdt *rdt, struct error *err)
{
	const struct spec_intel_rdt *spec = rdt->spec;
	struct state_rdt *record = &rdt->record;
	bool is_default = spec->group != NULL && strcmp(spec->group, "/") == 0;
	char path[PATH_MAX];

	record->group = spec->group != NULL ? spec->group : rdt->id;
	if (spec->group == NULL && !spec_rdt_group_is_valid(rdt->id)) {
		error_at(err, 0, FIELD, "\"%.100s\" can't be the name of a class", rdt->id);
		return error_hint(err, "give one in closID");
	}
	record->made = !is_default && !exists(rdt->root_fd, record->group);
	record->monitor_made = spec->monitoring;
	if (!record->made && spec->group == NULL) {
		error_at(err, EEXIST, FIELD, "resctrl has a group \"%.100s\" already, the container's id", rdt->id);
		return error_hint(err, "remove it with rmdir if nobody needs it, or name it in closID to use it as it is");
	}
	if (record->made && spec->group != NULL && spec->schemata.count == 0) {
		error_at(err, ENOENT, FIELD ": closID", "there is no class \"%.100s\" in resctrl", spec->group);
		return error_hint(err, "make it beforehand, or say in l3CacheSchema, memBwSchema or schemata what it is to have");
	}
	monitor_path(record, rdt->id, "", path);
	if (record->monitor_made && !record->made && exists(rdt->root_fd, path)) {
		error_at(err, EEXIST, FIELD ": enableMonitoring", "resctrl has a monitoring group %.200s already", path);
		return error_hint(err, "remove it with rmdir if nobody needs it");
	}
	return record->made ? 0 : compare_schemata(rdt, err);
}

int intel_rdt_open(const struct spec_intel_rdt *spec, const char *id, struct intel_rdt *ret_rdt, struct error *err)
{
	*ret_rdt = (struct intel_rdt){ .spec = spec, .id = id, .root_fd = -1 };
	if (!caller_get()->root) {
		error_at(err, EPERM, FIELD, "only the machine's root may put a process into a class of service");
		return error_hint(err, "leave it out, or run the container as root");
	}
	if (find_root(&ret_rdt->root_fd, err) < 0)
		return -err->code;
	if (ret_rdt->root_fd < 0)
		return explain_absence(err);
	return lock(ret_rdt->root_fd, err) < 0 || check_resources(ret_rdt, err) < 0 ? -err->code : 0;
}

int intel_rdt_plan(const struct spec *spec, const char *id, struct intel_rdt *ret_rdt, struct error *err)
{
	*ret_rdt = (struct intel_rdt){ .spec = &spec->intel_rdt, .id = id, .root_fd = -1 };
	if (!spec->intel_rdt.given)
		return 0;
	return intel_rdt_open(&spec->intel_rdt, id, ret_rdt, err) < 0 ? -err->code : plan_groups(ret_rdt, err);
}

/* resctrl tells in a file why it took something not. */
int intel_rdt_explain(const struct intel_rdt *rdt, int code, const char *what, struct error *err)
{
	char why[256];

	if (io_read_small(rdt->root_fd, "info/last_cmd_status", why, sizeof(why)) <= 0 || strcmp(why, "ok\n") == 0)
		return error_at(err, code, FIELD, "%s", what);
	why[strcspn(why, "\n")] = '\0';
	error_at(err, code, FIELD, "%s: %s", what, why);
	return code == ENOSPC ? error_hint(err, "the processor has a fixed number of classes (resctrl's info/*/num_closids): remove one, or share one by closID")
			      : -code;
}

int intel_rdt_write_schemata(const struct intel_rdt *rdt, struct error *err)
{
	str_owned text = { 0 };
	char path[PATH_MAX], what[PATH_MAX + 100];

	if (rdt->spec->schemata.count == 0)
		return 0;
	for (size_t i = 0; i < rdt->spec->schemata.count; i++)
		str_add(&text, "%s\n", rdt->spec->schemata.texts[i]);
	if (text.failed)
		return error_set(err, ENOMEM, FIELD);
	intel_rdt_path(rdt->record.group, "schemata", path);
	int ret = io_write_small(rdt->root_fd, path, text.text); /* all at once, as the specification says */
	if (ret == 0)
		return 0;
	snprintf(what, sizeof(what), "write \"%.*s\" to resctrl's %.200s", (int)text.size - 1 < 200 ? (int)text.size - 1 : 200, text.text, path);
	return intel_rdt_explain(rdt, -ret, what, err);
}

int intel_rdt_make(const struct intel_rdt *rdt, struct error *err)
{
	char path[PATH_MAX];

	if (rdt->root_fd < 0)
		return 0;
	if (rdt->record.made) {
		if (mkdirat(rdt->root_fd, rdt->record.group, 0755) < 0)
			return intel_rdt_explain(rdt, errno, "make the class in resctrl", err);
		if (intel_rdt_write_schemata(rdt, err) < 0)
			return -err->code;
	}
	monitor_path(&rdt->record, rdt->id, "", path);
	if (rdt->record.monitor_made && mkdirat(rdt->root_fd, path, 0755) < 0)
		return intel_rdt_explain(rdt, errno, "make the monitoring group in resctrl", err);
	return 0;
}

static int enter(int root_fd, const struct state_rdt *record, const char *id, pid_t pid, struct error *err)
{
	char path[PATH_MAX], number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	intel_rdt_path(record->group, "tasks", path);
	int ret = io_write_small(root_fd, path, number);
	if (ret == 0 && record->monitor_made) {
		monitor_path(record, id, "/tasks", path);
		ret = io_write_small(root_fd, path, number);
	}
	return ret < 0 ? error_at(err, -ret, FIELD, "write process %d to resctrl's %.200s", (int)pid, path) : 0;
}

int intel_rdt_enter(struct intel_rdt *rdt, pid_t pid, struct error *err)
{
	int ret = rdt->root_fd >= 0 ? enter(rdt->root_fd, &rdt->record, rdt->id, pid, err) : 0;

	fd_close(&rdt->root_fd); /* the child's copy is closed with all that it inherited, first of all */
	return ret;
}

/* Only root's own record can be true. */
bool intel_rdt_has_record(const struct state *state, int dir_fd)
{
	struct stat st;

	return state->rdt.group != NULL && fstat(dir_fd, &st) == 0 && st.st_uid == geteuid() && caller_get()->root;
}

int intel_rdt_enter_exec(const struct state *state, int dir_fd, pid_t pid, struct error *err)
{
	if (!intel_rdt_has_record(state, dir_fd))
		return 0;
	fd_owned root_fd = -1;
	if (find_root(&root_fd, err) < 0)
		return -err->code;
	return root_fd < 0 ? explain_absence(err) : enter(root_fd, &state->rdt, state->id, pid, err);
}

/* A process that has ended is listed until it is waited for. */
static bool is_ended(const char *pid)
{
	char path[32], stat[1024];

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	ssize_t size = io_read_small(AT_FDCWD, path, stat, sizeof(stat));
	const char *end = size > 0 ? strrchr(stat, ')') : NULL;
	return size == -ENOENT || size == -ESRCH || (end != NULL && strlen(end) > 2 && strchr("ZX", end[2]) != NULL);
}

/* Its removal would put them into the default class. */
static bool has_processes(int root_fd, const char *group)
{
	mem_owned char *text = NULL;
	struct error ignored;
	char path[PATH_MAX], *rest;

	intel_rdt_path(group, "tasks", path);
	if (io_read_file(root_fd, path, FILE_BYTES_MAX, &text, &ignored) < 0)
		return ignored.code != ENOENT;
	for (char *pid = strtok_r(text, "\n", &rest); pid != NULL; pid = strtok_r(NULL, "\n", &rest))
		if (!is_ended(pid))
			return true;
	return false;
}

int intel_rdt_remove(const struct state *state, int dir_fd, struct error *err)
{
	const struct state_rdt *record = &state->rdt;
	char path[PATH_MAX];

	if (!intel_rdt_has_record(state, dir_fd) || (!record->made && !record->monitor_made))
		return 0;
	fd_owned root_fd = -1;
	if (find_root(&root_fd, err) < 0)
		return -err->code;
	if (root_fd < 0) /* unmounted meanwhile: all groups are gone */
		return 0;
	if (lock(root_fd, err) < 0)
		return -err->code;
	monitor_path(record, state->id, "", path);
	if (record->monitor_made && unlinkat(root_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_at(err, errno, FIELD, "remove resctrl's %.200s", path);
	if (!record->made)
		return 0;
	if (has_processes(root_fd, record->group)) {
		log_line(LOG_LEVEL_WARNING, FIELD ": the class \"%s\" stays: there are other processes in it", record->group);
		return 0;
	}
	if (unlinkat(root_fd, record->group, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_at(err, errno, FIELD, "remove resctrl's class \"%.100s\"", record->group);
	return 0;
}
