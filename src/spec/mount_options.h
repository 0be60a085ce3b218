/* mount_options.h - the words of mounts[].options, as the kernel wants them. Side: any; pure. */
#ifndef MOSS_MOUNT_OPTIONS_H
#define MOSS_MOUNT_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

#define MOUNT_COPY_UP 1u          /* tmpcopyup: the tmpfs starts with what it covers */
#define MOUNT_COPY_LINK 2u        /* copy-symlink: a source that is a symbolic link is made again */
#define MOUNT_SOURCE_NOFOLLOW 4u  /* src-nofollow */
#define MOUNT_TARGET_NOFOLLOW 8u  /* dest-nofollow */
#define MOUNT_REMOUNT 16u         /* remount: the mount that is there gets the options */
#define MOUNT_IDMAP 32u           /* idmap, ridmap */
#define MOUNT_IDMAP_RECURSIVE 64u /* ridmap */
#define MOUNT_IVERSION 128u       /* iversion: only mount(2) has a flag for it */

struct mount_options {
	uint64_t     attr_set, attr_clear;                     /* MOUNT_ATTR_*, for this mount alone */
	uint64_t     recursive_attr_set, recursive_attr_clear; /* rro, rnosuid, ...: with submounts */
	uint64_t     propagation;                              /* MS_SHARED etc., or 0 */
	bool         propagation_recursive;                    /* rshared etc. */
	bool         bind, recursive;                          /* bind or rbind was among the words */
	unsigned     special;                                  /* MOUNT_*, above */
	const char  *idmap; /* the mapping of idmap=..., or NULL; see spec_idmap.c */
	const char **data; /* words for the file system: "size=64k", "mode=755"; NULL-ended */
	size_t       data_count;
};

/* Read @count words into *@ret_options; a later word wins over an earlier one. Words that are
 * neither mount attributes nor propagation are the file system's, in their order; the array is
 * made in @arena, the texts are lent.
 * Returns 0, or -EINVAL or -ENOMEM with @err set (then *@ret_options is unspecified). */
int mount_options_parse(struct arena *arena, const char *const *words, size_t count,
			struct mount_options *ret_options, struct error *err)
	__attribute__((nonnull(1, 4, 5), warn_unused_result));

/* The words that moss knows and honours, for `moss features`: number @index, counted from 0, or
 * NULL behind the last. */
const char *mount_options_name(size_t index);

#endif
