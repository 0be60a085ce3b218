/* stage.h - the container's first process, from the clone to the pivot. Side: userns.
 *
 * Declared here, filled on the host side before the clone, const afterwards.
 */
#ifndef MOSS_STAGE_H
#define MOSS_STAGE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/exe.h"
#include "init/init.h"
#include "spec/spec.h"

struct stage {
	const struct spec *spec;
	const char        *bundle;       /* absolute; relative mount sources start here */
	const char        *rootfs;       /* absolute */
	uint64_t           namespaces;   /* CLONE_NEW* flags of the namespaces that are new */
	bool               in_user_ns;   /* devices are bound, not made */
	bool               wait_for_host; /* until SYNC_MAPPED: ids are mapped, network devices are there */
	uint32_t           uid, gid;     /* who to be inside it while making the container */
	bool               shared_tree;  /* the mount namespace is others', too: nothing is mounted, the root is entered by
					  * chroot(2) */
	bool               foreign_tree; /* ... and it was joined: what is in it is not to be trusted */
	bool               no_pivot;     /* enter the root without pivot_root(2) */
	bool               has_fifo;     /* exec.fifo comes with SYNC_FILES */
	const int         *sources;      /* one a mount: the tree of an idmapped one, else -1 ... */
	size_t             sources_count; /* ... for as many of the first mounts */
	bool               ask_for_hooks; /* stop before the pivot, for the hooks: SYNC_HOOKS */
	bool               show_to_hooks; /* the caller's hooks can't see our /proc files unless we are dumpable */
	const struct exe  *exe;          /* not NULL: the container could write the binary, seal it (it is sealed
					  * already where namespaces were joined) */
	struct init        init;
};

/* Make the container around this process, then become its init.
 *
 * @sock: the launch socket; every other fd but 0-2 and the preserved ones is closed.
 * Does not return; a failure is sent as SYNC_ERROR. */
void stage_main(const struct stage *stage, int sock) __attribute__((noreturn, nonnull));

#endif
