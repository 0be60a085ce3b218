/* str.h - texts into numbers, strictly; texts joined. Side: any; pure. */
#ifndef MOSS_STR_H
#define MOSS_STR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define array_size(a) (sizeof(a) / sizeof((a)[0]))

/* Decimal digits only, the whole text, 0..@max. Returns false otherwise. */
bool str_to_uint(const char *text, uint64_t max, uint64_t *ret_value)
	__attribute__((nonnull, warn_unused_result));

bool str_starts(const char *text, const char *start) __attribute__((nonnull, pure));

/* Are the first @length bytes of @text something with @end behind it? */
bool str_ends(const char *text, size_t length, const char *end) __attribute__((nonnull, pure));

/* Where the last component of @path begins; its bytes, without slashes behind it, in *@ret_length: 0 when there is none. */
size_t str_last_component(const char *path, size_t *ret_length) __attribute__((nonnull));

/* A text that grows. Zero it before use; str_free() frees it. On failure to get memory `failed`
 * stays set and everything appended afterwards is dropped: check once, at the end. */
struct str {
	char  *text; /* NULL while empty; else ended by NUL */
	size_t size; /* bytes without the NUL */
	size_t room;
	bool   failed;
};
#define str_owned __attribute__((cleanup(str_free))) struct str

void str_add(struct str *str, const char *format, ...) __attribute__((format(printf, 2, 3), nonnull));
void str_add_bytes(struct str *str, const char *bytes, size_t size) __attribute__((nonnull));
/* A JSON string with its quotes; each byte that is part of no UTF-8 character becomes U+FFFD. */
void str_add_json(struct str *str, const char *text) __attribute__((nonnull));
bool str_is_utf8(const char *text) __attribute__((nonnull));
void str_free(struct str *str) __attribute__((nonnull));

#endif
