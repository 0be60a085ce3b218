/* credentials.c - see credentials.h. Side: container. */
#define _GNU_SOURCE
#include "init/credentials.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int drop_bounding(uint64_t keep, struct error *err)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (keep & (UINT64_C(1) << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* above the kernel's last capability */
			break;
		return error_set(err, errno, "drop capability %lu from the bounding set", cap);
	}
	return 0;
}

static int set_groups(const struct init *init, struct error *err)
{
	const struct spec_user *user = &init->process->user;

	if (init->keep_groups)
		return 0;
	/* Tried in every case: what the host side has read may be said of a user namespace that the container
	 * has made in its own, where it may deny what is allowed here. */
	if (setgroups(user->additional_gids_count, user->additional_gids) == 0)
		return 0;
	if (init->set_groups || errno != EPERM) {
		error_at(err, errno, "process: user: additionalGids", "setgroups");
		return error_hint(err, "each group must be mapped in the user namespace");
	}
	if (user->additional_gids_count == 0)
		return 0;
	error_at(err, EPERM, "process: user: additionalGids", "setgroups(2) is denied in this user namespace");
	return error_hint(err, "it has one id only: map a range of ids, or leave additionalGids out");
}

static int set_user(const struct spec_user *user, struct error *err)
{
	/* Keep the permitted set across the change of user, for capset(2) below. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_KEEPCAPS");
	if (setresgid(user->gid, user->gid, user->gid) < 0) {
		error_at(err, errno, "process: user: gid", "become group %u", user->gid);
		return error_hint(err, "the id must be mapped in the user namespace");
	}
	if (setresuid(user->uid, user->uid, user->uid) < 0) {
		error_at(err, errno, "process: user: uid", "become user %u", user->uid);
		return error_hint(err, "the id must be mapped in the user namespace");
	}
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_KEEPCAPS");
	return 0;
}

static int set_capabilities(const struct spec_capabilities *caps, struct init_context *context, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)caps->effective, (uint32_t)caps->permitted, (uint32_t)caps->inheritable },
		{ (uint32_t)(caps->effective >> 32), (uint32_t)(caps->permitted >> 32),
		  (uint32_t)(caps->inheritable >> 32) },
	};

	if (syscall(SYS_capset, &header, data) < 0) {
		error_at(err, errno, "process: capabilities", "capset");
		return error_hint(err, "effective must be part of permitted, inheritable of bounding");
	}
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (!(caps->ambient & (UINT64_C(1) << cap)))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			init_note(context, "process: capabilities: ambient: number %lu can't be raised: %s", cap, strerror(errno));
	}
	return 0;
}

int credentials_apply(const struct init *init, struct init_context *context, struct error *err)
{
	struct spec_capabilities caps = init->capabilities;

	/* To load the filter last, behind capset(2), which it may deny. The program gets it from execve(2) only where
	 * it may have it: what that gives follows from the inheritable, ambient and bounding sets (capabilities(7)). */
	if (init->seccomp != NULL && init->seccomp->privileged) {
		const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;

		if (caps.ambient & ~caps.permitted & admin) { /* not to be raised on the strength of that */
			init_note(context, "process: capabilities: ambient: CAP_SYS_ADMIN can't be raised: it must be permitted, too");
			caps.ambient &= ~admin;
		}
		caps.permitted |= admin;
		caps.effective |= admin;
	}
	/* Each needs what the next one gives up. */
	if (drop_bounding(caps.bounding, err) < 0 || set_groups(init, err) < 0 ||
	    set_user(&init->process->user, err) < 0 || set_capabilities(&caps, context, err) < 0)
		return -err->code;
	if (init->process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_NO_NEW_PRIVS");
	return 0;
}
