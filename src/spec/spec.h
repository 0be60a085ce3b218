/* spec.h - config.json as structs. Side: any; pure: no system call.
 *
 * spec_read() turns bytes into a struct spec, spec_check() applies the rules that need more than
 * one field. From then on the struct is const. Its texts and arrays live in its arena.
 * Source of every field: OCI runtime-spec 1.3, config.md and config-linux.md.
 */
#ifndef MOSS_SPEC_H
#define MOSS_SPEC_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/hook.h"
#include "base/mem.h"
#include "spec/mount_options.h"
#include "spec/spec_seccomp.h"

#define SPEC_VERSION_MIN "1.0.0" /* of the specification, as ociVersion */
#define SPEC_VERSION_MAX "1.3.0" /* newer ones are read with a warning */
#define SPEC_BYTES_MAX (16 * 1024 * 1024) /* a larger config.json is refused */
#define SPEC_DEPTH_MAX 64                 /* deeper nesting is refused */
#define SPEC_COUNT_MAX (256 * 1024)       /* objects and arrays; more are refused */
#define SPEC_UMASK_UNSET (~0u)

enum spec_namespace_type { /* the order in which namespaces are joined: user first */
	SPEC_NS_USER,
	SPEC_NS_PID,
	SPEC_NS_NETWORK,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_MOUNT,
	SPEC_NS_COUNT
};

/* The names of config.json ("user", "network", "mount", ...) and the flags of clone(2). */
extern const struct spec_namespace_kind {
	const char *name;      /* in config.json */
	const char *proc_name; /* below /proc/PID/ns */
	uint64_t    flag;      /* CLONE_NEW* */
	unsigned long pidfd_get; /* ioctl(2) of a pidfd that opens it */
} spec_namespace_kinds[SPEC_NS_COUNT];

struct spec_namespace {
	bool        listed; /* false: the container stays in the runtime's namespace */
	size_t      index;  /* in linux.namespaces, for messages */
	const char *path;   /* join this one; NULL: make a new one */
};

struct spec_sysctl {
	const char *name;  /* as written, with dots or slashes */
	const char *path;  /* below /proc/sys: "net/ipv4/ip_forward" */
	const char *value;
	enum spec_namespace_type owner; /* the namespace that it is a value of */
};

enum spec_clock { SPEC_CLOCK_MONOTONIC, SPEC_CLOCK_BOOTTIME, SPEC_CLOCK_COUNT };
extern const char *const spec_clock_names[SPEC_CLOCK_COUNT]; /* "monotonic", ... */

struct spec_time_offset {
	bool     given;
	int64_t  seconds;
	uint32_t nanoseconds; /* below 1000000000 */
};

struct spec_net_device {
	const char *name;     /* in the runtime's network namespace */
	const char *new_name; /* in the container's; may hold one "%d" */
};

struct spec_id_map {
	uint32_t container_id, host_id, count;
};

struct spec_id_maps {
	struct spec_id_map *maps;
	size_t              count;
};

struct spec_texts {
	const char **texts; /* ended by a NULL, so that it can be an argv */
	size_t       count;
};

struct spec_rlimit {
	int           resource; /* RLIMIT_* */
	const char   *name;     /* "RLIMIT_NOFILE" */
	struct rlimit limit;
};

