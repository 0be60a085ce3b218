/* attach.c - see attach.h. Side: helper. */
#define _GNU_SOURCE
#include "attach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sync.h"
#include "frame.h"
#include "host/netlink.h"

#define TUN "/dev/net/tun"

static uid_t user; /* as the caller knows it: in the container's user namespace it is another */

static int explain_tun(int code, struct error *err)
{
	switch (code) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		error_at(err, code, TUN, "the device that slirp needs is missing");
		return error_hint(err, "modprobe tun (as root); in a container pass the device on: --device " TUN);
	case EACCES:
		error_at(err, code, TUN, "user %u may not open it", (unsigned)user);
		return error_hint(err, "as root: chmod 0666 " TUN);
	case EPERM:
		error_at(err, code, TUN, "the device list of a cgroup refuses it");
		return error_hint(err, "allow c 10:200 rwm in the container around moss: --device " TUN);
	default:
		return error_at(err, code, TUN, "open");
	}
}

/* The namespace is the one that the opener is in. */
static int open_tap(struct error *err)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	fd_owned fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return explain_tun(errno, err);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ATTACH_DEVICE);
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return error_at(err, errno, ATTACH_DEVICE, "make the device in the container");
	return fd_take(&fd);
}

static int set_up(int sock, int index, uint32_t mtu)
{
	struct netlink_request request = netlink_link(RTM_NEWLINK, index);

	request.link.ifi_flags = request.link.ifi_change = IFF_UP;
	netlink_add_uint32(&request, IFLA_MTU, mtu);
	return netlink_ask(sock, &request);
}

static int add_address(int sock, int index, int family, const void *address, int bits)
{
	size_t size = family == AF_INET ? 4 : 16;
	struct netlink_request request = netlink_address(RTM_NEWADDR, &(struct ifaddrmsg){
		.ifa_family = (unsigned char)family, .ifa_prefixlen = (unsigned char)bits, .ifa_flags = IFA_F_PERMANENT,
		.ifa_index = (unsigned)index });

	netlink_add(&request, IFA_LOCAL, address, size);
	netlink_add(&request, IFA_ADDRESS, address, size);
	/* Nobody else is there to have it, and the answer would have to be waited for. */
	netlink_add_uint32(&request, IFA_FLAGS, IFA_F_PERMANENT | (family == AF_INET6 ? IFA_F_NODAD : 0));
	return netlink_ask(sock, &request);
}

static int add_route(int sock, int index, int family, const void *gateway)
{
	struct netlink_request request = netlink_route(RTM_NEWROUTE, family);

	netlink_add(&request, RTA_GATEWAY, gateway, family == AF_INET ? 4 : 16);
	netlink_add_uint32(&request, RTA_OIF, (uint32_t)index);
	return netlink_ask(sock, &request);
}

static int configure4(const struct spec_network *network, int sock, int index, struct error *err)
{
	uint32_t guest = htonl(network->guest), gateway = htonl(network->gateway);
	int ret = add_address(sock, index, AF_INET, &guest, 32 - __builtin_ctz(network->mask));

	if (ret < 0)
		return error_at(err, -ret, ATTACH_DEVICE, "give it its address");
	ret = add_route(sock, index, AF_INET, &gateway);
	return ret < 0 ? error_at(err, -ret, ATTACH_DEVICE, "add the default route") : 0;
}

static int configure6(int sock, int index, struct error *err)
{
	struct in6_addr guest, gateway;

	inet_pton(AF_INET6, FRAME_GUEST6, &guest);
	inet_pton(AF_INET6, FRAME_GATEWAY6, &gateway);
	int ret = add_address(sock, index, AF_INET6, &guest, 64);
	if (ret == -EOPNOTSUPP || ret == -EAFNOSUPPORT || ret == -EACCES || ret == -EPERM)
		return 0; /* a kernel without IPv6, or one where it is switched off */
	if (ret == 0)
		ret = add_route(sock, index, AF_INET6, &gateway);
	return ret < 0 ? error_at(err, -ret, ATTACH_DEVICE, "give it its IPv6 address and route") : 0;
}

/* Inside: in the container's namespaces, in the host's tree. */
static int make_tap(const struct settings *settings, int pidfd, struct error *err)
{
	if (setns(pidfd, CLONE_NEWNET | (settings->join_user ? CLONE_NEWUSER : 0)) < 0)
		return error_set(err, errno, "enter the container's network namespace");
	fd_owned tap = open_tap(err);
	if (tap < 0)
		return tap;
	int index = (int)if_nametoindex(ATTACH_DEVICE);
	fd_owned sock = netlink_open();
	if (index == 0 || sock < 0)
		return error_at(err, index == 0 ? errno : -sock, ATTACH_DEVICE, "look for it");
	int ret = set_up(sock, index, settings->network.mtu);
	if (ret < 0)
		return error_at(err, -ret, ATTACH_DEVICE, "set it up");
	if (configure4(&settings->network, sock, index, err) < 0 || (settings->network.ipv6 && configure6(sock, index, err) < 0))
		return -err->code;
	return fd_take(&tap);
}

int attach_tap(const struct settings *settings, int pidfd, struct error *err)
{
	struct sync_message message;
	int socks[2], ret = sync_pair(socks);

	if (ret < 0)
		return error_set(err, -ret, "socketpair");
	fd_owned ours = socks[0], theirs = socks[1];
	user = geteuid();
	pid_t pid = fork();
	if (pid == 0) {
		fd_owned tap = make_tap(settings, pidfd, err);

		(void)!(tap < 0 ? sync_send(theirs, SYNC_ERROR, err, sizeof(*err), -1) : sync_send(theirs, SYNC_FILES, NULL, 0, tap));
		_exit(0);
	}
	if (pid < 0)
		return error_set(err, errno, "fork");
	fd_close(&theirs);
	ret = sync_receive(ours, &message);
	waitpid(pid, NULL, 0);
	if (ret == 0 && message.kind == SYNC_FILES && message.fd >= 0)
		return message.fd;
	if (ret == 0 && message.kind == SYNC_ERROR)
		*err = message.error;
	else
		error_set(err, ret < 0 ? -ret : EPIPE, "the process in the container's network namespace died");
	return -err->code;
}
