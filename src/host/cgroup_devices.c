/* cgroup_devices.c - see cgroup_devices.h. Side: host. */
#define _GNU_SOURCE
#include "host/cgroup_devices.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define RULE_INSTRUCTIONS 8 /* at the most, for one rule */
#define ALL_ACCESS (SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MKNOD)

/* What every container may use: config-linux.md's default devices, ptys, and mknod(2) of any node
 * (without the right to open it). */
static const struct spec_device_rule default_rules[] = {
	{ true, 'c', -1, -1, SPEC_DEVICE_MKNOD },
	{ true, 'b', -1, -1, SPEC_DEVICE_MKNOD },
	{ true, 'c', 1, 3, ALL_ACCESS },   /* null */
	{ true, 'c', 1, 5, ALL_ACCESS },   /* zero */
	{ true, 'c', 1, 7, ALL_ACCESS },   /* full */
	{ true, 'c', 1, 8, ALL_ACCESS },   /* random */
	{ true, 'c', 1, 9, ALL_ACCESS },   /* urandom */
	{ true, 'c', 5, 0, ALL_ACCESS },   /* tty */
	{ true, 'c', 5, 2, ALL_ACCESS },   /* ptmx */
	{ true, 'c', 136, -1, ALL_ACCESS }, /* pts */
};

static struct bpf_insn instruction(int code, int dst, int src, int offset, int32_t value)
{
	return (struct bpf_insn){ .code = (uint8_t)code, .dst_reg = dst & 15, .src_reg = src & 15,
				  .off = (int16_t)offset, .imm = value };
}

#define LOAD(dst, field) \
	instruction(BPF_LDX | BPF_W | BPF_MEM, dst, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, field), 0)
#define COPY(dst, src) instruction(BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0)
#define AND(dst, value) instruction(BPF_ALU | BPF_AND | BPF_K, dst, 0, 0, value)
#define SHIFT_RIGHT(dst, value) instruction(BPF_ALU | BPF_RSH | BPF_K, dst, 0, 0, value)
#define ANSWER(value) instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value)
#define EXIT instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Where they jump to is filled in when the end is known. */
#define JUMP_NOT_EQUAL(reg, value) instruction(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, (int32_t)(value))
#define JUMP_EQUAL(reg, value) instruction(BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0, 0, (int32_t)(value))

enum { ACCESS = BPF_REG_2, TYPE = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5, SCRATCH = BPF_REG_6 };

