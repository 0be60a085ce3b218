/* json_read.h - JSON into structs, one table per JSON object. Side: any; pure.
 *
 * Unknown names are ignored, as the OCI specification demands; a known name of the wrong type is
 * refused with its path: "linux: namespaces[2]: path: expected a string, found an integer".
 * null counts as absent.
 */
#ifndef MOSS_JSON_READ_H
#define MOSS_JSON_READ_H
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/mem.h"
#include "spec/json_text.h"

#define JSON_PATH_MAX 16 /* deeper than any table nests */
#define JSON_ANY json_type_null /* as a field's type: the read function looks itself */

struct json_step { /* one part of the path to the value that is being read */
	const char *name;
	ssize_t     index; /* -1: not an element of an array */
};

struct json_context { /* what the read functions of one text share */
	struct arena    *arena; /* where texts and arrays go */
	struct error    *err;
	void            *owner; /* the whole struct that is filled */
	size_t           depth;
	struct json_step path[JSON_PATH_MAX];
};

/* Read @value, which has the type of the table, into @field; NULL when the table has no struct.
 * Returns 0, or -EINVAL or -ENOMEM with ctx->err set. */
typedef int json_read_fn(struct json_object *value, void *field, struct json_context *ctx);

struct json_field {
	const char    *name; /* NULL ends the table */
	enum json_type type;
	bool           required;
	size_t         at;   /* offset of the struct's field */
	json_read_fn  *read; /* NULL: only the type is checked */
};

struct json_element { /* what an array holds */
	enum json_type type;
	size_t         size; /* of one element of the C array */
	json_read_fn  *read;
};

struct json_list {
	void  *items; /* in the arena; one zeroed element follows the last */
	size_t count;
};

/* Parse @bytes, which must be one JSON object and nothing else, within @limits;
 * see json_text.h for what is refused besides bad syntax.
 * Returns 0 and a tree for json_object_put(), or -EINVAL or -ENOMEM with @err set. */
int json_parse(const char *bytes, size_t size, const struct json_limits *limits, struct json_object **ret_object,
	       struct error *err) __attribute__((nonnull, warn_unused_result));

/* Read @object (lent) by @fields into @out. Absent optional fields are left as they are. */
int json_read(struct json_object *object, const struct json_field *fields, void *out,
	      struct json_context *ctx) __attribute__((warn_unused_result));

/* Read each element of @array. An element that is null is refused. */
int json_read_list(struct json_object *array, const struct json_element *element,
		   struct json_list *ret_list, struct json_context *ctx)
	__attribute__((warn_unused_result));

/* Read each member of an object whose names are free; @field is handed to each call of @read,
 * json_name() is the member's name. */
int json_read_members(struct json_object *object, const struct json_element *member, void *field,
		      struct json_context *ctx) __attribute__((warn_unused_result));

/* The name of the field or member that is being read. */
const char *json_name(const struct json_context *ctx);

/* Write the path of the value that is being read, "linux: namespaces[2]: path". */
void json_path(const struct json_context *ctx, char *text, size_t size);

/* Set ctx->err: its object is the path, its cause is the text. Returns -EINVAL. */
int json_fail(struct json_context *ctx, const char *cause, ...) __attribute__((format(printf, 2, 3)));

/* Set ctx->err for a failed allocation. Returns -ENOMEM. */
int json_fail_memory(struct json_context *ctx);

/* Refuse @value unless it has @type. */
int json_expect(struct json_object *value, enum json_type type, struct json_context *ctx)
	__attribute__((warn_unused_result));

/* Read an integer within @min..@max. */
int json_read_range(struct json_object *value, int64_t min, int64_t max, int64_t *ret_value,
		    struct json_context *ctx) __attribute__((warn_unused_result));

/* Read functions; @field is a const char **, bool *, uint16_t *, ... */
json_read_fn json_read_text, json_read_bool, json_read_uint16, json_read_uint32, json_read_int64,
	json_read_uint64;

#endif
