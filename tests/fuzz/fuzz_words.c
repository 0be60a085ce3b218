/* fuzz_words.c - any word at all as a container's id and as a number. Side: host. */
#define _GNU_SOURCE
#include "replay.h"

#include <errno.h>
#include <stdbool.h>

#include "base/str.h"
#include "host/state.h"

/* What `create --help` promises of an id, in other words: [A-Za-z0-9_+.-]{1,255}, neither "." nor "..". */
static bool is_id(const char *word)
{
	size_t length = 0;

	for (; word[length] != '\0'; length++) {
		char c = word[length];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
		      c == '+' || c == '.' || c == '-'))
			return false;
	}
	return length >= 1 && length <= 255 && strcmp(word, ".") != 0 && strcmp(word, "..") != 0;
}

static void promises_of_id(const char *word)
{
	struct error err = { 0 };
	char text[ERROR_TEXT_MAX];
	int ret = state_check_id(word, &err);

	promise((ret == 0) == is_id(word));
	promise(ret == 0 || (ret == -EINVAL && err.code == EINVAL && err.cause[0] != '\0'));
	/* The text holds all four parts whole, however long the word is. */
	if (ret < 0) {
		error_text(&err, text, sizeof(text));
		promise(strlen(text) == strlen(err.step) + strlen(err.object) + strlen(err.cause) + strlen(err.hint) +
						(err.step[0] ? 2 : 0) + (err.object[0] ? 2 : 0) + (err.hint[0] ? 2 : 0));
	}
}

/* Is the word a number of digits alone that 64 bits hold? */
static bool is_number(const char *word, uint64_t *ret_number)
{
	size_t length = strlen(word);

	*ret_number = 0;
	if (length == 0 || strspn(word, "0123456789") != length)
		return false;
	errno = 0;
	*ret_number = strtoull(word, NULL, 10);
	return errno != ERANGE;
}

static void promises_of_number(const char *word)
{
	static const uint64_t limits[] = { 0, 9, 64, INT32_MAX, UINT32_MAX - 1, UINT32_MAX, UINT64_MAX / 2, UINT64_MAX };
	uint64_t number;
	bool is = is_number(word, &number);

	for (size_t i = 0; i < array_size(limits); i++) {
		uint64_t value = 4711;
		bool accepted = str_to_uint(word, limits[i], &value);

		promise(accepted == (is && number <= limits[i]));
		promise(value == (accepted ? number : 4711));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *word = strndup((const char *)bytes, size);

	promises_of_id(word);
	promises_of_number(word);
	free(word);
	return 0;
}
