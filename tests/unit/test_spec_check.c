/* test_spec_check.c - unit test; the rules of spec_check() in spec/spec.h. Side: any. */
#define _GNU_SOURCE
#include <stdio.h>

#include "config_text.h"

#define USER "'namespaces': [ { 'type': 'user' } ], "
#define ONE_MAP "[ { 'containerID': 0, 'hostID': 1000, 'size': 1000 } ]"
#define MAPS(maps) LINUX(USER "'gidMappings': " ONE_MAP ", 'uidMappings': " maps)
#define MAPPED(user)                                                                               \
	CONFIG(ROOT ", 'linux': { " USER "'uidMappings': " ONE_MAP ", 'gidMappings': " ONE_MAP     \
	       " }, 'process': { 'cwd': '/', 'args': ['sh'], 'user': { " user " } }")

static void root_is_required(void **state)
{
	(void)state;
	config_pass(CONFIG(ROOT));
	config_fail(CONFIG("'hostname': ''"), "root", "missing");
	config_fail(CONFIG("'root': null"), "root", "missing");
	config_fail(CONFIG("'root': { 'path': '' }"), "root: path", "empty");
}

static void process_needs_args_and_an_absolute_cwd(void **state)
{
	(void)state;
	config_pass(PROCESS("'terminal': true"));
	config_fail(CONFIG(ROOT ", 'process': { 'cwd': '/' }"), "process: args", "missing or empty");
	config_fail(CONFIG(ROOT ", 'process': { 'cwd': '/', 'args': [] }"), "process: args",
			"missing or empty");
	config_fail(CONFIG(ROOT ", 'process': { 'cwd': 'tmp', 'args': ['sh'] }"), "process: cwd",
		    "\"tmp\" is not an absolute path");
	config_fail(CONFIG(ROOT ", 'process': { 'cwd': '', 'args': ['sh'] }"), "process: cwd",
			"not an absolute");
}

static void rlimits_are_consistent(void **state)
{
	(void)state;
	config_pass(PROCESS("'rlimits': [ { 'type': 'RLIMIT_CPU', 'soft': 5, 'hard': 5 } ]"));
	config_fail(PROCESS("'rlimits': [ { 'type': 'RLIMIT_CPU', 'soft': 6, 'hard': 5 } ]"),
		    "process: rlimits[0]", "RLIMIT_CPU: the soft limit 6 is above the hard limit 5");
	config_fail(PROCESS("'rlimits': [ { 'type': 'RLIMIT_CPU', 'soft': 18446744073709551615, 'hard': 5 } "
			"]"),
		    "process: rlimits[0]", "the soft limit 18446744073709551615");
	config_fail(PROCESS("'rlimits': [ { 'type': 'RLIMIT_CPU', 'soft': 1, 'hard': 5 },"
			    "{ 'type': 'RLIMIT_CPU', 'soft': 1, 'hard': 5 } ]"),
		    "process: rlimits[1]", "RLIMIT_CPU is listed twice");
}

static void a_fifo_of_an_owner_that_is_not_mapped_is_refused(void **state)
{
#define DEVICE(members) CONFIG(ROOT ", 'linux': { " USER "'uidMappings': " ONE_MAP ", 'gidMappings': " ONE_MAP                     \
			       ", 'devices': [ { 'path': '/dev/x', " members " } ] }")
	(void)state;
	config_pass(DEVICE("'type': 'p', 'uid': 999, 'gid': 999"));
	config_fail(DEVICE("'type': 'p', 'uid': 1000"), "linux: devices[0]: uid", "id 1000 is not mapped");
	config_fail(DEVICE("'type': 'p', 'gid': 5000"), "linux: devices[0]: gid", "id 5000 is not mapped");
	config_pass(DEVICE("'type': 'c', 'major': 1, 'minor': 3, 'uid': 5000, 'gid': 5000"));
}

