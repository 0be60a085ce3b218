/* fuzz_config.c - any config.json at all is read or refused, and spec.h keeps its promises. Side: any. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>

#include "host/seccomp_cache.h"
#include "process_promises.h"

/* What spec_read() says of the text itself: no NUL, no control character in a string, not too deep. */
static void promises_of_text(const uint8_t *bytes, size_t size)
{
	bool in_string = false;
	int  depth = 0;

	for (size_t i = 0; i < size; i++) {
		promise(bytes[i] != '\0' && (!in_string || bytes[i] >= ' '));
		if (bytes[i] == '"')
			in_string = !in_string;
		else if (in_string)
			i += bytes[i] == '\\';
		else if (bytes[i] == '{' || bytes[i] == '[')
			promise(++depth <= SPEC_DEPTH_MAX);
		else if (bytes[i] == '}' || bytes[i] == ']')
			depth--;
	}
	promise(!in_string && depth == 0);
}

static void promises_of_namespaces(const struct spec *spec)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		promise(spec->namespaces[i].path == NULL ||
			(spec->namespaces[i].listed && spec->namespaces[i].path[0] == '/'));
}

static void promises_of_mounts(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		promise(mount->destination[0] == '/' && mount->options.data != NULL);
		promise(!mount->options.bind || strcmp(mount->type, "bind") == 0);
		promise(!mount->options.bind || mount->options.data_count == 0);
		promise(mount->source == NULL || mount->source[0] != '\0');
	}
}

static void promises_of_devices(const struct spec *spec)
{
	for (size_t i = 0; i < spec->devices_count; i++) {
		const struct spec_device *device = &spec->devices[i];

		promise(device->path != NULL && (device->mode & ~07777u) == 0);
		promise(device->type == S_IFCHR || device->type == S_IFBLK || device->type == S_IFIFO);
		promise(device->major < 1u << 12 && device->minor < 1u << 20);
		promise(device->uid != UINT32_MAX && device->gid != UINT32_MAX);
	}
	for (size_t i = 0; i < spec->device_rules_count; i++) {
		const struct spec_device_rule *rule = &spec->device_rules[i];

		promise(rule->type == 'a' || rule->type == 'b' || rule->type == 'c');
		promise(rule->access != 0 && (rule->access & ~7u) == 0);
		promise(rule->major >= -1 && rule->major <= UINT32_MAX);
		promise(rule->minor >= -1 && rule->minor <= UINT32_MAX);
	}
}

static void promises_of_hooks(const struct spec *spec)
{
	for (int kind = 0; kind < SPEC_HOOK_COUNT; kind++)
		for (size_t i = 0; i < spec->hooks[kind].count; i++) {
			const struct hook *hook = &spec->hooks[kind].hooks[i];

			promise(hook->path[0] == '/' && hook->timeout_s <= INT32_MAX);
			promise(hook->args == NULL || hook->args[0] != NULL);
			promise(hook->env == NULL || hook->env[0] != NULL);
		}
}

static void promises_of_rdt(const struct spec_intel_rdt *rdt)
{
	promise(rdt->group == NULL || strcmp(rdt->group, "/") == 0 || spec_rdt_group_is_valid(rdt->group));
	promises_of_texts(&rdt->schemata);
	for (size_t i = 0; i < rdt->schemata.count; i++)
		promise(strchr(rdt->schemata.texts[i], ':') > rdt->schemata.texts[i] && strchr(rdt->schemata.texts[i], '\n') == NULL);
}

static void promises_of_limits(const struct spec *spec)
{
	for (size_t i = 0; i < spec->limits_count; i++) {
		const struct spec_limit *limit = &spec->limits[i];

		promise(limit->path[0] != '\0' && limit->value[0] != '\0' && strchr(limit->value, '\n') == NULL);
		promise(strchr(limit->file, '.') != NULL && strchr(limit->file, '/') == NULL && limit->file[0] != '.');
		promise(strncmp(limit->file, "cgroup.", 7) != 0);
		promise((limit->instead_file == NULL) == (limit->instead_value == NULL));
	}
}

static void promises_of_lists(const struct spec *spec)
{
	promises_of_texts(&spec->masked_paths);
	promises_of_texts(&spec->readonly_paths);
	promises_of_texts(&spec->warnings);
	promises_of_limits(spec);
	for (size_t i = 0; i < spec->annotations_count; i++)
		promise(spec->annotations[i].name[0] != '\0' && spec->annotations[i].value != NULL);
	for (size_t i = 0; i < spec->unsupported_count; i++)
		promise(spec->unsupported[i].path[0] != '\0');
}

static void promises_of_memory_policy(const struct spec_memory_policy *policy, bool checked)
{
	promise(policy->given == (policy->mode_name != NULL));
	promise(policy->mode >= 0 && policy->mode <= 6 && (policy->flags & ~0xe000) == 0);
	promises_of_numbers(&policy->nodes);
	if (!checked)
		return;
	promise((policy->mode != 0 && policy->mode != 4) || policy->nodes.words == NULL); /* MPOL_DEFAULT, MPOL_LOCAL */
	promise((policy->flags & 0xc000) != 0xc000);
}

