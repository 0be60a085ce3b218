/* cgroup_place.c - see cgroup_place.h. Side: host. */
#define _GNU_SOURCE
#include "host/cgroup_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "host/caller.h"
#include "host/cgroup.h"
#include "host/cgroup_unit.h"

static bool has_dots(const char *path)
{
	for (const char *at = path; at != NULL; at = strchr(at, '/')) {
		at += strspn(at, "/");
		size_t length = strcspn(at, "/");
		if ((length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
			return true;
	}
	return false;
}

static bool is_writable(const char *hierarchy, const char *path, size_t length, const char *file)
{
	char full[2 * PATH_MAX];

	return snprintf(full, sizeof(full), "%s%.*s/%s", hierarchy, (int)length, path, file) < (int)sizeof(full) &&
	       access(full, W_OK) == 0;
}

/* A user's own cgroup can hand no controller down while it holds moss itself (cgroups(7)). Where it is a leaf
 * that was made for that in a unit that is delegated to us, the unit's is meant. Not the user manager's own or
 * a slice, which that alone may change; and not any other, whose leaf may be there to limit what is in it. */
static void leave_leaf(const char *hierarchy, char *own)
{
	char  *slash = strrchr(own, '/');
	size_t length = slash != NULL ? (size_t)(slash - own) : 0, name = length;

	while (name > 0 && own[name - 1] != '/')
		name--;
	if ((str_ends(own, length, ".scope") || str_ends(own, length, ".service")) && !str_starts(own + name, "user@") &&
	    is_writable(hierarchy, own, length, "cgroup.subtree_control") && is_writable(hierarchy, own, length, "cgroup.procs"))
		*slash = '\0';
}

static bool has_limits(const struct spec *spec)
{
	for (size_t i = 0; i < spec->limits_count; i++)
		if (!(spec->limits[i].flags & SPEC_LIMIT_DEFAULT))
			return true;
	return false;
}

/* A name of systemd's, which no path is: it has colons and no slash. */
static bool is_scope_name(const char *cgroups_path)
{
	return cgroups_path != NULL && strchr(cgroups_path, '/') == NULL && strchr(cgroups_path, ':') != NULL;
}

/* May controllers be handed down to what we make below @own? */
static bool can_hand_down(const char *hierarchy, const char *own)
{
	size_t length = strlen(own);
	char   text[2];

	if (!is_writable(hierarchy, own, length, "cgroup.subtree_control") || !is_writable(hierarchy, own, length, "cgroup.procs"))
		return false;
	fd_owned dir = cgroup_open_path(own);
	if (dir < 0)
		return false;
	return io_read_small(dir, "cgroup.procs", text, sizeof(text)) == 0 || cgroup_unit_is_ours_alone(dir, own);
}

/* Limits of a user's that moss can't have set in its own cgroup, and systemd can. */
static bool wants_systemd(const struct spec *spec, const char *hierarchy, const char *own)
{
	struct error ignored;

	return !caller_get()->root && spec->cgroups_path == NULL && has_limits(spec) && !can_hand_down(hierarchy, own) &&
	       scope_has_user_bus() && scope_check(&ignored) == 0;
}

static int place_scope(struct spec *spec, const char *id, bool asked, struct cgroup_place *place, struct error *err)
{
	place->scope_is_asked = asked;
	return scope_read_name(spec, id, &place->scope, err) < 0 || scope_check(err) < 0 ? -err->code : 0;
}

/* By a path that is given, or one by the container's id. @own: what it is to be below; NULL: /moss. */
static int place_path(struct spec *spec, const char *id, const char *own, struct cgroup_place *place, struct error *err)
{
	struct arena *arena = &spec->arena;
	const char   *cgroups_path = spec->cgroups_path;

	if (cgroups_path != NULL && cgroups_path[0] == '/')
		place->path = arena_text(arena, cgroups_path);
	else if (cgroups_path != NULL)
		place->path = arena_format(arena, "%s/%s", own != NULL ? own : "/moss", cgroups_path);
	else if (own == NULL)
		place->path = arena_format(arena, "/moss/%s", id);
	else
		place->path = arena_format(arena, "%s/moss-%s", own, id);
	return place->path == NULL ? error_set(err, ENOMEM, "cgroup") : 0;
}

int cgroup_place(struct spec *spec, const char *id, enum cgroup_manager manager, struct cgroup_place *ret_place, struct error *err)
{
	const char *hierarchy, *cgroups_path = spec->cgroups_path;
	char own[PATH_MAX];

	*ret_place = (struct cgroup_place){ .path = NULL };
	if (manager == CGROUP_MANAGER_DISABLED)
		return 0;
	if (cgroups_path != NULL && has_dots(cgroups_path))
		return error_at(err, 0, "linux: cgroupsPath", "\"%s\" contains . or ..", cgroups_path);
	if (is_scope_name(cgroups_path) && manager == CGROUP_MANAGER_FS) {
		error_at(err, 0, "linux: cgroupsPath", "\"%s\" is a name for systemd, and --cgroup-manager is cgroupfs", cgroups_path);
		return error_hint(err, "use a path, or --systemd-cgroup");
	}
	if (is_scope_name(cgroups_path) || manager == CGROUP_MANAGER_SYSTEMD)
		return place_scope(spec, id, true, ret_place, err);
	int ret = cgroup_find_own(&hierarchy, own, sizeof(own));
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return error_at(err, -ret, "/sys/fs/cgroup", "find out moss's own cgroup");
	if (!caller_get()->root && has_limits(spec))
		leave_leaf(hierarchy, own);
	if (manager == CGROUP_MANAGER_ANY && wants_systemd(spec, hierarchy, own))
		return place_scope(spec, id, false, ret_place, err);
	bool ours = !caller_get()->root || cgroup_unit_find(hierarchy, own);
	return place_path(spec, id, ours ? own : NULL, ret_place, err);
}
