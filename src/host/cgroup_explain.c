/* cgroup_explain.c - see cgroup_explain.h. Side: host. */
#define _GNU_SOURCE
#include "host/cgroup_explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "host/caller.h"
#include "host/cgroup.h"

#define GO_ON "; or leave the limit out, or go on without it: --degrade=warn"
#define DROP_IN "mkdir -p /etc/systemd/system/user@.service.d; printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' " \
		">/etc/systemd/system/user@.service.d/delegate.conf; systemctl daemon-reload"

bool cgroup_has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (text += strspn(text, " \n"); *text != '\0'; text += strcspn(text, " \n"), text += strspn(text, " \n"))
		if (strcspn(text, " \n") == length && strncmp(text, word, length) == 0)
			return true;
	return false;
}

/* Does /proc/self/cgroup name a hierarchy of version 1 with this controller: "4:memory:/path"? */
static bool is_v1(const char *controller)
{
	char  text[8192], *line, *rest = text, *names, *name;
	const char *wanted = strcmp(controller, "io") == 0 ? "blkio" : controller;

	if (io_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return false;
	while ((line = strsep(&rest, "\n")) != NULL) {
		strsep(&line, ":");
		names = strsep(&line, ":");
		while (names != NULL && (name = strsep(&names, ",")) != NULL)
			if (strcmp(name, wanted) == 0)
				return true;
	}
	return false;
}

/* Does the root of the hierarchy, as this process sees it, have it? And is it the real one? */
static bool root_has(const char *controller, bool *ret_real)
{
	char text[1024];
	fd_owned root = cgroup_open_path("");

	*ret_real = root >= 0 && faccessat(root, "cgroup.type", F_OK, 0) < 0;
	return root >= 0 && io_read_small(root, "cgroup.controllers", text, sizeof(text)) >= 0 &&
	       cgroup_has_word(text, controller);
}

static int explain_host(const struct spec_limit *limit, const char *controller, bool real_root, struct error *err)
{
	if (is_v1(controller)) {
		error_at(err, ENOTSUP, limit->path, "the controller %s is a version 1 controller on this host", controller);
		return error_hint(err, "boot with systemd.unified_cgroup_hierarchy=1" GO_ON);
	}
	if (!real_root) {
		error_at(err, ENOTSUP, limit->path, "the controller %s is not handed down to the cgroup that is the root in here", controller);
		return error_hint(err, "whoever made this cgroup namespace must enable it above" GO_ON);
	}
	error_at(err, ENOTSUP, limit->path, "this kernel has no controller %s, or it is switched off", controller);
	return error_hint(err, "boot a kernel that has it, without cgroup_disable=%s" GO_ON, controller);
}

/* The container runs in its caller's cgroup. */
static int explain_no_cgroup(const struct cgroup_target *target, const struct spec_limit *limit, const char *controller,
			     struct error *err)
{
	const struct error *reason = target->reason;
	bool at = reason->object[0] != '\0';

	error_at(err, 0, limit->path, "the controller %s can't be used: the container has no cgroup of its own (%.200s%s%.200s)",
		 controller, reason->object, at ? ": " : "", reason->cause);
	if (reason->hint[0] != '\0')
		return error_hint(err, "%.300s" GO_ON, reason->hint);
	if (caller_get()->root)
		return error_hint(err, "mount the cgroup2 file system writable at /sys/fs/cgroup" GO_ON);
	return error_hint(err, "let systemd make one: --systemd-cgroup; or start moss by systemd-run --user --scope -p Delegate=yes, from a "
			       "leaf cgroup in that scope (without a user "
			       "manager, as root: loginctl enable-linger %u)" GO_ON, (unsigned)caller_get()->user);
}

static int explain_above(int ret, const char *above, const struct spec_limit *limit, const char *controller, struct error *err)
{
	const char *place = above[0] ? above : "/";

	if (ret == -EBUSY) {
		error_at(err, EBUSY, limit->path, "the controller %s can't be handed down by the cgroup %s, which holds processes", controller, place);
		if (caller_get()->root)
			return error_hint(err, "choose a linux.cgroupsPath below a cgroup that holds none" GO_ON);
		return error_hint(err, "move moss's caller into a leaf first: systemd-run --user --scope -p Delegate=yes sh -c "
				       "'cd /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup) && mkdir leaf && echo $$ >leaf/cgroup.procs && cd - && "
				       "moss run ...'" GO_ON);
	}
	error_at(err, ret < 0 ? -ret : 0, limit->path, "the controller %s is not handed down by the cgroup %s", controller, place);
	if (ret == -EACCES || ret == -EPERM || ret == -EROFS) {
		if (!caller_get()->root && strstr(above, "/user@") == NULL)
			return error_hint(err, "as root: " DROP_IN "; systemctl restart user@%u, which ends what runs in it" GO_ON,
					  (unsigned)caller_get()->user);
		return error_hint(err, "the owner of that cgroup must enable it in its cgroup.subtree_control (Delegate= of a systemd unit)" GO_ON);
	}
	return -err->code;
}

int cgroup_explain(const struct cgroup_target *target, const struct spec_limit *limit, const char *controller, struct error *err)
{
	char text[1024], above[4096];
	bool real_root;

	if (!root_has(controller, &real_root) && (target->fd >= 0 || is_v1(controller)))
		return explain_host(limit, controller, real_root, err);
	if (target->fd < 0)
		return explain_no_cgroup(target, limit, controller, err);
	int ret = cgroup_hand_down(target->path, controller, above, sizeof(above));
	if (ret < 0)
		return explain_above(ret, above, limit, controller, err);
	if (io_read_small(target->fd, "cgroup.controllers", text, sizeof(text)) >= 0 && !cgroup_has_word(text, controller))
		return explain_above(0, above, limit, controller, err);
	error_at(err, ENOTSUP, limit->path, "the kernel has no %s%s%s", limit->file, limit->instead_file ? " and no " : "",
		 limit->instead_file ? limit->instead_file : "");
	if (limit->flags & SPEC_LIMIT_NO_SWAP)
		return error_hint(err, "boot without swapaccount=0" GO_ON);
	return error_hint(err, "this needs another kernel" GO_ON);
}
