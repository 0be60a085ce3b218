/* spec_read.h - what the readers of config.json's parts share; only for spec_*.c. Side: any; pure. */
#ifndef MOSS_SPEC_READ_H
#define MOSS_SPEC_READ_H
#include "spec/json_read.h"
#include "spec/spec.h"

/* One reader for each part; @field is the struct spec where it is used. */
json_read_fn spec_process_read;       /* process */
json_read_fn spec_mounts_read;        /* mounts */
json_read_fn spec_linux_read;         /* linux */
json_read_fn spec_devices_read;       /* linux.devices */
json_read_fn spec_device_rules_read;  /* linux.resources.devices */
json_read_fn spec_resources_read;     /* linux.resources */
json_read_fn spec_sysctls_read;       /* linux.sysctl */
json_read_fn spec_net_devices_read;   /* linux.netDevices */
json_read_fn spec_personality_read;   /* linux.personality */
json_read_fn spec_time_offsets_read;  /* linux.timeOffsets */
json_read_fn spec_intel_rdt_read;     /* linux.intelRdt */
json_read_fn spec_hooks_read;         /* hooks */
json_read_fn spec_seccomp_read;       /* linux.seccomp */

/* The same for a part's own struct. */
json_read_fn spec_capabilities_read;  /* process.capabilities; a struct spec_capabilities */
json_read_fn spec_scheduler_read;     /* process.scheduler; a struct spec_scheduler */
json_read_fn spec_io_priority_read;   /* process.ioPriority; a struct spec_io_priority */
json_read_fn spec_cpu_affinity_read;  /* process.execCPUAffinity; a struct spec_process */
json_read_fn spec_memory_policy_read; /* linux.memoryPolicy; a struct spec_memory_policy */

/* The rules between the members of one part. Each returns 0, or -EINVAL with @err set. */
int spec_check_capabilities(const struct spec_capabilities *capabilities, struct error *err)
	__attribute__((nonnull, warn_unused_result));
int spec_check_scheduler(const struct spec_scheduler *scheduler, struct error *err)
	__attribute__((nonnull, warn_unused_result));
int spec_check_memory_policy(const struct spec_memory_policy *policy, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read functions for plain fields. */
json_read_fn spec_read_texts; /* an array of strings into a struct spec_texts */
json_read_fn spec_read_id;    /* a user or group id into a uint32_t: UINT32_MAX is refused */
json_read_fn spec_read_maps;  /* an array of id mappings into a struct spec_id_maps */
json_read_fn spec_read_word;  /* a string into a const char *: "" counts as absent */
json_read_fn spec_read_label; /* likewise, and refused where spec_label_fault() finds one */
json_read_fn spec_read_numbers; /* "0-3,7" into a zeroed struct spec_numbers: "" is none */

struct spec_word {
	const char *name; /* NULL ends a table */
	uint64_t    value;
};

/* What the string @value stands for; refused when it is none of @words. */
int spec_find_word(struct json_object *value, const struct spec_word *words, uint64_t *ret_value,
		   struct json_context *ctx) __attribute__((warn_unused_result));

/* The same for an array of strings: the bits of all of them. */
int spec_collect_words(struct json_object *array, const struct spec_word *words, uint64_t *ret_bits,
		       struct json_context *ctx) __attribute__((warn_unused_result));

/* What the value demands: false for null, false, 0, -1, "", [] and {}. */
bool spec_demands(struct json_object *value);

/* Put "PATH: TEXT" into spec->warnings, PATH being the value's that is being read. */
int spec_warn(struct json_context *ctx, const char *text, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* Put the path of the value that is being read into spec->unsupported. */
int spec_unsupported_add(struct json_context *ctx, bool limit) __attribute__((warn_unused_result));

#endif
