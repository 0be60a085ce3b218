/* passwd.c - see passwd.h. Side: any; pure. */
#define _GNU_SOURCE
#include "base/passwd.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

bool passwd_next(char **lines, uid_t uid, struct passwd_entry *ret_entry)
{
	char *line;

	/* passwd(5): name, password, uid, gid, GECOS, home, shell. */
	while ((line = strsep(lines, "\n")) != NULL) {
		const char *fields[6] = { "", "", "", "", "", "" }, *field;
		uint64_t    number;

		for (size_t i = 0; i < array_size(fields) && (field = strsep(&line, ":")) != NULL; i++)
			fields[i] = field;
		if (!str_to_uint(fields[2], UINT32_MAX, &number) || number != uid)
			continue;
		*ret_entry = (struct passwd_entry){ .name = fields[0], .home = fields[5] };
		return true;
	}
	return false;
}
