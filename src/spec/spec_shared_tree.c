/* spec_shared_tree.c - config.json: what can't be had without a mount namespace of the container's own.
 * Side: any; pure. */
#define _GNU_SOURCE
#include <stdio.h>

#include "spec/spec.h"

bool spec_has_own_tree(const struct spec *spec)
{
	const struct spec_namespace *mount = &spec->namespaces[SPEC_NS_MOUNT];

	return mount->listed && mount->path == NULL;
}

/* Refuse @field, which would have to be mounted. */
static int refuse(const struct spec *spec, const char *field, struct error *err)
{
	const struct spec_namespace *mount = &spec->namespaces[SPEC_NS_MOUNT];

	error_at(err, 0, field, "needs a mount namespace of the container's own, and linux.namespaces %s",
		 mount->listed ? "joins another one" : "lists none");
	if (mount->listed)
		return error_hint(err, "take the path out of linux.namespaces[%zu], or leave this out", mount->index);
	return error_hint(err, "add {\"type\": \"mount\"} to linux.namespaces, or leave this out");
}

/* config-linux.md, "Namespaces": a type that is not listed is inherited from the runtime. What is mounted in a
 * namespace is mounted for all who share it, and stays when the container is gone. */
int spec_check_shared_tree(const struct spec *spec, struct error *err)
{
	const struct {
		bool        given;
		const char *field;
	} fields[] = {
		{ spec->mounts_count > 0, "mounts[0]" },
		{ spec->root_readonly, "root: readonly" },
		{ spec->devices_count > 0, "linux: devices[0]" }, /* a node may have to be bound */
		{ spec->masked_paths.count > 0, "linux: maskedPaths[0]" },
		{ spec->readonly_paths.count > 0, "linux: readonlyPaths[0]" },
		{ spec->rootfs_propagation != 0, "linux: rootfsPropagation" },
		{ spec->mount_label != NULL, "linux: mountLabel" },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !spec_has_own_tree(spec); i++)
		if (fields[i].given)
			return refuse(spec, fields[i].field, err);
	return 0;
}
