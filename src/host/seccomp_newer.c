/* seccomp_newer.c - see seccomp_newer.h. Side: host. */
#define _GNU_SOURCE
#include "host/seccomp_newer.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define X32_BIT 0x40000000u     /* in the numbers of that architecture, which else is x86-64 to the kernel */
#define X32_OLD (X32_BIT + 512) /* its first calls had numbers of their own, above all others */
#define ARM_PRIVATE 0x0f0000u   /* set_tls and the like */
#define NEGATIVE 0x80000000u    /* -1: a tracer has answered already */
#define LAST_DOUBLE 402         /* msgctl */
#define MIPS_BASE 4000u         /* of its 32-bit numbers */
#define INSTRUCTIONS_EACH 6     /* see write_one() */

/* The numbers of an architecture that are given in order end below this one. */
static uint32_t end_of_order(uint32_t arch)
{
	switch (arch) {
	case SCMP_ARCH_X86_64: return X32_BIT;
	case SCMP_ARCH_X32:    return X32_OLD;
	case SCMP_ARCH_ARM:    return ARM_PRIVATE;
	default:               return NEGATIVE;
	}
}

static bool is_named(const struct spec_seccomp *spec, const char *name)
{
	for (size_t i = 0; i < spec->rules_count; i++)
		for (size_t j = 0; j < spec->rules[i].names_count; j++)
			if (strcmp(spec->rules[i].names[j], name) == 0)
				return true;
	return false;
}

/* Where socketcall(2) or ipc(2) is the older way to a call, libseccomp tells no number for its name, but
 * the name for its number. The last of them had been given one in Linux 5.1. */
static uint32_t first_behind_doubles(const struct spec_seccomp *spec, uint32_t arch, uint32_t first)
{
	bool mips = arch == SCMP_ARCH_MIPS || arch == SCMP_ARCH_MIPSEL;

	for (uint32_t number = LAST_DOUBLE + (mips ? MIPS_BASE : 0); number >= first && number > 0; number--) {
		mem_owned char *name = seccomp_syscall_resolve_num_arch(arch, (int)number);

		if (name != NULL && is_named(spec, name))
			return number + 1;
	}
	return first;
}

/* The number behind the last one that @spec names; 0: it names none. */
static uint32_t first_newer(const struct spec_seccomp *spec, uint32_t arch)
{
	uint32_t first = 0, end = end_of_order(arch);

	for (size_t i = 0; i < spec->rules_count; i++) {
		const struct spec_seccomp_rule *rule = &spec->rules[i];

		for (size_t j = 0; j < rule->names_count; j++) {
			/* Negative: unknown, or there is none on this architecture. */
			int number = seccomp_syscall_resolve_name_arch(arch, rule->names[j]);

			if (number >= 0 && (uint32_t)number < end && (uint32_t)number >= first)
				first = (uint32_t)number + 1;
		}
	}
	return first_behind_doubles(spec, arch, first);
}

static void write_one(uint32_t arch, uint32_t first, struct sock_filter *at)
{
	uint32_t seen_by_kernel = arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
	const struct sock_filter code[INSTRUCTIONS_EACH] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seen_by_kernel, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, end_of_order(arch), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	for (size_t i = 0; i < array_size(code); i++)
		at[i] = code[i];
}

uint16_t seccomp_newer_write(const struct spec_seccomp *spec, struct sock_filter program[SECCOMP_NEWER_MAX])
{
	uint32_t native = seccomp_arch_native();
	uint16_t count = 0;

	for (size_t i = 0; i <= spec->archs_count && count + INSTRUCTIONS_EACH <= SECCOMP_NEWER_MAX; i++) {
		uint32_t arch = i == 0 ? native : spec->archs[i - 1], first;
		bool     again = i > 0 && arch == native;

		for (size_t j = 0; j + 1 < i; j++)
			again |= spec->archs[j] == arch;
		if (again || (first = first_newer(spec, arch)) == 0)
			continue;
		write_one(arch, first, program + count);
		count = (uint16_t)(count + INSTRUCTIONS_EACH);
	}
	return count;
}
