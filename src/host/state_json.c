/* state_json.c - state.json, read and written. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "host/state.h"
#include "spec/json_read.h"

#define STATE_CONFIG "config.json"

static int explain_write(struct error *err)
{
	bool full = err->code == ENOSPC || err->code == EDQUOT;

	return full ? error_hint(err, "is the file system of the state directory full? --root chooses another one") : -err->code;
}

static void json_release(struct json_object **json)
{
	json_object_put(*json);
}
#define json_owned __attribute__((cleanup(json_release))) struct json_object

/* The member as a text of the arena; NULL when it is missing or no text. */
static const char *text_of(struct json_object *json, const char *name, struct state *state)
{
	struct json_object *value;

	if (!json_object_object_get_ex(json, name, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	return arena_text(&state->arena, json_object_get_string(value));
}

static int64_t number_of(struct json_object *json, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(json, name, &value) || !json_object_is_type(value, json_type_int))
		return -1;
	return json_object_get_int64(value);
}

static bool flag_of(struct json_object *json, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(json, name, &value) && json_object_get_boolean(value);
}

static void read_annotations(struct json_object *json, struct state *state)
{
	struct json_object *object;

	if (!json_object_object_get_ex(json, "annotations", &object) || !json_object_is_type(object, json_type_object))
		return;
	state->annotations = arena_alloc(&state->arena, (size_t)json_object_object_length(object) + 1,
					 sizeof(*state->annotations));
	if (state->annotations == NULL)
		return;
	json_object_object_foreach(object, name, value) {
		const char *text = json_object_get_string(value);
		struct spec_annotation *one = &state->annotations[state->annotations_count];

		one->name = arena_text(&state->arena, name);
		one->value = arena_text(&state->arena, text ? text : "");
		if (one->name != NULL && one->value != NULL)
			state->annotations_count++;
	}
}

static void read_resources(struct json_object *json, struct state *state)
{
	struct json_object *object;

	if (json_object_object_get_ex(json, "resources", &object) && json_object_is_type(object, json_type_object))
		state->resources = arena_text(&state->arena, json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
											    JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void read_notes(struct json_object *json, struct state *state)
{
	struct json_object *array;

	if (!json_object_object_get_ex(json, "notes", &array) || !json_object_is_type(array, json_type_array))
		return;
	size_t count = json_object_array_length(array);
	for (size_t i = 0; i < count; i++) {
		struct json_object *note = json_object_array_get_idx(array, i);

		if (!json_object_is_type(note, json_type_string))
			continue;
		const char **notes = arena_grow(&state->arena, state->notes, state->notes_count, sizeof(*notes));
		if (notes == NULL)
			return;
		state->notes = notes;
		notes[state->notes_count] = arena_text(&state->arena, json_object_get_string(note));
		if (notes[state->notes_count] == NULL)
			return;
		state->notes_count++;
	}
}

static void read_rdt(struct json_object *json, struct state *state)
{
	struct json_object *object;

	if (!json_object_object_get_ex(json, "intel_rdt", &object) || !json_object_is_type(object, json_type_object))
		return;
	const char *group = text_of(object, "group", state);
	/* It becomes part of a path. */
	if (group == NULL || (strcmp(group, "/") != 0 && !spec_rdt_group_is_valid(group)))
		return;
	state->rdt.group = group;
	state->rdt.made = flag_of(object, "made") && strcmp(group, "/") != 0;
	state->rdt.monitor_made = flag_of(object, "monitor_made");
}

static void write_rdt(const struct state_rdt *rdt, struct json_object *json)
{
	struct json_object *object;

	if (rdt->group == NULL)
		return;
	object = json_object_new_object();
	json_object_object_add(object, "group", json_object_new_string(rdt->group));
	json_object_object_add(object, "made", json_object_new_boolean(rdt->made));
	json_object_object_add(object, "monitor_made", json_object_new_boolean(rdt->monitor_made));
	json_object_object_add(json, "intel_rdt", object);
}

static void read_network(struct json_object *json, struct state *state)
{
	struct json_object *object;

	if (!json_object_object_get_ex(json, "network", &object) || !json_object_is_type(object, json_type_object))
		return;
	int64_t pid = number_of(object, "pid"), inode = number_of(object, "pidfd_inode");
	state->network.pid = pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
	state->network.birth.pidfd_inode = inode > 0 ? (uint64_t)inode : 0;
	state->network.birth.start_time = (uint64_t)number_of(object, "pid_start_time");
}

static void add_birth(struct json_object *json, const struct proc_birth *birth)
{
	if (birth->pidfd_inode != 0)
		json_object_object_add(json, "pidfd_inode", json_object_new_int64((int64_t)birth->pidfd_inode));
	else
		json_object_object_add(json, "pid_start_time", json_object_new_int64((int64_t)birth->start_time));
}

static void write_network(const struct state_network *network, struct json_object *json)
{
	struct json_object *object;

	if (network->pid <= 0)
		return;
	object = json_object_new_object();
	json_object_object_add(object, "pid", json_object_new_int64(network->pid));
	add_birth(object, &network->birth);
	json_object_object_add(json, "network", object);
}

static int read_members(struct json_object *json, struct state *state, struct error *err)
{
	int64_t version = number_of(json, "version"), pid = number_of(json, "pid"), inode = number_of(json, "pidfd_inode");
	const char *boot_id = text_of(json, "boot_id", state);

	state->id = text_of(json, "id", state);
	state->oci_version = text_of(json, "oci_version", state);
	state->bundle = text_of(json, "bundle", state);
	state->rootfs = text_of(json, "rootfs", state);
	state->created = text_of(json, "created", state);
	state->cgroup = text_of(json, "cgroup", state);
	state->creating = flag_of(json, "creating");
	state->own_pid_namespace = flag_of(json, "own_pid_namespace");
	state->chroot = flag_of(json, "chroot");
	state->no_process = flag_of(json, "no_process");
	state->stopped_by_signal = flag_of(json, "stopped_by_signal");
	state->start_container = flag_of(json, "start_container");
	state->poststart = flag_of(json, "poststart");
	state->poststop = flag_of(json, "poststop");
	state->personality = number_of(json, "personality");
	state->memory_policy = flag_of(json, "memory_policy");
	state->new_keyring = flag_of(json, "new_keyring");
	state->seccomp = flag_of(json, "seccomp");
	state->seccomp_listens = flag_of(json, "seccomp_listens");
	state->no_mknod = flag_of(json, "no_mknod");
	state->pid = pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
	state->birth.pidfd_inode = inode > 0 ? (uint64_t)inode : 0;
	state->birth.start_time = (uint64_t)number_of(json, "pid_start_time");
	if (boot_id != NULL && strlen(boot_id) < sizeof(state->boot_id))
		strcpy(state->boot_id, boot_id);
	if (state->cgroup != NULL && state->cgroup[0] != '/')
		state->cgroup = NULL;
	state->cgroup_id = (uint64_t)number_of(json, "cgroup_id");
	state->systemd_unit = text_of(json, "systemd_unit", state);
	if (state->systemd_unit != NULL && strchr(state->systemd_unit, '/') != NULL) /* it becomes part of a path */
		state->systemd_unit = NULL;
	read_rdt(json, state);
	read_network(json, state);
	read_resources(json, state);
	read_annotations(json, state);
	read_notes(json, state);
	if (version > STATE_VERSION) {
		error_set(err, 0, "format version %lld is newer than %d, the one that this moss knows",
			  (long long)version, STATE_VERSION);
		return error_hint(err, "use the newer moss, or delete --force");
	}
	if (state->id != NULL && state_check_id(state->id, err) < 0)
		return error_set(err, 0, "damaged: \"%.100s\" is not the id of a container", state->id);
	if (version < 1 || state->id == NULL || state->oci_version == NULL || state->bundle == NULL ||
	    state->rootfs == NULL || state->created == NULL || state->boot_id[0] == '\0')
		return error_set(err, 0, "damaged: a member is missing or of the wrong type");
	return 0;
}

/* May there be more objects and arrays than we read? Brackets inside strings are counted as well: where the
 * strings of a damaged text end, nobody knows. */
static bool has_too_many(const char *bytes, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += bytes[i] == '{' || bytes[i] == '[';
	return count > STATE_COUNT_MAX;
}

/* Of a text that moss would not write: what the more lenient json-c makes of it. */
static void read_damaged(const char *bytes, size_t size, struct state *state)
{
	if (size > STATE_BYTES_MAX || has_too_many(bytes, size))
		return;
	struct error ignored;
	struct json_tokener *tokener = json_tokener_new_ex(STATE_DEPTH_MAX + 2);
	json_owned *json = tokener != NULL ? json_tokener_parse_ex(tokener, bytes, (int)size) : NULL;

	if (tokener != NULL)
		json_tokener_free(tokener);
	if (json_object_is_type(json, json_type_object))
		(void)read_members(json, state, &ignored);
}

int state_parse(const char *bytes, size_t size, struct state *ret_state, struct error *err)
{
	static const struct json_limits limits = { STATE_DEPTH_MAX, STATE_COUNT_MAX };
	json_owned *json = NULL;

	*ret_state = (struct state){ 0 };
	int ret = json_parse(bytes, size, &limits, &json, err);
	if (ret == 0)
		ret = read_members(json, ret_state, err);
	else if (ret == -EINVAL)
		read_damaged(bytes, size, ret_state);
	if (ret == -EINVAL)
		error_hint(err, "delete --force removes the container");
	return ret < 0 ? error_object(err, "state.json") : 0;
}

int state_read(int dir_fd, struct state *ret_state, struct error *err)
{
	mem_owned char *bytes = NULL;

	*ret_state = (struct state){ 0 };
	ssize_t size = io_read_file(dir_fd, "state.json", STATE_BYTES_MAX, &bytes, err);
	if (size < 0) {
		/* What no moss writes is damage; not being able to read is no reason to forget. */
		if (err->code == E2BIG || err->code == EISDIR || err->code == ELOOP) {
			err->code = EINVAL;
			error_hint(err, "delete --force removes the container");
		}
		if (err->code == ENOENT)
			error_hint(err, "the container is half made or half deleted; delete --force removes it");
		return -err->code;
	}
	return state_parse(bytes, (size_t)size, ret_state, err);
}

static void add(struct json_object *json, const char *name, const char *text)
{
	if (text != NULL)
		json_object_object_add(json, name, json_object_new_string(text));
}

char *state_text(const struct state *state)
{
	json_owned *json = json_object_new_object();
	struct json_object *annotations = json_object_new_object(), *notes = json_object_new_array();

	json_object_object_add(json, "version", json_object_new_int(STATE_VERSION));
	add(json, "id", state->id);
	add(json, "oci_version", state->oci_version);
	add(json, "bundle", state->bundle);
	add(json, "rootfs", state->rootfs);
	add(json, "created", state->created);
	json_object_object_add(json, "creating", json_object_new_boolean(state->creating));
	json_object_object_add(json, "pid", json_object_new_int64(state->pid));
	add_birth(json, &state->birth);
	add(json, "boot_id", state->boot_id);
	json_object_object_add(json, "own_pid_namespace", json_object_new_boolean(state->own_pid_namespace));
	json_object_object_add(json, "new_keyring", json_object_new_boolean(state->new_keyring));
	if (state->chroot)
		json_object_object_add(json, "chroot", json_object_new_boolean(true));
	if (state->seccomp)
		json_object_object_add(json, "seccomp", json_object_new_boolean(true));
	if (state->seccomp_listens)
		json_object_object_add(json, "seccomp_listens", json_object_new_boolean(true));
	if (state->no_mknod)
		json_object_object_add(json, "no_mknod", json_object_new_boolean(true));
	if (state->no_process)
		json_object_object_add(json, "no_process", json_object_new_boolean(true));
	if (state->stopped_by_signal)
		json_object_object_add(json, "stopped_by_signal", json_object_new_boolean(true));
	if (state->memory_policy)
		json_object_object_add(json, "memory_policy", json_object_new_boolean(true));
	if (state->start_container)
		json_object_object_add(json, "start_container", json_object_new_boolean(true));
	if (state->poststart)
		json_object_object_add(json, "poststart", json_object_new_boolean(true));
	if (state->poststop)
		json_object_object_add(json, "poststop", json_object_new_boolean(true));
	if (state->personality >= 0)
		json_object_object_add(json, "personality", json_object_new_int64(state->personality));
	add(json, "cgroup", state->cgroup);
	if (state->cgroup_id != 0)
		json_object_object_add(json, "cgroup_id", json_object_new_int64((int64_t)state->cgroup_id));
	add(json, "systemd_unit", state->systemd_unit);
	write_rdt(&state->rdt, json);
	write_network(&state->network, json);
	if (state->resources != NULL)
		json_object_object_add(json, "resources", json_tokener_parse(state->resources));
	for (size_t i = 0; i < state->annotations_count; i++)
		add(annotations, state->annotations[i].name, state->annotations[i].value);
	json_object_object_add(json, "annotations", annotations);
	for (size_t i = 0; i < state->notes_count; i++)
		json_object_array_add(notes, json_object_new_string(state->notes[i]));
	json_object_object_add(json, "notes", notes);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	return text != NULL ? strdup(text) : NULL;
}

int state_prepare(int dir_fd, const struct state *state, struct error *err)
{
	mem_owned char *text = state_text(state);

	if (text == NULL)
		return error_set(err, ENOMEM, "write state.json");
	if (strlen(text) > STATE_BYTES_MAX) {
		error_at(err, 0, "state.json", "it would have more than %d bytes", STATE_BYTES_MAX);
		return error_hint(err, "the annotations of config.json and the notes about what is adapted are in it: make them shorter or fewer");
	}
	if (io_replace_prepare(dir_fd, "state.json", text, strlen(text), 0600, err) < 0)
		return explain_write(err);
	return 0;
}

int state_commit(int dir_fd, struct error *err)
{
	return io_replace_commit(dir_fd, "state.json", err);
}

void state_forget(int dir_fd)
{
	io_replace_forget(dir_fd, "state.json");
}

int state_write(int dir_fd, const struct state *state, struct error *err)
{
	int ret = state_prepare(dir_fd, state, err);

	return ret < 0 ? ret : state_commit(dir_fd, err);
}

int state_keep_config(int dir_fd, const char *bytes, size_t size, struct error *err)
{
	/* Not seen by anybody before state.json is put in its place, so it may be written as it is. */
	fd_owned fd = openat(dir_fd, STATE_CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int ret = fd < 0 ? -errno : io_write_all(fd, bytes, size);

	if (ret == 0)
		return 0;
	error_at(err, -ret, STATE_CONFIG, "write the container's copy");
	return explain_write(err);
}

ssize_t state_read_config(int dir_fd, char **ret_bytes, struct error *err)
{
	ssize_t size = io_read_file(dir_fd, STATE_CONFIG, SPEC_BYTES_MAX, ret_bytes, err);

	return size < 0 ? error_hint(err, "the container's copy of config.json can't be read: give --process FILE") : size;
}
