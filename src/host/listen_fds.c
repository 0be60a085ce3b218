/* listen_fds.c - see listen_fds.h. Side: host. */
#define _GNU_SOURCE
#include "host/listen_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "host/adapt.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* An inherited variable, which "" leaves unset, or NULL. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static int count_fds(struct spec *spec, unsigned *ret_count, struct error *err)
{
	const char *pid = variable("LISTEN_PID"), *fds = variable("LISTEN_FDS");
	uint64_t    number;

	*ret_count = 0;
	/* The variables go on to children that they are not meant for: the pid tells. */
	if (pid == NULL || fds == NULL || !str_to_uint(pid, INT_MAX, &number) || (pid_t)number != getpid())
		return 0;
	if (!str_to_uint(fds, INT_MAX - FIRST_FD, &number))
		return adapt_note(spec, err, "LISTEN_FDS: \"%.100s\" is no number of fds: none is passed on", fds);
	/* What was inherited has no close-on-exec flag, all of ours has. */
	for (unsigned fd = FIRST_FD; fd < FIRST_FD + number; fd++)
		if (fcntl((int)fd, F_GETFD) != 0) {
			error_at(err, EBADF, "LISTEN_FDS", "fd %u is not open", fd);
			return error_hint(err, "LISTEN_FDS=%s means fds 3 to %u, all of them open in the caller; unset it to "
					       "pass none", fds, FIRST_FD + (unsigned)number - 1);
		}
	*ret_count = (unsigned)number;
	return 0;
}

int listen_fds_take(struct spec *spec, struct listen_fds *ret_fds, struct error *err)
{
	const char *names = variable("LISTEN_FDNAMES");
	char *count, *text;

	*ret_fds = (struct listen_fds){ .pid = NULL };
	if (count_fds(spec, &ret_fds->count, err) < 0)
		return -err->code;
	if (ret_fds->count == 0)
		return 0;
	count = arena_format(&spec->arena, "LISTEN_FDS=%u", ret_fds->count);
	ret_fds->pid = arena_format(&spec->arena, "LISTEN_PID=%d", INT_MAX); /* the widest */
	if (count == NULL || ret_fds->pid == NULL)
		return error_set(err, ENOMEM, "LISTEN_FDS");
	if (adapt_env(spec, count, err) < 0 || adapt_env(spec, ret_fds->pid, err) < 0)
		return -err->code;
	if (names == NULL)
		return 0;
	text = arena_format(&spec->arena, "LISTEN_FDNAMES=%s", names);
	return text ? adapt_env(spec, text, err) : error_set(err, ENOMEM, "LISTEN_FDNAMES");
}
