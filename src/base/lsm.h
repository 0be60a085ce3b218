/* lsm.h - labels of security modules for the next execve(2). Side: any. */
#ifndef MOSS_LSM_H
#define MOSS_LSM_H
#include <stdbool.h>

#include "base/error.h"

struct lsm_labels { /* texts are lent; NULL: leave it to the kernel */
	const char *apparmor_profile;
	const char *selinux_label;
	bool        label_keyring; /* a session keyring that is made before the execve gets @selinux_label, too */
};

/* Have them apply from this process's next execve(2) on, whoever's process that is by then: what is cloned from
 * it inherits that. Nothing that the process does before is judged by them; their change of label is, though, so it
 * comes before no_new_privs, capabilities and seccomp. /proc must be the host's.
 * Allocates nothing, and makes no system call where there is no label.
 * Returns 0, or -errno with @err set, the field of config.json being its object. */
int lsm_label_next_exec(const struct lsm_labels *labels, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
