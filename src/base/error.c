/* error.c - see error.h. Side: any. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * The kernel's word. Callers match on three of them, docker's client letter by letter, so as to tell 127 and 126: those
 * are written as other runtimes write them, in lower case.
 */
static const char *word_of(int code)
{
	switch (code) {
	case ENOENT:
		return "no such file or directory";
	case EACCES:
		return "permission denied";
	case EPERM:
		return "operation not permitted";
	default:
		return strerror(code);
	}
}

static int __attribute__((format(printf, 3, 0))) error_fill(struct error *err, int code, const char *cause, va_list ap)
{
	memset(err, 0, sizeof(*err));
	vsnprintf(err->cause, sizeof(err->cause), cause, ap);
	if (code != 0) {
		/* The kernel's word must survive a long cause: callers match on it. */
		char word[80];
		int  len = snprintf(word, sizeof(word), "%s%s", err->cause[0] ? ": " : "", word_of(code));
		size_t used = strlen(err->cause);

		if (used + (size_t)len >= sizeof(err->cause))
			used = sizeof(err->cause) - (size_t)len - 1;
		memcpy(err->cause + used, word, (size_t)len + 1);
	}
	err->code = code != 0 ? code : EINVAL;
	return -err->code;
}

int error_set(struct error *err, int code, const char *cause, ...)
{
	va_list ap;

	va_start(ap, cause);
	error_fill(err, code, cause, ap);
	va_end(ap);
	return -err->code;
}

int error_at(struct error *err, int code, const char *object, const char *cause, ...)
{
	va_list ap;

	va_start(ap, cause);
	error_fill(err, code, cause, ap);
	va_end(ap);
	return error_object(err, "%s", object);
}

int error_object(struct error *err, const char *object, ...)
{
	char inner[sizeof(err->object)];
	va_list ap;

	memcpy(inner, err->object, sizeof(inner));
	va_start(ap, object);
	vsnprintf(err->object, sizeof(err->object), object, ap);
	va_end(ap);
	if (inner[0] != '\0') {
		size_t used = strlen(err->object);

		snprintf(err->object + used, sizeof(err->object) - used, ": %s", inner);
	}
	return -err->code;
}

int error_step(struct error *err, const char *step, ...)
{
	va_list ap;

	if (err->step[0] != '\0')
		return -err->code;
	va_start(ap, step);
	vsnprintf(err->step, sizeof(err->step), step, ap);
	va_end(ap);
	return -err->code;
}

int error_hint(struct error *err, const char *hint, ...)
{
	va_list ap;

	if (err->hint[0] != '\0')
		return -err->code;
	va_start(ap, hint);
	vsnprintf(err->hint, sizeof(err->hint), hint, ap);
	va_end(ap);
	return -err->code;
}

static bool is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

bool error_is_sound(const struct error *err)
{
	return err->code > 0 && err->exit_status >= 0 && err->exit_status <= UINT8_MAX &&
	       is_ended(err->step, sizeof(err->step)) && is_ended(err->object, sizeof(err->object)) &&
	       is_ended(err->cause, sizeof(err->cause)) && is_ended(err->hint, sizeof(err->hint));
}

void error_text(const struct error *err, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s%s%s%s", err->step, err->step[0] ? ": " : "", err->object,
		 err->object[0] ? ": " : "", err->cause, err->hint[0] ? "; " : "", err->hint);
}
