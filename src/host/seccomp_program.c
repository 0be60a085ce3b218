/* seccomp_program.c - see seccomp_program.h. Side: host. */
#define _GNU_SOURCE
#include "host/seccomp_program.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "host/seccomp_newer.h"

static void release(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL)
		seccomp_release(*ctx);
}
#define filter_owned __attribute__((cleanup(release))) scmp_filter_ctx

bool seccomp_program_knows(uint32_t arch)
{
	filter_owned filter = seccomp_init(SCMP_ACT_ALLOW);
	int ret = filter ? seccomp_arch_add(filter, arch) : -ENOMEM;

	return ret == 0 || ret == -EEXIST;
}

static int add(scmp_filter_ctx filter, uint32_t action, int number, const struct scmp_arg_cmp *conditions, size_t count)
{
	int ret = seccomp_rule_add_array(filter, action, number, (unsigned)count, conditions);

	/* The same rule again. */
	return ret == -EEXIST ? 0 : ret;
}

/* One system call of a rule. Returns 0 or -errno. */
static int add_call(scmp_filter_ctx filter, const struct spec_seccomp_rule *rule, int number)
{
	struct scmp_arg_cmp conditions[SPEC_SECCOMP_ARGS_MAX];
	unsigned seen = 0;
	bool     again = false;
	int      ret = 0;

	for (size_t i = 0; i < rule->args_count; i++) {
		again |= seen & (1u << rule->args[i].index);
		seen |= 1u << rule->args[i].index;
	}
	/* Not again: then there are no more than there are indices. */
	for (size_t i = 0; i < rule->args_count && ret == 0; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];
		struct scmp_arg_cmp *one = &conditions[again ? 0 : i];

		*one = (struct scmp_arg_cmp){ arg->index, (enum scmp_compare)arg->op, arg->value, arg->value_two };
		if (again)
			ret = add(filter, rule->action, number, one, 1);
	}
	return again ? ret : add(filter, rule->action, number, conditions, rule->args_count);
}

static int add_rule(scmp_filter_ctx filter, const struct spec_seccomp_rule *rule, size_t index, struct error *err)
{
	for (size_t i = 0; i < rule->names_count; i++) {
		int number = seccomp_syscall_resolve_name(rule->names[i]);

		if (number == __NR_SCMP_ERROR) {
			log_line(LOG_LEVEL_DEBUG, "linux: seccomp: syscalls[%zu]: names[%zu]: \"%.60s\" is unknown: left out", index, i,
				 rule->names[i]);
			continue;
		}
		int ret = add_call(filter, rule, number);
		if (ret == 0)
			continue;
		error_set(err, -ret, "libseccomp takes no rule for %.60s", rule->names[i]);
		return error_object(err, "linux: seccomp: syscalls[%zu]: names[%zu]", index, i);
	}
	return 0;
}

static int add_archs(scmp_filter_ctx filter, const struct spec_seccomp *spec, struct error *err)
{
	for (size_t i = 0; i < spec->archs_count; i++) {
		int ret = seccomp_arch_add(filter, spec->archs[i]);

		if (ret == 0 || ret == -EEXIST)
			continue;
		error_set(err, -ret, "libseccomp can't filter for it");
		return error_object(err, "linux: seccomp: architectures[%zu]", i);
	}
	return 0;
}

/* Only to a file. */
static int export(scmp_filter_ctx filter, struct sock_filter *program, size_t room, uint16_t *ret_count, struct error *err)
{
	fd_owned fd = memfd_create("seccomp", MFD_CLOEXEC);
	int ret = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);
	off_t size = ret == 0 ? lseek(fd, 0, SEEK_END) : 0;

	if (ret < 0)
		return error_at(err, -ret, "linux: seccomp", "export the filter's program");
	if ((size_t)size > room * sizeof(*program)) {
		error_at(err, E2BIG, "linux: seccomp", "%zu instructions, and the kernel takes %d",
			 (size_t)size / sizeof(*program), BPF_MAXINSNS);
		return error_hint(err, "name fewer system calls, arguments or architectures");
	}
	if (pread(fd, program, (size_t)size, 0) != size)
		return error_at(err, EIO, "linux: seccomp", "read the filter's program");
	*ret_count = (uint16_t)((size_t)size / sizeof(*program));
	return 0;
}

int seccomp_program_make(const struct spec_seccomp *spec, struct sock_filter program[BPF_MAXINSNS], uint16_t *ret_count,
			 struct error *err)
{
	filter_owned filter = seccomp_init(spec->default_action);
	uint16_t newer = 0, count = 0;

	if (filter == NULL) {
		error_at(err, 0, "linux: seccomp: defaultAction", "libseccomp can't make a filter with it");
		return error_hint(err, "this kernel may be older than the action");
	}
	/* A tree of comparisons instead of a chain: the filter is run for each system call. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (add_archs(filter, spec, err) < 0)
		return -err->code;
	for (size_t i = 0; i < spec->rules_count; i++)
		if (spec->rules[i].action != spec->default_action && add_rule(filter, &spec->rules[i], i, err) < 0)
			return -err->code;
	if ((spec->default_action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		newer = seccomp_newer_write(spec, program);
	if (export(filter, program + newer, (size_t)BPF_MAXINSNS - newer, &count, err) < 0)
		return -err->code;
	*ret_count = (uint16_t)(newer + count);
	return 0;
}

/* classic BPF, as far as seccomp(2) has it and libseccomp and we use it. */
uint32_t seccomp_program_run(const struct sock_filter *program, size_t count, const struct seccomp_data *call)
{
	uint32_t a = 0;

	for (size_t at = 0; at < count; at++) {
		const struct sock_filter *one = &program[at];
		bool yes;

		switch (one->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (one->k > sizeof(*call) - sizeof(a))
				return SECCOMP_RET_KILL_PROCESS;
			memcpy(&a, (const char *)call + one->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= one->k;
			continue;
		case BPF_RET | BPF_K:
			return one->k;
		case BPF_JMP | BPF_JA:
			if (one->k >= count)
				return SECCOMP_RET_KILL_PROCESS;
			at += one->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K: yes = a == one->k; break;
		case BPF_JMP | BPF_JGT | BPF_K: yes = a > one->k; break;
		case BPF_JMP | BPF_JGE | BPF_K: yes = a >= one->k; break;
		case BPF_JMP | BPF_JSET | BPF_K: yes = a & one->k; break;
		default:
			return SECCOMP_RET_KILL_PROCESS;
		}
		at += yes ? one->jt : one->jf;
	}
	return SECCOMP_RET_KILL_PROCESS;
}
