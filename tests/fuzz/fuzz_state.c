/* fuzz_state.c - any state.json at all is read or refused; what was read is written and read again as
 * the same. Side: host.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <errno.h>

#include "host/state.h"

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void same_states(const struct state *a, const struct state *b)
{
	promise(same(a->id, b->id) && same(a->oci_version, b->oci_version) && same(a->bundle, b->bundle));
	promise(same(a->rootfs, b->rootfs) && same(a->created, b->created) && same(a->cgroup, b->cgroup));
	promise(a->creating == b->creating && a->own_pid_namespace == b->own_pid_namespace);
	promise(a->start_container == b->start_container && a->poststart == b->poststart && a->poststop == b->poststop);
	promise(a->pid == b->pid && same(a->boot_id, b->boot_id) && a->birth.pidfd_inode == b->birth.pidfd_inode);
	promise(a->birth.pidfd_inode != 0 || a->birth.start_time == b->birth.start_time);
	promise(same(a->rdt.group, b->rdt.group) && a->rdt.made == b->rdt.made && a->rdt.monitor_made == b->rdt.monitor_made);
	promise(a->annotations_count == b->annotations_count && a->notes_count == b->notes_count);
	for (size_t i = 0; i < a->annotations_count; i++)
		promise(same(a->annotations[i].name, b->annotations[i].name) &&
			same(a->annotations[i].value, b->annotations[i].value));
	for (size_t i = 0; i < a->notes_count; i++)
		promise(same(a->notes[i], b->notes[i]));
}

/* Of everything that was read, damaged or not: `delete --force` goes by it. */
static void promises_of_state(const struct state *state)
{
	promise(state->pid >= 0 && strlen(state->boot_id) < sizeof(state->boot_id));
	promise(state->cgroup == NULL || state->cgroup[0] == '/');
	promise(state->rdt.group == NULL || strcmp(state->rdt.group, "/") == 0 || spec_rdt_group_is_valid(state->rdt.group));
	promise(!state->rdt.made || state->rdt.group[0] != '/');
	for (size_t i = 0; i < state->annotations_count; i++)
		promise(state->annotations[i].name != NULL && state->annotations[i].value != NULL);
	for (size_t i = 0; i < state->notes_count; i++)
		promise(state->notes[i] != NULL);
}

static void promises_of_whole_state(const struct state *state)
{
	state_owned again;
	struct error err = { 0 };
	char *text = state_text(state), *text_again;

	promise(state_check_id(state->id, &err) == 0);
	promise(state->oci_version != NULL && state->bundle != NULL && state->rootfs != NULL);
	promise(state->created != NULL && state->boot_id[0] != '\0');
	promise(text != NULL && state_parse(text, strlen(text), &again, &err) == 0);
	same_states(state, &again);
	text_again = state_text(&again);
	promise(text_again != NULL && strcmp(text, text_again) == 0);
	free(text);
	free(text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct error err = { 0 };
	state_owned state;
	int ret = state_parse((const char *)bytes, size, &state, &err);

	promise(ret == 0 || (ret == -EINVAL && err.code == EINVAL && err.cause[0] != '\0' && err.hint[0] != '\0'));
	promises_of_state(&state);
	if (ret == 0)
		promises_of_whole_state(&state);
	return 0;
}
