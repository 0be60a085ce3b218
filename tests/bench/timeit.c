/* timeit.c - time several commands side by side, with little noise of its own.
 *
 * usage: timeit [-n RUNS] [-w WARMUPS] FILE
 *
 * Needs: nothing but the right to run the commands. Linux, libc only:
 *        cc -O2 -Wall -o timeit timeit.c
 * Gives: on standard output one tab-separated line per command and step:
 *        name, step number (or "total"), median, 10th and 90th percentile in ms, and the ratio
 *        "first command / this one": median, 10th and 90th percentile.
 *        A command that failed gives: name, "failed", what happened.
 *        Exit status 0, or 1 if a command failed, 2 if nothing could be timed.
 *
 * FILE has one command a line, its words separated by tabs; the first word is
 * its name, lines without a tab are skipped. Two words are special: ";" ends a
 * step (each step is a program of its own and timed by itself, and a step
 * "total" is added), ";reap" does so too and then waits, untimed, for every
 * process that the earlier steps left behind: so `start ;reap delete` deletes
 * a container that has ended.
 *
 * Every round runs every command once, in a new order: slow drift of the
 * machine, and what one command leaves for the kernel to clean up, hits all of
 * them alike. The ratio compares within a round, which is why its median can
 * differ a little from the ratio of the medians.
 *
 * Commands are started by posix_spawn (no copy of this process is made), get
 * /dev/null as standard input and output, and are killed after a minute.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS_MAX = 32, STEPS_MAX = 8, WORDS_MAX = 64, STEP_LIMIT_S = 60, REAP_LIMIT_MS = 10000 };

struct step {
	char *words[WORDS_MAX]; /* NULL-terminated */
	bool reap_first;
};

struct command {
	char       *name;
	struct step steps[STEPS_MAX];
	int         step_count;
	double     *ms[STEPS_MAX + 1]; /* per step, then the total: one value per round */
	char        failure[200];      /* empty: none so far */
};

extern char **environ;

static struct command commands[COMMANDS_MAX];
static int command_count;
static volatile sig_atomic_t running_pid;

