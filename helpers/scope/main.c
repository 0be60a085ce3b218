/* main.c - moss-scope: a container's cgroup made by systemd. Side: helper.
 *
 *   moss-scope WHO start UNIT SLICE DESCRIPTION MARK [--linger] [--property NAME=VALUE]... [--limit FILE=VALUE]...
 *   moss-scope WHO set UNIT --limit FILE=VALUE...
 *   moss-scope WHO attach UNIT PATH
 *   moss-scope WHO stop UNIT MARK
 *
 * WHO is "system", the machine's systemd, or a user's number: that user's own manager. moss starts it with a
 * socket as stdin (base/sync.h): each GO, with the pid of the process that it is about, is answered by READY or
 * ERROR; a NOTE may come before that. After "start" a second GO sets the limits, which must not hold for moss's own process in
 * the scope. The end of the socket is the end of the program: nothing is left of it when moss is killed.
 *
 * Needs: a bus with systemd on it. Gives: no privilege; systemd decides what the caller may do. */
#define _GNU_SOURCE
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sync.h"
#include "unit.h"

struct request {
	struct bus  bus;
	struct unit unit;
	struct properties_limits limits;
	const char *verb, *path;
	bool        linger; /* the container is to outlive its caller: tell what may end it */
};

static int usage(void)
{
	fputs("moss-scope is started by moss: it lets systemd make a container's cgroup\n", stderr);
	return 2;
}

static bool read_options(int argc, char **argv, struct request *request)
{
	char **properties = calloc((size_t)argc + 1, sizeof(*properties)), **limits = calloc((size_t)argc + 1, sizeof(*limits));

	if (properties == NULL || limits == NULL)
		return false;
	request->unit.properties = properties;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--linger") == 0)
			request->linger = true;
		else if (strcmp(argv[i], "--property") == 0 && i + 1 < argc)
			properties[request->unit.properties_count++] = argv[++i];
		else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
			limits[request->limits.count++] = argv[++i];
		else
			return false;
	}
	request->limits.texts = limits;
	return true;
}

static bool read_request(int argc, char **argv, struct request *request)
{
	uint64_t user;

	if (argc < 4)
		return false;
	request->bus.system = strcmp(argv[1], "system") == 0;
	if (!request->bus.system && !str_to_uint(argv[1], UINT32_MAX - 1, &user))
		return false;
	request->bus.user = request->bus.system ? 0 : (uid_t)user;
	request->verb = argv[2];
	request->unit.name = argv[3];
	if (strcmp(request->verb, "start") == 0 && argc >= 7) {
		request->unit.slice = argv[4];
		request->unit.description = argv[5];
		request->unit.mark = argv[6];
		return read_options(argc - 7, argv + 7, request);
	}
	if (strcmp(request->verb, "set") == 0)
		return read_options(argc - 4, argv + 4, request);
	request->path = request->unit.mark = argv[4];
	return argc == 5 && (strcmp(request->verb, "attach") == 0 || strcmp(request->verb, "stop") == 0);
}

/* loginctl(1): enable-linger makes this file. */
static void warn_of_end(const struct request *request)
{
	const struct passwd *entry = getpwuid(request->bus.user);
	char path[512], text[600];

	if (entry == NULL || snprintf(path, sizeof(path), "/var/lib/systemd/linger/%s", entry->pw_name) >= (int)sizeof(path) ||
	    access(path, F_OK) == 0 || errno != ENOENT)
		return;
	snprintf(text, sizeof(text), "the container ends with the last session of user %s, when the user's systemd does, which holds its "
		 "cgroup: loginctl enable-linger %s keeps both", entry->pw_name, entry->pw_name);
	(void)!sync_send(STDIN_FILENO, SYNC_NOTE, text, strlen(text) + 1, -1);
}

static int serve(struct request *request, pid_t pid, bool started, struct error *err)
{
	const struct bus *bus = &request->bus;

	if (started && request->linger && !bus->system)
		warn_of_end(request);
	if (started || strcmp(request->verb, "set") == 0)
		return request->limits.count > 0 ? unit_set(bus, &request->unit, &request->limits, err) : 0;
	if (strcmp(request->verb, "attach") == 0)
		return unit_attach(bus, &request->unit, request->path, pid, err);
	if (strcmp(request->verb, "stop") == 0)
		return unit_stop(bus, &request->unit, err);
	return unit_start(bus, &request->unit, pid, err);
}

/* Each GO is answered. Returns when the socket ends, or something failed. */
static int answer_all(struct request *request)
{
	struct sync_message message;
	struct error err = { 0 };
	int opened = bus_open(&request->bus, &err);

	for (bool started = false;; started = true) {
		uint64_t pid = 0;
		int ret = sync_receive(STDIN_FILENO, &message);

		if (ret < 0 || message.kind != SYNC_GO)
			return ret < 0 ? 1 : 0;
		fd_close(&message.fd);
		ret = opened;
		if (ret == 0 && message.size > 0 && !str_to_uint(message.text, INT32_MAX, &pid))
			ret = error_set(&err, EPROTO, "a number of a process");
		if (ret == 0)
			ret = serve(request, (pid_t)pid, started, &err);
		if (ret < 0) {
			(void)!sync_send(STDIN_FILENO, SYNC_ERROR, &err, sizeof(err), -1);
			return 1;
		}
		if (sync_send(STDIN_FILENO, SYNC_READY, NULL, 0, -1) < 0)
			return 1;
	}
}

int main(int argc, char **argv)
{
	struct request request = { .bus.bus = NULL };

	if (!read_request(argc, argv, &request))
		return usage();
	/* What the caller has open is for the container, not for us. */
	close_range(STDERR_FILENO + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return answer_all(&request);
}
