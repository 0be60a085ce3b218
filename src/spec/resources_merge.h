/* resources_merge.h - one linux.resources laid over another, for `update`. Side: any; pure. */
#ifndef MOSS_RESOURCES_MERGE_H
#define MOSS_RESOURCES_MERGE_H
#include <json-c/json.h>
#include <stdbool.h>

/* What @patch says takes the place of what @base says, member by member; lists as a whole; null says nothing.
 * @base is changed, @patch is lent. Returns 0 or -ENOMEM. */
int resources_merge(struct json_object *base, struct json_object *patch);

/* Does @patch hold the setting of this path, "linux: resources: memory: limit", as struct spec_limit has it? */
bool resources_name(struct json_object *patch, const char *path);

#endif
