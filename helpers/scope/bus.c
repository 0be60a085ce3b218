/* bus.c - see bus.h. Side: helper. */
#define _GNU_SOURCE
#include "bus.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"

#define ADDRESS_MAX 1024
#define SYSTEM_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define WITHOUT "or leave it to moss: --cgroup-manager cgroupfs"

const char *bus_option(const struct bus *bus)
{
	return bus->system ? "" : " --user";
}

/* The @number-th place to look for a user's bus. False behind the last; one that is not there is "". */
static bool candidate(const struct bus *bus, int number, char *address, size_t size)
{
	const char *told = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
	char path[ADDRESS_MAX];

	address[0] = '\0';
	switch (number) {
	case 0:
		snprintf(address, size, "%s", told != NULL ? told : "");
		return true;
	case 1:
		snprintf(path, sizeof(path), "%s/bus", runtime != NULL && runtime[0] == '/' ? runtime : "");
		break;
	case 2:
		snprintf(path, sizeof(path), "/run/user/%u/bus", (unsigned)bus->user);
		break;
	default:
		return false;
	}
	/* In an address other characters would have to be escaped; a runtime directory has none of them. */
	if (path[0] == '/' && strspn(path, "/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-") == strlen(path) &&
	    access(path, F_OK) == 0)
		snprintf(address, size, "unix:path=%.*s", (int)size - 16, path);
	return true;
}

static int wait_ready(sd_bus *bus, int64_t deadline)
{
	for (;;) {
		int ret = sd_bus_is_ready(bus);
		if (ret != 0)
			return ret < 0 ? ret : 0;
		ret = sd_bus_process(bus, NULL);
		int64_t left = deadline - sys_now_ms();
		if (ret == 0 && left <= 0)
			return -ETIMEDOUT;
		if (ret == 0)
			ret = sd_bus_wait(bus, (uint64_t)left * 1000);
		if (ret < 0)
			return ret;
	}
}

static int open_address(const char *address, int64_t deadline, sd_bus **ret_bus)
{
	sd_bus *bus = NULL;
	int ret = sd_bus_new(&bus);

	if (ret >= 0)
		ret = sd_bus_set_address(bus, address);
	if (ret >= 0)
		ret = sd_bus_set_bus_client(bus, true);
	if (ret >= 0)
		ret = sd_bus_set_method_call_timeout(bus, (uint64_t)BUS_TIMEOUT_MS * 1000);
	if (ret >= 0)
		ret = sd_bus_start(bus);
	if (ret >= 0)
		ret = wait_ready(bus, deadline);
	if (ret < 0) {
		sd_bus_close(bus);
		sd_bus_unref(bus);
		return ret;
	}
	*ret_bus = bus;
	return 0;
}

static int explain_system(int code, struct error *err)
{
	if (sd_booted() <= 0) {
		error_at(err, 0, "/run/dbus/system_bus_socket", "this host was not booted by systemd, so systemd can't make a cgroup");
		return error_hint(err, "let moss do it: leave --systemd-cgroup out, or --cgroup-manager cgroupfs");
	}
	error_at(err, code, "/run/dbus/system_bus_socket", "connect to the system bus");
	if (code == ETIMEDOUT)
		return error_hint(err, "the bus did not let us in within %d s: systemctl status dbus; " WITHOUT, BUS_TIMEOUT_MS / 1000);
	return error_hint(err, "is it running? systemctl start dbus.socket; " WITHOUT);
}

static int explain_user(const struct bus *bus, int code, const char *address, struct error *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/run/user/%u/bus", (unsigned)bus->user);
	if (address[0] != '\0')
		error_at(err, code, address, "connect to the bus of user %u", (unsigned)bus->user);
	else
		error_at(err, code, path, "find the bus of user %u's systemd", (unsigned)bus->user);
	if (code == ETIMEDOUT)
		return error_hint(err, "the bus did not let us in within %d s: systemctl --user status dbus; " WITHOUT, BUS_TIMEOUT_MS / 1000);
	if (sd_booted() <= 0)
		return error_hint(err, "this host was not booted by systemd: use --cgroup-manager cgroupfs or disabled");
	return error_hint(err, "log in through systemd-logind, or as root: loginctl enable-linger %u (the bus is in Debian's package "
			       "dbus-user-session); " WITHOUT, (unsigned)bus->user);
}

int bus_open(struct bus *bus, struct error *err)
{
	char address[ADDRESS_MAX], failed[ADDRESS_MAX] = "";
	int  code = ENOENT;
	int64_t deadline = sys_now_ms() + BUS_TIMEOUT_MS; /* for all of them */

	if (bus->system) {
		int ret = open_address(SYSTEM_ADDRESS, deadline, &bus->bus);

		return ret < 0 ? explain_system(-ret, err) : 0;
	}
	for (int number = 0; candidate(bus, number, address, sizeof(address)); number++) {
		if (address[0] == '\0' || strcmp(address, failed) == 0)
			continue;
		int ret = open_address(address, deadline, &bus->bus);
		if (ret >= 0)
			return 0;
		code = -ret;
		snprintf(failed, sizeof(failed), "%s", address);
	}
	return explain_user(bus, code, failed, err);
}

void bus_close(struct bus *bus)
{
	if (bus->bus != NULL)
		sd_bus_flush(bus->bus);
	bus->bus = sd_bus_close_unref(bus->bus);
}

int bus_explain(const struct bus *bus, const struct bus_failure *failure, const char *object, const char *what, struct error *err)
{
	const char *name = failure->error->name != NULL ? failure->error->name : "";
	const char *text = failure->error->message != NULL ? failure->error->message : strerror(-failure->ret);
	int code = failure->error->name != NULL ? sd_bus_error_get_errno(failure->error) : -failure->ret;

	error_at(err, 0, object, "%s: %.300s", what, text);
	err->code = code != 0 ? code : EIO;
	if (strcmp(name, BUS_SYSTEMD ".UnitExists") == 0) {
		error_at(err, 0, object, "%s: systemd has a unit of this name already", what);
		err->code = EEXIST;
		return error_hint(err, "another container or service has this name: give another one in linux.cgroupsPath "
				       "(slice:prefix:name); systemctl%s status %s says whose it is, systemctl%s reset-failed %s forgets "
				       "one that has failed", bus_option(bus), object, bus_option(bus), object);
	}
	if (strcmp(name, BUS_SYSTEMD ".NoSuchUnit") == 0)
		err->code = ENOENT;
	if (strcmp(name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 || strcmp(name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0 ||
	    str_starts(name, "org.freedesktop.DBus.Error.Spawn."))
		return error_hint(err, "there is a bus, but no systemd on it: systemctl%s status; " WITHOUT, bus_option(bus));
	if (strcmp(name, SD_BUS_ERROR_NO_REPLY) == 0 || strcmp(name, SD_BUS_ERROR_TIMEOUT) == 0 || err->code == ETIMEDOUT) {
		err->code = ETIMEDOUT;
		return error_hint(err, "systemd did not answer within %d s: systemctl%s status, and list-jobs, show what it does",
				  BUS_TIMEOUT_MS / 1000, bus_option(bus));
	}
	if (strcmp(name, SD_BUS_ERROR_PROPERTY_READ_ONLY) == 0 || strcmp(name, SD_BUS_ERROR_INVALID_ARGS) == 0 ||
	    str_starts(text, "Failed to set unit properties"))
		return error_hint(err, "systemd takes a property by the name and type that systemd.resource-control(5) and org.freedesktop."
				       "systemd1(5) give it: look at the annotations org.systemd.property.*, and at linux.resources");
	return -err->code;
}
