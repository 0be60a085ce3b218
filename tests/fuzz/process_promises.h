/* process_promises.h - what spec.h says of texts and of a process, asserted. Side: any. */
#ifndef MOSS_PROCESS_PROMISES_H
#define MOSS_PROCESS_PROMISES_H
#include "replay.h"
#include "spec/spec.h"

static inline void promises_of_texts(const struct spec_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		promise(texts->texts[i] != NULL);
	promise(texts->count == 0 || texts->texts[texts->count] == NULL);
}

static inline void promises_of_numbers(const struct spec_numbers *numbers)
{
	bool any = false;

	for (size_t i = 0; numbers->words != NULL && i < numbers->bits / (8 * sizeof(long)); i++)
		any |= numbers->words[i] != 0;
	promise(any == (numbers->words != NULL) && numbers->bits <= SPEC_NUMBER_MAX + 1);
}

static inline void promises_of_process(const struct spec_process *process)
{
	const struct spec_user *user = &process->user;

	promise(process->given == (process->cwd != NULL));
	promise(user->uid != UINT32_MAX && user->gid != UINT32_MAX);
	promise(user->umask <= 0777 || user->umask == SPEC_UMASK_UNSET);
	for (size_t i = 0; i < user->additional_gids_count; i++)
		promise(user->additional_gids[i] != UINT32_MAX);
	for (size_t i = 0; i < process->rlimits_count; i++)
		promise(process->rlimits[i].name != NULL &&
			(unsigned)process->rlimits[i].resource < RLIMIT_NLIMITS);
	promise(process->oom_score_adj >= -1000 && process->oom_score_adj <= 1000);
	promise(process->oom_score_adj_given || process->oom_score_adj == 0);
	promise(!process->console_size_given || process->terminal);
	promise(process->scheduler.given == (process->scheduler.policy_name != NULL));
	promise(process->scheduler.policy <= 6 && process->scheduler.policy != 4 && (process->scheduler.flags & ~0x7full) == 0);
	promise(process->scheduler.nice >= -20 && process->scheduler.nice <= 19);
	promise(process->scheduler.priority >= 0 && process->scheduler.priority <= 99);
	promise(process->io_priority.class >= process->io_priority.given && process->io_priority.class <= 3);
	promise(process->io_priority.level >= 0 && process->io_priority.level <= 7);
	promises_of_numbers(&process->exec_cpus_initial);
	promises_of_numbers(&process->exec_cpus_final);
	promises_of_texts(&process->args);
	promises_of_texts(&process->env);
}

/* After spec_check() or spec_check_process() had nothing against it. */
static inline void promises_of_checked_process(const struct spec_process *process)
{
	if (!process->given)
		return;
	promise(process->args.count > 0 && process->cwd[0] == '/');
	promise((process->capabilities.effective & ~process->capabilities.permitted) == 0 &&
		(process->capabilities.inheritable & ~process->capabilities.bounding) == 0);
	const struct spec_scheduler *scheduler = &process->scheduler;
	promise((scheduler->priority > 0) == (scheduler->policy == 1 || scheduler->policy == 2));
	promise((scheduler->policy == 6) == (scheduler->runtime_ns >= 1024));
	promise(scheduler->runtime_ns <= scheduler->deadline_ns && scheduler->deadline_ns <= INT64_MAX);
	promise(scheduler->period_ns == 0 || scheduler->period_ns >= scheduler->deadline_ns);
	for (size_t i = 0; i < process->rlimits_count; i++) {
		promise(process->rlimits[i].limit.rlim_cur <= process->rlimits[i].limit.rlim_max);
		for (size_t j = 0; j < i; j++)
			promise(process->rlimits[i].resource != process->rlimits[j].resource);
	}
}

/* What every reader and checker of spec.h says of its return value. */
static inline void promises_of_error(int ret, const struct error *err)
{
	promise(ret <= 0 && ret == -err->code);
	promise(ret == 0 || (err->cause[0] != '\0' && (ret == -EINVAL || ret == -E2BIG)));
}

#endif
