/* rights.c - see rights.h. Side: host. */
#define _GNU_SOURCE
#include "host/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/io.h"
#include "base/proc.h"
#include "base/sys.h"
#include "host/caller.h"

#define POLICY_DEADLINE 6 /* SCHED_DEADLINE; <linux/sched.h> clashes with <sched.h> */
#define FLAGS_KEEP 0x18   /* SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS */

bool rights_schedule(void)
{
	return caller_get()->initial_user_ns && (caller_get()->permitted & (UINT64_C(1) << CAP_SYS_NICE));
}

/* setrlimit(2): the highest real-time priority that may be taken, or 20 minus the lowest nice value. */
static long soft_limit(__rlimit_resource_t resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) < 0 ? 0 : limit.rlim_cur > 1000 ? 1000 : (long)limit.rlim_cur;
}

static int refuse_realtime(const struct spec_scheduler *wanted, struct error *err)
{
	error_at(err, EPERM, "process: scheduler: priority", "%s with %d, and the caller's RLIMIT_RTPRIO is %ld",
		 wanted->policy_name, wanted->priority, soft_limit(RLIMIT_RTPRIO));
	return error_hint(err, "raise the limit for your user (\"rtprio\" in /etc/security/limits.conf), or run moss as root");
}

static int refuse_nice(const struct spec_scheduler *wanted, int now, struct error *err)
{
	error_at(err, EPERM, "process: scheduler: nice", "%d is below the caller's, %d, and RLIMIT_NICE is %ld", wanted->nice, now,
		 soft_limit(RLIMIT_NICE));
	return error_hint(err, "ask for %d or more, or raise the limit for your user (\"nice\" in /etc/security/limits.conf)", now);
}

/* The rules of kernel/sched/syscalls.c, user_check_sched_setscheduler(). */
static int check_scheduler(const struct spec_scheduler *wanted, struct error *err)
{
	struct sys_sched_attr now;

	if (wanted->flags & FLAGS_KEEP)
		return 0; /* what the kernel makes of these is its own */
	if (wanted->policy == POLICY_DEADLINE) {
		error_at(err, EPERM, "process: scheduler: policy", "SCHED_DEADLINE takes CAP_SYS_NICE on the host");
		return error_hint(err, "run moss as root, or take SCHED_RR with \"rtprio\" in /etc/security/limits.conf");
	}
	if (sys_sched_getattr(0, &now) < 0)
		return error_at(err, errno, "process: scheduler", "sched_getattr");
	if (wanted->policy == SCHED_FIFO || wanted->policy == SCHED_RR) {
		long limit = soft_limit(RLIMIT_RTPRIO);
		bool same = wanted->policy == now.policy, higher = wanted->priority > (int)now.priority;

		return (!same && limit == 0) || (higher && wanted->priority > limit) ? refuse_realtime(wanted, err) : 0;
	}
	bool fair = wanted->policy == SCHED_OTHER || wanted->policy == SCHED_BATCH;
	if (fair && wanted->nice < now.nice && 20 - wanted->nice > soft_limit(RLIMIT_NICE))
		return refuse_nice(wanted, now.nice, err);
	if (!fair || now.policy != SCHED_IDLE || 20 - now.nice <= soft_limit(RLIMIT_NICE))
		return 0;
	error_at(err, EPERM, "process: scheduler: policy", "the caller's is SCHED_IDLE, which may not be left");
	return error_hint(err, "start moss without chrt --idle, or CPUSchedulingPolicy=idle of its unit");
}

/* The lowest value that may be had is not to be seen: it is what a privileged process has set last. So it is tried,
 * on ourselves; up again we always may. */
static int check_oom_score(int wanted, struct error *err)
{
	char now[16], text[16];
	ssize_t size = io_read_small(AT_FDCWD, "/proc/self/oom_score_adj", now, sizeof(now));

	if (size < 0)
		return error_at(err, (int)-size, "/proc/self/oom_score_adj", "read");
	if (wanted >= atoi(now))
		return 0;
	snprintf(text, sizeof(text), "%d", wanted);
	int ret = proc_file_write("self/oom_score_adj", text);
	if (ret == 0)
		ret = proc_file_write("self/oom_score_adj", now);
	if (ret == 0)
		return 0;
	error_at(err, -ret, "process: oomScoreAdj", "%d is below the caller's, %d", wanted, atoi(now));
	return error_hint(err, "it can be raised freely, and lowered with CAP_SYS_RESOURCE only: ask for %d or more", atoi(now));
}

int rights_check(const struct spec_process *process, struct error *err)
{
	const struct caller *caller = caller_get();

	if (process->scheduler.given && !rights_schedule() && check_scheduler(&process->scheduler, err) < 0)
		return -err->code;
	if (process->io_priority.given && process->io_priority.class == IOPRIO_CLASS_RT && !rights_schedule()) {
		error_at(err, EPERM, "process: ioPriority: class", "IOPRIO_CLASS_RT takes CAP_SYS_NICE on the host");
		return error_hint(err, "IOPRIO_CLASS_BE with priority 0 is the highest that everybody may have");
	}
	if (process->oom_score_adj_given && caller->initial_user_ns && !caller->can_raise_limits)
		return check_oom_score(process->oom_score_adj, err);
	return 0;
}
