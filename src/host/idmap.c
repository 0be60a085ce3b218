/* idmap.c - see idmap.h. Side: host. */
#define _GNU_SOURCE
#include "host/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define HELPER_TIMEOUT_MS 10000

uint32_t idmap_first(const struct spec_id_maps *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->maps[i].container_id == 0)
			return 0;
	return maps->count > 0 ? maps->maps[0].container_id : 0;
}

bool idmap_has_host(const struct spec_id_maps *maps, uint32_t host_id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (host_id >= maps->maps[i].host_id && host_id - maps->maps[i].host_id < maps->maps[i].count)
			return true;
	return false;
}

static int write_directly(pid_t pid, const char *file, const struct spec_id_maps *maps, struct error *err)
{
	str_owned text = { 0 };
	char path[48];

	for (size_t i = 0; i < maps->count; i++)
		str_add(&text, "%u %u %u\n", maps->maps[i].container_id, maps->maps[i].host_id, maps->maps[i].count);
	if (text.failed || text.text == NULL)
		return error_set(err, ENOMEM, "write %s", file);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int ret = io_write_small(AT_FDCWD, path, text.text);
	if (ret < 0) {
		text.text[strcspn(text.text, "\n")] = '\0';
		error_at(err, -ret, file, "write \"%s\"%s", text.text, maps->count > 1 ? " and more" : "");
		if (ret == -EINVAL && maps->count > 340)
			error_hint(err, "the kernel takes 340 ranges at the most");
	}
	return ret;
}

static bool is_own_id_alone(const struct spec_id_maps *maps, uint32_t own)
{
	return maps->count == 1 && maps->maps[0].count == 1 && maps->maps[0].host_id == own;
}

struct helper {
	const char *name;    /* "newuidmap" */
	const char *ranges;  /* the file that allows them */
	const char *field;   /* of config.json */
	const struct spec_id_maps *maps;
	char  path[4096];
	pid_t pid;
	int   pidfd, said;   /* reading end of its stderr */
};

/* /usr/bin first: a normal user's PATH counts only where the distribution has it elsewhere. */
static int helper_find(struct helper *helper, struct error *err)
{
	const char *dirs = getenv("PATH");

	snprintf(helper->path, sizeof(helper->path), "/usr/bin/%s", helper->name);
	if (access(helper->path, X_OK) == 0)
		return 0;
	while (dirs != NULL && geteuid() != 0) {
		size_t length = strcspn(dirs, ":");

		if (length > 0 && dirs[0] == '/' &&
		    snprintf(helper->path, sizeof(helper->path), "%.*s/%s", (int)length, dirs, helper->name) <
			    (int)sizeof(helper->path) && access(helper->path, X_OK) == 0)
			return 0;
		dirs = dirs[length] == ':' ? dirs + length + 1 : NULL;
	}
	error_at(err, ENOENT, helper->name, "find the helper program");
	return error_hint(err, "install it (Debian, Ubuntu: apt install uidmap; elsewhere: shadow-utils), or map your "
			       "own id alone (moss spec --rootless)");
}

