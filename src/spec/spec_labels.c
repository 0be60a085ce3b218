/* spec_labels.c - config.json: labels of security modules. Side: any; pure. */
#define _GNU_SOURCE
#include <string.h>

#include "spec/spec_read.h"

const char *spec_label_fault(const char *text)
{
	size_t length = strlen(text);

	if (length > SPEC_LABEL_MAX)
		return "too long: the kernel takes no label of more than 4000 bytes";
	/* The kernel takes blanks off the ends, and a line's end ends it: it would be another label. */
	if (text[0] == ' ' || (length > 0 && text[length - 1] == ' '))
		return "a blank at its start or end";
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return "a control character in it";
	return NULL;
}

int spec_read_label(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *fault = spec_label_fault(json_object_get_string(value));

	if (fault != NULL)
		return json_fail(ctx, "no label: %s", fault);
	return spec_read_word(value, field, ctx);
}
