/* properties.h - what a scope is to be, as systemd's properties of units. Side: helper. */
#ifndef SCOPE_PROPERTIES_H
#define SCOPE_PROPERTIES_H
#include <systemd/sd-bus.h>

#include "base/error.h"

/* Append NAME=VALUE to a message that is at an a(sv). @text is an annotation's: org.systemd.property.NAME without its
 * start, and its value in the words of value.h. A name that ends in Sec is a time in seconds, and becomes systemd's ...USec.
 * Returns 0 or -errno with @err set. */
int properties_add(sd_bus_message *message, const char *text, struct error *err) __attribute__((nonnull, warn_unused_result));

struct properties_limits { /* FILE=VALUE of cgroup version 2, "memory.max=1048576"; later ones win */
	char **texts;
	int    count;
};

/* Append the properties that say the same as these limits. One that no property of systemd says is left out: it is in the
 * container's own cgroup, which systemd does not touch. Nor is a property ever stricter than the limit: a quota is in steps
 * of one percent there, and rounded up.
 * Returns 0 or -errno with @err set. */
int properties_add_limits(sd_bus_message *message, const struct properties_limits *limits, struct error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
