/* spec_check.c - the rules between the fields of config.json. Side: any; pure.
 *
 * One function a rule; above it what the specification says of it, in other words.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "spec/spec_read.h"

#define HOSTNAME_MAX 64 /* bytes: __NEW_UTS_LEN of the kernel */
#define MAP_LINES_MAX 340 /* UID_GID_MAP_MAX_EXTENTS of the kernel */

/* Refuse, for the field at @path (outermost first). */
#define refuse(err, path, ...) (error_set(err, 0, __VA_ARGS__), error_object(err, path))

/* config.md, "Root": required but for Hyper-V containers; its path is absolute or starts at the bundle. */
static int check_root(const struct spec *spec, struct error *err)
{
	if (!spec->root_given)
		return refuse(err, "root", "missing");
	if (spec->root_path[0] == '\0')
		return refuse(err, "root: path", "empty");
	return 0;
}

/* config-linux.md, "Sysctl", with "Namespaces": a value of a namespace can be set where the container has
 * that namespace for itself, or was told to join it. */
static int check_sysctls(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->sysctls_count; i++) {
		const struct spec_sysctl *sysctl = &spec->sysctls[i];
		const char *type = spec_namespace_kinds[sysctl->owner].name;

		if (spec->namespaces[sysctl->owner].listed)
			continue;
		error_set(err, 0, "it belongs to the %s namespace, and linux.namespaces lists none: it would be changed for "
			  "the host", type);
		error_object(err, "linux: sysctl: %s", sysctl->name);
		return error_hint(err, "add { \"type\": \"%s\" } to linux.namespaces, or leave it out", type);
	}
	/* One value, said twice: no reader can tell which is meant. */
	if (spec->hostname != NULL && spec->sysctl_hostname != NULL)
		return refuse(err, "linux: sysctl: kernel.hostname", "the field hostname is given, too: leave one of them out");
	if (spec->domainname != NULL && spec->sysctl_domainname != NULL)
		return refuse(err, "linux: sysctl: kernel.domainname", "the field domainname is given, too: leave one of them out");
	return 0;
}

/* config-linux.md, "Offset for Time Namespace": the offsets are those of the container's time namespace.
 * time_namespaces(7): they can be set only before a first process is in it. */
static int check_time_offsets(const struct spec *spec, struct error *err)
{
	const struct spec_namespace *time = &spec->namespaces[SPEC_NS_TIME];

	for (int clock = 0; clock < SPEC_CLOCK_COUNT; clock++) {
		if (!spec->time_offsets[clock].given || (time->listed && time->path == NULL))
			continue;
		if (time->listed)
			error_set(err, 0, "the time namespace %.200s that is joined has its own offsets", time->path);
		else
			error_set(err, 0, "offsets need a time namespace, and linux.namespaces lists none");
		error_object(err, "linux: timeOffsets: %s", spec_clock_names[clock]);
		return error_hint(err, time->listed ? "remove timeOffsets, or the path" :
				  "add { \"type\": \"time\" } to linux.namespaces");
	}
	return 0;
}

/* config-linux.md, "Network Devices": a device is moved into the container's network namespace; so there
 * must be one that is not the host's. A name is unique in a network namespace. */
static int check_net_devices(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->net_devices_count; i++) {
		const struct spec_net_device *device = &spec->net_devices[i];
		size_t j = 0;

		while (j < i && strcmp(spec->net_devices[j].new_name, device->new_name) != 0)
			j++;
		if (!spec->namespaces[SPEC_NS_NETWORK].listed) {
			error_set(err, 0, "needs a network namespace, and linux.namespaces lists none");
			error_hint(err, "add { \"type\": \"network\" } to linux.namespaces");
		} else if (j < i && strchr(device->new_name, '%') == NULL) {
			error_set(err, 0, "%s gets the name %s, too", spec->net_devices[j].name, device->new_name);
		} else {
			continue;
		}
		return error_object(err, "linux: netDevices: %s", device->name);
	}
	return 0;
}

