/* test_mount_options.c - unit test; one test per rule stated in spec/mount_options.h. Side: any. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <cmocka.h>

#include "spec/mount_options.h"

#define WORDS_MAX 16

static struct arena arena;
static struct mount_options out;
static struct error err;

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* Parse the comma-separated words of @text; they stay valid until teardown. */
static int parse(const char *text)
{
	const char *words[WORDS_MAX];
	size_t count = 0;
	char  *rest = arena_text(&arena, text);

	for (char *word; (word = strsep(&rest, ",")) != NULL;) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	err = (struct error){ 0 };
	return mount_options_parse(&arena, words, count, &out, &err);
}

static void expect_attr(const char *text, uint64_t set, uint64_t clear)
{
	assert_int_equal(parse(text), 0);
	assert_int_equal(out.attr_set, set);
	assert_int_equal(out.attr_clear, clear);
	assert_int_equal(out.recursive_attr_set | out.recursive_attr_clear, 0);
	assert_int_equal(out.data_count, 0);
}

static void expect_recursive(const char *text, uint64_t set, uint64_t clear)
{
	assert_int_equal(parse(text), 0);
	assert_int_equal(out.recursive_attr_set, set);
	assert_int_equal(out.recursive_attr_clear, clear);
	assert_int_equal(out.attr_set | out.attr_clear, 0);
	assert_int_equal(out.data_count, 0);
}

static void no_words_mean_nothing(void **state)
{
	(void)state;
	assert_int_equal(mount_options_parse(&arena, (const char *const[]){ NULL }, 0, &out, &err), 0);
	assert_int_equal(out.attr_set | out.attr_clear | out.propagation, 0);
	assert_false(out.bind || out.recursive);
	assert_non_null(out.data);
	assert_null(out.data[0]);
}

