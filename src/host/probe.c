/* probe.c - see probe.h. Side: host. */
#define _GNU_SOURCE
#include "host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/run.h"
#include "base/str.h"
#include "base/sync.h"
#include "base/sys.h"
#include "host/caller.h"
#include "host/cgroup.h"
#include "host/cgroup_place.h"
#include "host/idmap.h"
#include "host/network.h"
#include "host/own_ids.h"
#include "host/state.h"

static void __attribute__((format(printf, 3, 4)))
found(struct probe_result *result, enum probe_status status, const char *format, ...)
{
	va_list ap;

	result->status = status;
	va_start(ap, format);
	vsnprintf(result->detail, sizeof(result->detail), format, ap);
	va_end(ap);
}

static void __attribute__((format(printf, 2, 3))) fix(struct probe_result *result, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(result->fix, sizeof(result->fix), format, ap);
	va_end(ap);
}

/* The words of an error, its hint as the fix. */
static void failed(struct probe_result *result, enum probe_status status, const struct error *err)
{
	struct error told = *err;
	char text[ERROR_TEXT_MAX];

	told.hint[0] = '\0';
	error_text(&told, text, sizeof(text));
	found(result, status, "%.500s", text);
	snprintf(result->fix, sizeof(result->fix), "%s", err->hint);
}

void probe_kernel(struct probe_result *result)
{
	/* Each with arguments that a kernel which knows the call refuses with anything but ENOSYS. */
	static const struct { const char *name; long number, a, b, c, d, e; } calls[] = {
		{ "clone3 (5.3)", SYS_clone3, 0, 0, 0, 0, 0 },
		{ "openat2 (5.6)", SYS_openat2, -1, 0, 0, 0, 0 },
		{ "pidfd_open (5.3)", SYS_pidfd_open, -1, 0, 0, 0, 0 },
		{ "close_range (5.9)", SYS_close_range, 1, 0, 0, 0, 0 },
		{ "fsopen (5.2)", SYS_fsopen, 0, -1, 0, 0, 0 },
		{ "open_tree (5.2)", SYS_open_tree, -1, 0, 0, 0, 0 },
		{ "move_mount (5.2)", SYS_move_mount, -1, 0, -1, 0, -1 },
		{ "mount_setattr (5.12)", SYS_mount_setattr, -1, 0, -1, 0, 0 },
	};
	struct utsname name;

	uname(&name);
	for (size_t i = 0; i < array_size(calls); i++) {
		if (syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, calls[i].d, calls[i].e) >= 0 ||
		    errno != ENOSYS)
			continue;
		found(result, PROBE_MISSING, "Linux %s has no %s", name.release, calls[i].name);
		fix(result, "use Linux 5.14 or newer; a seccomp filter around moss may hide the call, too");
		return;
	}
	found(result, PROBE_OK, "Linux %s", name.release);
}

/* What can be tried only inside: done by the child of try_inside(), which ends with 0 or an errno. */
static int mount_proc(void)
{
	fd_owned fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return errno;
	fd_owned tree = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return tree < 0 ? errno : 0;
}

static int mount_overlay(void)
{
	fd_owned fs = fsopen("overlay", FSOPEN_CLOEXEC);

	return fs < 0 ? errno : 0;
}

static int nothing(void)
{
	return 0;
}

/* Run @function in new user, mount and pid namespaces (as root: without the first), mapped when
 * @mapped says so. Returns 0, or -errno with @err set: what the clone, the mapping or the function
 * met. */
