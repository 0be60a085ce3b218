/* seccomp_program.h - the program of a seccomp filter: made with libseccomp, and run by ourselves to know
 * what it says. Side: host; makes nothing, needs no privilege. */
#ifndef MOSS_SECCOMP_PROGRAM_H
#define MOSS_SECCOMP_PROGRAM_H
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/spec_seccomp.h"

/* Does this libseccomp know the architecture (SCMP_ARCH_*), and has it this machine's byte order? */
bool seccomp_program_knows(uint32_t arch);

/* Make the program of @spec for the machine's own architecture and those that it names.
 *
 * Names of system calls that libseccomp does not know are left out, with a line in the log at level debug; so are rules
 * whose action is the default one. Several arguments of a rule with the same index are alternatives, as with runc; else all
 * must hold. Where the default action is ERRNO, a system call with a number above all that the section names on
 * that architecture gets ENOSYS.
 * Returns 0 with at most BPF_MAXINSNS instructions, or -errno with @err set. */
int seccomp_program_make(const struct spec_seccomp *spec, struct sock_filter program[BPF_MAXINSNS], uint16_t *ret_count,
			 struct error *err) __attribute__((nonnull, warn_unused_result));

/* What the program answers to one system call: SECCOMP_RET_* with its data. A program that can't be followed
 * answers SECCOMP_RET_KILL_PROCESS. */
uint32_t seccomp_program_run(const struct sock_filter *program, size_t count, const struct seccomp_data *call)
	__attribute__((nonnull, pure));

#endif
