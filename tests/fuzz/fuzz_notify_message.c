/* fuzz_notify_message.c - whatever a container sends, the service manager is told only whole lines of it that are
 * the service's own affair. Side: host.
 */
#define _GNU_SOURCE
#include "replay.h"

#include "base/str.h"
#include "host/notify_message.h"

#define MAIN_PID 4711
#define MAIN_PID_LINE "MAINPID=4711\n"

/* @line and its newline are bytes of a message. */
static bool is_line_of(const char *bytes, size_t size, const char *line, size_t length)
{
	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t own = end != NULL ? (size_t)(end - bytes) : size;

		if (own == length && memcmp(bytes, line, length) == 0)
			return true;
		size -= end != NULL ? own + 1 : own;
		bytes += end != NULL ? own + 1 : own;
	}
	return false;
}

static bool is_of_a_service(const char *line, size_t length)
{
	static const char *const starts[] = { "READY=1", "STATUS=", "RELOADING=1", "STOPPING=1", "WATCHDOG=", "ERRNO=", "EXIT_STATUS=",
					      "MONOTONIC_USEC=", "EXTEND_TIMEOUT_USEC=", "BUSERROR=", "VARLINKERROR=" };

	for (size_t i = 0; i < array_size(starts); i++)
		if (length >= strlen(starts[i]) && memcmp(line, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static void promises_of_line(const char *line, size_t length, const char *bytes, size_t size)
{
	promise(is_of_a_service(line, length) && is_line_of(bytes, size, line, length));
	for (size_t i = 0; i < length; i++)
		promise((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
}

/* The lines one by one, the one that is ours apart. */
static void promises(const struct notify_message *message, const char *bytes, size_t size)
{
	size_t rest = message->size, own = message->ready ? strlen(MAIN_PID_LINE) : 0;
	const char *line = message->text;

	promise(rest <= sizeof(message->text) && rest >= own);
	promise(memcmp(line + rest - own, MAIN_PID_LINE, own) == 0);
	promise(message->ready == is_line_of(bytes, size, "READY=1", strlen("READY=1")));
	for (rest -= own; rest > 0;) {
		const char *end = memchr(line, '\n', rest);

		promise(end != NULL);
		promises_of_line(line, (size_t)(end - line), bytes, size);
		rest -= (size_t)(end + 1 - line);
		line = end + 1;
	}
}

/* What was passed on passes again as it is; only MAINPID, which is ours, does not count as the container's. */
static void same_again(const struct notify_message *message)
{
	struct notify_message again;

	if (message->size > NOTIFY_TAKEN_MAX)
		return;
	notify_message_filter(message->text, message->size, MAIN_PID, &again);
	promise(again.size == message->size && again.ready == message->ready);
	promise(memcmp(again.text, message->text, message->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct notify_message message;
	const char *text = (const char *)bytes;

	memset(&message, 'x', sizeof(message)); /* what an earlier message left */
	notify_message_filter(text, size, MAIN_PID, &message);
	if (size > NOTIFY_TAKEN_MAX)
		promise(message.size == 0 && !message.ready);
	else
		promises(&message, text, size > 0 && text[size - 1] == '\0' ? size - 1 : size);
	same_again(&message);
	return 0;
}
