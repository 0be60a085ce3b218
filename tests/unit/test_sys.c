/* test_sys.c - unit test; one test per rule stated in base/sys.h that needs no privilege. Side: any. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/sys.h"

static void handler(int number)
{
	(void)number;
}

/* Returns the first signal that is not as sys_signals_reset() promises, 0 for none, 255 for the mask. */
static int reset_and_look(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, now;
	sigset_t mask;

	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGRTMAX, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &action.sa_mask, NULL);
	sys_signals_reset();
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (sigaction(number, NULL, &now) < 0)
			continue; /* libc's own */
		if (now.sa_handler != SIG_DFL || !sigisemptyset(&now.sa_mask))
			return number;
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	return sigisemptyset(&mask) ? 0 : 255;
}

static void every_signal_is_at_its_default_and_none_is_blocked(void **state)
{
	int status;

	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(reset_and_look());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_signal_is_at_its_default_and_none_is_blocked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
