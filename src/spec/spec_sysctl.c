/* spec_sysctl.c - config.json: linux.sysctl. Side: any; pure.
 *
 * config-linux.md, "Sysctl": kernel parameters that are changed at run time for the container. Only
 * those are taken that belong to a namespace: any other would be changed for the whole machine.
 */
#define _GNU_SOURCE
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

/* ipc_namespaces(7) and uts_namespaces(7): the values that each of them has for itself. */
static const struct {
	const char *path;
	enum spec_namespace_type owner;
} owners[] = {
	{ "kernel/msgmax", SPEC_NS_IPC },
	{ "kernel/msgmnb", SPEC_NS_IPC },
	{ "kernel/msgmni", SPEC_NS_IPC },
	{ "kernel/sem", SPEC_NS_IPC },
	{ "kernel/shmall", SPEC_NS_IPC },
	{ "kernel/shmmax", SPEC_NS_IPC },
	{ "kernel/shmmni", SPEC_NS_IPC },
	{ "kernel/shm_rmid_forced", SPEC_NS_IPC },
	{ "kernel/hostname", SPEC_NS_UTS },
	{ "kernel/domainname", SPEC_NS_UTS },
};

/* "net.ipv4.conf.eth0/1.forwarding": the separator is the dot, and a slash stands for a dot in a name,
 * as in sysctl(8). "net/ipv4/conf/eth0.1/forwarding" is the path itself; there a dot separates, too
 * ("net/ipv4.ip_forward"), but in an interface's name, which follows conf or neigh. */
static void to_path(char *key)
{
	bool dotted = key[strcspn(key, "./")] != '/', interface = false;
	const char *part = key;

	for (char *p = key; *p != '\0'; p++) {
		if (dotted) {
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
			continue;
		}
		if (*p == '/') {
			interface = str_starts(part, "conf/") || str_starts(part, "neigh/");
			part = p + 1;
		} else if (*p == '.' && !interface) {
			*p = '/';
			part = p + 1;
		}
	}
}

/* No empty part, and none that leads upwards. */
static bool is_clean(const char *path)
{
	for (;;) {
		size_t length = strcspn(path, "/");

		if (length == 0 || (path[0] == '.' && (length == 1 || (length == 2 && path[1] == '.'))))
			return false;
		if (path[length] == '\0')
			return true;
		path += length + 1;
	}
}

static bool find_owner(const char *path, enum spec_namespace_type *ret_owner)
{
	for (size_t i = 0; i < array_size(owners); i++)
		if (strcmp(owners[i].path, path) == 0) {
			*ret_owner = owners[i].owner;
			return true;
		}
	*ret_owner = str_starts(path, "net/") ? SPEC_NS_NETWORK : SPEC_NS_IPC;
	return str_starts(path, "net/") || str_starts(path, "fs/mqueue/");
}

static int sysctl_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct spec *spec = field;
	struct spec_sysctl *sysctl = &spec->sysctls[spec->sysctls_count];
	char *path = arena_text(ctx->arena, json_name(ctx));

	sysctl->name = arena_text(ctx->arena, json_name(ctx));
	if (path == NULL || sysctl->name == NULL)
		return json_fail_memory(ctx);
	to_path(path);
	if (!is_clean(path))
		return json_fail(ctx, "not the name of a sysctl");
	if (!find_owner(path, &sysctl->owner)) {
		json_fail(ctx, "no namespace has this value for itself: it would be changed for the whole machine");
		return error_hint(ctx->err, "leave it out, or set it on the host; what a container can have is net.*, "
				  "fs.mqueue.*, and of kernel.* what ipc_namespaces(7) and uts_namespaces(7) list");
	}
	sysctl->path = path;
	if (json_read_text(value, &sysctl->value, ctx) < 0)
		return -ctx->err->code;
	/* These two have system calls, which a normal user can use, too. */
	if (strcmp(path, "kernel/hostname") == 0)
		spec->sysctl_hostname = sysctl->value;
	else if (strcmp(path, "kernel/domainname") == 0)
		spec->sysctl_domainname = sysctl->value;
	spec->sysctls_count++;
	return 0;
}

int spec_sysctls_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element member = { json_type_string, 0, sysctl_read };
	struct spec *spec = field;

	spec->sysctls = arena_alloc(ctx->arena, (size_t)json_object_object_length(value) + 1, sizeof(*spec->sysctls));
	if (spec->sysctls == NULL)
		return json_fail_memory(ctx);
	return json_read_members(value, &member, spec, ctx);
}
