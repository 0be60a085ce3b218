/* test_slirp_sandbox.c - unit test; what a process in moss-slirp's sandbox can still do (helpers/slirp/sandbox.h). Side: any.
 *
 * Needs a user namespace; where there is none, it is skipped. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/net.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helpers/slirp/sandbox.h"

static int sock; /* made outside: a TCP socket that is bound */

static long refused(long result)
{
	return result < 0 && errno == EPERM;
}

/* Where a call keeps its arguments in memory no filter sees them; other machines have no such call. */
static long refused_in_memory(void)
{
	_Alignas(16) char room[64];
	long ok = 1;

#ifdef SYS_socketcall
	for (int i = 0; i < 16; i++) { /* wherever: what allows a kind of socket(2) may look at this address */
		memcpy(room + i, (long[]){ AF_UNIX, SOCK_STREAM, 0 }, 3 * sizeof(long));
		ok &= refused(syscall(SYS_socketcall, SYS_SOCKET, room + i));
	}
#endif
#if defined(SYS_mmap2) && defined(SYS_mmap)
	unsigned long map[] = { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, (unsigned long)-1, 0 };

	ok &= refused(syscall(SYS_mmap, map, 0, PROT_READ, MAP_ANONYMOUS));
#endif
	(void)room;
	return ok;
}

/* In the sandbox. Each is one bit of the answer, set when it is as it should be. */
static unsigned tries(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct timespec now;
	char byte;
	unsigned ok = 0;

	/* What is refused by the filter. */
	ok |= (unsigned)refused(open("/", O_RDONLY)) << 0;
	ok |= (unsigned)refused(syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0)) << 1;
	ok |= (unsigned)refused(socket(AF_UNIX, SOCK_STREAM, 0)) << 2;
	ok |= (unsigned)refused(socket(AF_NETLINK, SOCK_RAW, 0)) << 3;
	ok |= (unsigned)refused(socket(AF_PACKET, SOCK_RAW, 0)) << 4;
	ok |= (unsigned)refused(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)) << 5;
	ok |= (unsigned)refused(listen(sock, 1)) << 6;
	ok |= (unsigned)refused(bind(sock, (struct sockaddr *)&any, sizeof(any))) << 7;
	ok |= (unsigned)refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) << 8;
	ok |= (unsigned)refused(execve("/bin/true", (char *[]){ NULL }, NULL)) << 9;
	ok |= (unsigned)refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) << 10;
	ok |= (unsigned)refused(unshare(CLONE_NEWUSER)) << 11;
	ok |= (unsigned)refused(kill(1, 0)) << 12;
	ok |= (unsigned)refused(syscall(SYS_memfd_create, "x", 0)) << 13;
	ok |= (unsigned)(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) << 14;
	ok |= (unsigned)refused(socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 })) << 15;
	ok |= (unsigned)refused(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0)) << 16;
	ok |= (unsigned)refused(syscall(SYS_io_uring_setup, 1, NULL)) << 17;
	/* What it lives on. */
	ok |= (unsigned)(socket(AF_INET, SOCK_STREAM, 0) >= 0) << 18;
	ok |= (unsigned)(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) >= 0) << 19;
	ok |= (unsigned)(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) << 20;
	ok |= (unsigned)(getpid() == 1) << 21;
	ok |= (unsigned)(recv(sock, &byte, 1, MSG_DONTWAIT) < 0 && errno != EPERM) << 22;
	ok |= (unsigned)refused_in_memory() << 23;
	ok |= (unsigned)(fcntl(sock, F_SETFL, O_NONBLOCK) == 0 && fcntl(sock, F_GETFL) >= 0) << 24;
	ok |= (unsigned)(clock_gettime(CLOCK_MONOTONIC_RAW, &now) == 0 && clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0) << 25;
	ok |= (unsigned)(send(sock, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EPERM) << 26;
	return ok;
}

struct answer {
	unsigned bits; /* 0: the sandbox can't be had here */
	char     why[256];
};

/* An emulator of user mode has a thread of its own in this process, and makes no namespaces. */
static bool is_emulated(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink > 3;
}

/* A host that lets nobody have namespaces, or nothing in them, refuses; everything else is a defect. */
static unsigned bits_of_failure(const struct error *err)
{
	if (err->code == EINVAL && is_emulated())
		return 0;
	return err->code == EPERM || err->code == EACCES || err->code == ENOSPC || err->code == ENOSYS ? 0 : 1u << 31;
}

/* All of it in a sandbox of its own. */
static void tries_inside(struct answer *answer)
{
	struct sandbox sandbox = { .may_bind = false };
	struct error err = { 0 };
	int ends[2], pidfd = -1;

#ifdef __SANITIZE_ADDRESS__
	snprintf(answer->why, sizeof(answer->why), "the shadow of the sanitizer is larger than all memory that the sandbox gives");
	return;
#endif
	sock = socket(AF_INET, SOCK_STREAM, 0);
	answer->bits = 1u << 31;
	if (sock < 0 || pipe(ends) < 0)
		return;
	pid_t pid = sandbox_clone(&sandbox, &pidfd, &err);
	if (pid == 0) {
		answer->bits = sandbox_enter(&sandbox, &err) == 0 ? tries() : bits_of_failure(&err);
		snprintf(answer->why, sizeof(answer->why), "%.250s", err.cause);
		(void)!write(ends[1], answer, sizeof(*answer));
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		answer->bits = bits_of_failure(&err);
		snprintf(answer->why, sizeof(answer->why), "%.250s", err.cause);
		return;
	}
	if (read(ends[0], answer, sizeof(*answer)) != sizeof(*answer))
		answer->bits = 1u << 31;
	waitpid(pid, NULL, 0);
}

static struct answer found;

static void what_a_broken_helper_can_do(void **state)
{
	(void)state;
	if (found.bits >> 31)
		fail_msg("no sandbox: %s", found.why);
	assert_int_equal(found.bits, (1u << 27) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_broken_helper_can_do) };

	tries_inside(&found);
	if (found.bits != 0)
		return cmocka_run_group_tests(tests, NULL, NULL);
	/* cmocka's own word for it is "not ok". */
	printf("1..1\nok 1 - what_a_broken_helper_can_do # SKIP %s\n", found.why);
	return 0;
}