static void each_flag_has_its_attribute(void **state)
{
	static const struct {
		const char *on, *off;
		uint64_t    attr;
	} flags[] = {
		{ "ro", "rw", MOUNT_ATTR_RDONLY },
		{ "nosuid", "suid", MOUNT_ATTR_NOSUID },
		{ "nodev", "dev", MOUNT_ATTR_NODEV },
		{ "noexec", "exec", MOUNT_ATTR_NOEXEC },
		{ "nodiratime", "diratime", MOUNT_ATTR_NODIRATIME },
		{ "nosymfollow", "symfollow", MOUNT_ATTR_NOSYMFOLLOW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		char word[40] = "r";

		expect_attr(flags[i].on, flags[i].attr, 0);
		expect_attr(flags[i].off, 0, flags[i].attr);
		expect_recursive(strcat(word, flags[i].on), flags[i].attr, 0);
		strcpy(word, "r");
		expect_recursive(strcat(word, flags[i].off), 0, flags[i].attr);
	}
}

static void later_word_wins(void **state)
{
	(void)state;
	expect_attr("ro,nosuid,rw", MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY);
	expect_attr("rw,ro", MOUNT_ATTR_RDONLY, 0);
	expect_recursive("rro,rrw", 0, MOUNT_ATTR_RDONLY);
	expect_attr("noatime,strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME);
	expect_attr("noatime,relatime", 0, MOUNT_ATTR__ATIME);
}

static void access_time_is_cleared_before_it_is_set(void **state)
{
	(void)state;
	expect_attr("noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME);
	expect_attr("strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME);
	expect_attr("relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME);
	expect_recursive("rnoatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME);
	expect_recursive("rstrictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME);
	expect_recursive("rrelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME);
}

static void an_access_time_is_taken_back_by_its_own_word(void **state)
{
	(void)state;
	expect_attr("noatime,atime", 0, MOUNT_ATTR__ATIME);
	expect_attr("strictatime,nostrictatime", 0, MOUNT_ATTR__ATIME);
	expect_attr("strictatime,atime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME);
	expect_attr("noatime,nostrictatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME);
	expect_attr("strictatime,norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME);
	expect_recursive("rnoatime,ratime", 0, MOUNT_ATTR__ATIME);
	expect_recursive("rnostrictatime", 0, MOUNT_ATTR__ATIME);
	expect_recursive("rnorelatime", 0, MOUNT_ATTR__ATIME);
}

static void directory_access_time_is_a_flag_of_its_own(void **state)
{
	(void)state;
	expect_attr("nodiratime,noatime", MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME);
	expect_attr("noatime,diratime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME);
}

static void propagation_words(void **state)
{
	static const struct {
		const char *name;
		uint64_t    flag;
	} words[] = {
		{ "private", MS_PRIVATE }, { "shared", MS_SHARED },
		{ "slave", MS_SLAVE },     { "unbindable", MS_UNBINDABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char word[40] = "r";

		assert_int_equal(parse(words[i].name), 0);
		assert_int_equal(out.propagation, words[i].flag);
		assert_false(out.propagation_recursive);
		assert_int_equal(parse(strcat(word, words[i].name)), 0);
		assert_int_equal(out.propagation, words[i].flag);
		assert_true(out.propagation_recursive);
	}
	assert_int_equal(parse("rshared,slave"), 0);
	assert_int_equal(out.propagation, MS_SLAVE);
	assert_false(out.propagation_recursive);
}

static void bind_words(void **state)
{
	(void)state;
	assert_int_equal(parse("bind,ro"), 0);
	assert_true(out.bind && !out.recursive);
	assert_int_equal(parse("rbind"), 0);
	assert_true(out.bind && out.recursive);
	assert_int_equal(parse("rbind,bind"), 0);
	assert_true(out.bind && out.recursive);
	assert_int_equal(parse("ro"), 0);
	assert_false(out.bind);
}

static void other_words_go_to_the_file_system(void **state)
{
	(void)state;
	assert_int_equal(parse("size=64k,nodev,mode=755"), 0);
	assert_int_equal(out.data_count, 2);
	assert_string_equal(out.data[0], "size=64k");
	assert_string_equal(out.data[1], "mode=755");
	assert_null(out.data[2]);
}

static void flags_of_the_whole_file_system_go_there_by_name(void **state)
{
	static const char *const words[] = { "sync", "dirsync", "lazytime", "mand" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(parse(words[i]), 0);
		assert_int_equal(out.data_count, 1);
		assert_string_equal(out.data[0], words[i]);
	}
}

static void words_for_the_default_do_nothing(void **state)
{
	(void)state;
	expect_attr("defaults,async,nomand,nolazytime,noiversion,loud,silent", 0, 0);
	expect_attr("", 0, 0);
}

static void words_for_moss_itself(void **state)
{
	static const struct {
		const char *word;
		unsigned    flags;
	} words[] = {
		{ "tmpcopyup", MOUNT_COPY_UP },
		{ "remount", MOUNT_REMOUNT },
		{ "idmap", MOUNT_IDMAP },
		{ "ridmap", MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE },
		{ "copy-symlink", MOUNT_COPY_LINK },
		{ "src-nofollow", MOUNT_SOURCE_NOFOLLOW },
		{ "dest-nofollow", MOUNT_TARGET_NOFOLLOW },
		{ "iversion", MOUNT_IVERSION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(parse(words[i].word), 0);
		assert_int_equal(out.special, words[i].flags);
		assert_int_equal(out.data_count, 0);
		assert_null(out.idmap);
	}
	assert_int_equal(parse("tmpcopyup,remount"), 0);
	assert_int_equal(out.special, MOUNT_COPY_UP | MOUNT_REMOUNT);
}

static void a_mapping_comes_with_its_word(void **state)
{
	(void)state;
	assert_int_equal(parse("idmap=uids=0-1-2;gids=0-1-2"), 0);
	assert_int_equal(out.special, MOUNT_IDMAP);
	assert_string_equal(out.idmap, "uids=0-1-2;gids=0-1-2");
	assert_int_equal(parse("ridmap="), 0);
	assert_int_equal(out.special, MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE);
	assert_string_equal(out.idmap, "");
	assert_int_equal(parse("rridmap=x,idmapx=1"), 0);
	assert_int_equal(out.special, 0);
	assert_int_equal(out.data_count, 2);
}

static void bind_refuses_file_system_options_by_name(void **state)
{
	(void)state;
	assert_int_equal(parse("rbind,size=64k"), -EINVAL);
	assert_non_null(strstr(err.cause, "\"size=64k\""));
	assert_int_equal(parse("sync,bind"), -EINVAL);
	assert_non_null(strstr(err.cause, "\"sync\""));
}

static bool name_listed(const char *name)
{
	for (size_t i = 0; mount_options_name(i) != NULL; i++)
		if (strcmp(mount_options_name(i), name) == 0)
			return true;
	return false;
}

static void the_list_of_names_is_what_is_honoured(void **state)
{
	static const char *const honoured[] = { "ro", "rro", "rnorelatime", "rprivate", "bind", "rbind",
			"defaults",
						"sync", "dirsync", "mand", "lazytime", "iversion", "async",
						"tmpcopyup", "idmap", "ridmap", "copy-symlink", "remount" };

	(void)state;
	for (size_t i = 0; i < sizeof(honoured) / sizeof(honoured[0]); i++)
		assert_true(name_listed(honoured[i]));
	assert_false(name_listed("") || name_listed("size=1"));
	for (size_t i = 0; mount_options_name(i) != NULL; i++)
		assert_int_equal(parse(mount_options_name(i)), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_words_mean_nothing),
		TEST(each_flag_has_its_attribute),
		TEST(later_word_wins),
		TEST(access_time_is_cleared_before_it_is_set),
		TEST(an_access_time_is_taken_back_by_its_own_word),
		TEST(directory_access_time_is_a_flag_of_its_own),
		TEST(propagation_words),
		TEST(bind_words),
		TEST(other_words_go_to_the_file_system),
		TEST(flags_of_the_whole_file_system_go_there_by_name),
		TEST(words_for_the_default_do_nothing),
		TEST(words_for_moss_itself),
		TEST(a_mapping_comes_with_its_word),
		TEST(bind_refuses_file_system_options_by_name),
		TEST(the_list_of_names_is_what_is_honoured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
