/* fd.h - file descriptors that are closed exactly once. Side: any.
 *
 * An int marked fd_owned closes itself when it goes out of scope. Passing it to a function lends
 * it; only fd_take() gives it away. Every fd is O_CLOEXEC from birth.
 */
#ifndef MOSS_FD_H
#define MOSS_FD_H
#include <errno.h>
#include <unistd.h>

#define fd_owned __attribute__((cleanup(fd_close))) int

/* Close *@fd if it is open and mark it closed (-1). Keeps errno. */
static inline void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

/* Give the fd away: the caller now owns the result and *@fd is -1. */
static inline int fd_take(int *fd)
{
	int given = *fd;

	*fd = -1;
	return given;
}
#endif
