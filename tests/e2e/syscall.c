/* syscall.c - one system call, and what became of it; the program of containers whose filter is tested.
 *
 * syscall [HOW] NAME|NUMBER [ARG...]   prints "N" or "errno N"
 * HOW: i386     the call of that architecture, from a 64-bit program
 *      trap     with a handler of SIGSYS: prints "SIGSYS NUMBER"
 *      trace    below a tracer: prints "traced DATA"
 *      thread   in a second thread, then what became of the first: prints "lives"
 *      bare     nothing but this call and exit_group(2)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *name;
	long        number;
} names[] = {
	{ "getpid", SYS_getpid }, { "getppid", SYS_getppid }, { "personality", SYS_personality }, { "mkdirat", SYS_mkdirat },
	{ "clone3", SYS_clone3 }, { "unshare", SYS_unshare }, { "socket", SYS_socket }, { "prlimit64", SYS_prlimit64 },
	{ "swapoff", SYS_swapoff }, { "keyctl", SYS_keyctl }, { "clone", SYS_clone }, { "kill", SYS_kill }, { "statx", SYS_statx },
};

static long number, args[6];

static long call(int i386)
{
	if (!i386)
		return syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
#if defined(__x86_64__)
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(number), "b"(args[0]), "c"(args[1]), "d"(args[2]), "S"(args[3]), "D"(args[4])
			 : "memory", "r8", "r9", "r10", "r11");
	ret = (int)ret;
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
#endif
	return -1;
}

static int tell(long ret)
{
	if (ret < 0)
		printf("errno %d\n", errno);
	else
		printf("%ld\n", ret);
	return fflush(stdout) != 0;
}

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	printf("SIGSYS %d\n", info->si_syscall);
	fflush(stdout);
	_exit(0);
}

static int trace(void)
{
	int   status;
	unsigned long data = 0;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		call(0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	if (status >> 8 != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
		return printf("not traced: %x\n", (unsigned)status), 1;
	ptrace(PTRACE_GETEVENTMSG, pid, 0, &data);
	return printf("traced %lu\n", data) < 0;
}

static void *in_thread(void *unused)
{
	(void)unused;
	call(0);
	return NULL;
}

static int thread(void)
{
	pthread_t one;

	pthread_create(&one, NULL, in_thread, NULL);
	pthread_join(one, NULL);
	return puts("lives") < 0;
}

int main(int argc, char **argv)
{
	static const char *const hows[] = { "i386", "trap", "trace", "thread", "bare", NULL };
	const char *how = "";
	int at = 1;

	for (int i = 0; hows[i] != NULL && argc > 2; i++)
		if (strcmp(argv[1], hows[i]) == 0)
			how = hows[i], at = 2;
	number = strtol(argv[at], NULL, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(argv[at], names[i].name) == 0)
			number = names[i].number;
	for (int i = 0; i < 6 && argv[at + i] != NULL && argv[at + 1 + i] != NULL; i++)
		args[i] = (long)strtoul(argv[at + 1 + i], NULL, 0);
	if (strcmp(how, "bare") == 0) {
		call(0);
		_exit(0);
	}
	if (strcmp(how, "trap") == 0) {
		struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

		sigaction(SIGSYS, &action, NULL);
	}
	if (strcmp(how, "trace") == 0)
		return trace();
	return strcmp(how, "thread") == 0 ? thread() : tell(call(strcmp(how, "i386") == 0));
}
