/* update.c - `update`: other limits for a container that runs. Side: host.
 *
 * What is asked for is laid over what the container has: linux.resources of its config.json, or what an
 * earlier update left in state.json. The sum is read as config.json is, by the same code.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/commands.h"
#include "host/cgroup_devices.h"
#include "host/cgroup_limits.h"
#include "host/caller.h"
#include "host/destroy.h"
#include "host/rdt_update.h"
#include "host/scope.h"
#include "host/state.h"
#include "spec/json_read.h"
#include "spec/resources_merge.h"

#define UPDATE_BYTES_MAX (256 * 1024) /* of what is given; it has to fit into state.json */

static void json_release(struct json_object **json)
{
	json_object_put(*json);
}
#define json_owned __attribute__((cleanup(json_release))) struct json_object

struct update { /* of one container, locked */
	struct command_container container;
	int cgroup;
};

static void close_update(struct update *update)
{
	fd_close(&update->cgroup);
	command_container_close(&update->container);
}

static int open_update(struct update *update, const struct global_options *global, const char *id, struct error *err)
{
	struct command_container *container = &update->container;

	if (command_container_open(global, id, true, container, err) < 0)
		return -err->code;
	if (container->pidfd < 0)
		return error_at(err, 0, id, "cannot update a %s container: container not running",
				state_status_name((enum state_status)container->status));
	update->cgroup = state_open_cgroup(update->container.dir_fd, &update->container.state);
	if (update->cgroup < 0 && update->cgroup != -ENOENT)
		return error_at(err, -update->cgroup, update->container.state.cgroup, "open the cgroup");
	return 0;
}

/* All of stdin. Not by /proc/self/fd/0, which may not be opened anew where it is a socket or somebody else's. */
static ssize_t read_stdin(char **ret_bytes, struct error *err)
{
	str_owned text = { 0 };
	char      part[4096];
	ssize_t   count;

	while ((count = read(STDIN_FILENO, part, sizeof(part))) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_set(err, errno, "read stdin");
		str_add_bytes(&text, part, (size_t)count);
		if (text.failed)
			return error_set(err, ENOMEM, "read stdin");
		if (text.size > UPDATE_BYTES_MAX)
			return error_set(err, 0, "stdin has more than %d bytes", UPDATE_BYTES_MAX);
	}
	*ret_bytes = text.text;
	ssize_t size = (ssize_t)text.size;
	text = (struct str){ 0 };
	return size;
}

/* --resources: a file, or - for stdin. */
static int read_patch(const char *path, struct json_object **ret_patch, struct error *err)
{
	static const struct json_limits limits = { STATE_DEPTH_MAX - 2, STATE_COUNT_MAX / 4 };
	mem_owned char *bytes = NULL;
	ssize_t size = strcmp(path, "-") == 0 ? read_stdin(&bytes, err) : io_read_file(AT_FDCWD, path, UPDATE_BYTES_MAX, &bytes, err);

	if (size < 0)
		return error_step(err, "--resources");
	return json_parse(bytes != NULL ? bytes : "", (size_t)size, &limits, ret_patch, err) < 0 ? error_step(err, "--resources") : 0;
}

/* What the container has now, as JSON; {} when its config.json says nothing. */
static int read_base(const struct update *update, struct json_object **ret_base, struct error *err)
{
	static const struct json_limits limits = { SPEC_DEPTH_MAX, SPEC_COUNT_MAX };
	struct json_object *linux_part = NULL, *resources = NULL;
	json_owned     *config = NULL;
	mem_owned char *bytes = NULL;

	if (update->container.state.resources != NULL)
		return json_parse(update->container.state.resources, strlen(update->container.state.resources), &limits, ret_base, err);
	ssize_t size = state_read_config(update->container.dir_fd, &bytes, err);
	if (size < 0 || json_parse(bytes, (size_t)size, &limits, &config, err) < 0)
		return -err->code;
	if (json_object_object_get_ex(config, "linux", &linux_part) &&
	    json_object_object_get_ex(linux_part, "resources", &resources) && json_object_is_type(resources, json_type_object))
		*ret_base = json_object_get(resources);
	else
		*ret_base = json_object_new_object();
	return *ret_base == NULL ? error_set(err, ENOMEM, "update") : 0;
}

