/* bundle.c - see bundle.h. Side: host. */
#define _GNU_SOURCE
#include "host/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "host/adapt.h"
#include "host/console.h"
#include "host/network.h"

/* Limits that version 2 of the cgroups has not; @degrade: they are noted instead of refused. */
static int check_unsupported(struct spec *spec, bool degrade, struct error *err)
{
	for (size_t i = 0; i < spec->unsupported_count; i++) {
		const struct spec_unsupported *one = &spec->unsupported[i];

		if (!degrade) {
			error_at(err, 0, one->path, "only cgroup v1 has this limit: it can't be enforced");
			return error_hint(err, "leave it out, or go on without it: --degrade=warn");
		}
		if (adapt_note(spec, err, "%s: not enforced (--degrade=warn)", one->path) < 0)
			return -err->code;
	}
	return 0;
}

static int check_user_namespace(const struct spec *spec, struct error *err)
{
	const struct spec_namespace *user = &spec->namespaces[SPEC_NS_USER];

	if (user->listed && user->path == NULL && (spec->uid_maps.count == 0 || spec->gid_maps.count == 0)) {
		error_at(err, 0, "linux: uidMappings", "missing: a new user namespace needs uidMappings and gidMappings");
		return error_hint(err, "moss spec --rootless writes them for one id");
	}
	return 0;
}

static int check_process(const struct launch_options *options, const struct spec *spec, struct error *err)
{
	/* config.md, "Process": it may be absent until `start`, which `run` is, too. */
	if (!spec->process.given && options->start_now) {
		error_at(err, 0, "process", "missing: there is no program to run");
		return error_hint(err, "moss spec writes one; create makes a container without, which can't be started");
	}
	return bundle_check_terminal(spec->process.terminal, options->detach, options->console_socket, err);
}

int bundle_check_terminal(bool terminal, bool detach, const char *console_socket, struct error *err)
{
	if (terminal && console_socket == NULL && detach) {
		error_set(err, 0, "cannot allocate tty if moss will detach without setting console socket");
		return error_hint(err, "use --console-socket, run in the foreground, or set \"terminal\": false");
	}
	if (console_socket != NULL && !(terminal && detach))
		return error_set(err, 0, "cannot use console socket if moss will not detach or allocate tty");
	if (terminal && !detach && console_find_terminal() < 0) {
		error_set(err, ENOTTY, "cannot allocate tty: none of stdin, stdout and stderr is a terminal");
		return error_hint(err, "set \"terminal\": false in config.json; for exec: leave --tty out");
	}
	return 0;
}

ssize_t bundle_read(const struct launch_options *options, struct spec *ret_spec, char **ret_bytes, struct error *err)
{
	mem_owned char *bytes = NULL;
	char path[PATH_MAX];

	*ret_spec = (struct spec){ .oci_version = NULL };
	snprintf(path, sizeof(path), "%s/config.json", options->bundle);
	ssize_t size = io_read_file(AT_FDCWD, options->config ? options->config : path, SPEC_BYTES_MAX, &bytes, err);
	if (size == -ENOENT && options->config == NULL) {
		error_at(err, ENOENT, path, "JSON specification file config.json not found");
		return error_hint(err, access(options->bundle, F_OK) == 0 ? "moss spec writes one"
			: "the bundle is not there: --bundle names the directory of config.json");
	}
	if (size < 0)
		return error_hint(err, options->config != NULL ? "--config names a file that you can read"
			: "the bundle must be a directory with a config.json that you can read");
	if (spec_read(bytes, (size_t)size, ret_spec, err) < 0 || network_adapt(options, ret_spec, err) < 0 || adapt_spec(ret_spec, err) < 0 ||
	    spec_resolve_idmaps(ret_spec, err) < 0 || spec_check(ret_spec, err) < 0 || spec_check_shared_tree(ret_spec, err) < 0 ||
	    check_unsupported(ret_spec, options->degrade, err) < 0 || check_user_namespace(ret_spec, err) < 0 ||
	    check_process(options, ret_spec, err) < 0)
		return error_step(err, "config.json");
	*ret_bytes = bytes;
	bytes = NULL;
	return size;
}