static void some_mount_options_are_for_one_type(void **state)
{
#define MOUNT(members) CONFIG(ROOT ", 'mounts': [ { 'destination': '/x', " members " } ]")
#define TMPFS(word) MOUNT("'type': 'tmpfs', 'options': ['" word "']")
#define BIND(word) MOUNT("'type': 'bind', 'source': '/', 'options': ['" word "']")
	(void)state;
	config_pass(TMPFS("tmpcopyup"));
	config_pass(TMPFS("iversion"));
	config_pass(BIND("remount"));
	config_pass(BIND("copy-symlink"));
	config_pass(BIND("src-nofollow"));
	config_pass(BIND("dest-nofollow"));
	config_fail(BIND("tmpcopyup"), "mounts[0]: options", "\"tmpcopyup\" is for mounts of type tmpfs only");
	config_fail(MOUNT("'type': 'proc', 'options': ['tmpcopyup']"), "mounts[0]: options", "tmpfs only");
	config_fail(BIND("iversion"), "mounts[0]: options", "\"iversion\" is for what is no bind mount only");
	config_fail(TMPFS("remount"), "mounts[0]: options", "type bind only");
	config_fail(TMPFS("copy-symlink"), "mounts[0]: options", "type bind only");
	config_fail(TMPFS("src-nofollow"), "mounts[0]: options", "type bind only");
	config_fail(TMPFS("idmap"), "mounts[0]: options", "type bind only");
	config_fail(MOUNT("'type': 'bind', 'options': ['remount', 'idmap']"), "mounts[0]: options", "attached already");
}

static void mappings_of_a_mount_are_ranges(void **state)
{
#define MAP(a, b, n) "[ { 'containerID': " a ", 'hostID': " b ", 'size': " n " } ]"
#define MAPPED_MOUNT(uids, gids) MOUNT("'type': 'bind', 'uidMappings': " uids ", 'gidMappings': " gids)
	(void)state;
	config_pass(MAPPED_MOUNT(MAP("0", "1", "2"), MAP("0", "1", "2")));
	config_fail(MAPPED_MOUNT(MAP("0", "1", "0"), MAP("0", "1", "2")), "mounts[0]: uidMappings[0]", "the size is 0");
	config_fail(MAPPED_MOUNT(MAP("0", "1", "1"), MAP("0", "4294967290", "10")), "mounts[0]: gidMappings[0]", "ends past");
}

static void expect_maps(const char *words, const uint32_t (*uids)[3], size_t count)
{
	char text[1024];
	struct error err = { 0 };
	spec_owned spec;

	snprintf(text, sizeof(text), "{ 'ociVersion': '1.2.0', 'root': { 'path': 'r' }, 'mounts': [ { 'destination': '/x', 'type': 'bind',"
		 "'options': ['%s'] } ], 'linux': { 'namespaces': [ { 'type': 'user' } ],"
		 "'uidMappings': [ { 'containerID': 0, 'hostID': 0, 'size': 1 }, { 'containerID': 1, 'hostID': 2, 'size': 1000 } ],"
		 "'gidMappings': [ { 'containerID': 0, 'hostID': 50, 'size': 9 } ] } }", words);
	assert_int_equal(config_read(text, &spec, &err), 0);
	assert_int_equal(spec_resolve_idmaps(&spec, &err), 0);
	assert_int_equal(spec_check(&spec, &err), 0);
	assert_int_equal(spec.mounts[0].uid_maps.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(spec.mounts[0].uid_maps.maps[i].container_id, uids[i][0]);
		assert_int_equal(spec.mounts[0].uid_maps.maps[i].host_id, uids[i][1]);
		assert_int_equal(spec.mounts[0].uid_maps.maps[i].count, uids[i][2]);
	}
}

static void idmap_takes_the_maps_that_it_is_given(void **state)
{
	(void)state;
	expect_maps("idmap", (const uint32_t[][3]){ { 0, 0, 1 }, { 1, 2, 1000 } }, 2);
	expect_maps("ridmap=uids=5-6-7;gids=0-0-1", (const uint32_t[][3]){ { 5, 6, 7 } }, 1);
	expect_maps("idmap=gids=0-0-1;uids=0-1-10#10-11-10", (const uint32_t[][3]){ { 0, 1, 10 }, { 10, 11, 10 } }, 2);
	/* relative to the container's: its id 3 is the host's 4 */
	expect_maps("idmap=uids=@1-3-10;gids=@0-0-1", (const uint32_t[][3]){ { 1, 4, 10 } }, 1);
	expect_maps("idmap=uids=@1-3-10#20-77-1;gids=@0-8-1", (const uint32_t[][3]){ { 1, 4, 10 }, { 20, 77, 1 } }, 2);
}

