/* idmap.c - see idmap.h. Side: host. */
#define _GNU_SOURCE
#include "host/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/run.h"
#include "base/str.h"
#include "host/caller.h"

uint32_t idmap_first(const struct spec_id_maps *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->maps[i].container_id == 0)
			return 0;
	return maps->count > 0 ? maps->maps[0].container_id : 0;
}

const struct spec_id_map *idmap_find(const struct spec_id_maps *maps, uint32_t container_id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (container_id >= maps->maps[i].container_id && container_id - maps->maps[i].container_id < maps->maps[i].count)
			return &maps->maps[i];
	return NULL;
}

bool idmap_has_host(const struct spec_id_maps *maps, uint32_t host_id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (host_id >= maps->maps[i].host_id && host_id - maps->maps[i].host_id < maps->maps[i].count)
			return true;
	return false;
}

/* One line: "         0       1000          1". */
static int read_maps(pid_t pid, const char *file, struct arena *arena, struct spec_id_maps *maps, struct error *err)
{
	mem_owned char *text = NULL;
	char path[48], *line, *rest;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	if (io_read_file(AT_FDCWD, path, 64 * 1024, &text, err) < 0)
		return -err->code;
	*maps = (struct spec_id_maps){ NULL, 0 };
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		struct spec_id_map one, *grown;

		if (sscanf(line, "%u %u %u", &one.container_id, &one.host_id, &one.count) != 3)
			continue;
		grown = arena_grow(arena, maps->maps, maps->count, sizeof(*grown));
		if (grown == NULL)
			return error_set(err, ENOMEM, "read %s", file);
		grown[maps->count++] = one;
		maps->maps = grown;
	}
	return 0;
}

int idmap_read(pid_t pid, struct arena *arena, struct spec_id_maps *ret_uid_maps, struct spec_id_maps *ret_gid_maps,
	       struct error *err)
{
	if (read_maps(pid, "uid_map", arena, ret_uid_maps, err) < 0)
		return -err->code;
	return read_maps(pid, "gid_map", arena, ret_gid_maps, err);
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
		if (ret == -EPERM && idmap_has_host(maps, 0) && !(caller_get()->permitted & (UINT64_C(1) << CAP_SETFCAP)))
			error_hint(err, "host id 0 is one that only a holder of CAP_SETFCAP may map (Linux 5.12): give that to the "
					"container around moss (--cap-add SETFCAP)");
		else if (ret == -EPERM)
			error_hint(err, "every host id of the mapping must be one that the user namespace around moss has (see "
					"/proc/self/%s)", file);
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
	struct run  run;
};

static int helper_start(struct helper *helper, pid_t target, struct error *err)
{
	char   path[4096];
	size_t count = 0;

	if (run_find(helper->name, path, sizeof(path)) < 0) {
		error_at(err, ENOENT, helper->name, "find the helper program");
		return error_hint(err, "install it (Debian, Ubuntu: apt install uidmap; elsewhere: shadow-utils), or map "
				       "your own id alone (moss spec --rootless)");
	}
	/* program, pid, three numbers a range, NULL */
	char (*numbers)[12] = calloc(helper->maps->count * 3 + 1, sizeof(*numbers));
	char **argv = calloc(helper->maps->count * 3 + 3, sizeof(*argv));
	if (numbers == NULL || argv == NULL) {
		free(numbers);
		free(argv);
		return error_at(err, ENOMEM, path, "start");
	}
	snprintf(numbers[0], sizeof(numbers[0]), "%d", (int)target);
	argv[count++] = path;
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
	int ret = run_start(&helper->run, argv, STDERR_FILENO, err);
	free(numbers);
	free(argv);
	return ret;
}

/* Why a helper that should have worked did not: the causes that it can't see itself. */
static int helper_hint(const struct helper *helper, const char *said, struct error *err)
{
	struct statvfs mount;
	struct stat st;
	char   value[8];

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return error_hint(err, "no_new_privs is set on this process, so that set-user-id helpers have no effect: "
				       "start moss outside of what set it, or map your own id alone");
	if (stat(helper->run.path, &st) == 0 && (!(st.st_mode & S_ISUID) || st.st_uid != 0) &&
	    getxattr(helper->run.path, "security.capability", value, 0) <= 0)
		return error_hint(err, "%s is neither set-user-id root nor has file capabilities: chmod u+s %s (as root)",
				  helper->run.path, helper->run.path);
	if (statvfs(helper->run.path, &mount) == 0 && (mount.f_flag & ST_NOSUID))
		return error_hint(err, "%s is on a file system that is mounted nosuid, so that its set-user-id bit has no effect",
				  helper->run.path);
	if (strstr(said, "user name") != NULL)
		return error_hint(err, "uid %u has no name: add a line to /etc/passwd (as root), or map your own id alone",
				  (unsigned)geteuid());
	return error_hint(err, "every range of %s in config.json must lie within your lines of %s (your own id may be "
			       "added as one range of 1)", helper->field, helper->ranges);
}

static int helper_wait(struct helper *helper, struct error *err)
{
	char said[512];
	int  status = run_wait(&helper->run, said, sizeof(said), err);

	if (status <= 0)
		return status;
	said[strcspn(said, "\n")] = '\0';
	if (WIFSIGNALED(status))
		error_at(err, EPERM, helper->run.path, "killed by signal %d: %s", WTERMSIG(status), said);
	else
		error_at(err, EPERM, helper->run.path, "exit status %d: %s", WEXITSTATUS(status), said);
	return helper_hint(helper, said, err);
}

int idmap_write(pid_t pid, const struct spec_id_maps *uid_maps, const struct spec_id_maps *gid_maps,
		struct error *err)
{
	struct helper uid_helper = { "newuidmap", "/etc/subuid", "linux.uidMappings", uid_maps,
				     { .pidfd = -1, .output = -1 } };
	struct helper gid_helper = { "newgidmap", "/etc/subgid", "linux.gidMappings", gid_maps,
				     { .pidfd = -1, .output = -1 } };
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
		ret = caller_get()->permitted & (UINT64_C(1) << CAP_SETGID) ? 0 : io_write_small(AT_FDCWD, path, "deny");
		ret = ret < 0 ? error_at(err, -ret, "setgroups", "write \"deny\"")
			      : write_directly(pid, "gid_map", gid_maps, err);
	}
	if (ret == 0 && !uid_direct)
		ret = helper_wait(&uid_helper, err);
	if (ret == 0 && !gid_direct)
		ret = helper_wait(&gid_helper, err);
	run_end(&uid_helper.run);
	run_end(&gid_helper.run);
	return ret;
}
