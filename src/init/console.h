/* console.h - the container's terminal and stdio. Side: container. */
#ifndef MOSS_CONSOLE_H
#define MOSS_CONSOLE_H
#include "init/context.h"

/* With process.terminal: open a pty of the container's own devpts, show it as /dev/console, send
 * its master to the host side, make it stdin, stdout, stderr and the controlling terminal.
 * Returns 0 or -errno with @err set. */
int console_open(const struct init *init, struct init_context *context, struct error *err);

/* Give stdin, stdout and stderr to the process's user, so that it can open /dev/stdout again.
 * /dev/null is never given away. Returns 0 or -errno with @err set. */
int console_chown_stdio(const struct init *init, struct init_context *context, struct error *err);

#endif
