/* seccomp_newer.h - ENOSYS for system calls that are newer than a seccomp profile. Side: host; makes nothing.
 *
 * A program that is built for a newer kernel tries a new system call and falls back to an old one on ENOSYS: libc with
 * clone3, faccessat2, ... EPERM, the usual default of a list of what is allowed, it takes for the answer. Which calls
 * the author of a profile knew nobody writes down; but numbers are given in order, so that one above all that
 * the profile names came later.
 */
#ifndef MOSS_SECCOMP_NEWER_H
#define MOSS_SECCOMP_NEWER_H
#include <linux/filter.h>
#include <stdint.h>

#include "spec/spec_seccomp.h"

#define SECCOMP_NEWER_MAX 256 /* instructions at the most */

/* Write the instructions that are to stand before those of @spec's filter: they answer ENOSYS, or go on behind
 * themselves. Nothing for an architecture of which the section names no system call.
 * Returns how many they are. */
uint16_t seccomp_newer_write(const struct spec_seccomp *spec, struct sock_filter program[SECCOMP_NEWER_MAX])
	__attribute__((nonnull));

#endif
