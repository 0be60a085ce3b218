/* rdt_update.h - another schemata for the class of service of a container that runs.
 *
 * Side: host. Only the class that was made for the container is changed. A container without one gets it, named by its
 * id, with all of its threads in it.
 */
#ifndef MOSS_RDT_UPDATE_H
#define MOSS_RDT_UPDATE_H
#include "host/intel_rdt.h"

struct rdt_update {
	struct intel_rdt rdt;
	char *before; /* the whole schemata; NULL: the class was not there */
};

/* Find out what is to be done. *@state gets the class's record where one is to be made: to be written before
 * rdt_update_apply(). rdt_update_close() is needed in every case.
 *
 * @wanted: lent; what is to hold.
 * Returns 0 or -errno with @err set. */
int rdt_update_plan(const struct spec_intel_rdt *wanted, struct state *state, int dir_fd, struct rdt_update *ret_update,
		    struct error *err) __attribute__((nonnull, warn_unused_result));

/* Do it, or nothing. Returns 0 or -errno with @err set. */
int rdt_update_apply(struct rdt_update *update, const struct state *state, int dir_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* After all not: the old schemata; a class that was made is removed. For what it is worth. */
void rdt_update_undo(const struct rdt_update *update) __attribute__((nonnull));
void rdt_update_close(struct rdt_update *update) __attribute__((nonnull));

#endif
