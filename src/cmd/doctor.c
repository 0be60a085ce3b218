/* doctor.c - `doctor`: is this host ready, feature by feature, with the fix. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/commands.h"
#include "host/probe.h"

static const char *const names[] = { "ok", "degraded", "missing" };

static void show(const struct probe *probe, const struct probe_result *result)
{
	printf("%-10s%-20s%s\n", names[result->status], probe->name, result->detail);
	if (result->fix[0] != '\0')
		printf("%-30s→ %s\n", "", result->fix);
}

static void add_json(struct json_object *list, const struct probe *probe, const struct probe_result *result)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "name", json_object_new_string(probe->name));
	json_object_object_add(json, "status", json_object_new_string(names[result->status]));
	json_object_object_add(json, "needed", json_object_new_boolean(probe->needed));
	json_object_object_add(json, "detail", json_object_new_string(result->detail));
	if (result->fix[0] != '\0')
		json_object_object_add(json, "fix", json_object_new_string(result->fix));
	json_object_array_add(list, json);
}

void command_explain(struct error *err)
{
	struct probe_result result = { .status = PROBE_OK };

	if (err->code == ENOSYS)
		probe_kernel(&result);
	if (result.status == PROBE_MISSING)
		error_hint(err, "%s; %s", result.detail, result.fix);
}

int doctor_run(const struct global_options *global, const void *fields, char **arguments, struct error *err)
{
	const struct doctor_options *options = fields;
	struct json_object *list = json_object_new_array();
	bool ready = true;

	(void)global, (void)arguments;
	for (const struct probe *probe = probes; probe->name != NULL; probe++) {
		struct probe_result result = { .status = PROBE_OK };

		probe->run(&result);
		ready &= !(probe->needed && result.status == PROBE_MISSING);
		if (options->json)
			add_json(list, probe, &result);
		else
			show(probe, &result);
	}
	if (options->json) {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "ready", json_object_new_boolean(ready));
		json_object_object_add(json, "probes", json_object_get(list));
		puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(json);
	} else {
		printf("\n%s\n", ready ? "Containers of this user can run." : "Containers of this user can't run yet.");
	}
	json_object_put(list);
	if (fflush(stdout) != 0)
		return error_set(err, errno, "write to stdout");
	return ready ? 0 : 1;
}
