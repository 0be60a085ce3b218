/* passwd.h - lines of /etc/passwd, the host's or a container's. Side: any; pure.
 *
 * A static program has no NSS, and a container's file is not the host's to ask libc about.
 */
#ifndef MOSS_PASSWD_H
#define MOSS_PASSWD_H
#include <stdbool.h>
#include <sys/types.h>

struct passwd_entry {
	const char *name;
	const char *home; /* "" when the line has no such field */
};

/* The next line of *@lines with this uid; *@lines moves behind it, and is cut up: the entry's texts
 * lie in it. Allocates nothing. Returns false when there is none (any more). */
bool passwd_next(char **lines, uid_t uid, struct passwd_entry *ret_entry)
	__attribute__((nonnull, warn_unused_result));

#endif
