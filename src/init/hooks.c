/* hooks.c - the hooks of config.json that run in the container's namespaces, see init_run_hooks() in init.h.
 *
 * Side: container; createContainer hooks still see the host's tree.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/init.h"

/* Nothing comes on the launch socket while the hooks run; so it is its end, and moss's. */
static int moss_is_gone(int sock, struct error *err)
{
	char byte;

	if (recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		return 0;
	return error_set(err, EPIPE, "moss is gone");
}

int init_run_hooks(const struct init *init, enum spec_hook_kind kind, const struct init_hook_place *place, int sock,
		   struct error *err)
{
	struct spec_hook_input input;
	struct hook_run run = { .kind = spec_hook_names[kind], .input = input.texts, .directory = place->directory,
				.output = { place->output[0], place->output[1] }, .dies_with_us = true,
				.watch_fd = sock, .watch = moss_is_gone };

	if (init->hooks == NULL || init->hooks[kind].count == 0)
		return 0;
	spec_hook_input(&init->hook_state, place->status, getpid(), &input);
	int ret = hook_run_all(init->hooks[kind].hooks, init->hooks[kind].count, &run, err);
	/* As process 1 we get what a hook leaves behind, and the program may be one that reaps nobody. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return ret;
}
