/* credentials.h - capabilities, groups, user, no_new_privs. Side: container. */
#ifndef MOSS_CREDENTIALS_H
#define MOSS_CREDENTIALS_H
#include "init/context.h"

/* Become the process's user with exactly the capabilities of config.json.
 * Returns 0 or -errno with @err set. */
int credentials_apply(const struct init *init, struct init_context *context, struct error *err);

#endif
