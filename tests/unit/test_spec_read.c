/* test_spec_read.c - unit test; the rules of spec_read() in spec/spec.h. Side: any. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_text.h"

#define SPEC_VERSION(version) "{ 'ociVersion': '" version "' }"
#define MOUNT(members) CONFIG("'mounts': [ { 'destination': '/m', " members " } ]")
#define DEVICE(members) LINUX("'devices': [ { 'path': '/dev/x', " members " } ]")
#define RULE(members) LINUX("'resources': { 'devices': [ { 'allow': true, " members " } ] }")
#define RESOURCES(members) LINUX("'resources': { " members " }")
#define RLIMIT(type, soft) PROCESS("'rlimits': [ { 'type': " type ", 'soft': " soft ", 'hard': 5 } ]")

static void versions_from_1_0_to_1_3_are_accepted(void **state)
{
	static const char *const versions[] = { SPEC_VERSION("1.0.0-rc1"), SPEC_VERSION("1.0.0-rc2-dev"),
			SPEC_VERSION("1.0.0"),
						SPEC_VERSION("1.0.2-dev"), SPEC_VERSION("1.2.1"), SPEC_VERSION("1.3.0"),
						SPEC_VERSION("1.3.9-rc.1+build") };

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		spec_owned spec;

		config_accept(versions[i], &spec);
		assert_int_equal(spec.warnings.count, 0);
	}
}

static void a_later_1_x_is_accepted_with_a_warning(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(SPEC_VERSION("1.4.0"), &spec);
	assert_string_equal(spec.oci_version, "1.4.0");
	assert_true(config_warns(&spec, "ociVersion: version 1.4.0 is newer"));
	assert_null(spec.warnings.texts[spec.warnings.count]);
}

static void other_versions_are_refused(void **state)
{
	(void)state;
	config_refuse(SPEC_VERSION("0.5.0-dev"), "ociVersion", "unsupported version \"0.5.0-dev\"");
	config_refuse(SPEC_VERSION("2.0.0"), "ociVersion", "unsupported version \"2.0.0\"");
	config_refuse(SPEC_VERSION(""), "ociVersion", "unsupported version \"\"");
	config_refuse(SPEC_VERSION("1.0"), "ociVersion", "unsupported version");
	config_refuse(SPEC_VERSION("1.0.0.0"), "ociVersion", "unsupported version");
	config_refuse(SPEC_VERSION("1.0.0-"), "ociVersion", "unsupported version");
	config_refuse(SPEC_VERSION("1.0.0-a b"), "ociVersion", "unsupported version");
	config_refuse(SPEC_VERSION("01.0.0"), "ociVersion", "unsupported version");
	config_refuse(SPEC_VERSION("1.0.x"), "ociVersion", "unsupported version");
	config_refuse(SPEC_VERSION("1.99999999999.0"), "ociVersion", "unsupported version");
	config_refuse("{ }", "ociVersion", "missing");
	config_refuse("{ 'ociVersion': null }", "ociVersion", "missing");
	config_refuse("{ 'ociVersion': 1 }", "ociVersion", "expected a string, found an integer");
}

static void the_version_is_looked_at_first(void **state)
{
	(void)state;
	config_refuse("{ 'root': 5, 'ociVersion': '2.0.0' }", "ociVersion", "unsupported version");
}

static void too_many_bytes_are_refused(void **state)
{
	size_t size = SPEC_BYTES_MAX + 1;
	char  *bytes = malloc(size);
	struct error err = { 0 };
	struct spec  spec;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, ' ', size);
	memcpy(bytes, "{\"ociVersion\":\"1.0.0\"}", 22);
	assert_int_equal(spec_read(bytes, size, &spec, &err), -E2BIG);
	spec_free(&spec);
	assert_int_equal(spec_read(bytes, size - 1, &spec, &err), 0);
	spec_free(&spec);
	free(bytes);
}

static void the_text_is_checked_as_strict_json(void **state)
{
	(void)state;
	config_refuse("{ 'ociVersion': '1.0.0' } x", "line 1, column 27", "");
	config_refuse("{ 'ociVersion': '1.0.0', 'root': {}, 'root': {} }", "line 1, column 38",
		      "duplicate key \"root\"");
	config_refuse(CONFIG("'hostname': 'a\\u0000b'"), "line 1, column 40", "NUL");
	config_refuse(CONFIG("'x': 18446744073709551616"), "line 1, column 31", "64 bits");
}

static void the_depth_is_limited(void **state)
{
	char text[400];

	(void)state;
	for (int levels = 64; levels <= 65; levels++) {
		int used = snprintf(text, sizeof(text), "{ 'ociVersion': '1.0.0', 'x': ");

		for (int i = 1; i < levels; i++)
			text[used++] = '[';
		for (int i = 1; i < levels; i++)
			text[used++] = ']';
		snprintf(text + used, sizeof(text) - (size_t)used, " }");
		if (levels <= SPEC_DEPTH_MAX) {
			spec_owned spec;

			config_accept(text, &spec);
		} else {
			config_refuse(text, "line 1, column 94", "nested too deeply");
		}
	}
}

static void the_number_of_objects_and_arrays_is_limited(void **state)
{
	char *text = malloc(3 * SPEC_COUNT_MAX + 100);

	(void)state;
	assert_non_null(text);
	for (int count = SPEC_COUNT_MAX; count <= SPEC_COUNT_MAX + 1; count++) {
		int used = sprintf(text, "{ 'ociVersion': '1.0.0', 'x': [ 0");

		for (int i = 2; i < count; i++) {
			memcpy(text + used, ",{}", 3);
			used += 3;
		}
		strcpy(text + used, " ] }");
		if (count == SPEC_COUNT_MAX) {
			spec_owned spec;

			config_accept(text, &spec);
		} else {
			config_refuse(text, "line 1, column 786461", "too many objects and arrays");
		}
	}
	free(text);
}

static void unknown_names_are_ignored_and_null_is_absent(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(CONFIG("'windows': { 'a': 1 }, 'process': null, 'hostname': null, 'mounts': null,"
			     "'linux': { 'seccomp': null, 'resources': null, 'maskedPaths': null }"), &spec);
	assert_false(spec.process.given || spec.root_given);
	assert_null(spec.hostname);
	assert_int_equal(spec.unsupported_count, 0);
	assert_int_equal(spec.process.user.umask, SPEC_UMASK_UNSET);
}

static void a_wrong_type_is_refused_with_its_path(void **state)
{
	(void)state;
	config_refuse(LINUX("'namespaces': [ { 'type': 'pid' }, { 'type': 'uts' }, { 'type': 'ipc', 'path': "
			"5 } ]"),
		      "linux: namespaces[2]: path", "expected a string, found an integer");
	config_refuse(CONFIG("'mounts': {}"), "mounts", "expected an array, found an object");
	config_refuse(CONFIG("'mounts': [ 1 ]"), "mounts[0]", "expected an object, found an integer");
	config_refuse(PROCESS("'user': { 'uid': 1.0 }"), "process: user: uid",
		      "expected an integer, found a number that is not an integer");
	config_refuse(PROCESS("'env': [ 'a=b', null ]"), "process: env[1]", "expected a string, found null");
	config_refuse(PROCESS("'terminal': 1"), "process: terminal", "expected a boolean");
	config_refuse(CONFIG("'annotations': { 'a': 1 }"), "annotations: a", "expected a string");
}

static void the_top_level_fields(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(CONFIG("'hostname': 'h', 'domainname': 'd', 'root': { 'path': 'p', 'readonly': true },"
			     "'annotations': { 'a': 'x', 'b': '' }"), &spec);
	assert_string_equal(spec.oci_version, "1.2.0");
	assert_string_equal(spec.hostname, "h");
	assert_string_equal(spec.domainname, "d");
	assert_true(spec.root_given && spec.root_readonly);
	assert_string_equal(spec.root_path, "p");
	assert_int_equal(spec.annotations_count, 2);
	assert_string_equal(spec.annotations[0].name, "a");
	assert_string_equal(spec.annotations[0].value, "x");
	assert_string_equal(spec.annotations[1].value, "");
	config_refuse(CONFIG("'annotations': { '': 'x' }"), "annotations: ", "empty name");
	config_refuse(CONFIG("'root': {}"), "root: path", "missing");
}

static void the_process_fields(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(CONFIG("'process': { 'terminal': true, 'consoleSize': { 'height': 25, 'width': 0 },"
			     "'user': { 'uid': 1, 'gid': 4294967294, 'umask': 18, 'additionalGids': [ 3, 4 ] "
					"},"
			     "'args': [ 'a', '' ], 'env': [ 'A=b', 'no-equals-sign' ], 'cwd': '/c',"
			     "'noNewPrivileges': true, 'oomScoreAdj': -1000 }"), &spec);
	const struct spec_process *p = &spec.process;
	assert_true(p->given && p->terminal && p->console_size_given && p->no_new_privileges);
	assert_int_equal(p->console_height, 25);
	assert_int_equal(p->console_width, 0);
	assert_int_equal(p->user.uid, 1);
	assert_int_equal(p->user.gid, 4294967294);
	assert_int_equal(p->user.umask, 022);
	assert_int_equal(p->user.additional_gids_count, 2);
	assert_int_equal(p->user.additional_gids[1], 4);
	assert_int_equal(p->args.count, 2);
	assert_null(p->args.texts[2]);
	assert_string_equal(p->env.texts[1], "no-equals-sign");
	assert_string_equal(p->cwd, "/c");
	assert_true(p->oom_score_adj_given);
	assert_int_equal(p->oom_score_adj, -1000);
	assert_false(p->capabilities.given);
	assert_int_equal(spec.warnings.count, 0);
}

static void process_bounds(void **state)
{
	(void)state;
	config_refuse(CONFIG("'process': {}"), "process: cwd", "missing");
	config_refuse(PROCESS("'user': { 'umask': 512 }"), "process: user: umask",
			"512 is not within 0..511");
	config_refuse(PROCESS("'oomScoreAdj': 1001"), "process: oomScoreAdj", "not within -1000..1000");
	config_refuse(PROCESS("'terminal': true, 'consoleSize': { 'height': 65536, 'width': 1 }"),
		      "process: consoleSize: height", "65536 is not within 0..65535");
	config_refuse(PROCESS("'consoleSize': { 'height': 1 }"), "process: consoleSize: width", "missing");
}

static void an_absent_user_is_root(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(PROCESS("'env': []"), &spec);
	assert_int_equal(spec.process.user.uid, 0);
	assert_int_equal(spec.process.user.gid, 0);
	assert_int_equal(spec.process.user.umask, SPEC_UMASK_UNSET);
}

static void ids_are_never_cut(void **state)
{
	(void)state;
	config_refuse(PROCESS("'user': { 'uid': 4294967295 }"), "process: user: uid",
		      "4294967295 is not a user or group id");
	config_refuse(PROCESS("'user': { 'gid': 4294967296 }"), "process: user: gid",
		      "4294967296 is not within 0..4294967294");
	config_refuse(PROCESS("'user': { 'gid': -1 }"), "process: user: gid", "-1 is not within");
	config_refuse(PROCESS("'user': { 'additionalGids': [ 1, 4294967295 ] }"),
		      "process: user: additionalGids[1]", "4294967295 is not a user or group id");
	config_refuse(PROCESS("'user': { 'uid': 18446744073709551615 }"), "process: user: uid",
		      "18446744073709551615 is not within");
	config_refuse(LINUX("'uidMappings': [ { 'containerID': 4294967295, 'hostID': 0, 'size': 1 } ]"),
		      "linux: uidMappings[0]: containerID", "not a user or group id");
	config_refuse(LINUX("'gidMappings': [ { 'containerID': 0, 'hostID': 4294967295, 'size': 1 } ]"),
		      "linux: gidMappings[0]: hostID", "not a user or group id");
	config_refuse(LINUX("'gidMappings': [ { 'containerID': 0, 'hostID': 0, 'size': 4294967296 } ]"),
		      "linux: gidMappings[0]: size", "not within 0..4294967295");
	config_refuse(LINUX("'gidMappings': [ { 'containerID': 0, 'hostID': 0 } ]"),
		      "linux: gidMappings[0]: size", "missing");
	config_refuse(DEVICE("'type': 'p', 'uid': 4294967295"), "linux: devices[0]: uid", "not a user");
}

static void console_size_without_a_terminal_is_ignored_with_a_warning(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(PROCESS("'consoleSize': { 'height': 1, 'width': 2 }"), &spec);
	assert_false(spec.process.console_size_given);
	assert_true(config_warns(&spec, "process: consoleSize is ignored"));
}

static void capability_names_become_bits(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(PROCESS("'capabilities': { 'bounding': [ 'CAP_CHOWN', 'CAP_CHECKPOINT_RESTORE' ],"
			      "'effective': [ 'CAP_KILL' ], 'inheritable': [ 'CAP_FOWNER' ],"
			      "'permitted': [ 'CAP_SETUID' ], 'ambient': [ 'CAP_SETGID' ] }"), &spec);
	const struct spec_capabilities *c = &spec.process.capabilities;
	assert_true(c->given);
	assert_int_equal(c->bounding, UINT64_C(1) << 40 | 1);
	assert_int_equal(c->effective, 1 << 5);
	assert_int_equal(c->inheritable, 1 << 3);
	assert_int_equal(c->permitted, 1 << 7);
	assert_int_equal(c->ambient, 1 << 6);
	assert_int_equal(spec.warnings.count, 0);
}

static void unknown_capability_names_are_ignored_with_a_warning(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(PROCESS("'capabilities': { 'bounding': [ 'CAP_NEW', 'KILL', 'CAP_KILL=ep', 'CAP_KILL "
			"x',"
			      "'5', 'CAP_5', '', 'CAP_', 'CAP_NEW', 'CAP_KILL' ] }"), &spec);
	assert_int_equal(spec.process.capabilities.bounding, 1 << 5);
	assert_int_equal(spec.warnings.count, 8); /* one name twice */
	assert_string_equal(spec.warnings.texts[0], "process: capabilities: bounding: "
			    "unknown capability \"CAP_NEW\" is ignored");
	config_refuse(PROCESS("'capabilities': { 'ambient': [ 5 ] }"), "process: capabilities: ambient",
		      "expected a string");
	config_refuse(PROCESS("'capabilities': 'CAP_KILL'"), "process: capabilities", "expected an object");
}

