/* error.h - one failure, told once: the step, the object, the kernel's word, the cause, the remedy.
 *
 * Side: any. Never allocates, so that it works after clone(2), out of memory and inside the
 * container; smaller than PIPE_BUF, so that it crosses the launch socket in one message.
 */
#ifndef MOSS_ERROR_H
#define MOSS_ERROR_H
#include <stdbool.h>
#include <stddef.h>

struct error {
	int  code;        /* errno value, never 0 once set */
	int  exit_status; /* what main() exits with; 0 means the default of the command */
	char step[96];    /* what was being done: "mount", "set hostname"; "" when it says nothing */
	char object[512]; /* on what: "/b/rootfs/proc", "linux: namespaces[2]: path" */
	char cause[1280]; /* what is wrong, in words; always ends with the kernel's word if there is one */
	char hint[768];   /* what to do about it, or "" */
};

#define ERROR_TEXT_MAX 2700 /* bytes that error_text() needs at the most */

/* Record a failure. @code is an errno value, whose text is appended to the cause, or 0 when the
 * kernel refused nothing (bad configuration, wrong usage): then EINVAL is kept.
 * Returns -code, so that a caller can write: return error_set(err, errno, "open"); */
int error_set(struct error *err, int code, const char *cause, ...)
	__attribute__((format(printf, 3, 4), nonnull(1)));

/* error_set() and error_object() in one: "@object: cause: kernel's word". Returns -code. */
int error_at(struct error *err, int code, const char *object, const char *cause, ...)
	__attribute__((format(printf, 4, 5), nonnull(1, 3)));

/* Say on what the failing step worked. An object that is already there is kept behind the new
 * one ("process: " + "cwd"), so that each caller adds the part that it knows. Returns -code. */
int error_object(struct error *err, const char *object, ...)
	__attribute__((format(printf, 2, 3), nonnull(1)));

/* Say what was being done. The first caller wins: the innermost step is the one to report.
 * Returns -code. */
int error_step(struct error *err, const char *step, ...)
	__attribute__((format(printf, 2, 3), nonnull(1)));

/* Say what the user can do about it; an earlier hint is kept. Returns -code. */
int error_hint(struct error *err, const char *hint, ...)
	__attribute__((format(printf, 2, 3), nonnull(1)));

/* Could moss have written it? For one that comes from the container's side: it has a code, an exit status within
 * 0..255 and texts that end. */
bool error_is_sound(const struct error *err) __attribute__((nonnull, pure));

/* Write "step: object: cause; hint" into @text (at least ERROR_TEXT_MAX bytes). */
void error_text(const struct error *err, char *text, size_t size) __attribute__((nonnull));

#endif
