/* unit.c - see unit.h. Side: helper. */
#define _GNU_SOURCE
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/sys.h"

#define MARK_URI "info:moss:" /* a place for texts of one's own that every unit has: each is to be an URI of a few kinds */
#define LOOK_MS 500 /* how long a signal that does not come is waited for before looking */
#define message_owned __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message
#define bus_error_owned __attribute__((cleanup(sd_bus_error_free))) sd_bus_error

struct job {
	const char *unit;
	char path[256];   /* "": not queued yet */
	char result[64];  /* "": not done yet */
};

/* A job may be over before the answer that names it is read: those of our unit are remembered. */
static int on_removed(sd_bus_message *message, void *context, sd_bus_error *ignored)
{
	const char *path, *unit, *result;
	struct job *job = context;
	uint32_t    number;

	(void)ignored;
	if (sd_bus_message_read(message, "uoss", &number, &path, &unit, &result) < 0 || strcmp(unit, job->unit) != 0 ||
	    (job->path[0] != '\0' && strcmp(path, job->path) != 0))
		return 0;
	snprintf(job->path, sizeof(job->path), "%s", path);
	snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

static int explain(const struct bus *bus, int ret, const sd_bus_error *error, const struct unit *unit, const char *what,
		   struct error *err)
{
	return bus_explain(bus, &(struct bus_failure){ ret, error }, unit->name, what, err);
}

/* The state of the unit, which the caller frees. Of a unit that is not there systemd tells what it would be. */
static int get_state(const struct bus *bus, const struct unit *unit, char **ret_text)
{
	char *path = NULL;
	int ret = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit->name, &path);

	if (ret >= 0)
		ret = sd_bus_get_property_string(bus->bus, BUS_SYSTEMD, path, BUS_SYSTEMD ".Unit", "ActiveState", NULL, ret_text);
	free(path);
	return ret;
}

/* Is the mark among the unit's Documentation=? One that is not there has none. */
static int has_mark(const struct bus *bus, const struct unit *unit, bool *ret_has, sd_bus_error *error)
{
	char  *path = NULL, **texts = NULL;
	int ret = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit->name, &path);

	*ret_has = false;
	if (ret >= 0)
		ret = sd_bus_get_property_strv(bus->bus, BUS_SYSTEMD, path, BUS_SYSTEMD ".Unit", "Documentation", error, &texts);
	for (size_t i = 0; ret >= 0 && texts != NULL && texts[i] != NULL; i++) {
		*ret_has |= strncmp(texts[i], MARK_URI, strlen(MARK_URI)) == 0 && strcmp(texts[i] + strlen(MARK_URI), unit->mark) == 0;
		free(texts[i]);
	}
	free(texts);
	free(path);
	return ret;
}

/* JobRemoved may be lost where systemd executes itself again meanwhile: then the unit itself says what has become of it. */
static void look(const struct bus *bus, const struct unit *unit, const char *wanted, struct job *job)
{
	char *state = NULL;

	if (get_state(bus, unit, &state) >= 0 && job->result[0] == '\0' && strcmp(state, wanted) == 0)
		snprintf(job->result, sizeof(job->result), "done");
	free(state);
}

static int wait_job(const struct bus *bus, const struct unit *unit, struct job *job, const char *wanted, struct error *err)
{
	int64_t deadline = sys_now_ms() + BUS_TIMEOUT_MS, next_look = sys_now_ms() + LOOK_MS;

	while (job->result[0] == '\0') {
		int     ret = sd_bus_process(bus->bus, NULL);
		int64_t now = sys_now_ms();

		if (ret == 0 && now >= deadline) {
			error_at(err, ETIMEDOUT, unit->name, "systemd did not finish its job for this scope within %d s", BUS_TIMEOUT_MS / 1000);
			return error_hint(err, "systemctl%s list-jobs shows what it waits for", bus_option(bus));
		}
		if (ret == 0 && now >= next_look) {
			look(bus, unit, wanted, job);
			next_look = now + LOOK_MS;
		} else if (ret == 0) {
			ret = sd_bus_wait(bus->bus, (uint64_t)(next_look - now) * 1000);
		}
		if (ret < 0) {
			error_at(err, -ret, unit->name, "wait for systemd's job");
			return error_hint(err, "the connection to the bus has broken");
		}
	}
	if (strcmp(job->result, "done") == 0 || strcmp(job->result, "skipped") == 0)
		return 0;
	error_at(err, 0, unit->name, "systemd's job for this scope ended as \"%s\"", job->result);
	return error_hint(err, "systemctl%s status %s, and journalctl%s, say why", bus_option(bus), unit->name, bus_option(bus));
}

