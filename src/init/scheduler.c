/* scheduler.c - see scheduler.h. Side: container, and init_set_scheduler() the host, too. */
#define _GNU_SOURCE
#include "init/scheduler.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <sched.h>

#include "base/sys.h"

static int explain_scheduler(int code, const struct spec_scheduler *scheduler, struct error *err)
{
	error_at(err, code, "process: scheduler", "sched_setattr to %s", scheduler->policy_name);
	switch (code) {
	case EPERM:
		if (scheduler->runtime_ns != 0)
			return error_hint(err, "SCHED_DEADLINE takes CAP_SYS_NICE on the host, and all CPUs: no cpuset, no taskset around moss");
		return error_hint(err, "it takes CAP_SYS_NICE on the host or a high enough RLIMIT_RTPRIO or RLIMIT_NICE, and for real-time "
				       "policies a cgroup that has real-time left (cpu.rt_runtime_us)");
	case EBUSY:
		return error_hint(err, "the CPUs have not that much real-time left: ask for less runtime, or a longer period");
	case EOPNOTSUPP:
		return error_hint(err, "this kernel has no utilization clamping: leave the flags SCHED_FLAG_UTIL_CLAMP_* out");
	default:
		return error_hint(err, "the kernel does not take these values together, see sched_setattr(2)");
	}
}

int init_set_scheduler(const struct spec_process *process, pid_t pid, struct error *err)
{
	const struct spec_scheduler   *scheduler = &process->scheduler;
	const struct spec_io_priority *io = &process->io_priority;
	struct sys_sched_attr attributes = {
		.size = sizeof(attributes), .policy = scheduler->policy, .flags = scheduler->flags, .nice = scheduler->nice,
		.priority = (uint32_t)scheduler->priority, .runtime_ns = scheduler->runtime_ns,
		.deadline_ns = scheduler->deadline_ns, .period_ns = scheduler->period_ns,
	};

	if (scheduler->given && sys_sched_setattr(pid, &attributes) < 0)
		return explain_scheduler(errno, scheduler, err);
	if (!io->given || sys_ioprio_set(pid, io->class << IOPRIO_CLASS_SHIFT | io->level) == 0)
		return 0;
	error_at(err, errno, "process: ioPriority", "ioprio_set");
	return error_hint(err, "IOPRIO_CLASS_RT takes CAP_SYS_NICE on the host: IOPRIO_CLASS_BE is for everybody");
}

static int set_memory_policy(const struct spec_memory_policy *policy, struct error *err)
{
	/* The kernel counts the bits from 1 (mm/mempolicy.c, get_nodes). */
	if (sys_set_mempolicy(policy->mode | policy->flags, policy->nodes.words, policy->nodes.words ? policy->nodes.bits + 1 : 0) == 0)
		return 0;
	int code = errno;
	error_at(err, code, "linux: memoryPolicy", "set_mempolicy to %s", policy->mode_name);
	if (code == ENOSYS || code == EPERM)
		return error_hint(err, "this kernel is built without NUMA, or a seccomp filter around moss denies it: leave memoryPolicy out");
	return error_hint(err, "the nodes must be among those of /sys/devices/system/node/has_memory and the container's cpuset; "
			       "MPOL_PREFERRED_MANY needs Linux 5.15, MPOL_WEIGHTED_INTERLEAVE 6.9");
}

int init_set_cpus(const struct spec_numbers *cpus, const char *field, struct error *err)
{
	if (sched_setaffinity(0, cpus->bits / 8, (const cpu_set_t *)cpus->words) == 0)
		return 0;
	error_at(err, errno, field, "sched_setaffinity");
	return error_hint(err, "at least one of the CPUs must be online (/sys/devices/system/cpu/online) and in the cpuset here");
}

int scheduler_apply(const struct init *init, struct init_context *context, struct error *err)
{
	(void)context;
	if (init->memory_policy != NULL && set_memory_policy(init->memory_policy, err) < 0)
		return -err->code;
	if (init->cpus != NULL && init_set_cpus(init->cpus, "process: execCPUAffinity: final", err) < 0)
		return -err->code;
	return init->set_scheduler ? init_set_scheduler(init->process, 0, err) : 0;
}
