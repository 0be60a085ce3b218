/* bus.h - the bus on which systemd, or a user's own manager, is asked. Side: helper. */
#ifndef SCOPE_BUS_H
#define SCOPE_BUS_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "base/error.h"

#define BUS_SYSTEMD "org.freedesktop.systemd1"
#define BUS_MANAGER_PATH "/org/freedesktop/systemd1"
#define BUS_MANAGER BUS_SYSTEMD ".Manager"
#define BUS_TIMEOUT_MS 10000 /* of everything that is waited for: the connection, an answer, a job */

struct bus {
	bool    system;   /* the machine's systemd; else the manager of ... */
	uid_t   user;     /* ... this user, as the machine knows it */
	sd_bus *bus;      /* NULL until bus_open() */
};

/* Connect. The system bus is where it always is. A user's is looked for at $DBUS_SESSION_BUS_ADDRESS, then at
 * $XDG_RUNTIME_DIR/bus, then at /run/user/UID/bus, because su(1) and cron lose or mix up the first two; never is it
 * the system's. bus_close() is needed in every case.
 * Returns 0 or -errno with @err set. */
int bus_open(struct bus *bus, struct error *err) __attribute__((nonnull, warn_unused_result));
void bus_close(struct bus *bus) __attribute__((nonnull));

/* The bus has answered @call with @error, or libsystemd with @ret, while @what was done to @object: put that into
 * @err, with the remedy where it is known. Returns -err->code: EEXIST (the unit is there), ENOENT (it is not),
 * ETIMEDOUT, or another one. */
struct bus_failure {
	int ret;
	const sd_bus_error *error;
};
int bus_explain(const struct bus *bus, const struct bus_failure *failure, const char *object, const char *what, struct error *err)
	__attribute__((nonnull));

/* " --user" or "", for commands in hints. */
const char *bus_option(const struct bus *bus) __attribute__((nonnull));

#endif
