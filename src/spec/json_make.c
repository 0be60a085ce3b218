/* json_make.c - see json_make.h. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/json_make.h"

#include "base/str.h"

/* A string without what is no UTF-8; NULL when there is no memory. */
static struct json_object *make_text(const char *text)
{
	str_owned quoted = { 0 };

	if (str_is_utf8(text))
		return json_object_new_string(text);
	str_add_json(&quoted, text);
	return quoted.failed ? NULL : json_tokener_parse(quoted.text);
}

void json_add_text(struct json_object *object, const char *name, const char *text)
{
	struct json_object *value = make_text(text != NULL ? text : ""), *key = make_text(name);

	if (object != NULL && value != NULL && key != NULL)
		json_object_object_add(object, json_object_get_string(key), json_object_get(value));
	json_object_put(value);
	json_object_put(key);
}
