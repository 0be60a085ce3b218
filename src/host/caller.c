/* caller.c - see caller.h. Side: host. */
#define _GNU_SOURCE
#include "host/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

/* The host id behind our uid, and whether all ids are mapped to themselves, as in the initial
 * user namespace. */
static bool read_uid_map(uid_t *ret_user)
{
	char  text[8192];
	char *line, *rest = text;
	bool  initial = true;

	*ret_user = geteuid();
	if (io_read_small(AT_FDCWD, "/proc/self/uid_map", text, sizeof(text)) < 0)
		return true;
	while ((line = strsep(&rest, "\n")) != NULL) {
		unsigned inside, outside, count;

		if (sscanf(line, "%u %u %u", &inside, &outside, &count) != 3)
			continue;
		initial = inside == 0 && outside == 0 && count == UINT32_MAX;
		if (geteuid() >= inside && geteuid() - inside < count) {
			*ret_user = outside + (geteuid() - inside);
			break;
		}
	}
	return initial;
}

const struct caller *caller_get(void)
{
	static struct caller caller;
	static bool known;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	const char *podman_user = getenv("_CONTAINERS_ROOTLESS_UID");
	uint64_t    number;

	if (known)
		return &caller;
	known = true;
	if (syscall(SYS_capget, &header, data) < 0)
		memset(data, 0, sizeof(data));
	caller.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	caller.initial_user_ns = read_uid_map(&caller.user);
	caller.privileged = geteuid() == 0 && (data[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
	caller.root = caller.privileged && caller.initial_user_ns;
	caller.can_raise_limits = caller.initial_user_ns && (data[0].effective & (1u << CAP_SYS_RESOURCE)) != 0;
	if (!caller.initial_user_ns && podman_user != NULL && str_to_uint(podman_user, UINT32_MAX - 1, &number))
		caller.user = (uid_t)number;
	return &caller;
}

static bool seccomp_is_on(void)
{
	char text[4096];
	const char *line;

	if (io_read_small(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
		return false;
	line = strstr(text, "\nSeccomp:");
	return line != NULL && atoi(line + strlen("\nSeccomp:")) != 0;
}

int caller_explain_user_ns(int code, struct error *err)
{
	if (code == ENOSYS)
		error_hint(err, "clone3: moss needs Linux 5.14 or newer (a seccomp filter around it may hide the call, too)");
	if (code == ENOSPC || code == EUSERS || io_file_starts("/proc/sys/user/max_user_namespaces", "0\n"))
		return error_hint(err, "no more user namespaces are allowed: sysctl -w user.max_user_namespaces=65536 (as "
				       "root), or too many of them are nested");
	if (code != EPERM && code != EACCES)
		return -err->code;
	if (io_file_starts("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		return error_hint(err, "user namespaces are switched off for normal users: sysctl -w "
				       "kernel.unprivileged_userns_clone=1 (as root)");
	if (io_file_starts("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		return error_hint(err, "AppArmor restricts user namespaces: give moss a profile with \"userns,\", or sysctl -w "
				       "kernel.apparmor_restrict_unprivileged_userns=0 (as root)");
	if (seccomp_is_on())
		return error_hint(err, "a seccomp filter around moss denies user namespaces (a container or sandbox): allow "
				       "clone3 and unshare with CLONE_NEWUSER there, e.g. --security-opt seccomp=unconfined");
	return error_hint(err, "the kernel does not allow a user namespace here (a chroot does that, too)");
}
