/* exec_process.c - see exec_process.h. Side: host. */
#define _GNU_SOURCE
#include "host/exec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "host/adapt.h"
#include "host/bundle.h"

static int read_file(const char *path, struct spec *spec, struct error *err)
{
	mem_owned char *bytes = NULL;
	ssize_t size = io_read_file(AT_FDCWD, path, SPEC_BYTES_MAX, &bytes, err);

	if (size < 0)
		return error_hint(err, "--process names a file with a process object, as config.json has it");
	return spec_read_process(bytes, (size_t)size, spec, err) < 0 ? error_object(err, "%s", path) : 0;
}

int exec_process_read_container(int dir_fd, struct spec *ret_spec, struct error *err)
{
	mem_owned char *bytes = NULL;

	*ret_spec = (struct spec){ .oci_version = NULL };
	ssize_t size = state_read_config(dir_fd, &bytes, err);
	if (size < 0)
		return -err->code;
	return spec_read(bytes, (size_t)size, ret_spec, err) < 0 ? error_object(err, "config.json") : 0;
}

static int read_template(int dir_fd, struct spec *spec, struct error *err)
{
	if (exec_process_read_container(dir_fd, spec, err) < 0)
		return -err->code;
	/* It was about the container's first process; of the rest nothing is for this one. */
	spec->uid_maps.count = spec->gid_maps.count = 0;
	spec->process.terminal = false;
	spec->process.args.count = 0;
	if (spec->process.given)
		return 0;
	error_at(err, 0, "process", "config.json has none that could be the template");
	return error_hint(err, "give --process FILE");
}

static int bad_user(const char *text, struct error *err)
{
	error_set(err, 0, "--user: \"%.100s\" is neither UID nor UID:GID", text);
	return error_hint(err, "numbers from 0 to 4294967294; names are not looked up");
}

int exec_process_parse_user(const char *text, struct spec_user *user, struct error *err)
{
	char uid_text[16];
	size_t length = strcspn(text, ":");
	uint64_t uid, gid = user->gid;

	if (length >= sizeof(uid_text))
		return bad_user(text, err);
	memcpy(uid_text, text, length);
	uid_text[length] = '\0';
	if (!str_to_uint(uid_text, UINT32_MAX - 1, &uid) ||
	    (text[length] == ':' && !str_to_uint(text + length + 1, UINT32_MAX - 1, &gid)))
		return bad_user(text, err);
	user->uid = (uint32_t)uid;
	user->gid = (uint32_t)gid;
	return 0;
}

static int add_gids(const struct spec_texts *texts, struct spec *spec, struct error *err)
{
	struct spec_user *user = &spec->process.user;
	uint32_t *gids = arena_alloc(&spec->arena, user->additional_gids_count + texts->count, sizeof(*gids));
	size_t count = user->additional_gids_count;

	if (texts->count == 0)
		return 0;
	if (gids == NULL)
		return error_set(err, ENOMEM, "--additional-gids");
	if (count > 0)
		memcpy(gids, user->additional_gids, count * sizeof(*gids));
	for (size_t i = 0; i < texts->count; i++) {
		uint64_t gid;

		if (!str_to_uint(texts->texts[i], UINT32_MAX - 1, &gid)) {
			error_set(err, 0, "--additional-gids: \"%.100s\" is no group id", texts->texts[i]);
			return error_hint(err, "a number from 0 to 4294967294; give the option once for each");
		}
		gids[count++] = (uint32_t)gid;
	}
	user->additional_gids = gids;
	user->additional_gids_count = count;
	return 0;
}

static int add_capabilities(const struct spec_texts *texts, struct spec_capabilities *caps, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		int number;

		if (!spec_capability_find(texts->texts[i], &number)) {
			error_set(err, 0, "--cap: unknown capability \"%.100s\"", texts->texts[i]);
			return error_hint(err, "a name like CAP_NET_RAW, see capabilities(7); give the option once for each");
		}
		uint64_t bit = UINT64_C(1) << number;
		caps->bounding |= bit;
		caps->effective |= bit;
		caps->permitted |= bit;
		/* It can be ambient only where it is inheritable (capabilities(7)), and that is not asked for. */
		caps->ambient |= caps->inheritable & bit;
	}
	return 0;
}

/* Append the variables; an earlier one of the same name goes. */
static int add_env(const struct spec_texts *texts, struct spec *spec, struct error *err)
{
	struct spec_texts *env = &spec->process.env;
	const char **all = arena_alloc(&spec->arena, env->count + texts->count + 1, sizeof(*all));
	size_t count = env->count;

	if (texts->count == 0)
		return 0;
	if (all == NULL)
		return error_set(err, ENOMEM, "--env");
	if (count > 0)
		memcpy(all, env->texts, count * sizeof(*all));
	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->texts[i];
		size_t name = strcspn(text, "="), kept = 0;

		if (name == 0 || text[name] == '\0') {
			error_set(err, 0, "--env: \"%.100s\" is not NAME=VALUE", text);
			return error_hint(err, "to pass a variable of your own on: --env NAME=\"$NAME\"");
		}
		for (size_t j = 0; j < count; j++)
			if (strncmp(all[j], text, name + 1) != 0)
				all[kept++] = all[j];
		all[kept] = text;
		count = kept + 1;
	}
	all[count] = NULL;
	*env = (struct spec_texts){ all, count };
	return 0;
}

static int set_label(const char *option, const char *text, const char **label, struct error *err)
{
	const char *fault = text != NULL ? spec_label_fault(text) : NULL;

	if (fault != NULL)
		return error_at(err, 0, option, "no label: %s", fault);
	if (text != NULL)
		*label = text[0] != '\0' ? text : NULL;
	return 0;
}

static int apply_options(const struct exec_options *options, struct spec *spec, struct error *err)
{
	struct spec_process *process = &spec->process;

	if (options->args.count > 0)
		process->args = options->args;
	process->terminal |= options->tty;
	process->console_size_given &= process->terminal;
	process->no_new_privileges |= options->no_new_privileges;
	if (options->cwd != NULL)
		process->cwd = options->cwd;
	if (options->user != NULL && exec_process_parse_user(options->user, &process->user, err) < 0)
		return -err->code;
	if (set_label("--apparmor", options->apparmor, &process->apparmor_profile, err) < 0 ||
	    set_label("--process-label", options->process_label, &process->selinux_label, err) < 0 ||
	    add_gids(&options->additional_gids, spec, err) < 0 ||
	    add_capabilities(&options->capabilities, &process->capabilities, err) < 0 || add_env(&options->env, spec, err) < 0)
		return -err->code;
	return 0;
}

int exec_process_read(const struct exec_options *options, int dir_fd, struct spec *ret_spec, struct error *err)
{
	*ret_spec = (struct spec){ .oci_version = NULL };
	if (options->process != NULL && options->args.count > 0) {
		error_set(err, 0, "both a command and --process say what to run");
		return error_hint(err, "leave one of them out");
	}
	if (options->process == NULL && options->args.count == 0) {
		error_set(err, 0, "no command to run");
		return error_hint(err, "moss exec ID CMD..., or --process FILE");
	}
	if ((options->process ? read_file(options->process, ret_spec, err) : read_template(dir_fd, ret_spec, err)) < 0 ||
	    apply_options(options, ret_spec, err) < 0 || adapt_rlimits(ret_spec, err) < 0)
		return -err->code;
	return bundle_check_terminal(ret_spec->process.terminal, options->detach, options->console_socket, err);
}