static bool ranges_overlap(uint64_t a, uint64_t b, uint64_t a_count, uint64_t b_count)
{
	return a < b + b_count && b < a + a_count;
}

/* config-linux.md, "User namespace mappings": a range of ids in the container stands for one of the host, of
 * the same size; in user_namespaces(7) 4294967295 is no id. */
static int check_map_range(const struct spec_id_map *map, struct error *err)
{
	/* 4294967295 itself is no id, so the last one of a range is 4294967294 at the most. */
	if (map->count == 0)
		return error_set(err, 0, "the size is 0");
	if ((uint64_t)map->container_id + map->count > UINT32_MAX)
		return error_set(err, 0, "the range of container ids ends past 4294967294");
	if ((uint64_t)map->host_id + map->count > UINT32_MAX)
		return error_set(err, 0, "the range of host ids ends past 4294967294");
	return 0;
}

/* user_namespaces(7): no id, on either side, may be in two ranges. */
static int check_maps(const struct spec_id_maps *maps, const char *name, struct error *err)
{
	if (maps->count > MAP_LINES_MAX) {
		error_set(err, 0, "%zu entries: the kernel takes %d", maps->count, MAP_LINES_MAX);
		return error_object(err, "%s", name);
	}
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_id_map *map = &maps->maps[i];
		int ret = check_map_range(map, err);

		for (size_t j = 0; ret == 0 && j < i; j++) {
			const struct spec_id_map *other = &maps->maps[j];

			if (ranges_overlap(map->container_id, other->container_id, map->count, other->count))
				ret = error_set(err, 0, "its container ids overlap those of entry %zu", j);
			else if (ranges_overlap(map->host_id, other->host_id, map->count, other->count))
				ret = error_set(err, 0, "its host ids overlap those of entry %zu", j);
		}
		if (ret < 0)
			return error_object(err, "%s[%zu]", name, i);
	}
	return 0;
}

static int check_both_maps(const struct spec_id_maps *uid_maps, const struct spec_id_maps *gid_maps, struct error *err)
{
	int ret = check_maps(uid_maps, "uidMappings", err);

	return ret < 0 ? ret : check_maps(gid_maps, "gidMappings", err);
}

/* config-linux.md, "User namespace mappings": they are those of the container's new user namespace; the kernel
 * needs both. */
static int check_user_namespace(const struct spec *spec, struct error *err)
{
	const struct spec_namespace *user = &spec->namespaces[SPEC_NS_USER];
	const char *name = spec->uid_maps.count > 0 ? "linux: uidMappings" : "linux: gidMappings";

	if (spec->uid_maps.count == 0 && spec->gid_maps.count == 0)
		return 0;
	if (!user->listed) {
		error_set(err, 0, "mappings need a user namespace, and linux.namespaces lists none");
		error_object(err, "%s", name);
		return error_hint(err, "add { \"type\": \"user\" } to linux.namespaces");
	}
	if (user->path != NULL) {
		error_set(err, 0, "the user namespace %.200s that is joined has its own mappings",
				user->path);
		error_object(err, "%s", name);
		return error_hint(err, "remove uidMappings and gidMappings, or the path");
	}
	if (spec->uid_maps.count == 0)
		return refuse(err, "linux: uidMappings", "missing, while gidMappings is given");
	if (spec->gid_maps.count == 0)
		return refuse(err, "linux: gidMappings", "missing, while uidMappings is given");
	return check_both_maps(&spec->uid_maps, &spec->gid_maps, err) < 0 ? error_object(err, "linux") : 0;
}

/* "0-999, 1001": the container ids of @maps; cut with "..." when there are many. */
static void maps_text(const struct spec_id_maps *maps, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_id_map *map = &maps->maps[i];
		const char *comma = i > 0 ? ", " : "";

		if (size - used < 40) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		int len = map->count == 1
			? snprintf(text + used, size - used, "%s%u", comma, map->container_id)
			: snprintf(text + used, size - used, "%s%u-%u", comma, map->container_id,
				   map->container_id + (map->count - 1));
		used += (size_t)len;
	}
}

