/* scope.c - see scope.h. Side: host. Needs: the program moss-scope. */
#define _GNU_SOURCE
#include "host/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "host/caller.h"
#include "host/cgroup.h"
#include "host/helper.h"

#define PROGRAM "moss-scope"
#define ANSWER_TIMEOUT_MS 35000 /* the helper's own: three times 10 s, for the bus, an answer and a job */
#define FORGET_TIMEOUT_MS 1000
#define FORGET_PAUSE_MS_MAX 16
#define PROPERTY "org.systemd.property."

static int find_program(char path[PATH_MAX], struct error *err)
{
	if (MOSS_SYSTEMD)
		return helper_find(PROGRAM, path, PATH_MAX, err);
	error_at(err, ENOTSUP, PROGRAM, "this moss was built without systemd");
	return error_hint(err, "build it with libsystemd-dev and without --disable-systemd, or use --cgroup-manager cgroupfs");
}

int scope_check(struct error *err)
{
	char path[PATH_MAX];

	return find_program(path, err);
}

bool scope_has_user_bus(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[PATH_MAX];

	if (getenv("DBUS_SESSION_BUS_ADDRESS") != NULL)
		return true;
	if (runtime != NULL && runtime[0] == '/' && snprintf(path, sizeof(path), "%s/bus", runtime) < (int)sizeof(path) &&
	    access(path, F_OK) == 0)
		return true;
	snprintf(path, sizeof(path), "/run/user/%u/bus", (unsigned)caller_get()->user);
	return access(path, F_OK) == 0;
}

/* --- the helper --- */

struct words { /* an argv; what is made for it is of the arena */
	struct arena arena;
	char       **words;
	size_t       count;
	bool         failed;
};

static void add_word(struct words *words, const char *text)
{
	char **more = arena_grow(&words->arena, words->words, words->count, sizeof(*more));

	if (more != NULL)
		words->words = more;
	if (more == NULL || text == NULL || (more[words->count] = arena_text(&words->arena, text)) == NULL)
		words->failed = true;
	else
		words->count++;
}

static void add_option(struct words *words, const char *option, const char *name, const char *value)
{
	add_word(words, option);
	add_word(words, arena_format(&words->arena, "%s=%s", name, value));
}

/* Weights for block devices are told in systemd's way. A period alone limits nothing. */
static void add_limits(struct words *words, const struct spec_limit *limits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct spec_limit *limit = &limits[i];
		bool instead = limit->instead_file != NULL;

		if (!(limit->flags & SPEC_LIMIT_QUOTA))
			add_option(words, "--limit", instead ? limit->instead_file : limit->file, instead ? limit->instead_value : limit->value);
	}
}

static void begin(struct words *words, const char *verb, const char *unit)
{
	char user[16];

	snprintf(user, sizeof(user), "%u", (unsigned)caller_get()->user);
	add_word(words, PROGRAM);
	add_word(words, caller_get()->root ? "system" : user);
	add_word(words, verb);
	add_word(words, unit);
}

/* What tells it where the bus is, and nothing to root's. */
static void fill_environment(char *environment[3], struct arena *arena)
{
	static const char *const names[] = { "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR" };
	size_t count = 0;

	for (size_t i = 0; i < array_size(names) && !caller_get()->root; i++) {
		const char *value = getenv(names[i]);
		char *entry = value != NULL ? arena_format(arena, "%s=%s", names[i], value) : NULL;

		if (entry != NULL)
			environment[count++] = entry;
	}
	environment[count] = NULL;
}

static int spawn(const char *path, struct words *words, int sock, pid_t *ret_pid, struct error *err)
{
	const struct helper_fd fds[] = { { sock, STDIN_FILENO }, { -1, STDOUT_FILENO }, { -1, STDERR_FILENO } };
	char *environment[3];

	fill_environment(environment, &words->arena);
	return helper_start(words->words, environment, fds, array_size(fds), path, ret_pid, err);
}

/* Start the helper with these words, which are freed. */
static int start(struct words *words, struct scope *ret_scope, struct error *err)
{
	char path[PATH_MAX];
	int  socks[2], ret = find_program(path, err);

	*ret_scope = (struct scope){ .sock = -1, .signal_fd = -1, .owner = getpid() };
	if (ret == 0 && words->failed)
		ret = error_set(err, ENOMEM, PROGRAM);
	if (ret == 0 && (ret = sync_pair(socks)) < 0)
		error_at(err, -ret, path, "socketpair");
	if (ret == 0) {
		ret = spawn(path, words, socks[1], &ret_scope->pid, err);
		close(socks[1]);
		ret_scope->sock = socks[0];
		if (ret < 0)
			ret_scope->pid = 0;
	}
	arena_free(&words->arena);
	return ret;
}

