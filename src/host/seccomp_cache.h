/* seccomp_cache.h - programs of seccomp filters, kept below ROOT/:seccomp. Side: host.
 *
 * Compiling an engine's default profile takes longer than making the container. A file holds the whole key that the
 * program was made from, which is compared byte for byte; its name is only where to look.
 * The directory and the files count for nothing unless they are ours and nobody else can write them. Nothing here fails:
 * whatever is wrong with the cache, the program is made again.
 */
#ifndef MOSS_SECCOMP_CACHE_H
#define MOSS_SECCOMP_CACHE_H
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "spec/spec_seccomp.h"

#define SECCOMP_CACHE_DIRECTORY ":seccomp" /* no container can have such an id */
#define SECCOMP_CACHE_ENTRIES_MAX 32       /* the oldest ones go */

/* Everything that the program is made of: the section without what is not in it (flags, listener), the versions of moss and
 * libseccomp, the machine's architecture. key->failed is set when there is no memory. */
void seccomp_cache_key(const struct spec_seccomp *spec, struct str *key) __attribute__((nonnull));

/* Fill @program and *@ret_count from the cache; false when it is not in there. */
bool seccomp_cache_find(int root_fd, const struct str *key, struct sock_filter program[BPF_MAXINSNS], uint16_t *ret_count)
	__attribute__((nonnull, warn_unused_result));

/* Keep the program, for the next one. */
void seccomp_cache_keep(int root_fd, const struct str *key, const struct sock_filter *program, uint16_t count)
	__attribute__((nonnull));

#endif