static int helper_start(struct helper *helper, pid_t target, struct error *err)
{
	static char *const no_environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int      said[2];
	size_t   count = 0;

	if (helper_find(helper, err) < 0)
		return -err->code;
	/* program, pid, three numbers a range, NULL */
	char (*numbers)[12] = calloc(helper->maps->count * 3 + 1, sizeof(*numbers));
	char **argv = calloc(helper->maps->count * 3 + 3, sizeof(*argv));
	if (numbers == NULL || argv == NULL || pipe2(said, O_CLOEXEC) < 0) {
		free(numbers);
		free(argv);
		return error_at(err, errno, helper->path, "start");
	}
	snprintf(numbers[0], sizeof(numbers[0]), "%d", (int)target);
	argv[count++] = helper->path;
	argv[count++] = numbers[0];
	for (size_t i = 0; i < helper->maps->count; i++) {
		const uint32_t values[] = { helper->maps->maps[i].container_id, helper->maps->maps[i].host_id,
					    helper->maps->maps[i].count };
		for (size_t k = 0; k < array_size(values); k++) {
			char *number = numbers[1 + i * 3 + k];
			snprintf(number, sizeof(numbers[0]), "%u", values[k]);
			argv[count++] = number;
		}
	}
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, said[1], STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	int code = posix_spawn(&helper->pid, helper->path, &actions, &attributes, argv, no_environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	free(numbers);
	free(argv);
	close(said[1]);
	helper->said = said[0];
	if (code != 0)
		return helper->pid = 0, error_at(err, code, helper->path, "start");
	helper->pidfd = pidfd_open(helper->pid, 0);
	return helper->pidfd < 0 ? error_at(err, errno, helper->path, "pidfd_open") : 0;
}

static int helper_failed(const struct helper *helper, int status, struct error *err)
{
	char    text[512];
	ssize_t size = read(helper->said, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (WIFSIGNALED(status))
		error_at(err, EPERM, helper->path, "killed by signal %d: %s", WTERMSIG(status), text);
	else
		error_at(err, EPERM, helper->path, "exit status %d: %s", WEXITSTATUS(status), text);
	return error_hint(err, "every range of %s in config.json must lie within your lines of %s (your own id "
			       "may be added as one range of 1), and %s must be set-user-id root or have file "
			       "capabilities", helper->field, helper->ranges, helper->name);
}

static int helper_wait(struct helper *helper, struct error *err)
{
	struct pollfd ends = { .fd = helper->pidfd, .events = POLLIN };
	int status, ret;

	do
		ret = poll(&ends, 1, HELPER_TIMEOUT_MS);
	while (ret < 0 && errno == EINTR);
	if (ret == 0) {
		kill(helper->pid, SIGKILL);
		waitpid(helper->pid, &status, 0);
		helper->pid = 0;
		return error_at(err, ETIMEDOUT, helper->path, "no answer after %d s", HELPER_TIMEOUT_MS / 1000);
	}
	if (waitpid(helper->pid, &status, 0) < 0)
		return error_at(err, errno, helper->path, "wait");
	helper->pid = 0;
	return status == 0 ? 0 : helper_failed(helper, status, err);
}

static void helper_end(struct helper *helper)
{
	/* Set-user-id: it may not be ours to kill, but it does not run for long either. */
	if (helper->pid > 0) {
		kill(helper->pid, SIGKILL);
		waitpid(helper->pid, NULL, 0);
	}
	fd_close(&helper->pidfd);
	fd_close(&helper->said);
}

int idmap_write(pid_t pid, const struct spec_id_maps *uid_maps, const struct spec_id_maps *gid_maps,
		struct error *err)
{
	struct helper uid_helper = { "newuidmap", "/etc/subuid", "linux.uidMappings", uid_maps, "", 0, -1, -1 };
	struct helper gid_helper = { "newgidmap", "/etc/subgid", "linux.gidMappings", gid_maps, "", 0, -1, -1 };
	bool uid_direct = geteuid() == 0 || is_own_id_alone(uid_maps, geteuid());
	bool gid_direct = geteuid() == 0 || is_own_id_alone(gid_maps, getegid());
	char path[48];
	int  ret = 0;

	if (!uid_direct)
		ret = helper_start(&uid_helper, pid, err);
	if (ret == 0 && !gid_direct)
		ret = helper_start(&gid_helper, pid, err);
	if (ret == 0 && uid_direct)
		ret = write_directly(pid, "uid_map", uid_maps, err);
	if (ret == 0 && gid_direct) {
		/* user_namespaces(7): without CAP_SETGID outside, setgroups(2) must be given up first. */
		snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
		ret = geteuid() == 0 ? 0 : io_write_small(AT_FDCWD, path, "deny");
		ret = ret < 0 ? error_at(err, -ret, "setgroups", "write \"deny\"")
			      : write_directly(pid, "gid_map", gid_maps, err);
	}
	if (ret == 0 && !uid_direct)
		ret = helper_wait(&uid_helper, err);
	if (ret == 0 && !gid_direct)
		ret = helper_wait(&gid_helper, err);
	helper_end(&uid_helper);
	helper_end(&gid_helper);
	return ret;
}