static void the_old_list_of_capabilities_is_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(PROCESS("'capabilities': [ 'CAP_KILL' ]"), &spec);
	const struct spec_capabilities *c = &spec.process.capabilities;
	assert_true(c->given);
	assert_int_equal(c->bounding, 1 << 5);
	assert_int_equal(c->effective, 1 << 5);
	assert_int_equal(c->permitted, 1 << 5);
	assert_int_equal(c->inheritable | c->ambient, 0);
	assert_true(config_warns(&spec, "process: capabilities: a list"));
}

static void each_resource_limit_has_its_number(void **state)
{
	static const struct {
		const char *name;
		int         resource;
	} known[] = {
		{ "AS", RLIMIT_AS }, { "CORE", RLIMIT_CORE }, { "CPU", RLIMIT_CPU }, { "DATA", RLIMIT_DATA },
		{ "FSIZE", RLIMIT_FSIZE }, { "LOCKS", RLIMIT_LOCKS }, { "MEMLOCK", RLIMIT_MEMLOCK },
		{ "MSGQUEUE", RLIMIT_MSGQUEUE }, { "NICE", RLIMIT_NICE }, { "NOFILE", RLIMIT_NOFILE },
		{ "NPROC", RLIMIT_NPROC }, { "RSS", RLIMIT_RSS }, { "RTPRIO", RLIMIT_RTPRIO },
		{ "RTTIME", RLIMIT_RTTIME }, { "SIGPENDING", RLIMIT_SIGPENDING }, { "STACK", RLIMIT_STACK },
	};

	(void)state;
	assert_int_equal(sizeof(known) / sizeof(known[0]), RLIMIT_NLIMITS);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[300];
		spec_owned spec;

		snprintf(text, sizeof(text), "{ 'ociVersion': '1.0.0', 'process': { 'cwd': '/', 'rlimits': ["
			 "{ 'type': 'RLIMIT_%s', 'soft': 1, 'hard': 18446744073709551615 } ] } }",
					known[i].name);
		config_accept(text, &spec);
		assert_int_equal(spec.process.rlimits_count, 1);
		assert_int_equal(spec.process.rlimits[0].resource, known[i].resource);
		assert_string_equal(spec.process.rlimits[0].name + 7, known[i].name);
		assert_int_equal(spec.process.rlimits[0].limit.rlim_cur, 1);
		assert_true(spec.process.rlimits[0].limit.rlim_max == RLIM_INFINITY);
	}
}