static int check_id(uint32_t container_id, const struct spec_id_maps *maps, struct error *err)
{
	char mapped[300];

	if (maps->count == 0)
		return 0;
	for (size_t i = 0; i < maps->count; i++)
		if (container_id >= maps->maps[i].container_id &&
		    container_id - maps->maps[i].container_id < maps->maps[i].count)
			return 0;
	maps_text(maps, mapped, sizeof(mapped));
	error_set(err, 0, "id %u is not mapped in the user namespace (mapped: %s)", container_id, mapped);
	return error_hint(err, "use a mapped id, or map more of them in linux.%s",
			  "uidMappings and linux.gidMappings");
}

/* config.md, "POSIX-platform User": uid, gid and additionalGids are ids in the container's user namespace. */
static int check_ids(const struct spec *spec, struct error *err)
{
	const struct spec_user *user = &spec->process.user;

	if (check_id(user->uid, &spec->uid_maps, err) < 0)
		return error_object(err, "process: user: uid");
	if (check_id(user->gid, &spec->gid_maps, err) < 0)
		return error_object(err, "process: user: gid");
	for (size_t i = 0; i < user->additional_gids_count; i++)
		if (check_id(user->additional_gids[i], &spec->gid_maps, err) < 0)
			return error_object(err, "process: user: additionalGids[%zu]", i);
	return 0;
}

/* config.md, "POSIX process": a type that is listed twice must be an error; getrlimit(2): the soft limit is at
 * most the hard one. */
static int check_rlimits(const struct spec_process *process, struct error *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < process->rlimits_count; i++) {
		const struct spec_rlimit *rlimit = &process->rlimits[i];

		if ((seen >> rlimit->resource & 1) != 0)
			error_set(err, 0, "%s is listed twice", rlimit->name);
		else if (rlimit->limit.rlim_cur > rlimit->limit.rlim_max)
			error_set(err, 0, "%s: the soft limit %ju is above the hard limit %ju", rlimit->name,
				  (uintmax_t)rlimit->limit.rlim_cur, (uintmax_t)rlimit->limit.rlim_max);
		else {
			seen |= UINT64_C(1) << rlimit->resource;
			continue;
		}
		return error_object(err, "process: rlimits[%zu]", i);
	}
	return 0;
}

/* config.md, "Process": args holds at least one word; cwd must be an absolute path. The object itself may be
 * absent until `start` is called. */
int spec_check_process(const struct spec *spec, struct error *err)
{
	const struct spec_process *process = &spec->process;

	if (!process->given)
		return 0;
	if (process->args.count == 0)
		return refuse(err, "process: args", "missing or empty: there is no program to run");
	if (process->cwd[0] != '/')
		return refuse(err, "process: cwd", "\"%.200s\" is not an absolute path", process->cwd);
	int ret = check_rlimits(process, err);
	if (ret == 0)
		ret = spec_check_capabilities(&process->capabilities, err);
	if (ret == 0)
		ret = spec_check_scheduler(&process->scheduler, err);
	return ret < 0 ? ret : check_ids(spec, err);
}

/* config.md, "Hostname" and "Domainname": on Linux they are set in the container's uts namespace. uts_namespaces(7):
 * 64 bytes. */
static int check_name(const struct spec *spec, const char *name, const char *field, struct error *err)
{
	if (name == NULL)
		return 0;
	if (strlen(name) > HOSTNAME_MAX) {
		error_set(err, 0, "%zu bytes, more than the %d that the kernel keeps", strlen(name),
			  HOSTNAME_MAX);
		return error_object(err, "%s", field);
	}
	if (!spec->namespaces[SPEC_NS_UTS].listed) {
		error_set(err, 0, "needs a uts namespace, and linux.namespaces lists none");
		error_object(err, "%s", field);
		return error_hint(err, "add { \"type\": \"uts\" } to linux.namespaces, or remove %s", field);
	}
	return 0;
}

/* config-linux.md, "Masked Paths" and "Readonly Paths": the paths are absolute, in the container. */
static int check_absolute(const struct spec_texts *paths, const char *field, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++)
		if (paths->texts[i][0] != '/') {
			error_set(err, 0, "\"%.200s\" is not an absolute path", paths->texts[i]);
			return error_object(err, "linux: %s[%zu]", field, i);
		}
	return 0;
}

