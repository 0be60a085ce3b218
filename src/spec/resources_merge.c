/* resources_merge.c - see resources_merge.h. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/resources_merge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "linux: resources: "
#define NAME_MAX_BYTES 256

int resources_merge(struct json_object *base, struct json_object *patch)
{
	for (struct lh_entry *e = json_object_get_object(patch)->head; e != NULL; e = e->next) {
		const char *name = lh_entry_k(e);
		struct json_object *value = (struct json_object *)lh_entry_v(e), *old = NULL;
		int ret = 0;

		if (value == NULL)
			continue;
		json_object_object_get_ex(base, name, &old);
		if (json_object_is_type(value, json_type_object) && json_object_is_type(old, json_type_object))
			ret = resources_merge(old, value);
		else if (json_object_object_add(base, name, json_object_get(value)) < 0)
			ret = -ENOMEM;
		if (ret < 0)
			return ret;
	}
	return 0;
}

bool resources_name(struct json_object *patch, const char *path)
{
	char name[NAME_MAX_BYTES];

	if (strncmp(path, PREFIX, strlen(PREFIX)) != 0)
		return false;
	for (path += strlen(PREFIX); *path != '\0';) {
		const char *end = strstr(path, ": ");
		size_t      length = end != NULL ? (size_t)(end - path) : strlen(path);

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		name[strcspn(name, "[")] = '\0';
		if (!json_object_is_type(patch, json_type_object) || !json_object_object_get_ex(patch, name, &patch) || patch == NULL)
			return false;
		path += length + (end != NULL ? 2 : 0);
	}
	return true;
}
