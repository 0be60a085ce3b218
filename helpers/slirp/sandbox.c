/* sandbox.c - see sandbox.h. Side: helper. */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/net.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

#define NOBODY 65534
#define FILES_MAX 4096 /* beside the published ports */
#define MEMORY_MAX (UINT64_C(2) << 30) /* addresses, of which a connection takes 256 KiB */

/* Root of the machine, and not of somebody else's user namespace, where nobody need not be mapped. */
static bool is_machines(void)
{
	char     map[128] = "";
	unsigned inside, outside, count;

	if (io_read_small(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) <= 0)
		return true;
	return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 && count == UINT32_MAX;
}

static int become_nobody(struct error *err)
{
	bool must = is_machines();

	if (setgroups(0, NULL) < 0 && must)
		return error_set(err, errno, "become nobody: setgroups");
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 && must)
		return error_set(err, errno, "become nobody: setresgid");
	if (setresuid(NOBODY, NOBODY, NOBODY) < 0 && must)
		return error_set(err, errno, "become nobody: setresuid");
	return 0;
}

pid_t sandbox_clone(struct sandbox *sandbox, int *ret_pidfd, struct error *err)
{
	struct sys_clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	if (geteuid() == 0 && become_nobody(err) < 0)
		return -err->code;
	/* Others that are nobody, or of the same user, are not to look into us. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_DUMPABLE");
	sandbox->uid = geteuid();
	sandbox->gid = getegid();
	pid_t pid = sys_clone3(&args);
	if (pid >= 0)
		return pid;
	error_set(err, errno, "make the sandbox: namespaces of moss-slirp's own");
	return err->code == ENOSPC ? error_hint(err, "sysctl user.max_user_namespaces says how many a user may have") : -err->code;
}

static int map_ids(uid_t uid, gid_t gid, struct error *err)
{
	char text[64];

	/* The maps are the user's own, to write, as long as they are. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_DUMPABLE");
	int ret = io_write_small(AT_FDCWD, "/proc/self/setgroups", "deny");

	snprintf(text, sizeof(text), "%u %u 1", (unsigned)uid, (unsigned)uid);
	if (ret == 0)
		ret = io_write_small(AT_FDCWD, "/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", (unsigned)gid, (unsigned)gid);
	if (ret == 0)
		ret = io_write_small(AT_FDCWD, "/proc/self/gid_map", text);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl PR_SET_DUMPABLE");
	return ret < 0 ? error_set(err, -ret, "map the ids of the sandbox") : 0;
}

/* An empty file system that can't be written takes the place of the host's tree. */
static int leave_tree(struct error *err)
{
	fd_owned fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4096", 0) < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_set(err, errno, "make the sandbox's file system");
	fd_owned tree = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (tree < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    move_mount(tree, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(tree) < 0 || sys_pivot_root(".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_set(err, errno, "enter the sandbox's file system");
	return 0;
}

static int set_limits(unsigned ports, struct error *err)
{
	const struct { __rlimit_resource_t resource; rlim_t max; } limits[] = {
		{ RLIMIT_NOFILE, FILES_MAX + ports }, { RLIMIT_AS, (rlim_t)MEMORY_MAX }, { RLIMIT_CORE, 0 }, { RLIMIT_FSIZE, 0 },
		{ RLIMIT_MEMLOCK, 0 }, { RLIMIT_MSGQUEUE, 0 }, { RLIMIT_NPROC, 0 },
	};

	for (size_t i = 0; i < array_size(limits); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i].resource, &limit) < 0)
			return error_set(err, errno, "getrlimit");
		if (limit.rlim_max > limits[i].max)
			limit.rlim_max = limits[i].max;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[i].resource, &limit) < 0)
			return error_set(err, errno, "setrlimit");
	}
	return 0;
}

static int drop_capabilities(struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return error_set(err, errno, "drop capability %d", cap);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		return error_set(err, errno, "drop the capabilities");
	return 0;
}