int scope_open(const struct scope_start *what, const struct spec *spec, struct scope *ret_scope, struct error *err)
{
	struct words words = { .words = NULL };

	begin(&words, "start", what->name->unit);
	add_word(&words, what->name->slice);
	/* For people: the mark without the id behind it. */
	add_word(&words, arena_format(&words.arena, "moss container %s (%.*s)", what->id,
				      (int)(strlen(what->mark) - strlen(what->id) - 1), what->mark));
	add_word(&words, what->mark);
	if (what->detached)
		add_word(&words, "--linger");
	for (size_t i = 0; i < spec->annotations_count; i++)
		if (str_starts(spec->annotations[i].name, PROPERTY))
			add_option(&words, "--property", spec->annotations[i].name + strlen(PROPERTY), spec->annotations[i].value);
	add_limits(&words, spec->limits, spec->limits_count);
	return start(&words, ret_scope, err);
}

int scope_open_attach(const char *unit, const char *path, struct scope *ret_scope, struct error *err)
{
	struct words words = { .words = NULL };

	begin(&words, "attach", unit);
	add_word(&words, path);
	return start(&words, ret_scope, err);
}

int scope_tell(const struct scope *scope, pid_t pid, struct error *err)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	int ret = sync_send(scope->sock, SYNC_GO, text, strlen(text) + 1, -1);
	if (ret == -EPIPE || ret == -ECONNRESET)
		return helper_ended(PROGRAM, err);
	return ret < 0 ? error_at(err, -ret, PROGRAM, "tell the helper program what to do") : 0;
}

int scope_wait(const struct scope *scope, int (*note)(void *context, const char *text, struct error *err), void *context, struct error *err)
{
	/* A process in between is told of no signal: they wait for the one that sleeps until it has cloned. */
	pid_t asleep = getpid() != scope->owner ? scope->owner : 0;
	const struct helper_wait wait = { PROGRAM, scope->sock, ANSWER_TIMEOUT_MS, scope->signal_fd, asleep, note, context };

	return helper_wait(&wait, err) < 0 ? error_step(err, "systemd") : 0;
}