static void expect_no_maps(const char *text, const char *object, const char *cause)
{
	struct error err = { 0 };
	spec_owned spec;

	assert_int_equal(config_read(text, &spec, &err), 0);
	assert_int_equal(spec_resolve_idmaps(&spec, &err), -EINVAL);
	assert_string_equal(err.object, object);
	if (strstr(err.cause, cause) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", cause, err.cause);
}

static void bad_mappings_of_idmap_are_named(void **state)
{
#define IDMAP(word) MOUNT("'type': 'bind', 'options': ['" word "'] } ], 'linux': { 'namespaces': [ { 'type': 'user' } ], "         \
			  "'uidMappings': " MAP("0", "100", "10") ", 'gidMappings': " MAP("0", "100", "10")                         \
			  " }, 'annotations': { 'a': 'b' }, 'mounts2': [ { 'a': 1")
	static const char option[] = "mounts[0]: options: idmap";

	(void)state;
	expect_no_maps(BIND("idmap"), option, "no user namespace");
	expect_no_maps(MOUNT("'type': 'bind', 'uidMappings': " MAP("0", "1", "2")), "mounts[0]: gidMappings", "missing");
	expect_no_maps(MOUNT("'type': 'bind', 'gidMappings': " MAP("0", "1", "2")), "mounts[0]: uidMappings", "missing");
	expect_no_maps(MOUNT("'type': 'bind', 'options': ['idmap=uids=0-0-1;gids=0-0-1'], 'uidMappings': " MAP("0", "1", "2")), option, "twice");
	expect_no_maps(BIND("idmap="), option, "neither");
	expect_no_maps(BIND("idmap=uids=0-1-2"), option, "both uids and gids");
	expect_no_maps(BIND("idmap=uids=0-1-2;uids=0-1-2"), option, "a second time");
	expect_no_maps(BIND("idmap=uids=0-1;gids=0-1-2"), option, "\"0-1\" is not three");
	expect_no_maps(BIND("idmap=uids=0-1-2-3;gids=0-1-2"), option, "is not three numbers");
	expect_no_maps(BIND("idmap=uids=0-1--2;gids=0-1-2"), option, "is not three numbers");
	expect_no_maps(BIND("idmap=uids=0-4294967295-1;gids=0-1-2"), option, "is not three numbers");
	expect_no_maps(BIND("idmap=uids=#;gids=0-1-2"), option, "is not three numbers");
	expect_no_maps(BIND("idmap=users=0-1-2"), option, "\"users=0-1-2\" is neither");
	expect_no_maps(IDMAP("idmap=uids=@0-9-2;gids=0-1-2"), option, "within one range");
	expect_no_maps(IDMAP("idmap=uids=0-9-2;gids=@0-10-1"), option, "does not map");
}

static void mounts_have_a_type_or_are_binds(void **state)
{
	(void)state;
	config_pass(CONFIG(ROOT ", 'mounts': [ { 'destination': '/x', 'source': '/y', 'options': ['rbind'] } ]"));
	config_pass(CONFIG(ROOT ", 'mounts': [ { 'destination': '/x', 'type': 'tmpfs' } ]"));
	config_fail(CONFIG(ROOT ", 'mounts': [ { 'destination': '/x', 'source': 'tmpfs' } ]"), "mounts[0]: /x",
		    "neither a type nor");
	config_fail(CONFIG(ROOT ", 'mounts': [ { 'destination': '/x', 'type': '' } ]"), "mounts[0]: /x",
		    "neither a type nor");
}

static void mappings_need_a_new_user_namespace(void **state)
{
	(void)state;
	config_pass(LINUX(USER "'uidMappings': " ONE_MAP ", 'gidMappings': " ONE_MAP));
	config_fail(LINUX("'uidMappings': " ONE_MAP ", 'gidMappings': " ONE_MAP), "linux: uidMappings",
		    "need a user namespace");
	config_fail(LINUX("'gidMappings': " ONE_MAP), "linux: gidMappings", "need a user namespace");
	config_fail(LINUX("'namespaces': [ { 'type': 'user', 'path': '/proc/1/ns/user' } ],"
			  "'uidMappings': " ONE_MAP), "linux: uidMappings", "has its own mappings");
	config_pass(LINUX("'namespaces': [ { 'type': 'user', 'path': '/proc/1/ns/user' } ]"));
}