static void fail(const char *what)
{
	fprintf(stderr, "timeit: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void complain(const char *what)
{
	fprintf(stderr, "timeit: %s\n", what);
	exit(2);
}

/* SIGALRM: a step took too long; its death is then seen as its failure. */
static void kill_running(int signal_number)
{
	(void)signal_number;
	if (running_pid > 0)
		kill(running_pid, SIGKILL);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Split one line of the file into a command. The line is kept and pointed into. */
static void command_parse(char *line, struct command *command)
{
	struct step *step = command->steps;
	int words = 0;
	char *word;

	command->name = strsep(&line, "\t");
	command->step_count = 1;
	while ((word = strsep(&line, "\t")) != NULL) {
		bool reap = strcmp(word, ";reap") == 0;

		if (!reap && strcmp(word, ";") != 0) {
			if (words == WORDS_MAX - 1)
				complain("too many words in a command");
			step->words[words++] = word;
			continue;
		}
		if (words == 0 || command->step_count == STEPS_MAX)
			complain("an empty step, or too many of them");
		step = &command->steps[command->step_count++];
		step->reap_first = reap;
		words = 0;
	}
	if (words == 0)
		complain("a command ends with an empty step");
}

static void commands_read(const char *path, int rounds)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	if (file == NULL)
		fail(path);
	while ((length = getline(&line, &size, file)) >= 0) {
		if (strchr(line, '\t') == NULL)
			continue;
		if (command_count == COMMANDS_MAX)
			complain("too many commands");
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		command_parse(line, &commands[command_count]);
		for (int i = 0; i <= STEPS_MAX; i++)
			if ((commands[command_count].ms[i] = calloc((size_t)rounds, sizeof(double))) == NULL)
				fail("calloc");
		command_count++;
		line = NULL; /* the command points into it: the next line gets its own */
		size = 0;
	}
	free(line);
	fclose(file);
	if (command_count == 0)
		complain("no commands in the file");
}

/* Wait for every process that was left to us. Returns false if one stays. */
static bool orphans_wait(void)
{
	const struct timespec pause = { .tv_nsec = 200000 };
	double start_ms = now_ms();

	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		if (now_ms() - start_ms > REAP_LIMIT_MS)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* Run one step. Returns its milliseconds, or -1 with command->failure written. */
static double step_run(struct command *command, struct step *step, const posix_spawn_file_actions_t *files)
{
	double start_ms;
	pid_t pid;
	int status, error;

	if (step->reap_first && !orphans_wait()) {
		snprintf(command->failure, sizeof(command->failure), "before %s: a process did not end", step->words[0]);
		return -1;
	}
	alarm(STEP_LIMIT_S);
	start_ms = now_ms();
	error = posix_spawnp(&pid, step->words[0], files, NULL, step->words, environ);
	if (error != 0) {
		snprintf(command->failure, sizeof(command->failure), "%s: %s", step->words[0], strerror(error));
		return -1;
	}
	running_pid = pid;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	start_ms = now_ms() - start_ms;
	running_pid = 0;
	alarm(0);
	if (status == 0)
		return start_ms;
	if (WIFSIGNALED(status))
		snprintf(command->failure, sizeof(command->failure), "%s: killed by signal %d", step->words[0], WTERMSIG(status));
	else
		snprintf(command->failure, sizeof(command->failure), "%s: exit status %d", step->words[0], WEXITSTATUS(status));
	return -1;
}

static void command_run(struct command *command, int round, const posix_spawn_file_actions_t *files)
{
	double total = 0;

	for (int i = 0; i < command->step_count; i++) {
		double ms = step_run(command, &command->steps[i], files);

		if (ms < 0)
			return;
		total += ms;
		if (round >= 0)
			command->ms[i][round] = ms;
	}
	if (round >= 0)
		command->ms[command->step_count][round] = total;
	while (waitpid(-1, NULL, WNOHANG) > 0) /* zombies left to us: not the next command's business */
		;
}

/* One run of every command that has not failed yet, in a random order. Warm-up rounds are below 0. */
static void round_run(int round, const posix_spawn_file_actions_t *files)
{
	int order[COMMANDS_MAX];

	for (int i = 0; i < command_count; i++) {
		int j = (int)(random() % (i + 1));

		if (j < i)
			order[i] = order[j];
		order[j] = i;
	}
	for (int i = 0; i < command_count; i++)
		if (commands[order[i]].failure[0] == '\0')
			command_run(&commands[order[i]], round, files);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Print the median, 10th and 90th percentile; sorts the values. */
static void spread_print(double *values, int count, const char *format)
{
	const double points[] = { 0.5, 0.1, 0.9 };

	qsort(values, (size_t)count, sizeof(*values), compare);
	for (int i = 0; i < 3; i++) {
		double place = points[i] * (count - 1);
		int low = (int)place;
		int high = low + 1 < count ? low + 1 : low;

		printf(format, values[low] + (values[high] - values[low]) * (place - low));
	}
}

/* One line per step and one for the total, in @scratch: the values themselves stay in the order of the rounds. */
static void command_print(const struct command *command, double *scratch, int rounds)
{
	const struct command *first = &commands[0];
	bool comparable = first->failure[0] == '\0' && first->step_count == command->step_count;

	if (command->failure[0] != '\0') {
		printf("%s\tfailed\t%s\n", command->name, command->failure);
		return;
	}
	for (int i = command->step_count == 1 ? 1 : 0; i <= command->step_count; i++) {
		if (i < command->step_count)
			printf("%s\t%d", command->name, i + 1);
		else
			printf("%s\ttotal", command->name);
		memcpy(scratch, command->ms[i], (size_t)rounds * sizeof(*scratch));
		spread_print(scratch, rounds, "\t%.3f");
		for (int j = 0; j < rounds && comparable; j++)
			scratch[j] = first->ms[i][j] / command->ms[i][j];
		if (comparable)
			spread_print(scratch, rounds, "\t%.3f");
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	struct sigaction on_alarm = { .sa_handler = kill_running };
	posix_spawn_file_actions_t files;
	int rounds = 100, warmups = 3, option, failed = 0;
	double *scratch;

	while ((option = getopt(argc, argv, "n:w:")) != -1) {
		if (option == 'n')
			rounds = atoi(optarg);
		else if (option == 'w')
			warmups = atoi(optarg);
		else
			rounds = 0;
	}
	if (rounds < 1 || warmups < 0 || optind + 1 != argc)
		complain("usage: timeit [-n RUNS] [-w WARMUPS] FILE");
	commands_read(argv[optind], rounds);
	scratch = calloc((size_t)rounds, sizeof(*scratch));
	if (scratch == NULL || sigaction(SIGALRM, &on_alarm, NULL) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		fail("prepare");
	if ((errno = posix_spawn_file_actions_init(&files)) != 0 ||
	    (errno = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) != 0 ||
	    (errno = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)) != 0)
		fail("posix_spawn_file_actions");

	srandom(1); /* the same orders in every measurement */
	for (int i = -warmups; i < rounds; i++)
		round_run(i, &files);
	for (int i = 0; i < command_count; i++) {
		command_print(&commands[i], scratch, rounds);
		failed += commands[i].failure[0] != '\0';
	}
	return failed == command_count ? 2 : failed != 0;
}
