/* commands.h - the commands' own options and functions; see command.h. Side: host. */
#ifndef MOSS_COMMANDS_H
#define MOSS_COMMANDS_H
#include <json-c/json.h>

#include "cmd/command.h"
#include "host/state.h"

struct create_options { /* also of run */
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file, *network;
	struct spec_texts publish;
	unsigned    preserve_fds;
	bool        no_pivot, no_new_keyring, keep_groups, detach, keep, no_subreaper;
};
struct list_options { const char *format; bool quiet; };
struct kill_options { bool all; };
struct ps_options { const char *format; };
struct delete_options { bool force; };
struct update_options { /* texts as they are given */
	const char *resources, *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime,
		*cpuset_cpus, *cpuset_mems, *cpu_idle, *memory, *memory_reservation, *memory_swap, *pids_limit,
		*l3_cache_schema, *mem_bw_schema;
};
struct events_options { const char *interval; bool stats; };
struct doctor_options { bool json; };
struct spec_options { const char *bundle, *network; bool rootless, subids; };

/* The directory of all containers, as --root and --rootless say; see state_root_open(). */
int command_root(const struct global_options *global, bool create, struct state_root *ret_root,
		 struct error *err) __attribute__((warn_unused_result));

/* What the options of `update` ask for, as a linux.resources; to be released with json_object_put(), also after a failure.
 * Returns 0, or -EINVAL or -ENOMEM with @err set. */
int update_patch(const struct update_options *options, struct json_object **ret_patch, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* What they ask for of resctrl, into ret_spec->intel_rdt; spec_free() is needed in every case.
 * Returns 0, or -EINVAL or -ENOMEM with @err set. */
int update_rdt(const struct update_options *options, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The container that a command is about. */
struct command_container {
	struct state_root root;
	struct state state;
	int dir_fd; /* of its state directory */
	int pidfd;  /* of its first process; -1: that has ended */
	int status; /* enum state_status */
};

/* Open it; with @lock nobody else changes it until it is closed. command_container_close() is needed in every case.
 * Returns 0 or -errno with @err set. */
int command_container_open(const struct global_options *global, const char *id, bool lock,
			   struct command_container *ret_container, struct error *err) __attribute__((nonnull, warn_unused_result));
void command_container_close(struct command_container *container) __attribute__((nonnull));
#define command_container_owned __attribute__((cleanup(command_container_close))) struct command_container

#define COMMAND_RUN(name) \
	int name(const struct global_options *global, const void *options, char **arguments, struct error *err)

COMMAND_RUN(create_run);
COMMAND_RUN(delete_run);
COMMAND_RUN(doctor_run);
COMMAND_RUN(events_run);
COMMAND_RUN(exec_run);
COMMAND_RUN(features_run);
COMMAND_RUN(kill_run);
COMMAND_RUN(list_run);
COMMAND_RUN(pause_run);
COMMAND_RUN(ps_run);
COMMAND_RUN(resume_run);
COMMAND_RUN(run_run);
COMMAND_RUN(spec_run);
COMMAND_RUN(start_run);
COMMAND_RUN(state_run);
COMMAND_RUN(unshare_run);
COMMAND_RUN(update_run);

#endif
