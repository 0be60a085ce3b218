/* main.c - moss-slirp: the network of one container, by libslirp.
 *
 * Side:  helper; started by moss (src/host/network.c), ends with the container.
 * Needs: fd 3, a pidfd of the container's first process; fd 4, the socket where moss waits for the result.
 * Gives: a tap device in the container, the host's published ports, and two processes: the first, which moss knows, watches
 *        the host (watch.h); its child, in a sandbox, moves the packets (engine.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "engine.h"
#include "sandbox.h"
#include "settings.h"
#include "watch.h"

/* What is known against a libslirp, and the version without it. */
static const struct { const char *id; unsigned fixed[3]; const char *what; } faults[] = {
	{ "CVE-2026-9539", { 4, 9, 2 }, "urgent data beyond its buffer" },
	{ "CVE-2026-95507", { 4, 9, 5 }, "DHCPv6 with a small MTU" },
	{ "CVE-2026-95508", { 4, 9, 5 }, "TFTP with a small MTU" },
};

static int print_version(void)
{
	unsigned version[3] = { 0 };

	sscanf(slirp_version_string(), "%u.%u.%u", &version[0], &version[1], &version[2]);
	printf("moss-slirp %s\nlibslirp: %s\n", PACKAGE_VERSION, slirp_version_string());
	for (size_t i = 0; i < array_size(faults); i++) {
		const unsigned *fixed = faults[i].fixed;
		bool older = version[0] != fixed[0] ? version[0] < fixed[0]
			   : version[1] != fixed[1] ? version[1] < fixed[1] : version[2] < fixed[2];

		if (older)
			printf("known: %s, %s (fixed in %u.%u.%u)\n", faults[i].id, faults[i].what, fixed[0], fixed[1], fixed[2]);
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* [--user-namespace] --network TEXT [--publish TEXT]..., as moss has checked them. */
static int read_arguments(int argc, char **argv, struct settings *settings, struct error *err)
{
	bool given = false;

	settings->publish = calloc((size_t)argc, sizeof(*settings->publish));
	if (settings->publish == NULL)
		return error_set(err, ENOMEM, "arguments");
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--user-namespace") == 0) {
			settings->join_user = true;
			continue;
		}
		if (i + 1 >= argc)
			return error_set(err, 0, "\"%s\": unknown, or its value is missing", argv[i]);
		const char *name = argv[i++];
		int ret = -1;
		if (strcmp(name, "--network") == 0) {
			ret = spec_network_parse(argv[i], &settings->network, err);
			given = true;
		} else if (strcmp(name, "--publish") == 0) {
			ret = spec_network_parse_publish(argv[i], &settings->publish[settings->publish_count++], err);
		} else {
			error_set(err, 0, "\"%s\": unknown option", name);
		}
		if (ret < 0)
			return -err->code;
	}
	return given && settings->network.mode == SPEC_NETWORK_SLIRP ? 0 : error_set(err, 0, "--network slirp is missing");
}

/* Nothing of whoever started moss stays open: an engine waits for the end of its pipes. */
static int forget_caller(struct error *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return error_at(err, errno, "/dev/null", "open");
	const int keep[] = { SETTINGS_PIDFD, SETTINGS_SOCK };
	if (sys_close_others(3, keep, array_size(keep)) < 0)
		return error_set(err, errno, "close_range");
	for (size_t i = 0; i < array_size(keep); i++)
		if (fcntl(keep[i], F_SETFD, FD_CLOEXEC) < 0)
			return error_set(err, errno, "fd %d", keep[i]);
	sys_signals_reset();
	signal(SIGPIPE, SIG_IGN); /* libslirp writes to connections that are gone */
	setsid();
	umask(077);
	return chdir("/") < 0 ? error_at(err, errno, "/", "chdir") : 0;
}

static _Noreturn void give_up(const struct error *err)
{
	struct error told = *err;

	error_step(&told, "network");
	(void)!sync_send(SETTINGS_SOCK, SYNC_ERROR, &told, sizeof(told), -1);
	_exit(EXIT_FAILURE);
}

static _Noreturn void run_inside(struct engine *engine, const struct sandbox *sandbox, int tap, int updates)
{
	struct error err = { 0 };

	close(SETTINGS_PIDFD);
	if (sandbox_enter(sandbox, &err) < 0)
		give_up(&err);
	(void)!sync_send(SETTINGS_SOCK, SYNC_READY, NULL, 0, -1);
	close(SETTINGS_SOCK);
	engine_run(engine, tap, updates);
	_exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct settings settings = { .join_user = false };
	struct engine *engine = NULL;
	struct error err = { 0 };
	struct rlimit files;
	int updates[2], inside = -1;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return print_version();
	if (fcntl(SETTINGS_PIDFD, F_GETFD) < 0 || fcntl(SETTINGS_SOCK, F_GETFD) < 0) {
		fputs("moss-slirp is started by moss --network slirp; by hand it takes --version only\n", stderr);
		return EXIT_FAILURE;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files); /* many ports can be published */
	if (forget_caller(&err) < 0 || read_arguments(argc, argv, &settings, &err) < 0)
		give_up(&err);
	/* The ports first: they are what fails most, and take the rights that we have now. */
	if (engine_make(&settings, &engine, &err) < 0)
		give_up(&err);
	int tap = attach_tap(&settings, SETTINGS_PIDFD, &err);
	if (tap < 0)
		give_up(&err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, updates) < 0) {
		error_set(&err, errno, "socketpair");
		give_up(&err);
	}
	struct watch watch = { .container = SETTINGS_PIDFD, .updates = updates[0], .network = &settings.network };
	int ret = watch_begin(&watch);
	if (ret < 0) {
		error_set(&err, -ret, "find the host's addresses, which are to be closed to the container");
		give_up(&err);
	}
	struct sandbox sandbox = { .may_bind = engine->config.outbound_addr != NULL || engine->config.outbound_addr6 != NULL };
	for (size_t i = 0; i < settings.publish_count; i++)
		sandbox.ports += settings.publish[i].count;
	pid_t pid = sandbox_clone(&sandbox, &inside, &err);
	if (pid < 0)
		give_up(&err);
	if (pid == 0) {
		close(updates[0]);
		run_inside(engine, &sandbox, tap, updates[1]);
	}
	watch.inside = inside;
	const int keep[] = { SETTINGS_PIDFD, inside, updates[0] };
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (sys_close_others(3, keep, array_size(keep)) == 0)
		watch_run(&watch);
	return EXIT_SUCCESS;
}