/* Send a call that is answered with a job, and wait for the job. */
static int call_job(const struct bus *bus, const struct unit *unit, sd_bus_message *call, const char *wanted, const char *what,
		    struct error *err)
{
	message_owned  *answer = NULL;
	bus_error_owned error = SD_BUS_ERROR_NULL;
	struct job      job = { .unit = unit->name };
	sd_bus_slot    *slot = NULL;
	const char     *path;

	/* Its answer is not waited for: the order of messages is kept. */
	int ret = sd_bus_match_signal_async(bus->bus, &slot, BUS_SYSTEMD, BUS_MANAGER_PATH, BUS_MANAGER, "JobRemoved", on_removed, NULL, &job);
	if (ret >= 0)
		ret = sd_bus_call(bus->bus, call, 0, &error, &answer);
	if (ret >= 0)
		ret = sd_bus_message_read(answer, "o", &path);
	if (ret < 0) {
		explain(bus, ret, &error, unit, what, err);
	} else {
		if (job.result[0] == '\0')
			snprintf(job.path, sizeof(job.path), "%s", path);
		ret = wait_job(bus, unit, &job, wanted, err);
	}
	sd_bus_slot_unref(slot);
	return ret < 0 ? -err->code : 0;
}

static int new_call(const struct bus *bus, const char *method, sd_bus_message **ret_call, struct error *err)
{
	int ret = sd_bus_message_new_method_call(bus->bus, ret_call, BUS_SYSTEMD, BUS_MANAGER_PATH, BUS_MANAGER, method);

	return ret < 0 ? error_at(err, -ret, method, "make a message") : 0;
}

/* Those that every scope of moss's has; the annotations come behind them, and the later one wins. */
static int add_own(sd_bus_message *call, const struct unit *unit, pid_t pid)
{
	int ret = sd_bus_message_append(call, "(sv)(sv)(sv)(sv)(sv)", "Description", "s", unit->description, "Slice", "s", unit->slice,
					"Delegate", "b", true, "PIDs", "au", 1, (uint32_t)pid, "CollectMode", "s", "inactive-or-failed");
	if (ret >= 0)
		ret = sd_bus_message_append(call, "(sv)(sv)(sv)(sv)", "CPUAccounting", "b", true, "MemoryAccounting", "b", true,
					    "IOAccounting", "b", true, "TasksAccounting", "b", true);
	/* Not ended before whoever manages it when the machine goes down; and no limit that nobody has asked for. */
	return ret < 0 ? ret : sd_bus_message_append(call, "(sv)(sv)", "DefaultDependencies", "b", false, "TasksMax", "t", UINT64_MAX);
}

/* Behind the annotations, which may say anything of the same property: it adds up. */
static int add_mark(sd_bus_message *call, const struct unit *unit)
{
	char text[512];

	snprintf(text, sizeof(text), MARK_URI "%s", unit->mark);
	return sd_bus_message_append(call, "(sv)", "Documentation", "as", 1, text);
}

int unit_start(const struct bus *bus, const struct unit *unit, pid_t pid, struct error *err)
{
	message_owned *call = NULL;

	if (new_call(bus, "StartTransientUnit", &call, err) < 0)
		return -err->code;
	int ret = sd_bus_message_append(call, "ss", unit->name, "fail");
	if (ret >= 0)
		ret = sd_bus_message_open_container(call, 'a', "(sv)");
	if (ret >= 0)
		ret = add_own(call, unit, pid);
	for (int i = 0; ret >= 0 && i < unit->properties_count; i++)
		if (properties_add(call, unit->properties[i], err) < 0)
			return -err->code;
	if (ret >= 0)
		ret = add_mark(call, unit);
	if (ret >= 0)
		ret = sd_bus_message_close_container(call);
	if (ret >= 0)
		ret = sd_bus_message_append(call, "a(sa(sv))", 0);
	if (ret < 0)
		return error_at(err, -ret, unit->name, "make a message");
	return call_job(bus, unit, call, "active", "start the scope", err);
}

