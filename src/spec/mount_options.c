/* mount_options.c - see mount_options.h. Side: any; pure. */
#define _GNU_SOURCE
#include "spec/mount_options.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

enum word_kind {
	KIND_ATTR,        /* set, clear, drop: for this mount */
	KIND_RECURSIVE,   /* the same with submounts */
	KIND_PROPAGATION, /* set is MS_SHARED etc., with MS_REC */
	KIND_BIND,        /* set is MS_BIND, with MS_REC */
	KIND_DATA,        /* a flag of the file system as a whole, by its own name */
	KIND_NOTHING,     /* the default, or off: nothing to do */
	KIND_SPECIAL,     /* set is MOUNT_*: work for moss itself */
};

struct word {
	const char    *name;
	enum word_kind kind;
	uint64_t       set, clear;
	uint64_t       drop; /* taken out of what earlier words set, without being cleared itself */
};

#define ATTR_SET(name, attr) { name, KIND_ATTR, attr, 0, 0 }, { "r" name, KIND_RECURSIVE, attr, 0, 0 }
#define ATTR_CLEAR(name, attr) { name, KIND_ATTR, 0, attr, 0 }, { "r" name, KIND_RECURSIVE, 0, attr, 0 }
/* The access time is one number, not a set of flags: it is cleared as a whole before it is set. */
#define ATIME_SET(name, attr)                                      \
	{ name, KIND_ATTR, attr, MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME }, \
	{ "r" name, KIND_RECURSIVE, attr, MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME }
/* Back to the default (relatime), but only from the mode that the word takes back. */
#define ATIME_DROP(name, attr)                         \
	{ name, KIND_ATTR, 0, MOUNT_ATTR__ATIME, attr }, \
	{ "r" name, KIND_RECURSIVE, 0, MOUNT_ATTR__ATIME, attr }
#define PROPAGATION(name, flag) \
	{ name, KIND_PROPAGATION, flag, 0, 0 }, { "r" name, KIND_PROPAGATION, flag | MS_REC, 0, 0 }
#define SPECIAL(name, flags) { name, KIND_SPECIAL, flags, 0, 0 }
#define WORD(name, kind) { name, kind, 0, 0, 0 }

