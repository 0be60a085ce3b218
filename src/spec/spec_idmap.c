/* spec_idmap.c - config.json: whose ids an idmapped mount shows. Side: any; pure.
 *
 * Source: config.md, "Linux mount options" (idmap, ridmap); "idmap=uids=0-1000-1;gids=..." is crun's,
 * three numbers a range: the id on the disk, the id on the host, how many; "#" between ranges; with
 * "@" in front the second is an id of the container.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "spec/spec.h"

static int bad_range(const char *range, const char *why, struct error *err)
{
	error_set(err, 0, "\"%.100s\" %s", range, why);
	return error_hint(err, "ranges are written FROM-TO-SIZE, with \"#\" between them: idmap=uids=0-1000-1;gids=0-1000-1");
}

/* The id on the host that the container's @id is: the whole range must lie in one of @maps. */
static int to_host(const char *range, const struct spec_id_maps *maps, struct spec_id_map *map, struct error *err)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_id_map *outer = &maps->maps[i];

		if (map->host_id < outer->container_id || map->host_id - outer->container_id >= outer->count)
			continue;
		uint32_t offset = map->host_id - outer->container_id;
		if (map->count > outer->count - offset)
			return bad_range(range, "does not lie within one range of the container's mappings: split it", err);
		map->host_id = outer->host_id + offset;
		return 0;
	}
	return bad_range(range, "starts at an id that the container's user namespace does not map", err);
}

/* One range, "@0-1000-1"; the text is cut to pieces. */
static int range_read(char *text, const struct spec_id_maps *outer, struct spec_id_map *ret_map, struct error *err)
{
	bool     relative = text[0] == '@';
	char     whole[100], *rest = text + relative;
	uint64_t numbers[3];

	snprintf(whole, sizeof(whole), "%s", text);
	for (size_t i = 0; i < array_size(numbers); i++) {
		const char *number = strsep(&rest, "-");

		if (number == NULL || !str_to_uint(number, UINT32_MAX - 1, &numbers[i]) || (i == 2 && rest != NULL))
			return bad_range(whole, "is not three numbers", err);
	}
	*ret_map = (struct spec_id_map){ (uint32_t)numbers[0], (uint32_t)numbers[1], (uint32_t)numbers[2] };
	return relative ? to_host(whole, outer, ret_map, err) : 0;
}

static int ranges_read(struct arena *arena, char *text, const struct spec_id_maps *outer, struct spec_id_maps *ret_maps,
		       struct error *err)
{
	for (char *range; (range = strsep(&text, "#")) != NULL;) {
		struct spec_id_map *maps = arena_grow(arena, ret_maps->maps, ret_maps->count, sizeof(*maps));

		if (maps == NULL)
			return error_set(err, ENOMEM, "read a mapping");
		ret_maps->maps = maps;
		if (range_read(range, outer, &maps[ret_maps->count++], err) < 0)
			return -err->code;
	}
	return 0;
}

static int text_read(struct spec *spec, struct spec_mount *mount, struct error *err)
{
	char *rest = arena_text(&spec->arena, mount->options.idmap);

	if (rest == NULL)
		return error_set(err, ENOMEM, "read a mapping");
	if (mount->uid_maps.count > 0 || mount->gid_maps.count > 0)
		return error_set(err, 0, "the mapping is given twice, here and by uidMappings or gidMappings");
	for (char *part; (part = strsep(&rest, ";")) != NULL;) {
		bool uids = str_starts(part, "uids=");
		struct spec_id_maps *maps = uids ? &mount->uid_maps : &mount->gid_maps;

		if (!uids && !str_starts(part, "gids="))
			return bad_range(part, "is neither \"uids=...\" nor \"gids=...\"", err);
		if (maps->count > 0)
			return bad_range(part, "comes a second time", err);
		if (ranges_read(&spec->arena, part + strlen("uids="), uids ? &spec->uid_maps : &spec->gid_maps, maps, err) < 0)
			return -err->code;
	}
	if (mount->uid_maps.count == 0 || mount->gid_maps.count == 0)
		return bad_range(mount->options.idmap, "must give both uids and gids", err);
	return 0;
}

/* config.md: "If there are no uidMappings and gidMappings specified and the container isn't using user
 * namespaces, an error MUST be returned." */
static int inherit(const struct spec *spec, struct spec_mount *mount, struct error *err)
{
	if (spec->uid_maps.count == 0 && spec->namespaces[SPEC_NS_USER].path == NULL) {
		error_set(err, 0, "there is no user namespace whose mappings it could take");
		return error_hint(err, "give the mount uidMappings and gidMappings, or the container a user namespace");
	}
	mount->uid_maps = spec->uid_maps;
	mount->gid_maps = spec->gid_maps;
	return 0;
}

int spec_resolve_idmaps(struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->mounts_count; i++) {
		struct spec_mount *mount = &spec->mounts[i];

		if (!(mount->options.special & MOUNT_IDMAP) || !mount->options.bind) /* spec_check() refuses the latter */
			continue;
		if (mount->options.idmap != NULL) {
			if (text_read(spec, mount, err) < 0)
				return error_object(err, "mounts[%zu]: options: idmap", i);
		} else if (mount->uid_maps.count == 0 && mount->gid_maps.count == 0) {
			if (inherit(spec, mount, err) < 0)
				return error_object(err, "mounts[%zu]: options: idmap", i);
		} else if (mount->uid_maps.count == 0 || mount->gid_maps.count == 0) {
			error_set(err, 0, "missing: uidMappings and gidMappings are given both, or neither");
			return error_object(err, "mounts[%zu]: %s", i, mount->uid_maps.count == 0 ? "uidMappings" : "gidMappings");
		}
	}
	return 0;
}