static int try_inside(int (*function)(void), const struct spec_id_maps *mapped, struct error *err)
{
	struct sync_message message;
	int socks[2], status = 0, ret = sync_pair(socks);
	uint64_t user = caller_get()->privileged ? 0 : CLONE_NEWUSER;
	struct sys_clone_args args = { .flags = user | CLONE_NEWNS | CLONE_NEWPID, .exit_signal = SIGCHLD };

	if (ret < 0)
		return error_set(err, -ret, "socketpair");
	pid_t pid = sys_clone3(&args);
	int   code = errno;
	if (pid == 0) {
		close(socks[0]);
		if (sync_receive(socks[1], &message) < 0 || message.kind != SYNC_MAPPED)
			_exit(255);
		_exit(function());
	}
	close(socks[1]);
	fd_owned sock = socks[0];
	if (pid < 0) {
		error_set(err, code, "clone3");
		return user ? caller_explain_user_ns(code, err) : -code;
	}
	ret = mapped ? idmap_write(pid, &mapped[OWN_UIDS], &mapped[OWN_GIDS], err) : 0;
	if (ret == 0)
		ret = sync_send(sock, SYNC_MAPPED, NULL, 0, -1);
	fd_close(&sock);
	waitpid(pid, &status, 0);
	if (ret < 0)
		return ret;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
		: error_set(err, WIFEXITED(status) ? WEXITSTATUS(status) : EIO, "tried inside");
}

static void probe_user_namespaces(struct probe_result *result)
{
	struct error err = { 0 };

	if (caller_get()->privileged)
		found(result, PROBE_OK, "not needed: %s", caller_get()->root ? "root" : "root of a surrounding user namespace");
	else if (try_inside(nothing, NULL, &err) < 0)
		failed(result, PROBE_MISSING, &err);
	else
		found(result, PROBE_OK, "can be made");
}

static void probe_ids(struct probe_result *result)
{
	struct spec_id_maps maps[2];
	struct error err = { 0 };
	arena_owned  arena = { NULL };
	unsigned long long count = 0;

	if (caller_get()->privileged) {
		found(result, PROBE_OK, "not needed");
		return;
	}
	if (own_ids_find(OWN_UIDS, &arena, &maps[OWN_UIDS], &err) < 0 ||
	    own_ids_find(OWN_GIDS, &arena, &maps[OWN_GIDS], &err) < 0 || try_inside(nothing, maps, &err) < 0) {
		failed(result, PROBE_DEGRADED, &err); /* one id can always be mapped: moss spec --rootless */
		return;
	}
	for (size_t i = 0; i < maps[OWN_UIDS].count; i++)
		count += maps[OWN_UIDS].maps[i].count;
	found(result, PROBE_OK, "%llu ids can be mapped", count);
	if (count < 65536)
		found(result, PROBE_DEGRADED, "%llu ids can be mapped; images may use up to 65536", count);
}

static void probe_proc(struct probe_result *result)
{
	struct error err = { 0 };

	if (try_inside(mount_proc, NULL, &err) == 0) {
		found(result, PROBE_OK, "a new procfs can be mounted");
		return;
	}
	failed(result, PROBE_MISSING, &err);
	if (err.code == EPERM && err.hint[0] == '\0')
		fix(result, "/proc is masked by a container around moss: start that one with --security-opt unmask=ALL, or "
			    "procMount: Unmasked");
}

static void probe_overlay(struct probe_result *result)
{
	struct error err = { 0 };

	if (try_inside(mount_overlay, NULL, &err) == 0) {
		found(result, PROBE_OK, "overlayfs is there");
		return;
	}
	failed(result, PROBE_DEGRADED, &err);
	fix(result, "modprobe overlay (as root); moss needs it only for mounts of type overlay");
}

static void probe_state(struct probe_result *result)
{
	state_root_owned root = { .fd = -1 };
	struct error err = { 0 };

	if (state_root_open(NULL, caller_get()->root, false, &root, &err) == 0 && root.fd < 0) {
		/* Not there yet: can it be made? */
		state_root_close(&root);
		if (state_root_open(NULL, caller_get()->root, true, &root, &err) == 0)
			rmdir(root.path);
	}
	if (root.fd < 0)
		failed(result, PROBE_MISSING, &err);
	else
		found(result, PROBE_OK, "%s", root.path);
}

#define SCOPE "systemd-run --user --scope -p Delegate=yes COMMAND"

