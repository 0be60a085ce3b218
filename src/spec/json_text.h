/* json_text.h - the mistakes in a JSON text that json-c lets pass. Side: any; pure.
 *
 * json-c checks how the words of a text are put together, but keeps only the last of two equal
 * keys, saturates large integers, and takes NaN, control characters and NUL bytes.
 */
#ifndef MOSS_JSON_TEXT_H
#define MOSS_JSON_TEXT_H
#include <stddef.h>

#include "base/error.h"

/* What a text may have of objects and arrays. A parsed one is up to 800 bytes of memory, and "{}," is three. */
struct json_limits {
	int    depth; /* inside each other */
	size_t count; /* all together */
};

/* Look at each word of the text once. Refused: NUL and control characters inside a string,
 * "\u0000", numbers that are not JSON's, integers that fit neither int64_t nor uint64_t, words
 * other than true, false and null, and more objects and arrays than @limits.
 * How the words are put together is left to the parser.
 * @ret_keys: how many keys the objects of a well-formed text have, equal ones counted each.
 * Returns 0, or -EINVAL with @err set, its object being the line and the column. */
int json_text_scan(const char *bytes, size_t size, const struct json_limits *limits, size_t *ret_keys,
		   struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Name the key that an object has twice; for a text that json_text_scan() and the parser accepted,
 * with its @keys, when the parser found fewer. Slow, and only needed for the message.
 * Returns -EINVAL or -ENOMEM with @err set: never 0. */
int json_text_duplicate(const char *bytes, size_t size, size_t keys, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Set the object of @err to the line and column, both counted from 1, of byte @at. Returns -code. */
int json_text_place(const char *bytes, size_t at, struct error *err) __attribute__((nonnull));

#endif
