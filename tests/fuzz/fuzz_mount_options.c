/* fuzz_mount_options.c - any words at all are parsed or refused, never more. Side: any.
 *
 * The words are separated by commas.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <errno.h>
#include <sys/mount.h>

#include "spec/mount_options.h"

#define WORDS_MAX 64

static void promises_of_attributes(const struct mount_options *out)
{
	/* mount_setattr(2) refuses a flag that is both set and cleared, and half an access time. */
	promise((out->attr_set & out->attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME) == 0);
	promise((out->recursive_attr_set & out->recursive_attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME) == 0);
	const uint64_t sets[] = { out->attr_set & MOUNT_ATTR__ATIME, out->recursive_attr_set & MOUNT_ATTR__ATIME };
	const uint64_t clears[] = { out->attr_clear & MOUNT_ATTR__ATIME,
				    out->recursive_attr_clear & MOUNT_ATTR__ATIME };
	for (int i = 0; i < 2; i++) {
		promise(clears[i] == 0 || clears[i] == MOUNT_ATTR__ATIME);
		promise(sets[i] == 0 || clears[i] != 0);
		promise(sets[i] == 0 || sets[i] == MOUNT_ATTR_NOATIME || sets[i] == MOUNT_ATTR_STRICTATIME);
	}
}

static void promises(const struct mount_options *out, const char *const *words, size_t count)
{
	size_t word = 0;

	promise(out->data != NULL && out->data_count <= count && out->data[out->data_count] == NULL);
	promise(!out->bind || out->data_count == 0);
	promise(!out->recursive || out->bind);
	promise((out->propagation & (out->propagation - 1)) == 0);
	promise(out->propagation != 0 || !out->propagation_recursive);
	promises_of_attributes(out);
	/* The file system's words are some of those that were given, in their order. */
	for (size_t i = 0; i < out->data_count; i++, word++) {
		while (word < count && words[word] != out->data[i])
			word++;
		promise(word < count);
	}
}

/* A later word wins: saying all of them twice changes nothing. */
static void promise_of_repetition(const struct mount_options *once, const char **words, size_t count)
{
	struct mount_options twice;
	struct error err = { 0 };
	arena_owned arena = { 0 };

	memcpy(words + count, words, count * sizeof(*words));
	promise(mount_options_parse(&arena, words, 2 * count, &twice, &err) == 0);
	promise(twice.attr_set == once->attr_set && twice.attr_clear == once->attr_clear);
	promise(twice.recursive_attr_set == once->recursive_attr_set);
	promise(twice.recursive_attr_clear == once->recursive_attr_clear);
	promise(twice.propagation == once->propagation && twice.bind == once->bind);
	promise(twice.propagation_recursive == once->propagation_recursive && twice.recursive == once->recursive);
	promise(twice.data_count == 2 * once->data_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size), *rest = text;
	const char *words[2 * WORDS_MAX];
	struct mount_options out;
	struct error err = { 0 };
	arena_owned arena = { 0 };
	size_t count = 0;

	for (char *word; count < WORDS_MAX && (word = strsep(&rest, ",")) != NULL;)
		words[count++] = word;
	int ret = mount_options_parse(&arena, words, count, &out, &err);
	promise(ret <= 0 && ret == -err.code);
	if (ret == 0) {
		promises(&out, words, count);
		promise_of_repetition(&out, words, count);
	}
	free(text);
	return 0;
}
