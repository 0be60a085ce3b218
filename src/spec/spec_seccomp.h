/* spec_seccomp.h - linux.seccomp of config.json as structs. Side: any; pure.
 *
 * Part of struct spec (spec.h). Words are numbers here: those of the kernel's <linux/seccomp.h> and of
 * libseccomp's <seccomp.h>, of which only the constants are used.
 * Source: OCI runtime-spec 1.3, config-linux.md, "Seccomp".
 */
#ifndef MOSS_SPEC_SECCOMP_H
#define MOSS_SPEC_SECCOMP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEC_SECCOMP_ARGS_MAX 6     /* arguments of a system call */
#define SPEC_SECCOMP_ERRNO_MAX 4094 /* what libseccomp takes; the kernel cuts at 4095 */

/* A word and what it stands for; a name that is NULL ends the table. */
struct spec_seccomp_word {
	const char *name;
	uint32_t    value;
};
extern const struct spec_seccomp_word spec_seccomp_actions[];   /* SECCOMP_RET_* */
extern const struct spec_seccomp_word spec_seccomp_operators[]; /* enum scmp_compare */
extern const struct spec_seccomp_word spec_seccomp_archs[];     /* SCMP_ARCH_* */
extern const struct spec_seccomp_word spec_seccomp_flags[];     /* SECCOMP_FILTER_FLAG_* */

struct spec_seccomp_arg {
	uint32_t index;            /* below SPEC_SECCOMP_ARGS_MAX */
	uint32_t op;
	uint64_t value, value_two; /* of SCMP_CMP_MASKED_EQ: the mask, and what must be left behind it */
};

struct spec_seccomp_rule {
	const char **names; /* of system calls; not checked: one that this machine doesn't have is no mistake */
	size_t       names_count;
	uint32_t     action; /* with the errno of ERRNO and TRACE in its lower half, as seccomp(2) has it */
	struct spec_seccomp_arg *args;
	size_t       args_count;
};

struct spec_seccomp {
	uint32_t    default_action; /* as a rule's; never SECCOMP_RET_USER_NOTIF */
	uint32_t    flags;          /* SECCOMP_FILTER_FLAG_* */
	const char *listener_path, *listener_metadata; /* NULL when absent */
	uint32_t   *archs;          /* besides the machine's own */
	size_t      archs_count;
	struct spec_seccomp_rule *rules;
	size_t      rules_count;
	bool        notifies;       /* a rule's action is SCMP_ACT_NOTIFY */
};

#endif
