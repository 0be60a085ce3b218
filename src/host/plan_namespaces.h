/* plan_namespaces.h - what config.json asks of the container's namespaces, held against those that it
 * gets. Side: host. */
#ifndef MOSS_PLAN_NAMESPACES_H
#define MOSS_PLAN_NAMESPACES_H
#include "base/error.h"
#include "host/join.h"
#include "spec/spec.h"

/* Refuse what would be changed for the runtime's own namespaces, because a path names one of those, and
 * what can't be done in the ones that are joined. Makes nothing.
 * Returns 0 or -errno with @err set. */
int plan_namespaces_check(const struct spec *spec, const struct join *join, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
