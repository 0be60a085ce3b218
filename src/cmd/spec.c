/* spec.c - `spec`. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "host/own_ids.h"
#include "spec/spec_network.h"
#include "spec/template.h"

static int write_new(const char *bundle, const char *text, struct error *err)
{
	fd_owned dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_at(err, errno, bundle, "open the bundle");
	fd_owned fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, 0, "File config.json exists. Remove it first");
	if (fd < 0)
		return error_at(err, errno, bundle, "make config.json");
	int ret = io_write_all(fd, text, strlen(text));
	if (ret < 0) {
		unlinkat(dir, "config.json", 0); /* a full disk must not leave half a file */
		return error_at(err, -ret, bundle, "write config.json");
	}
	return 0;
}

static int check_network(const char *text, struct error *err)
{
	struct spec_network network;

	if (spec_network_parse(text, &network, err) < 0)
		return error_object(err, "--network");
	if (network.mode == SPEC_NETWORK_SLIRP)
		return 0;
	error_at(err, 0, "--network", "\"%s\": there is a config.json to be written for slirp alone", text);
	return error_hint(err, "root's has a network namespace, a user's (--rootless) the host's network");
}

int spec_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct spec_options *options = fields;
	struct spec_id_map  own_uid = { 0, geteuid(), 1 }, own_gid = { 0, getegid(), 1 };
	struct spec_id_maps uid_maps = { &own_uid, 1 }, gid_maps = { &own_gid, 1 };
	arena_owned arena = { NULL };
	mem_owned char *text = NULL;

	(void)global;
	if (options->network != NULL && check_network(options->network, err) < 0)
		return -err->code;
	if (options->subids && (own_ids_find(OWN_UIDS, &arena, &uid_maps, err) < 0 ||
				own_ids_find(OWN_GIDS, &arena, &gid_maps, err) < 0))
		return error_step(err, "map ids");
	struct template_options template = {
		.rootless = options->rootless || options->subids,
		.uid_maps = &uid_maps,
		.gid_maps = &gid_maps,
		.network = options->network,
		.args = arguments[0] != NULL ? (const char *const *)arguments : NULL,
		.terminal = arguments[0] == NULL || isatty(STDIN_FILENO),
	};
	if (template_make(&template, &text, err) < 0)
		return -err->code;
	return write_new(options->bundle ? options->bundle : ".", text, err);
}