static void a_new_user_namespace_has_both_mappings_or_none(void **state)
{
	(void)state;
	config_pass(LINUX("'namespaces': [ { 'type': 'user' } ]"));
	config_pass(LINUX(USER "'uidMappings': [], 'gidMappings': []"));
	config_fail(LINUX(USER "'uidMappings': " ONE_MAP), "linux: gidMappings", "missing");
	config_fail(LINUX(USER "'gidMappings': " ONE_MAP), "linux: uidMappings", "missing");
}

static void map_ranges_hold_ids_only(void **state)
{
	(void)state;
	config_fail(MAPS("[ { 'containerID': 0, 'hostID': 0, 'size': 0 } ]"), "linux: uidMappings[0]",
		    "the size is 0");
	config_pass(MAPS("[ { 'containerID': 0, 'hostID': 0, 'size': 4294967295 } ]"));
	config_fail(MAPS("[ { 'containerID': 1, 'hostID': 0, 'size': 4294967295 } ]"),
		    "linux: uidMappings[0]", "container ids ends past 4294967294");
	config_fail(MAPS("[ { 'containerID': 0, 'hostID': 4294967294, 'size': 2 } ]"),
		    "linux: uidMappings[0]", "host ids ends past 4294967294");
	config_fail(MAPS("[ { 'containerID': 4294967294, 'hostID': 0, 'size': 4294967295 } ]"),
		    "linux: uidMappings[0]", "container ids ends past");
}

static void map_ranges_do_not_overlap(void **state)
{
	(void)state;
	config_pass(MAPS("[ { 'containerID': 0, 'hostID': 500, 'size': 10 },"
			 "{ 'containerID': 10, 'hostID': 490, 'size': 10 } ]"));
	config_fail(MAPS("[ { 'containerID': 0, 'hostID': 500, 'size': 10 },"
			 "{ 'containerID': 9, 'hostID': 0, 'size': 10 } ]"),
		    "linux: uidMappings[1]", "its container ids overlap those of entry 0");
	config_fail(MAPS("[ { 'containerID': 0, 'hostID': 500, 'size': 10 },"
			 "{ 'containerID': 10, 'hostID': 491, 'size': 10 } ]"),
		    "linux: uidMappings[1]", "its host ids overlap those of entry 0");
	config_fail(LINUX(USER "'uidMappings': " ONE_MAP ", 'gidMappings': ["
			  "{ 'containerID': 5, 'hostID': 0, 'size': 1 },"
			  "{ 'containerID': 0, 'hostID': 10, 'size': 10 } ]"),
		    "linux: gidMappings[1]", "container ids overlap");
}

static void there_are_no_more_map_entries_than_the_kernel_takes(void **state)
{
	static char text[64 * 1024];

	(void)state;
	for (int entries = 340; entries <= 341; entries++) {
		int used = snprintf(text, sizeof(text), "{ 'ociVersion': '1.0.0', " ROOT
				    ", 'linux': { " USER "'gidMappings': " ONE_MAP ", 'uidMappings': [");

		for (int i = 0; i < entries; i++)
			used += snprintf(text + used, sizeof(text) - (size_t)used,
					 "%s{ 'containerID': %d, 'hostID': %d, 'size': 1 }",
					 i > 0 ? "," : "", i, i);
		snprintf(text + used, sizeof(text) - (size_t)used, "] } }");
		if (entries == 340)
			config_pass(text);
		else
			config_fail(text, "linux: uidMappings", "341 entries");
	}
}

