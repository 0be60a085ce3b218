/* adapt.c - see adapt.h. Side: host. */
#define _GNU_SOURCE
#include "host/adapt.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/str.h"
#include "host/caller.h"
#include "host/idmap.h"
#include "host/own_ids.h"

#define MQUEUE_MAGIC 0x19800202 /* ipc/mqueue.c; not in <linux/magic.h> */

int adapt_note(struct spec *spec, struct error *err, const char *format, ...)
{
	struct spec_texts *notes = &spec->warnings;
	const char **texts = arena_grow(&spec->arena, notes->texts, notes->count, sizeof(*texts));
	char    text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (texts == NULL || (texts[notes->count] = arena_text(&spec->arena, text)) == NULL)
		return error_set(err, ENOMEM, "note");
	notes->texts = texts;
	notes->count++;
	return 0;
}

int adapt_env(struct spec *spec, const char *text, struct error *err)
{
	struct spec_texts *env = &spec->process.env;
	size_t length = strcspn(text, "=") + 1, kept = 0;
	const char **texts = arena_alloc(&spec->arena, env->count + 2, sizeof(*texts));

	if (texts == NULL)
		return error_set(err, ENOMEM, "environment");
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->texts[i], text, length) != 0)
			texts[kept++] = env->texts[i];
	texts[kept++] = text;
	*env = (struct spec_texts){ texts, kept };
	return 0;
}

static bool joins_any(const struct spec *spec)
{
	for (int type = 0; type < SPEC_NS_COUNT; type++)
		if (spec->namespaces[type].path != NULL)
			return true;
	return false;
}

static int adapt_user_ns(struct spec *spec, struct error *err)
{
	struct spec_namespace *user = &spec->namespaces[SPEC_NS_USER];

	if (caller_get()->privileged)
		return 0;
	/* Joined namespaces bring the user namespace that owns them (join.h). */
	if (!user->listed && !joins_any(spec)) {
		user->listed = true;
		if (adapt_note(spec, err, "linux: namespaces: a user namespace is added, which a normal user needs") < 0)
			return -err->code;
	}
	if (!user->listed || user->path != NULL || spec->uid_maps.count > 0 || spec->gid_maps.count > 0)
		return 0;
	if (own_ids_find(OWN_UIDS, &spec->arena, &spec->uid_maps, err) < 0 ||
	    own_ids_find(OWN_GIDS, &spec->arena, &spec->gid_maps, err) < 0)
		return error_step(err, "map ids");
	const struct spec_id_map *last = &spec->uid_maps.maps[spec->uid_maps.count - 1];
	return adapt_note(spec, err, "linux: uidMappings: added: 0 is user %u, 1 to %u are its subordinate ids",
			  (unsigned)geteuid(), last->container_id + last->count - 1);
}

/* Is this namespace one that the container's user namespace will own? A joined one is, or it
 * can't be joined at all (join.h). */
static bool owns(const struct spec *spec, enum spec_namespace_type type)
{
	return spec->namespaces[type].listed;
}

/* Let the mount show the host's tree instead, read-only with everything below it. */
static int bind_instead(struct spec *spec, struct spec_mount *mount, const char *source, struct error *err)
{
	int ret = adapt_note(spec, err, "mounts: %s: the host's %s is bound read-only: a user namespace may mount %s only "
			     "with a namespace of its own", mount->destination, source, mount->type);

	mount->type = "bind";
	mount->source = source;
	mount->options.bind = true;
	mount->options.recursive = true;
	mount->options.recursive_attr_set |= MOUNT_ATTR_RDONLY;
	mount->options.data_count = 0;
	return ret;
}

static int bind_mqueue(struct spec *spec, struct spec_mount *mount, struct error *err)
{
	struct statfs st;

	if (statfs("/dev/mqueue", &st) == 0 && st.f_type == MQUEUE_MAGIC)
		return bind_instead(spec, mount, "/dev/mqueue", err);
	error_at(err, EPERM, mount->destination, "mqueue without an ipc namespace of the container's own");
	return error_hint(err, "add {\"type\": \"ipc\"} to linux.namespaces, or leave the mount out");
}

