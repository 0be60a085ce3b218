/* pid_file.c - see pid_file.h. Side: host. */
#define _GNU_SOURCE
#include "host/pid_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"

int pid_file_write(const char *path, pid_t pid, struct error *err)
{
	const char *name;
	char text[16];

	if (path == NULL)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)pid);
	fd_owned dir = io_open_parent(path, &name);
	if (dir < 0) {
		error_at(err, -dir, path, "write the pid file");
		return error_hint(err, "--pid-file names a file in a directory that is there");
	}
	return io_replace_file(dir, name, text, strlen(text), 0644, err) < 0 ? error_object(err, "--pid-file") : 0;
}

void pid_file_remove(const char *path, pid_t pid)
{
	char text[16], found[16];

	if (path == NULL || io_read_small(AT_FDCWD, path, found, sizeof(found)) < 0)
		return;
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (strcmp(text, found) == 0)
		unlink(path);
}
