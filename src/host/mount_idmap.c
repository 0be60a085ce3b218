/* mount_idmap.c - see mount_idmap.h. Side: host. */
#define _GNU_SOURCE
#include "host/mount_idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/sys.h"
#include "host/caller.h"
#include "host/idmap.h"
#include "stage/source.h"

struct mapping { /* the user namespace made last: mounts with the same maps follow each other */
	const struct spec_mount *mount;
	int user_ns;
};

/* A child whose only purpose is its user namespace; it ends when the pipe's writing end is closed. */
static pid_t clone_holder(int reading, int writing)
{
	struct sys_clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	char  byte;
	pid_t pid = sys_clone3(&args);

	if (pid != 0)
		return pid;
	close(writing);
	(void)!read(reading, &byte, 1);
	_exit(0);
}

static int make_user_ns(const struct spec_mount *mount, int *ret_fd, struct error *err)
{
	char path[48];
	int  pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_set(err, errno, "pipe");
	fd_owned reading = pipe_fds[0], writing = pipe_fds[1];
	pid_t pid = clone_holder(reading, writing);
	if (pid < 0)
		return caller_explain_user_ns(errno, err);
	int ret = idmap_write(pid, &mount->uid_maps, &mount->gid_maps, err);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (ret == 0 && (*ret_fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		ret = error_at(err, errno, path, "open the user namespace of the mapping");
	fd_close(&writing);
	waitpid(pid, NULL, 0);
	return ret;
}

static bool same_maps(const struct spec_id_maps *a, const struct spec_id_maps *b)
{
	return a->count == b->count && memcmp(a->maps, b->maps, a->count * sizeof(*a->maps)) == 0;
}

/* The user namespace for @mount's maps in mapping->user_ns. */
static int mapping_for(struct mapping *mapping, const struct spec_mount *mount, struct error *err)
{
	if (mapping->mount != NULL && same_maps(&mapping->mount->uid_maps, &mount->uid_maps) &&
	    same_maps(&mapping->mount->gid_maps, &mount->gid_maps))
		return 0;
	fd_close(&mapping->user_ns);
	mapping->mount = NULL;
	if (make_user_ns(mount, &mapping->user_ns, err) < 0)
		return -err->code;
	mapping->mount = mount;
	return 0;
}

static int map_failed(int code, struct error *err)
{
	error_set(err, code, "map the ids of the source");
	if (code == EINVAL)
		return error_hint(err, "the kernel maps only file systems that allow it (not procfs or sysfs, and NFS not before "
				       "Linux 6.x), and no mount twice");
	if (code == EPERM)
		return error_hint(err, "only the owner of a file system may map it: not root of a user namespace a file system of the "
				       "host");
	return -code;
}

/* Before it is attached anywhere, as mount_setattr(2) demands. Below it nothing reaches the host: the clone of
 * a shared mount would be a peer of it. */
static int map_tree(const struct spec *spec, const struct spec_mount *mount, int tree, int user_ns, struct error *err)
{
	struct mount_attr map = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_ns };
	struct mount_attr cut = { .propagation = MS_SLAVE };
	unsigned recursive = mount->options.special & MOUNT_IDMAP_RECURSIVE ? AT_RECURSIVE : 0;
	bool     stays_shared = (spec->rootfs_propagation & MS_SHARED) && mount->options.propagation == MS_SHARED;

	if (mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &map, sizeof(map)) < 0)
		return map_failed(errno, err);
	if (!stays_shared && mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &cut, sizeof(cut)) < 0)
		return error_set(err, errno, "cut the mount off from the host's");
	return 0;
}

static int open_one(const struct spec *spec, const struct spec_mount *mount, int bundle_fd, int user_ns, int *ret_tree,
		    struct error *err)
{
	struct stat st;
	fd_owned tree = -1;

	if (source_open(mount, bundle_fd, &tree, err) < 0)
		return -err->code;
	/* copy-symlink: nothing is mounted. */
	bool link = (mount->options.special & MOUNT_COPY_LINK) && fstat(tree, &st) == 0 && S_ISLNK(st.st_mode);
	if (!link && map_tree(spec, mount, tree, user_ns, err) < 0)
		return -err->code;
	*ret_tree = fd_take(&tree);
	return 0;
}

static int open_all(const struct spec *spec, const char *bundle, int user_ns, int *trees, struct error *err)
{
	struct mapping mapping = { .user_ns = -1 };
	fd_owned bundle_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int      ret = 0;

	if (bundle_fd < 0)
		return error_at(err, errno, bundle, "open the bundle");
	for (size_t i = 0; i < spec->mounts_count && ret == 0; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		bool own = mount->uid_maps.count > 0;

		if (!(mount->options.special & MOUNT_IDMAP))
			continue;
		if (own)
			ret = mapping_for(&mapping, mount, err);
		if (ret == 0)
			ret = open_one(spec, mount, bundle_fd, own ? mapping.user_ns : user_ns, &trees[i], err);
		if (ret < 0) {
			error_object(err, "%s", mount->destination);
			error_object(err, "mounts[%zu]", i);
		}
	}
	fd_close(&mapping.user_ns);
	return ret;
}

static bool any(const struct spec *spec, size_t *ret_index)
{
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (spec->mounts[i].options.special & MOUNT_IDMAP) {
			*ret_index = i;
			return true;
		}
	return false;
}

int mount_idmap_open(const struct spec *spec, const char *bundle, int user_ns, int **ret_trees, struct error *err)
{
	size_t first;

	*ret_trees = NULL;
	if (!any(spec, &first))
		return 0;
	if (!caller_get()->privileged) {
		error_set(err, EPERM, "idmap: a normal user can't have a file system of the host idmapped");
		error_object(err, "mounts[%zu]: options", first);
		return error_hint(err, "leave idmap and the mappings out and give the files to the mapped ids (moss unshare chown), or run "
				       "moss as root");
	}
	int *trees = malloc(spec->mounts_count * sizeof(*trees));
	if (trees == NULL)
		return error_set(err, ENOMEM, "idmapped mounts");
	for (size_t i = 0; i < spec->mounts_count; i++)
		trees[i] = -1;
	*ret_trees = trees;
	return open_all(spec, bundle, user_ns, trees, err);
}

void mount_idmap_close(int *trees, size_t count)
{
	for (size_t i = 0; trees != NULL && i < count; i++)
		fd_close(&trees[i]);
	free(trees);
}