static void process_ids_are_mapped(void **state)
{
	(void)state;
	config_pass(MAPPED("'uid': 999, 'gid': 999, 'additionalGids': [ 0, 999 ]"));
	config_fail(MAPPED("'uid': 70000, 'gid': 0"), "process: user: uid",
		    "id 70000 is not mapped in the user namespace (mapped: 0-999)");
	config_fail(MAPPED("'uid': 0, 'gid': 1000"), "process: user: gid", "id 1000 is not mapped");
	config_fail(MAPPED("'additionalGids': [ 0, 5000 ]"), "process: user: additionalGids[1]",
		    "id 5000 is not mapped");
	config_pass(PROCESS("'user': { 'uid': 70000, 'gid': 70000 }"));
	config_fail(CONFIG(ROOT ", 'linux': { " USER "'gidMappings': " ONE_MAP ", 'uidMappings': ["
			   "{ 'containerID': 0, 'hostID': 1000, 'size': 1 },"
			   "{ 'containerID': 10, 'hostID': 2000, 'size': 5 } ] },"
			   "'process': { 'cwd': '/', 'args': ['sh'], 'user': { 'uid': 15 } }"),
		    "process: user: uid", "(mapped: 0, 10-14)");
}

static void names_need_a_uts_namespace(void **state)
{
	(void)state;
	config_pass(CONFIG(ROOT ", 'hostname': 'a', 'domainname': 'b',"
			   "'linux': { 'namespaces': [ { 'type': 'uts' } ] }"));
	config_fail(CONFIG(ROOT ", 'hostname': 'a'"), "hostname", "needs a uts namespace");
	config_fail(CONFIG(ROOT ", 'domainname': 'a'"), "domainname", "needs a uts namespace");
	config_pass(CONFIG(ROOT ", 'hostname': '', 'domainname': ''"));
}

#define NAMESPACES(list, members) CONFIG(ROOT ", 'linux': { 'namespaces': [ " list " ], " members " }")

static void sysctls_need_the_namespace_that_owns_them(void **state)
{
	(void)state;
	config_pass(NAMESPACES("{ 'type': 'network' }", "'sysctl': { 'net.x': '1' }"));
	config_pass(NAMESPACES("{ 'type': 'network', 'path': '/n' }", "'sysctl': { 'net.x': '1' }"));
	config_pass(NAMESPACES("{ 'type': 'ipc' }", "'sysctl': { 'kernel.sem': '1', 'fs.mqueue.x': '1' }"));
	config_fail(NAMESPACES("{ 'type': 'ipc' }", "'sysctl': { 'net.x': '1' }"), "linux: sysctl: net.x",
		    "the network namespace, and linux.namespaces lists none");
	config_fail(NAMESPACES("{ 'type': 'network' }", "'sysctl': { 'fs.mqueue.x': '1' }"), "linux: sysctl: fs.mqueue.x",
		    "the ipc namespace");
	config_fail(NAMESPACES("{ 'type': 'network' }", "'sysctl': { 'kernel.hostname': '1' }"), "linux: sysctl: kernel.hostname",
		    "the uts namespace");
}

static void a_name_is_given_by_its_field_or_by_its_sysctl(void **state)
{
#define UTS(members, sysctl) CONFIG(ROOT ", " members " 'linux': { 'namespaces': [ { 'type': 'uts' } ], 'sysctl': { " sysctl " } }")
	(void)state;
	config_pass(UTS("", "'kernel.hostname': 'a', 'kernel.domainname': 'b'"));
	config_pass(UTS("'hostname': 'a',", "'kernel.domainname': 'b'"));
	config_fail(UTS("'hostname': 'a',", "'kernel/hostname': 'b'"), "linux: sysctl: kernel.hostname", "the field hostname");
	config_fail(UTS("'domainname': 'a',", "'kernel.domainname': 'b'"), "linux: sysctl: kernel.domainname", "the field domainname");
}

static void time_offsets_need_a_new_time_namespace(void **state)
{
	(void)state;
	config_pass(NAMESPACES("{ 'type': 'time' }", "'timeOffsets': { 'boottime': { 'secs': 1 } }"));
	config_pass(NAMESPACES("{ 'type': 'time', 'path': '/t' }", "'timeOffsets': {}"));
	config_fail(NAMESPACES("{ 'type': 'pid' }", "'timeOffsets': { 'boottime': { 'secs': 1 } }"), "linux: timeOffsets: boottime",
		    "lists none");
	config_fail(NAMESPACES("{ 'type': 'time', 'path': '/t' }", "'timeOffsets': { 'monotonic': {} }"), "linux: timeOffsets: monotonic",
		    "/t that is joined has its own");
}