/* The number in "252.39-1~deb12u2"; 0 when it can't be had. */
static int version_of(const struct bus *bus)
{
	char *text = NULL;
	int   version = 0;

	if (sd_bus_get_property_string(bus->bus, BUS_SYSTEMD, BUS_MANAGER_PATH, BUS_MANAGER, "Version", NULL, &text) >= 0)
		version = atoi(text + strcspn(text, "0123456789"));
	free(text);
	return version;
}

/* Before 252 systemd has no word for an idle cgroup and refuses its number; then it is in the file alone. */
static void drop_idle(const struct bus *bus, struct properties_limits *limits)
{
	for (int i = 0; i < limits->count; i++)
		if (strcmp(limits->texts[i], "cpu.idle=1") == 0 && version_of(bus) < 252)
			limits->texts[i] = limits->texts[--limits->count];
}

int unit_set(const struct bus *bus, const struct unit *unit, struct properties_limits *limits, struct error *err)
{
	message_owned  *call = NULL;
	bus_error_owned error = SD_BUS_ERROR_NULL;

	drop_idle(bus, limits);

	if (new_call(bus, "SetUnitProperties", &call, err) < 0)
		return -err->code;
	int ret = sd_bus_message_append(call, "sb", unit->name, true);
	if (ret >= 0)
		ret = sd_bus_message_open_container(call, 'a', "(sv)");
	if (ret >= 0 && properties_add_limits(call, limits, err) < 0)
		return -err->code;
	if (ret >= 0)
		ret = sd_bus_message_close_container(call);
	if (ret < 0)
		return error_at(err, -ret, unit->name, "make a message");
	ret = sd_bus_call(bus->bus, call, 0, &error, NULL);
	return ret < 0 ? explain(bus, ret, &error, unit, "set the scope's limits", err) : 0;
}

int unit_attach(const struct bus *bus, const struct unit *unit, const char *path, pid_t pid, struct error *err)
{
	bus_error_owned error = SD_BUS_ERROR_NULL;
	int ret = sd_bus_call_method(bus->bus, BUS_SYSTEMD, BUS_MANAGER_PATH, BUS_MANAGER, "AttachProcessesToUnit", &error, NULL, "ssau",
				     unit->name, path, 1, (uint32_t)pid);

	return ret < 0 ? explain(bus, ret, &error, unit, "move a process into the container's cgroup", err) : 0;
}

int unit_stop(const struct bus *bus, const struct unit *unit, struct error *err)
{
	message_owned  *call = NULL;
	bus_error_owned error = SD_BUS_ERROR_NULL;
	bool ours;
	int  ret = has_mark(bus, unit, &ours, &error);

	if (ret < 0)
		return explain(bus, ret, &error, unit, "look at the scope", err);
	if (!ours)
		return 0;
	/* Not by systemd's TERM, which would be waited for. */
	(void)sd_bus_call_method(bus->bus, BUS_SYSTEMD, BUS_MANAGER_PATH, BUS_MANAGER, "KillUnit", NULL, NULL, "ssi", unit->name, "all",
				 SIGKILL);
	if (new_call(bus, "StopUnit", &call, err) < 0)
		return -err->code;
	ret = sd_bus_message_append(call, "ss", unit->name, "replace");
	if (ret < 0)
		return error_at(err, -ret, unit->name, "make a message");
	ret = call_job(bus, unit, call, "inactive", "stop the scope", err);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	(void)sd_bus_call_method(bus->bus, BUS_SYSTEMD, BUS_MANAGER_PATH, BUS_MANAGER, "ResetFailedUnit", NULL, NULL, "s", unit->name);
	return 0;
}
