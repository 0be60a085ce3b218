/* notify_message.c - see notify_message.h. Side: host; pure. */
#define _GNU_SOURCE
#include "host/notify_message.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum value_kind { VALUE_WORD, VALUE_NUMBER, VALUE_TEXT };

static const struct key {
	const char     *name; /* with "=" */
	enum value_kind kind;
	const char     *words[2]; /* VALUE_WORD: what it may be */
} keys[] = {
	{ "READY=", VALUE_WORD, { "1" } },
	{ "STATUS=", VALUE_TEXT, { NULL } },
	{ "RELOADING=", VALUE_WORD, { "1" } },
	{ "STOPPING=", VALUE_WORD, { "1" } },
	{ "WATCHDOG=", VALUE_WORD, { "1", "trigger" } },
	{ "ERRNO=", VALUE_NUMBER, { NULL } },
	{ "EXIT_STATUS=", VALUE_NUMBER, { NULL } },
	{ "MONOTONIC_USEC=", VALUE_NUMBER, { NULL } },
	{ "EXTEND_TIMEOUT_USEC=", VALUE_NUMBER, { NULL } },
	{ "BUSERROR=", VALUE_TEXT, { NULL } },
	{ "VARLINKERROR=", VALUE_TEXT, { NULL } },
};

static bool is_word(const struct key *key, const char *value, size_t size)
{
	for (size_t i = 0; i < array_size(key->words) && key->words[i] != NULL; i++)
		if (strlen(key->words[i]) == size && memcmp(key->words[i], value, size) == 0)
			return true;
	return false;
}

static bool is_number(const char *value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (value[i] < '0' || value[i] > '9')
			return false;
	return size > 0 && size <= 20; /* digits of UINT64_MAX */
}

/* A status is shown on terminals, which obey control characters: ASCII's, and those that UTF-8
 * writes as C2 80 to C2 9F. */
static bool is_text(const char *value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)value[i], next = i + 1 < size ? (unsigned char)value[i + 1] : 0;

		if (byte < ' ' || byte == 0x7f || (byte == 0xc2 && next >= 0x80 && next <= 0x9f))
			return false;
	}
	return true;
}

static bool may_pass(const char *line, size_t size, bool *ret_ready)
{
	for (size_t i = 0; i < array_size(keys); i++) {
		const struct key *key = &keys[i];
		size_t length = strlen(key->name);

		if (size < length || memcmp(line, key->name, length) != 0)
			continue;
		bool passes = key->kind == VALUE_WORD     ? is_word(key, line + length, size - length)
			      : key->kind == VALUE_NUMBER ? is_number(line + length, size - length)
							  : is_text(line + length, size - length);
		*ret_ready |= passes && i == 0;
		return passes;
	}
	return false;
}

void notify_message_filter(const char *bytes, size_t size, pid_t main_pid, struct notify_message *ret_message)
{
	struct notify_message *out = ret_message;

	out->size = 0;
	out->ready = false;
	if (size > NOTIFY_TAKEN_MAX)
		return;
	if (size > 0 && bytes[size - 1] == '\0') /* systemd allows one at the end */
		size--;
	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t      line = end ? (size_t)(end - bytes) : size, step = end ? line + 1 : line;

		if (may_pass(bytes, line, &out->ready)) {
			memcpy(out->text + out->size, bytes, line);
			out->size += line;
			out->text[out->size++] = '\n';
		}
		bytes += step;
		size -= step;
	}
	/* In one message with READY=1: a manager that saw that alone might see us end before it knew
	 * whom to watch instead. */
	if (out->ready)
		out->size += (size_t)snprintf(out->text + out->size, sizeof(out->text) - out->size, "MAINPID=%d\n",
					      (int)main_pid);
}
