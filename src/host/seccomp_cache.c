/* seccomp_cache.c - see seccomp_cache.h. Side: host. */
#define _GNU_SOURCE
#include "host/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#define FORMAT "moss-sc1"
#define TEMPORARY_AGE_MAX_S 60 /* of a moss that was killed while it wrote */

struct head { /* of a file; the key and the program follow */
	char     format[8];
	uint32_t key_size, program_size; /* bytes */
	uint64_t sum;                    /* of both */
};

/* FNV-1a: neither needs to withstand anybody, a file of ours is what we wrote. */
static uint64_t hash(uint64_t so_far, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		so_far = (so_far ^ at[i]) * UINT64_C(0x100000001b3);
	return so_far;
}
#define HASH_START UINT64_C(0xcbf29ce484222325)

void seccomp_cache_key(const struct spec_seccomp *spec, struct str *key)
{
	const struct scmp_version *version = seccomp_version();

	/* Texts have their length before them: no two sections have the same key. */
	str_add(key, "%zu:" PACKAGE_VERSION " %zu:%s %u.%u.%u %x\n", strlen(PACKAGE_VERSION), strlen(MOSS_COMMIT), MOSS_COMMIT,
		version->major, version->minor, version->micro, seccomp_arch_native());
	str_add(key, "%x %zu:", spec->default_action, spec->archs_count);
	for (size_t i = 0; i < spec->archs_count; i++)
		str_add(key, " %x", spec->archs[i]);
	for (size_t i = 0; i < spec->rules_count; i++) {
		const struct spec_seccomp_rule *rule = &spec->rules[i];

		str_add(key, "\n%x %zu:", rule->action, rule->args_count);
		for (size_t j = 0; j < rule->args_count; j++)
			str_add(key, " %u %u %" PRIx64 " %" PRIx64, rule->args[j].index, rule->args[j].op, rule->args[j].value,
				rule->args[j].value_two);
		for (size_t j = 0; j < rule->names_count; j++) {
			size_t length = strlen(rule->names[j]);

			str_add(key, " %zu:", length);
			str_add_bytes(key, rule->names[j], length);
		}
	}
}

static void entry_name(const struct str *key, char name[20])
{
	snprintf(name, 20, "%016" PRIx64, hash(HASH_START, key->text, key->size));
}

/* Nobody else can have written it. */
static bool is_ours(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

/* Returns the directory's fd, or -1. */
static int open_directory(int root_fd)
{
	fd_owned fd = openat(root_fd, SECCOMP_CACHE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (is_ours(fd, S_IFDIR))
		return fd_take(&fd);
	log_line(LOG_LEVEL_WARNING, "%s in the state directory is not used: it belongs to somebody else, or others can write to it",
		 SECCOMP_CACHE_DIRECTORY);
	return -1;
}

/* The part of the file behind its head: the key, then the program, both whole. */
static bool is_entry(const struct head *head, const char *rest, size_t size, const struct str *key)
{
	return memcmp(head->format, FORMAT, sizeof(head->format)) == 0 && head->key_size == key->size && head->program_size > 0 &&
	       head->program_size % sizeof(struct sock_filter) == 0 &&
	       head->program_size <= BPF_MAXINSNS * sizeof(struct sock_filter) &&
	       size == (size_t)head->key_size + head->program_size && memcmp(rest, key->text, key->size) == 0 &&
	       hash(HASH_START, rest, size) == head->sum;
}

bool seccomp_cache_find(int root_fd, const struct str *key, struct sock_filter program[BPF_MAXINSNS], uint16_t *ret_count)
{
	char name[20];
	struct head head;
	size_t room = sizeof(head) + key->size + BPF_MAXINSNS * sizeof(struct sock_filter) + 1;
	mem_owned char *bytes = NULL;
	fd_owned dir = open_directory(root_fd);

	if (dir < 0 || key->failed)
		return false;
	entry_name(key, name);
	/* O_NONBLOCK: whatever stands there. */
	fd_owned fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || !is_ours(fd, S_IFREG) || (bytes = malloc(room)) == NULL)
		return false;
	ssize_t size = read(fd, bytes, room);
	if (size < (ssize_t)sizeof(head))
		return false;
	memcpy(&head, bytes, sizeof(head));
	if (!is_entry(&head, bytes + sizeof(head), (size_t)size - sizeof(head), key))
		return false;
	memcpy(program, bytes + sizeof(head) + head.key_size, head.program_size);
	*ret_count = (uint16_t)(head.program_size / sizeof(struct sock_filter));
	return true;
}

/* Look through the directory once: remove what was left half written. Returns the number of entries; the oldest
 * one's name is in @oldest. */
static unsigned survey(int dir_fd, char oldest[NAME_MAX + 1])
{
	int  copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	struct timespec first = { 0 };
	unsigned count = 0;

	if (dir == NULL)
		fd_close(&copy);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (entry->d_name[0] == '.') {
			if (time(NULL) - st.st_mtim.tv_sec > TEMPORARY_AGE_MAX_S)
				unlinkat(dir_fd, entry->d_name, 0);
			continue;
		}
		if (count++ == 0 || st.st_mtim.tv_sec < first.tv_sec ||
		    (st.st_mtim.tv_sec == first.tv_sec && st.st_mtim.tv_nsec < first.tv_nsec)) {
			first = st.st_mtim;
			snprintf(oldest, NAME_MAX + 1, "%s", entry->d_name);
		}
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

static void make_room(int dir_fd)
{
	char oldest[NAME_MAX + 1];

	while (survey(dir_fd, oldest) > SECCOMP_CACHE_ENTRIES_MAX)
		if (unlinkat(dir_fd, oldest, 0) < 0 && errno != ENOENT)
			return;
}

void seccomp_cache_keep(int root_fd, const struct str *key, const struct sock_filter *program, uint16_t count)
{
	char name[20], why[ERROR_TEXT_MAX];
	struct error err = { 0 };
	struct head  head = { .format = FORMAT, .key_size = (uint32_t)key->size,
			      .program_size = (uint32_t)(count * sizeof(*program)) };
	str_owned    file = { 0 };

	/* What root leaves in a user's directory that user could neither use nor remove. */
	if (key->failed || !is_ours(root_fd, S_IFDIR) || (mkdirat(root_fd, SECCOMP_CACHE_DIRECTORY, 0700) < 0 && errno != EEXIST))
		return;
	fd_owned dir = open_directory(root_fd);
	if (dir < 0)
		return;
	head.sum = hash(hash(HASH_START, key->text, key->size), program, head.program_size);
	str_add_bytes(&file, (const char *)&head, sizeof(head));
	str_add_bytes(&file, key->text, key->size);
	str_add_bytes(&file, (const char *)program, head.program_size);
	entry_name(key, name);
	if (file.failed || io_replace_file(dir, name, file.text, file.size, 0600, &err) < 0) {
		error_text(&err, why, sizeof(why));
		log_line(LOG_LEVEL_DEBUG, "the program of the seccomp filter is not kept: %s", why);
		return;
	}
	make_room(dir);
}
