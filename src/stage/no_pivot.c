/* no_pivot.c - see no_pivot.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/no_pivot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/mountinfo.h"
#include "base/str.h"

static bool is_below(const char *path, const char *directory)
{
	return str_starts(path, directory) && (path[strlen(directory)] == '\0' || path[strlen(directory)] == '/');
}

/* What is mounted on the host, but for "/" and the container's tree. */
static int list(char *text, const char *rootfs, struct arena *arena, struct mountinfo **ret_mounts, struct error *err)
{
	struct mountinfo mount;
	int count = 0;

	*ret_mounts = NULL;
	while (mountinfo_next(&text, &mount)) {
		if (strcmp(mount.path, "/") == 0 || is_below(mount.path, rootfs))
			continue;
		struct mountinfo *mounts = arena_grow(arena, *ret_mounts, (size_t)count, sizeof(mount));
		if (mounts == NULL)
			return error_set(err, ENOMEM, "list of mounts");
		*ret_mounts = mounts;
		mounts[count++] = mount;
	}
	return count;
}

/* In a user namespace the kernel keeps the host's mounts together (mount_namespaces(7)): nobody in the container
 * can reach them, but as long as a whole procfs or sysfs is among them, a new one may be mounted in a user namespace
 * of the container's own, without its masks. So these are covered. */
static int hide(const struct mountinfo *one, struct error *err)
{
	if (umount2(one->path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == ENOENT ||
	    (strcmp(one->type, "proc") != 0 && strcmp(one->type, "sysfs") != 0))
		return 0;
	if (mount("none", one->path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k,nr_inodes=2,mode=0") < 0)
		return error_at(err, errno, one->path, "cover the host's %s", one->type);
	return 0;
}

int no_pivot_enter(int root_fd, const char *rootfs, struct error *err)
{
	mem_owned char *text = NULL;
	arena_owned arena = { NULL };
	struct mountinfo *mounts;

	if (io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_BYTES_MAX, &text, err) < 0)
		return -err->code;
	int count = list(text, rootfs, &arena, &mounts, err);
	if (count < 0)
		return count;
	/* From here on "/" is still the host's root to us: a look-up that starts there does not see what is moved onto it. */
	if (move_mount(root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_set(err, errno, "move the root file system over the host's");
	/* An unmount reaches the peers of the mount that it happens on. */
	(void)!mount(NULL, "/", NULL, MS_PRIVATE, NULL);
	for (int i = 0; i < count; i++)
		(void)!mount(NULL, mounts[i].path, NULL, MS_PRIVATE, NULL);
	while (count-- > 0)
		if (hide(&mounts[count], err) < 0)
			return -err->code;
	if (fchdir(root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return error_set(err, errno, "enter the root file system");
	return 0;
}