static void wrong_resource_limits_are_refused(void **state)
{
	(void)state;
	config_refuse(RLIMIT("'RLIMIT_X'", "1"), "process: rlimits[0]: type",
			"unknown resource limit \"RLIMIT_X\"");
	config_refuse(RLIMIT("'NOFILE'", "1"), "process: rlimits[0]: type", "unknown resource limit");
	config_refuse(RLIMIT("'RLIMIT_CPU'", "-1"), "process: rlimits[0]: soft", "-1 is negative");
	config_refuse(PROCESS("'rlimits': [ { 'type': 'RLIMIT_CPU', 'soft': 1 } ]"),
		      "process: rlimits[0]: hard", "missing");
}

static void mounts_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(CONFIG("'mounts': [ { 'destination': '/a', 'type': 'tmpfs', 'source': 's',"
			     "'options': [ 'ro', 'size=1k' ] }, { 'destination': '/b' } ]"), &spec);
	assert_int_equal(spec.mounts_count, 2);
	assert_string_equal(spec.mounts[0].destination, "/a");
	assert_string_equal(spec.mounts[0].type, "tmpfs");
	assert_string_equal(spec.mounts[0].source, "s");
	assert_int_equal(spec.mounts[0].options.attr_set, MOUNT_ATTR_RDONLY);
	assert_string_equal(spec.mounts[0].options.data[0], "size=1k");
	assert_null(spec.mounts[1].type);
	assert_null(spec.mounts[1].source);
	assert_non_null(spec.mounts[1].options.data);
	config_refuse(CONFIG("'mounts': [ {} ]"), "mounts[0]: destination", "missing");
	config_refuse(CONFIG("'mounts': [ { 'destination': '' } ]"), "mounts[0]", "the destination is empty");
}

static void a_relative_destination_is_made_absolute_with_a_warning(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(CONFIG("'mounts': [ { 'destination': '/a' }, { 'destination': 'b/c' } ]"), &spec);
	assert_string_equal(spec.mounts[1].destination, "/b/c");
	assert_int_equal(spec.warnings.count, 1);
	assert_true(config_warns(&spec, "mounts[1]: the destination \"b/c\" is relative"));
}

static void bind_is_said_by_option_or_type(void **state)
{
	static const struct {
		const char *text;
		bool        recursive;
	} binds[] = {
		{ MOUNT("'type': 'bind'"), false },
		{ MOUNT("'type': 'bind', 'options': [ 'ro' ]"), false },
		{ MOUNT("'type': 'bind', 'options': [ 'rbind' ]"), true },
		{ MOUNT("'type': 'none', 'options': [ 'rbind' ]"), true },
		{ MOUNT("'options': [ 'bind' ]"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(binds) / sizeof(binds[0]); i++) {
		spec_owned spec;

		config_accept(binds[i].text, &spec);
		assert_true(spec.mounts[0].options.bind);
		assert_int_equal(spec.mounts[0].options.recursive, binds[i].recursive);
		assert_string_equal(spec.mounts[0].type, "bind");
	}
}

static void mappings_of_a_mount_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(MOUNT("'type': 'bind', 'uidMappings': [ { 'containerID': 1, 'hostID': 2, 'size': 3 } ],"
			    "'gidMappings': [ { 'containerID': 4, 'hostID': 5, 'size': 6 } ]"), &spec);
	assert_int_equal(spec.mounts[0].options.special, MOUNT_IDMAP);
	assert_int_equal(spec.mounts[0].uid_maps.count, 1);
	assert_int_equal(spec.mounts[0].uid_maps.maps[0].host_id, 2);
	assert_int_equal(spec.mounts[0].gid_maps.maps[0].count, 6);
}

static void refused_mount_options_are_named(void **state)
{
	(void)state;
	config_refuse(MOUNT("'type': 'bind', 'options': [ 'size=1' ]"), "mounts[0]: options", "\"size=1\"");
}

static void namespaces_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'namespaces': [ { 'type': 'network', 'path': '/proc/1/ns/net' },"
			    "{ 'type': 'time' }, { 'type': 'mount', 'path': '' } ]"), &spec);
	assert_true(spec.namespaces[SPEC_NS_NETWORK].listed);
	assert_string_equal(spec.namespaces[SPEC_NS_NETWORK].path, "/proc/1/ns/net");
	assert_true(spec.namespaces[SPEC_NS_TIME].listed && spec.namespaces[SPEC_NS_MOUNT].listed);
	assert_null(spec.namespaces[SPEC_NS_MOUNT].path);
	assert_false(spec.namespaces[SPEC_NS_USER].listed || spec.namespaces[SPEC_NS_PID].listed);
	config_refuse(LINUX("'namespaces': [ { 'type': 'net' } ]"), "linux: namespaces[0]",
		      "unknown namespace type \"net\"");
	config_refuse(LINUX("'namespaces': [ { 'type': 'pid' }, { 'type': 'pid' } ]"), "linux: namespaces[1]",
		      "\"pid\" is listed twice");
	config_refuse(LINUX("'namespaces': [ { 'type': 'pid', 'path': 'proc/1' } ]"), "linux: namespaces[0]",
		      "\"proc/1\" is not absolute");
	config_refuse(LINUX("'namespaces': [ {} ]"), "linux: namespaces[0]: type", "missing");
}

static void each_namespace_kind_has_its_flag(void **state)
{
	static const struct {
		const char *name, *proc_name;
		uint64_t    flag;
	} kinds[SPEC_NS_COUNT] = {
		[SPEC_NS_USER]    = { "user", "user", CLONE_NEWUSER },
		[SPEC_NS_PID]     = { "pid", "pid", CLONE_NEWPID },
		[SPEC_NS_NETWORK] = { "network", "net", CLONE_NEWNET },
		[SPEC_NS_IPC]     = { "ipc", "ipc", CLONE_NEWIPC },
		[SPEC_NS_UTS]     = { "uts", "uts", CLONE_NEWUTS },
		[SPEC_NS_CGROUP]  = { "cgroup", "cgroup", CLONE_NEWCGROUP },
		[SPEC_NS_TIME]    = { "time", "time", 0x80 },
		[SPEC_NS_MOUNT]   = { "mount", "mnt", CLONE_NEWNS },
	};

	(void)state;
	for (int i = 0; i < SPEC_NS_COUNT; i++) {
		assert_string_equal(spec_namespace_kinds[i].name, kinds[i].name);
		assert_string_equal(spec_namespace_kinds[i].proc_name, kinds[i].proc_name);
		assert_int_equal(spec_namespace_kinds[i].flag, kinds[i].flag);
	}
}

static void each_namespace_kind_has_its_ioctl(void **state)
{
	int self = pidfd_open(getpid(), 0);

	(void)state;
	for (int i = 0; i < SPEC_NS_COUNT && self >= 0; i++) {
		char path[32];
		struct stat named, opened;
		int  fd = ioctl(self, spec_namespace_kinds[i].pidfd_get, 0);

		if (fd < 0 && errno != EOPNOTSUPP) {
			close(self);
			skip(); /* before Linux 6.11 */
		}
		if (fd < 0) /* the kernel has none of this kind */
			continue;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", spec_namespace_kinds[i].proc_name);
		assert_int_equal(stat(path, &named), 0);
		assert_int_equal(fstat(fd, &opened), 0);
		assert_int_equal(named.st_ino, opened.st_ino);
		close(fd);
	}
	close(self);
}

static void the_linux_fields(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'uidMappings': [ { 'containerID': 1, 'hostID': 2, 'size': 3 } ],"
			    "'gidMappings': [ { 'containerID': 4, 'hostID': 5, 'size': 6 } ],"
			    "'cgroupsPath': '/c', 'maskedPaths': [ '/m' ], 'readonlyPaths': [ '/r', '/s' ]"),
					&spec);
	assert_int_equal(spec.uid_maps.count, 1);
	assert_int_equal(spec.uid_maps.maps[0].container_id, 1);
	assert_int_equal(spec.uid_maps.maps[0].host_id, 2);
	assert_int_equal(spec.uid_maps.maps[0].count, 3);
	assert_int_equal(spec.gid_maps.maps[0].host_id, 5);
	assert_string_equal(spec.cgroups_path, "/c");
	assert_string_equal(spec.masked_paths.texts[0], "/m");
	assert_int_equal(spec.readonly_paths.count, 2);
	spec_free(&spec);
	config_accept(LINUX("'cgroupsPath': ''"), &spec);
	assert_null(spec.cgroups_path);
	assert_int_equal(spec.rootfs_propagation, 0);
}

