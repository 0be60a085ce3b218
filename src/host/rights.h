/* rights.h - what config.json asks for its process and only a privileged caller may give. Side: host. */
#ifndef MOSS_RIGHTS_H
#define MOSS_RIGHTS_H
#include <stdbool.h>

#include "base/error.h"
#include "spec/spec.h"

/* May we give any process any scheduler and io priority? CAP_SYS_NICE counts in the initial user namespace alone. */
bool rights_schedule(void);

/* Refuse, before anything is made, a scheduler, an io priority or an oomScoreAdj that the kernel would not let us
 * have. Inside somebody else's user namespace oomScoreAdj passes, see inherited_oom_score(). (The limits that can't be
 * had are adapt_rlimits()'s.) Returns 0 or -errno with @err set. */
int rights_check(const struct spec_process *process, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
