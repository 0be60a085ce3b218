/* sysctl.c - see sysctl.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/sys.h"

static int explain(int code, const struct spec_sysctl *sysctl, struct error *err)
{
	char object[300];

	snprintf(object, sizeof(object), "linux: sysctl: %.200s", sysctl->name);
	error_at(err, code, object, "write \"%.100s\" to /proc/sys/%.200s", sysctl->value, sysctl->path);
	switch (code) {
	case ENOENT:
		return error_hint(err, "this kernel, or a new %s namespace, has no such value",
				  spec_namespace_kinds[sysctl->owner].name);
	case EINVAL:
	case ERANGE:
		return error_hint(err, "the kernel does not take this value");
	case EACCES:
	case EPERM:
		return error_hint(err, sysctl->owner == SPEC_NS_IPC
			? "only newer kernels let a user namespace write the values of its ipc namespace: run it as root, or leave it out"
			: "this one is for the machine's root only: leave it out");
	case EXDEV:
		return error_hint(err, "/proc/sys is covered by a mount here, as in a container; make that one with an unmasked /proc");
	default:
		return -code;
	}
}

static int apply_one(int procfs, const struct spec_sysctl *sysctl)
{
	/* write(2) of no bytes would be no write at all. */
	const char *value = sysctl->value[0] != '\0' ? sysctl->value : "\n";
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "sys/%s", sysctl->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	ssize_t count = proc_file_write_at(procfs, path, value);
	return count < 0 ? (int)count : (size_t)count == strlen(value) ? 0 : -EINVAL;
}

int sysctl_apply(const struct spec *spec, struct error *err)
{
	fd_owned procfs = -1;

	for (size_t i = 0; i < spec->sysctls_count; i++) {
		const struct spec_sysctl *sysctl = &spec->sysctls[i];

		if (sysctl->owner == SPEC_NS_UTS)
			continue;
		if (procfs < 0)
			procfs = proc_root_private();
		int ret = procfs < 0 ? procfs : apply_one(procfs, sysctl);
		if (ret < 0)
			return explain(-ret, sysctl, err);
	}
	return 0;
}