static int32_t kernel_access(unsigned access)
{
	return (access & SPEC_DEVICE_READ ? BPF_DEVCG_ACC_READ : 0) |
	       (access & SPEC_DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
	       (access & SPEC_DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* One rule: on a match it decides, else the next one is asked. Returns the instructions written. */
static size_t rule_compile(const struct spec_device_rule *rule, struct bpf_insn *code)
{
	int32_t access = kernel_access(rule->access);
	size_t  count = 0, jumps_end;

	/* Allow when nothing beyond the rule is wanted; deny when anything of the rule is wanted. */
	code[count++] = COPY(SCRATCH, ACCESS);
	code[count++] = AND(SCRATCH, rule->allow ? ~access : access);
	code[count++] = rule->allow ? JUMP_NOT_EQUAL(SCRATCH, 0) : JUMP_EQUAL(SCRATCH, 0);
	if (rule->type != 'a')
		code[count++] = JUMP_NOT_EQUAL(TYPE, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (rule->major >= 0)
		code[count++] = JUMP_NOT_EQUAL(MAJOR, rule->major);
	if (rule->minor >= 0)
		code[count++] = JUMP_NOT_EQUAL(MINOR, rule->minor);
	jumps_end = count;
	code[count++] = ANSWER(rule->allow ? 1 : 0);
	code[count++] = EXIT;
	for (size_t i = 2; i < jumps_end; i++)
		code[i].off = (int16_t)(count - i - 1); /* behind this rule */
	return count;
}

/* The whole program; the caller frees it. Returns the number of instructions, 0 without memory. */
static size_t program_compile(const struct spec *spec, struct bpf_insn **ret_code)
{
	size_t rules = spec->device_rules_count + array_size(default_rules), count = 0;
	struct bpf_insn *code = calloc(rules * RULE_INSTRUCTIONS + 8, sizeof(*code));

	*ret_code = code;
	if (code == NULL)
		return 0;
	/* struct bpf_cgroup_dev_ctx: the wanted access is the upper half of access_type. */
	code[count++] = LOAD(ACCESS, access_type);
	code[count++] = COPY(TYPE, ACCESS);
	code[count++] = AND(TYPE, 0xffff);
	code[count++] = SHIFT_RIGHT(ACCESS, 16);
	code[count++] = LOAD(MAJOR, major);
	code[count++] = LOAD(MINOR, minor);
	for (size_t i = array_size(default_rules); i-- > 0;)
		count += rule_compile(&default_rules[i], code + count);
	for (size_t i = spec->device_rules_count; i-- > 0;)
		count += rule_compile(&spec->device_rules[i], code + count);
	code[count++] = ANSWER(0);
	code[count++] = EXIT;
	return count;
}

/* Returns the program's fd, or -errno with @err set. */
static int program_load(const struct spec *spec, struct error *err)
{
	mem_owned struct bpf_insn *code = NULL;
	size_t count = program_compile(spec, &code);
	union bpf_attr load;

	if (count == 0)
		return error_set(err, ENOMEM, "device program");
	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uintptr_t)code;
	load.insn_cnt = (uint32_t)count;
	load.license = (uintptr_t)"Apache-2.0";
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	return program < 0 ? error_at(err, errno, "linux: resources: devices", "load the device program (bpf)") : program;
}

/* @old: the program in whose place it comes, or -1. */
static int program_attach(int cgroup_fd, int program, int old, struct error *err)
{
	union bpf_attr attach;

	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)cgroup_fd;
	attach.attach_bpf_fd = (uint32_t)program;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI | (old >= 0 ? BPF_F_REPLACE : 0);
	attach.replace_bpf_fd = old >= 0 ? (uint32_t)old : 0;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		return error_at(err, errno, "linux: resources: devices", "attach the device program (bpf)");
	return 0;
}

/* The cgroup's own program in *@ret_fd, or -1; one at the most is moss's, and another one is nothing to guess about. */
static int program_find(int cgroup_fd, int *ret_fd, struct error *err)
{
	uint32_t ids[2] = { 0 };
	union bpf_attr query, get;

	*ret_fd = -1;
	memset(&query, 0, sizeof(query));
	query.query.target_fd = (uint32_t)cgroup_fd;
	query.query.attach_type = BPF_CGROUP_DEVICE;
	query.query.prog_ids = (uintptr_t)ids;
	query.query.prog_cnt = array_size(ids);
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof(query)) < 0)
		return error_at(err, errno, "linux: resources: devices", "find the device program of the container (bpf)");
	if (query.query.prog_cnt > 1)
		return error_at(err, EEXIST, "linux: resources: devices", "the container's cgroup has more device programs than moss's");
	if (query.query.prog_cnt == 0)
		return 0;
	memset(&get, 0, sizeof(get));
	get.prog_id = ids[0];
	*ret_fd = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &get, sizeof(get));
	return *ret_fd < 0 ? error_at(err, errno, "linux: resources: devices", "open the device program of the container (bpf)") : 0;
}

int cgroup_devices_apply(int cgroup_fd, const struct spec *spec, struct error *err)
{
	fd_owned program = program_load(spec, err);

	return program < 0 ? program : program_attach(cgroup_fd, program, -1, err);
}

int cgroup_devices_replace(int cgroup_fd, const struct spec *spec, struct error *err)
{
	fd_owned program = program_load(spec, err), old = -1;

	if (program < 0)
		return program;
	if (program_find(cgroup_fd, &old, err) < 0)
		return -err->code;
	return program_attach(cgroup_fd, program, old, err);
}

bool cgroup_devices_are_default(const struct spec *spec, size_t *ret_rule)
{
	for (*ret_rule = 0; *ret_rule < spec->device_rules_count; (*ret_rule)++) {
		const struct spec_device_rule *rule = &spec->device_rules[*ret_rule];

		if (rule->allow || rule->type != 'a' || rule->access != ALL_ACCESS || rule->major >= 0 || rule->minor >= 0)
			return false;
	}
	return true;
}