static void a_namespace_keeps_its_index(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'namespaces': [ { 'type': 'pid' }, { 'type': 'ipc', 'path': '/x' }, { 'type': 'uts' } ]"), &spec);
	assert_int_equal(spec.namespaces[SPEC_NS_PID].index, 0);
	assert_int_equal(spec.namespaces[SPEC_NS_IPC].index, 1);
	assert_int_equal(spec.namespaces[SPEC_NS_UTS].index, 2);
}

static void sysctl_names_become_paths(void **state)
{
	static const struct {
		const char *text, *path;
		enum spec_namespace_type owner;
	} names[] = {
		{ LINUX("'sysctl': { 'net.ipv4.ip_forward': '1' }"), "net/ipv4/ip_forward", SPEC_NS_NETWORK },
		{ LINUX("'sysctl': { 'net/ipv4/ip_forward': '1' }"), "net/ipv4/ip_forward", SPEC_NS_NETWORK },
		{ LINUX("'sysctl': { 'net/ipv4.ip_forward': '1' }"), "net/ipv4/ip_forward", SPEC_NS_NETWORK },
		{ LINUX("'sysctl': { 'net/ipv4.conf.all.forwarding': '1' }"), "net/ipv4/conf/all/forwarding", SPEC_NS_NETWORK },
		{ LINUX("'sysctl': { 'net.ipv4.conf.eth0/1.forwarding': '1' }"), "net/ipv4/conf/eth0.1/forwarding", SPEC_NS_NETWORK },
		{ LINUX("'sysctl': { 'net/ipv4/conf/eth0.1/forwarding': '1' }"), "net/ipv4/conf/eth0.1/forwarding", SPEC_NS_NETWORK },
		{ LINUX("'sysctl': { 'net/ipv6/neigh/a.b.c/mcast_solicit': '1' }"), "net/ipv6/neigh/a.b.c/mcast_solicit", SPEC_NS_NETWORK },
		{ LINUX("'sysctl': { 'kernel.shm_rmid_forced': '1' }"), "kernel/shm_rmid_forced", SPEC_NS_IPC },
		{ LINUX("'sysctl': { 'kernel/sem': '1' }"), "kernel/sem", SPEC_NS_IPC },
		{ LINUX("'sysctl': { 'fs.mqueue.queues_max': '1' }"), "fs/mqueue/queues_max", SPEC_NS_IPC },
		{ LINUX("'sysctl': { 'kernel.hostname': '1' }"), "kernel/hostname", SPEC_NS_UTS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		spec_owned spec;

		config_accept(names[i].text, &spec);
		assert_int_equal(spec.sysctls_count, 1);
		assert_string_equal(spec.sysctls[0].path, names[i].path);
		assert_string_equal(spec.sysctls[0].value, "1");
		assert_int_equal(spec.sysctls[0].owner, names[i].owner);
	}
}

static void sysctls_of_the_machine_and_strange_names_are_refused(void **state)
{
	static const char *const bad[] = { "", ".", "net", "net.", "net..x", "net.//.x", "net/../kernel/panic", "net/./x",
					   "/net/x", "net.x.", "net.ipv4.conf.//.x" };
	static const char *const machine[] = { "kernel.panic", "kernel.msgmaxx", "kernel.msgmax.x", "vm.swappiness", "fs.file-max",
					       "fs.mqueue", "network.x", "user.max_user_namespaces", "x" };
	char text[200], path[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{ 'ociVersion': '1.0.0', 'linux': { 'sysctl': { '%s': '1' } } }", bad[i]);
		snprintf(path, sizeof(path), "linux: sysctl: %s", bad[i]);
		config_refuse(text, path, i == 2 ? "no namespace" : "not the name of a sysctl");
	}
	for (size_t i = 0; i < sizeof(machine) / sizeof(machine[0]); i++) {
		snprintf(text, sizeof(text), "{ 'ociVersion': '1.0.0', 'linux': { 'sysctl': { '%s': '1' } } }", machine[i]);
		snprintf(path, sizeof(path), "linux: sysctl: %s", machine[i]);
		config_refuse(text, path, "no namespace has this value for itself");
	}
	config_refuse(LINUX("'sysctl': { 'net.x': 1 }"), "linux: sysctl: net.x", "expected a string");
}

static void time_offsets_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'timeOffsets': { 'boottime': { 'secs': -5, 'nanosecs': 999999999 }, 'monotonic': {} }"), &spec);
	assert_true(spec.time_offsets[SPEC_CLOCK_BOOTTIME].given && spec.time_offsets[SPEC_CLOCK_MONOTONIC].given);
	assert_int_equal(spec.time_offsets[SPEC_CLOCK_BOOTTIME].seconds, -5);
	assert_int_equal(spec.time_offsets[SPEC_CLOCK_BOOTTIME].nanoseconds, 999999999);
	config_refuse(LINUX("'timeOffsets': { 'realtime': { 'secs': 1 } }"), "linux: timeOffsets: realtime", "unknown clock");
	config_refuse(LINUX("'timeOffsets': { 'boottime': { 'nanosecs': -1 } }"),
		      "linux: timeOffsets: boottime: nanosecs", "not within");
	config_refuse(LINUX("'timeOffsets': { 'boottime': { 'nanosecs': 1000000000 } }"),
		      "linux: timeOffsets: boottime: nanosecs", "not within");
}

static void the_personality_is_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'personality': { 'domain': 'LINUX32', 'flags': [] }"), &spec);
	assert_true(spec.personality_given);
	assert_int_equal(spec.personality, 8);
	config_refuse(LINUX("'personality': {}"), "linux: personality: domain", "missing");
	config_refuse(LINUX("'personality': { 'domain': 'linux' }"), "linux: personality: domain", "unknown domain \"linux\"");
	config_refuse(LINUX("'personality': { 'domain': 'LINUX', 'flags': [ 'X' ] }"), "linux: personality: flags",
		      "unknown flag \"X\"");
}

static void network_devices_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'netDevices': { 'eth0': {}, 'eth1': { 'name': 'lan%d' }, 'eth2': { 'name': '' } }"), &spec);
	assert_int_equal(spec.net_devices_count, 3);
	assert_string_equal(spec.net_devices[0].name, "eth0");
	assert_string_equal(spec.net_devices[0].new_name, "eth0");
	assert_string_equal(spec.net_devices[1].new_name, "lan%d");
	assert_string_equal(spec.net_devices[2].new_name, "eth2");
	config_refuse(LINUX("'netDevices': { 'a/b': {} }"), "linux: netDevices: a/b", "can't be the name");
	config_refuse(LINUX("'netDevices': { '': {} }"), "linux: netDevices: ", "can't be the name");
	config_refuse(LINUX("'netDevices': { '..': {} }"), "linux: netDevices: ..", "can't be the name");
	config_refuse(LINUX("'netDevices': { '1234567890123456': {} }"), "linux: netDevices: 1234567890123456", "15 bytes");
	config_refuse(LINUX("'netDevices': { 'e': { 'name': 'a b' } }"), "linux: netDevices: e: name", "can't be the name");
	config_refuse(LINUX("'netDevices': { 'e': { 'name': 'a%s' } }"), "linux: netDevices: e: name", "only one %d");
	config_refuse(LINUX("'netDevices': { 'e': { 'name': 'a%d%d' } }"), "linux: netDevices: e: name", "only one %d");
}

static void what_is_for_other_systems_is_ignored(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept("{ 'ociVersion': '1.0.0-rc2-dev', 'platform': { 'os': 'linux', 'arch': 'amd64' }, 'solaris': { 'milestone': 1 },"
		      "'windows': { 'layerFolders': 5 }, 'vm': { 'kernel': {} }, 'zos': 1, 'freebsd': [] }", &spec);
	assert_int_equal(spec.unsupported_count, 0);
	assert_int_equal(spec.warnings.count, 0);
}

