/* network.c - see network.h. Side: host. */
#define _GNU_SOURCE
#include "host/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sync.h"
#include "host/adapt.h"
#include "host/caller.h"
#include "host/helper.h"
#include "spec/spec_network.h"

#define HELPER "moss-slirp"
#define HELPER_PIDFD 3 /* helpers/slirp/settings.h */
#define HELPER_SOCK 4
#define ABOVE 10       /* fds that collide with neither */
#define START_TIMEOUT_MS 10000
#define END_TIMEOUT_MS 2000
#define ANNOTATION "org.moss.network"
#define ANNOTATION_PUBLISH "org.moss.publish"
#define MOUNT_POINT "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536

/* The words of the annotation, apart by commas or blanks. */
static int split_publish(struct spec *spec, const char *text, struct error *err)
{
	static const char blanks[] = ", \t\n";
	char *copy = arena_text(&spec->arena, text), *rest = NULL;

	if (copy == NULL)
		return error_set(err, ENOMEM, "publish");
	for (char *word = strtok_r(copy, blanks, &rest); word != NULL; word = strtok_r(NULL, blanks, &rest)) {
		struct spec_texts *list = &spec->publish;
		const char **texts = arena_grow(&spec->arena, list->texts, list->count, sizeof(*texts));

		if (texts == NULL)
			return error_set(err, ENOMEM, "publish");
		texts[list->count++] = word;
		list->texts = texts;
	}
	return 0;
}

static int check_publish(const struct spec *spec, const char *source, struct error *err)
{
	struct spec_publish publish;

	for (size_t i = 0; i < spec->publish.count; i++) {
		if (spec_network_parse_publish(spec->publish.texts[i], &publish, err) < 0)
			return error_object(err, "%s", source);
		if (publish.host.family == AF_INET6 && network_is_slirp(spec) && !spec->network->ipv6)
			return error_at(err, 0, source, "\"%s\": an IPv6 address, while the container has ipv6=off", spec->publish.texts[i]);
	}
	if (spec->publish.count == 0 || network_is_slirp(spec))
		return 0;
	error_at(err, 0, source, "only a container with slirp has a network of its own that ports could lead into");
	return error_hint(err, "add --network slirp, or \"" ANNOTATION "\": \"slirp\" to the annotations");
}

/* What does not go together with the namespaces of config.json. */
static int check_namespaces(const struct spec *spec, const char *source, struct error *err)
{
	const struct spec_namespace *network = &spec->namespaces[SPEC_NS_NETWORK];

	if (spec->network->mode == SPEC_NETWORK_HOST && network->listed) {
		error_at(err, 0, source, "config.json gives the container a network namespace of its own");
		return error_hint(err, "take {\"type\": \"network\"} out of linux.namespaces to use the host's");
	}
	if (spec->network->mode != SPEC_NETWORK_HOST && network->path != NULL) {
		error_at(err, 0, source, "config.json joins a network namespace, %s, whose network is its maker's affair", network->path);
		return error_hint(err, "leave out one of the two");
	}
	if (network_is_slirp(spec) && spec->namespaces[SPEC_NS_USER].path != NULL && !caller_get()->privileged) {
		error_at(err, EPERM, source, "a normal user can't make a device where a user namespace is joined");
		return error_hint(err, "let the container that the namespace belongs to have the network, and join that, too");
	}
	return 0;
}

/* A build without the helper says so before anything is made. */
static int check_helper(const char *source, struct error *err)
{
	char path[4096];

	return helper_find(HELPER, path, sizeof(path), err) < 0 ? error_object(err, "%s", source) : 0;
}

static int read_network(const char *text, const char *source, struct spec *spec, struct error *err)
{
	spec->network_text = text;
	spec->network = arena_alloc(&spec->arena, 1, sizeof(*spec->network));
	if (spec->network == NULL)
		return error_set(err, ENOMEM, "network");
	if (spec_network_parse(text, spec->network, err) < 0)
		return error_object(err, "%s", source);
	if (check_namespaces(spec, source, err) < 0)
		return -err->code;
	return network_is_slirp(spec) ? check_helper(source, err) : 0;
}

