/* replay.h - what every fuzz harness includes; and its program for `make check`. Side: any.
 *
 * A harness is one function that is given any bytes at all. Linked with libFuzzer (make fuzz) it is
 * a fuzzer, from the files of corpus/NAME; built with -DREPLAY its program takes files and
 * directories and prints one line of TAP for each file. A broken promise aborts in both.
 */
#ifndef MOSS_REPLAY_H
#define MOSS_REPLAY_H
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define promise(condition)                                                                          \
	do {                                                                                        \
		if (!(condition)) {                                                                 \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                    \
		}                                                                                   \
	} while (0)

#ifdef REPLAY
#ifdef __has_feature
#define REPLAY_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define REPLAY_CLANG_ASAN 0
#endif
#if defined(__SANITIZE_ADDRESS__) || REPLAY_CLANG_ASAN
#define REPLAY_SANITIZED "yes"
#else
#define REPLAY_SANITIZED "no"
#endif

static int replayed;

static int replay_file(const char *path)
{
	struct stat st;
	FILE *file = fopen(path, "re");
	uint8_t *bytes;
	size_t   size;

	if (file == NULL || fstat(fileno(file), &st) < 0) {
		printf("not ok %d - %s: can't be read\n", ++replayed, path);
		return -1;
	}
	/* As long as the file, so that a read past its end is seen by the sanitizer. */
	bytes = malloc((size_t)st.st_size + (st.st_size == 0));
	if (bytes == NULL)
		abort();
	size = fread(bytes, 1, (size_t)st.st_size, file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	const char *name = strrchr(path, '/');
	printf("ok %d - %s\n", ++replayed, name != NULL ? name + 1 : path);
	fflush(stdout); /* an abort in the next one must not take this line with it */
	return 0;
}

static int replay_path(const char *path)
{
	struct dirent **entries;
	int ret = 0, count = scandir(path, &entries, NULL, alphasort);

	if (count < 0)
		return replay_file(path);
	for (int i = 0; i < count; i++) {
		char *file;

		if (entries[i]->d_name[0] != '.') {
			if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
				abort();
			ret |= replay_file(file);
			free(file);
		}
		free(entries[i]);
	}
	free(entries);
	return ret;
}

int main(int argc, char **argv)
{
	int ret = 0;

	printf("# sanitized: %s\n", REPLAY_SANITIZED);
	for (int i = 1; i < argc; i++)
		ret |= replay_path(argv[i]);
	printf("1..%d\n", replayed);
	return ret == 0 && replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif

#endif