static void propagation_and_its_recursive_form(void **state)
{
	static const struct {
		const char   *text;
		unsigned long flags;
	} words[] = {
		{ LINUX("'rootfsPropagation': 'private'"), MS_PRIVATE },
		{ LINUX("'rootfsPropagation': 'rprivate'"), MS_PRIVATE | MS_REC },
		{ LINUX("'rootfsPropagation': 'slave'"), MS_SLAVE },
		{ LINUX("'rootfsPropagation': 'rslave'"), MS_SLAVE | MS_REC },
		{ LINUX("'rootfsPropagation': 'shared'"), MS_SHARED },
		{ LINUX("'rootfsPropagation': 'rshared'"), MS_SHARED | MS_REC },
		{ LINUX("'rootfsPropagation': 'unbindable'"), MS_UNBINDABLE },
		{ LINUX("'rootfsPropagation': 'runbindable'"), MS_UNBINDABLE | MS_REC },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		spec_owned spec;

		config_accept(words[i].text, &spec);
		assert_int_equal(spec.rootfs_propagation, words[i].flags);
	}
	config_refuse(LINUX("'rootfsPropagation': 'rrslave'"), "linux: rootfsPropagation",
			"unknown propagation");
}

static void devices_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'devices': [ { 'path': '/a', 'type': 'c', 'major': 10, 'minor': 229, "
			"'fileMode': 384,"
			    "'uid': 1, 'gid': 2 }, { 'path': '/b', 'type': 'b', 'major': 0, 'minor': 1048575 "
					"},"
			    "{ 'path': '/u', 'type': 'u', 'major': 4095, 'minor': 0, 'fileMode': 8630 },"
			    "{ 'path': '/p', 'type': 'p' } ]"), &spec);
	assert_int_equal(spec.devices_count, 4);
	assert_string_equal(spec.devices[0].path, "/a");
	assert_int_equal(spec.devices[0].type, S_IFCHR);
	assert_int_equal(spec.devices[0].major, 10);
	assert_int_equal(spec.devices[0].minor, 229);
	assert_int_equal(spec.devices[0].mode, 0600);
	assert_int_equal(spec.devices[0].uid, 1);
	assert_int_equal(spec.devices[0].gid, 2);
	assert_int_equal(spec.devices[1].type, S_IFBLK);
	assert_int_equal(spec.devices[1].mode, 0666);
	assert_int_equal(spec.devices[2].type, S_IFCHR);
	assert_int_equal(spec.devices[2].mode, 0666); /* 8630 is S_IFCHR | 0666 */
	assert_int_equal(spec.devices[3].type, S_IFIFO);
}

static void wrong_devices_are_refused(void **state)
{
	(void)state;
	config_refuse(DEVICE("'type': 'x', 'major': 1, 'minor': 1"), "linux: devices[0]",
			"unknown device type \"x\"");
	config_refuse(DEVICE("'type': '', 'major': 1, 'minor': 1"), "linux: devices[0]",
			"unknown device type");
	config_refuse(DEVICE("'type': 'c', 'major': 1"), "linux: devices[0]", "minor is missing");
	config_refuse(DEVICE("'type': 'b', 'minor': 1"), "linux: devices[0]", "major is missing");
	config_refuse(DEVICE("'type': 'c', 'major': 4096, 'minor': 1"), "linux: devices[0]",
		      "major 4096 is not within 0..4095");
	config_refuse(DEVICE("'type': 'c', 'major': 1, 'minor': -1"), "linux: devices[0]",
		      "minor -1 is not within 0..1048575");
	config_refuse(DEVICE("'type': 'p', 'fileMode': 65536"), "linux: devices[0]: fileMode", "not within");
	config_refuse(DEVICE("'major': 1"), "linux: devices[0]: type", "missing");
}

static void device_rules_are_read(void **state)
{
	spec_owned spec;

	(void)state;
	config_accept(LINUX("'resources': { 'devices': [ { 'allow': false },"
			    "{ 'allow': true, 'type': 'c', 'major': 1, 'minor': -1, 'access': 'rm' },"
			    "{ 'allow': true, 'type': 'b', 'access': 'w' } ] }"), &spec);
	assert_int_equal(spec.device_rules_count, 3);
	const struct spec_device_rule *rules = spec.device_rules;
	assert_false(rules[0].allow);
	assert_int_equal(rules[0].type, 'a');
	assert_int_equal(rules[0].major, -1);
	assert_int_equal(rules[0].minor, -1);
	assert_int_equal(rules[0].access, SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MKNOD);
	assert_true(rules[1].allow);
	assert_int_equal(rules[1].type, 'c');
	assert_int_equal(rules[1].major, 1);
	assert_int_equal(rules[1].minor, -1);
	assert_int_equal(rules[1].access, SPEC_DEVICE_READ | SPEC_DEVICE_MKNOD);
	assert_int_equal(rules[2].access, SPEC_DEVICE_WRITE);
	assert_int_equal(spec.unsupported_count, 0);
	config_refuse(RULE("'access': 'rx'"), "linux: resources: devices[0]: access", "\"rx\"");
	config_refuse(RULE("'type': 'p'"), "linux: resources: devices[0]: type", "unknown device type");
	config_refuse(RULE("'major': -2"), "linux: resources: devices[0]: major", "not within -1..");
	config_refuse(LINUX("'resources': { 'devices': [ {} ] }"), "linux: resources: devices[0]: allow",
			"missing");
}

/* The text is read, and this is the one field in spec->unsupported (NULL: there is none). */
static void expect_unsupported(const char *text, const char *path, bool limit)
{
	spec_owned spec;

	config_accept(text, &spec);
	if (path == NULL && spec.unsupported_count > 0)
		fail_msg("%s: %s is not supported", text, spec.unsupported[0].path);
	assert_int_equal(spec.unsupported_count, path != NULL);
	if (path == NULL)
		return;
	assert_string_equal(spec.unsupported[0].path, path);
	assert_int_equal(strncmp(spec.unsupported[0].path, "linux: resources: ", strlen("linux: resources: ")) == 0, limit);
}

static void limits_that_only_cgroup_v1_has_are_listed(void **state)
{
	(void)state;
	expect_unsupported(RESOURCES("'cpu': { 'realtimeRuntime': 5 }"), "linux: resources: cpu: realtimeRuntime", true);
	expect_unsupported(RESOURCES("'cpu': { 'realtimePeriod': 5 }"), "linux: resources: cpu: realtimePeriod", true);
}

