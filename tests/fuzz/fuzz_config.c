/* fuzz_config.c - any bytes at all are read or refused, and spec.h keeps its promises. Side: any.
 *
 * clang -fsanitize=fuzzer,address,undefined: libFuzzer drives it, from corpus/config/.
 * -DREPLAY: `make check` feeds it every file of that corpus.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <errno.h>

#include "spec/spec.h"

#define promise(condition)               \
	do {                             \
		if (!(condition))        \
			abort();         \
	} while (0)

static void promises_of_texts(const struct spec_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		promise(texts->texts[i] != NULL);
	promise(texts->count == 0 || texts->texts[texts->count] == NULL);
}

static void promises_of_process(const struct spec_process *process)
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
	promise(!process->console_size_given || process->terminal);
	promises_of_texts(&process->args);
	promises_of_texts(&process->env);
}

static void promises_of_linux(const struct spec *spec)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		promise(spec->namespaces[i].path == NULL ||
			(spec->namespaces[i].listed && spec->namespaces[i].path[0] == '/'));
	for (size_t i = 0; i < spec->devices_count; i++)
		promise(spec->devices[i].path != NULL && spec->devices[i].type != 0 &&
			(spec->devices[i].mode & ~07777u) == 0);
	for (size_t i = 0; i < spec->device_rules_count; i++)
		promise(strchr("abc", spec->device_rules[i].type) != NULL &&
			spec->device_rules[i].access != 0);
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		promise(mount->destination[0] == '/' && mount->options.data != NULL);
		promise(!mount->options.bind || strcmp(mount->type, "bind") == 0);
		promise(!mount->options.bind || mount->options.data_count == 0);
	}
	promises_of_texts(&spec->masked_paths);
	promises_of_texts(&spec->readonly_paths);
}

static void promises_of_check(const struct spec *spec, struct error *err)
{
	int ret = spec_check(spec, err);

	promise(ret == 0 ? err->code == 0 : ret == -err->code && ret == -EINVAL);
	promise(ret == 0 || err->object[0] != '\0');
	if (ret < 0)
		return;
	promise(spec->root_path[0] != '\0');
	promise(!spec->process.given || (spec->process.args.count > 0 && spec->process.cwd[0] == '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct error err;
	struct spec spec;
	int ret = spec_read((const char *)bytes, size, &spec, &err);

	promise(ret <= 0 && ret == -err.code);
	promise(ret == 0 || (err.cause[0] != '\0' && (ret == -EINVAL || ret == -E2BIG)));
	if (ret == 0) {
		promise(spec.oci_version != NULL && spec.root_given == (spec.root_path != NULL));
		promises_of_process(&spec.process);
		promises_of_linux(&spec);
		promises_of_texts(&spec.warnings);
		promises_of_check(&spec, &err);
	}
	spec_free(&spec);
	ret = spec_read_process((const char *)bytes, size, &spec, &err);
	promise(ret <= 0 && ret == -err.code);
	if (ret == 0) {
		promises_of_process(&spec.process);
		ret = spec_check_process(&spec, &err);
		promise(ret == -err.code);
	}
	spec_free(&spec);
	return 0;
}
