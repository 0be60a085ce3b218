/* command_table.c - every command and option of moss, declared. Side: host. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/commands.h"
#include "host/caller.h"
#include "host/exec.h"

#define TEXT(type, field) OPTION_TEXT, offsetof(type, field)
#define FLAG(type, field) OPTION_FLAG, offsetof(type, field)
#define LIST(type, field) OPTION_LIST, offsetof(type, field)
#define NUMBER(type, field) OPTION_NUMBER, offsetof(type, field)

const struct option global_option_table[] = {
	{ "root", 0, TEXT(struct global_options, root), "DIR",
	  "directory of the containers' state (/run/moss; a user: $XDG_RUNTIME_DIR/moss, /run/user/UID/moss, /tmp/moss-UID)" },
	{ "log", 0, TEXT(struct global_options, log), "FILE", "append messages to this file" },
	{ "log-format", 0, TEXT(struct global_options, log_format), "text|json", "format of the messages (text)" },
	{ "log-level", 0, TEXT(struct global_options, log_level), "LEVEL", "error, warning, info or debug (info)" },
	{ "debug", 0, FLAG(struct global_options, debug), NULL, "log everything, to stderr without --log" },
	{ "systemd-cgroup", 0, FLAG(struct global_options, systemd_cgroup), NULL, "let systemd make the cgroup: --cgroup-manager systemd" },
	{ "cgroup-manager", 0, TEXT(struct global_options, cgroup_manager), "NAME", "who makes a container's cgroup: cgroupfs, systemd or disabled" },
	{ "rootless", 0, TEXT(struct global_options, rootless), "true|false|auto", "act as for a normal user when choosing the default --root (auto)" },
	{ "degrade", 0, TEXT(struct global_options, degrade), "error|warn", "a limit that can't be enforced: fail, or note it and go on (error)" },
	{ "version", 'v', FLAG(struct global_options, version), NULL, "print the version" },
	{ 0 }
};

#define CREATE_OPTIONS \
	{ "bundle", 'b', TEXT(struct create_options, bundle), "DIR", "directory of config.json (.)" }, \
	{ "config", 'f', TEXT(struct create_options, config), "FILE", "another file than DIR/config.json" }, \
	{ "console-socket", 0, TEXT(struct create_options, console_socket), "PATH", "AF_UNIX socket that receives the terminal's fd" }, \
	{ "pidfd-socket", 0, TEXT(struct create_options, pidfd_socket), "PATH", "AF_UNIX socket that receives a pidfd of the container's process" }, \
	{ "pid-file", 0, TEXT(struct create_options, pid_file), "FILE", "write the container's process id to this file" }, \
	{ "network", 0, TEXT(struct create_options, network), "none|host|slirp[:OPTIONS]", \
	  "the container's network; slirp: one of its own, connected to the host's without privileges" }, \
	{ "publish", 'p', LIST(struct create_options, publish), "[IP:]PORT[-END]:PORT[-END][/udp]", \
	  "with slirp: a port of the host that leads to one of the container; may be repeated" }, \
	{ "preserve-fds", 0, NUMBER(struct create_options, preserve_fds), "N", "pass fds 3 to N+2 on to the program (0)" }, \
	{ "no-pivot", 0, FLAG(struct create_options, no_pivot), NULL, "enter the root without pivot_root, which an initramfs does not allow" }, \
	{ "no-new-keyring", 0, FLAG(struct create_options, no_new_keyring), NULL, "keep the caller's session keyring" }, \
	{ "keep-groups", 0, FLAG(struct create_options, keep_groups), NULL, "keep the caller's supplementary groups" }

static const struct option create_table[] = { CREATE_OPTIONS, { 0 } };

static const struct option run_table[] = {
	CREATE_OPTIONS,
	{ "detach", 'd', FLAG(struct create_options, detach), NULL, "don't wait for the program's end" },
	{ "keep", 0, FLAG(struct create_options, keep), NULL, "don't delete the container at its end" },
	{ "no-subreaper", 0, FLAG(struct create_options, no_subreaper), NULL, "don't adopt the container's orphans" },
	{ 0 }
};

static const struct option exec_table[] = {
	{ "process", 'p', TEXT(struct exec_options, process), "FILE", "a process object, as config.json has it, instead of CMD" },
	{ "tty", 't', FLAG(struct exec_options, tty), NULL, "give it a terminal" },
	{ "detach", 'd', FLAG(struct exec_options, detach), NULL, "don't wait for its end" },
	{ "user", 'u', TEXT(struct exec_options, user), "UID[:GID]", "user and group ids in the container" },
	{ "additional-gids", 'g', LIST(struct exec_options, additional_gids), "GID", "one more group; may be repeated" },
	{ "env", 'e', LIST(struct exec_options, env), "NAME=VALUE", "set a variable; may be repeated, later ones win" },
	{ "cwd", 0, TEXT(struct exec_options, cwd), "DIR", "working directory in the container" },
	{ "cap", 'c', LIST(struct exec_options, capabilities), "CAP_NAME", "add a capability; may be repeated" },
	{ "no-new-privs", 0, FLAG(struct exec_options, no_new_privileges), NULL, "it can't gain privileges by execve" },
	{ "keep-groups", 0, FLAG(struct exec_options, keep_groups), NULL, "keep the caller's supplementary groups" },
	{ "console-socket", 0, TEXT(struct exec_options, console_socket), "PATH", "AF_UNIX socket that receives the terminal's fd" },
	{ "pidfd-socket", 0, TEXT(struct exec_options, pidfd_socket), "PATH", "AF_UNIX socket that receives a pidfd of the process" },
	{ "pid-file", 0, TEXT(struct exec_options, pid_file), "FILE", "write its process id to this file" },
	{ "preserve-fds", 0, NUMBER(struct exec_options, preserve_fds), "N", "pass fds 3 to N+2 on to the program (0)" },
	{ "cgroup", 0, LIST(struct exec_options, cgroups), "PATH", "a cgroup below the container's, made beforehand" },
	{ "ignore-paused", 0, FLAG(struct exec_options, ignore_paused), NULL, "in a paused container: start when it is resumed" },
	{ "process-label", 0, TEXT(struct exec_options, process_label), "LABEL", "SELinux label (not supported yet)" },
	{ "apparmor", 0, TEXT(struct exec_options, apparmor), "PROFILE", "AppArmor profile (not supported yet)" },
	{ 0 }
};

static const struct option no_options[] = { { 0 } };

static const struct option list_table[] = {
	{ "format", 'f', TEXT(struct list_options, format), "table|json", "what to print (table)" },
	{ "quiet", 'q', FLAG(struct list_options, quiet), NULL, "print only the ids" },
	{ 0 }
};

static const struct option ps_table[] = {
	{ "format", 'f', TEXT(struct ps_options, format), "table|json", "what to print (table)" },
	{ 0 }
};

static const struct option kill_table[] = {
	{ "all", 'a', FLAG(struct kill_options, all), NULL, "signal every process of the container" },
	{ 0 }
};

static const struct option delete_table[] = {
	{ "force", 'f', FLAG(struct delete_options, force), NULL, "kill it first when it runs; a missing one is no error" },
	{ 0 }
};

static const struct option events_table[] = {
	{ "interval", 0, TEXT(struct events_options, interval), "TIME", "between two lines: 5s, 500ms, 1m30s (5s)" },
	{ "stats", 0, FLAG(struct events_options, stats), NULL, "print one line and end" },
	{ 0 }
};

static const struct option update_table[] = {
	{ "resources", 'r', TEXT(struct update_options, resources), "FILE|-", "a linux.resources as config.json has it (-: stdin); the other options are ignored" },
	{ "blkio-weight", 0, TEXT(struct update_options, blkio_weight), "N", "weight for block devices, 10 to 1000" },
	{ "cpu-period", 0, TEXT(struct update_options, cpu_period), "US", "period of the quota, in microseconds" },
	{ "cpu-quota", 0, TEXT(struct update_options, cpu_quota), "US", "time of all processors together in a period; -1: no limit" },
	{ "cpu-burst", 0, TEXT(struct update_options, cpu_burst), "US", "unused time that may be used later" },
	{ "cpu-share", 0, TEXT(struct update_options, cpu_share), "N", "share of the processors, 2 to 262144 (1024)" },
	{ "cpu-rt-period", 0, TEXT(struct update_options, cpu_rt_period), "US", "refused: only cgroup v1 has it" },
	{ "cpu-rt-runtime", 0, TEXT(struct update_options, cpu_rt_runtime), "US", "refused: only cgroup v1 has it" },
	{ "cpuset-cpus", 0, TEXT(struct update_options, cpuset_cpus), "LIST", "processors, like 0-2,7" },
	{ "cpuset-mems", 0, TEXT(struct update_options, cpuset_mems), "LIST", "memory nodes" },
	{ "cpu-idle", 0, TEXT(struct update_options, cpu_idle), "0|1", "1: run only when nobody else wants to" },
	{ "memory", 0, TEXT(struct update_options, memory), "BYTES", "limit of memory; k, m, g; -1: no limit" },
	{ "memory-reservation", 0, TEXT(struct update_options, memory_reservation), "BYTES", "memory that is taken back last" },
	{ "memory-swap", 0, TEXT(struct update_options, memory_swap), "BYTES", "limit of memory and swap together; -1: no limit" },
	{ "pids-limit", 0, TEXT(struct update_options, pids_limit), "N", "number of processes and threads; -1: no limit" },
	{ "l3-cache-schema", 0, TEXT(struct update_options, l3_cache_schema), "LINES", "resctrl: part of the cache, like L3:0=ff;1=f" },
	{ "mem-bw-schema", 0, TEXT(struct update_options, mem_bw_schema), "LINE", "resctrl: memory bandwidth, like MB:0=50;1=70" },
	{ 0 }
};

static const struct option doctor_table[] = {
	{ "json", 0, FLAG(struct doctor_options, json), NULL, "print JSON" },
	{ 0 }
};

static const struct option spec_table[] = {
	{ "bundle", 'b', TEXT(struct spec_options, bundle), "DIR", "directory to write config.json to (.)" },
	{ "rootless", 0, FLAG(struct spec_options, rootless), NULL, "for a normal user: a user namespace with one id" },
	{ "network", 0, TEXT(struct spec_options, network), "slirp[:OPTIONS]", "a network of its own, connected without privileges" },
	{ "subids", 0, FLAG(struct spec_options, subids), NULL, "the same with all your ids of /etc/subuid and /etc/subgid" },
	{ 0 }
};

const struct command commands[] = {
	{ "create", "ID", "make a container; its program waits for `start`", create_table, 1, 1,
	  sizeof(struct create_options), false, create_run },
	{ "delete", "ID", "remove a stopped container", delete_table, 1, 1, sizeof(struct delete_options), false, delete_run },
	{ "doctor", "", "tell whether this host is ready, and what to do if not", doctor_table, 0, 0,
	  sizeof(struct doctor_options), false, doctor_run },
	{ "events", "ID", "print what a container uses, and when it runs out of memory", events_table, 1, 1,
	  sizeof(struct events_options), false, events_run },
	{ "exec", "ID CMD...", "run one more program in a container", exec_table, 1, INT_MAX, sizeof(struct exec_options), true,
	  exec_run },
	{ "features", "", "print what this build can do, as JSON", no_options, 0, 0, 1, false, features_run },
	{ "kill", "ID [SIGNAL]", "send a signal to a container (TERM)", kill_table, 1, 2, sizeof(struct kill_options), true,
	  kill_run },
	{ "list", "", "show the containers", list_table, 0, 0, sizeof(struct list_options), false, list_run },
	{ "pause", "ID", "freeze a container's processes", no_options, 1, 1, 1, false, pause_run },
	{ "ps", "ID [PS OPTIONS]", "show a container's processes, as ps does (-ef)", ps_table, 1, INT_MAX, sizeof(struct ps_options), true,
	  ps_run },
	{ "resume", "ID", "let a paused container's processes go on", no_options, 1, 1, 1, false, resume_run },
	{ "run", "ID", "make a container, start it, wait for its end, delete it", run_table, 1, 1,
	  sizeof(struct create_options), false, run_run },
	{ "spec", "[-- CMD...]", "write a config.json to start from", spec_table, 0, INT_MAX, sizeof(struct spec_options), true,
	  spec_run },
	{ "start", "ID", "execute the program of a created container", no_options, 1, 1, 1, false, start_run },
	{ "state", "ID", "print a container's state as JSON", no_options, 1, 1, 1, false, state_run },
	{ "unshare", "[CMD...]", "run a command, or a shell, in your id mapping", no_options, 0, INT_MAX, 1, true, unshare_run },
	{ "update", "ID", "change the limits of a running container", update_table, 1, 1, sizeof(struct update_options), false,
	  update_run },
	{ 0 }
};

int command_root(const struct global_options *global, bool create, struct state_root *ret_root, struct error *err)
{
	const char *rootless = global->rootless ? global->rootless : "auto";
	bool as_root = strcmp(rootless, "auto") == 0 ? geteuid() == 0 && caller_get()->initial_user_ns : strcmp(rootless, "false") == 0;

	return state_root_open(global->root, as_root, create, ret_root, err);
}

bool command_is_planned(const char *name)
{
	static const char *const names[] = { "checkpoint", "restore" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}
