/* console.c - see console.h. Side: container. */
#define _GNU_SOURCE
#include "init/console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sync.h"
#include "base/sys.h"

#define NO_LINKS (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)

/* The multiplexer of the container's own devpts, checked: the image may have put anything there. */
static int multiplexer_open(int *ret_fd, struct error *err)
{
	struct statfs fs;
	struct stat   st;
	fd_owned fd = sys_openat2(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, NO_LINKS);

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0) {
		error_at(err, errno, "/dev/pts/ptmx", "open");
		return error_hint(err, "a terminal needs a devpts mount at /dev/pts (see moss spec), or "
				       "\"terminal\": false");
	}
	if (fs.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return error_at(err, ENODEV, "/dev/pts/ptmx", "not the multiplexer of a devpts file system");
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Show the pty as /dev/console, by fd: a name in /dev/pts may be swapped (CVE-2025-52565). */
static int bind_console(int peer, struct error *err)
{
	struct stat st;
	fd_owned dev = sys_openat2(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (dev < 0)
		return error_at(err, errno, "/dev", "open");
	fd_owned file = openat(dev, "console", O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0 && errno != EEXIST) {
		error_at(err, errno, "/dev/console", "make");
		return error_hint(err, "a terminal needs this file: mount a tmpfs at /dev (see moss spec)");
	}
	fd_owned target = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) < 0)
		return error_at(err, errno, "/dev/console", "open");
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)) /* CVE-2026-88264 */
		return error_at(err, EEXIST, "/dev/console", "the image has a %s in the place of this device",
				S_ISLNK(st.st_mode) ? "symbolic link" : "directory");
	fd_owned tree = open_tree(peer, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 ||
	    move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_at(err, errno, "/dev/console", "bind the pty");
	return 0;
}

int console_open(const struct init *init, struct init_context *context, struct error *err)
{
	const struct spec_process *process = init->process;
	struct winsize size = { .ws_row = process->console_height, .ws_col = process->console_width };
	int unlocked = 0;
	fd_owned master = -1;

	if (!process->terminal)
		return 0;
	if (multiplexer_open(&master, err) < 0)
		return -err->code;
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return error_set(err, errno, "unlock the pty");
	fd_owned peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (peer < 0)
		return error_set(err, errno, "open the pty's other end");
	if (process->console_size_given && ioctl(peer, TIOCSWINSZ, &size) < 0)
		return error_set(err, errno, "set the terminal's size");
	if (init->bind_console && bind_console(peer, err) < 0)
		return -err->code;
	int ret = sync_send(context->sock, SYNC_CONSOLE, NULL, 0, master);
	if (ret < 0)
		return error_set(err, -ret, "send the pty");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(peer, fd) < 0)
			return error_set(err, errno, "dup2");
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return error_set(err, errno, "make it the controlling terminal");
	return 0;
}

int console_chown_stdio(const struct init *init, struct init_context *context, struct error *err)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	uid_t uid = init->process->user.uid;

	(void)context;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || st.st_uid == uid)
			continue;
		if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
			continue;
		/* The group stays: devpts's gid=5 is there for a reason. Not ours to give (another
		 * user's file, an unmapped id, a read-only file system): then it stays as it is. */
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EPERM && errno != EINVAL && errno != EROFS &&
		    errno != EOPNOTSUPP)
			return error_at(err, errno, names[fd], "chown to %u", (unsigned)uid);
	}
	return 0;
}