static void what_only_cgroup_v1_has_is_ignored_with_a_warning(void **state)
{
	static const struct {
		const char *text, *path;
	} fields[] = {
		{ RESOURCES("'memory': { 'kernel': 5 }"), "memory: kernel: ignored" },
		{ RESOURCES("'memory': { 'kernelTCP': 5 }"), "memory: kernelTCP: ignored" },
		{ RESOURCES("'memory': { 'swappiness': 5 }"), "memory: swappiness: ignored" },
		{ RESOURCES("'memory': { 'disableOOMKiller': true }"), "memory: disableOOMKiller: ignored" },
		{ RESOURCES("'memory': { 'useHierarchy': true }"), "memory: useHierarchy: ignored" },
		{ RESOURCES("'blockIO': { 'leafWeight': 5 }"), "blockIO: leafWeight: ignored" },
		{ RESOURCES("'network': { 'classID': 5 }"), "network: classID: ignored" },
		{ RESOURCES("'network': { 'priorities': [ { 'name': 'e', 'priority': 1 } ] }"),
		  "network: priorities: ignored" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		spec_owned spec;

		config_accept(fields[i].text, &spec);
		assert_int_equal(spec.unsupported_count, 0);
		assert_int_equal(spec.warnings.count, 1);
		assert_true(config_warns(&spec, fields[i].path));
	}
}

static void limits_of_the_wrong_type_are_refused(void **state)
{
	(void)state;
	config_refuse(RESOURCES("'memory': { 'limit': '5' }"), "linux: resources: memory: limit",
			"expected an integer");
	config_refuse(RESOURCES("'memory': { 'limit': 9223372036854775808 }"),
			"linux: resources: memory: limit",
		      "9223372036854775808 is not within");
	config_refuse(RESOURCES("'cpu': { 'shares': -1 }"), "linux: resources: cpu: shares",
			"-1 is negative");
	config_refuse(RESOURCES("'blockIO': { 'weight': 65536 }"), "linux: resources: blockIO: weight",
			"65536 is not within 10..1000");
	config_refuse(RESOURCES("'blockIO': { 'weightDevice': [ { 'major': 1 } ] }"),
		      "linux: resources: blockIO: weightDevice[0]: minor", "missing");
	config_refuse(RESOURCES("'unified': { 'memory.high': 1 }"), "linux: resources: unified: memory.high",
		      "expected a string");
	config_refuse(RESOURCES("'hugepageLimits': [ { 'pageSize': '02MB', 'limit': 1 } ]"),
		      "linux: resources: hugepageLimits[0]: pageSize", "not a page size");
	config_refuse(RESOURCES("'hugepageLimits': [ { 'pageSize': '2M', 'limit': 1 } ]"),
		      "linux: resources: hugepageLimits[0]: pageSize", "not a page size");
	config_refuse(RESOURCES("'network': { 'classID': 4294967296 }"), "linux: resources: network: classID",
		      "not within");
}

#define MAP "[ { 'containerID': 0, 'hostID': 0, 'size': 1 } ]"

static void fields_that_ask_for_nothing_are_not_listed(void **state)
{
	(void)state;
	expect_unsupported(LINUX("'mountLabel': '', 'sysctl': {}, 'netDevices': {}, 'timeOffsets': {},"
				 "'seccomp': null, 'intelRdt': null, 'personality': null"), NULL, false);
	expect_unsupported(PROCESS("'apparmorProfile': '', 'selinuxLabel': '', 'execCPUAffinity': {}"), NULL,
			false);
	expect_unsupported(PROCESS("'execCPUAffinity': { 'initial': '' }, 'scheduler': null"), NULL, false);
	expect_unsupported(MOUNT("'uidMappings': [], 'gidMappings': null"), NULL, false);
	expect_unsupported(MOUNT("'uidMappings': " MAP ", 'gidMappings': " MAP), NULL, false);
}

static void labels_are_read_as_they_are(void **state)
{
	spec_owned process, other;

	(void)state;
	config_accept(PROCESS("'apparmorProfile': ':ns:a b//&c', 'selinuxLabel': 'u:r:t:s0:c1,c2'"), &process);
	assert_string_equal(process.process.apparmor_profile, ":ns:a b//&c");
	assert_string_equal(process.process.selinux_label, "u:r:t:s0:c1,c2");
	config_accept(LINUX("'mountLabel': 'u:object_r:t'"), &other);
	assert_string_equal(other.mount_label, "u:object_r:t");
	assert_null(other.process.apparmor_profile);
	spec_free(&other);
	config_accept(PROCESS("'apparmorProfile': '', 'selinuxLabel': ''"), &other);
	assert_null(other.process.apparmor_profile);
	assert_null(other.process.selinux_label);
}

/* The kernel would take them for another label. */
static void what_the_kernel_would_change_is_no_label(void **state)
{
	char text[SPEC_LABEL_MAX + 2] = "";

	(void)state;
	config_refuse(PROCESS("'apparmorProfile': ' a'"), "process: apparmorProfile", "blank");
	config_refuse(PROCESS("'apparmorProfile': 'a '"), "process: apparmorProfile", "blank");
	config_refuse(PROCESS("'selinuxLabel': 'a\\n'"), "process: selinuxLabel", "control character");
	config_refuse(LINUX("'mountLabel': 'a\\u007f'"), "linux: mountLabel", "control character");
	memset(text, 'x', SPEC_LABEL_MAX);
	assert_null(spec_label_fault(text));
	text[SPEC_LABEL_MAX] = 'x';
	assert_non_null(strstr(spec_label_fault(text), "too long"));
}

static void assert_schemata(const struct spec *spec, const char *const *lines, size_t count)
{
	assert_true(spec->intel_rdt.given);
	assert_int_equal(spec->intel_rdt.schemata.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(spec->intel_rdt.schemata.texts[i], lines[i]);
}

static void intel_rdt_is_read_and_its_schemata_combined(void **state)
{
	static const char *const all[] = { "L3:0=f", "L2:0=1", "MB:0=5", "SMBA:0=7" }, *const of_cache[] = { "L3:0=f", "MB:0=1" };
	spec_owned one, two, three;

	(void)state;
	config_accept(LINUX("'intelRdt': { 'memBwSchema': 'MB:0=5', 'schemata': ['SMBA:0=7'], 'closID': 'gold', "
			    "'l3CacheSchema': 'L3:0=f\\nMB:0=1\\n\\nL2:0=1\\n', 'enableMonitoring': true }"), &one);
	assert_schemata(&one, all, 4);
	assert_string_equal(one.intel_rdt.group, "gold");
	assert_true(one.intel_rdt.monitoring);
	config_accept(LINUX("'intelRdt': { 'l3CacheSchema': 'L3:0=f\\nMB:0=1', 'closID': '/', 'enableCMT': true, 'enableMBM': false }"), &two);
	assert_schemata(&two, of_cache, 2);
	assert_true(two.intel_rdt.monitoring);
	config_accept(LINUX("'intelRdt': {}"), &three);
	assert_schemata(&three, NULL, 0);
	assert_null(three.intel_rdt.group);
	assert_false(three.intel_rdt.monitoring);
	spec_free(&three);
	config_accept(LINUX("'intelRdt': null"), &three);
	assert_false(three.intel_rdt.given);
}

static void intel_rdt_that_can_mean_nothing_is_refused(void **state)
{
	static const char *const ids[] = { "..", ".", "a/b", "/a", "info", "mon_groups", "mon_data", "a\\nb" };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), LINUX("'intelRdt': { 'closID': '%s' }"), ids[i]);
		config_refuse(text, "linux: intelRdt: closID", "is not the name of a class");
	}
	config_refuse(LINUX("'intelRdt': { 'memBwSchema': 'L3:0=f' }"), "linux: intelRdt: memBwSchema", "MB:");
	config_refuse(LINUX("'intelRdt': { 'memBwSchema': 'MB:0=5\\nL3:0=f' }"), "linux: intelRdt: memBwSchema", "one line");
	config_refuse(LINUX("'intelRdt': { 'l3CacheSchema': 'L3' }"), "linux: intelRdt: l3CacheSchema", "no line");
	config_refuse(LINUX("'intelRdt': { 'l3CacheSchema': '../x:0=f' }"), "linux: intelRdt: l3CacheSchema", "no line");
	config_refuse(LINUX("'intelRdt': { 'schemata': ['L3:0=f', 'L3:0=f\\nMB:0=5'] }"), "linux: intelRdt: schemata[1]", "one line");
	config_refuse(LINUX("'intelRdt': { 'schemata': ['a/b:0'] }"), "linux: intelRdt: schemata[0]", "no line");
	config_refuse(LINUX("'intelRdt': { 'schemata': [''] }"), "linux: intelRdt: schemata[0]", "no line");
	config_refuse(LINUX("'intelRdt': { 'closID': 5 }"), "linux: intelRdt: closID", "expected a string");
}

static void nested_maps_have_their_types_checked(void **state)
{
	(void)state;
	config_refuse(MOUNT("'uidMappings': [ {} ]"), "mounts[0]: uidMappings[0]: containerID", "missing");
}

#define SECCOMP(members) LINUX("'seccomp': { 'defaultAction': 'SCMP_ACT_ERRNO', " members " }")
#define SYSCALL(members) SECCOMP("'syscalls': [ { " members " } ]")
#define CALLS(members) SYSCALL("'names': [ 'a' ], 'action': 'SCMP_ACT_ALLOW', " members)
#define ARG(members) CALLS("'args': [ { " members " } ]")
#define SCHEDULER(members) PROCESS("'scheduler': { 'policy': 'SCHED_FIFO', " members " }")
#define BLOCK(list, members) RESOURCES("'blockIO': { '" list "': [ { " members " } ] }")
#define PRIORITY(members) RESOURCES("'network': { 'priorities': [ { " members " } ] }")

