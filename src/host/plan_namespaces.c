/* plan_namespaces.c - see plan_namespaces.h. Side: host. */
#define _GNU_SOURCE
#include "host/plan_namespaces.h"

#include <errno.h>
#include <stdio.h>

#include "host/caller.h"

/* A namespace of the container that is not ours. */
static bool leaves(const struct join *join, enum spec_namespace_type type)
{
	return join->fds[type] >= 0 || (join->new_namespaces & spec_namespace_kinds[type].flag);
}

static int check_type(const struct join *join, enum spec_namespace_type type, const char *object, struct error *err)
{
	if (leaves(join, type))
		return 0;
	error_at(err, 0, object, "the %s namespace that is joined is the runtime's own: it would be changed for the host",
		 spec_namespace_kinds[type].name);
	return error_hint(err, "leave it out, or the path in linux.namespaces");
}

static int check_owned(const struct spec *spec, const struct join *join, struct error *err)
{
	char object[300];

	for (size_t i = 0; i < spec->sysctls_count; i++) {
		snprintf(object, sizeof(object), "linux: sysctl: %.200s", spec->sysctls[i].name);
		if (check_type(join, spec->sysctls[i].owner, object, err) < 0)
			return -err->code;
	}
	for (size_t i = 0; i < spec->net_devices_count; i++) {
		snprintf(object, sizeof(object), "linux: netDevices: %.200s", spec->net_devices[i].name);
		if (check_type(join, SPEC_NS_NETWORK, object, err) < 0)
			return -err->code;
	}
	if (spec->hostname != NULL && check_type(join, SPEC_NS_UTS, "hostname", err) < 0)
		return -err->code;
	return spec->domainname != NULL ? check_type(join, SPEC_NS_UTS, "domainname", err) : 0;
}

/* The clocks are set through a /proc file that belongs to root where the process is not dumpable; and one that
 * enters somebody's user namespace must not be (join.h). */
static int check_clocks(const struct spec *spec, const struct join *join, struct error *err)
{
	if (caller_get()->privileged || !join->any)
		return 0;
	for (int clock = 0; clock < SPEC_CLOCK_COUNT; clock++) {
		if (!spec->time_offsets[clock].given)
			continue;
		error_at(err, EPERM, "linux: timeOffsets", "a normal user can't set clocks where namespaces are joined");
		return error_hint(err, "join the time namespace of the other container, too, or leave timeOffsets out");
	}
	return 0;
}

/* Both are written through /proc. Where a mount namespace is joined the one to be seen is another container's, and may be
 * anything; a new one can't be had in a user namespace where that one is covered in part (mount_namespaces(7)). */
static int check_foreign_tree(const struct spec *spec, const struct join *join, struct error *err)
{
	static const char why[] = "can't be set up in a user namespace where a mount namespace is joined: the /proc in there is another "
				  "container's";
	const struct spec_namespace *time = &spec->namespaces[SPEC_NS_TIME];

	if (join->fds[SPEC_NS_MOUNT] < 0 || !leaves(join, SPEC_NS_USER))
		return 0;
	if (join->new_namespaces & spec_namespace_kinds[SPEC_NS_TIME].flag) {
		error_set(err, EPERM, "a time namespace %s", why);
		error_object(err, "linux: namespaces[%zu]", time->index);
		return error_hint(err, "leave it out, or join one by its path");
	}
	for (size_t i = 0; i < spec->sysctls_count; i++) {
		if (spec->sysctls[i].owner == SPEC_NS_UTS)
			continue;
		error_set(err, EPERM, "it %s", why);
		error_object(err, "linux: sysctl: %s", spec->sysctls[i].name);
		return error_hint(err, "leave it out, or set it in the container whose namespace it is");
	}
	return 0;
}

/* config.md, "createContainer Hooks": the program is one of the runtime's namespace. In a mount namespace that is joined it
 * would be another container's, run with rights that this one may not have. */
static int check_foreign_hooks(const struct spec *spec, const struct join *join, struct error *err)
{
	if (join->fds[SPEC_NS_MOUNT] < 0 || spec->hooks[SPEC_HOOK_CREATE_CONTAINER].count == 0)
		return 0;
	error_at(err, EPERM, "hooks: createContainer[0]", "where a mount namespace is joined its program would be the other container's");
	return error_hint(err, "use createRuntime, whose programs are the host's, or leave the path of the mount namespace out");
}

int plan_namespaces_check(const struct spec *spec, const struct join *join, struct error *err)
{
	int ret = check_owned(spec, join, err);

	if (ret == 0)
		ret = check_clocks(spec, join, err);
	if (ret == 0)
		ret = check_foreign_hooks(spec, join, err);
	return ret < 0 ? ret : check_foreign_tree(spec, join, err);
}
