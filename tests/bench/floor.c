/* floor.c - the least that running a program in a default container can cost.
 *
 * usage: floor [--user | --no-device-list] ROOTFS CMD [ARGS...]
 *
 * Makes only the kernel calls that the job of `runc spec && runc run` needs:
 * no config.json, no state on disk, no hooks, no terminal, no create/start
 * split. What a container runtime takes beyond this program's time is its own.
 *
 * Needs: Linux 5.14. As root: nothing more; a writable cgroup v2 tree is used
 *        if there is one. As a normal user (--user): user namespaces.
 *        ROOTFS has CMD and the directories proc, dev and sys.
 *        cc -O2 -Wall -static -o floor floor.c
 * Gives: CMD's exit status (128+N if signal N killed it); 125 and one line on
 *        standard error if a step failed. Leaves nothing behind.
 *
 * In both cases: new pid, ipc, uts, mount and cgroup namespaces, read-only
 * root, the default mounts, devices, links, masked and read-only paths, three
 * capabilities, no_new_privs, a NOFILE limit of 1024, an own session and keyring.
 * As root also a network namespace, an own cgroup and the deny-all device list.
 * (--no-device-list: without the last, for comparisons where a peer can't have it.)
 * With --user also a user namespace where 0 is the caller, and nobody else is.
 *
 * mount(2) is used where one call does it, the newer calls where they replace
 * a bind and a remount. Mounts are made by paths relative to the new root,
 * which is trusted here: a real runtime can't do that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_BROKEN = 125, SAFE = MS_NOSUID | MS_NOEXEC | MS_NODEV };

static const struct {
	const char *path, *host_path;
	unsigned    major, minor;
} devices[] = {
	{ "dev/null",    "/dev/null",    1, 3 },
	{ "dev/zero",    "/dev/zero",    1, 5 },
	{ "dev/full",    "/dev/full",    1, 7 },
	{ "dev/random",  "/dev/random",  1, 8 },
	{ "dev/urandom", "/dev/urandom", 1, 9 },
	{ "dev/tty",     "/dev/tty",     5, 0 },
};

static const char *const links[][2] = {
	{ "/proc/self/fd",   "dev/fd" },
	{ "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" },
	{ "/proc/self/fd/2", "dev/stderr" },
	{ "pts/ptmx",        "dev/ptmx" },
};

static const char *const masked_paths[] = {
	"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const int capabilities[] = { CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE };

/* Pass on a call's result, or say which call failed and end: in the child this ends the container. */
static int must(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(EXIT_BROKEN);
	}
	return (int)result;
}

/* ---- host side: the cgroup ---- */

