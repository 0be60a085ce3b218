/* hooks.c - see hooks.h. Side: host. */
#define _GNU_SOURCE
#include "host/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "host/signals.h"

/* In ROOT/ID while poststop hooks are to be run: a byte for each that was started. */
#define POSTSTOP_FILE "poststop"

void hooks_close(struct hooks *hooks)
{
	fd_close(&hooks->output[0]);
	fd_close(&hooks->output[1]);
}
#define hooks_owned __attribute__((cleanup(hooks_close))) struct hooks

bool hooks_any(const struct spec *spec, enum spec_hook_kind first, enum spec_hook_kind last)
{
	for (enum spec_hook_kind kind = first; kind <= last; kind++)
		if (spec->hooks[kind].count > 0)
			return true;
	return false;
}

/* Nobody but who made config.json has a say in where it leads: no link, and nothing that one would wait for. */
static int open_output(struct spec *spec, const char *bundle, const char *name, int *ret_fd, struct error *err)
{
	const char *path = spec_annotation_find(spec, name);
	struct stat st;

	if (path == NULL || path[0] == '\0')
		return 0;
	if (path[0] != '/' && (path = arena_format(&spec->arena, "%s/%s", bundle, path)) == NULL)
		return error_set(err, ENOMEM, "hooks");
	fd_owned fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		error_at(err, errno, path, "open it for the output of hooks");
	else if (!S_ISREG(st.st_mode))
		error_at(err, 0, path, "the output of hooks goes into a regular file only");
	else {
		*ret_fd = fd_take(&fd);
		return 0;
	}
	error_object(err, "annotations: %s", name);
	return error_hint(err, "it names a file, or a new one in a directory that is there, without a symbolic link at its end");
}

int hooks_open(struct spec *spec, const struct state *state, struct hooks *ret_hooks, struct error *err)
{
	const struct spec_hook_container container = { state->oci_version, state->id, state->bundle, state->annotations,
						       state->annotations_count };

	*ret_hooks = (struct hooks){ .lists = spec->hooks, .bundle = state->bundle, .output = { -1, -1 } };
	if (spec_hook_state_make(&container, &spec->arena, &ret_hooks->state, err) < 0 ||
	    open_output(spec, state->bundle, "run.oci.hooks.stdout", &ret_hooks->output[0], err) < 0 ||
	    open_output(spec, state->bundle, "run.oci.hooks.stderr", &ret_hooks->output[1], err) < 0)
		return error_step(err, "hooks");
	return 0;
}

int hooks_begin(const struct state *state, int dir_fd, struct error *err)
{
	if (!state->poststop)
		return 0;
	fd_owned fd = openat(dir_fd, POSTSTOP_FILE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		return 0;
	error_at(err, errno, POSTSTOP_FILE, "make in the container's state directory");
	return error_step(err, "hooks");
}

/* How the hooks of a kind are run; *@input must stay. */
static struct hook_run run_of(const struct hooks *hooks, enum spec_hook_kind kind, int signal_fd,
			      const struct spec_hook_input *input)
{
	return (struct hook_run){
		.kind = spec_hook_names[kind],
		.input = input->texts,
		.directory = hooks->bundle,
		.output = { hooks->output[0], hooks->output[1] },
		/* What is half made dies with us; what follows it is to be done to its end. */
		.dies_with_us = kind < SPEC_HOOK_POSTSTART,
		.watch_fd = signal_fd,
		.watch = signals_interrupted,
	};
}

int hooks_create(const struct hooks *hooks, pid_t pid, int signal_fd, struct error *err)
{
	struct spec_hook_input input;

	spec_hook_input(&hooks->state, "creating", pid, &input);
	for (enum spec_hook_kind kind = SPEC_HOOK_PRESTART; kind <= SPEC_HOOK_CREATE_RUNTIME; kind++) {
		struct hook_run run = run_of(hooks, kind, signal_fd, &input);

		if (hook_run_all(hooks->lists[kind].hooks, hooks->lists[kind].count, &run, err) < 0)
			return error_step(err, "hooks");
	}
	return 0;
}

int hooks_check_owner(int dir_fd, struct error *err)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return error_set(err, errno, "stat the container's state directory");
	if (st.st_uid == geteuid())
		return 0;
	error_set(err, EPERM, "the container is user %u's: its hooks are not run for another one", (unsigned)st.st_uid);
	error_hint(err, "let that user do it");
	return error_step(err, "hooks");
}