/* The limits that @json says, in *@ret_spec, and its text in the spec's arena. */
static int convert(struct json_object *json, struct spec *ret_spec, const char **ret_text, struct error *err)
{
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	*ret_spec = (struct spec){ .oci_version = NULL };
	if (text == NULL)
		return error_set(err, ENOMEM, "update");
	if (spec_read_resources(text, strlen(text), ret_spec, err) < 0)
		return -err->code;
	*ret_text = arena_text(&ret_spec->arena, text);
	return *ret_text == NULL ? error_set(err, ENOMEM, "update") : 0;
}

static bool is_in(const struct spec_limit *limit, const struct spec *spec)
{
	for (size_t i = 0; i < spec->limits_count; i++) {
		const struct spec_limit *other = &spec->limits[i];

		if (strcmp(limit->path, other->path) == 0 && strcmp(limit->file, other->file) == 0 &&
		    strcmp(limit->value, other->value) == 0)
			return true;
	}
	return false;
}

/* Those of @merged to be written: what is asked for, and what that changed. What the container has had and was
 * not asked for stays as it is, also where --degrade=warn let it start without. */
static struct spec_limit *select_limits(struct spec *merged, const struct spec *base, struct json_object *patch, size_t *ret_count)
{
	struct spec_limit *limits = arena_alloc(&merged->arena, merged->limits_count + 1, sizeof(*limits));

	*ret_count = 0;
	for (size_t i = 0; limits != NULL && i < merged->limits_count; i++) {
		const struct spec_limit *limit = &merged->limits[i];

		if (resources_name(patch, limit->path) || !is_in(limit, base))
			limits[(*ret_count)++] = *limit;
	}
	return limits;
}

static int note_missed(struct update *update, const struct error *why, struct error *err)
{
	struct state *state = &update->container.state;
	const char  **notes = arena_grow(&state->arena, state->notes, state->notes_count, sizeof(*notes));
	const char   *text = arena_format(&state->arena, "%s: not enforced (--degrade=warn): %s", why->object, why->cause);

	if (notes == NULL || text == NULL)
		return error_set(err, ENOMEM, "update");
	log_line(LOG_LEVEL_WARNING, "%s", text);
	state->notes = notes;
	for (size_t i = 0; i < state->notes_count; i++)
		if (strcmp(notes[i], text) == 0)
			return 0; /* of an earlier update: state.json must not grow with each */
	notes[state->notes_count++] = text;
	return 0;
}

/* With --degrade=warn those that can't be had are left out and noted. */
static int drop_missed(struct update *update, const struct cgroup_target *target, struct spec_limit *limits, size_t *count,
		       struct error *err)
{
	size_t kept = 0;

	cgroup_limits_enable(target, limits, *count);
	for (size_t i = 0; i < *count; i++) {
		struct error why = { 0 };

		if (cgroup_limit_check(target, &limits[i], &why) >= 0)
			limits[kept++] = limits[i];
		else if (note_missed(update, &why, err) < 0)
			return -err->code;
	}
	*count = kept;
	return 0;
}

static bool same_devices(const struct spec *a, const struct spec *b)
{
	if (a->device_rules_count != b->device_rules_count)
		return false;
	for (size_t i = 0; i < a->device_rules_count; i++) {
		const struct spec_device_rule *x = &a->device_rules[i], *y = &b->device_rules[i];

		if (x->allow != y->allow || x->type != y->type || x->major != y->major || x->minor != y->minor || x->access != y->access)
			return false;
	}
	return true;
}

struct change { /* all of it, or nothing */
	struct cgroup_target target;
	const char *unit; /* the scope that systemd made for the container; NULL: none, or not ours to change */
	const struct spec *from, *to;
	const struct spec_limit *limits; /* those of @to that are to be written */
	size_t count;
	bool   devices; /* its list takes the place of the one of @from */
	bool   rdt;     /* and so does the schemata */
	struct rdt_update rdt_update;
	struct cgroup_replaced replaced;
};

