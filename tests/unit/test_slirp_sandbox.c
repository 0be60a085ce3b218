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
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/slirp/sandbox.h"

static int sock; /* made outside: a TCP socket that is bound */

static long refused(long result)
{
	return result < 0 && errno == EPERM;
}

/* In the sandbox. Each is one bit of the answer, set when it is as it should be. */
static unsigned tries(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
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
	return ok;
}

/* All of it in a sandbox of its own. Returns the bits; 0: the sandbox can't be had here, @why. */
static unsigned tries_inside(char *why, size_t size)
{
	struct sandbox sandbox = { .may_bind = false };
	struct error err = { 0 };
	int ends[2], pidfd = -1;
	unsigned answer = 0;

#ifdef __SANITIZE_ADDRESS__
	snprintf(why, size, "the shadow of the sanitizer is larger than all memory that the sandbox gives");
	return 0;
#endif
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (sock < 0 || pipe(ends) < 0)
		return 0;
	pid_t pid = sandbox_clone(&sandbox, &pidfd, &err);
	if (pid == 0) {
		if (sandbox_enter(&sandbox, &err) == 0)
			answer = tries();
		else
			(void)!write(ends[1], err.cause, sizeof(err.cause) / 4);
		(void)!write(ends[1], &answer, sizeof(answer));
		_exit(0);
	}
	close(ends[1]);
	snprintf(why, size, "%.250s", err.cause);
	if (pid < 0)
		return 0;
	char text[sizeof(err.cause)] = "";
	ssize_t count = read(ends[0], text, sizeof(text) - 1);
	waitpid(pid, NULL, 0);
	if (count == sizeof(answer))
		memcpy(&answer, text, sizeof(answer));
	else
		snprintf(why, size, "%.250s", text);
	return answer;
}

static unsigned found;

static void what_a_broken_helper_can_do(void **state)
{
	(void)state;
	assert_int_equal(found, (1u << 23) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_broken_helper_can_do) };
	char why[300] = "";

	found = tries_inside(why, sizeof(why));
	if (found != 0)
		return cmocka_run_group_tests(tests, NULL, NULL);
	/* cmocka's own word for it is "not ok". */
	printf("1..1\nok 1 - what_a_broken_helper_can_do # SKIP %s\n", why);
	return 0;
}
