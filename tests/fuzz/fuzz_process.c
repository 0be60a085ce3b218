/* fuzz_process.c - any document for `exec --process` is read or refused, and read as it is written.
 * Side: any.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>

#include "base/str.h"
#include "process_promises.h"

/* The member as json-c alone has it; NULL when it is absent or null. */
static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

static void same_texts(struct json_object *array, const struct spec_texts *texts)
{
	promise(texts->count == (array != NULL ? json_object_array_length(array) : 0));
	for (size_t i = 0; i < texts->count; i++)
		promise(strcmp(texts->texts[i], json_object_get_string(json_object_array_get_idx(array, i))) == 0);
}

static void same_number(struct json_object *object, const char *name, uint64_t number)
{
	struct json_object *value = object != NULL ? member(object, name) : NULL;

	promise(number == (value != NULL ? json_object_get_uint64(value) : 0));
}

static void same_rlimits(struct json_object *array, const struct spec_process *process)
{
	promise(process->rlimits_count == (array != NULL ? json_object_array_length(array) : 0));
	for (size_t i = 0; i < process->rlimits_count; i++) {
		struct json_object *one = json_object_array_get_idx(array, i);

		promise(strcmp(process->rlimits[i].name, json_object_get_string(member(one, "type"))) == 0);
		same_number(one, "soft", process->rlimits[i].limit.rlim_cur);
		same_number(one, "hard", process->rlimits[i].limit.rlim_max);
	}
}

/* Is it what the parser alone, which takes more than moss does, finds in the same text? */
static void same_as_parsed(const uint8_t *bytes, size_t size, const struct spec_process *process)
{
	struct json_tokener *tokener = json_tokener_new_ex(SPEC_DEPTH_MAX + 2);
	struct json_object  *json = json_tokener_parse_ex(tokener, (const char *)bytes, (int)size);
	struct json_object  *user, *gids;

	promise(json_object_is_type(json, json_type_object));
	promise(strcmp(process->cwd, json_object_get_string(member(json, "cwd"))) == 0);
	same_texts(member(json, "args"), &process->args);
	same_texts(member(json, "env"), &process->env);
	same_rlimits(member(json, "rlimits"), process);
	user = member(json, "user");
	same_number(user, "uid", process->user.uid);
	same_number(user, "gid", process->user.gid);
	gids = user != NULL ? member(user, "additionalGids") : NULL;
	promise(process->user.additional_gids_count == (gids != NULL ? json_object_array_length(gids) : 0));
	for (size_t i = 0; i < process->user.additional_gids_count; i++)
		promise(process->user.additional_gids[i] ==
			json_object_get_uint64(json_object_array_get_idx(gids, i)));
	same_number(member(json, "scheduler"), "runtime", process->scheduler.runtime_ns);
	same_number(member(json, "scheduler"), "deadline", process->scheduler.deadline_ns);
	same_number(member(json, "scheduler"), "period", process->scheduler.period_ns);
	promise(process->terminal == json_object_get_boolean(member(json, "terminal")));
	promise(process->no_new_privileges == json_object_get_boolean(member(json, "noNewPrivileges")));
	promise(process->capabilities.given == (member(json, "capabilities") != NULL));
	json_object_put(json);
	json_tokener_free(tokener);
}

static void same_lists(const struct spec_texts *a, const struct spec_texts *b)
{
	promise(a->count == b->count);
	for (size_t i = 0; i < a->count; i++)
		promise(strcmp(a->texts[i], b->texts[i]) == 0);
}

static void same_numbers(const struct spec_numbers *a, const struct spec_numbers *b)
{
	promise(a->bits == b->bits && (a->words == NULL) == (b->words == NULL));
	promise(a->words == NULL || memcmp(a->words, b->words, a->bits / 8) == 0);
}

static void same_scheduling(const struct spec_process *a, const struct spec_process *b)
{
	const struct spec_scheduler *one = &a->scheduler, *other = &b->scheduler;

	promise(one->given == other->given && one->policy == other->policy && one->nice == other->nice &&
		one->priority == other->priority && one->flags == other->flags && one->runtime_ns == other->runtime_ns &&
		one->deadline_ns == other->deadline_ns && one->period_ns == other->period_ns);
	promise(a->io_priority.given == b->io_priority.given && a->io_priority.class == b->io_priority.class &&
		a->io_priority.level == b->io_priority.level);
	same_numbers(&a->exec_cpus_initial, &b->exec_cpus_initial);
	same_numbers(&a->exec_cpus_final, &b->exec_cpus_final);
}

static void same_processes(const struct spec_process *a, const struct spec_process *b)
{
	promise(strcmp(a->cwd, b->cwd) == 0 && a->terminal == b->terminal);
	promise(a->console_size_given == b->console_size_given && a->console_height == b->console_height &&
		a->console_width == b->console_width);
	promise(a->user.uid == b->user.uid && a->user.gid == b->user.gid && a->user.umask == b->user.umask);
	promise(a->user.additional_gids_count == b->user.additional_gids_count);
	promise(a->rlimits_count == b->rlimits_count);
	promise(a->no_new_privileges == b->no_new_privileges);
	promise(a->oom_score_adj_given == b->oom_score_adj_given && a->oom_score_adj == b->oom_score_adj);
	promise(a->capabilities.given == b->capabilities.given &&
		a->capabilities.bounding == b->capabilities.bounding &&
		a->capabilities.effective == b->capabilities.effective &&
		a->capabilities.inheritable == b->capabilities.inheritable &&
		a->capabilities.permitted == b->capabilities.permitted &&
		a->capabilities.ambient == b->capabilities.ambient);
	same_scheduling(a, b);
	same_lists(&a->args, &b->args);
	same_lists(&a->env, &b->env);
}

/* In a config.json the same text means the same, and is refused for the same reason. */
static void same_in_config(const uint8_t *bytes, size_t size, const struct spec *alone, const struct error *why)
{
	str_owned text = { 0 };
	spec_owned spec;
	struct error err;

	str_add(&text, "{\"ociVersion\":\"1.0.0\",\"process\":");
	str_add_bytes(&text, (const char *)bytes, size);
	str_add(&text, "}");
	promise(!text.failed);
	int ret = spec_read(text.text, text.size, &spec, &err);
	if (ret < 0 && strcmp(err.cause, "nested too deeply") == 0)
		return; /* it is one level deeper here */
	promise(ret == -why->code);
	if (ret < 0) {
		promise(strcmp(err.object, why->object) == 0 && strcmp(err.cause, why->cause) == 0 &&
			strcmp(err.hint, why->hint) == 0);
		return;
	}
	same_processes(&alone->process, &spec.process);
	same_lists(&alone->warnings, &spec.warnings);
	promise(alone->unsupported_count == spec.unsupported_count);
	for (size_t i = 0; i < spec.unsupported_count; i++)
		promise(strcmp(alone->unsupported[i].path, spec.unsupported[i].path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct error err;
	spec_owned spec;
	int ret = spec_read_process((const char *)bytes, size, &spec, &err);

	promises_of_error(ret, &err);
	/* Only what is one JSON object fits into another one. */
	if (ret == 0 || strncmp(err.object, "process", strlen("process")) == 0)
		same_in_config(bytes, size, &spec, &err);
	if (ret < 0)
		return 0;
	promise(spec.process.given && spec.oci_version == NULL && !spec.root_given);
	promises_of_process(&spec.process);
	same_as_parsed(bytes, size, &spec.process);
	ret = spec_check_process(&spec, &err);
	promises_of_error(ret, &err);
	if (ret == 0)
		promises_of_checked_process(&spec.process);
	return 0;
}