static void change_close(struct change *change)
{
	cgroup_replaced_free(&change->replaced);
	rdt_update_close(&change->rdt_update);
}

/* One that is named is written, whatever the record says: an update may have been killed in between. A user can have no program. */
static bool devices_change(const struct change *change, struct json_object *patch)
{
	return !same_devices(change->from, change->to) ||
	       (change->target.fd >= 0 && caller_get()->root && resources_name(patch, "linux: resources: devices"));
}

static int set_devices(const struct cgroup_target *target, const struct spec *spec, struct error *err)
{
	if (target->fd < 0)
		return error_at(err, 0, "linux: resources: devices", "the container has no cgroup of its own");
	if (cgroup_devices_replace(target->fd, spec, err) < 0)
		return error_hint(err, "this needs eBPF on a cgroup of the container's own (root); leave the devices out");
	return 0;
}

static void take_back_devices(const struct change *change)
{
	struct error ignored = { 0 };

	if (change->devices)
		(void)!set_devices(&change->target, change->from, &ignored);
}

/* What a property had no limit for before is what its file says; and then what the record says, in its own words. */
static void take_back_properties(const struct change *change)
{
	const struct spec *from = change->from;
	struct spec_limit *limits = calloc(change->count + from->limits_count + 1, sizeof(*limits));
	struct error ignored = { 0 };
	size_t count = 0;

	for (size_t i = 0; limits != NULL && i < change->replaced.count; i++) {
		char *old = change->replaced.old[i];

		if (old == NULL)
			continue;
		old[strcspn(old, "\n")] = '\0';
		limits[count] = change->limits[i];
		limits[count].value = limits[count].instead_value = old;
		count++;
	}
	for (size_t i = 0; limits != NULL && i < from->limits_count; i++)
		limits[count++] = from->limits[i];
	(void)!scope_set_limits(change->unit, limits, count, &ignored);
	free(limits);
}

/* The limits hold in the files; the scope's properties are to say the same. */
static int set_properties(const struct change *change, struct error *err)
{
	if (change->unit == NULL || change->count == 0)
		return 0;
	return scope_set_limits(change->unit, change->limits, change->count, err);
}

/* Another user's record names no unit that root would change. */
static int find_unit(const struct update *update, const char **ret_unit, struct error *err)
{
	const struct state *state = &update->container.state;
	struct stat st;

	if (state->systemd_unit != NULL && fstat(update->container.dir_fd, &st) < 0)
		return error_at(err, errno, state->id, "stat the container's state directory");
	*ret_unit = state->systemd_unit != NULL && st.st_uid == geteuid() ? state->systemd_unit : NULL;
	return 0;
}

static void change_undo(const struct change *change)
{
	if (change->rdt)
		rdt_update_undo(&change->rdt_update);
	cgroup_limits_put_back(&change->target, &change->replaced);
	take_back_devices(change);
	if (change->unit != NULL && change->count > 0)
		take_back_properties(change);
}

static int change_apply(struct change *change, const struct update *update, struct error *err)
{
	if (change->devices && set_devices(&change->target, change->to, err) < 0)
		return -err->code;
	int ret = cgroup_limits_replace(&change->target, change->limits, change->count, &change->replaced, err);
	if (ret == 0 && change->rdt) {
		ret = rdt_update_apply(&change->rdt_update, &update->container.state, update->container.dir_fd, err);
		if (ret < 0)
			cgroup_limits_put_back(&change->target, &change->replaced);
	}
	if (ret < 0) {
		take_back_devices(change);
	} else {
		ret = set_properties(change, err);
		if (ret < 0)
			change_undo(change); /* an answer that did not come does not say that nothing was done */
	}
	return ret < 0 ? error_step(err, "set limits") : 0;
}