/* Make a cgroup for this run, its path into @path. Returns its fd, or -1 if no cgroup v2 tree can be written. */
static int cgroup_create(char *path, size_t size)
{
	const char *const trees[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		if (statfs(trees[i], &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		snprintf(path, size, "%s/floor-%d", trees[i], getpid());
		if (mkdir(path, 0755) == 0)
			return must(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
	}
	return -1;
}

#define ANY (-1)
static const struct {
	int type, major, minor, access;
} device_rules[] = { /* what runtimes allow under "deny everything": the default devices, and making nodes */
	{ BPF_DEVCG_DEV_CHAR, 1, 3, ANY },   { BPF_DEVCG_DEV_CHAR, 1, 5, ANY }, { BPF_DEVCG_DEV_CHAR, 1, 7, ANY },
	{ BPF_DEVCG_DEV_CHAR, 1, 8, ANY },   { BPF_DEVCG_DEV_CHAR, 1, 9, ANY }, { BPF_DEVCG_DEV_CHAR, 5, 0, ANY },
	{ BPF_DEVCG_DEV_CHAR, 136, ANY, ANY }, { BPF_DEVCG_DEV_CHAR, 5, 2, ANY },
	{ BPF_DEVCG_DEV_CHAR, ANY, ANY, BPF_DEVCG_ACC_MKNOD }, { BPF_DEVCG_DEV_BLOCK, ANY, ANY, BPF_DEVCG_ACC_MKNOD },
};

#define LOAD(reg, field) \
	((struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = reg, .src_reg = BPF_REG_1, \
			    .off = offsetof(struct bpf_cgroup_dev_ctx, field) })
#define ALU(op, reg, value) ((struct bpf_insn){ .code = BPF_ALU64 | (op) | BPF_K, .dst_reg = reg, .imm = (value) })
#define COPY(to, from) ((struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from })
#define UNLESS_EQUAL(reg, value) ((struct bpf_insn){ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = reg, .imm = (value) })
#define LEAVE ((struct bpf_insn){ .code = BPF_JMP | BPF_EXIT })

/* Write the device list as a program: r2 type, r3 access, r4 major, r5 minor; each rule allows or falls through. */
static uint32_t device_program_write(struct bpf_insn *program)
{
	struct bpf_insn *p = program;

	*p++ = LOAD(BPF_REG_2, access_type);
	*p++ = COPY(BPF_REG_3, BPF_REG_2);
	*p++ = ALU(BPF_AND, BPF_REG_2, 0xffff);
	*p++ = ALU(BPF_RSH, BPF_REG_3, 16);
	*p++ = LOAD(BPF_REG_4, major);
	*p++ = LOAD(BPF_REG_5, minor);
	for (size_t i = 0; i < sizeof(device_rules) / sizeof(device_rules[0]); i++) {
		struct bpf_insn *rule = p, *end;

		*p++ = UNLESS_EQUAL(BPF_REG_2, device_rules[i].type);
		if (device_rules[i].access != ANY) {
			*p++ = COPY(BPF_REG_0, BPF_REG_3);
			*p++ = ALU(BPF_AND, BPF_REG_0, ~device_rules[i].access);
			*p++ = UNLESS_EQUAL(BPF_REG_0, 0);
		}
		if (device_rules[i].major != ANY)
			*p++ = UNLESS_EQUAL(BPF_REG_4, device_rules[i].major);
		if (device_rules[i].minor != ANY)
			*p++ = UNLESS_EQUAL(BPF_REG_5, device_rules[i].minor);
		*p++ = ALU(BPF_MOV, BPF_REG_0, 1);
		*p++ = LEAVE;
		end = p;
		for (; rule < end; rule++) /* jumps count from the instruction after them */
			if (rule->code == (BPF_JMP | BPF_JNE | BPF_K))
				rule->off = (int16_t)(end - rule - 1);
	}
	*p++ = ALU(BPF_MOV, BPF_REG_0, 0);
	*p++ = LEAVE;
	return (uint32_t)(p - program);
}

static void cgroup_limit_devices(int cgroup_fd)
{
	struct bpf_insn program[128];
	union bpf_attr load, attach;

	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uintptr_t)program;
	load.insn_cnt = device_program_write(program);
	load.license = (uintptr_t)"GPL";
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)cgroup_fd;
	attach.attach_bpf_fd = (uint32_t)must(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)), "load the device list");
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	must(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)), "attach the device list");
	close((int)attach.attach_bpf_fd);
}

/* ---- container side, in the order of the calls ---- */

static void file_write(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CLOEXEC), path);

	must(write(fd, text, strlen(text)), path);
	close(fd);
}

/* The child writes its own maps: with one id nobody else's help is needed, and nobody has to wait. */
static void id_map_write(uid_t host_uid, gid_t host_gid)
{
	char line[32];

	snprintf(line, sizeof(line), "0 %u 1", host_uid);
	file_write("/proc/self/uid_map", line);
	file_write("/proc/self/setgroups", "deny");
	snprintf(line, sizeof(line), "0 %u 1", host_gid);
	file_write("/proc/self/gid_map", line);
}

/* Put a copy of @rootfs over itself, read-only, and go there. Its parts may still be mounted upon. */
static void root_enter(const char *rootfs)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd;

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make / private");
	fd = must(open_tree(AT_FDCWD, rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), rootfs);
	must(mount_setattr(fd, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)), "make the root read-only");
	must(move_mount(fd, "", AT_FDCWD, rootfs, MOVE_MOUNT_F_EMPTY_PATH), "mount the root");
	must(fchdir(fd), "enter the root");
	close(fd);
}

static void mounts_make(bool user)
{
	must(mount("proc", "proc", "proc", 0, NULL), "mount proc");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "mount dev");
	must(mkdir("dev/pts", 0755), "mkdir dev/pts");
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   user ? "newinstance,ptmxmode=0666,mode=0620" : "newinstance,ptmxmode=0666,mode=0620,gid=5"), "mount devpts");
	must(mkdir("dev/shm", 0755), "mkdir dev/shm");
	must(mount("shm", "dev/shm", "tmpfs", SAFE, "mode=1777,size=65536k"), "mount shm");
	must(mkdir("dev/mqueue", 0755), "mkdir dev/mqueue");
	must(mount("mqueue", "dev/mqueue", "mqueue", SAFE, NULL), "mount mqueue");
	if (user) { /* a new sysfs needs a network namespace of one's own: the host's, all of it, read-only */
		struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV };
		int fd = must(open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE), "open /sys");

		must(mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)), "make /sys read-only");
		must(move_mount(fd, "", AT_FDCWD, "sys", MOVE_MOUNT_F_EMPTY_PATH), "mount /sys");
		close(fd);
	} else {
		must(mount("sysfs", "sys", "sysfs", SAFE | MS_RDONLY, NULL), "mount sysfs");
	}
	if (mount("cgroup2", "sys/fs/cgroup", "cgroup2", SAFE | MS_RELATIME | MS_RDONLY, NULL) < 0 && !(user && errno == EBUSY))
		must(-1, "mount cgroup2"); /* EBUSY: in the root cgroup, what came with /sys is the same already */
}

