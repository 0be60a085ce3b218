/* config_text.h - reading a config.json that is written in a test. Side: any.
 *
 * The texts use ' for ", so that they can be read in C.
 */
#ifndef MOSS_TEST_CONFIG_TEXT_H
#define MOSS_TEST_CONFIG_TEXT_H
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spec/spec.h"

/* A config.json with these members besides ociVersion. */
#define CONFIG(members) "{ 'ociVersion': '1.2.0', " members " }"
#define ROOT "'root': { 'path': 'rootfs' }"
#define PROCESS(members) CONFIG(ROOT ", 'process': { 'cwd': '/', 'args': ['sh'], " members " }")
#define LINUX(members) CONFIG(ROOT ", 'linux': { " members " }")

/* Read @text into *@spec, which the caller frees with spec_free(). */
static inline int config_read(const char *text, struct spec *spec, struct error *err)
{
	size_t size = strlen(text);
	char  *bytes = malloc(size + 1); /* exactly as long as the text: reading past it shows */

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(text[i] == '\'' ? '"' : text[i]);
	int ret = spec_read(bytes, size, spec, err);
	assert_int_equal(ret < 0, err->code != 0);
	free(bytes);
	return ret;
}

static inline void config_accept(const char *text, struct spec *spec)
{
	struct error err = { 0 };

	if (config_read(text, spec, &err) < 0)
		fail_msg("%s: %s: %s", text, err.object, err.cause);
}

/* The text is refused with this path and a cause that holds these words. */
static inline void config_refuse(const char *text, const char *object, const char *cause)
{
	struct error err = { 0 };
	struct spec  spec;

	if (config_read(text, &spec, &err) == 0)
		fail_msg("accepted: %s", text);
	spec_free(&spec);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.object, object);
	if (strstr(err.cause, cause) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", cause, err.cause);
}

/* The text can be read, and spec_check() takes it. */
static inline void config_pass(const char *text)
{
	struct error err = { 0 };
	struct spec  spec;

	config_accept(text, &spec);
	if (spec_check(&spec, &err) != 0)
		fail_msg("%s: %s: %s", text, err.object, err.cause);
	assert_int_equal(err.code, 0);
	spec_free(&spec);
}

/* The text can be read, but spec_check() refuses it with this path and these words. */
static inline void config_fail(const char *text, const char *object, const char *cause)
{
	struct error err = { 0 };
	struct spec  spec;

	config_accept(text, &spec);
	int ret = spec_check(&spec, &err);
	spec_free(&spec);
	if (ret == 0)
		fail_msg("accepted: %s", text);
	assert_int_equal(ret, -EINVAL);
	assert_string_equal(err.object, object);
	if (strstr(err.cause, cause) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", cause, err.cause);
}

/* Whether one of the warnings holds these words. */
static inline bool config_warns(const struct spec *spec, const char *words)
{
	for (size_t i = 0; i < spec->warnings.count; i++)
		if (strstr(spec->warnings.texts[i], words) != NULL)
			return true;
	return false;
}

#endif
