/* spec_linux.c - config.json: linux, without its resources. Side: any; pure. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>

#include "base/sys.h"
#include "spec/spec_read.h"

const struct spec_namespace_kind spec_namespace_kinds[SPEC_NS_COUNT] = {
	[SPEC_NS_USER]    = { "user", "user", CLONE_NEWUSER, SYS_PIDFD_GET_USER },
	[SPEC_NS_PID]     = { "pid", "pid", CLONE_NEWPID, SYS_PIDFD_GET_PID },
	[SPEC_NS_NETWORK] = { "network", "net", CLONE_NEWNET, SYS_PIDFD_GET_NET },
	[SPEC_NS_IPC]     = { "ipc", "ipc", CLONE_NEWIPC, SYS_PIDFD_GET_IPC },
	[SPEC_NS_UTS]     = { "uts", "uts", CLONE_NEWUTS, SYS_PIDFD_GET_UTS },
	[SPEC_NS_CGROUP]  = { "cgroup", "cgroup", CLONE_NEWCGROUP, SYS_PIDFD_GET_CGROUP },
	[SPEC_NS_TIME]    = { "time", "time", CLONE_NEWTIME, SYS_PIDFD_GET_TIME },
	[SPEC_NS_MOUNT]   = { "mount", "mnt", CLONE_NEWNS, SYS_PIDFD_GET_MNT },
};

const char *const spec_clock_names[SPEC_CLOCK_COUNT] = {
	[SPEC_CLOCK_MONOTONIC] = "monotonic",
	[SPEC_CLOCK_BOOTTIME] = "boottime",
};

struct namespace_text {
	const char *type, *path;
};

static int namespace_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "type", json_type_string, true, offsetof(struct namespace_text, type), json_read_text },
		{ "path", json_type_string, false, offsetof(struct namespace_text, path), spec_read_word },
		{ 0 }
	};
	struct namespace_text text = { 0 };
	int kind = 0, ret = json_read(value, fields, &text, ctx);

	(void)field;
	if (ret < 0)
		return ret;
	while (kind < SPEC_NS_COUNT && strcmp(spec_namespace_kinds[kind].name, text.type) != 0)
		kind++;
	if (kind == SPEC_NS_COUNT)
		return json_fail(ctx, "unknown namespace type \"%.100s\"", text.type);
	struct spec_namespace *namespace = &((struct spec *)ctx->owner)->namespaces[kind];
	if (namespace->listed)
		return json_fail(ctx, "the namespace type \"%s\" is listed twice", text.type);
	if (text.path != NULL && text.path[0] != '/')
		return json_fail(ctx, "the path \"%.200s\" is not absolute", text.path);
	namespace->listed = true;
	namespace->index = (size_t)ctx->path[ctx->depth - 1].index;
	namespace->path = text.path;
	return 0;
}

static int namespaces_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element namespace = { json_type_object, 1, namespace_read };
	struct json_list list;

	(void)field;
	return json_read_list(value, &namespace, &list, ctx);
}

static int propagation_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct {
		const char   *name;
		unsigned long flags;
	} known[] = {
		{ "private", MS_PRIVATE },
		{ "shared", MS_SHARED },
		{ "slave", MS_SLAVE },
		{ "unbindable", MS_UNBINDABLE },
	};
	const char *name = json_object_get_string(value);
	bool        recursive = name[0] == 'r';

	if (name[0] == '\0')
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name + recursive) == 0) {
			*(unsigned long *)field = known[i].flags | (recursive ? MS_REC : 0);
			return 0;
		}
	return json_fail(ctx, "unknown propagation \"%.100s\"", name);
}

static int nanoseconds_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t number;
	int ret = json_read_range(value, 0, 999999999, &number, ctx);

	if (ret == 0)
		*(uint32_t *)field = (uint32_t)number;
	return ret;
}

static int time_offset_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec_time_offset, member)
	static const struct json_field fields[] = {
		{ "secs", json_type_int, false, AT(seconds), json_read_int64 },
		{ "nanosecs", json_type_int, false, AT(nanoseconds), nanoseconds_read },
		{ 0 }
	};
#undef AT
	struct spec *spec = field;
	int clock = 0;

	while (clock < SPEC_CLOCK_COUNT && strcmp(spec_clock_names[clock], json_name(ctx)) != 0)
		clock++;
	if (clock == SPEC_CLOCK_COUNT) {
		json_fail(ctx, "unknown clock");
		return error_hint(ctx->err, "a time namespace has the clocks monotonic and boottime");
	}
	spec->time_offsets[clock].given = true;
	return json_read(value, fields, &spec->time_offsets[clock], ctx);
}

int spec_time_offsets_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element offset = { json_type_object, 0, time_offset_read };

	return json_read_members(value, &offset, field, ctx);
}

static int personality_domain_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *name = json_object_get_string(value);

	if (strcmp(name, "LINUX") == 0)
		*(unsigned long *)field = PER_LINUX;
	else if (strcmp(name, "LINUX32") == 0)
		*(unsigned long *)field = PER_LINUX32;
	else
		return json_fail(ctx, "unknown domain \"%.100s\"", name);
	return 0;
}

/* config-linux.md, "Personality": no flag has a meaning yet. */
static int personality_flags_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec_texts flags;
	int ret = spec_read_texts(value, &flags, ctx);

	(void)field;
	return ret == 0 && flags.count > 0 ? json_fail(ctx, "unknown flag \"%.100s\"", flags.texts[0]) : ret;
}

int spec_personality_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "domain", json_type_string, true, offsetof(struct spec, personality), personality_domain_read },
		{ "flags", json_type_array, false, 0, personality_flags_read },
		{ 0 }
	};
	((struct spec *)field)->personality_given = true;
	return json_read(value, fields, field, ctx);
}

int spec_linux_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec, member)
	static const struct json_field fields[] = {
		{ "namespaces", json_type_array, false, 0, namespaces_read },
		{ "uidMappings", json_type_array, false, AT(uid_maps), spec_read_maps },
		{ "gidMappings", json_type_array, false, AT(gid_maps), spec_read_maps },
		{ "devices", json_type_array, false, 0, spec_devices_read },
		{ "resources", json_type_object, false, 0, spec_resources_read },
		{ "cgroupsPath", json_type_string, false, AT(cgroups_path), spec_read_word },
		{ "rootfsPropagation", json_type_string, false, AT(rootfs_propagation), propagation_read },
		{ "maskedPaths", json_type_array, false, AT(masked_paths), spec_read_texts },
		{ "readonlyPaths", json_type_array, false, AT(readonly_paths), spec_read_texts },
		{ "seccomp", json_type_object, false, 0, spec_seccomp_read },
		{ "mountLabel", json_type_string, false, AT(mount_label), spec_read_label },
		{ "sysctl", json_type_object, false, 0, spec_sysctls_read },
		{ "netDevices", json_type_object, false, 0, spec_net_devices_read },
		{ "intelRdt", json_type_object, false, 0, spec_intel_rdt_read },
		{ "memoryPolicy", json_type_object, false, AT(memory_policy), spec_memory_policy_read },
		{ "personality", json_type_object, false, 0, spec_personality_read },
		{ "timeOffsets", json_type_object, false, 0, spec_time_offsets_read },
		{ 0 }
	};
#undef AT
	return json_read(value, fields, field, ctx);
}