/* @resources: the record of what holds then. */
static int apply(struct update *update, struct change *change, const char *resources, struct error *err)
{
	struct command_container *container = &update->container;
	struct state *state = &container->state;
	const char   *before = state->resources;
	bool new_class = change->rdt && change->rdt_update.before == NULL;

	/* A class is in the record before it is made, or nobody would remove it. */
	if (new_class && state_write(container->dir_fd, state, err) < 0)
		return -err->code;
	state->resources = resources;
	/* Written ahead, so that nothing but a rename can fail once the limits hold. */
	int ret = state_prepare(container->dir_fd, state, err);
	if (ret == 0) {
		ret = change_apply(change, update, err);
		if (ret < 0)
			state_forget(container->dir_fd);
		else if ((ret = state_commit(container->dir_fd, err)) < 0)
			change_undo(change);
	}
	if (ret < 0 && new_class) {
		struct error ignored = { 0 };

		state->resources = before;
		state->rdt = (struct state_rdt){ 0 };
		(void)!state_write(container->dir_fd, state, &ignored);
	}
	return ret;
}

/* What is asked for, laid over what the container has. */
static int merge(struct update *update, struct json_object *patch, struct spec *base, struct spec *merged, const char **ret_text,
		 struct error *err)
{
	static const struct json_limits kept = { STATE_DEPTH_MAX - 2, STATE_COUNT_MAX / 2 }; /* or state.json could not be read */
	json_owned *json = NULL, *read_again = NULL;

	if (read_base(update, &json, err) < 0 || convert(json, base, ret_text, err) < 0)
		return -err->code;
	if (resources_merge(json, patch) < 0)
		return error_set(err, ENOMEM, "update");
	if (convert(json, merged, ret_text, err) < 0)
		return -err->code;
	if (merged->unsupported_count > base->unsupported_count)
		return error_at(err, 0, merged->unsupported[0].path, "only cgroup v1 has this limit: it can't be enforced");
	for (size_t i = base->warnings.count; i < merged->warnings.count; i++)
		log_line(LOG_LEVEL_WARNING, "%s", merged->warnings.texts[i]);
	return json_parse(*ret_text, strlen(*ret_text), &kept, &read_again, err) < 0 ? error_step(err, "record linux.resources") : 0;
}

/* @rdt: what is asked for of resctrl. */
static int update_container(struct update *update, struct json_object *patch, const struct spec *rdt, bool degrade, struct error *err)
{
	struct error reason = { 0 };
	spec_owned   base = { 0 }, merged = { 0 };
	struct state *state = &update->container.state;
	struct change __attribute__((cleanup(change_close))) change = {
		.target = { update->cgroup, state->cgroup, &reason }, .from = &base, .to = &merged, .rdt = rdt->intel_rdt.given,
		.rdt_update.rdt.root_fd = -1,
	};
	const char *text;

	error_set(&reason, 0, "it was made without one, or it is gone");
	if (find_unit(update, &change.unit, err) < 0 || merge(update, patch, &base, &merged, &text, err) < 0)
		return -err->code;
	struct spec_limit *limits = select_limits(&merged, &base, patch, &change.count);
	if (limits == NULL)
		return error_set(err, ENOMEM, "update");
	if (degrade && drop_missed(update, &change.target, limits, &change.count, err) < 0)
		return -err->code;
	change.limits = limits;
	change.devices = devices_change(&change, patch);
	if (change.rdt && rdt_update_plan(&rdt->intel_rdt, state, update->container.dir_fd, &change.rdt_update, err) < 0)
		return -err->code;
	return apply(update, &change, text, err);
}

int update_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct update_options *options = fields;
	struct update update = { .container = { .root.fd = -1, .dir_fd = -1, .pidfd = -1 }, .cgroup = -1 };
	json_owned   *patch = NULL;
	spec_owned    rdt = { 0 };
	int ret = options->resources != NULL ? read_patch(options->resources, &patch, err) : update_patch(options, &patch, err);

	if (ret == 0)
		ret = update_rdt(options, &rdt, err);
	if (ret == 0)
		ret = open_update(&update, global, arguments[0], err);
	if (ret == 0)
		ret = update_container(&update, patch, &rdt, global->degrade != NULL && strcmp(global->degrade, "warn") == 0, err);
	close_update(&update);
	return ret;
}
