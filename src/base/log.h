/* log.h - the log: --log FILE, --log-format, --debug, --log-level. Side: any (used on the host).
 *
 * Errors go to stderr and to the file. Notes and warnings go to the file; without a file to
 * stderr only when that is a terminal or under --debug, because engines take any line on stderr
 * for an error. A line is one O_APPEND write.
 */
#ifndef MOSS_LOG_H
#define MOSS_LOG_H
#include <stdbool.h>

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_options {
	const char    *file; /* NULL: none */
	bool           json;
	enum log_level level; /* what is more detailed is dropped */
};

/* Set up; the file is made with mode 0600. Returns 0 or -errno with @err set (then errors go to
 * stderr alone). */
int log_open(const struct log_options *options, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* One line at a level other than error. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The error, to the file and to stderr: on a terminal for eyes, else the line format when there is
 * no log file, else its text alone, as runc does. */
void log_error(const struct error *err) __attribute__((nonnull));

#endif
