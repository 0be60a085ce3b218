/* spec_read.h - what the readers of config.json's parts share; only for spec_*.c. Side: any; pure. */
#ifndef MOSS_SPEC_READ_H
#define MOSS_SPEC_READ_H
#include "spec/json_read.h"
#include "spec/spec.h"

/* One reader for each part; @field is the struct spec where it is used.
 * From spec_hooks_read on they check types, and note a field that asks for something. */
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
json_read_fn spec_seccomp_read;       /* linux.seccomp */
json_read_fn spec_hooks_read;         /* hooks */
json_read_fn spec_intel_rdt_read;     /* linux.intelRdt */
json_read_fn spec_memory_policy_read; /* linux.memoryPolicy */
json_read_fn spec_scheduler_read;     /* process.scheduler */
json_read_fn spec_io_priority_read;   /* process.ioPriority */
json_read_fn spec_cpu_affinity_read;  /* process.execCPUAffinity */
json_read_fn spec_label_read;         /* any string that is unsupported unless it is empty */

/* Read functions for plain fields. */
json_read_fn spec_read_texts; /* an array of strings into a struct spec_texts */
json_read_fn spec_read_id;    /* a user or group id into a uint32_t: UINT32_MAX is refused */
json_read_fn spec_read_maps;  /* an array of id mappings into a struct spec_id_maps */
json_read_fn spec_read_word;  /* a string into a const char *: "" counts as absent */

/* What the value demands: false for null, false, 0, -1, "", [] and {}. */
bool spec_demands(struct json_object *value);

/* Put "PATH: TEXT" into spec->warnings, PATH being the value's that is being read. */
int spec_warn(struct json_context *ctx, const char *text, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* Put the path of the value that is being read into spec->unsupported. */
int spec_unsupported_add(struct json_context *ctx, bool limit) __attribute__((warn_unused_result));

#endif
