/* lsm.c - see lsm.h. Side: any. */
#define _GNU_SOURCE
#include "base/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"

#define FIELD_APPARMOR "process: apparmorProfile"
#define FIELD_SELINUX "process: selinuxLabel"
#define ATTRIBUTE_MAX 4096 /* fs/proc/base.c, proc_pid_attr_write(): what is longer is cut */

/* An attribute of our own, "exec": opened and written by the same process with the same credentials, as the
 * kernel demands, and through a procfs that nobody can have put a file of his own into (CVE-2019-16884,
 * CVE-2019-19921, CVE-2025-52881). */
static int attribute_write(int procfs, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "self/attr/%s", name);
	ssize_t count = proc_file_write_at(procfs, path, text);
	return count < 0 ? (int)count : (size_t)count == strlen(text) ? 0 : -ENAMETOOLONG;
}

static int explain_path(int code, struct error *err)
{
	if (code == EXDEV)
		return error_hint(err, "/proc/self/attr is covered by a mount here, as in a container; make that one with an unmasked /proc");
	return -code;
}

static int set_profile(int procfs, const char *profile, struct error *err)
{
	char text[ATTRIBUTE_MAX + 1];

	int length = snprintf(text, sizeof(text), "exec %s", profile);
	int ret = length < (int)sizeof(text) ? attribute_write(procfs, "apparmor/exec", text) : -ENAMETOOLONG;
	if (ret == 0)
		return 0;
	error_at(err, -ret, FIELD_APPARMOR, ret == -ENOENT ? "the profile \"%.200s\" is not loaded" : "set the profile \"%.200s\"", profile);
	switch (-ret) {
	case ENOENT:
		return error_hint(err, "load it: apparmor_parser -r FILE, as root on the host (aa-status lists what is loaded)");
	case EACCES:
	case EPERM:
		return error_hint(err, "moss itself is confined, see /proc/self/attr/current, and its profile or no_new_privs does "
				       "not allow this change; or leave the field out");
	default:
		return explain_path(-ret, err);
	}
}

static int set_selinux(int procfs, const struct lsm_labels *labels, struct error *err)
{
	const char *names[] = { "exec", "keycreate" };

	for (size_t i = 0; i < (labels->label_keyring ? 2 : 1); i++) {
		int ret = attribute_write(procfs, names[i], labels->selinux_label);
		if (ret == 0)
			continue;
		error_at(err, -ret, FIELD_SELINUX, "write \"%.200s\" to /proc/self/attr/%s", labels->selinux_label, names[i]);
		if (ret == -EINVAL)
			return error_hint(err, "the loaded policy knows no such label (seinfo, sestatus)");
		if (ret == -EACCES || ret == -EPERM)
			return error_hint(err, "the policy does not let moss's own label, in /proc/self/attr/current, set this one");
		return explain_path(-ret, err);
	}
	return 0;
}

int lsm_label_next_exec(const struct lsm_labels *labels, struct error *err)
{
	if (labels->apparmor_profile == NULL && labels->selinux_label == NULL)
		return 0;
	fd_owned procfs = proc_root_private();
	if (procfs < 0) {
		error_at(err, -procfs, labels->apparmor_profile ? FIELD_APPARMOR : FIELD_SELINUX, "open /proc to set it");
		return explain_path(-procfs, err);
	}
	if (labels->apparmor_profile != NULL && set_profile(procfs, labels->apparmor_profile, err) < 0)
		return -err->code;
	return labels->selinux_label != NULL ? set_selinux(procfs, labels, err) : 0;
}
