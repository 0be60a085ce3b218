/* fuzz_passwd.c - any /etc/passwd, a container's too, gives entries that lie within it. Side: any.
 *
 * Read for the users 0, 1000 and 4294967294.
 */
#define _GNU_SOURCE
#include "replay.h"

#include "base/passwd.h"
#include "base/str.h"

static void promises(const struct passwd_entry *entry, const char *text, size_t length)
{
	const char *const fields[] = { entry->name, entry->home };

	promise(entry->name >= text && entry->name <= text + length);
	for (size_t i = 0; i < array_size(fields); i++)
		promise(fields[i][strcspn(fields[i], ":\n")] == '\0');
	/* Absent is "", and no part of the file. */
	promise(entry->home[0] == '\0' || (entry->home > entry->name && entry->home < text + length));
}

/* The entry, written as a line, is read as the same entry. */
static void same_again(const struct passwd_entry *entry, uid_t uid)
{
	struct passwd_entry again;
	str_owned line = { 0 };

	str_add(&line, "%s:x:%u:100:Some,One:%s:/bin/sh\n", entry->name, (unsigned)uid, entry->home);
	char *rest = line.text;
	promise(!line.failed && passwd_next(&rest, uid, &again));
	promise(strcmp(again.name, entry->name) == 0 && strcmp(again.home, entry->home) == 0);
	promise(!passwd_next(&rest, uid, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uid_t uids[] = { 0, 1000, UINT32_MAX - 1 };

	for (size_t i = 0; i < array_size(uids); i++) {
		char *text = strndup((const char *)bytes, size), *rest = text;
		size_t length = strlen(text), lines = 1, found = 0;
		struct passwd_entry entry;

		for (const char *end = strchr(text, '\n'); end != NULL; end = strchr(end + 1, '\n'))
			lines++;
		while (passwd_next(&rest, uids[i], &entry)) {
			promises(&entry, text, length);
			same_again(&entry, uids[i]);
			promise(rest == NULL || (rest > entry.name && rest <= text + length));
			found++;
		}
		promise(found <= lines);
		free(text);
	}
	return 0;
}
