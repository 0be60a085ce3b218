/* helper.c - see helper.h. Side: host. Needs: /proc. */
#define _GNU_SOURCE
#include "host/helper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A file without an execute bit counts as missing, for root too (access(2)). */
static int take(const char *directory, const char *name, char *ret_path, size_t size)
{
	return snprintf(ret_path, size, "%s/%s", directory, name) < (int)size && access(ret_path, X_OK) == 0 ? 0 : -ENOENT;
}

int helper_find(const char *name, char *ret_path, size_t size, struct error *err)
{
	char    own[4096];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(own, '/');
	if (slash != NULL)
		*slash = '\0';
	if ((slash != NULL && take(own, name, ret_path, size) == 0) || take(MOSS_LIBEXECDIR, name, ret_path, size) == 0)
		return 0;
	error_at(err, ENOENT, name, "find the helper program");
	return error_hint(err, "it is neither in %s, where moss is, nor in " MOSS_LIBEXECDIR ": install moss again, or build it with this part",
			  slash != NULL ? own : "moss's own directory");
}