void scope_close(struct scope *scope)
{
	fd_close(&scope->sock);
	if (scope->pid > 0) {
		/* It ends with its socket; where it waits for the bus at this moment it has nothing to lose. */
		kill(scope->pid, SIGKILL);
		while (waitpid(scope->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	scope->pid = 0;
}

/* The helper with these words, which are freed, from its start to its end. */
static int run(struct words *words, struct error *err)
{
	struct scope scope;
	int ret = start(words, &scope, err);

	if (ret == 0)
		ret = scope_tell(&scope, 0, err);
	if (ret == 0)
		ret = scope_wait(&scope, NULL, NULL, err);
	scope_close(&scope);
	return ret;
}

int scope_set_limits(const char *unit, const struct spec_limit *limits, size_t count, struct error *err)
{
	struct words words = { .words = NULL };

	begin(&words, "set", unit);
	add_limits(&words, limits, count);
	return run(&words, err);
}

/* --- where we are, and what is left --- */

int scope_find_own(const char *unit, char *path, size_t size, struct error *err)
{
	size_t length;

	if (!cgroup_path_of(0, path, size)) {
		error_at(err, 0, unit, "systemd has made the scope, and its cgroup can't be found below /sys/fs/cgroup");
		return error_hint(err, "version 2 of the cgroups must be mounted there: boot with systemd.unified_cgroup_hierarchy=1");
	}
	const char *name = path + str_last_component(path, &length);
	if (strlen(unit) == length && strncmp(name, unit, length) == 0)
		return 0;
	error_at(err, 0, unit, "systemd has made the scope, and moss's process is in %.200s all the same", path);
	return error_hint(err, "is another manager of cgroups at work here?");
}

/* The file that systemd keeps for as long as it knows a transient unit, systemd.unit(5). */
static void transient_file(const struct state *state, int dir_fd, bool *ret_own, char *path, size_t size)
{
	struct stat st = { 0 };
	bool stated = fstat(dir_fd, &st) == 0, own = stated && st.st_uid == geteuid();
	uid_t user = own ? caller_get()->user : st.st_uid;

	*ret_own = own;
	if (!stated || (own && caller_get()->root))
		snprintf(path, size, "/run/systemd/transient/%s", state->systemd_unit);
	else
		snprintf(path, size, "/run/user/%u/systemd/transient/%s", (unsigned)user, state->systemd_unit);
}

static int stop(const struct state *state, int dir_fd, struct error *err)
{
	struct words words = { .words = NULL };
	char   mark[STATE_MARK_MAX];
	int    ret = state_mark(dir_fd, state->id, mark);

	if (ret < 0)
		return error_at(err, -ret, state->id, "stat the container's state directory");
	begin(&words, "stop", state->systemd_unit);
	add_word(&words, mark);
	return run(&words, err);
}

/* A user's manager can't remove what belongs to another id of the user's; that is done, and the scope's directory is left. */
static void remove_rest(const struct state *state)
{
	char  path[PATH_MAX];
	char *end;

	if (state->cgroup == NULL || snprintf(path, sizeof(path), "%s", state->cgroup) >= (int)sizeof(path) ||
	    (end = strrchr(path, '/')) == NULL || strcmp(end, "/" SCOPE_SUB_CGROUP) != 0)
		return;
	*end = '\0';
	cgroup_remove_empty(path);
}

void scope_forget(const struct state *state, int dir_fd)
{
	struct error err;
	char path[PATH_MAX], text[ERROR_TEXT_MAX];
	bool own;
	int64_t deadline = sys_now_ms() + FORGET_TIMEOUT_MS;

	if (state->systemd_unit == NULL)
		return;
	transient_file(state, dir_fd, &own, path, sizeof(path));
	/* systemd sees the end of the last process, and forgets the unit, in a few ms. */
	for (int pause = 1; access(path, F_OK) == 0; pause = pause < FORGET_PAUSE_MS_MAX ? 2 * pause : pause) {
		if (sys_now_ms() >= deadline) {
			/* What another user's record names is not for root to end. */
			if (!own || stop(state, dir_fd, &err) == 0)
				return;
			error_text(&err, text, sizeof(text));
			log_line(LOG_LEVEL_WARNING, "the scope %s may be left: %s", state->systemd_unit, text);
			return;
		}
		poll(NULL, 0, pause);
	}
	if (own)
		remove_rest(state);
}

bool scope_split(const char *path, char *unit, size_t size, const char **ret_below)
{
	static const char *const kinds[] = { ".scope", ".service" };
	bool found = false;

	for (const char *at = path; *at != '\0';) {
		at += strspn(at, "/");
		size_t length = strcspn(at, "/");
		for (size_t i = 0; i < array_size(kinds); i++) {
			if (length < size && str_ends(at, length, kinds[i]) && !str_starts(at, "user@")) {
				snprintf(unit, size, "%.*s", (int)length, at);
				*ret_below = at + length;
				found = true;
			}
		}
		at += length;
		if (found) /* what lies below a delegated unit may have any name */
			return true;
	}
	return false;
}

/* --- names --- */

/* VALID_CHARS of systemd's unit names; a container's id may have "+", too. */
static const char unit_chars[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@";

static const char *escape(struct arena *arena, const char *id)
{
	char   text[4 * NAME_MAX + 1];
	size_t used = 0;

	for (; *id != '\0' && used + 5 < sizeof(text); id++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, *id == '+' ? "\\x2b" : "%c", *id);
	text[used] = '\0';
	return arena_text(arena, text);
}

static int check_name(const char *name, const char *kind, struct error *err)
{
	if (strlen(name) > NAME_MAX) {
		error_at(err, 0, "linux: cgroupsPath", "the %s's name would have more than %d bytes", kind, NAME_MAX);
		return error_hint(err, "give the scope a shorter name: \"slice:prefix:name\"");
	}
	if (name[strspn(name, unit_chars)] == '\0')
		return 0;
	error_at(err, 0, "linux: cgroupsPath", "\"%s\" is not the name of a %s", name, kind);
	return error_hint(err, "systemd's names have letters, digits and : - _ . \\ @ only");
}

/* Split "slice:prefix:name"; a part that is empty is NULL. */
static int split_name(struct spec *spec, const char *parts[3], struct error *err)
{
	char *text = arena_text(&spec->arena, spec->cgroups_path), *rest = text;
	int   count = 0;

	if (text == NULL)
		return error_set(err, ENOMEM, "cgroup");
	for (char *part; (part = strsep(&rest, ":")) != NULL; count++)
		if (count < 3)
			parts[count] = part[0] != '\0' ? part : NULL;
	if (count == 3 && strchr(spec->cgroups_path, '/') == NULL)
		return 0;
	error_at(err, 0, "linux: cgroupsPath", "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"%s\" instead",
		 spec->cgroups_path);
	return error_hint(err, "a path is for --cgroup-manager cgroupfs");
}

int scope_read_name(struct spec *spec, const char *id, struct scope_name *ret_name, struct error *err)
{
	struct arena *arena = &spec->arena;
	const char   *parts[3] = { NULL, "moss", NULL };

	if (spec->cgroups_path != NULL && split_name(spec, parts, err) < 0)
		return -err->code;
	const char *slice = parts[0] != NULL ? parts[0] : caller_get()->root ? "system.slice" : "user.slice";
	const char *name = parts[2] != NULL ? parts[2] : escape(arena, id);
	if (!str_ends(slice, strlen(slice), ".slice")) {
		error_at(err, 0, "linux: cgroupsPath", "\"%s\" is not the name of a slice", slice);
		return error_hint(err, "it ends in .slice, as in \"machine.slice:%s:%s\"", parts[1] != NULL ? parts[1] : "", name != NULL ? name : "");
	}
	if (name != NULL && (str_ends(name, strlen(name), ".slice") || strcmp(name, ".slice") == 0)) {
		error_at(err, 0, "linux: cgroupsPath", "\"%s\" names a slice, and a container is made in a scope", name);
		return error_hint(err, "the slice is the first part: \"%s::web\"", name);
	}
	ret_name->slice = slice;
	ret_name->unit = name == NULL ? NULL : parts[1] != NULL ? arena_format(arena, "%s-%s.scope", parts[1], name)
							       : arena_format(arena, "%s.scope", name);
	if (ret_name->unit == NULL)
		return error_set(err, ENOMEM, "cgroup");
	return check_name(slice, "slice", err) < 0 || check_name(ret_name->unit, "scope", err) < 0 ? -err->code : 0;
}