static bool id_is_mapped(const struct spec_id_maps *maps, uint64_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (id >= maps->maps[i].container_id && id - maps->maps[i].container_id < maps->maps[i].count)
			return true;
	return false;
}

/* A new mapping is known; of a joined or surrounding namespace only id 0 is sure. */
static bool gid_is_mapped(const struct spec *spec, uint64_t gid)
{
	return spec->gid_maps.count > 0 ? id_is_mapped(&spec->gid_maps, gid) : gid == 0;
}

/* devpts's gid= is a convenience for write(1); the kernel refuses an id that is not mapped. */
static int drop_devpts_gid(struct spec *spec, struct spec_mount *mount, struct error *err)
{
	struct mount_options *options = &mount->options;
	size_t kept = 0;

	for (size_t i = 0; i < options->data_count; i++) {
		const char *word = options->data[i];
		uint64_t gid;

		if (str_starts(word, "gid=") && str_to_uint(word + 4, UINT32_MAX, &gid) && !gid_is_mapped(spec, gid)) {
			if (adapt_note(spec, err, "mounts: %s: %s is left out: the group is not mapped", mount->destination,
				       word) < 0)
				return -err->code;
			continue;
		}
		options->data[kept++] = word;
	}
	options->data_count = kept;
	return 0;
}

static int adapt_mount(struct spec *spec, struct spec_mount *mount, struct error *err)
{
	if (mount->options.bind || mount->type == NULL)
		return 0;
	if (strcmp(mount->type, "sysfs") == 0 && !owns(spec, SPEC_NS_NETWORK))
		return bind_instead(spec, mount, "/sys", err);
	if (strcmp(mount->type, "mqueue") == 0 && !owns(spec, SPEC_NS_IPC))
		return bind_mqueue(spec, mount, err);
	if ((strcmp(mount->type, "cgroup") == 0 || strcmp(mount->type, "cgroup2") == 0) && !owns(spec, SPEC_NS_CGROUP))
		return bind_instead(spec, mount, "/sys/fs/cgroup", err);
	if (strcmp(mount->type, "devpts") == 0)
		return drop_devpts_gid(spec, mount, err);
	return 0;
}

/* Inside somebody else's user namespace the limits of the machine were not ours to choose, and
 * engines pass them on all the same: clamped there, refused for a user's own config.json. */
int adapt_rlimits(struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->process.rlimits_count && !caller_get()->can_raise_limits; i++) {
		struct spec_rlimit *one = &spec->process.rlimits[i];
		struct rlimit now;

		if (getrlimit((__rlimit_resource_t)one->resource, &now) < 0 || one->limit.rlim_max <= now.rlim_max)
			continue;
		if (caller_get()->initial_user_ns) {
			error_at(err, EPERM, "process: rlimits", "%s: hard limit %llu is above the caller's, %llu", one->name,
				 (unsigned long long)one->limit.rlim_max, (unsigned long long)now.rlim_max);
			return error_hint(err, "ask for no more than ulimit -H shows, or raise that for your user "
					       "(/etc/security/limits.conf)");
		}
		if (adapt_note(spec, err, "process: rlimits: %s is %llu, the caller's hard limit, instead of %llu", one->name,
			       (unsigned long long)now.rlim_max, (unsigned long long)one->limit.rlim_max) < 0)
			return -err->code;
		one->limit.rlim_max = now.rlim_max;
		if (one->limit.rlim_cur > now.rlim_max)
			one->limit.rlim_cur = now.rlim_max;
	}
	return 0;
}

#define PING_GROUPS "net/ipv4/ping_group_range"
static const char all_groups[] = "0 2147483647"; /* the kernel's bounds */
#define LOW_PORTS "net/ipv4/ip_unprivileged_port_start"

/* Two numbers, apart by blanks. */
static bool split_range(const char *text, uint64_t *ret_low, uint64_t *ret_high)
{
	char   low[16];
	size_t length = strcspn(text, " \t");

	if (length == 0 || length >= sizeof(low) || text[length] == '\0')
		return false;
	memcpy(low, text, length);
	low[length] = '\0';
	return str_to_uint(low, UINT32_MAX, ret_low) &&
	       str_to_uint(text + length + strspn(text + length, " \t"), UINT32_MAX, ret_high);
}