static void probe_cgroup(struct probe_result *result)
{
	spec_owned   spec = { 0 };
	struct cgroup_place place;
	const struct cgroup_claim claim = { "doctor", 0, true };
	struct error err = { 0 };
	int  fd = -1;
	char id[32];

	snprintf(id, sizeof(id), "doctor-%d", (int)getpid());
	if (cgroup_place(&spec, id, CGROUP_MANAGER_FS, &place, &err) < 0 || place.path == NULL) {
		found(result, PROBE_DEGRADED, "there is no cgroup2 file system at /sys/fs/cgroup");
		fix(result, "boot with systemd.unified_cgroup_hierarchy=1; without it containers run without a cgroup");
		return;
	}
	if (cgroup_make(place.path, claim.mark, &fd, &err) < 0) {
		failed(result, PROBE_DEGRADED, &err);
		fix(result, "containers run without a cgroup of their own, but for those with limits; for one: moss --systemd-cgroup ..., or " SCOPE);
		return;
	}
	fd_close(&fd);
	(void)!cgroup_remove(place.path, &claim, &err);
	found(result, PROBE_OK, "containers get their own: %s", place.path);
}

/* Is @word among the words of @text, which blanks separate? */
static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (text += strspn(text, " "); *text != '\0'; text += strcspn(text, " "), text += strspn(text, " "))
		if (strcspn(text, " ") == length && strncmp(text, word, length) == 0)
			return true;
	return false;
}

#define NO_LIMITS "until then limits are refused, or left out with --degrade=warn"

/* cgroup.controllers of a cgroup, from the hierarchy's root; "" when it can't be read. */
static void controllers_of(const char *path, char *text, size_t size)
{
	char file[1200];

	snprintf(file, sizeof(file), "%s%s/cgroup.controllers", cgroup_hierarchy(), path);
	if (io_read_small(AT_FDCWD, file, text, size) < 0)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* Those that limits need and that are not among @controllers, a blank before each. */
static void missing_of(const char *controllers, char *missing, size_t size)
{
	static const char *const wanted[] = { "cpu", "memory", "pids", "io" };

	missing[0] = '\0';
	for (size_t i = 0; i < array_size(wanted); i++)
		if (!has_word(controllers, wanted[i]))
			snprintf(missing + strlen(missing), size - strlen(missing), " %s", wanted[i]);
}

/* What a scope of the user's manager would get, where that runs: what is in its own cgroup. */
static void fix_delegation(struct probe_result *result, bool scope_helps, const char *missing)
{
	unsigned user = caller_get()->user;
	char more[512] = "";

	if (missing[0] != '\0')
		snprintf(more, sizeof(more), "%sfor%s, as root: mkdir -p /etc/systemd/system/user@.service.d; printf '[Service]\\nDelegate=cpu cpuset "
			 "io memory pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf; systemctl daemon-reload; systemctl restart "
			 "user@%u, which ends what runs in it", scope_helps ? "; " : "", missing, user);
	fix(result, "%s%s", scope_helps ? SCOPE : "", more);
}

/* A user's: those of moss's own cgroup, when that is the user's at all; in a login session it is root's. */
static void probe_delegation(const char *own, struct probe_result *result)
{
	char path[1200], here[512], there[512], missing[128], missing_there[128];
	unsigned user = caller_get()->user;

	snprintf(path, sizeof(path), "%s%s", cgroup_hierarchy(), own);
	bool delegated = access(path, W_OK) == 0;
	controllers_of(own, here, sizeof(here));
	missing_of(here, missing, sizeof(missing));
	if (delegated && missing[0] == '\0') {
		found(result, PROBE_OK, "delegated here: %s", here);
		return;
	}
	snprintf(path, sizeof(path), "/user.slice/user-%u.slice/user@%u.service", user, user);
	controllers_of(path, there, sizeof(there));
	missing_of(there, missing_there, sizeof(missing_there));
	if (there[0] != '\0') {
		found(result, PROBE_DEGRADED, "%s%s; a scope of the user manager gets: %s",
		      delegated ? "not delegated to this cgroup:" : "none are delegated to this cgroup", delegated ? missing : "", there);
		fix_delegation(result, !delegated || strcmp(missing, missing_there) != 0, missing_there);
	} else if (delegated) {
		found(result, PROBE_DEGRADED, "not delegated to this cgroup:%s", missing);
		fix(result, "who delegated this cgroup must enable them in cgroup.subtree_control of the one above it");
	} else {
		found(result, PROBE_DEGRADED, "none are delegated to this cgroup, and there is no systemd user manager to delegate one");
		fix(result, "log in through systemd-logind, or as root: loginctl enable-linger %u; then " SCOPE, user);
	}
}

static void probe_controllers(struct probe_result *result)
{
	char controllers[512], missing[128], path[512] = "";
	const char *hierarchy = cgroup_hierarchy();
	bool root = caller_get()->root;

	/* Root's containers are below the hierarchy's root, not below moss's own cgroup. */
	if (hierarchy == NULL || (!root && !cgroup_path_of(0, path, sizeof(path)))) {
		found(result, PROBE_DEGRADED, "no cgroup2 file system");
		fix(result, "boot with systemd.unified_cgroup_hierarchy=1; " NO_LIMITS);
		return;
	}
	controllers_of("", controllers, sizeof(controllers)); /* of the root: what this host has */
	missing_of(controllers, missing, sizeof(missing));
	if (missing[0] != '\0' && strcmp(hierarchy, "/sys/fs/cgroup") != 0) {
		found(result, PROBE_DEGRADED, "the controllers belong to cgroup version 1 on this host (hybrid mode)");
		fix(result, "boot with systemd.unified_cgroup_hierarchy=1; " NO_LIMITS);
	} else if (!root) {
		probe_delegation(path, result);
	} else if (missing[0] != '\0') {
		found(result, PROBE_DEGRADED, "missing:%s", missing);
		fix(result, "boot a kernel that has them, without cgroup_disable= on its command line; " NO_LIMITS);
	} else {
		found(result, PROBE_OK, "there are: %s", controllers);
	}
}

static void probe_bus(struct probe_result *result)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "/run/user/%u/bus", (unsigned)caller_get()->user);
	if (caller_get()->root) {
		found(result, PROBE_OK, "not needed: root");
	} else if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		found(result, PROBE_OK, "%s", path);
	} else {
		found(result, PROBE_DEGRADED, "there is no user bus at %s", path);
		fix(result, "log in through systemd-logind, or as root: loginctl enable-linger %u", (unsigned)caller_get()->user);
	}
}