static bool is_word(const struct spec_seccomp_word *word, uint32_t value)
{
	for (; word->name != NULL; word++)
		if (word->value == value)
			return true;
	return false;
}

static void promises_of_action(uint32_t action)
{
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL, data = action & SECCOMP_RET_DATA;

	promise(is_word(spec_seccomp_actions, kind));
	promise(data == 0 || kind == SECCOMP_RET_ERRNO || kind == SECCOMP_RET_TRACE);
	promise(kind != SECCOMP_RET_ERRNO || data <= SPEC_SECCOMP_ERRNO_MAX);
}

static void promises_of_seccomp(const struct spec_seccomp *seccomp)
{
	uint32_t known = 0;
	bool     notifies = false;
	str_owned key = { 0 };

	promises_of_action(seccomp->default_action);
	promise(seccomp->default_action != SECCOMP_RET_USER_NOTIF);
	for (const struct spec_seccomp_word *flag = spec_seccomp_flags; flag->name != NULL; flag++)
		known |= flag->value;
	promise((seccomp->flags & ~known) == 0);
	promise(seccomp->listener_path == NULL || seccomp->listener_path[0] != '\0');
	for (size_t i = 0; i < seccomp->archs_count; i++)
		promise(is_word(spec_seccomp_archs, seccomp->archs[i]));
	for (size_t i = 0; i < seccomp->rules_count; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->rules[i];

		promises_of_action(rule->action);
		notifies |= rule->action == SECCOMP_RET_USER_NOTIF;
		promise(rule->names_count > 0);
		for (size_t j = 0; j < rule->names_count; j++)
			promise(rule->names[j] != NULL);
		for (size_t j = 0; j < rule->args_count; j++)
			promise(rule->args[j].index < SPEC_SECCOMP_ARGS_MAX && is_word(spec_seccomp_operators, rule->args[j].op));
	}
	promise(seccomp->notifies == notifies);
	seccomp_cache_key(seccomp, &key);
	promise(key.failed || (key.size > 0 && key.text != NULL));
}

static void promises_of_checked_maps(const struct spec_id_maps *maps)
{
	promise(maps->count <= 340);
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_id_map *map = &maps->maps[i];

		promise(map->count > 0 && (uint64_t)map->container_id + map->count <= UINT32_MAX &&
			(uint64_t)map->host_id + map->count <= UINT32_MAX);
		for (size_t j = 0; j < i; j++) {
			const struct spec_id_map *other = &maps->maps[j];

			promise(map->container_id + map->count <= other->container_id ||
				other->container_id + other->count <= map->container_id);
			promise(map->host_id + map->count <= other->host_id ||
				other->host_id + other->count <= map->host_id);
		}
	}
}

static void promises_of_check(const struct spec *spec)
{
	struct error err;
	int ret = spec_check(spec, &err);

	promises_of_error(ret, &err);
	promise(ret == 0 || err.object[0] != '\0');
	if (ret < 0)
		return;
	promise(spec->root_path[0] != '\0');
	promise((spec->uid_maps.count > 0) == (spec->gid_maps.count > 0));
	promise(spec->uid_maps.count == 0 || spec->namespaces[SPEC_NS_USER].listed);
	promise(spec->seccomp == NULL || !spec->seccomp->notifies || spec_seccomp_listener(spec) != NULL);
	promise(spec->hostname == NULL || strlen(spec->hostname) <= 64);
	promise(spec->domainname == NULL || strlen(spec->domainname) <= 64);
	promises_of_checked_maps(&spec->uid_maps);
	promises_of_checked_maps(&spec->gid_maps);
	promises_of_checked_process(&spec->process);
	ret = spec_check_shared_tree(spec, &err);
	promise(ret == 0 || (!spec_has_own_tree(spec) && err.object[0] != '\0' && err.hint[0] != '\0'));
	promises_of_memory_policy(&spec->memory_policy, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct error err;
	spec_owned spec;
	int ret = spec_read((const char *)bytes, size, &spec, &err);

	promises_of_error(ret, &err);
	if (ret < 0)
		return 0;
	promises_of_text(bytes, size);
	promise(spec.oci_version != NULL && spec.root_given == (spec.root_path != NULL));
	promises_of_process(&spec.process);
	promises_of_namespaces(&spec);
	promises_of_mounts(&spec);
	promises_of_devices(&spec);
	promises_of_hooks(&spec);
	promises_of_lists(&spec);
	promises_of_memory_policy(&spec.memory_policy, false);
	if (spec.seccomp != NULL)
		promises_of_seccomp(spec.seccomp);
	promises_of_rdt(&spec.intel_rdt);
	promise(spec.mount_label == NULL || spec_label_fault(spec.mount_label) == NULL);
	promises_of_check(&spec);
	return 0;
}
