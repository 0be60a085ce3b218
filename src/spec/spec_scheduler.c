/* spec_scheduler.c - config.json: process.scheduler, ioPriority and execCPUAffinity. Side: any; pure. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <string.h>

#include "spec/spec_read.h"

#define REALTIME_PRIORITY_MAX 99 /* sched(7) */
#define DEADLINE_NS_MIN 1024     /* sched(7): the resolution of SCHED_DEADLINE's times */
#define DEADLINE_NS_MAX INT64_MAX

/* Refuse, for the member of process.scheduler. */
#define refuse(err, member, ...) (error_set(err, 0, __VA_ARGS__), error_object(err, "process: scheduler: " member))

static int policy_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct spec_word policies[] = {
		{ "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
		{ "SCHED_BATCH", SCHED_BATCH },	 { "SCHED_IDLE", SCHED_IDLE }, { "SCHED_DEADLINE", SCHED_DEADLINE },
		{ 0 }
	};
	struct spec_scheduler *scheduler = field;
	uint64_t policy;

	if (strcmp(json_object_get_string(value), "SCHED_ISO") == 0) {
		json_fail(ctx, "Linux has no SCHED_ISO");
		return error_hint(ctx->err, "its number is reserved, and was never used: SCHED_RR is the nearest");
	}
	int ret = spec_find_word(value, policies, &policy, ctx);
	if (ret < 0)
		return ret;
	scheduler->policy = (uint32_t)policy;
	return json_read_text(value, &scheduler->policy_name, ctx);
}

static int nice_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t nice;
	int ret = json_read_range(value, -20, 19, &nice, ctx);

	if (ret == 0)
		*(int *)field = (int)nice;
	return ret;
}

static int priority_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t priority;
	int ret = json_read_range(value, 0, REALTIME_PRIORITY_MAX, &priority, ctx);

	if (ret == 0)
		*(int *)field = (int)priority;
	return ret;
}

static int flags_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct spec_word flags[] = {
		{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
		{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
		{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
		{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
		{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
		{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
		{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
		{ 0 }
	};
	return spec_collect_words(value, flags, field, ctx);
}

int spec_scheduler_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec_scheduler, member)
	static const struct json_field fields[] = {
		{ "policy", json_type_string, true, 0, policy_read },
		{ "nice", json_type_int, false, AT(nice), nice_read },
		{ "priority", json_type_int, false, AT(priority), priority_read },
		{ "flags", json_type_array, false, AT(flags), flags_read },
		{ "runtime", json_type_int, false, AT(runtime_ns), json_read_uint64 },
		{ "deadline", json_type_int, false, AT(deadline_ns), json_read_uint64 },
		{ "period", json_type_int, false, AT(period_ns), json_read_uint64 },
		{ 0 }
	};
#undef AT
	struct spec_scheduler *scheduler = field;

	scheduler->given = true;
	int ret = json_read(value, fields, scheduler, ctx);
	if (ret == 0 && scheduler->nice != 0 && scheduler->policy != SCHED_NORMAL && scheduler->policy != SCHED_BATCH)
		ret = spec_warn(ctx, "nice has no effect with %s", scheduler->policy_name);
	return ret;
}

/* sched(7), "SCHED_DEADLINE": runtime <= deadline <= period, of which none is below 1024 ns; a period of 0 stands for
 * the deadline. */
static int check_deadline(const struct spec_scheduler *scheduler, struct error *err)
{
	uint64_t runtime = scheduler->runtime_ns, deadline = scheduler->deadline_ns, period = scheduler->period_ns;

	if (runtime < DEADLINE_NS_MIN)
		return refuse(err, "runtime", "SCHED_DEADLINE needs one of %d ns or more, not %" PRIu64, DEADLINE_NS_MIN, runtime);
	if (deadline < runtime)
		return refuse(err, "deadline", "%" PRIu64 " ns is less than the runtime of %" PRIu64, deadline, runtime);
	if (deadline > DEADLINE_NS_MAX)
		return refuse(err, "deadline", "%" PRIu64 " ns is more than the kernel takes", deadline);
	if (period != 0 && period < deadline)
		return refuse(err, "period", "%" PRIu64 " ns is less than the deadline of %" PRIu64, period, deadline);
	if (period > DEADLINE_NS_MAX)
		return refuse(err, "period", "%" PRIu64 " ns is more than the kernel takes", period);
	return 0;
}

/* config.md, "Scheduler", with sched(7): each policy has values of its own, and only those. */
int spec_check_scheduler(const struct spec_scheduler *scheduler, struct error *err)
{
	bool realtime = scheduler->policy == SCHED_FIFO || scheduler->policy == SCHED_RR;

	if (!scheduler->given)
		return 0;
	if (realtime && scheduler->priority == 0)
		return refuse(err, "priority", "%s needs one from 1 to %d", scheduler->policy_name, REALTIME_PRIORITY_MAX);
	if (!realtime && scheduler->priority != 0) {
		refuse(err, "priority", "%s has none", scheduler->policy_name);
		return error_hint(err, "it is for SCHED_FIFO and SCHED_RR; SCHED_OTHER and SCHED_BATCH have nice");
	}
	if (scheduler->policy == SCHED_DEADLINE)
		return check_deadline(scheduler, err);
	if (scheduler->runtime_ns != 0)
		return refuse(err, "runtime", "it is for SCHED_DEADLINE, not for %s", scheduler->policy_name);
	if (scheduler->deadline_ns != 0)
		return refuse(err, "deadline", "it is for SCHED_DEADLINE, not for %s", scheduler->policy_name);
	if (scheduler->period_ns != 0)
		return refuse(err, "period", "it is for SCHED_DEADLINE, not for %s", scheduler->policy_name);
	return 0;
}

static int io_class_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct spec_word classes[] = {
		{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
		{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
		{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
		{ 0 }
	};
	uint64_t class;
	int ret = spec_find_word(value, classes, &class, ctx);

	if (ret == 0)
		*(int *)field = (int)class;
	return ret;
}

/* ioprio_set(2): 0, the highest, to 7. */
static int io_level_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t level;
	int ret = json_read_range(value, 0, 7, &level, ctx);

	if (ret == 0)
		*(int *)field = (int)level;
	return ret;
}

int spec_io_priority_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "class", json_type_string, true, offsetof(struct spec_io_priority, class), io_class_read },
		{ "priority", json_type_int, false, offsetof(struct spec_io_priority, level), io_level_read },
		{ 0 }
	};
	((struct spec_io_priority *)field)->given = true;
	return json_read(value, fields, field, ctx);
}

int spec_cpu_affinity_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "initial", json_type_string, false, offsetof(struct spec_process, exec_cpus_initial), spec_read_numbers },
		{ "final", json_type_string, false, offsetof(struct spec_process, exec_cpus_final), spec_read_numbers },
		{ 0 }
	};
	return json_read(value, fields, field, ctx);
}
