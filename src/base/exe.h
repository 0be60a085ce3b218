/* exe.h - keep the running binary from being written by the container. Side: any.
 *
 * CVE-2019-5736: a container whose root may write the runtime's binary reaches it through
 * /proc/PID/exe, or starts it again as "#!/proc/self/exe" and writes it then. The usual defence
 * is to run the whole program again from a sealed copy; that costs a second start-up. moss lets
 * the process that becomes the container's, or the one that clones it into joined namespaces, change
 * what its own /proc/PID/exe names: its text is mapped again from a read-only clone of the binary's mount
 * (the same page cache, nothing is copied), then PR_SET_MM_MAP makes that clone the exe file
 * (PR_SET_MM_EXE_FILE where the kernel lacks CONFIG_CHECKPOINT_RESTORE, which only the host's root may use).
 * Opening it for writing is EROFS
 * for ever after, whoever asks.
 */
#ifndef MOSS_EXE_H
#define MOSS_EXE_H
#include <sys/stat.h>

#include "base/error.h"

struct exe {
	char        path[4096]; /* as the kernel names it */
	struct stat stat;
	void       *heap; /* its end */
};

/* Find the running binary, while the host's /proc is there. Returns 0 or -errno with @err set. */
int exe_find(struct exe *ret_exe, struct error *err) __attribute__((nonnull, warn_unused_result));

/* Open the same binary as a file that nobody can write: through a read-only clone of its mount where
 * we have CAP_SYS_ADMIN over it, else a sealed copy in memory. The host's tree must still be there.
 *
 * @ret_tree_fd: the clone, or -1; to be closed by the caller when there is time: the kernel takes it apart
 *               then and waits for RCU, 0.1 ms on an idle machine and several on a busy one.
 * Returns the file's fd or -errno with @err set. */
int exe_open_sealed(const struct exe *exe, int *ret_tree_fd, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Make /proc/self/exe name the file @fd of exe_open_sealed(), lent. Runs in a process that was
 * cloned after exe_find(), with CAP_SYS_ADMIN in its user namespace.
 * Returns 0 or -errno with @err set; on failure the process must not go on. */
int exe_seal(const struct exe *exe, int fd, struct error *err) __attribute__((nonnull, warn_unused_result));

#endif
