/* idmap.h - uid_map and gid_map of a new user namespace.
 *
 * Side: host. One id (or root) writes the files directly; several ids of a normal user go through
 * newuidmap and newgidmap, which check /etc/subuid and /etc/subgid.
 */
#ifndef MOSS_IDMAP_H
#define MOSS_IDMAP_H
#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

/* Write both maps for @pid, a child of ours in a new user namespace that has none yet. The two
 * helpers run at the same time; each may take 10 s.
 * Returns 0 or -errno with @err set: which helper, what it said. */
int idmap_write(pid_t pid, const struct spec_id_maps *uid_maps, const struct spec_id_maps *gid_maps,
		struct error *err) __attribute__((nonnull, warn_unused_result));

/* Read the maps of a process's user namespace, as we see them; into @arena. Returns 0 or -errno with
 * @err set. */
int idmap_read(pid_t pid, struct arena *arena, struct spec_id_maps *ret_uid_maps, struct spec_id_maps *ret_gid_maps,
	       struct error *err) __attribute__((nonnull, warn_unused_result));

/* The id that the maker of the container takes inside: 0 when it is mapped, else the first one. */
uint32_t idmap_first(const struct spec_id_maps *maps) __attribute__((nonnull, pure));

/* The range that @container_id is mapped by, or NULL. */
const struct spec_id_map *idmap_find(const struct spec_id_maps *maps, uint32_t container_id) __attribute__((nonnull, pure));

/* Is host id @host_id mapped? */
bool idmap_has_host(const struct spec_id_maps *maps, uint32_t host_id) __attribute__((nonnull, pure));

#endif
