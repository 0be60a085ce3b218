/* proc.h - what /proc tells of a process; pidfds. Side: any. */
#ifndef MOSS_PROC_H
#define MOSS_PROC_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_BOOT_ID_SIZE 37 /* 36 characters and a NUL */

/* With the pid and the boot id either of these names one process for ever. */
struct proc_birth {
	/* Of its pidfds, which have one each process from Linux 6.9 on (pidfs); 0: not known. */
	uint64_t pidfd_inode;
	/* Else the time it started, in clock ticks since boot (proc(5), stat, field 22). */
	uint64_t start_time;
};

/* Find out; @pidfd is lent.
 * Returns 0, also for a zombie; -ESRCH when there is no such process; or another -errno. */
int proc_birth_of(pid_t pid, int pidfd, struct proc_birth *ret_birth) __attribute__((nonnull, warn_unused_result));

/* Does the process neither catch nor ignore signal @number (1 to 31)? False when it can't be told. */
bool proc_signal_is_default(pid_t pid, int number);

/* The id of this boot of the machine. Returns 0 or -errno. */
int proc_boot_id(char id[PROC_BOOT_ID_SIZE]) __attribute__((nonnull, warn_unused_result));

/* A pidfd of the process with this pid and birth, in *@ret_fd.
 * Returns 0, -ESRCH when that process has ended (also when its pid was given to another), -errno. */
int proc_open(pid_t pid, const struct proc_birth *birth, int *ret_fd)
	__attribute__((nonnull, warn_unused_result));

/* The root of the procfs that is mounted at /proc, checked to be one, as O_PATH. Returns the fd or -errno. */
int proc_root_open(void) __attribute__((warn_unused_result));

/* A procfs that is mounted nowhere, so that nobody can have put anything over a part of it
 * (CVE-2025-52881). In a user namespace it can be had with a pid namespace of one's own only, and where
 * nothing of the visible /proc is covered (mount_namespaces(7)); then it is the visible one, as of
 * proc_root_open(). Which namespace's values are seen depends on the process, not on the mount.
 * Returns the fd, for proc_file_open(), or -errno. */
int proc_root_private(void) __attribute__((warn_unused_result));

/* Open a file of the procfs @root_fd, "self/timens_offsets": nothing that is mounted over a part of it, and no link
 * of the kernel's to somewhere else, is followed (CVE-2025-52881). @flags as for open(2).
 * Returns the fd or -errno: -EXDEV where there is such a mount. */
int proc_file_open(int root_fd, const char *path, int flags) __attribute__((nonnull, warn_unused_result));

/* Write @text with one write(2) into an existing file of the procfs @root_fd, opened as above.
 * Returns the bytes that were taken, or -errno. */
ssize_t proc_file_write_at(int root_fd, const char *path, const char *text) __attribute__((nonnull, warn_unused_result));

/* The same with the procfs at /proc: "self/oom_score_adj". Returns 0 or -errno. */
int proc_file_write(const char *path, const char *text) __attribute__((nonnull, warn_unused_result));

/* Wait until the process behind @pidfd has ended (it need not be a child); @timeout_ms as poll(2).
 * Returns 1 when it has, 0 after the time, or -errno. */
int proc_wait_end(int pidfd, int timeout_ms) __attribute__((warn_unused_result));

#endif
