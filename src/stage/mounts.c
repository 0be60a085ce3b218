/* mounts.c - see mounts.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "stage/rootfs.h"

/* The number of the file system that @fd is on (statfs(2)). */
static int magic_of(int fd, long *ret_magic, struct error *err)
{
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return error_set(err, errno, "find out the file system");
	*ret_magic = (long)st.f_type;
	return 0;
}

int mounts_move(int tree_fd, int target_fd)
{
	return move_mount(tree_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? -errno : 0;
}

static int source_open(const struct spec_mount *mount, int bundle_fd, int *ret_fd, struct error *err)
{
	const char *path = mount->source ? mount->source : "";
	fd_owned fd = openat(bundle_fd, path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		int code = errno;

		error_at(err, code, path, "open the source");
		return error_hint(err, code == ENOENT    ? "the source of a bind mount must exist on the host"
				       : code == ENOTDIR ? "a part of the way to the source is a file"
							 : "the source must be reachable for the user who runs moss");
	}
	unsigned recursive = mount->options.recursive ? AT_RECURSIVE : 0;
	int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
	if (tree < 0) {
		int code = errno;

		error_at(err, code, path, "clone the source");
		/* mount_namespaces(7), "Restrictions": what covers a directory can't be left out. */
		return code == EINVAL && !recursive
			       ? error_hint(err, "something is mounted below the source, and a user namespace may "
						 "not uncover it: use rbind instead of bind")
			       : -code;
	}
	*ret_fd = tree;
	return 0;
}

int mounts_open_sources(const struct spec *spec, const char *bundle, int *sources, struct error *err)
{
	fd_owned bundle_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < spec->mounts_count; i++)
		sources[i] = -1;
	if (bundle_fd < 0)
		return error_at(err, errno, bundle, "open the bundle");
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (spec->mounts[i].options.bind && source_open(&spec->mounts[i], bundle_fd, &sources[i], err) < 0)
			return error_object(err, "%s", spec->mounts[i].destination);
	return 0;
}

/* What the file system had to say, if anything: fsopen(2)'s log explains better than errno. */
static void filesystem_message(int fs, char *text, size_t size)
{
	ssize_t count = read(fs, text, size - 1);

	if (count < 0)
		count = 0;
	text[count] = '\0';
	if (count > 2 && text[1] == ' ')
		memmove(text, text + 2, (size_t)count - 1);
	text[strcspn(text, "\n")] = '\0';
}

static int filesystem_error(int fs, const char *what, struct error *err)
{
	int  code = errno;
	char message[256];

	filesystem_message(fs, message, sizeof(message));
	if (message[0] != '\0')
		return error_set(err, code, "%s: %s", what, message);
	return error_set(err, code, "%s", what);
}

static int filesystem_option(int fs, const char *word, struct error *err)
{
	const char *equals = strchr(word, '=');
	char        key[256];
	size_t      length = equals ? (size_t)(equals - word) : strlen(word);

	if (length >= sizeof(key) || (equals && strlen(equals + 1) >= 256))
		return error_set(err, E2BIG, "option \"%.40s...\" is longer than the 255 bytes that fsconfig(2) takes",
				 word);
	memcpy(key, word, length);
	key[length] = '\0';
	int ret = equals ? fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0)
			 : fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0);
	if (ret < 0) {
		char what[300];

		snprintf(what, sizeof(what), "option \"%s\"", word);
		filesystem_error(fs, what, err);
		return error_hint(err, "correct it or leave it out: the file system does not take it");
	}
	return 0;
}

static int filesystem_options(int fs, const struct spec_mount *mount, int target, struct error *err)
{
	bool        has_mode = false;
	char        mode[16];
	struct stat st;

	if (mount->source != NULL && *mount->source != '\0' &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "source", mount->source, 0) < 0)
		return filesystem_error(fs, "source", err);
	for (size_t i = 0; i < mount->options.data_count; i++) {
		if (filesystem_option(fs, mount->options.data[i], err) < 0)
			return -err->code;
		has_mode |= str_starts(mount->options.data[i], "mode=");
	}
	/* Like runc: a tmpfs takes the mode of the directory that it covers. */
	if (strcmp(mount->type, "tmpfs") == 0 && !has_mode) {
		if (fstat(target, &st) < 0)
			return error_set(err, errno, "stat");
		snprintf(mode, sizeof(mode), "mode=%o", st.st_mode & 07777);
		return filesystem_option(fs, mode, err);
	}
	return 0;
}