struct spec_capabilities { /* bit N is capability number N of <linux/capability.h> */
	bool     given;        /* false: process.capabilities is absent; every set is empty */
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

#define SPEC_NUMBER_MAX 8191 /* of a CPU or a NUMA node: what Linux can be built for */
struct spec_numbers { /* CPUs or NUMA nodes, as the kernel takes them: bit N of @words is number N */
	unsigned long *words; /* NULL: none */
	size_t         bits;  /* in @words */
};

struct spec_scheduler { /* of sched_setattr(2) */
	bool        given;
	uint32_t    policy;
	const char *policy_name; /* "SCHED_RR" */
	int         nice;        /* -20..19 */
	int         priority;    /* 0..99; above 0 for SCHED_FIFO and SCHED_RR */
	uint64_t    flags;       /* SCHED_FLAG_* */
	uint64_t    runtime_ns, deadline_ns, period_ns; /* of SCHED_DEADLINE */
};

struct spec_io_priority { /* of ioprio_set(2) */
	bool given;
	int  class; /* IOPRIO_CLASS_* */
	int  level; /* 0, the highest, to 7 */
};

struct spec_memory_policy { /* of set_mempolicy(2) */
	bool        given;
	int         mode, flags; /* MPOL_*, MPOL_F_* */
	const char *mode_name;   /* "MPOL_BIND" */
	struct spec_numbers nodes;
};

struct spec_user {
	uint32_t  uid, gid; /* ids inside the container; never UINT32_MAX */
	uint32_t  umask;    /* 0..0777, or SPEC_UMASK_UNSET */
	uint32_t *additional_gids;
	size_t    additional_gids_count;
};

struct spec_process {
	bool                     given; /* process may be absent (create, then start is refused) */
	bool                     terminal;
	bool                     console_size_given;
	uint16_t                 console_height, console_width; /* characters */
	struct spec_user         user;
	struct spec_texts        args, env;
	const char              *cwd;
	struct spec_capabilities capabilities;
	struct spec_rlimit      *rlimits;
	size_t                   rlimits_count;
	bool                     no_new_privileges;
	bool                     oom_score_adj_given;
	int                      oom_score_adj; /* -1000..1000 */
	const char              *apparmor_profile, *selinux_label; /* NULL when absent or "" */
	struct spec_scheduler    scheduler;
	struct spec_io_priority  io_priority;
	struct spec_numbers      exec_cpus_initial, exec_cpus_final; /* for processes of `exec` alone */
};

struct spec_mount {
	const char          *destination; /* absolute */
	const char          *type;        /* "bind" when the options say so; may be NULL */
	const char          *source;      /* NULL when absent */
	struct mount_options options;
	struct spec_id_maps  uid_maps, gid_maps; /* of an idmapped mount; see spec_resolve_idmaps() */
	const char          *label;       /* SELinux's, for all that is in it; NULL: none. Set by the host side */
};

struct spec_device {
	const char *path; /* absolute, inside the container */
	mode_t      type; /* S_IFCHR, S_IFBLK or S_IFIFO */
	uint32_t    major, minor;
	mode_t      mode; /* permission bits; 0666 when absent */
	uint32_t    uid, gid;
};

#define SPEC_DEVICE_READ 1u
#define SPEC_DEVICE_WRITE 2u
#define SPEC_DEVICE_MKNOD 4u
struct spec_device_rule { /* linux.resources.devices[] */
	bool     allow;
	char     type;         /* 'a', 'b' or 'c' */
	int64_t  major, minor; /* -1: any */
	unsigned access;       /* SPEC_DEVICE_* */
};

struct spec_intel_rdt {
	bool              given;
	const char       *group;      /* closID; NULL: the container's id; "/": the default class */
	struct spec_texts schemata;   /* all lines that are to be written, "L3:0=ff" */
	bool              monitoring; /* a monitoring group of the container's own */
};

/* A limit of linux.resources, as what is written into a file of the container's cgroup. */
struct spec_limit {
	const char *path;  /* "linux: resources: memory: limit" */
	const char *file;  /* "memory.max"; up to its dot it is the controller's name */
	const char *value; /* "100000000"; never empty */
	const char *instead_file, *instead_value; /* where the kernel has no @file; or both NULL */
	unsigned    flags; /* SPEC_LIMIT_* */
};
#define SPEC_LIMIT_DEFAULT 1u  /* what every new cgroup has: met, too, where there is no such file */
#define SPEC_LIMIT_OPTIONAL 2u /* adds to another one, where the kernel has the file */
#define SPEC_LIMIT_QUOTA 4u    /* the value is a period, before which the quota in the file is to be put */
#define SPEC_LIMIT_USAGE 8u    /* refused when the cgroup uses as much already (checkBeforeUpdate) */
#define SPEC_LIMIT_NO_SWAP 16u /* met, too, by a kernel that can't swap */

struct spec_annotation {
	const char *name, *value;
};

enum spec_hook_kind { /* in the order in which they run */
	SPEC_HOOK_PRESTART,         /* in the runtime's namespaces; like createRuntime, and before it */
	SPEC_HOOK_CREATE_RUNTIME,
	SPEC_HOOK_CREATE_CONTAINER, /* in the container's, the host's tree still visible */
	SPEC_HOOK_START_CONTAINER,  /* in the container, before the program */
	SPEC_HOOK_POSTSTART,        /* in the runtime's */
	SPEC_HOOK_POSTSTOP,         /* likewise */
	SPEC_HOOK_COUNT
};
extern const char *const spec_hook_names[SPEC_HOOK_COUNT]; /* "prestart", ... */

struct spec_hooks {
	struct hook *hooks; /* with absolute paths */
	size_t       count;
};

/* The container's state, as a hook reads it from its stdin (runtime.md, "State"), but for what changes. */
struct spec_hook_state {
	const char *head, *tail;
};

struct spec_hook_input { /* the whole */
	char        pid[32];
	const char *texts[5]; /* ended by NULL */
};

/* A limit of linux.resources that can't be honoured. It is refused (or, with --degrade=warn, noted): never ignored. */
struct spec_unsupported {
	const char *path; /* "linux: resources: cpu: realtimeRuntime" */
};

struct spec {
	struct arena arena;
	const char  *oci_version;
	const char  *hostname, *domainname; /* NULL when absent */

