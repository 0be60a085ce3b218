/* mountinfo.h - /proc/PID/mountinfo, line by line. Side: any; pure. */
#ifndef MOSS_MOUNTINFO_H
#define MOSS_MOUNTINFO_H
#include <stdbool.h>

#define MOUNTINFO_BYTES_MAX (64 * 1024 * 1024)

struct mountinfo { /* one mount; the texts lie in what was parsed */
	char *root;      /* which directory of the file system is shown */
	char *path;      /* the mount point */
	char *type;      /* of the file system */
};

/* The next mount of the text *@rest, which is cut in place and moved on. Lines that can't be understood are
 * passed over. Returns false at the end. */
bool mountinfo_next(char **rest, struct mountinfo *ret_mount) __attribute__((nonnull));

#endif