/* From the copy of config.json; @spec is theirs, to be freed in every case. */
static int load(const struct state *state, int dir_fd, struct spec *spec, struct hooks *hooks, struct error *err)
{
	mem_owned char *bytes = NULL;

	*spec = (struct spec){ .oci_version = NULL };
	if (hooks_check_owner(dir_fd, err) < 0)
		return -err->code;
	ssize_t size = state->bundle && state->oci_version && state->id ? state_read_config(dir_fd, &bytes, err)
									 : error_at(err, 0, "state.json", "damaged");
	if (size < 0 || spec_read(bytes, (size_t)size, spec, err) < 0) {
		err->hint[0] = '\0';
		return error_step(err, "hooks");
	}
	struct error no_file = { 0 };
	if (hooks_open(spec, state, hooks, &no_file) < 0) {
		char text[ERROR_TEXT_MAX];

		/* That is no reason to do without the hooks themselves. */
		error_text(&no_file, text, sizeof(text));
		log_line(LOG_LEVEL_WARNING, "%s", text);
		if (hooks->state.tail == NULL) {
			*err = no_file;
			return -err->code;
		}
	}
	return 0;
}

int hooks_poststart(const struct state *state, int dir_fd, int signal_fd, struct error *err)
{
	hooks_owned hooks = HOOKS_NONE;
	spec_owned  spec = { .oci_version = NULL };
	struct spec_hook_input input;

	if (!state->poststart)
		return 0;
	if (load(state, dir_fd, &spec, &hooks, err) < 0)
		return -err->code;
	spec_hook_input(&hooks.state, "running", state->pid, &input);
	struct hook_run run = run_of(&hooks, SPEC_HOOK_POSTSTART, signal_fd, &input);
	const struct spec_hooks *list = &hooks.lists[SPEC_HOOK_POSTSTART];
	return hook_run_all(list->hooks, list->count, &run, err) < 0 ? error_step(err, "hooks") : 0;
}

/* runtime.md, "Lifecycle": a poststop hook that fails is a warning, and all goes on as if it had not. */
static void warn(struct error *err)
{
	char text[ERROR_TEXT_MAX];

	error_step(err, "hooks");
	error_text(err, text, sizeof(text));
	log_line(LOG_LEVEL_WARNING, "%s", text);
}

void hooks_poststop(const struct state *state, int dir_fd)
{
	hooks_owned hooks = HOOKS_NONE;
	spec_owned  spec = { .oci_version = NULL };
	fd_owned    started = -1, signal_fd = -1;
	struct spec_hook_input input;
	struct stat  st;
	struct error err = { 0 };

	if (!state->poststop || (started = openat(dir_fd, POSTSTOP_FILE, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
	    fstat(started, &st) < 0)
		return;
	if (load(state, dir_fd, &spec, &hooks, &err) < 0 || signals_open(&signal_fd, &err) < 0) {
		warn(&err);
		return;
	}
	spec_hook_input(&hooks.state, "stopped", 0, &input);
	struct hook_run run = run_of(&hooks, SPEC_HOOK_POSTSTOP, signal_fd, &input);
	const struct spec_hooks *list = &hooks.lists[SPEC_HOOK_POSTSTOP];
	for (size_t i = (size_t)st.st_size; i < list->count; i++) {
		/* Before it runs: when we are killed it goes on, and whoever comes after us begins behind it. */
		(void)!write(started, "", 1);
		if (hook_run(list->hooks, i, &run, &err) < 0)
			warn(&err);
	}
}
