/* bundle.c - see bundle.h. Side: host. */
#define _GNU_SOURCE
#include "host/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "host/console.h"

bool bundle_is_privileged(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	return geteuid() == 0 && syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
}

int bundle_warn(struct spec *spec, const char *text, struct error *err)
{
	size_t count = spec->warnings.count;
	const char **texts = arena_alloc(&spec->arena, count + 2, sizeof(*texts));

	if (texts == NULL)
		return error_set(err, ENOMEM, "note");
	if (count > 0)
		memcpy(texts, spec->warnings.texts, count * sizeof(*texts));
	texts[count] = arena_text(&spec->arena, text);
	if (texts[count] == NULL)
		return error_set(err, ENOMEM, "note");
	spec->warnings.texts = texts;
	spec->warnings.count = count + 1;
	return 0;
}

static int check_unsupported(struct spec *spec, bool degrade, struct error *err)
{
	for (size_t i = 0; i < spec->unsupported_count; i++) {
		const struct spec_unsupported *one = &spec->unsupported[i];
		char text[256];

		if (!one->limit)
			return error_at(err, 0, one->path, "not supported yet");
		if (!degrade) {
			error_at(err, 0, one->path, "limits can't be enforced yet");
			return error_hint(err, "leave it out, or go on without it: --degrade=warn");
		}
		snprintf(text, sizeof(text), "%s: not enforced (--degrade=warn)", one->path);
		if (bundle_warn(spec, text, err) < 0)
			return -err->code;
	}
	return 0;
}

static int check_namespaces(const struct spec *spec, struct error *err)
{
	const struct spec_namespace *mount = &spec->namespaces[SPEC_NS_MOUNT], *user = &spec->namespaces[SPEC_NS_USER];
	bool joins = false;

	if (!mount->listed || mount->path != NULL) {
		error_at(err, 0, "linux: namespaces", "a container without a new mount namespace is not supported yet");
		return error_hint(err, "add {\"type\": \"mount\"}");
	}
	if ((spec->rootfs_propagation & ~(unsigned long)MS_REC) == MS_SHARED)
		return error_at(err, 0, "linux: rootfsPropagation", "\"shared\" is not supported yet");
	if (user->listed && user->path == NULL && (spec->uid_maps.count == 0 || spec->gid_maps.count == 0)) {
		error_at(err, 0, "linux: uidMappings", "missing: a new user namespace needs uidMappings and gidMappings");
		return error_hint(err, "moss spec --rootless writes them for one id");
	}
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		joins |= spec->namespaces[type].path != NULL;
	if (!user->listed && !joins && !bundle_is_privileged()) {
		error_at(err, EPERM, "linux: namespaces", "no user namespace, which a normal user needs");
		return error_hint(err, "moss spec --rootless writes a config.json for a normal user");
	}
	return 0;
}

static int check_process(const struct launch_options *options, const struct spec *spec, struct error *err)
{
	if (!spec->process.given)
		return error_at(err, 0, "process", "missing: creating a container without a program is not supported yet");
	if (spec->process.terminal && options->console_socket == NULL && options->detach) {
		error_set(err, 0, "cannot allocate tty if moss will detach without setting console socket");
		return error_hint(err, "use --console-socket, run in the foreground, or set \"terminal\": false");
	}
	if (options->console_socket != NULL && !(spec->process.terminal && options->detach))
		return error_set(err, 0, "cannot use console socket if moss will not detach or allocate tty");
	if (spec->process.terminal && !options->detach && console_find_terminal() < 0) {
		error_set(err, ENOTTY, "cannot allocate tty: none of stdin, stdout and stderr is a terminal");
		return error_hint(err, "set \"terminal\": false in config.json");
	}
	return 0;
}

int bundle_read(const struct launch_options *options, struct spec *ret_spec, struct error *err)
{
	mem_owned char *bytes = NULL;
	char path[PATH_MAX];

	*ret_spec = (struct spec){ .oci_version = NULL };
	snprintf(path, sizeof(path), "%s/config.json", options->bundle);
	ssize_t size = io_read_file(AT_FDCWD, options->config ? options->config : path, SPEC_BYTES_MAX, &bytes, err);
	if (size == -ENOENT && options->config == NULL) {
		error_at(err, ENOENT, path, "JSON specification file config.json not found");
		return error_hint(err, "moss spec writes one");
	}
	if (size < 0)
		return (int)size;
	if (spec_read(bytes, (size_t)size, ret_spec, err) < 0 || spec_check(ret_spec, err) < 0 ||
	    check_unsupported(ret_spec, options->degrade, err) < 0 || check_namespaces(ret_spec, err) < 0 ||
	    check_process(options, ret_spec, err) < 0)
		return error_step(err, "config.json");
	return 0;
}
