/* spec_mounts.c - config.json: mounts. Side: any; pure. */
#define _GNU_SOURCE
#include <string.h>

#include "spec/spec_read.h"

struct mount_text { /* a mount as it is written */
	const char         *destination, *type, *source;
	struct spec_texts   options;
	struct spec_id_maps uid_maps, gid_maps;
};

/* The words for mount_options_parse(): type "bind" says the same as the option. */
static int words_make(const struct mount_text *text, struct spec_texts *ret_words,
		      struct json_context *ctx)
{
	static const char *none[] = { NULL };
	size_t count = text->options.count;

	*ret_words = count > 0 ? text->options : (struct spec_texts){ none, 0 };
	if (text->type == NULL || strcmp(text->type, "bind") != 0)
		return 0;
	const char **words = arena_alloc(ctx->arena, count + 2, sizeof(*words));
	if (words == NULL)
		return json_fail_memory(ctx);
	words[0] = "bind";
	memcpy(words + 1, ret_words->texts, count * sizeof(*words));
	*ret_words = (struct spec_texts){ words, count + 1 };
	return 0;
}

static int options_read(const struct mount_text *text, struct spec_mount *mount, struct json_context *ctx)
{
	struct spec_texts words;
	int ret = words_make(text, &words, ctx);

	if (ret < 0)
		return ret;
	ret = mount_options_parse(ctx->arena, words.texts, words.count, &mount->options, ctx->err);
	if (ret < 0) {
		char path[sizeof(ctx->err->object)];

		json_path(ctx, path, sizeof(path));
		error_object(ctx->err, "options");
		return error_object(ctx->err, "%s", path);
	}
	mount->type = mount->options.bind ? "bind" : text->type;
	if (text->uid_maps.count > 0 || text->gid_maps.count > 0)
		mount->options.special |= MOUNT_IDMAP;
	mount->uid_maps = text->uid_maps;
	mount->gid_maps = text->gid_maps;
	return 0;
}

static int destination_read(const char *text, struct spec_mount *mount, struct json_context *ctx)
{
	if (text[0] == '/') {
		mount->destination = text;
		return 0;
	}
	if (text[0] == '\0')
		return json_fail(ctx, "the destination is empty");
	mount->destination = arena_format(ctx->arena, "/%s", text);
	if (mount->destination == NULL)
		return json_fail_memory(ctx);
	return spec_warn(ctx, "the destination \"%.200s\" is relative: taken as \"/%.200s\"", text, text);
}

static int mount_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_field fields[] = {
		{ "destination", json_type_string, true, offsetof(struct mount_text, destination),
		  json_read_text },
		{ "type", json_type_string, false, offsetof(struct mount_text, type), spec_read_word },
		{ "source", json_type_string, false, offsetof(struct mount_text, source), spec_read_word },
		{ "options", json_type_array, false, offsetof(struct mount_text, options), spec_read_texts },
		{ "uidMappings", json_type_array, false, offsetof(struct mount_text, uid_maps), spec_read_maps },
		{ "gidMappings", json_type_array, false, offsetof(struct mount_text, gid_maps), spec_read_maps },
		{ 0 }
	};
	struct spec_mount *mount = field;
	struct mount_text  text = { 0 };
	int ret = json_read(value, fields, &text, ctx);

	if (ret == 0)
		ret = destination_read(text.destination, mount, ctx);
	if (ret == 0)
		ret = options_read(&text, mount, ctx);
	mount->source = text.source;
	return ret;
}

int spec_mounts_read(struct json_object *value, void *field, struct json_context *ctx)
{
	static const struct json_element mount = { json_type_object, sizeof(struct spec_mount), mount_read };
	struct spec     *spec = field;
	struct json_list list;
	int ret = json_read_list(value, &mount, &list, ctx);

	if (ret < 0)
		return ret;
	spec->mounts = list.items;
	spec->mounts_count = list.count;
	return 0;
}