/* What stands on the command line is no fault of config.json, which our caller would name. */
static int blame(const char *source, struct error *err)
{
	return source[0] == '-' ? error_step(err, "network") : -err->code;
}

int network_adapt(const struct launch_options *options, struct spec *spec, struct error *err)
{
	const char *text = options->network, *source = "--network", *publish_source = "--publish", *publish;

	if (text == NULL) {
		text = spec_annotation_find(spec, ANNOTATION);
		source = "annotations: " ANNOTATION;
	}
	if (options->publish != NULL && options->publish->count > 0) {
		spec->publish = *options->publish;
	} else if ((publish = spec_annotation_find(spec, ANNOTATION_PUBLISH)) != NULL) {
		publish_source = "annotations: " ANNOTATION_PUBLISH;
		if (split_publish(spec, publish, err) < 0)
			return -err->code;
	}
	if (text != NULL && read_network(text, source, spec, err) < 0)
		return blame(source, err);
	if (check_publish(spec, publish_source, err) < 0)
		return blame(publish_source, err);
	if (text == NULL || spec->network->mode == SPEC_NETWORK_HOST)
		return 0;
	spec->namespaces[SPEC_NS_NETWORK].listed = true;
	return network_is_slirp(spec) ? adapt_allow_ping(spec, err) : 0;
}

bool network_is_slirp(const struct spec *spec)
{
	return spec->network != NULL && spec->network->mode == SPEC_NETWORK_SLIRP;
}

static bool mounts_its_own(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (strcmp(spec->mounts[i].destination, MOUNT_POINT) == 0)
			return true;
	return false;
}

/* Our resolver, and how the host looks names up. */
static void fill_resolv_conf(const struct spec *spec, struct str *text)
{
	struct spec_address dns = { .family = AF_INET, .v4.s_addr = htonl(spec->network->dns) };
	char   address[INET6_ADDRSTRLEN];
	mem_owned char *host = NULL;
	struct error ignored;

	str_add(text, "nameserver %s\n", spec_network_address_text(&dns, address));
	if (io_read_file(AT_FDCWD, MOUNT_POINT, RESOLV_CONF_MAX, &host, &ignored) < 0)
		return;
	for (const char *line = host; *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		if (str_starts(line, "search ") || str_starts(line, "domain ") || str_starts(line, "options "))
			str_add(text, "%.*s\n", (int)(end - line), line);
		line = *end != '\0' ? end + 1 : end;
	}
}

static int add_mount(struct spec *spec, const char *source, struct error *err)
{
	struct spec_mount *mounts = arena_alloc(&spec->arena, spec->mounts_count + 2, sizeof(*mounts));

	if (mounts == NULL || source == NULL)
		return error_set(err, ENOMEM, "mounts");
	if (spec->mounts_count > 0)
		memcpy(mounts, spec->mounts, spec->mounts_count * sizeof(*mounts));
	/* Read-only: it lies in moss's own directory, which a container is not to fill. */
	mounts[spec->mounts_count++] = (struct spec_mount){
		.destination = MOUNT_POINT,
		.type = "bind",
		.source = source,
		.options = { .bind = true, .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						       MOUNT_ATTR_NOEXEC },
	};
	spec->mounts = mounts;
	return 0;
}

