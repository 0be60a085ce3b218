/* test_mountinfo.c - unit test; /proc/PID/mountinfo, line by line (base/mountinfo.h). Side: any. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mountinfo.h"

static void assert_next(char **rest, const char *root, const char *path, const char *type)
{
	struct mountinfo mount;

	assert_true(mountinfo_next(rest, &mount));
	assert_string_equal(mount.root, root);
	assert_string_equal(mount.path, path);
	assert_string_equal(mount.type, type);
}

static void each_mount_is_told_in_order(void **state)
{
	char text[] = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw\n"
		      "37 35 0:5 / /a\\040b\\011\\134 rw - tmpfs tmpfs rw\n"
		      "38 35 0:6 / /last ro - resctrl resctrl rw"; /* no line's end */
	char *rest = text;
	struct mountinfo mount;

	(void)state;
	assert_next(&rest, "/mnt1", "/mnt2", "ext3");
	assert_next(&rest, "/", "/a b\t\\", "tmpfs");
	assert_next(&rest, "/", "/last", "resctrl");
	assert_false(mountinfo_next(&rest, &mount));
	assert_false(mountinfo_next(&rest, &mount));
}

static void what_is_no_mount_is_passed_over(void **state)
{
	char text[] = "\n1 2 3 4 5\n - \n1 2 3:4 - ext4\n1 2 0:1 / /x\\0 rw -\n"
		      "1 2 0:1 / /x\\04 rw - proc";
	char *rest = text;
	struct mountinfo mount;

	(void)state;
	assert_next(&rest, "/", "/x\\04", "proc"); /* an escape that is cut short stands for itself */
	assert_false(mountinfo_next(&rest, &mount));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mount_is_told_in_order),
		cmocka_unit_test(what_is_no_mount_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