static void seccomp_is_read(void **state)
{
	struct spec spec;

	(void)state;
	config_accept(LINUX("'seccomp': { 'defaultErrnoRet': 5, 'defaultAction': 'SCMP_ACT_ERRNO', 'flags': [ "
			    "'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW' ], 'listenerPath': '/l', 'listenerMetadata': 'm', "
			    "'architectures': [ 'SCMP_ARCH_X86', 'SCMP_ARCH_LOONGARCH64' ], 'unknown': 1, 'syscalls': [ "
			    "{ 'names': [ 'a', 'b' ], 'action': 'SCMP_ACT_ALLOW', 'comment': 'x', 'includes': {} }, "
			    "{ 'names': [ 'c' ], 'errnoRet': 7, 'action': 'SCMP_ACT_TRACE', 'args': [ { 'index': 5, "
			    "'value': 18446744073709551615, 'valueTwo': 3, 'op': 'SCMP_CMP_MASKED_EQ' } ] }, "
			    "{ 'names': [ 'd' ], 'action': 'SCMP_ACT_NOTIFY', 'args': null } ] }"), &spec);
	const struct spec_seccomp *seccomp = spec.seccomp;
	assert_non_null(seccomp);
	assert_int_equal(seccomp->default_action, 0x00050005);
	assert_int_equal(seccomp->flags, 6);
	assert_string_equal(seccomp->listener_path, "/l");
	assert_string_equal(seccomp->listener_metadata, "m");
	assert_true(seccomp->notifies);
	assert_int_equal(seccomp->archs_count, 2);
	assert_int_equal(seccomp->archs[0], 0x40000003);
	assert_int_equal(seccomp->archs[1], 0xc0000102);
	assert_int_equal(seccomp->rules_count, 3);
	assert_int_equal(seccomp->rules[0].action, 0x7fff0000);
	assert_int_equal(seccomp->rules[0].names_count, 2);
	assert_string_equal(seccomp->rules[0].names[1], "b");
	assert_int_equal(seccomp->rules[0].args_count, 0);
	assert_int_equal(seccomp->rules[1].action, 0x7ff00007);
	assert_int_equal(seccomp->rules[1].args_count, 1);
	assert_int_equal(seccomp->rules[1].args[0].index, 5);
	assert_true(seccomp->rules[1].args[0].value == UINT64_MAX && seccomp->rules[1].args[0].value_two == 3);
	assert_int_equal(seccomp->rules[1].args[0].op, 7);
	assert_int_equal(spec.unsupported_count, 0);
	spec_free(&spec);
	config_accept(LINUX("'seccomp': { 'defaultAction': 'SCMP_ACT_KILL', 'listenerPath': '' }"), &spec);
	assert_null(spec.seccomp->listener_path);
	assert_false(spec.seccomp->notifies);
	spec_free(&spec);
	config_accept(LINUX("'seccomp': null"), &spec);
	assert_null(spec.seccomp);
	spec_free(&spec);
}

