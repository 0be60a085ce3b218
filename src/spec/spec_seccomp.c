/* spec_seccomp.c - config.json: linux.seccomp. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/spec_seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

#define ERRNO_DEFAULT 1 /* EPERM: config-linux.md, errnoRet */

/* A libseccomp or kernel headers that are older than an architecture or a flag have no name for it; the numbers are
 * the kernel's for ever. */
#ifndef SCMP_ARCH_LOONGARCH64
#define SCMP_ARCH_LOONGARCH64 (258 | 0x80000000u | 0x40000000u) /* EM_LOONGARCH, 64 bits, little endian */
#endif
#ifndef SCMP_ARCH_M68K
#define SCMP_ARCH_M68K 4u /* EM_68K */
#endif
#ifndef SCMP_ARCH_SH
#define SCMP_ARCH_SH (42 | 0x40000000u) /* EM_SH, little endian */
#endif
#ifndef SCMP_ARCH_SHEB
#define SCMP_ARCH_SHEB 42u
#endif
#ifndef SCMP_ARCH_RISCV64
#define SCMP_ARCH_RISCV64 (243 | 0x80000000u | 0x40000000u) /* EM_RISCV, 64 bits, little endian */
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1u << 5) /* Linux 5.19 */
#endif

const struct spec_seccomp_word spec_seccomp_actions[] = {
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
	{ 0 }
};

const struct spec_seccomp_word spec_seccomp_operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ 0 }
};

const struct spec_seccomp_word spec_seccomp_archs[] = {
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_LOONGARCH64", SCMP_ARCH_LOONGARCH64 },
	{ "SCMP_ARCH_M68K", SCMP_ARCH_M68K },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
	{ "SCMP_ARCH_SH", SCMP_ARCH_SH },
	{ "SCMP_ARCH_SHEB", SCMP_ARCH_SHEB },
	{ "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	{ 0 }
};

const struct spec_seccomp_word spec_seccomp_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ 0 }
};

/* An action with its errno, read in whatever order they come. */
struct verdict {
	uint32_t action;
	bool     errno_given;
	uint32_t errno_ret;
};

/* The value of the word in @words; @kind: "action". */
static int word_read(struct json_object *value, const struct spec_seccomp_word *words, const char *kind,
		     uint32_t *ret_value, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);
	str_owned   known = { 0 };

	for (const struct spec_seccomp_word *word = words; word->name != NULL; word++)
		if (strcmp(word->name, text) == 0) {
			*ret_value = word->value;
			return 0;
		}
	int ret = json_fail(ctx, "\"%.60s\" is no %s that is known", text, kind);
	for (const struct spec_seccomp_word *word = words; word->name != NULL; word++)
		str_add(&known, "%s %s", word == words ? "" : ",", word->name);
	if (!known.failed)
		error_hint(ctx->err, "one of%s", known.text);
	return ret;
}

static int action_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return word_read(value, spec_seccomp_actions, "action", field, ctx);
}

static int operator_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return word_read(value, spec_seccomp_operators, "operator", field, ctx);
}

static int arch_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return word_read(value, spec_seccomp_archs, "architecture", field, ctx);
}

static int flag_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return word_read(value, spec_seccomp_flags, "flag", field, ctx);
}

static int errno_read(struct json_object *value, void *field, struct json_context *ctx)
{
	struct verdict *verdict = field;

	verdict->errno_given = true;
	return json_read_uint32(value, &verdict->errno_ret, ctx);
}

/* Refuse a member of the object that is being read. */
static int __attribute__((format(printf, 3, 4))) fail_member(struct json_context *ctx, const char *member, const char *cause, ...)
{
	char    text[256];
	va_list ap;

	va_start(ap, cause);
	vsnprintf(text, sizeof(text), cause, ap);
	va_end(ap);
	json_fail(ctx, "%s", text);
	char *end = strchr(ctx->err->object, '\0');
	snprintf(end, sizeof(ctx->err->object) - (size_t)(end - ctx->err->object), ": %s", member);
	return -ctx->err->code;
}

/* config-linux.md, errnoRet: "When the action doesn't support an errno, the runtime MUST print an error and fail." */
static int verdict_finish(const struct verdict *verdict, const char *member, uint32_t *ret_action, struct json_context *ctx)
{
	bool     is_errno = verdict->action == SECCOMP_RET_ERRNO, takes_one = is_errno || verdict->action == SECCOMP_RET_TRACE;
	uint32_t max = is_errno ? SPEC_SECCOMP_ERRNO_MAX : SECCOMP_RET_DATA;

	*ret_action = verdict->action;
	if (verdict->errno_given && !takes_one)
		return fail_member(ctx, member, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have a number to return");
	if (verdict->errno_given && verdict->errno_ret > max)
		return fail_member(ctx, member, "%u is not within 0..%u", verdict->errno_ret, max);
	if (takes_one)
		*ret_action |= verdict->errno_given ? verdict->errno_ret : ERRNO_DEFAULT;
	return 0;
}

static int arg_index_read(struct json_object *value, void *field, struct json_context *ctx)
{
	int64_t index;
	int ret = json_read_range(value, 0, SPEC_SECCOMP_ARGS_MAX - 1, &index, ctx);

	if (ret == 0)
		*(uint32_t *)field = (uint32_t)index;
	return ret;
}

static int arg_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct spec_seccomp_arg, member)
	static const struct json_field fields[] = {
		{ "index", json_type_int, true, AT(index), arg_index_read },
		{ "value", json_type_int, true, AT(value), json_read_uint64 },
		{ "valueTwo", json_type_int, false, AT(value_two), json_read_uint64 },
		{ "op", json_type_string, true, AT(op), operator_read },
		{ 0 }
	};
