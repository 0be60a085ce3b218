/* own_ids.h - the ids that the calling user may map: its own, and its lines of /etc/subuid and
 * /etc/subgid.
 *
 * Side: host. The static core has no NSS: the user's name comes from /etc/passwd, else from
 * getent(1); where nsswitch.conf has a "subid" line the ranges come from getsubids(1).
 */
#ifndef MOSS_OWN_IDS_H
#define MOSS_OWN_IDS_H
#include "base/error.h"
#include "base/mem.h"
#include "spec/spec.h"

enum own_ids_kind { OWN_UIDS, OWN_GIDS };

/* 0 → the caller's own id, 1..n → all its ranges, in their order; a range that overlaps an earlier
 * one is left out. The array is of the arena.
 * Returns 0, or -errno with @err set: -ENOENT when the user has no range, with the line to add. */
int own_ids_find(enum own_ids_kind kind, struct arena *arena, struct spec_id_maps *ret_maps,
		 struct error *err) __attribute__((nonnull, warn_unused_result));

/* The part of own_ids_find() that only reads text: add the ranges of @lines (the contents of
 * /etc/subuid, NAME:FIRST:COUNT a line) that belong to @name or to the number @uid. Pure.
 * Returns the number of ranges, or -ENOMEM. */
int own_ids_read_lines(char *lines, const char *name, uint32_t uid, struct arena *arena,
		       struct spec_id_maps *maps) __attribute__((nonnull(1, 4, 5), warn_unused_result));

/* The same for the output of getsubids(1), "INDEX: NAME FIRST COUNT" a line, which is one user's. */
int own_ids_read_getsubids(char *lines, struct arena *arena, struct spec_id_maps *maps)
	__attribute__((nonnull(2, 3), warn_unused_result));

#endif
