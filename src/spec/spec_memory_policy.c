/* spec_memory_policy.c - config.json: linux.memoryPolicy. Side: any; pure. */
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <string.h>

#include "spec/spec_read.h"

#define MODE_PREFERRED_MANY 5     /* MPOL_PREFERRED_MANY of Linux 5.15 */
#define MODE_WEIGHTED_INTERLEAVE 6 /* MPOL_WEIGHTED_INTERLEAVE of Linux 6.9 */
#define FLAGS_OF_NODES (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)

#define refuse(err, member, ...) (error_set(err, 0, __VA_ARGS__), error_object(err, "linux: memoryPolicy: " member))

static int mode_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct spec_word modes[] = {
		{ "MPOL_DEFAULT", MPOL_DEFAULT },
		{ "MPOL_BIND", MPOL_BIND },
		{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
		{ "MPOL_WEIGHTED_INTERLEAVE", MODE_WEIGHTED_INTERLEAVE },
		{ "MPOL_PREFERRED", MPOL_PREFERRED },
		{ "MPOL_PREFERRED_MANY", MODE_PREFERRED_MANY },
		{ "MPOL_LOCAL", MPOL_LOCAL },
		{ 0 }
	};
	struct spec_memory_policy *policy = field;
	uint64_t mode;
	int ret = spec_find_word(value, modes, &mode, ctx);

	if (ret < 0)
		return ret;
	policy->mode = (int)mode;
	return json_read_text(value, &policy->mode_name, ctx);
}

static int flags_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct spec_word flags[] = {
		{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
		{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
		{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
		{ 0 }
	};
	uint64_t bits;
	int ret = spec_collect_words(value, flags, &bits, ctx);

	if (ret == 0)
		*(int *)field = (int)bits;
	return ret;
}

int spec_memory_policy_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec_memory_policy, member)
	static const struct json_field fields[] = {
		{ "mode", json_type_string, true, 0, mode_read },
		{ "nodes", json_type_string, false, AT(nodes), spec_read_numbers },
		{ "flags", json_type_array, false, AT(flags), flags_read },
		{ 0 }
	};
#undef AT
	if (!spec_demands(value))
		return 0;
	((struct spec_memory_policy *)field)->given = true;
	return json_read(value, fields, field, ctx);
}

/* set_mempolicy(2), which answers all of these with EINVAL. */
int spec_check_memory_policy(const struct spec_memory_policy *policy, struct error *err)
{
	bool has_nodes = policy->nodes.words != NULL;
	bool balancing = policy->flags & MPOL_F_NUMA_BALANCING, of_nodes = policy->flags & FLAGS_OF_NODES;

	if (!policy->given)
		return 0;
	if ((policy->mode == MPOL_DEFAULT || policy->mode == MPOL_LOCAL) && has_nodes)
		return refuse(err, "nodes", "%s takes none", policy->mode_name);
	if (policy->mode != MPOL_DEFAULT && policy->mode != MPOL_LOCAL && policy->mode != MPOL_PREFERRED && !has_nodes) {
		refuse(err, "nodes", "%s needs at least one", policy->mode_name);
		return error_hint(err, "a list such as \"0\" or \"0-1\" of those in /sys/devices/system/node/online");
	}
	if ((policy->flags & FLAGS_OF_NODES) == FLAGS_OF_NODES)
		return refuse(err, "flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES: only one of them can hold");
	if (of_nodes && !has_nodes)
		return refuse(err, "flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES need nodes");
	if (balancing && policy->mode != MPOL_BIND && policy->mode != MODE_PREFERRED_MANY)
		return refuse(err, "flags", "MPOL_F_NUMA_BALANCING can't go with %s", policy->mode_name);
	return 0;
}
