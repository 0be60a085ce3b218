/* log.c - see log.h. Side: any. */
#define _GNU_SOURCE
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

static struct {
	struct log_options options;
	int                fd; /* of the file; 0: none, it can't be stdin */
} logger = { .options.level = LOG_LEVEL_INFO };

int log_open(const struct log_options *options, struct error *err)
{
	logger.options = *options;
	if (options->file == NULL || *options->file == '\0')
		return 0;
	int fd = open(options->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return error_at(err, errno, options->file, "open the log");
	logger.fd = fd;
	return 0;
}

/* logfmt, as logrus writes it: quotes and backslashes escaped, one line whatever the text holds. */
static void add_quoted(struct str *line, const char *text)
{
	str_add(line, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			str_add(line, "\\%c", *text);
		else if (*text == '\n')
			str_add(line, "\\n");
		else if ((unsigned char)*text < 0x20)
			str_add(line, "\\x%02x", (unsigned char)*text);
		else
			str_add_bytes(line, text, 1);
	}
	str_add(line, "\"");
}

static void line_make(struct str *line, const char *level, const char *text, const struct error *err)
{
	static const char *const names[] = { "step", "object", "hint" };
	char      when[64], zone[8];
	time_t    now = time(NULL);
	struct tm tm;

	/* RFC 3339 with the zone as "+01:00"; strftime gives "+0100". */
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	size_t used = strlen(when);
	if (tm.tm_gmtoff == 0 || strlen(zone) != 5)
		snprintf(when + used, sizeof(when) - used, "Z");
	else
		snprintf(when + used, sizeof(when) - used, "%.3s:%.2s", zone, zone + 3);

	if (!logger.options.json) {
		str_add(line, "time=\"%s\" level=%s msg=", when, level);
		add_quoted(line, text);
		str_add(line, "\n");
		return;
	}
	str_add(line, "{\"level\":\"%s\",\"msg\":", level);
	str_add_json(line, text);
	str_add(line, ",\"time\":\"%s\"", when);
	if (err != NULL) {
		const char *const values[] = { err->step, err->object, err->hint };

		str_add(line, ",\"errno\":%d", err->code);
		for (size_t i = 0; i < array_size(names); i++) {
			if (values[i][0] == '\0')
				continue;
			str_add(line, ",\"%s\":", names[i]);
			str_add_json(line, values[i]);
		}
	}
	str_add(line, "}\n");
}

/* A log that can't be written (disk full) must not stop the work, and there is nobody to tell. */
static void put(int fd, const struct str *line)
{
	if (!line->failed && line->size > 0 && write(fd, line->text, line->size) < 0)
		return;
}

void log_line(enum log_level level, const char *format, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	char text[2048];
	str_owned line = { 0 };
	va_list ap;

	if (level > logger.options.level)
		return;
	bool to_stderr = logger.fd == 0 && (logger.options.level == LOG_LEVEL_DEBUG || isatty(STDERR_FILENO));
	if (logger.fd == 0 && !to_stderr)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	line_make(&line, names[level], text, NULL);
	put(to_stderr ? STDERR_FILENO : logger.fd, &line);
}

/* What config.json or an image says must not drive the caller's terminal. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void log_error(const struct error *err)
{
	char text[ERROR_TEXT_MAX];
	str_owned line = { 0 };

	error_text(err, text, sizeof(text));
	line_make(&line, "error", text, err);
	if (!logger.options.json && isatty(STDERR_FILENO)) {
		/* For eyes: the remedy on a line of its own. Programs read a pipe or the log. */
		struct error told = *err, untold = *err;
		str_owned    shown = { 0 };

		untold.hint[0] = '\0';
		error_text(&untold, text, sizeof(text));
		make_printable(text);
		make_printable(told.hint);
		str_add(&shown, "moss: %s\n%s%s%s", text, told.hint[0] ? "      " : "", told.hint,
			told.hint[0] ? "\n" : "");
		put(STDERR_FILENO, &shown);
		if (logger.fd != 0)
			put(logger.fd, &line);
		return;
	}
	if (logger.fd == 0) {
		put(STDERR_FILENO, &line);
		return;
	}
	put(logger.fd, &line);
	str_owned plain = { 0 };
	str_add(&plain, "%s\n", text);
	put(STDERR_FILENO, &plain);
}