#ifdef SYS_socketcall
/* For libslirp, whose calls come here: libc has socketcall(2) for it, see refuse_socketcall(). */
int socket(int family, int kind, int protocol)
{
	return (int)syscall(SYS_socket, family, kind, protocol);
}
#endif

/* libc's mmap(3). Where there are both, the arguments of the other one are in memory, where no filter sees them. */
#ifdef SYS_mmap2
#define CALL_MMAP SCMP_SYS(mmap2)
#else
#define CALL_MMAP SCMP_SYS(mmap)
#endif

/* What libslirp, glib's and libc's memory, and our own loop call. Nothing opens a file, makes a process, a listening
 * socket or one of AF_UNIX: the host's abstract ones are in reach, as are its ports. */
static int allow_calls(scmp_filter_ctx filter, bool may_bind)
{
	static const int calls[] = {
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
		SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(connect), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown),
		SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(close),
		SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
		SCMP_SYS(munmap), SCMP_SYS(brk), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
		SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
		SCMP_SYS(exit), SCMP_SYS(exit_group),
		/* Machines of 32 bits, by libc's choice; libseccomp leaves out what a machine does not have. */
		SCMP_SYS(recv), SCMP_SYS(send),                        /* recvfrom, sendto: each a socketcall(2) of its own */
		SCMP_SYS(clock_gettime64), SCMP_SYS(futex_time64),     /* the same with times of 64 bits */
	};
	static const int families[] = { AF_INET, AF_INET6 }, kinds[] = { SOCK_STREAM, SOCK_DGRAM }, commands[] = {
		F_GETFL, F_SETFL, F_GETFD, F_SETFD };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < array_size(calls); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; ret == 0 && i < 2 * array_size(commands); i++) /* 32 bits: fcntl64, whose locks have offsets of 64 */
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, i % 2 == 0 ? SCMP_SYS(fcntl) : SCMP_SYS(fcntl64), 1,
				       SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i / 2], 0));
	for (size_t i = 0; ret == 0 && i < 4; i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i / 2], 0),
				       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, (scmp_datum_t)kinds[i % 2]));
	if (ret == 0)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
	if (ret == 0)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONBIO, 0));
	if (ret == 0) /* memory that is code: never */
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL_MMAP, 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				       SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
	if (ret == 0)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (ret == 0 && may_bind)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0);
	return ret;
}

/* @ret: whether its rules could be made. Takes the filter. */
static int load(scmp_filter_ctx filter, int ret)
{
	if (ret == 0)
		ret = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (ret == 0)
		ret = seccomp_load(filter); /* which sets no_new_privs, too */
	if (filter != NULL)
		seccomp_release(filter);
	return ret;
}

/* socketcall(2) has the family of a socket in memory, where no filter sees it. libseccomp's rules for socket(2) are for it,
 * too, and take the address for the kind of socket; of two filters the stricter one wins. */
static int refuse_socketcall(void)
{
#ifdef SYS_socketcall
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	return load(filter, filter == NULL ? -ENOMEM
					   : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socketcall), 1,
							      SCMP_A0(SCMP_CMP_EQ, SYS_SOCKET, 0)));
#else
	return 0;
#endif
}

static int filter_calls(bool may_bind, struct error *err)
{
	int ret = refuse_socketcall();

	if (ret == 0) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

		ret = load(filter, filter != NULL ? allow_calls(filter, may_bind) : -ENOMEM);
	}
	return ret < 0 ? error_set(err, -ret, "load the filter of system calls") : 0;
}

int sandbox_enter(const struct sandbox *sandbox, struct error *err)
{
	if (map_ids(sandbox->uid, sandbox->gid, err) < 0 || leave_tree(err) < 0 || set_limits(sandbox->ports, err) < 0 || drop_capabilities(err) < 0)
		return -err->code;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl");
	return filter_calls(sandbox->may_bind, err);
}