/* Engines give all groups that there can be; the kernel takes none that is not mapped. */
static int clamp_ping_groups(struct spec *spec, struct spec_sysctl *sysctl, struct error *err)
{
	struct spec_id_maps maps = spec->gid_maps, ignored;
	uint64_t low, high, first = UINT64_MAX, last = 0;

	/* Of a joined user namespace it is not known here what is mapped. */
	if (spec->namespaces[SPEC_NS_USER].path != NULL || !split_range(sysctl->value, &low, &high) || low > high)
		return 0;
	if (maps.count == 0 && idmap_read(getpid(), &spec->arena, &ignored, &maps, err) < 0)
		return -err->code;
	for (size_t i = 0; i < maps.count; i++) {
		uint64_t start = maps.maps[i].container_id, end = start + maps.maps[i].count - 1;

		start = start < low ? low : start;
		end = end > high ? high : end;
		if (start > end)
			continue;
		first = start < first ? start : first;
		last = end > last ? end : last;
	}
	if (first > last || (first == low && last == high))
		return 0;
	char *value = arena_format(&spec->arena, "%llu %llu", (unsigned long long)first, (unsigned long long)last);
	if (value == NULL)
		return error_set(err, ENOMEM, "sysctl");
	int ret = sysctl->value == all_groups ? 0 /* nobody's wish but ours */
		: adapt_note(spec, err, "linux: sysctl: %s: %s instead of %s: no other groups are mapped", sysctl->name, value,
			     sysctl->value);
	sysctl->value = value;
	return ret;
}

/* Add one that config.json does not have. Returns 1; 0 when it has it; or -errno with @err set. */
static int add_sysctl(struct spec *spec, const struct spec_sysctl *sysctl, struct error *err)
{
	for (size_t i = 0; i < spec->sysctls_count; i++)
		if (strcmp(spec->sysctls[i].path, sysctl->path) == 0)
			return 0;
	struct spec_sysctl *all = arena_alloc(&spec->arena, spec->sysctls_count + 1, sizeof(*all));
	if (all == NULL)
		return error_set(err, ENOMEM, "sysctl");
	if (spec->sysctls_count > 0)
		memcpy(all, spec->sysctls, spec->sysctls_count * sizeof(*all));
	all[spec->sysctls_count++] = *sysctl;
	spec->sysctls = all;
	return 1;
}

int adapt_allow_ping(struct spec *spec, struct error *err)
{
	int ret = add_sysctl(spec, &(struct spec_sysctl){ "net.ipv4.ping_group_range", PING_GROUPS, all_groups, SPEC_NS_NETWORK }, err);

	return ret < 0 ? ret : 0;
}

/* In a network namespace of its own there is nobody else to be protected from its services. */
static int open_low_ports(struct spec *spec, struct error *err)
{
	const struct spec_namespace *network = &spec->namespaces[SPEC_NS_NETWORK];

	if (caller_get()->privileged || !network->listed || network->path != NULL || spec->process.user.uid == 0)
		return 0;
	int ret = add_sysctl(spec, &(struct spec_sysctl){ "net.ipv4.ip_unprivileged_port_start", LOW_PORTS, "0", SPEC_NS_NETWORK }, err);
	return ret <= 0 ? ret : adapt_note(spec, err, "linux: sysctl: net.ipv4.ip_unprivileged_port_start: 0 is added, so that user %u can use the "
			  "ports below 1024", spec->process.user.uid);
}

static int adapt_sysctls(struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->sysctls_count; i++)
		if (strcmp(spec->sysctls[i].path, PING_GROUPS) == 0 && clamp_ping_groups(spec, &spec->sysctls[i], err) < 0)
			return -err->code;
	return open_low_ports(spec, err);
}

int adapt_spec(struct spec *spec, struct error *err)
{
	if (adapt_rlimits(spec, err) < 0)
		return -err->code;
	if (caller_get()->root && !spec->namespaces[SPEC_NS_USER].listed)
		return 0;
	if (adapt_user_ns(spec, err) < 0 || adapt_sysctls(spec, err) < 0)
		return -err->code;
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (adapt_mount(spec, &spec->mounts[i], err) < 0)
			return error_object(err, "mounts[%zu]", i);
	return 0;
}