static int filesystem_hint(const char *type, int code, struct error *err)
{
	if (code == ENODEV)
		return error_hint(err, "this kernel has no file system \"%s\"", type);
	if (code == EPERM && strcmp(type, "proc") == 0)
		return error_hint(err, "a user namespace may mount proc only with a pid namespace of its own, and "
				       "not inside a container that masks parts of /proc (--security-opt unmask=ALL, "
				       "procMount: Unmasked)");
	if (code == EPERM && strcmp(type, "sysfs") == 0)
		return error_hint(err, "a user namespace may mount sysfs only with a network namespace of its own: add "
				       "one, or bind the host's /sys (see moss spec --rootless)");
	if (code == EPERM && strcmp(type, "mqueue") == 0)
		return error_hint(err, "add an ipc namespace");
	if (code == EPERM && strcmp(type, "cgroup2") == 0)
		return error_hint(err, "add a cgroup namespace");
	if (code == EPERM)
		return error_hint(err, "the kernel does not allow this file system in a user namespace");
	return -code;
}

/* A new file system as a detached mount. @target: where it will go; lent. */
static int filesystem_make(const struct spec_mount *mount, int target, int *ret_fd, struct error *err)
{
	/* moss knows cgroup v2 only; config.json says "cgroup" for both. */
	const char *type = strcmp(mount->type, "cgroup") == 0 ? "cgroup2" : mount->type;
	fd_owned fs = fsopen(type, FSOPEN_CLOEXEC);

	if (fs < 0) {
		int code = errno;
		error_set(err, code, "file system \"%s\"", type);
		return filesystem_hint(type, code, err);
	}
	if (filesystem_options(fs, mount, target, err) < 0)
		return -err->code;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		filesystem_error(fs, "make the file system", err);
		return filesystem_hint(type, err->code, err);
	}
	int tree = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)mount->options.attr_set);
	if (tree < 0) {
		filesystem_error(fs, "mount the file system", err);
		return filesystem_hint(type, err->code, err);
	}
	*ret_fd = tree;
	return 0;
}

static int tree_attributes(int tree, const struct spec_mount *mount, struct error *err)
{
	const struct mount_options *o = &mount->options;
	struct mount_attr all = { .attr_set = o->recursive_attr_set, .attr_clr = o->recursive_attr_clear };
	struct mount_attr one = { .attr_set = o->attr_set, .attr_clr = o->attr_clear };
	long magic = 0;

	/* CVE-2023-25809: the host's /sys holds the cgroup tree as a mount of its own, which a
	 * plain "ro" would leave writable. */
	if ((o->attr_set & MOUNT_ATTR_RDONLY) && o->recursive) {
		if (magic_of(tree, &magic, err) < 0)
			return -err->code;
		if (magic == SYSFS_MAGIC)
			all.attr_set |= MOUNT_ATTR_RDONLY;
	}
	if ((all.attr_set | all.attr_clr) != 0 &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &all, sizeof(all)) < 0)
		return error_set(err, errno, "set the recursive mount options");
	if (o->bind && (one.attr_set | one.attr_clr) != 0 &&
	    mount_setattr(tree, "", AT_EMPTY_PATH, &one, sizeof(one)) < 0) {
		int code = errno;
		error_set(err, code, "set the mount options");
		return code == EPERM ? error_hint(err, "a user namespace may not clear ro, nosuid, nodev, noexec or "
						       "change atime where the host has set them: leave the option out")
				     : -code;
	}
	return 0;
}

static int tree_propagation(int tree, const struct mount_options *options, struct error *err)
{
	struct mount_attr attributes = { .propagation = options->propagation };
	unsigned recursive = options->propagation_recursive ? AT_RECURSIVE : 0;

	if (options->propagation != 0 &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attributes, sizeof(attributes)) < 0)
		return error_set(err, errno, "set the propagation");
	return 0;
}

/* Files of procfs that a container may have covered, as runc allows (lxcfs and the like). */
static bool proc_file_may_be_covered(const char *path)
{
	static const char *const names[] = { "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime",
					     "loadavg", "slabinfo", "net/dev", "sys/kernel/ns_last_pid",
					     "sys/crypto/fips_enabled" };

	if (!str_starts(path, "/proc/"))
		return false;
	for (size_t i = 0; i < array_size(names); i++)
		if (strcmp(path + strlen("/proc/"), names[i]) == 0)
			return true;
	return false;
}