static const struct word words_known[] = {
	ATTR_SET("ro", MOUNT_ATTR_RDONLY),
	ATTR_CLEAR("rw", MOUNT_ATTR_RDONLY),
	ATTR_SET("nosuid", MOUNT_ATTR_NOSUID),
	ATTR_CLEAR("suid", MOUNT_ATTR_NOSUID),
	ATTR_SET("nodev", MOUNT_ATTR_NODEV),
	ATTR_CLEAR("dev", MOUNT_ATTR_NODEV),
	ATTR_SET("noexec", MOUNT_ATTR_NOEXEC),
	ATTR_CLEAR("exec", MOUNT_ATTR_NOEXEC),
	ATTR_SET("nodiratime", MOUNT_ATTR_NODIRATIME),
	ATTR_CLEAR("diratime", MOUNT_ATTR_NODIRATIME),
	ATTR_SET("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW),
	ATTR_CLEAR("symfollow", MOUNT_ATTR_NOSYMFOLLOW),
	ATIME_SET("noatime", MOUNT_ATTR_NOATIME),
	ATIME_DROP("atime", MOUNT_ATTR_NOATIME),
	ATIME_SET("strictatime", MOUNT_ATTR_STRICTATIME),
	ATIME_DROP("nostrictatime", MOUNT_ATTR_STRICTATIME),
	ATIME_SET("relatime", MOUNT_ATTR_RELATIME),
	ATIME_DROP("norelatime", MOUNT_ATTR_RELATIME),
	PROPAGATION("private", MS_PRIVATE),
	PROPAGATION("shared", MS_SHARED),
	PROPAGATION("slave", MS_SLAVE),
	PROPAGATION("unbindable", MS_UNBINDABLE),
	{ "bind", KIND_BIND, MS_BIND, 0, 0 },
	{ "rbind", KIND_BIND, MS_BIND | MS_REC, 0, 0 },
	WORD("sync", KIND_DATA),
	WORD("async", KIND_NOTHING),
	WORD("dirsync", KIND_DATA),
	WORD("mand", KIND_DATA),
	WORD("nomand", KIND_NOTHING),
	WORD("lazytime", KIND_DATA),
	WORD("nolazytime", KIND_NOTHING),
	SPECIAL("iversion", MOUNT_IVERSION),
	WORD("noiversion", KIND_NOTHING),
	WORD("defaults", KIND_NOTHING),
	WORD("loud", KIND_NOTHING),
	WORD("silent", KIND_NOTHING),
	WORD("", KIND_NOTHING),
	SPECIAL("tmpcopyup", MOUNT_COPY_UP),
	SPECIAL("remount", MOUNT_REMOUNT),
	SPECIAL("idmap", MOUNT_IDMAP),
	SPECIAL("ridmap", MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE),
	SPECIAL("copy-symlink", MOUNT_COPY_LINK),
	SPECIAL("src-nofollow", MOUNT_SOURCE_NOFOLLOW),
	SPECIAL("dest-nofollow", MOUNT_TARGET_NOFOLLOW),
};

static const struct word *word_find(const char *name)
{
	for (size_t i = 0; i < sizeof(words_known) / sizeof(words_known[0]); i++)
		if (words_known[i].name[0] == name[0] && strcmp(words_known[i].name, name) == 0)
			return &words_known[i];
	return NULL;
}

static void attr_apply(const struct word *w, uint64_t *set, uint64_t *clear)
{
	*set = (*set & ~(w->clear & ~MOUNT_ATTR__ATIME) & ~w->drop) | w->set;
	*clear = (*clear & ~(w->set & ~MOUNT_ATTR__ATIME)) | w->clear;
}

static void word_apply(const struct word *w, struct mount_options *out)
{
	switch (w->kind) {
	case KIND_ATTR:
		attr_apply(w, &out->attr_set, &out->attr_clear);
		break;
	case KIND_RECURSIVE:
		attr_apply(w, &out->recursive_attr_set, &out->recursive_attr_clear);
		break;
	case KIND_PROPAGATION:
		out->propagation = w->set & ~(uint64_t)MS_REC;
		out->propagation_recursive = (w->set & MS_REC) != 0;
		break;
	case KIND_BIND:
		out->bind = true;
		out->recursive |= (w->set & MS_REC) != 0;
		break;
	case KIND_SPECIAL:
		out->special |= (unsigned)w->set;
		break;
	case KIND_DATA:
	case KIND_NOTHING:
		break;
	}
}

/* "idmap=uids=0-1000-1;gids=0-1000-1" */
static bool idmap_apply(const char *text, struct mount_options *out)
{
	const char *word = text + (text[0] == 'r');

	if (strncmp(word, "idmap=", 6) != 0)
		return false;
	out->special |= MOUNT_IDMAP | (word > text ? MOUNT_IDMAP_RECURSIVE : 0);
	out->idmap = word + 6;
	return true;
}

const char *mount_options_name(size_t index)
{
	for (size_t i = 0; i < sizeof(words_known) / sizeof(words_known[0]); i++)
		if (words_known[i].name[0] != '\0' && index-- == 0)
			return words_known[i].name;
	return NULL;
}

int mount_options_parse(struct arena *arena, const char *const *words, size_t count,
			struct mount_options *ret_options, struct error *err)
{
	struct mount_options out = { 0 };

	out.data = arena_alloc(arena, count + 1, sizeof(*out.data));
	if (out.data == NULL)
		return error_set(err, ENOMEM, "read mount options");
	for (size_t i = 0; i < count; i++) {
		const struct word *w = word_find(words[i]);

		if (w == NULL && idmap_apply(words[i], &out))
			continue;
		if (w == NULL || w->kind == KIND_DATA)
			out.data[out.data_count++] = words[i];
		else
			word_apply(w, &out);
	}
	if (out.bind && out.data_count > 0) {
		error_set(err, 0, "a bind mount takes no file system option, but has \"%.200s\"",
			  out.data[0]);
		return error_hint(err, "remove the option, or \"bind\" and \"rbind\"");
	}
	*ret_options = out;
	return 0;
}
