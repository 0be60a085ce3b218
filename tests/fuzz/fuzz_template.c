/* fuzz_template.c - whatever the arguments of `moss spec` are, its config.json is valid and says them.
 * Side: any.
 *
 * One argument a line.
 */
#define _GNU_SOURCE
#include "replay.h"

#include "spec/template.h"

#define WORDS_MAX 64

static void promises(const char *text, const char *const *args, const struct template_options *options)
{
	struct error err = { 0 };
	spec_owned spec;

	promise(spec_read(text, strlen(text), &spec, &err) == 0);
	promise(spec_check(&spec, &err) == 0);
	promise(spec.unsupported_count == 0 && spec.warnings.count == 0);
	promise(spec.process.terminal == options->terminal);
	promise(spec.namespaces[SPEC_NS_USER].listed == options->rootless);
	size_t i = 0;
	for (; args[i] != NULL; i++)
		promise(i < spec.process.args.count && strcmp(spec.process.args.texts[i], args[i]) == 0);
	promise(i == spec.process.args.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct spec_id_map own = { 0, 1000, 1 };
	static const struct spec_id_maps maps = { &own, 1 };
	char *text = strndup((const char *)bytes, size), *rest = text, *word;
	const char *args[WORDS_MAX + 1];
	size_t count = 0;

	while (count < WORDS_MAX && (word = strsep(&rest, "\n")) != NULL)
		args[count++] = word;
	args[count] = NULL;
	for (int kind = 0; kind < 4; kind++) {
		struct template_options options = { .rootless = kind & 1, .terminal = kind & 2, .uid_maps = &maps,
						    .gid_maps = &maps, .args = args };
		struct error err = { 0 };
		char *made;

		promise(template_make(&options, &made, &err) == 0);
		promises(made, args, &options);
		free(made);
	}
	free(text);
	return 0;
}
