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
#include "spec/template.h"

int spec_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct spec_options *options = fields;
	struct template_options template = { .rootless = options->rootless, .host_uid = geteuid(), .host_gid = getegid() };
	const char *bundle = options->bundle ? options->bundle : ".";
	mem_owned char *text = NULL;

	(void)global, (void)arguments;
	if (template_make(&template, &text, err) < 0)
		return -err->code;
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
