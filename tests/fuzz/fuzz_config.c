/* fuzz_config.c - any config.json at all is read or refused, and spec.h keeps its promises. Side: any. */
#define _GNU_SOURCE
#include <errno.h>

#include "process_promises.h"

/* What spec_read() says of the text itself: no NUL, no control character in a string, not too deep. */
static void promises_of_text(const uint8_t *bytes, size_t size)
{
	bool in_string = false;
	int  depth = 0;

	for (size_t i = 0; i < size; i++) {
		promise(bytes[i] != '\0' && (!in_string || bytes[i] >= ' '));
		if (bytes[i] == '"')
			in_string = !in_string;
		else if (in_string)
			i += bytes[i] == '\\';
		else if (bytes[i] == '{' || bytes[i] == '[')
			promise(++depth <= SPEC_DEPTH_MAX);
		else if (bytes[i] == '}' || bytes[i] == ']')
			depth--;
	}
	promise(!in_string && depth == 0);
}

static void promises_of_namespaces(const struct spec *spec)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		promise(spec->namespaces[i].path == NULL ||
			(spec->namespaces[i].listed && spec->namespaces[i].path[0] == '/'));
}

static void promises_of_mounts(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		promise(mount->destination[0] == '/' && mount->options.data != NULL);
		promise(!mount->options.bind || strcmp(mount->type, "bind") == 0);
		promise(!mount->options.bind || mount->options.data_count == 0);
		promise(mount->source == NULL || mount->source[0] != '\0');
	}
}

static void promises_of_devices(const struct spec *spec)
{
	for (size_t i = 0; i < spec->devices_count; i++) {
		const struct spec_device *device = &spec->devices[i];

		promise(device->path != NULL && (device->mode & ~07777u) == 0);
		promise(device->type == S_IFCHR || device->type == S_IFBLK || device->type == S_IFIFO);
		promise(device->major < 1u << 12 && device->minor < 1u << 20);
		promise(device->uid != UINT32_MAX && device->gid != UINT32_MAX);
	}
	for (size_t i = 0; i < spec->device_rules_count; i++) {
		const struct spec_device_rule *rule = &spec->device_rules[i];

		promise(rule->type == 'a' || rule->type == 'b' || rule->type == 'c');
		promise(rule->access != 0 && (rule->access & ~7u) == 0);
		promise(rule->major >= -1 && rule->major <= UINT32_MAX);
		promise(rule->minor >= -1 && rule->minor <= UINT32_MAX);
	}
}

static void promises_of_limits(const struct spec *spec)
{
	for (size_t i = 0; i < spec->limits_count; i++) {
		const struct spec_limit *limit = &spec->limits[i];

		promise(limit->path[0] != '\0' && limit->value[0] != '\0' && strchr(limit->value, '\n') == NULL);
		promise(strchr(limit->file, '.') != NULL && strchr(limit->file, '/') == NULL && limit->file[0] != '.');
		promise(strncmp(limit->file, "cgroup.", 7) != 0);
		promise((limit->instead_file == NULL) == (limit->instead_value == NULL));
	}
}

static void promises_of_lists(const struct spec *spec)
{
	promises_of_texts(&spec->masked_paths);
	promises_of_texts(&spec->readonly_paths);
	promises_of_texts(&spec->warnings);
	promises_of_limits(spec);
	for (size_t i = 0; i < spec->annotations_count; i++)
		promise(spec->annotations[i].name[0] != '\0' && spec->annotations[i].value != NULL);
	for (size_t i = 0; i < spec->unsupported_count; i++)
		promise(spec->unsupported[i].path[0] != '\0');
}

static void promises_of_checked_maps(const struct spec_id_maps *maps)
{
	promise(maps->count <= 340);
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_id_map *map = &maps->maps[i];

		promise(map->count > 0 && (uint64_t)map->container_id + map->count <= UINT32_MAX &&
			(uint64_t)map->host_id + map->count <= UINT32_MAX);
		for (size_t j = 0; j < i; j++) {
			const struct spec_id_map *other = &maps->maps[j];

			promise(map->container_id + map->count <= other->container_id ||
				other->container_id + other->count <= map->container_id);
			promise(map->host_id + map->count <= other->host_id ||
				other->host_id + other->count <= map->host_id);
		}
	}
}

static void promises_of_check(const struct spec *spec)
{
	struct error err;
	int ret = spec_check(spec, &err);

	promises_of_error(ret, &err);
	promise(ret == 0 || err.object[0] != '\0');
	if (ret < 0)
		return;
	promise(spec->root_path[0] != '\0');
	promise((spec->uid_maps.count > 0) == (spec->gid_maps.count > 0));
	promise(spec->uid_maps.count == 0 || spec->namespaces[SPEC_NS_USER].listed);
	promise(spec->hostname == NULL || strlen(spec->hostname) <= 64);
	promise(spec->domainname == NULL || strlen(spec->domainname) <= 64);
	promises_of_checked_maps(&spec->uid_maps);
	promises_of_checked_maps(&spec->gid_maps);
	promises_of_checked_process(&spec->process);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct error err;
	spec_owned spec;
	int ret = spec_read((const char *)bytes, size, &spec, &err);

	promises_of_error(ret, &err);
	if (ret < 0)
		return 0;
	promises_of_text(bytes, size);
	promise(spec.oci_version != NULL && spec.root_given == (spec.root_path != NULL));
	promises_of_process(&spec.process);
	promises_of_namespaces(&spec);
	promises_of_mounts(&spec);
	promises_of_devices(&spec);
	promises_of_lists(&spec);
	promises_of_check(&spec);
	return 0;
}