	struct spec_process process;

	bool        root_given;
	const char *root_path; /* as written; relative to the bundle */
	bool        root_readonly;

	struct spec_mount *mounts;
	size_t             mounts_count;

	struct spec_namespace namespaces[SPEC_NS_COUNT];
	struct spec_id_maps   uid_maps, gid_maps;

	struct spec_sysctl     *sysctls;
	size_t                  sysctls_count;
	const char             *sysctl_hostname, *sysctl_domainname; /* kernel.hostname, kernel.domainname */
	struct spec_time_offset time_offsets[SPEC_CLOCK_COUNT];
	struct spec_net_device *net_devices;
	size_t                  net_devices_count;
	bool                    personality_given;
	unsigned long           personality; /* PER_LINUX or PER_LINUX32 */
	struct spec_memory_policy memory_policy;

	struct spec_device *devices;
	size_t              devices_count;

	struct spec_device_rule *device_rules;
	size_t                   device_rules_count;

	const char           *mount_label; /* NULL when absent or "" */
	struct spec_intel_rdt intel_rdt;
	struct spec_seccomp *seccomp; /* NULL when absent */
	struct spec_limit *limits; /* in the order in which they are to be written */
	size_t             limits_count;

	const char       *cgroups_path; /* NULL when absent or "" */
	unsigned long     rootfs_propagation; /* MS_SHARED etc. with MS_REC; 0 when absent */
	struct spec_texts masked_paths, readonly_paths;

	struct spec_hooks hooks[SPEC_HOOK_COUNT];

	struct spec_annotation *annotations;
	size_t                  annotations_count;

	/* --network and --publish, or the annotations for them; set by the host side. NULL: as config.json says. */
	struct spec_network *network; /* spec_network.h */
	const char          *network_text;
	struct spec_texts    publish;

	struct spec_unsupported *unsupported;
	size_t                   unsupported_count;

