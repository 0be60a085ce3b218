/* scheduler.h - CPUs, memory policy, scheduler and io priority. Side: container. */
#ifndef MOSS_SCHEDULER_H
#define MOSS_SCHEDULER_H
#include "init/context.h"

/* Take what config.json says of them, as far as it is not the host side's to give (init_set_scheduler()).
 * Returns 0 or -errno with @err set. */
int scheduler_apply(const struct init *init, struct init_context *context, struct error *err);

#endif
