/* events.c - `events`: what a container uses, and when the kernel kills it for want of memory. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/commands.h"
#include "host/cgroup_limits.h"
#include "host/cgroup_stats.h"
#include "host/destroy.h"
#include "host/state.h"

#define INTERVAL_DEFAULT_MS 5000
#define INTERVAL_MAX_MS (24 * 60 * 60 * 1000)

struct watched {
	const char *id;
	int cgroup, pidfd, events; /* events: memory.events, or -1 */
	unsigned long oom_kills;
};

/* "5s", "1m30s", "100ms", "1.5h", as Go writes durations. */
static bool read_interval(const char *text, int *ret_ms)
{
	static const struct { const char *name; double ms; } units[] = {
		{ "ms", 1 }, { "us", 1e-3 }, { "ns", 1e-6 }, { "s", 1000 }, { "m", 60e3 }, { "h", 3600e3 },
	};
	double total = 0;

	do {
		size_t digits = strspn(text, "0123456789."), i = 0;
		char  *end;
		double number = strtod(text, &end);

		if (digits == 0 || end != text + digits) /* "1e3", "1.2.3", "-1" */
			return false;
		text += digits;
		while (i < array_size(units) && !str_starts(text, units[i].name))
			i++;
		if (i == array_size(units))
			return false;
		text += strlen(units[i].name);
		total += number * units[i].ms;
	} while (*text != '\0' && total <= INTERVAL_MAX_MS);
	*ret_ms = total < 1 ? 1 : (int)total;
	return total > 0 && total <= INTERVAL_MAX_MS;
}

/* One line; nobody may be left waiting for it. @data is taken over; NULL: none. */
static int print_event(const char *type, const char *id, struct json_object *data, struct error *err)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "type", json_object_new_string(type));
	json_object_object_add(json, "id", json_object_new_string(id));
	if (data != NULL)
		json_object_object_add(json, "data", data);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	bool good = text != NULL && puts(text) >= 0 && fflush(stdout) == 0;
	int  code = errno;
	json_object_put(json);
	return good ? 0 : error_set(err, text == NULL ? ENOMEM : code, "write to stdout");
}

static int print_stats(const struct watched *watched, struct error *err)
{
	struct json_object *data = cgroup_stats(watched->cgroup);

	return data == NULL ? error_set(err, ENOMEM, "events") : print_event("stats", watched->id, data, err);
}

static int print_oom(struct watched *watched, struct error *err)
{
	unsigned long kills = cgroup_oom_kills(watched->cgroup);
	bool more = kills > watched->oom_kills;

	/* A cgroup that is gone says 0. */
	watched->oom_kills = kills > watched->oom_kills ? kills : watched->oom_kills;
	return more ? print_event("oom", watched->id, NULL, err) : 0;
}

/* Until the container ends. The kernel wakes us when memory.events changes (cgroups(7)), since it was last read. */
static int stream(struct watched *watched, int interval_ms, struct error *err)
{
	struct pollfd fds[] = { { .fd = watched->pidfd, .events = POLLIN }, { .fd = watched->events, .events = POLLPRI } };
	int64_t next = sys_now_ms();
	char    text[512];

	for (;;) {
		int64_t wait = next - sys_now_ms();

		if (wait <= 0) {
			if (print_stats(watched, err) < 0)
				return -err->code;
			next += interval_ms;
			continue;
		}
		if (poll(fds, 2, (int)wait) < 0 && errno != EINTR)
			return error_set(err, errno, "poll");
		/* Read as it was opened, or the next poll(2) would answer at once. */
		if (watched->events >= 0 && pread(watched->events, text, sizeof(text), 0) < 0) {
			fd_close(&watched->events);
			fds[1].fd = -1;
		}
		if (print_oom(watched, err) < 0)
			return -err->code;
		if (fds[0].revents != 0)
			return 0;
	}
}

int events_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct events_options *options = fields;
	command_container_owned container = { .root.fd = -1, .dir_fd = -1, .pidfd = -1 };
	int      interval_ms = INTERVAL_DEFAULT_MS;
	char     text[512];

	if (options->interval != NULL && !read_interval(options->interval, &interval_ms)) {
		error_set(err, 0, "--interval: \"%s\" is not a duration of 1 ms to 24 h", options->interval);
		return error_hint(err, "like 5s, 500ms or 1m30s");
	}
	if (command_container_open(global, arguments[0], false, &container, err) < 0)
		return -err->code;
	if (container.pidfd < 0)
		return error_at(err, 0, arguments[0], "container not running");
	fd_owned cgroup = state_open_cgroup(container.dir_fd, &container.state);
	if (cgroup < 0 && container.state.cgroup != NULL)
		return error_at(err, -cgroup, container.state.cgroup, "nothing counts what the container uses: its cgroup is gone or can't be "
				"seen from here");
	if (cgroup < 0) {
		error_at(err, -cgroup, arguments[0], "nothing counts what it uses: it has no cgroup of its own");
		return error_hint(err, "start it with --systemd-cgroup, or in a delegated cgroup: systemd-run --user --scope -p Delegate=yes moss run ...");
	}
	struct watched watched = { arguments[0], cgroup, container.pidfd, -1, cgroup_oom_kills(cgroup) };
	if (options->stats)
		return print_stats(&watched, err);
	fd_owned events = openat(cgroup, "memory.events", O_RDONLY | O_CLOEXEC);
	if (events >= 0 && read(events, text, sizeof(text)) >= 0)
		watched.events = fd_take(&events);
	int ret = stream(&watched, interval_ms, err);
	fd_close(&watched.events);
	return ret;
}
