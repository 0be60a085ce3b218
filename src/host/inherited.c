/* inherited.c - see inherited.h. Side: host. */
#define _GNU_SOURCE
#include "host/inherited.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/sync.h"
#include "base/sys.h"
#include "host/caller.h"

static int write_oom_score(const struct spec_process *process, const char *path)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", process->oom_score_adj);
	return proc_file_write(path, text);
}

static int explain_oom_score(int code, const struct spec_process *process, struct error *err)
{
	error_at(err, code, "process: oomScoreAdj", "write %d to /proc/self/oom_score_adj", process->oom_score_adj);
	if (code == EXDEV)
		return error_hint(err, "/proc is no procfs, or something is mounted over a part of it: mount -t proc proc /proc");
	return error_hint(err, "it can be raised freely, and lowered with CAP_SYS_RESOURCE only");
}

int inherited_oom_score_of(const struct spec_process *process, pid_t pid, struct error *err)
{
	char path[48];

	if (!process->oom_score_adj_given)
		return 0;
	snprintf(path, sizeof(path), "%d/oom_score_adj", (int)pid);
	int ret = write_oom_score(process, path);
	return ret < 0 ? explain_oom_score(-ret, process, err) : 0;
}

int inherited_oom_score(const struct spec_process *process, int sock, struct error *err)
{
	static const char note_text[] = "process: oomScoreAdj: left as it is: it can't be lowered here";

	if (!process->oom_score_adj_given)
		return 0;
	int ret = write_oom_score(process, "self/oom_score_adj");
	if (ret == 0)
		return 0;
	/* Engines pass it on; inside somebody else's user namespace it is not theirs to set. */
	if (ret == -EACCES && !caller_get()->initial_user_ns) {
		ret = sync_send(sock, SYNC_NOTE, note_text, strlen(note_text), -1);
		return ret < 0 ? error_set(err, -ret, "send a note") : 0;
	}
	return explain_oom_score(-ret, process, err);
}

int inherited_rlimits(const struct spec_process *process, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < process->rlimits_count; i++) {
		const struct spec_rlimit *one = &process->rlimits[i];
		struct rlimit now;

		if (getrlimit((__rlimit_resource_t)one->resource, &now) < 0)
			return error_at(err, errno, "process: rlimits", "%s", one->name);
		if (one->limit.rlim_max <= now.rlim_max)
			continue;
		unsigned long long had = now.rlim_max;
		now.rlim_max = one->limit.rlim_max;
		if (prlimit(pid, (__rlimit_resource_t)one->resource, &now, NULL) == 0)
			continue;
		error_at(err, errno, "process: rlimits", "%s: raise the hard limit from %llu to %llu", one->name, had,
			 (unsigned long long)one->limit.rlim_max);
		return error_hint(err, "that takes CAP_SYS_RESOURCE on the host: ask for no more than the hard limit (ulimit -H)%s",
				  one->resource == RLIMIT_NOFILE ? "; and nobody may have more than the sysctl fs.nr_open" : "");
	}
	return 0;
}

int inherited_drop_groups(struct error *err)
{
	return setgroups(0, NULL) < 0 ? error_set(err, errno, "give up the caller's supplementary groups") : 0;
}

int inherited_drop_rights(struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (sys_join_session_keyring(NULL) < 0 && errno != ENOSYS) {
		error_set(err, errno, "leave the caller's session keyring");
		return error_hint(err, "it would be open to the container's user; see sysctl kernel.keys.root_maxkeys");
	}
	if (syscall(SYS_capget, &header, data) < 0)
		return error_set(err, errno, "capget");
	data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	data[0].permitted &= ~(1u << CAP_SYS_RESOURCE);
	return syscall(SYS_capset, &header, data) < 0 ? error_set(err, errno, "give up CAP_SYS_RESOURCE") : 0;
}