static void network_devices_need_a_network_namespace_and_names_of_their_own(void **state)
{
	(void)state;
	config_pass(NAMESPACES("{ 'type': 'network' }", "'netDevices': { 'a': {}, 'b': { 'name': 'c' } }"));
	config_pass(NAMESPACES("{ 'type': 'network' }", "'netDevices': { 'a': { 'name': 'e%d' }, 'b': { 'name': 'e%d' } }"));
	config_fail(NAMESPACES("{ 'type': 'pid' }", "'netDevices': { 'a': {} }"), "linux: netDevices: a", "needs a network namespace");
	config_fail(NAMESPACES("{ 'type': 'network' }", "'netDevices': { 'a': {}, 'b': { 'name': 'a' } }"), "linux: netDevices: b",
		    "a gets the name a, too");
}

#define NAME_32 "12345678901234567890123456789012"

static void names_have_at_most_64_bytes(void **state)
{
	(void)state;
	config_pass(CONFIG(ROOT ", 'hostname': '" NAME_32 NAME_32 "',"
			   "'linux': { 'namespaces': [ { 'type': 'uts' } ] }"));
	config_fail(CONFIG(ROOT ", 'hostname': '" NAME_32 NAME_32 "3',"
			   "'linux': { 'namespaces': [ { 'type': 'uts' } ] }"), "hostname", "65 bytes");
	config_fail(CONFIG(ROOT ", 'domainname': '" NAME_32 NAME_32 "3',"
			   "'linux': { 'namespaces': [ { 'type': 'uts' } ] }"), "domainname", "65 bytes");
}

static void paths_are_absolute(void **state)
{
	(void)state;
	config_pass(LINUX("'maskedPaths': [ '/a' ], 'readonlyPaths': [ '/b' ]"));
	config_fail(LINUX("'maskedPaths': [ '/a', 'b' ]"), "linux: maskedPaths[1]",
			"\"b\" is not an absolute path");
	config_fail(LINUX("'readonlyPaths': [ '' ]"), "linux: readonlyPaths[0]", "not an absolute path");
	config_fail(LINUX("'devices': [ { 'path': 'dev/x', 'type': 'p' } ]"), "linux: devices[0]: path",
		    "\"dev/x\" is not an absolute path");
}

/* @field is what a container with these namespaces and members is refused for; NULL: nothing. */
static void check_shared_tree(const char *namespaces, const char *members, const char *linux_members, const char *field)
{
	char text[400];
	struct error err = { 0 };
	struct spec  spec;

	snprintf(text, sizeof(text), CONFIG("%s, 'linux': { %s 'namespaces': [ { 'type': 'pid' } %s ] }"), members, linux_members,
		 namespaces);
	config_accept(text, &spec);
	assert_int_equal(spec_check(&spec, &err), 0);
	assert_int_equal(spec_check_shared_tree(&spec, &err), field ? -EINVAL : 0);
	assert_string_equal(err.object, field ? field : "");
	assert_int_equal(strstr(err.hint, "linux.namespaces") != NULL, field != NULL);
	spec_free(&spec);
}

