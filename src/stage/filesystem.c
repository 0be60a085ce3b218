/* filesystem.c - see filesystem.h. Side: userns. */
#define _GNU_SOURCE
#include "stage/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "stage/copy_up.h"

#define FSCONFIG_TEXT_MAX 255 /* fs/fsopen.c: a key or a value with its NUL has 256 bytes */
#define LABEL_HINT "linux.mountLabel is \"%.200s\": the loaded policy must know it, and this file system take it"
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* Linux 5.10; glibc has no name for it */
#endif

/* moss knows cgroup v2 only; config.json says "cgroup" for both. */
static const char *kernel_type(const struct spec_mount *mount)
{
	return strcmp(mount->type, "cgroup") == 0 ? "cgroup2" : mount->type;
}

bool filesystem_needs_mount(const struct spec_mount *mount)
{
	if ((mount->options.special & MOUNT_IVERSION) ||
	    (mount->source != NULL && strlen(mount->source) > FSCONFIG_TEXT_MAX))
		return true;
	if (mount->label != NULL && strlen(mount->label) > FSCONFIG_TEXT_MAX)
		return true;
	for (size_t i = 0; i < mount->options.data_count; i++) {
		const char *word = mount->options.data[i], *equals = strchr(word, '=');
		size_t length = strlen(word), key = equals ? (size_t)(equals - word) : length;

		if (key > FSCONFIG_TEXT_MAX || (equals && length - key - 1 > FSCONFIG_TEXT_MAX))
			return true;
	}
	return false;
}

/* What the file system had to say, if anything: fsopen(2)'s log explains better than errno. */
static void filesystem_message(int fs, char *text, size_t size)
{
	ssize_t count = read(fs, text, size - 1);

	if (count < 0)
		count = 0;
	text[count] = '\0';
	if (count > 2 && text[1] == ' ')
		memmove(text, text + 2, (size_t)count - 1);
	text[strcspn(text, "\n")] = '\0';
}

static int filesystem_error(int fs, const char *what, struct error *err)
{
	int  code = errno;
	char message[256];

	filesystem_message(fs, message, sizeof(message));
	if (message[0] != '\0')
		return error_set(err, code, "%s: %s", what, message);
	return error_set(err, code, "%s", what);
}

static int filesystem_option(int fs, const char *word, struct error *err)
{
	const char *equals = strchr(word, '=');
	char        key[FSCONFIG_TEXT_MAX + 1];
	size_t      length = equals ? (size_t)(equals - word) : strlen(word);

	memcpy(key, word, length);
	key[length] = '\0';
	int ret = equals ? fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0)
			 : fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0);
	if (ret < 0) {
		char what[300];

		snprintf(what, sizeof(what), "option \"%s\"", word);
		filesystem_error(fs, what, err);
		return error_hint(err, "correct it or leave it out: the file system does not take it");
	}
	return 0;
}

/* mqueue takes no mount option. */
static bool labels_by_attribute(const struct spec_mount *mount)
{
	return strcmp(mount->type, "mqueue") == 0;
}

/* @root: any fd of the mount's root. */
static int set_label(const struct spec_mount *mount, int root, struct error *err)
{
	if (mount->label == NULL || !labels_by_attribute(mount))
		return 0;
	fd_owned fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fsetxattr(fd, "security.selinux", mount->label, strlen(mount->label) + 1, 0) == 0)
		return 0;
	error_set(err, errno, "give it the SELinux label");
	return error_hint(err, LABEL_HINT, mount->label);
}

static bool has_option(const struct spec_mount *mount, const char *start)
{
	for (size_t i = 0; i < mount->options.data_count; i++)
		if (str_starts(mount->options.data[i], start))
			return true;
	return false;
}

/* Like runc: a tmpfs takes the mode of the directory that it covers. "" for none. */
static int default_mode(const struct spec_mount *mount, int target, char text[16], struct error *err)
{
	struct stat st;

	text[0] = '\0';
	if (strcmp(mount->type, "tmpfs") != 0 || has_option(mount, "mode="))
		return 0;
	if (fstat(target, &st) < 0)
		return error_set(err, errno, "stat");
	snprintf(text, 16, "mode=%o", st.st_mode & 07777);
	return 0;
}

