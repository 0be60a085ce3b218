/* test_spec_samples.c - unit test; the specification's own files of tests/spec. Side: any. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>

#include "config_text.h"

#define FILE_MAX (64 * 1024)

/* Read tests/spec/@folder/@name into @bytes. Returns the size. */
static size_t load(const char *folder, const char *name, char *bytes)
{
	const char *srcdir = getenv("srcdir");
	char path[1000];

	snprintf(path, sizeof(path), "%s/tests/spec/%s/%s", srcdir != NULL ? srcdir : ".", folder, name);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		fail_msg("%s can't be opened", path);
	size_t size = fread(bytes, 1, FILE_MAX, file);
	fclose(file);
	assert_in_range(size, 1, FILE_MAX - 1);
	return size;
}

/* Call @see for every file of the folder; there must be at least @files_min. */
static void each_file(const char *folder, int files_min, void (*see)(const char *folder, const char *name))
{
	const char *srcdir = getenv("srcdir");
	char path[1000];
	int  files = 0;

	snprintf(path, sizeof(path), "%s/tests/spec/%s", srcdir != NULL ? srcdir : ".", folder);
	DIR *dir = opendir(path);
	if (dir == NULL)
		fail_msg("%s can't be opened", path);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.') {
			see(folder, entry->d_name);
			files++;
		}
	closedir(dir);
	assert_true(files >= files_min);
}

static void see_good(const char *folder, const char *name)
{
	static char  bytes[FILE_MAX];
	struct error err = { 0 };
	struct spec  spec;
	size_t size = load(folder, name, bytes);

	if (strcmp(name, "spec-example.json") == 0 || strcmp(name, "linux-netdevice.json") == 0)
		return; /* the tests below */
	if (spec_read(bytes, size, &spec, &err) < 0 || spec_check(&spec, &err) < 0)
		fail_msg("%s: %s: %s", name, err.object, err.cause);
	spec_free(&spec);
}

static void see_bad(const char *folder, const char *name)
{
	static char  bytes[FILE_MAX];
	struct error err = { 0 };
	struct spec  spec;
	size_t size = load(folder, name, bytes);

	if (spec_read(bytes, size, &spec, &err) == 0)
		fail_msg("%s was accepted", name);
	assert_int_equal(err.code, EINVAL);
	assert_string_not_equal(err.object, "");
	spec_free(&spec);
}

static void good_files_are_accepted(void **state)
{
	(void)state;
	each_file("good", 5, see_good);
}

static void bad_files_are_refused(void **state)
{
	(void)state;
	each_file("bad", 4, see_bad);
}

static void the_example_is_refused_for_its_version_only(void **state)
{
	static char  bytes[FILE_MAX];
	static const char version[] = "\"0.5.0-dev\"";
	struct error err = { 0 };
	struct spec  spec;
	size_t size = load("good", "spec-example.json", bytes);

	(void)state;
	assert_int_equal(spec_read(bytes, size, &spec, &err), -EINVAL);
	assert_string_equal(err.object, "ociVersion");
	assert_string_equal(err.cause, "unsupported version \"0.5.0-dev\"");
	spec_free(&spec);
	char *at = memmem(bytes, size, version, strlen(version));
	assert_non_null(at);
	memcpy(at, "\"1.0.0\"    ", strlen(version));
	assert_int_equal(spec_read(bytes, size, &spec, &err), 0);
	assert_int_equal(spec_check(&spec, &err), 0);
	assert_int_equal(spec.mounts_count, 7);
	assert_int_equal(spec.devices_count, 2);
	assert_int_equal(spec.device_rules_count, 3);
	spec_free(&spec);
}

/* Good for the schema, which looks at each field by itself; and it lists no namespaces at all. A device is made
 * available in the container by moving it from the runtime's network namespace into the container's, and
 * renaming it there. Here both are the same: there is nowhere to move it to, eth0 would be renamed under the
 * host, and nothing would give it back at the end. To leave it where it is would be to ignore the field.
 * With a network namespace in the list the same file passes. */
static void net_devices_without_a_network_namespace_are_refused(void **state)
{
	static char  bytes[FILE_MAX];
	static const char object[] = "\"linux\": {", namespaces[] = "\"namespaces\": [{\"type\": \"network\"}],";
	struct error err = { 0 };
	struct spec  spec;
	size_t size = load("good", "linux-netdevice.json", bytes);

	(void)state;
	assert_int_equal(spec_read(bytes, size, &spec, &err), 0);
	assert_int_equal(spec.net_devices_count, 3);
	assert_int_equal(spec_check(&spec, &err), -EINVAL);
	assert_string_equal(err.object, "linux: netDevices: eth0");
	spec_free(&spec);
	char *at = memmem(bytes, size, object, strlen(object));
	assert_non_null(at);
	at += strlen(object);
	memmove(at + strlen(namespaces), at, size - (size_t)(at - bytes));
	memcpy(at, namespaces, strlen(namespaces));
	assert_int_equal(spec_read(bytes, size + strlen(namespaces), &spec, &err), 0);
	assert_int_equal(spec_check(&spec, &err), 0);
	assert_int_equal(spec.net_devices_count, 3);
	spec_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_accepted),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(the_example_is_refused_for_its_version_only),
		cmocka_unit_test(net_devices_without_a_network_namespace_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
