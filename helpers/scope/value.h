/* value.h - typed values in words, for properties of a unit. Side: any; pure.
 *
 * The words are GVariant's text format, as runc reads them: 'text' or "text", true, false, a number, a type
 * before a value (uint64 5, @t 5), a list in brackets. */
#ifndef SCOPE_VALUE_H
#define SCOPE_VALUE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

struct value {
	char   type;        /* of D-Bus: b y n q i u x t d s o g */
	bool   is_list;     /* of values of that type */
	size_t count;       /* of them; 1 when it is no list */
	union value_one {
		bool        truth;
		int64_t     integer;
		uint64_t    unsigned_integer;
		double      real;
		const char *text;
	} *items;
};

/* Read @text. A number without a type is unsigned (t), or of the type @number_type if that is not 0.
 * Everything is of @arena. Returns 0, or -EINVAL or -ENOMEM with @err set. */
int value_read(const char *text, char number_type, struct arena *arena, struct value *ret_value, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* A time in seconds, as a number of any type or 'infinity', into microseconds (t). Returns 0, or -EINVAL with @err set. */
int value_seconds_to_us(struct value *value, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
