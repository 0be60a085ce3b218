/* devices.c - see devices.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "stage/mounts.h"
#include "stage/rootfs.h"

static const struct spec_device default_devices[] = {
	{ .path = "/dev/null",    .type = S_IFCHR, .major = 1, .minor = 3, .mode = 0666 },
	{ .path = "/dev/zero",    .type = S_IFCHR, .major = 1, .minor = 5, .mode = 0666 },
	{ .path = "/dev/full",    .type = S_IFCHR, .major = 1, .minor = 7, .mode = 0666 },
	{ .path = "/dev/random",  .type = S_IFCHR, .major = 1, .minor = 8, .mode = 0666 },
	{ .path = "/dev/urandom", .type = S_IFCHR, .major = 1, .minor = 9, .mode = 0666 },
	{ .path = "/dev/tty",     .type = S_IFCHR, .major = 5, .minor = 0, .mode = 0666 },
};

static const struct { const char *target, *name; } links[] = {
	{ "/proc/self/fd",   "fd" },
	{ "/proc/self/fd/0", "stdin" },
	{ "/proc/self/fd/1", "stdout" },
	{ "/proc/self/fd/2", "stderr" },
	{ "pts/ptmx",        "ptmx" },
};

static bool node_matches(const struct stat *st, const struct spec_device *device)
{
	return (st->st_mode & S_IFMT) == device->type &&
	       (device->type == S_IFIFO || st->st_rdev == makedev(device->major, device->minor));
}

static int host_node_open(const struct spec_device *device, int *ret_fd, struct error *err)
{
	struct stat st;
	fd_owned fd = open(device->path, O_PATH | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_at(err, errno, device->path, "open the host's device");
		return error_hint(err, "where mknod(2) is not allowed the host's node is bound, and the host has none");
	}
	if (!node_matches(&st, device))
		return error_at(err, ENODEV, device->path, "the host's node is not the device %u:%u", device->major,
				device->minor);
	*ret_fd = fd_take(&fd);
	return 0;
}

int devices_open_host(const char *path, unsigned major, unsigned minor, int *ret_fd, struct error *err)
{
	const struct spec_device device = { .path = path, .type = S_IFCHR, .major = major, .minor = minor };

	return host_node_open(&device, ret_fd, err);
}

/* Bind the host's node over an empty file @name in @dir, made here when nothing is there. */
static int node_bind(const struct spec_device *device, int dir, const char *name, struct error *err)
{
	struct stat st;
	fd_owned host = -1;

	if (host_node_open(device, &host, err) < 0)
		return -err->code;
	fd_owned file = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
	if (file < 0 && errno != EEXIST)
		return error_at(err, errno, device->path, "make the file to bind the device on");
	fd_owned target = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) < 0)
		return error_at(err, errno, device->path, "open");
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)) /* CVE-2025-31133 */
		return error_at(err, EEXIST, device->path, "the image has a %s in the place of this device",
				S_ISLNK(st.st_mode) ? "symbolic link" : "directory");
	fd_owned tree = open_tree(host, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || mounts_move(tree, target) < 0)
		return error_at(err, errno, device->path, "bind the host's device");
	return 0;
}

static int node_make(const struct spec_device *device, int dir, const char *name, struct error *err)
{
	struct stat st;

	if (mknodat(dir, name, device->type | device->mode, makedev(device->major, device->minor)) < 0) {
		if (errno == EEXIST && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && node_matches(&st, device))
			return 0;
		if ((errno == EPERM || errno == EEXIST) && device->type != S_IFIFO)
			return node_bind(device, dir, name, err);
		return error_at(err, errno, device->path, "mknod");
	}
	if ((device->uid != 0 || device->gid != 0) &&
	    fchownat(dir, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_at(err, errno, device->path, "chown to %u:%u", device->uid, device->gid);
	return 0;
}

static int device_make(const struct spec_device *device, int root_fd, bool by_bind, struct error *err)
{
	char     name[NAME_MAX + 1];
	fd_owned dir = -1;

	if (rootfs_make_parent(root_fd, device->path, name, &dir, err) < 0)
		return -err->code;
	if (by_bind && device->type != S_IFIFO)
		return node_bind(device, dir, name, err);
	return node_make(device, dir, name, err);
}

static int links_make(int root_fd, struct error *err)
{
	fd_owned dev = -1;

	if (rootfs_make(root_fd, "/dev", S_IFDIR, &dev, err) < 0)
		return -err->code;
	for (size_t i = 0; i < array_size(links); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
			return error_at(err, errno, links[i].name, "make the link in /dev");
	return 0;
}

/* Is this /dev, written in whatever way ("//dev/.", "/x/../dev")? */
static bool names_dev(const char *path)
{
	size_t depth = 0;
	bool   dev = false;

	while (*(path += strspn(path, "/")) != '\0') {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0)
			depth -= depth > 0;
		else if (!(length == 1 && *path == '.') && depth++ == 0)
			dev = length == 3 && memcmp(path, "dev", 3) == 0;
		path += length;
	}
	return depth == 1 && dev;
}

static bool dev_is_bound(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (spec->mounts[i].options.bind && names_dev(spec->mounts[i].destination))
			return true;
	return false;
}

int devices_make(const struct spec *spec, int root_fd, bool by_bind, struct error *err)
{
	if (dev_is_bound(spec))
		return 0;
	for (size_t i = 0; i < array_size(default_devices); i++)
		if (device_make(&default_devices[i], root_fd, by_bind, err) < 0)
			return -err->code;
	for (size_t i = 0; i < spec->devices_count; i++)
		if (device_make(&spec->devices[i], root_fd, by_bind, err) < 0)
			return -err->code;
	return links_make(root_fd, err);
}