int network_make_resolv_conf(struct spec *spec, int dir_fd, const char *directory, struct error *err)
{
	str_owned text = { .text = NULL };

	if (!network_is_slirp(spec) || mounts_its_own(spec) || !spec_has_own_tree(spec))
		return 0;
	fill_resolv_conf(spec, &text);
	if (text.failed)
		return error_set(err, ENOMEM, NETWORK_RESOLV_CONF);
	fd_owned fd = openat(dir_fd, NETWORK_RESOLV_CONF, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int ret = fd < 0 ? -errno : fchmod(fd, 0644) < 0 ? -errno : io_write_all(fd, text.text, text.size);
	if (ret < 0)
		return error_at(err, -ret, NETWORK_RESOLV_CONF, "write the container's resolv.conf");
	return add_mount(spec, arena_format(&spec->arena, "%s/%s", directory, NETWORK_RESOLV_CONF), err);
}

/* moss-slirp [--user-namespace] --network TEXT [--publish TEXT]... */
static char **make_arguments(const struct spec *spec, const char *path, bool in_user_ns, struct arena *arena)
{
	const char **argv = arena_alloc(arena, 5 + 2 * spec->publish.count, sizeof(*argv));
	size_t count = 0;

	if (argv == NULL)
		return NULL;
	argv[count++] = path;
	if (in_user_ns)
		argv[count++] = "--user-namespace";
	argv[count++] = "--network";
	argv[count++] = spec->network_text;
	for (size_t i = 0; i < spec->publish.count; i++) {
		argv[count++] = "--publish";
		argv[count++] = spec->publish.texts[i];
	}
	return (char **)argv;
}

/* Of the helper, our child. */
static int record(pid_t pid, struct state_network *ret_network, struct error *err)
{
	fd_owned pidfd = pidfd_open(pid, 0);
	int ret = pidfd < 0 ? -errno : proc_birth_of(pid, pidfd, &ret_network->birth);

	ret_network->pid = pid;
	return ret < 0 ? error_at(err, -ret, HELPER, "tell process %d from later ones of its number", (int)pid) : 0;
}

static int start(const char *path, char **argv, int pidfd, int sock, pid_t *ret_pid, struct error *err)
{
	static char *const no_environment[] = { NULL };
	fd_owned high_pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, ABOVE), high_sock = fcntl(sock, F_DUPFD_CLOEXEC, ABOVE);
	const struct helper_fd fds[] = { { high_pidfd, HELPER_PIDFD }, { high_sock, HELPER_SOCK } };

	if (high_pidfd < 0 || high_sock < 0)
		return error_at(err, errno, path, "start");
	return helper_start(argv, no_environment, fds, array_size(fds), path, ret_pid, err);
}

int network_start(const struct spec *spec, const struct network_of *of, struct state_network *ret_network, struct error *err)
{
	arena_owned arena = { NULL };
	char  path[4096];
	int   socks[2];
	pid_t pid;

	if (helper_find(HELPER, path, sizeof(path), err) < 0)
		return error_step(err, "network");
	char **argv = make_arguments(spec, path, of->in_user_ns, &arena);
	int ret = argv == NULL ? -ENOMEM : sync_pair(socks);
	if (ret < 0)
		return error_at(err, -ret, HELPER, "start");
	fd_owned ours = socks[0], theirs = socks[1];
	ret = start(path, argv, of->pidfd, theirs, &pid, err);
	fd_close(&theirs);
	if (ret < 0)
		return ret;
	const struct helper_wait wait = { HELPER, ours, START_TIMEOUT_MS, of->signal_fd, 0, NULL, NULL };
	ret = record(pid, ret_network, err);
	if (ret == 0 && helper_wait(&wait, err) < 0)
		ret = error_step(err, "network");
	if (ret < 0) {
		kill(pid, SIGKILL); /* our child, not reaped yet */
		waitpid(pid, NULL, 0);
		*ret_network = (struct state_network){ 0 };
	}
	return ret;
}

void network_end(const struct state *state, int dir_fd)
{
	fd_owned pidfd = -1;

	if (state->network.pid <= 0 || state_open_network(dir_fd, state, &pidfd) < 0 || pidfd < 0)
		return;
	/* It ends its child first, which has the ports. */
	pidfd_send_signal(pidfd, SIGTERM, NULL, 0);
	if (proc_wait_end(pidfd, END_TIMEOUT_MS) != 1) {
		pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		(void)!proc_wait_end(pidfd, END_TIMEOUT_MS);
	}
	waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED | WNOHANG); /* `run` is its parent */
}