static void without_a_mount_namespace_nothing_is_mounted(void **state)
{
	static const struct { const char *members, *linux_members, *field; } cases[] = {
		{ ROOT, "", NULL },
		{ ROOT ", 'mounts': []", "'maskedPaths': [], 'readonlyPaths': [], 'rootfsPropagation': '', 'devices': [],", NULL },
		{ ROOT ", 'mounts': [ { 'destination': '/x', 'type': 'tmpfs' } ]", "", "mounts[0]" },
		{ "'root': { 'path': '/r', 'readonly': true }", "", "root: readonly" },
		{ ROOT, "'devices': [ { 'path': '/dev/x', 'type': 'p' } ],", "linux: devices[0]" },
		{ ROOT, "'maskedPaths': [ '/x' ],", "linux: maskedPaths[0]" },
		{ ROOT, "'readonlyPaths': [ '/x' ],", "linux: readonlyPaths[0]" },
		{ ROOT, "'rootfsPropagation': 'rprivate',", "linux: rootfsPropagation" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_shared_tree("", cases[i].members, cases[i].linux_members, cases[i].field);
		check_shared_tree(", { 'type': 'mount', 'path': '/proc/1/ns/mnt' }", cases[i].members, cases[i].linux_members, cases[i].field);
		check_shared_tree(", { 'type': 'mount' }", cases[i].members, cases[i].linux_members, NULL);
	}
}

static void a_seccomp_listener_is_needed_for_notifications(void **state)
{
#define NOTIFY "'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_NOTIFY' } ]"
#define FILTER(members) LINUX("'seccomp': { 'defaultAction': 'SCMP_ACT_ALLOW', " members " }")
	(void)state;
	config_pass(FILTER("'listenerPath': '/l', 'listenerMetadata': 'm', " NOTIFY));
	config_pass(FILTER("'listenerPath': '/l'")); /* not used: ignored */
	config_fail(FILTER(NOTIFY), "linux: seccomp: listenerPath", "missing");
	config_fail(FILTER("'listenerPath': '', " NOTIFY), "linux: seccomp: listenerPath", "missing");
	config_fail(FILTER("'listenerMetadata': 'm'"), "linux: seccomp: listenerPath", "missing");
	config_pass("{ 'ociVersion': '1.2.0', " ROOT ", 'annotations': { 'run.oci.seccomp.receiver': '/l' }, 'linux': { 'seccomp': "
		    "{ 'defaultAction': 'SCMP_ACT_ALLOW', " NOTIFY " } } }");
}

static void a_process_alone_is_checked_the_same_way(void **state)
{
	static const char good[] = "{\"cwd\":\"/\",\"args\":[\"id\"]}", bad[] = "{\"cwd\":\"/\"}";
	struct error err = { 0 };
	struct spec  spec;

	(void)state;
	assert_int_equal(spec_read_process(good, strlen(good), &spec, &err), 0);
	assert_int_equal(spec_check_process(&spec, &err), 0);
	spec_free(&spec);
	assert_int_equal(spec_read_process(bad, strlen(bad), &spec, &err), 0);
	assert_int_equal(spec_check_process(&spec, &err), -EINVAL);
	assert_string_equal(err.object, "process: args");
	spec_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_is_required),
		cmocka_unit_test(process_needs_args_and_an_absolute_cwd),
		cmocka_unit_test(rlimits_are_consistent),
		cmocka_unit_test(mappings_need_a_new_user_namespace),
		cmocka_unit_test(a_fifo_of_an_owner_that_is_not_mapped_is_refused),
		cmocka_unit_test(some_mount_options_are_for_one_type),
		cmocka_unit_test(mappings_of_a_mount_are_ranges),
		cmocka_unit_test(idmap_takes_the_maps_that_it_is_given),
		cmocka_unit_test(bad_mappings_of_idmap_are_named),
		cmocka_unit_test(mounts_have_a_type_or_are_binds),
		cmocka_unit_test(a_new_user_namespace_has_both_mappings_or_none),
		cmocka_unit_test(map_ranges_hold_ids_only),
		cmocka_unit_test(map_ranges_do_not_overlap),
		cmocka_unit_test(there_are_no_more_map_entries_than_the_kernel_takes),
		cmocka_unit_test(process_ids_are_mapped),
		cmocka_unit_test(names_need_a_uts_namespace),
		cmocka_unit_test(sysctls_need_the_namespace_that_owns_them),
		cmocka_unit_test(a_name_is_given_by_its_field_or_by_its_sysctl),
		cmocka_unit_test(time_offsets_need_a_new_time_namespace),
		cmocka_unit_test(network_devices_need_a_network_namespace_and_names_of_their_own),
		cmocka_unit_test(names_have_at_most_64_bytes),
		cmocka_unit_test(paths_are_absolute),
		cmocka_unit_test(without_a_mount_namespace_nothing_is_mounted),
		cmocka_unit_test(a_seccomp_listener_is_needed_for_notifications),
		cmocka_unit_test(a_process_alone_is_checked_the_same_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
