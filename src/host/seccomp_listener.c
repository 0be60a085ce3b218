/* seccomp_listener.c - hand a filter's listener to who wants it; see seccomp.h. Side: host. */
#define _GNU_SOURCE
#include <errno.h>

#include "base/fd.h"
#include "host/fd_socket.h"
#include "host/seccomp.h"
#include "spec/json_make.h"

/* config-linux.md, "The Container Process State". */
static struct json_object *state_json(const struct seccomp *seccomp, const struct seccomp_state *state)
{
	struct json_object *json = json_object_new_object(), *fds = json_object_new_array();
	struct json_object *container = json_object_new_object(), *annotations = json_object_new_object();

	json_add_text(json, "ociVersion", SPEC_VERSION_MAX);
	json_object_array_add(fds, json_object_new_string("seccompFd"));
	json_object_object_add(json, "fds", fds);
	json_object_object_add(json, "pid", json_object_new_int(state->pid));
	if (seccomp->spec->listener_metadata != NULL)
		json_add_text(json, "metadata", seccomp->spec->listener_metadata);
	json_add_text(container, "ociVersion", state->oci_version);
	json_add_text(container, "id", state->id);
	json_add_text(container, "status", state->status);
	json_object_object_add(container, "pid", json_object_new_int(state->container_pid));
	json_add_text(container, "bundle", state->bundle);
	for (size_t i = 0; i < state->annotations_count; i++)
		json_add_text(annotations, state->annotations[i].name, state->annotations[i].value);
	json_object_object_add(container, "annotations", annotations);
	json_object_object_add(json, "state", container);
	return json;
}

int seccomp_send_listener(struct seccomp *seccomp, int listener, const struct seccomp_state *state, struct error *err)
{
	struct json_object *json = state_json(seccomp, state);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int ret = text == NULL ? -ENOMEM : fd_socket_send(seccomp->sock, listener, text);

	json_object_put(json);
	fd_close(&seccomp->sock); /* one state for each connection */
	if (ret == 0)
		return 0;
	error_at(err, -ret, seccomp->listener, "send the listener of the seccomp filter");
	return error_hint(err, "linux.seccomp.listenerPath names a socket on which somebody accepts connections and reads");
}
