/* fuzz_mount_options.c - any words at all are parsed or refused, never more. Side: any.
 *
 * clang -fsanitize=fuzzer,address,undefined: libFuzzer drives it, from corpus/mount_options/.
 * -DREPLAY: `make check` feeds it every file of that corpus.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <errno.h>
#include <sys/mount.h>

#include "spec/mount_options.h"

#define WORDS_MAX 64

static void promises(const struct mount_options *out, size_t count)
{
	if (out->data == NULL || out->data_count > count || out->data[out->data_count] != NULL)
		abort();
	if ((out->bind && out->data_count > 0) || (out->recursive && !out->bind))
		abort();
	/* mount_setattr(2) refuses a flag that is both set and cleared, and half an access time. */
	if ((out->attr_set & out->attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME) != 0 ||
	    (out->recursive_attr_set & out->recursive_attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME) != 0)
		abort();
	uint64_t cleared = out->attr_clear & MOUNT_ATTR__ATIME;
	uint64_t set = out->attr_set & MOUNT_ATTR__ATIME;
	if ((cleared != 0 && cleared != MOUNT_ATTR__ATIME) || (set != 0 && cleared == 0) ||
	    (set != 0 && set != MOUNT_ATTR_NOATIME && set != MOUNT_ATTR_STRICTATIME))
		abort();
	if ((out->propagation & (out->propagation - 1)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size), *rest = text;
	const char *words[WORDS_MAX];
	struct mount_options out;
	struct error err = { 0 };
	arena_owned arena = { 0 };
	size_t count = 0;

	for (char *word; count < WORDS_MAX && (word = strsep(&rest, ",")) != NULL;)
		words[count++] = word;
	int ret = mount_options_parse(&arena, words, count, &out, &err);
	if (ret > 0 || ret != -err.code)
		abort();
	if (ret == 0)
		promises(&out, count);
	free(text);
	return 0;
}