static int filesystem_options(int fs, const struct spec_mount *mount, int target, struct error *err)
{
	const char *source = mount->source ? mount->source : "";
	char        mode[16];

	if (default_mode(mount, target, mode, err) < 0)
		return -err->code;
	if (source[0] != '\0' && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return filesystem_error(fs, "source", err);
	/* A device that can only be read can't be opened for more. */
	if (source[0] == '/' && (mount->options.attr_set & MOUNT_ATTR_RDONLY) &&
	    filesystem_option(fs, "ro", err) < 0)
		return -err->code;
	for (size_t i = 0; i < mount->options.data_count; i++)
		if (filesystem_option(fs, mount->options.data[i], err) < 0)
			return -err->code;
	if (mount->label != NULL && !labels_by_attribute(mount) && fsconfig(fs, FSCONFIG_SET_STRING, "context", mount->label, 0) < 0) {
		filesystem_error(fs, "SELinux context", err);
		return error_hint(err, LABEL_HINT, mount->label);
	}
	return mode[0] != '\0' ? filesystem_option(fs, mode, err) : 0;
}

static int filesystem_hint(const char *type, int code, struct error *err)
{
	if (code == ENODEV)
		return error_hint(err, "this kernel has no file system \"%s\"", type);
	if (code == EPERM && strcmp(type, "proc") == 0)
		return error_hint(err, "a user namespace may mount proc only with a pid namespace of its own, and "
				       "not inside a container that masks parts of /proc (--security-opt unmask=ALL, "
				       "procMount: Unmasked)");
	if (code == EPERM && strcmp(type, "sysfs") == 0)
		return error_hint(err, "a user namespace may mount sysfs only with a network namespace of its own: add "
				       "one, or bind the host's /sys (see moss spec --rootless)");
	if (code == EPERM && strcmp(type, "mqueue") == 0)
		return error_hint(err, "add an ipc namespace");
	if (code == EPERM && strcmp(type, "cgroup2") == 0)
		return error_hint(err, "add a cgroup namespace");
	if (code == EPERM)
		return error_hint(err, "the kernel does not allow this file system in a user namespace");
	return -code;
}

/* Copy up, then make read-only what had to be written. */
static int fill(const struct spec_mount *mount, int target, int tree, struct error *err)
{
	struct mount_attr attributes = { .attr_set = mount->options.attr_set & MOUNT_ATTR_RDONLY };

	if (copy_up(target, tree, !has_option(mount, "uid=") && !has_option(mount, "gid="), err) < 0)
		return -err->code;
	if (attributes.attr_set != 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return error_set(err, errno, "make the tmpfs read-only");
	return 0;
}

int filesystem_make(const struct spec_mount *mount, int target, int *ret_fd, struct error *err)
{
	bool        filled = mount->options.special & MOUNT_COPY_UP;
	uint64_t    attributes = mount->options.attr_set & ~(filled ? (uint64_t)MOUNT_ATTR_RDONLY : 0);
	const char *type = kernel_type(mount);
	fd_owned fs = fsopen(type, FSOPEN_CLOEXEC);

	if (fs < 0) {
		int code = errno;
		error_set(err, code, "file system \"%s\"", type);
		return filesystem_hint(type, code, err);
	}
	if (filesystem_options(fs, mount, target, err) < 0)
		return -err->code;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		filesystem_error(fs, "make the file system", err);
		return filesystem_hint(type, err->code, err);
	}
	fd_owned tree = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attributes);
	if (tree < 0) {
		filesystem_error(fs, "mount the file system", err);
		return filesystem_hint(type, err->code, err);
	}
	if (set_label(mount, tree, err) < 0 || (filled && fill(mount, target, tree, err) < 0))
		return -err->code;
	*ret_fd = fd_take(&tree);
	return 0;
}

/* mount(2)'s flag for a word of the file system's, or 0. */
static unsigned long word_flag(const char *word)
{
	static const struct { const char *word; unsigned long flag; } flags[] = {
		{ "sync", MS_SYNCHRONOUS }, { "dirsync", MS_DIRSYNC }, { "mand", MS_MANDLOCK }, { "lazytime", MS_LAZYTIME },
	};

	for (size_t i = 0; i < array_size(flags); i++)
		if (strcmp(flags[i].word, word) == 0)
			return flags[i].flag;
	return 0;
}

static unsigned long attr_flags(uint64_t attributes)
{
	static const struct { uint64_t attr; unsigned long flag; } flags[] = {
		{ MOUNT_ATTR_RDONLY, MS_RDONLY },         { MOUNT_ATTR_NOSUID, MS_NOSUID },
		{ MOUNT_ATTR_NODEV, MS_NODEV },           { MOUNT_ATTR_NOEXEC, MS_NOEXEC },
		{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME }, { MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
		{ MOUNT_ATTR_NOATIME, MS_NOATIME },       { MOUNT_ATTR_STRICTATIME, MS_STRICTATIME },
	};
	unsigned long result = 0;

	for (size_t i = 0; i < array_size(flags); i++)
		if (attributes & flags[i].attr)
			result |= flags[i].flag;
	return result;
}

static void data_add(struct str *data, const char *word)
{
	str_add(data, "%s%s", data->size > 0 ? "," : "", word);
}

int filesystem_attach(const struct spec_mount *what, int target, struct error *err)
{
	unsigned long flags = attr_flags(what->options.attr_set) | (what->options.special & MOUNT_IVERSION ? MS_I_VERSION : 0);
	const char *source = what->source ? what->source : "none", *type = kernel_type(what), *longest = "";
	char        text[16], path[32];
	str_owned data = { 0 };

	if (what->options.special & MOUNT_COPY_UP)
		return error_set(err, EINVAL, "tmpcopyup can't go with iversion or an option above %d bytes", FSCONFIG_TEXT_MAX);
	for (size_t i = 0; i < what->options.data_count; i++) {
		const char *word = what->options.data[i];

		longest = strlen(word) > strlen(longest) ? word : longest;
		if (word_flag(word) != 0)
			flags |= word_flag(word);
		else
			data_add(&data, word);
	}
	if (default_mode(what, target, text, err) < 0)
		return -err->code;
	if (text[0] != '\0')
		data_add(&data, text);
	/* In quotes, for a label's commas (which fsconfig(2) needs no help with). */
	if (what->label != NULL && !labels_by_attribute(what))
		str_add(&data, "%scontext=\"%s\"", data.size > 0 ? "," : "", what->label);
	if (data.failed)
		return error_set(err, ENOMEM, "mount options");
	/* mount(2): one page, and what is longer is cut without a word. */
	if (data.size >= 4096)
		return error_set(err, E2BIG, "option \"%.40s...\": the options have %zu bytes together, and the kernel takes 4095",
				 longest, data.size);
	if (strlen(source) >= PATH_MAX)
		return error_set(err, E2BIG, "source \"%.40s...\" has %zu bytes, and the kernel takes 4095", source, strlen(source));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
	if (mount(source, path, type, flags, data.size > 0 ? data.text : NULL) < 0) {
		int code = errno;

		error_set(err, code, "make the file system, with %.200s%s", data.size > 0 ? data.text : "no option",
			  data.size > 200 ? "..." : "");
		return filesystem_hint(type, code, err);
	}
	return 0;
}
