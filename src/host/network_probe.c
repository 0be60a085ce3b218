/* network_probe.c - what `moss doctor` says of moss-slirp. Side: host. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/run.h"
#include "base/str.h"
#include "host/helper.h"
#include "host/network.h"
#include "host/probe.h"

#define HELPER "moss-slirp"

/* Append what stands behind @key on a line of @text, up to @end, for each such line. Returns how many there are. */
static int collect(const char *text, const char *key, const char *end, struct str *list)
{
	int count = 0;

	for (const char *line = text; line != NULL; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (!str_starts(line, key))
			continue;
		line += strlen(key);
		str_add(list, "%s%.*s", count++ > 0 ? ", " : "", (int)strcspn(line, end), line);
	}
	return count;
}

static void tell(const char *text, struct probe_result *result)
{
	str_owned version = { .text = NULL };
	str_owned faults = { .text = NULL };

	if (collect(text, "libslirp: ", "\n", &version) == 0 || version.failed) {
		result->status = PROBE_DEGRADED;
		snprintf(result->detail, sizeof(result->detail), "%s: it does not tell its version", HELPER);
	} else if (collect(text, "known: ", ",\n", &faults) == 0 || faults.failed) {
		result->status = PROBE_OK;
		snprintf(result->detail, sizeof(result->detail), "libslirp %s", version.text);
	} else {
		result->status = PROBE_DEGRADED;
		snprintf(result->detail, sizeof(result->detail), "libslirp %s, of which is known: %s", version.text, faults.text);
		snprintf(result->fix, sizeof(result->fix), "install libslirp 4.9.5 or newer; until then moss-slirp's filter of frames and its "
			 "sandbox stand before them");
	}
}

void network_probe(struct probe_result *result)
{
	char  path[4096], text[2048], why[ERROR_TEXT_MAX];
	char *argv[] = { path, (char *)"--version", NULL };
	struct error err = { 0 };
	struct run   run = { .pidfd = -1, .output = -1 };
	int ret = helper_find(HELPER, path, sizeof(path), &err);

	if (ret < 0) {
		result->status = PROBE_DEGRADED;
		snprintf(result->detail, sizeof(result->detail), "%s is not there: no --network slirp", HELPER);
		snprintf(result->fix, sizeof(result->fix), "%s", err.hint);
		return;
	}
	ret = run_start(&run, argv, STDOUT_FILENO, &err);
	if (ret == 0)
		ret = run_wait(&run, text, sizeof(text), &err);
	run_end(&run);
	if (ret == 0) {
		tell(text, result);
		return;
	}
	result->status = PROBE_DEGRADED;
	error_text(&err, why, sizeof(why));
	snprintf(result->detail, sizeof(result->detail), "%.100s does not run: %.380s", path, ret < 0 ? why : "it failed");
	snprintf(result->fix, sizeof(result->fix), "install what it is linked with (libslirp0), or build it again");
}
