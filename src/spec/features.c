/* features.c - see features.h. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/features.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include "base/str.h"
#include "spec/mount_options.h"
#include "spec/spec.h"

struct features {
	struct json_object *json;
	struct error       *err;
	bool                failed; /* no memory: @err is set */
};

/* Does a config.json with these members lose nothing? An unknown word in them is an error, and what
 * this build can't do is among the unsupported fields. */
static bool honours(struct features *features, const char *before, const char *name, const char *after)
{
	spec_owned   spec = { 0 };
	struct error err;
	str_owned    text = { 0 };

	str_add(&text, "{\"ociVersion\": \"" SPEC_VERSION_MAX "\", %s%s%s}", before, name, after);
	int ret = text.failed ? -ENOMEM : spec_read(text.text, text.size, &spec, &err);
	if (ret == -ENOMEM && !features->failed) {
		error_set(features->err, ENOMEM, "features");
		features->failed = true;
	}
	return ret == 0 && spec.unsupported_count == 0;
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, json_object_new_string(text));
}

static void add_flag(struct json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

/* A member that is a list or an object; lent. */
static struct json_object *add(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
	return value;
}

static void list_add(struct json_object *list, const char *text)
{
	json_object_array_add(list, json_object_new_string(text));
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(json_object_get_string(*(struct json_object *const *)a),
		      json_object_get_string(*(struct json_object *const *)b));
}

/* Those of the specification's @names (ended by NULL) that are honoured between the two texts of
 * @members. */
static void add_honoured(struct features *features, struct json_object *object, const char *name,
			 const char *const *names, const char *const members[2])
{
	struct json_object *list = add(object, name, json_object_new_array());

	for (; *names != NULL; names++)
		if (honours(features, members[0], *names, members[1]))
			list_add(list, *names);
}

static void add_hooks(struct features *features)
{
	static const char *const names[] = { "prestart", "createRuntime", "createContainer", "startContainer",
					     "poststart", "poststop", NULL };
	static const char *const members[] = { "\"hooks\": {\"", "\": [{\"path\": \"/bin/true\"}]}" };

	add_honoured(features, features->json, "hooks", names, members);
}

static void add_mount_options(struct features *features)
{
	struct json_object *list = add(features->json, "mountOptions", json_object_new_array());
	const char *name;

	for (size_t i = 0; (name = mount_options_name(i)) != NULL; i++)
		list_add(list, name);
	json_object_array_sort(list, compare_texts);
}

static void add_namespaces(struct json_object *on_linux)
{
	struct json_object *list = add(on_linux, "namespaces", json_object_new_array());

	for (int type = 0; type < SPEC_NS_COUNT; type++)
		list_add(list, spec_namespace_kinds[type].name);
	json_object_array_sort(list, compare_texts);
}

/* Those that libcap has a name for: config.json's are read with it. */
static void add_capabilities(struct json_object *on_linux)
{
	struct json_object *list = add(on_linux, "capabilities", json_object_new_array());

	for (cap_value_t number = 0; number < 64; number++) {
		char *name = cap_to_name(number);

		if (name != NULL && str_starts(name, "cap_")) {
			for (char *letter = name; *letter != '\0'; letter++)
				*letter = *letter >= 'a' && *letter <= 'z' ? (char)(*letter - 'a' + 'A') : *letter;
			list_add(list, name);
		}
		cap_free(name);
	}
}

static void add_cgroup(struct features *features, struct json_object *on_linux, const struct features_build *build)
{
	struct json_object *cgroup = add(on_linux, "cgroup", json_object_new_object());

	add_flag(cgroup, "v1", false);
	add_flag(cgroup, "v2", true);
	add_flag(cgroup, "systemd", build->cgroups_by_systemd);
	add_flag(cgroup, "systemdUser", build->cgroups_by_systemd);
	add_flag(cgroup, "rdma", honours(features, "\"linux\": {\"resources\": {\"rdma\": {\"mlx5_0\": {\"hcaHandles\": 1}}}}", "", ""));
}

static void add_memory_policy(struct features *features, struct json_object *on_linux)
{
	static const char *const modes[] = { "MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
					     "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL", NULL };
	static const char *const flags[] = { "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES", NULL };
	static const char *const mode[] = { "\"linux\": {\"memoryPolicy\": {\"mode\": \"", "\", \"nodes\": \"0\"}}" };
	static const char *const flag[] = { "\"linux\": {\"memoryPolicy\": {\"mode\": \"MPOL_BIND\", \"nodes\": \"0\", \"flags\": [\"",
					    "\"]}}" };
	struct json_object *policy = add(on_linux, "memoryPolicy", json_object_new_object());

	add_honoured(features, policy, "modes", modes, mode);
	add_honoured(features, policy, "flags", flags, flag);
}

static void add_words(struct json_object *object, const char *name, const struct spec_seccomp_word *word)
{
	struct json_object *list = add(object, name, json_object_new_array());

	for (; word->name != NULL; word++)
		list_add(list, word->name);
}

static void add_seccomp(struct features *features, struct json_object *on_linux, const struct features_build *build)
{
	struct json_object *seccomp = add(on_linux, "seccomp", json_object_new_object()), *list;

	add_flag(seccomp, "enabled", honours(features, "\"linux\": {\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\"}}", "", ""));
	add_words(seccomp, "actions", spec_seccomp_actions);
	add_words(seccomp, "operators", spec_seccomp_operators);
	list = add(seccomp, "archs", json_object_new_array());
	for (const struct spec_seccomp_word *arch = spec_seccomp_archs; arch->name != NULL; arch++)
		if (build->seccomp_arch(arch->value))
			list_add(list, arch->name);
	add_words(seccomp, "knownFlags", spec_seccomp_flags);
	list = add(seccomp, "supportedFlags", json_object_new_array());
	for (const struct spec_seccomp_word *flag = spec_seccomp_flags; flag->name != NULL; flag++)
		if (build->seccomp_flags & flag->value)
			list_add(list, flag->name);
}

/* Features that are on or off as a whole. */
static void add_switches(struct features *features, struct json_object *on_linux)
{
	static const struct {
		const char *name, *members;
	} switches[] = {
		{ "apparmor", "\"process\": {\"cwd\": \"/\", \"apparmorProfile\": \"profile\"}" },
		{ "selinux", "\"process\": {\"cwd\": \"/\", \"selinuxLabel\": \"system_u:system_r:container_t:s0\"}" },
		{ "intelRdt", "\"linux\": {\"intelRdt\": {\"closID\": \"group\"}}" },
		{ "netDevices", "\"linux\": {\"netDevices\": {\"eth0\": {}}}" },
	};

	for (size_t i = 0; i < array_size(switches); i++)
		add_flag(add(on_linux, switches[i].name, json_object_new_object()), "enabled",
			 honours(features, switches[i].members, "", ""));
	struct json_object *extensions = add(on_linux, "mountExtensions", json_object_new_object());
	add_flag(add(extensions, "idmap", json_object_new_object()), "enabled",
		 honours(features, "\"mounts\": [{\"destination\": \"/mnt\", \"source\": \"/mnt\", \"options\": [\"rbind\"], "
				   "\"uidMappings\": [{\"containerID\": 0, \"hostID\": 1, \"size\": 1}], "
				   "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 1, \"size\": 1}]}]", "", ""));
}

static const char *const annotations_heeded[] = {
	"org.moss.keep-groups", "org.moss.network", "org.moss.publish", "run.oci.hooks.stderr", "run.oci.hooks.stdout", "run.oci.keep_original_groups", "run.oci.seccomp.receiver",
};

int features_make(const struct features_build *build, struct json_object **ret_features, struct error *err)
{
	struct features features = { .json = json_object_new_object(), .err = err };

	add_text(features.json, "ociVersionMin", SPEC_VERSION_MIN);
	add_text(features.json, "ociVersionMax", SPEC_VERSION_MAX);
	add_hooks(&features);
	add_mount_options(&features);

	struct json_object *on_linux = add(features.json, "linux", json_object_new_object());
	add_namespaces(on_linux);
	add_capabilities(on_linux);
	add_cgroup(&features, on_linux, build);
	add_seccomp(&features, on_linux, build);
	add_switches(&features, on_linux);
	add_memory_policy(&features, on_linux);

	struct json_object *annotations = add(features.json, "annotations", json_object_new_object());
	add_text(annotations, "io.github.seccomp.libseccomp.version", build->libseccomp);
	add_text(annotations, "org.moss.version", build->version);
	add_text(annotations, "org.moss.commit", build->commit);
	add_text(annotations, "org.moss.checkpoint.enabled", build->checkpoint ? "true" : "false");
	/* Those of config.json that change what moss does; the others are only shown. */
	struct json_object *unsafe = add(features.json, "potentiallyUnsafeConfigAnnotations", json_object_new_array());
	for (size_t i = 0; i < array_size(annotations_heeded); i++)
		list_add(unsafe, annotations_heeded[i]);
	if (features.failed) {
		json_object_put(features.json);
		return -err->code;
	}
	*ret_features = features.json;
	return 0;
}
