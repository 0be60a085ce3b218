/* pid_file.h - the file of --pid-file. Side: host. */
#ifndef MOSS_PID_FILE_H
#define MOSS_PID_FILE_H
#include <sys/types.h>

#include "base/error.h"

/* Write @pid, in decimal and without a newline, to @path (NULL: nothing to do), by a temporary file
 * and rename(2). Returns 0 or -errno with @err set. */
int pid_file_write(const char *path, pid_t pid, struct error *err) __attribute__((nonnull(3), warn_unused_result));

/* What was started could not be finished: remove the file (NULL: nothing to do), if it holds @pid. */
void pid_file_remove(const char *path, pid_t pid);

#endif
