/* test_template.c - unit test; one test per rule stated in spec/template.h. Side: any. */
#define _GNU_SOURCE
#include <stdio.h>

#include "config_text.h"
#include "spec/template.h"

static char *make(bool rootless)
{
	struct spec_id_map uid = { 0, 1000, 1 }, gid = { 0, 2000, 1 };
	const struct spec_id_maps uid_maps = { &uid, 1 }, gid_maps = { &gid, 1 };
	const struct template_options options = { rootless, &uid_maps, &gid_maps, NULL, true, NULL };
	struct error err = { 0 };
	char *text = NULL;

	assert_int_equal(template_make(&options, &text, &err), 0);
	assert_non_null(text);
	return text;
}

static void read_and_check(const char *text, struct spec *spec)
{
	struct error err = { 0 };

	assert_int_equal(spec_read(text, strlen(text), spec, &err), 0);
	assert_int_equal(spec_check(spec, &err), 0);
	assert_int_equal(spec->unsupported_count, 0);
	assert_int_equal(spec->warnings.count, 0);
}

static const struct spec_mount *mount_find(const struct spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (strcmp(spec->mounts[i].destination, destination) == 0)
			return &spec->mounts[i];
	fail_msg("no mount at %s", destination);
	return NULL;
}

static void the_layout_is_tabs_and_a_last_newline(void **state)
{
	char *text = make(false);

	(void)state;
	static const char start[] = "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": "
			"true,\n";
	static const char last[] = "\"/proc/sysrq-trigger\"\n\t\t]\n\t}\n}\n";
	assert_memory_equal(text, start, sizeof(start) - 1);
	assert_string_equal(text + strlen(text) - strlen(last), last);
	assert_null(strstr(text, " \n"));
	assert_null(strstr(text, "  "));
	free(text);
}

static void slirp_is_an_annotation_and_a_network_namespace(void **state)
{
	(void)state;
	for (int rootless = 0; rootless <= 1; rootless++) {
		struct spec_id_map id = { 0, 1000, 1 };
		const struct spec_id_maps maps = { &id, 1 };
		const struct template_options options = { rootless, &maps, &maps, NULL, true, "slirp:mtu=1500" };
		struct error err = { 0 };
		struct spec  spec;
		char *text = NULL;

		assert_int_equal(template_make(&options, &text, &err), 0);
		read_and_check(text, &spec);
		assert_true(spec.namespaces[SPEC_NS_NETWORK].listed);
		assert_string_equal(spec_annotation_find(&spec, "org.moss.network"), "slirp:mtu=1500");
		spec_free(&spec);
		free(text);
	}
}

static void keys_are_in_runcs_order(void **state)
{
	static const char *const keys[] = { "ociVersion", "process", "root", "hostname", "mounts", "linux" };
	char *text = make(false), *at = text;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char line[40];

		snprintf(line, sizeof(line), "\n\t\"%s\": ", keys[i]);
		at = strstr(at, line);
		assert_non_null(at);
	}
	free(text);
}

static void both_can_be_read_and_checked(void **state)
{
	(void)state;
	for (int rootless = 0; rootless <= 1; rootless++) {
		char *text = make(rootless != 0);
		struct spec spec;

		read_and_check(text, &spec);
		assert_string_equal(spec.hostname, "moss");
		assert_string_equal(spec.root_path, "rootfs");
		assert_true(spec.root_readonly);
		assert_true(spec.process.terminal && spec.process.no_new_privileges);
		assert_string_equal(spec.process.args.texts[0], "sh");
		assert_int_equal(spec.process.env.count, 2);
		assert_int_equal(spec.process.capabilities.bounding, 1 << 29 | 1 << 5 | 1 << 10);
		assert_int_equal(spec.process.capabilities.ambient, 0);
		assert_int_equal(spec.process.rlimits[0].limit.rlim_max, 1024);
		assert_int_equal(spec.mounts_count, 7);
		assert_int_equal(spec.masked_paths.count, 11);
		assert_int_equal(spec.readonly_paths.count, 5);
		assert_true(spec.namespaces[SPEC_NS_CGROUP].listed);
		spec_free(&spec);
		free(text);
	}
}

static void roots_template(void **state)
{
	char *text = make(false);
	struct spec spec;

	(void)state;
	read_and_check(text, &spec);
	assert_true(spec.namespaces[SPEC_NS_NETWORK].listed);
	assert_false(spec.namespaces[SPEC_NS_USER].listed);
	assert_int_equal(spec.uid_maps.count, 0);
	assert_int_equal(spec.device_rules_count, 1);
	assert_false(spec.device_rules[0].allow);
	assert_string_equal(mount_find(&spec, "/sys")->type, "sysfs");
	assert_non_null(strstr(text, "\"gid=5\""));
	spec_free(&spec);
	free(text);
}

static void the_rootless_template(void **state)
{
	char *text = make(true);
	struct spec spec;

	(void)state;
	read_and_check(text, &spec);
	assert_false(spec.namespaces[SPEC_NS_NETWORK].listed);
	assert_true(spec.namespaces[SPEC_NS_USER].listed);
	assert_int_equal(spec.uid_maps.count, 1);
	assert_int_equal(spec.uid_maps.maps[0].host_id, 1000);
	assert_int_equal(spec.gid_maps.maps[0].host_id, 2000);
	assert_int_equal(spec.gid_maps.maps[0].container_id, 0);
	assert_int_equal(spec.gid_maps.maps[0].count, 1);
	assert_null(strstr(text, "\"resources\""));
	assert_null(strstr(text, "uid="));
	assert_null(strstr(text, "gid="));
	const struct spec_mount *sys = mount_find(&spec, "/sys");
	assert_true(sys->options.bind && sys->options.recursive);
	assert_string_equal(sys->source, "/sys");
	spec_free(&spec);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_tabs_and_a_last_newline),
		cmocka_unit_test(slirp_is_an_annotation_and_a_network_namespace), cmocka_unit_test(keys_are_in_runcs_order),
		cmocka_unit_test(both_can_be_read_and_checked),
		cmocka_unit_test(roots_template),
		cmocka_unit_test(the_rootless_template),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