#undef AT
	return json_read(value, fields, field, ctx);
}

struct rule { /* a rule while it is read */
	struct spec_texts names;
	struct verdict    verdict;
	struct json_list  args;
};

static int args_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element arg = { json_type_object, sizeof(struct spec_seccomp_arg), arg_read };

	return json_read_list(value, &arg, field, ctx);
}

static int rule_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct rule, member)
	static const struct json_field fields[] = {
		{ "names", json_type_array, true, AT(names), spec_read_texts },
		{ "action", json_type_string, true, AT(verdict.action), action_read },
		{ "errnoRet", json_type_int, false, AT(verdict), errno_read },
		{ "args", json_type_array, false, AT(args), args_read },
		{ 0 }
	};
#undef AT
	struct spec_seccomp_rule *out = field;
	struct rule rule = { .names.count = 0 };
	int ret = json_read(value, fields, &rule, ctx);

	if (ret == 0 && rule.names.count == 0)
		ret = fail_member(ctx, "names", "empty: a rule is about at least one system call");
	if (ret == 0)
		ret = verdict_finish(&rule.verdict, "errnoRet", &out->action, ctx);
	out->names = rule.names.texts;
	out->names_count = rule.names.count;
	out->args = rule.args.items;
	out->args_count = rule.args.count;
	return ret;
}

struct section { /* linux.seccomp while it is read */
	struct spec_seccomp *out;
	struct verdict       verdict;
};

static int rules_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element rule = { json_type_object, sizeof(struct spec_seccomp_rule), rule_read };
	struct spec_seccomp *out = ((struct section *)field)->out;
	struct json_list list;
	int ret = json_read_list(value, &rule, &list, ctx);

	if (ret < 0)
		return ret;
	out->rules = list.items;
	out->rules_count = list.count;
	for (size_t i = 0; i < out->rules_count; i++)
		out->notifies |= out->rules[i].action == SECCOMP_RET_USER_NOTIF;
	return 0;
}

static int archs_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element arch = { json_type_string, sizeof(uint32_t), arch_read };
	struct spec_seccomp *out = ((struct section *)field)->out;
	struct json_list list;
	int ret = json_read_list(value, &arch, &list, ctx);

	if (ret == 0) {
		out->archs = list.items;
		out->archs_count = list.count;
	}
	return ret;
}

static int flags_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element flag = { json_type_string, sizeof(uint32_t), flag_read };
	struct json_list list;
	int ret = json_read_list(value, &flag, &list, ctx);

	for (size_t i = 0; ret == 0 && i < list.count; i++)
		((struct section *)field)->out->flags |= ((uint32_t *)list.items)[i];
	return ret;
}

static int listener_path_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return spec_read_word(value, &((struct section *)field)->out->listener_path, ctx);
}

static int listener_metadata_read(struct json_object *value, void *field, struct json_context *ctx)
{
	return spec_read_word(value, &((struct section *)field)->out->listener_metadata, ctx);
}

int spec_seccomp_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct section, member)
	static const struct json_field fields[] = {
		{ "defaultAction", json_type_string, true, AT(verdict.action), action_read },
		{ "defaultErrnoRet", json_type_int, false, AT(verdict), errno_read },
		{ "flags", json_type_array, false, 0, flags_read },
		{ "listenerPath", json_type_string, false, 0, listener_path_read },
		{ "listenerMetadata", json_type_string, false, 0, listener_metadata_read },
		{ "architectures", json_type_array, false, 0, archs_read },
		{ "syscalls", json_type_array, false, 0, rules_read },
		{ 0 }
	};
#undef AT
	struct spec_seccomp *out = arena_alloc(ctx->arena, 1, sizeof(*out));
	struct section section = { .out = out };

	if (out == NULL)
		return json_fail_memory(ctx);
	int ret = json_read(value, fields, &section, ctx);
	if (ret == 0)
		ret = verdict_finish(&section.verdict, "defaultErrnoRet", &out->default_action, ctx);
	/* Nothing could be done, not even handing the listener over. */
	if (ret == 0 && out->default_action == SECCOMP_RET_USER_NOTIF)
		ret = fail_member(ctx, "defaultAction", "SCMP_ACT_NOTIFY can't be the default: name the system calls to be told of");
	((struct spec *)field)->seccomp = ret == 0 ? out : NULL;
	return ret;
}

/* config-linux.md, "Seccomp": listenerPath must be there for SCMP_ACT_NOTIFY, and for listenerMetadata. */
int spec_seccomp_check(const struct spec *spec, struct error *err)
{
	const struct spec_seccomp *seccomp = spec->seccomp;

	if (seccomp == NULL || spec_seccomp_listener(spec) != NULL)
		return 0;
	if (!seccomp->notifies && seccomp->listener_metadata == NULL)
		return 0;
	error_at(err, 0, "linux: seccomp: listenerPath", "missing: %s", seccomp->notifies
		 ? "SCMP_ACT_NOTIFY tells somebody who listens there" : "listenerMetadata goes to who listens there");
	return error_hint(err, "the path of a UNIX socket on which a seccomp agent accepts connections");
}

const char *spec_seccomp_listener(const struct spec *spec)
{
	if (spec->seccomp != NULL && spec->seccomp->listener_path != NULL)
		return spec->seccomp->listener_path;
	const char *receiver = spec_annotation_find(spec, "run.oci.seccomp.receiver");
	return receiver != NULL && receiver[0] != '\0' ? receiver : NULL;
}
