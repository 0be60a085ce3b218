/* template.h - the config.json that `moss spec` writes. Side: any; pure. */
#ifndef MOSS_TEMPLATE_H
#define MOSS_TEMPLATE_H
#include <stdbool.h>

#include "base/error.h"
#include "spec/spec.h"

struct template_options {
	bool rootless; /* a user namespace, the host's network, no resources */
	const struct spec_id_maps *uid_maps, *gid_maps; /* of the user namespace, when rootless */
	const char *const *args; /* NULL-ended; NULL: "sh" */
	bool terminal;
	const char *network; /* slirp[:OPTIONS], for the annotation org.moss.network; NULL: a user has the host's network, root none */
};

/* Make the text of a config.json: tab-indented, ended by a newline, valid against
 * config-schema.json. The caller frees *@ret_text with free(3).
 * Returns 0, or -ENOMEM with @err set. */
int template_make(const struct template_options *options, char **ret_text, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
