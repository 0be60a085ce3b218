/* features.c - `features`: what this build can do, for engines. Side: host. */
#define _GNU_SOURCE
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "host/seccomp.h"
#include "host/seccomp_program.h"
#include "spec/features.h"

static bool has_command(const char *name)
{
	const struct command *command = commands;

	while (command->name != NULL && strcmp(command->name, name) != 0)
		command++;
	return command->name != NULL;
}

int features_run(const struct global_options *global, const void *options, char **arguments, struct error *err)
{
	const struct scmp_version *seccomp = seccomp_version();
	char libseccomp[40];
	const struct features_build build = {
		.version = PACKAGE_VERSION,
		.commit = MOSS_COMMIT,
		.libseccomp = libseccomp,
		.cgroups_by_systemd = MOSS_SYSTEMD, /* the host may be without all the same */
		.checkpoint = has_command("checkpoint"),
		.seccomp_flags = seccomp_kernel_flags(),
		.seccomp_arch = seccomp_program_knows,
	};
	struct json_object *features;

	(void)global, (void)options, (void)arguments;
	snprintf(libseccomp, sizeof(libseccomp), "%u.%u.%u", seccomp->major, seccomp->minor, seccomp->micro);
	if (features_make(&build, &features, err) < 0)
		return -err->code;
	const char *text = json_object_to_json_string_ext(features, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
									   JSON_C_TO_STRING_NOSLASHESCAPE);
	/* More than a buffer: the first part may be written, or not, by puts(3) already. */
	int code = text == NULL ? ENOMEM : puts(text) < 0 || fflush(stdout) != 0 ? errno : 0;
	json_object_put(features);
	return code != 0 ? error_set(err, code, "write to stdout") : 0;
}