static int check_device(const struct spec_device *device, const struct spec *spec, struct error *err)
{
	if (device->path[0] != '/') {
		error_set(err, 0, "\"%.200s\" is not an absolute path", device->path);
		return error_object(err, "path");
	}
	/* In a user namespace any other node is the host's, and keeps its owner. */
	if (device->type != S_IFIFO)
		return 0;
	if (check_id(device->uid, &spec->uid_maps, err) < 0)
		return error_object(err, "uid");
	return check_id(device->gid, &spec->gid_maps, err) < 0 ? error_object(err, "gid") : 0;
}

/* config-linux.md, "Devices": path is the full path in the container. */
static int check_paths(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->devices_count; i++)
		if (check_device(&spec->devices[i], spec, err) < 0)
			return error_object(err, "linux: devices[%zu]", i);
	int ret = check_absolute(&spec->masked_paths, "maskedPaths", err);
	return ret < 0 ? ret : check_absolute(&spec->readonly_paths, "readonlyPaths", err);
}

/* Some words mean something on a bind mount only, one on a tmpfs only, one on no bind. */
static int check_special(const struct spec_mount *mount, struct error *err)
{
	static const struct {
		unsigned    flag;
		const char *word, *type; /* NULL: any but a bind */
	} words[] = {
		{ MOUNT_COPY_UP, "tmpcopyup", "tmpfs" },
		{ MOUNT_IDMAP, "idmap", "bind" },
		{ MOUNT_REMOUNT, "remount", "bind" },
		{ MOUNT_COPY_LINK, "copy-symlink", "bind" },
		{ MOUNT_SOURCE_NOFOLLOW, "src-nofollow", "bind" },
		{ MOUNT_IVERSION, "iversion", NULL },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *type = words[i].type;

		if (!(mount->options.special & words[i].flag) ||
		    (type != NULL ? strcmp(mount->type, type) == 0 : !mount->options.bind))
			continue;
		error_set(err, 0, "\"%s\" is for %s%s only", words[i].word, type ? "mounts of type " : "what is no bind mount",
			  type ? type : "");
		return error_object(err, "options");
	}
	if ((mount->options.special & MOUNT_REMOUNT) && (mount->options.special & MOUNT_IDMAP)) {
		error_set(err, 0, "\"idmap\" has no effect on a mount that is attached already: it can't go with \"remount\"");
		return error_object(err, "options");
	}
	return check_both_maps(&mount->uid_maps, &mount->gid_maps, err);
}

/* config.md, "Mounts": only a bind mount knows its file system by its source. */
static int check_mounts(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (!mount->options.bind && (mount->type == NULL || mount->type[0] == '\0')) {
			error_at(err, 0, mount->destination, "it has neither a type nor the option bind");
			return error_object(err, "mounts[%zu]", i);
		}
		if (check_special(mount, err) < 0)
			return error_object(err, "mounts[%zu]", i);
	}
	return 0;
}

int spec_check(const struct spec *spec, struct error *err)
{
	*err = (struct error){ 0 };
	int ret = check_root(spec, err);
	if (ret == 0)
		ret = check_user_namespace(spec, err);
	if (ret == 0)
		ret = check_name(spec, spec->hostname, "hostname", err);
	if (ret == 0)
		ret = check_name(spec, spec->domainname, "domainname", err);
	if (ret == 0)
		ret = check_sysctls(spec, err);
	if (ret == 0)
		ret = check_time_offsets(spec, err);
	if (ret == 0)
		ret = check_net_devices(spec, err);
	if (ret == 0)
		ret = check_paths(spec, err);
	if (ret == 0)
		ret = check_mounts(spec, err);
	if (ret == 0)
		ret = spec_check_memory_policy(&spec->memory_policy, err);
	if (ret == 0)
		ret = spec_seccomp_check(spec, err);
	return ret < 0 ? ret : spec_check_process(spec, err);
}
