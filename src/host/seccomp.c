/* seccomp.c - see seccomp.h. Side: host. */
#define _GNU_SOURCE
#include "host/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/fd_socket.h"
#include "host/seccomp_cache.h"
#include "host/seccomp_program.h"

void seccomp_unmap(struct init_seccomp **shared)
{
	if (*shared != NULL)
		munmap(*shared, sizeof(**shared));
	*shared = NULL;
}

struct init_seccomp *seccomp_take(struct seccomp *seccomp)
{
	struct init_seccomp *shared = seccomp->shared;

	seccomp->shared = NULL;
	return shared;
}

void seccomp_close(struct seccomp *seccomp)
{
	seccomp_unmap(&seccomp->shared);
	free(seccomp->program);
	seccomp->program = NULL;
	str_free(&seccomp->key);
	fd_close(&seccomp->sock);
}

uint32_t seccomp_kernel_flags(void)
{
	uint32_t known = 0;

	/* EFAULT: the flags were looked at before the program, which is not there. */
	for (const struct spec_seccomp_word *flag = spec_seccomp_flags; flag->name != NULL; flag++) {
		unsigned long flags = flag->value;

		/* Some are for a filter with a listener. */
		for (int with = 0; with <= 1; with++, flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER)
			if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT)
				known |= flag->value;
	}
	return known;
}

static int check_flags(const struct spec_seccomp *spec, struct error *err)
{
	uint32_t unknown = spec->flags ? spec->flags & ~seccomp_kernel_flags() : 0;

	for (const struct spec_seccomp_word *flag = spec_seccomp_flags; flag->name != NULL; flag++) {
		if (!(unknown & flag->value))
			continue;
		error_at(err, EINVAL, "linux: seccomp: flags", "%s", flag->name);
		return error_hint(err, "this kernel is older than the flag, or seccomp(2) is closed to moss; leave it out");
	}
	return 0;
}

static int check_archs(const struct spec_seccomp *spec, struct error *err)
{
	const struct scmp_version *version = seccomp_version();

	for (size_t i = 0; i < spec->archs_count; i++) {
		if (seccomp_program_knows(spec->archs[i]))
			continue;
		error_set(err, 0, "libseccomp %u.%u.%u can't filter for this architecture here", version->major, version->minor,
			  version->micro);
		error_object(err, "linux: seccomp: architectures[%zu]", i);
		return error_hint(err, "leave it out: no program of that kind can run on this machine");
	}
	return 0;
}

int seccomp_plan(const struct spec *spec, bool no_new_privileges, struct seccomp *ret_seccomp, struct error *err)
{
	struct seccomp *seccomp = ret_seccomp;

	*seccomp = (struct seccomp){ .spec = spec->seccomp, .sock = -1 };
	if (spec->seccomp == NULL)
		return 0;
	if (spec_seccomp_check(spec, err) < 0 || check_flags(spec->seccomp, err) < 0 || check_archs(spec->seccomp, err) < 0)
		return -err->code;
	struct init_seccomp *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return error_at(err, errno, "linux: seccomp", "memory for the filter");
	seccomp->shared = shared;
	shared->flags = spec->seccomp->flags;
	shared->listens = spec->seccomp->notifies;
	shared->privileged = !no_new_privileges;
	if (!shared->listens) {
#ifdef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
		shared->flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV; /* without a listener: EINVAL */
#endif
		return 0;
	}
	seccomp->listener = spec_seccomp_listener(spec);
	return fd_socket_connect("linux: seccomp: listenerPath", seccomp->listener, &seccomp->sock, err);
}

void seccomp_find(struct seccomp *seccomp, int root_fd)
{
	if (seccomp->spec == NULL)
		return;
	seccomp_cache_key(seccomp->spec, &seccomp->key);
	seccomp->found = seccomp_cache_find(root_fd, &seccomp->key, seccomp->shared->program, &seccomp->shared->count);
}

/* What the filter says to a call of our own, as far as its number decides. */
static uint32_t verdict_on(const struct init_seccomp *filter, long number)
{
	const struct seccomp_data call = { .nr = (int)number, .arch = seccomp_arch_native() };

	return seccomp_program_run(filter->program, filter->count, &call) & SECCOMP_RET_ACTION_FULL;
}

static bool is_allowed(uint32_t verdict)
{
	return verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_LOG;
}

static bool is_denied(uint32_t verdict)
{
	return verdict == SECCOMP_RET_KILL_PROCESS || verdict == SECCOMP_RET_KILL_THREAD || verdict == SECCOMP_RET_TRAP ||
	       verdict == SECCOMP_RET_ERRNO;
}

/* Else the container's process dies of it, or can't even tell. */
static int check_own_calls(const struct init_seccomp *filter, bool waits, struct error *err)
{
	if (is_denied(verdict_on(filter, SYS_execve))) {
		error_at(err, 0, "linux: seccomp", "the filter denies execve: no program could be started");
		return error_hint(err, "allow execve; the filter is in force before the program is");
	}
	if (!filter->listens)
		return 0;
	uint32_t verdict = verdict_on(filter, SYS_sendmsg);
	if (is_denied(verdict) || verdict == SECCOMP_RET_USER_NOTIF) {
		error_at(err, 0, "linux: seccomp", "SCMP_ACT_NOTIFY, and the filter does not allow sendmsg: its listener could not be handed over");
		return error_hint(err, "allow sendmsg: moss uses it below the filter");
	}
	if (waits && is_denied(verdict_on(filter, SYS_read))) {
		error_at(err, 0, "linux: seccomp", "SCMP_ACT_NOTIFY, and the filter denies read: the container could not wait for its start");
		return error_hint(err, "allow read, or use run instead of create and start");
	}
	return 0;
}

static int make_program(struct seccomp *seccomp, struct error *err)
{
	seccomp->program = calloc(BPF_MAXINSNS, sizeof(*seccomp->program));
	if (seccomp->program == NULL)
		return error_at(err, ENOMEM, "linux: seccomp", "memory for the filter");
	if (seccomp_program_make(seccomp->spec, seccomp->program, &seccomp->count, err) < 0)
		return -err->code;
	memcpy(seccomp->shared->program, seccomp->program, seccomp->count * sizeof(*seccomp->program));
	seccomp->shared->count = seccomp->count;
	return 0;
}

int seccomp_make(struct seccomp *seccomp, bool waits, struct error *err)
{
	if (seccomp->spec == NULL || seccomp->ready)
		return 0;
	if (!seccomp->found && make_program(seccomp, err) < 0)
		return -err->code;
	seccomp->ready = true;
	seccomp->shared->allows_prctl = is_allowed(verdict_on(seccomp->shared, SYS_prctl));
	seccomp->shared->allows_close = is_allowed(verdict_on(seccomp->shared, SYS_close));
	return check_own_calls(seccomp->shared, waits, err);
}

void seccomp_keep(const struct seccomp *seccomp, int root_fd)
{
	if (seccomp->spec != NULL && seccomp->ready && !seccomp->found)
		seccomp_cache_keep(root_fd, &seccomp->key, seccomp->program, seccomp->count);
}
