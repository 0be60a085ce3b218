/* spec_intel_rdt.c - config.json: linux.intelRdt. Side: any; pure. */
#define _GNU_SOURCE
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

bool spec_rdt_group_is_valid(const char *name)
{
	static const char *const taken[] = { ".", "..", "info", "mon_groups", "mon_data" };

	for (size_t i = 0; i < array_size(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return false;
	return name[0] != '\0' && strlen(name) <= 255 && strpbrk(name, "/\n") == NULL;
}

/* A directory of the resctrl file system; "/" is its root, the group of everybody. */
static int clos_id_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *name = json_object_get_string(value);

	if (name[0] == '\0' || strcmp(name, "/") == 0 || spec_rdt_group_is_valid(name))
		return spec_read_word(value, field, ctx);
	json_fail(ctx, "\"%.100s\" is not the name of a class of service", name);
	return error_hint(ctx->err, "a name without \"/\" that resctrl does not use itself; or \"/\" for the default class");
}

/* A line of a schemata file, "L3:0=ff;1=f": what stands behind the colon is the kernel's to judge. */
static int line_check(const char *line, size_t length, struct json_context *ctx)
{
	size_t name = strcspn(line, ":");

	if (name > 0 && name < length && memchr(line, '/', name) == NULL && line[0] != '.')
		return 0;
	json_fail(ctx, "\"%.*s\" is no line of a schemata file", length < 100 ? (int)length : 100, line);
	return error_hint(ctx->err, "it begins with a resource, as resctrl's directory info has it, and a colon: \"L3:0=ff\"");
}

static int l3_cache_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);

	for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		if (length > 0 && line_check(text, length, ctx) < 0)
			return -ctx->err->code;
	}
	return spec_read_word(value, field, ctx);
}

static int mem_bw_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);

	if (text[0] != '\0' && (!str_starts(text, "MB:") || strchr(text, '\n') != NULL))
		return json_fail(ctx, "it must be one line that begins with \"MB:\"");
	return spec_read_word(value, field, ctx);
}

static int line_read(struct json_object *value, void *field, struct json_context *ctx)
{
	const char *text = json_object_get_string(value);

	if (strchr(text, '\n') != NULL)
		return json_fail(ctx, "an entry is one line");
	return line_check(text, strlen(text), ctx) < 0 ? -ctx->err->code : json_read_text(value, field, ctx);
}

static int schemata_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element line = { json_type_string, sizeof(const char *), line_read };
	struct json_list list;
	int ret = json_read_list(value, &line, &list, ctx);

	if (ret == 0)
		*(struct spec_texts *)field = (struct spec_texts){ list.items, list.count };
	return ret;
}

/* enableCMT and enableMBM are what the specification had before 1.3, for one half of it each. */
static int monitoring_read(struct json_object *value, void *field, struct json_context *ctx)
{
	(void)ctx;
	*(bool *)field |= json_object_get_boolean(value);
	return 0;
}

struct rdt_texts {
	const char       *group, *l3_cache, *mem_bw;
	struct spec_texts schemata;
	bool              monitoring;
};

static int line_add(struct spec_texts *lines, const char *text, size_t length, struct json_context *ctx)
{
	const char **texts = arena_grow(ctx->arena, lines->texts, lines->count, sizeof(*texts));
	const char  *line = arena_format(ctx->arena, "%.*s", (int)length, text);

	if (texts == NULL || line == NULL)
		return json_fail_memory(ctx);
	texts[lines->count++] = line;
	lines->texts = texts;
	return 0;
}

/* config-linux.md: all of them are written together; a line "MB:" of l3CacheSchema gives way to memBwSchema. */
static int combine(const struct rdt_texts *texts, struct spec_texts *lines, struct json_context *ctx)
{
	const char *text = texts->l3_cache != NULL ? texts->l3_cache : "";
	int ret = 0;

	for (size_t length; *text != '\0' && ret == 0; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		if (length > 0 && !(texts->mem_bw != NULL && str_starts(text, "MB:")))
			ret = line_add(lines, text, length, ctx);
	}
	if (ret == 0 && texts->mem_bw != NULL)
		ret = line_add(lines, texts->mem_bw, strlen(texts->mem_bw), ctx);
	for (size_t i = 0; i < texts->schemata.count && ret == 0; i++)
		ret = line_add(lines, texts->schemata.texts[i], strlen(texts->schemata.texts[i]), ctx);
	return ret;
}

int spec_intel_rdt_read(struct json_object *value, void *field, struct json_context *ctx)
{
#define AT(member) offsetof(struct rdt_texts, member)
	static const struct json_field fields[] = {
		{ "closID", json_type_string, false, AT(group), clos_id_read },
		{ "schemata", json_type_array, false, AT(schemata), schemata_read },
		{ "l3CacheSchema", json_type_string, false, AT(l3_cache), l3_cache_read },
		{ "memBwSchema", json_type_string, false, AT(mem_bw), mem_bw_read },
		{ "enableMonitoring", json_type_boolean, false, AT(monitoring), monitoring_read },
		{ "enableCMT", json_type_boolean, false, AT(monitoring), monitoring_read },
		{ "enableMBM", json_type_boolean, false, AT(monitoring), monitoring_read },
		{ 0 }
	};
#undef AT
	struct rdt_texts texts = { 0 };
	struct spec_intel_rdt *rdt = &((struct spec *)field)->intel_rdt;
	int ret = json_read(value, fields, &texts, ctx);

	/* An empty object asks for a class of the container's own. */
	rdt->given = true;
	rdt->group = texts.group;
	rdt->monitoring = texts.monitoring;
	return ret == 0 ? combine(&texts, &rdt->schemata, ctx) : ret;
}
