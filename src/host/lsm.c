/* lsm.c - see lsm.h. Side: host. */
#define _GNU_SOURCE
#include "host/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/str.h"

#define APPARMOR_SWITCH "/sys/module/apparmor/parameters/enabled"
#define SELINUX_MOUNT "/sys/fs/selinux"

static int check_apparmor(struct error *err)
{
	char    text[8];
	ssize_t size = io_read_small(AT_FDCWD, APPARMOR_SWITCH, text, sizeof(text));

	if (size > 0 && text[0] == 'Y')
		return 0;
	if (size < 0)
		error_at(err, 0, "process: apparmorProfile", "this kernel has no AppArmor: there is no " APPARMOR_SWITCH);
	else
		error_at(err, 0, "process: apparmorProfile", "AppArmor is off: " APPARMOR_SWITCH " says %.1s", text);
	return error_hint(err, "boot a kernel that has it with \"apparmor=1 security=apparmor\", or leave the field (--apparmor) out");
}

static int check_selinux(const char *field, const char *option, struct error *err)
{
	struct statfs fs;
	char label[256];

	if (statfs(SELINUX_MOUNT, &fs) < 0 || (uint32_t)fs.f_type != SELINUX_MAGIC)
		error_at(err, 0, field, "this kernel has no SELinux, or it is off: no selinuxfs at " SELINUX_MOUNT);
	/* What every process is before there is a policy. */
	else if (io_read_small(AT_FDCWD, "/proc/self/attr/current", label, sizeof(label)) >= 0 && strcmp(label, "kernel") == 0)
		error_at(err, 0, field, "SELinux has no policy loaded");
	else
		return 0;
	return error_hint(err, "boot with \"selinux=1 security=selinux\" and a policy, or leave the field%s out", option);
}

int lsm_plan(const struct spec_process *process, struct lsm_labels *ret_labels, struct error *err)
{
	*ret_labels = (struct lsm_labels){ process->apparmor_profile, process->selinux_label, false };
	if (ret_labels->apparmor_profile != NULL && check_apparmor(err) < 0) {
		if (strcmp(process->apparmor_profile, "unconfined") != 0)
			return -err->code;
		*err = (struct error){ 0 };
		ret_labels->apparmor_profile = NULL;
	}
	return ret_labels->selinux_label != NULL ? check_selinux("process: selinuxLabel", " (--process-label)", err) : 0;
}

static bool takes_label(const struct spec_mount *mount)
{
	static const char *const others[] = { "proc", "sysfs", "cgroup", "cgroup2" };
	static const char *const own[] = { "context=", "fscontext=", "defcontext=", "rootcontext=" };

	if (mount->options.bind || mount->type == NULL || (mount->options.special & MOUNT_REMOUNT))
		return false;
	for (size_t i = 0; i < array_size(others); i++)
		if (strcmp(mount->type, others[i]) == 0)
			return false;
	for (size_t i = 0; i < mount->options.data_count; i++)
		for (size_t j = 0; j < array_size(own); j++)
			if (str_starts(mount->options.data[i], own[j]))
				return false;
	return true;
}

int lsm_plan_mounts(struct spec *spec, struct error *err)
{
	if (spec->mount_label == NULL)
		return 0;
	if (check_selinux("linux: mountLabel", "", err) < 0)
		return -err->code;
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (takes_label(&spec->mounts[i]))
			spec->mounts[i].label = spec->mount_label;
	return 0;
}