static void devices_make(bool user)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		const char *path = devices[i].path;

		if (user) {
			must(mknod(path, S_IFREG | 0666, 0), path);
			must(mount(devices[i].host_path, path, NULL, MS_BIND, NULL), path);
		} else {
			must(mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)), path);
		}
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		must(symlink(links[i][0], links[i][1]), links[i][1]);
}

static void root_pivot(void)
{
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "unmount the old root"); /* it lies on top of the new one */
	must(chdir("/"), "chdir /");
}

/* Hide a file behind /dev/null, a directory behind an empty one; all directories share one. */
static void paths_mask(void)
{
	const char *empty = NULL;

	for (size_t i = 0; i < sizeof(masked_paths) / sizeof(masked_paths[0]); i++) {
		const char *path = masked_paths[i];

		if (mount("/dev/null", path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		if (errno != ENOTDIR)
			must(-1, path);
		if (empty == NULL)
			must(mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1"), path);
		else
			must(mount(empty, path, NULL, MS_BIND, NULL), path);
		empty = empty != NULL ? empty : path;
	}
}

static void paths_make_readonly(void)
{
	for (size_t i = 0; i < sizeof(readonly_paths) / sizeof(readonly_paths[0]); i++) {
		const char *path = readonly_paths[i];

		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0)
			must(mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), path);
		else if (errno != ENOENT)
			must(-1, path);
	}
}

static void capabilities_limit(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };
	uint64_t kept = 0;

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		kept |= UINT64_C(1) << capabilities[i];
	for (int capability = 0; capability < 64; capability++)
		if ((kept >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			break; /* EINVAL: the kernel knows no more of them */
	for (int i = 0; i < 2; i++)
		sets[i].effective = sets[i].permitted = (uint32_t)(kept >> 32 * i);
	must(syscall(SYS_capset, &header, sets), "capset");
}

static void container_run(bool user, uid_t host_uid, gid_t host_gid, char **argv)
{
	const struct rlimit files = { 1024, 1024 };
	char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL };

	if (user)
		id_map_write(host_uid, host_gid);
	must(setsid(), "setsid");
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL); /* over the user's quota: go on without one */
	umask(0);
	root_enter(argv[0]);
	mounts_make(user);
	devices_make(user);
	root_pivot();
	paths_mask();
	paths_make_readonly();
	must(sethostname("floor", 5), "sethostname");
	must(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	if (!user)
		must(setgroups(0, NULL), "setgroups");
	umask(022);
	capabilities_limit();
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(close_range(3, ~0u, CLOSE_RANGE_CLOEXEC), "close_range");
	must(execve(argv[1], argv + 1, environment), argv[1]);
}

int main(int argc, char **argv)
{
	bool user = argc > 1 && strcmp(argv[1], "--user") == 0;
	bool device_list = argc > 1 && strcmp(argv[1], "--no-device-list") != 0;
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	uid_t host_uid = geteuid();
	gid_t host_gid = getegid();
	char cgroup_path[64];
	int cgroup_fd = -1, status;
	pid_t pid;

	argv += user || !device_list ? 2 : 1;
	if (argc < 3 || argv[0] == NULL || argv[1] == NULL) {
		fprintf(stderr, "usage: floor [--user | --no-device-list] ROOTFS CMD [ARGS...]\n");
		return EXIT_BROKEN;
	}
	args.flags |= user ? CLONE_NEWUSER : CLONE_NEWNET;
	if (!user)
		cgroup_fd = cgroup_create(cgroup_path, sizeof(cgroup_path));
	if (cgroup_fd >= 0) {
		if (device_list)
			cgroup_limit_devices(cgroup_fd);
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)cgroup_fd;
	}

	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		container_run(user, host_uid, host_gid, argv);
	if (pid < 0)
		fprintf(stderr, "floor: clone3: %s\n", strerror(errno));
	else
		must(waitpid(pid, &status, 0), "waitpid");
	if (cgroup_fd >= 0 && rmdir(cgroup_path) < 0)
		fprintf(stderr, "floor: rmdir %s: %s\n", cgroup_path, strerror(errno));
	if (pid < 0)
		return EXIT_BROKEN;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