/* CVE-2019-16884, 2019-19921, 2023-27561, 2025-52881: nothing may take the place of procfs. */
static int target_check(const struct spec_mount *mount, int root_fd, int target, int tree, struct error *err)
{
	bool        to_proc = mount->type != NULL && !mount->options.bind && strcmp(mount->type, "proc") == 0;
	struct stat proc_st, target_st;
	long        target_magic = 0, tree_magic = 0;

	if (to_proc)
		return 0;
	if (magic_of(target, &target_magic, err) < 0 || (tree >= 0 && magic_of(tree, &tree_magic, err) < 0))
		return -err->code;
	if (tree_magic == PROC_SUPER_MAGIC)
		return 0;
	if (target_magic == PROC_SUPER_MAGIC && !proc_file_may_be_covered(mount->destination))
		return error_set(err, EPERM, "a mount inside /proc is refused");
	fd_owned proc = rootfs_find(root_fd, "proc", 0);
	if (proc == -ENOENT || proc == -ELOOP)
		return 0;
	if (proc < 0 || fstat(proc, &proc_st) < 0 || fstat(target, &target_st) < 0)
		return error_set(err, proc < 0 ? -proc : errno, "compare it with /proc");
	if (proc_st.st_dev == target_st.st_dev && proc_st.st_ino == target_st.st_ino)
		return error_set(err, EPERM, "only procfs may be mounted on /proc");
	return 0;
}

/* Open or make the place where the mount goes. */
static int target_open(const struct spec_mount *mount, int root_fd, mode_t type, int *ret_fd, struct error *err)
{
	const char *destination = mount->destination;
	bool no_links = strcmp(destination, "/proc") == 0 || strcmp(destination, "/sys") == 0 ||
			(mount->type != NULL && !mount->options.bind &&
			 (strcmp(mount->type, "proc") == 0 || strcmp(mount->type, "sysfs") == 0));
	struct stat st;

	if (no_links) {
		int fd = rootfs_find(root_fd, mount->destination, RESOLVE_NO_SYMLINKS);
		if (fd == -ELOOP)
			return error_set(err, ELOOP, "a symbolic link in the image, where a directory must be");
		if (fd >= 0) {
			*ret_fd = fd;
			return 0;
		}
	}
	fd_owned fd = -1;
	if (rootfs_make(root_fd, mount->destination, type, &fd, err) < 0) {
		err->object[0] = '\0'; /* the caller names the destination */
		return -err->code;
	}
	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "stat");
	if (S_ISDIR(type) != S_ISDIR(st.st_mode)) {
		error_set(err, S_ISDIR(type) ? ENOTDIR : EISDIR, "source and destination differ in kind");
		return error_hint(err, "mount a directory on a directory, a file on a file");
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

static int root_refused(struct error *err)
{
	error_set(err, EINVAL, "a mount on the container's root is not supported yet");
	return error_hint(err, "name the tree in \"root\": {\"path\": ...} instead");
}

int mounts_apply(const struct spec *spec, size_t index, int root_fd, int source, struct error *err)
{
	const struct spec_mount *mount = &spec->mounts[index];
	fd_owned target = -1, made = -1;
	mode_t      type = S_IFDIR;
	struct stat st;
	int         ret;

	if (source >= 0 && fstat(source, &st) == 0 && !S_ISDIR(st.st_mode))
		type = S_IFREG;
	ret = target_open(mount, root_fd, type, &target, err);
	if (ret == 0 && rootfs_is_root(root_fd, target))
		ret = root_refused(err);
	if (ret == 0)
		ret = target_check(mount, root_fd, target, source, err);
	if (ret == 0 && source < 0)
		ret = filesystem_make(mount, target, &made, err);
	int tree = source >= 0 ? source : made;
	if (ret == 0)
		ret = tree_attributes(tree, mount, err);
	if (ret == 0) {
		ret = mounts_move(tree, target);
		if (ret < 0)
			error_set(err, -ret, "attach the mount");
	}
	if (ret == 0)
		ret = tree_propagation(tree, &mount->options, err);
	return ret < 0 ? error_object(err, "%s", mount->destination) : 0;
}
