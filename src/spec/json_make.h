/* json_make.h - JSON for others to read. Side: any; pure.
 *
 * A path is bytes, and a JSON text is UTF-8 (RFC 8259, section 8.1): json-c passes on what it is given. */
#ifndef MOSS_JSON_MAKE_H
#define MOSS_JSON_MAKE_H
#include <json-c/json.h>

/* Add the string @text ("" for NULL) to @object, which may be NULL. What is no UTF-8, in the name or in the text,
 * becomes U+FFFD. Memory that runs out leaves the field out. */
void json_add_text(struct json_object *object, const char *name, const char *text) __attribute__((nonnull(2)));

#endif