static void unknown_words_of_seccomp_are_refused(void **state)
{
	static const struct {
		const char *text, *path, *cause;
	} wrong[] = {
		{ LINUX("'seccomp': { 'defaultAction': 'SCMP_ACT_DENY' }"), "linux: seccomp: defaultAction", "\"SCMP_ACT_DENY\" is no action" },
		{ LINUX("'seccomp': { 'defaultAction': 'SCMP_ACT_NOTIFY' }"), "linux: seccomp: defaultAction", "can't be the default" },
		{ LINUX("'seccomp': { 'defaultAction': 'SCMP_ACT_ALLOW', 'defaultErrnoRet': 1 }"), "linux: seccomp: defaultErrnoRet",
		  "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE" },
		{ SECCOMP("'defaultErrnoRet': 4095"), "linux: seccomp: defaultErrnoRet", "4095 is not within 0..4094" },
		{ SECCOMP("'architectures': [ 'SCMP_ARCH_X86', 'SCMP_ARCH_Z80' ]"), "linux: seccomp: architectures[1]", "is no architecture" },
		{ SECCOMP("'flags': [ 'SECCOMP_FILTER_FLAG_NEW_LISTENER' ]"), "linux: seccomp: flags[0]", "is no flag" },
		{ SYSCALL("'names': [], 'action': 'SCMP_ACT_ALLOW'"), "linux: seccomp: syscalls[0]: names", "empty" },
		{ SECCOMP("'syscalls': [ { 'names': [ 'a' ], 'action': 'SCMP_ACT_ALLOW' }, { 'names': [ 'a' ], 'action': 'allow' } ]"),
		  "linux: seccomp: syscalls[1]: action", "\"allow\" is no action" },
		{ CALLS("'errnoRet': 1"), "linux: seccomp: syscalls[0]: errnoRet", "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE" },
		{ SYSCALL("'names': [ 'a' ], 'errnoRet': 65536, 'action': 'SCMP_ACT_TRACE'"), "linux: seccomp: syscalls[0]: errnoRet",
		  "not within 0..65535" },
		{ ARG("'index': 6, 'value': 1, 'op': 'SCMP_CMP_EQ'"), "linux: seccomp: syscalls[0]: args[0]: index", "6 is not within 0..5" },
		{ ARG("'index': 0, 'value': 1, 'op': 'EQ'"), "linux: seccomp: syscalls[0]: args[0]: op", "is no operator" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		config_refuse(wrong[i].text, wrong[i].path, wrong[i].cause);
}

static void every_field_that_is_known_has_its_type_checked(void **state)
{
	static const struct {
		const char *text, *path, *cause;
	} wrong[] = {
		{ SECCOMP("'defaultErrnoRet': ''"), "linux: seccomp: defaultErrnoRet", "an integer" },
		{ SECCOMP("'flags': 1"), "linux: seccomp: flags", "an array" },
		{ SECCOMP("'listenerPath': 1"), "linux: seccomp: listenerPath", "a string" },
		{ SECCOMP("'listenerMetadata': 1"), "linux: seccomp: listenerMetadata", "a string" },
		{ SECCOMP("'architectures': [ 1 ]"), "linux: seccomp: architectures[0]", "a string" },
		{ LINUX("'seccomp': {}"), "linux: seccomp: defaultAction", "missing" },
		{ LINUX("'seccomp': []"), "linux: seccomp", "an object" },
		{ SYSCALL("'action': 'SCMP_ACT_ALLOW'"), "linux: seccomp: syscalls[0]: names", "missing" },
		{ SYSCALL("'names': [ 'a' ]"), "linux: seccomp: syscalls[0]: action", "missing" },
		{ SYSCALL("'errnoRet': -1"), "linux: seccomp: syscalls[0]: errnoRet", "not within" },
		{ SYSCALL("'names': [ 1 ]"), "linux: seccomp: syscalls[0]: names[0]", "a string" },
		{ CALLS("'args': {}"), "linux: seccomp: syscalls[0]: args", "an array" },
		{ ARG("'value': 1, 'op': 'SCMP_CMP_EQ'"), "linux: seccomp: syscalls[0]: args[0]: index", "missing" },
		{ ARG("'index': 0, 'op': 'SCMP_CMP_EQ'"), "linux: seccomp: syscalls[0]: args[0]: value", "missing" },
		{ ARG("'index': 0, 'value': -1"), "linux: seccomp: syscalls[0]: args[0]: value", "-1 is negative" },
		{ ARG("'index': 0, 'value': 1"), "linux: seccomp: syscalls[0]: args[0]: op", "missing" },
		{ ARG("'valueTwo': -1"), "linux: seccomp: syscalls[0]: args[0]: valueTwo", "negative" },
		{ LINUX("'netDevices': { 'e': { 'name': 1 } }"), "linux: netDevices: e: name", "a string" },
		{ LINUX("'intelRdt': { 'closID': 1 }"), "linux: intelRdt: closID", "a string" },
		{ LINUX("'intelRdt': { 'schemata': [ 1 ] }"), "linux: intelRdt: schemata[0]", "a string" },
		{ LINUX("'intelRdt': { 'l3CacheSchema': 1 }"), "linux: intelRdt: l3CacheSchema", "a string" },
		{ LINUX("'intelRdt': { 'memBwSchema': 1 }"), "linux: intelRdt: memBwSchema", "a string" },
		{ LINUX("'intelRdt': { 'enableMonitoring': 1 }"), "linux: intelRdt: enableMonitoring",
		  "a boolean" },
		{ LINUX("'memoryPolicy': { 'mode': 1 }"), "linux: memoryPolicy: mode", "a string" },
		{ LINUX("'memoryPolicy': { 'nodes': 1 }"), "linux: memoryPolicy: nodes", "a string" },
		{ LINUX("'memoryPolicy': { 'flags': 1 }"), "linux: memoryPolicy: flags", "an array" },
		{ LINUX("'personality': { 'domain': 1 }"), "linux: personality: domain", "a string" },
		{ LINUX("'personality': { 'domain': 'LINUX', 'flags': 1 }"), "linux: personality: flags", "an array" },
		{ LINUX("'timeOffsets': { 'boottime': { 'secs': '' } }"), "linux: timeOffsets: boottime: secs",
		  "an integer" },
		{ SCHEDULER("'priority': 2147483648"), "process: scheduler: priority", "not within" },
		{ SCHEDULER("'flags': 1"), "process: scheduler: flags", "an array" },
		{ SCHEDULER("'runtime': -1"), "process: scheduler: runtime", "negative" },
		{ SCHEDULER("'deadline': -1"), "process: scheduler: deadline", "negative" },
		{ SCHEDULER("'period': -1"), "process: scheduler: period", "negative" },
		{ PROCESS("'ioPriority': { 'priority': '' }"), "process: ioPriority: priority",
		  "an integer" },
		{ PROCESS("'execCPUAffinity': { 'initial': 1 }"), "process: execCPUAffinity: initial",
		  "a string" },
		{ RULE("'minor': ''"), "linux: resources: devices[0]: minor", "an integer" },
		{ RESOURCES("'memory': { 'checkBeforeUpdate': 1 }"),
		  "linux: resources: memory: checkBeforeUpdate",
		  "a boolean" },
		{ BLOCK("weightDevice", "'minor': 0"), "linux: resources: blockIO: weightDevice[0]: major",
		  "missing" },
		{ BLOCK("weightDevice", "'weight': 65536"),
		  "linux: resources: blockIO: weightDevice[0]: weight",
		  "not within" },
		{ BLOCK("weightDevice", "'leafWeight': 65536"),
		  "linux: resources: blockIO: weightDevice[0]: leafWeight", "not within" },
		{ BLOCK("throttleReadBpsDevice", "'minor': 0"),
		  "linux: resources: blockIO: throttleReadBpsDevice[0]: major", "missing" },
		{ BLOCK("throttleReadBpsDevice", "'major': 0"),
		  "linux: resources: blockIO: throttleReadBpsDevice[0]: minor", "missing" },
		{ BLOCK("throttleReadBpsDevice", "'rate': -1"),
		  "linux: resources: blockIO: throttleReadBpsDevice[0]: rate", "negative" },
		{ RESOURCES("'hugepageLimits': [ { 'pageSize': '2MB' } ]"),
		  "linux: resources: hugepageLimits[0]: limit", "missing" },
		{ PRIORITY("'priority': 1"), "linux: resources: network: priorities[0]: name", "missing" },
		{ PRIORITY("'name': 'e'"), "linux: resources: network: priorities[0]: priority", "missing" },
		{ RESOURCES("'rdma': { 'm': { 'hcaHandles': 4294967296 } }"),
		  "linux: resources: rdma: m: hcaHandles",
		  "not within" },
		{ RESOURCES("'rdma': { 'm': { 'hcaObjects': -1 } }"), "linux: resources: rdma: m: hcaObjects",
		  "not within" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		config_refuse(wrong[i].text, wrong[i].path, wrong[i].cause);
}

static void a_process_alone_can_be_read(void **state)
{
	static const char text[] = "{\"cwd\":\"/\",\"args\":[\"id\"],\"user\":{\"uid\":5}}";
	static const char bad[] = "{\"cwd\":\"/\",\"user\":{\"uid\":\"x\"}}";
	struct error err = { 0 };
	struct spec  spec;

	(void)state;
	assert_int_equal(spec_read_process(text, strlen(text), &spec, &err), 0);
	assert_true(spec.process.given);
	assert_int_equal(spec.process.user.uid, 5);
	assert_int_equal(spec.process.user.umask, SPEC_UMASK_UNSET);
	spec_free(&spec);
	assert_int_equal(spec_read_process(bad, strlen(bad), &spec, &err), -EINVAL);
	assert_string_equal(err.object, "process: user: uid");
	spec_free(&spec);
}

static void free_is_safe_on_nothing_and_twice(void **state)
{
	struct spec spec = { 0 };

	(void)state;
	spec_free(&spec);
	config_accept(CONFIG(ROOT), &spec);
	spec_free(&spec);
	spec_free(&spec);
	assert_null(spec.root_path);
}

static void many_warnings_and_fields_are_kept(void **state)
{
	static char text[64 * 1024];
	int used = snprintf(text, sizeof(text), "{ 'ociVersion': '1.0.0', 'mounts': [");

	(void)state;
	for (int i = 0; i < 100; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "%s{ 'destination': 'm%d' }", i > 0 ? "," : "", i);
	used += snprintf(text + used, sizeof(text) - (size_t)used, "], 'linux': { 'resources': { 'hugepageLimits': [] } }");
	snprintf(text + used, sizeof(text) - (size_t)used, " }");
	spec_owned spec;
	config_accept(text, &spec);
	assert_int_equal(spec.warnings.count, 100);
	assert_memory_equal(spec.warnings.texts[77], "mounts[77]: ", 12);
	assert_null(spec.warnings.texts[100]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_from_1_0_to_1_3_are_accepted),
		cmocka_unit_test(a_later_1_x_is_accepted_with_a_warning),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(the_version_is_looked_at_first),
		cmocka_unit_test(too_many_bytes_are_refused),
		cmocka_unit_test(the_text_is_checked_as_strict_json),
		cmocka_unit_test(the_depth_is_limited),
		cmocka_unit_test(the_number_of_objects_and_arrays_is_limited),
		cmocka_unit_test(unknown_names_are_ignored_and_null_is_absent),
		cmocka_unit_test(a_wrong_type_is_refused_with_its_path),
		cmocka_unit_test(the_top_level_fields),
		cmocka_unit_test(the_process_fields),
		cmocka_unit_test(process_bounds),
		cmocka_unit_test(an_absent_user_is_root),
		cmocka_unit_test(ids_are_never_cut),
		cmocka_unit_test(console_size_without_a_terminal_is_ignored_with_a_warning),
		cmocka_unit_test(capability_names_become_bits),
		cmocka_unit_test(unknown_capability_names_are_ignored_with_a_warning),
		cmocka_unit_test(the_old_list_of_capabilities_is_read),
		cmocka_unit_test(each_resource_limit_has_its_number),
		cmocka_unit_test(wrong_resource_limits_are_refused),
		cmocka_unit_test(mounts_are_read),
		cmocka_unit_test(a_relative_destination_is_made_absolute_with_a_warning),
		cmocka_unit_test(bind_is_said_by_option_or_type),
		cmocka_unit_test(mappings_of_a_mount_are_read),
		cmocka_unit_test(refused_mount_options_are_named),
		cmocka_unit_test(namespaces_are_read),
		cmocka_unit_test(each_namespace_kind_has_its_flag),
		cmocka_unit_test(each_namespace_kind_has_its_ioctl),
		cmocka_unit_test(the_linux_fields),
		cmocka_unit_test(a_namespace_keeps_its_index),
		cmocka_unit_test(sysctl_names_become_paths),
		cmocka_unit_test(sysctls_of_the_machine_and_strange_names_are_refused),
		cmocka_unit_test(time_offsets_are_read),
		cmocka_unit_test(the_personality_is_read),
		cmocka_unit_test(network_devices_are_read),
		cmocka_unit_test(what_is_for_other_systems_is_ignored),
		cmocka_unit_test(propagation_and_its_recursive_form),
		cmocka_unit_test(devices_are_read),
		cmocka_unit_test(wrong_devices_are_refused),
		cmocka_unit_test(device_rules_are_read),
		cmocka_unit_test(limits_that_only_cgroup_v1_has_are_listed),
		cmocka_unit_test(what_only_cgroup_v1_has_is_ignored_with_a_warning),
		cmocka_unit_test(limits_of_the_wrong_type_are_refused),
		cmocka_unit_test(fields_that_ask_for_nothing_are_not_listed),
		cmocka_unit_test(labels_are_read_as_they_are),
		cmocka_unit_test(what_the_kernel_would_change_is_no_label),
		cmocka_unit_test(intel_rdt_is_read_and_its_schemata_combined),
		cmocka_unit_test(intel_rdt_that_can_mean_nothing_is_refused),
		cmocka_unit_test(nested_maps_have_their_types_checked),
		cmocka_unit_test(seccomp_is_read),
		cmocka_unit_test(unknown_words_of_seccomp_are_refused),
		cmocka_unit_test(every_field_that_is_known_has_its_type_checked),
		cmocka_unit_test(a_process_alone_can_be_read),
		cmocka_unit_test(free_is_safe_on_nothing_and_twice),
		cmocka_unit_test(many_warnings_and_fields_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