static void probe_tun(struct probe_result *result)
{
	fd_owned fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		found(result, PROBE_OK, "/dev/net/tun can be opened");
		return;
	}
	found(result, PROBE_DEGRADED, "/dev/net/tun: %s", strerror(errno));
	if (errno == ENOENT)
		fix(result, "modprobe tun (as root); in a container pass the device on (--device /dev/net/tun)");
	else if (errno == EACCES)
		fix(result, "chmod 0666 /dev/net/tun (as root)");
	else
		fix(result, "the device list of a container around moss refuses it: allow c 10:200 rwm there");
}

static void probe_seccomp(struct probe_result *result)
{
	unsigned action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		found(result, PROBE_OK, "filters can be loaded");
	else
		found(result, PROBE_DEGRADED, "this kernel has no seccomp filters: %s", strerror(errno));
}

static void probe_lsm(struct probe_result *result)
{
	char text[256];

	if (io_read_small(AT_FDCWD, "/sys/kernel/security/lsm", text, sizeof(text)) <= 0)
		found(result, PROBE_OK, "the list can't be read: neither AppArmor nor SELinux seems to be on");
	else
		found(result, PROBE_OK, "%s", text);
}

const struct probe probes[] = {
	{ "kernel calls",        true,  probe_kernel },
	{ "user namespaces",     true,  probe_user_namespaces },
	{ "subordinate ids",     false, probe_ids },
	{ "procfs",              true,  probe_proc },
	{ "state directory",     true,  probe_state },
	{ "cgroup",              false, probe_cgroup },
	{ "cgroup controllers",  false, probe_controllers },
	{ "user bus",            false, probe_bus },
	{ "overlayfs",           false, probe_overlay },
	{ "tun device",          false, probe_tun },
	{ "slirp",               false, network_probe },
	{ "seccomp",             false, probe_seccomp },
	{ "security modules",    false, probe_lsm },
	{ NULL, false, NULL },
};