	struct spec_texts warnings; /* unknown capability names and the like, for the log */
};

/* Read config.json.
 *
 * @bytes: the file's contents, @size bytes; need not end with NUL.
 * Unknown properties are ignored, as the specification demands; a known one of the wrong type is
 * refused with its path. Refused too: trailing data, duplicate keys, NUL bytes inside a text,
 * integers beyond 64 bits, nesting deeper than SPEC_DEPTH_MAX, more objects and arrays than SPEC_COUNT_MAX,
 * the id 4294967295.
 * Returns 0, or -EINVAL, -E2BIG or -ENOMEM with @err set. spec_free() is needed in every case. */
int spec_read(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read a process object alone, as `exec --process` is given it, into ret_spec->process; the rest of
 * the struct is empty. Everything else is as in spec_read(). */
int spec_read_process(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read a linux.resources object alone, as `update` makes it, into ret_spec->limits and
 * ret_spec->device_rules; everything else is as in spec_read(). */
int spec_read_resources(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same for a linux.intelRdt object, into ret_spec->intel_rdt. */
int spec_read_intel_rdt(const char *bytes, size_t size, struct spec *ret_spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Give each mount with "idmap" its maps: its own ones, those of "idmap=...", or the container's. They
 * stay empty where the container joins a user namespace, whose maps are then meant. To be called
 * when spec->uid_maps and gid_maps are known, before spec_check().
 * Returns 0, or -EINVAL or -ENOMEM with @err set, the field's path being its object. */
int spec_resolve_idmaps(struct spec *spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Apply the rules between fields; nothing is looked up on the host.
 * Returns 0, or -EINVAL with @err set, the field's path being its object. */
int spec_check(const struct spec *spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* The part of spec_check() that is about spec->process, ids against spec->uid_maps and gid_maps
 * included; for a process that was read or changed after the rest. */
int spec_check_process(const struct spec *spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Has the container a new mount namespace? Without one its tree is shared with others: its root is entered by
 * chroot(2), and nothing is mounted. */
bool spec_has_own_tree(const struct spec *spec) __attribute__((nonnull, pure));

/* Apply the rules for a container without one, after spec_check(); the same results. */
int spec_check_shared_tree(const struct spec *spec, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The part of spec_check() that is about spec->seccomp. */
int spec_seccomp_check(const struct spec *spec, struct error *err)
	__attribute__((nonnull, warn_unused_result));

/* Who is to get the filter's listener: listenerPath or, where that is missing, crun's annotation
 * run.oci.seccomp.receiver. The path of a socket; NULL when there is none. */
const char *spec_seccomp_listener(const struct spec *spec) __attribute__((nonnull, pure));

/* The number of a capability by its name ("CAP_KILL", in any case); false when it has none. */
bool spec_capability_find(const char *name, int *ret_number) __attribute__((nonnull, warn_unused_result));

/* What makes @text no label for a security module (in words), or NULL. It has SPEC_LABEL_MAX bytes at the most. */
#define SPEC_LABEL_MAX 4000
const char *spec_label_fault(const char *text) __attribute__((nonnull, warn_unused_result));

/* Can this be a group of the resctrl file system? "/" is none. */
bool spec_rdt_group_is_valid(const char *name) __attribute__((nonnull, warn_unused_result));
/* The name of capability @number (0..63), such as "CAP_KILL"; "number 63" where it has none. */
struct spec_capability_name {
	char text[40];
};
struct spec_capability_name spec_capability_name(int number);
/* Its value, or NULL. */
const char *spec_annotation_find(const struct spec *spec, const char *name) __attribute__((nonnull, pure));

/* Is the annotation there, and neither "", "0" nor "false"? */
bool spec_has_annotation(const struct spec *spec, const char *name) __attribute__((nonnull, pure));

/* Write down what of the state does not change, in @arena. Returns 0, or -ENOMEM with @err set. */
struct spec_hook_container {
	const char *oci_version, *id, *bundle;
	const struct spec_annotation *annotations;
	size_t      annotations_count;
};
int spec_hook_state_make(const struct spec_hook_container *container, struct arena *arena,
			 struct spec_hook_state *ret_state, struct error *err) __attribute__((nonnull, warn_unused_result));

/* The state with its @status ("creating") and the pid, as it is called where the hook runs; 0: none (any more).
 * @ret_input points into itself and into @state. Allocates nothing. */
void spec_hook_input(const struct spec_hook_state *state, const char *status, int pid, struct spec_hook_input *ret_input)
	__attribute__((nonnull));

/* Free all that the struct holds; safe on a zeroed or half-read one. */
void spec_free(struct spec *spec) __attribute__((nonnull));
#define spec_owned __attribute__((cleanup(spec_free))) struct spec

#endif
