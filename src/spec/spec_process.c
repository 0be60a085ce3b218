/* spec_process.c - config.json: process. Side: any; pure. */
#define _GNU_SOURCE
#include <string.h>

#include "spec/spec_read.h"

struct console_size {
	uint16_t height, width;
};

static int umask_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t umask;

	if (json_read_range(value, 0, 0777, &umask, ctx) < 0) {
		error_hint(ctx->err, "JSON has no octal numbers: 0777 is written 511");
		return -ctx->err->code;
	}
	*(uint32_t *)field = (uint32_t)umask;
	return 0;
}

static int gids_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element gid = { json_type_int, sizeof(uint32_t), spec_read_id };
	struct spec_user *user = field;
	struct json_list  list;
	int ret = json_read_list(value, &gid, &list, ctx);

	if (ret < 0)
		return ret;
	user->additional_gids = list.items;
	user->additional_gids_count = list.count;
	return 0;
}

static int user_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "uid", json_type_int, false, offsetof(struct spec_user, uid), spec_read_id },
		{ "gid", json_type_int, false, offsetof(struct spec_user, gid), spec_read_id },
		{ "umask", json_type_int, false, offsetof(struct spec_user, umask), umask_read },
		{ "additionalGids", json_type_array, false, 0, gids_read },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

static int console_size_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "height", json_type_int, true, offsetof(struct console_size, height), json_read_uint16 },
		{ "width", json_type_int, true, offsetof(struct console_size, width), json_read_uint16 },
		{ 0 }
	};
	struct spec_process *process = field;
	struct console_size  size = { 0 };
	int ret = json_read(value, fields, &size, ctx);

	if (ret < 0)
		return ret;
	process->console_size_given = true;
	process->console_height = size.height;
	process->console_width = size.width;
	return 0;
}

static int rlimit_type_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct {
		const char *name;
		int         resource;
	} known[] = {
		{ "RLIMIT_AS", RLIMIT_AS },           { "RLIMIT_CORE", RLIMIT_CORE },
		{ "RLIMIT_CPU", RLIMIT_CPU },         { "RLIMIT_DATA", RLIMIT_DATA },
		{ "RLIMIT_FSIZE", RLIMIT_FSIZE },     { "RLIMIT_LOCKS", RLIMIT_LOCKS },
		{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
		{ "RLIMIT_NICE", RLIMIT_NICE },       { "RLIMIT_NOFILE", RLIMIT_NOFILE },
		{ "RLIMIT_NPROC", RLIMIT_NPROC },     { "RLIMIT_RSS", RLIMIT_RSS },
		{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },   { "RLIMIT_RTTIME", RLIMIT_RTTIME },
		{ "RLIMIT_STACK", RLIMIT_STACK },     { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	};
	struct spec_rlimit *rlimit = field;
	const char *name = json_object_get_string(value);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0) {
			rlimit->name = known[i].name;
			rlimit->resource = known[i].resource;
			return 0;
		}
	return json_fail(ctx, "unknown resource limit \"%.100s\"", name);
}

static int rlimit_read(struct json_object *value, void *field, struct json_context *ctx)
{
	_Static_assert(sizeof(rlim_t) == sizeof(uint64_t), "limits are read as 64-bit numbers");
	static const struct json_field fields[] = {
		{ "type", json_type_string, true, 0, rlimit_type_read },
		{ "soft", json_type_int, true, offsetof(struct spec_rlimit, limit.rlim_cur),
		  json_read_uint64 },
		{ "hard", json_type_int, true, offsetof(struct spec_rlimit, limit.rlim_max),
		  json_read_uint64 },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}

static int rlimits_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element rlimit = {
		json_type_object, sizeof(struct spec_rlimit), rlimit_read
	};
	struct spec_process *process = field;
	struct json_list     list;
	int ret = json_read_list(value, &rlimit, &list, ctx);

	if (ret < 0)
		return ret;
	process->rlimits = list.items;
	process->rlimits_count = list.count;
	return 0;
}

static int oom_score_adj_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec_process *process = field;
	int64_t score;
	int     ret = json_read_range(value, -1000, 1000, &score, ctx);

	if (ret < 0)
		return ret;
	process->oom_score_adj_given = true;
	process->oom_score_adj = (int)score;
	return 0;
}

int spec_process_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec_process, member)
	static const struct json_field fields[] = {
		{ "terminal", json_type_boolean, false, AT(terminal), json_read_bool },
		{ "consoleSize", json_type_object, false, 0, console_size_read },
		{ "user", json_type_object, false, AT(user), user_read },
		{ "args", json_type_array, false, AT(args), spec_read_texts },
		{ "env", json_type_array, false, AT(env), spec_read_texts },
		{ "cwd", json_type_string, true, AT(cwd), json_read_text },
		{ "capabilities", JSON_ANY, false, AT(capabilities), spec_capabilities_read },
		{ "rlimits", json_type_array, false, 0, rlimits_read },
		{ "noNewPrivileges", json_type_boolean, false, AT(no_new_privileges), json_read_bool },
		{ "oomScoreAdj", json_type_int, false, 0, oom_score_adj_read },
		{ "apparmorProfile", json_type_string, false, AT(apparmor_profile), spec_read_label },
		{ "selinuxLabel", json_type_string, false, AT(selinux_label), spec_read_label },
		{ "scheduler", json_type_object, false, AT(scheduler), spec_scheduler_read },
		{ "ioPriority", json_type_object, false, AT(io_priority), spec_io_priority_read },
		{ "execCPUAffinity", json_type_object, false, 0, spec_cpu_affinity_read },
		{ 0 }
	};
#undef AT
	struct spec_process *process = &((struct spec *)field)->process;

	process->given = true;
	int ret = json_read(value, fields, process, ctx);
	if (ret == 0 && process->console_size_given && !process->terminal) {
		process->console_size_given = false;
		ret = spec_warn(ctx, "consoleSize is ignored: terminal is false");
	}
	return ret;
}
