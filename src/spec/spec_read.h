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
int spec_unsupported_add(struct json_context *ctx) __attribute__((warn_unused_result));

/* What memory, cpu and blockIO of linux.resources say: -1 is "no limit". Fields that are absent are
 * 0, which asks for nothing, where there is no `given`. */
struct spec_memory {
	int64_t limit, reservation, swap;
	bool    check_before_update;
};
struct spec_cpu {
	uint64_t    shares, period, burst;
	int64_t     quota, idle;
	const char *cpus, *mems;
	bool        burst_given, idle_given;
};

/* Put a limit into spec->limits; its path is that of the value that is being read and, unless it is NULL,
 * @name behind it. The texts are copied. Returns 0, or -ENOMEM with ctx->err set. */
int spec_limit_add(struct json_context *ctx, const char *name, const struct spec_limit *limit)
	__attribute__((nonnull(1, 3), warn_unused_result));

/* The same for a limit whose value is formatted, in *@limit at first without. */
int spec_limit_format(struct json_context *ctx, const char *name, struct spec_limit limit, const char *value, ...)
	__attribute__((format(printf, 4, 5), nonnull(1, 4), warn_unused_result));

/* The limits of a whole section, whose object is being read. */
int spec_limits_memory(struct json_context *ctx, const struct spec_memory *memory) __attribute__((warn_unused_result));
int spec_limits_cpu(struct json_context *ctx, const struct spec_cpu *cpu) __attribute__((warn_unused_result));

/* cpu.weight (1..10000) for cpu.shares of version 1: 2 becomes 1, 1024 becomes 100, 262144 becomes 10000, which are
 * the smallest, the default and the largest of each; in between ceil(10^((l * l + 125 * l) / 612 - 7 / 34)), l being
 * the logarithm of @shares to the base 2. */
unsigned spec_weight_of_shares(uint64_t shares) __attribute__((const));

/* io.weight (1..10000) for a blkio weight of 10..1000. */
unsigned spec_io_weight(unsigned weight) __attribute__((const));

#endif
