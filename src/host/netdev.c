/* netdev.c - see netdev.h. Side: host. */
#define _GNU_SOURCE
#include "host/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sync.h"
#include "host/caller.h"
#include "host/netlink.h"

#define INDEX_TRIES 100
/* What of an address's flags is a wish, and not the kernel's own note (if_addr.h). */
#define ADDRESS_WISHES (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

struct address {
	struct ifaddrmsg message;
	unsigned char    local[16], peer[16], broadcast[4];
	size_t   local_size, peer_size, broadcast_size; /* 0: there is none */
	uint32_t flags;
};

struct netdev {
	const struct spec_net_device *spec;
	struct arena   *arena;
	int             index, inside_index; /* the latter is 0 until it is moved */
	bool            up;
	struct address *addresses;
	size_t          addresses_count;
};

void netdev_close(struct netdev_set *set)
{
	fd_close(&set->sock);
	fd_close(&set->inside_sock);
}

static int fail(int code, const struct netdev *device, const char *what, struct error *err)
{
	char object[64];

	snprintf(object, sizeof(object), "linux: netDevices: %s", device->spec->name);
	return error_at(err, code, object, "%s", what);
}

/* Our network namespace must be ours to administer: CAP_NET_ADMIN counts in the user namespace that owns it. */
static bool may_move(void)
{
	struct stat own, other;

	if (!(caller_get()->permitted & (UINT64_C(1) << CAP_NET_ADMIN)))
		return false;
	if (caller_get()->initial_user_ns)
		return true;
	fd_owned network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd_owned owner = network < 0 ? -1 : ioctl(network, NS_GET_USERNS);
	return owner >= 0 && fstat(owner, &other) == 0 && stat("/proc/self/ns/user", &own) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

static void copy_attribute(const struct rtattr *attribute, unsigned char *bytes, size_t room, size_t *ret_size)
{
	if (RTA_PAYLOAD(attribute) > room)
		return;
	*ret_size = RTA_PAYLOAD(attribute);
	memcpy(bytes, RTA_DATA(attribute), *ret_size);
}

/* One message of a dump: keep the address when it is of this device, permanent, and global. */
static int keep_address(const struct nlmsghdr *header, void *context)
{
	const struct ifaddrmsg *message = NLMSG_DATA(header);
	struct netdev *device = context;
	struct address address = { .message = *message, .flags = message->ifa_flags };
	unsigned left = (unsigned)IFA_PAYLOAD(header);

	if (header->nlmsg_type != RTM_NEWADDR || (int)message->ifa_index != device->index ||
	    message->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	for (struct rtattr *one = IFA_RTA(message); RTA_OK(one, left); one = RTA_NEXT(one, left)) {
		if (one->rta_type == IFA_LOCAL)
			copy_attribute(one, address.local, sizeof(address.local), &address.local_size);
		else if (one->rta_type == IFA_ADDRESS)
			copy_attribute(one, address.peer, sizeof(address.peer), &address.peer_size);
		else if (one->rta_type == IFA_BROADCAST)
			copy_attribute(one, address.broadcast, sizeof(address.broadcast), &address.broadcast_size);
		else if (one->rta_type == IFA_FLAGS && RTA_PAYLOAD(one) == sizeof(uint32_t))
			memcpy(&address.flags, RTA_DATA(one), sizeof(uint32_t));
	}
	if (!(address.flags & IFA_F_PERMANENT))
		return 0;
	struct address *all = arena_grow(device->arena, device->addresses, device->addresses_count, sizeof(*all));
	if (all == NULL)
		return -ENOMEM;
	device->addresses = all;
	all[device->addresses_count++] = address;
	return 0;
}

static int find_one(int sock, struct netdev *device, struct error *err)
{
	struct ifreq request = { .ifr_ifindex = 0 };
	struct netlink_request dump = netlink_address(RTM_GETADDR, &(struct ifaddrmsg){ .ifa_family = AF_UNSPEC });

	memcpy(request.ifr_name, device->spec->name, strlen(device->spec->name) + 1); /* spec_net_devices.c: it fits */
	fd_owned any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (any < 0 || ioctl(any, SIOCGIFINDEX, &request) < 0) {
		fail(errno, device, "look for it", err);
		return error_hint(err, "the key names a device of the network namespace that moss runs in: see ip link");
	}
	device->index = request.ifr_ifindex;
	if (ioctl(any, SIOCGIFFLAGS, &request) < 0)
		return fail(errno, device, "read its flags", err);
	device->up = request.ifr_flags & IFF_UP;
	int ret = netlink_dump(sock, &dump, keep_address, device);
	return ret < 0 ? fail(-ret, device, "read its addresses", err) : 0;
}

int netdev_find(struct spec *spec, struct netdev_set *ret_set, struct error *err)
{
	*ret_set = (struct netdev_set){ .sock = -1, .inside_sock = -1 };
	if (spec->net_devices_count == 0)
		return 0;
	ret_set->devices = arena_alloc(&spec->arena, spec->net_devices_count, sizeof(*ret_set->devices));
	if (ret_set->devices == NULL)
		return error_set(err, ENOMEM, "network devices");
	ret_set->devices[0].spec = &spec->net_devices[0];
	if (!may_move()) {
		fail(EPERM, ret_set->devices, "it can't be taken out of the network namespace that moss runs in", err);
		return error_hint(err, "that takes CAP_NET_ADMIN there: run moss as root, or leave netDevices out");
	}
	ret_set->sock = netlink_open();
	if (ret_set->sock < 0)
		return error_at(err, -ret_set->sock, "linux: netDevices", "open a netlink socket");
	for (size_t i = 0; i < spec->net_devices_count; i++) {
		struct netdev *device = &ret_set->devices[i];

		*device = (struct netdev){ .spec = &spec->net_devices[i], .arena = &spec->arena };
		if (find_one(ret_set->sock, device, err) < 0)
			return -err->code;
		ret_set->count++;
	}
	return 0;
}

/* A netlink socket of the namespace, opened by a child of ours that enters it. */
static int open_inside(struct netdev_set *set, int pidfd, struct error *err)
{
	struct sync_message message;
	int socks[2], status = 0, ret = sync_pair(socks);

	if (ret < 0)
		return error_set(err, -ret, "socketpair");
	fd_owned ours = socks[0], theirs = socks[1];
	pid_t pid = fork();
	if (pid == 0) {
		int code = setns(pidfd, CLONE_NEWNET) < 0 ? -errno : netlink_open();

		if (code >= 0)
			code = sync_send(theirs, SYNC_FILES, NULL, 0, code);
		_exit(code < 0 ? -code : 0);
	}
	fd_close(&theirs);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return error_set(err, errno, "fork");
	if (status != 0 || sync_receive(ours, &message) < 0 || message.kind != SYNC_FILES)
		return error_at(err, WIFEXITED(status) && status != 0 ? WEXITSTATUS(status) : EPROTO, "linux: netDevices",
				"enter the container's network namespace");
	set->inside_sock = message.fd;
	return 0;
}

/* Ask for the same index in the other namespace, and when that is taken there for one further up. */
static int change_namespace(int sock, int index, struct netlink_request *request, int *ret_index)
{
	int ret = -EBUSY;

	request->link.ifi_index = index;
	netlink_add_uint32(request, IFLA_NEW_IFINDEX, 0);
	char *last = (char *)request + request->header.nlmsg_len - sizeof(uint32_t);
	for (int i = 0; i < INDEX_TRIES && ret == -EBUSY; i++) {
		*ret_index += i;
		memcpy(last, ret_index, sizeof(uint32_t));
		ret = netlink_ask(sock, request);
	}
	return ret;
}

static int add_address(int sock, int index, const struct address *address)
{
	struct netlink_request request = netlink_address(RTM_NEWADDR, &address->message);

	request.address.ifa_index = (uint32_t)index;
	request.address.ifa_flags = (unsigned char)(address->flags & ADDRESS_WISHES);
	if (address->local_size > 0)
		netlink_add(&request, IFA_LOCAL, address->local, address->local_size);
	if (address->peer_size > 0)
		netlink_add(&request, IFA_ADDRESS, address->peer, address->peer_size);
	if (address->broadcast_size > 0)
		netlink_add(&request, IFA_BROADCAST, address->broadcast, address->broadcast_size);
	netlink_add_uint32(&request, IFA_FLAGS, address->flags & ADDRESS_WISHES);
	return netlink_ask(sock, &request);
}

static int set_up(int sock, int index)
{
	struct netlink_request request = netlink_link(RTM_SETLINK, index);

	request.link.ifi_flags = request.link.ifi_change = IFF_UP;
	return netlink_ask(sock, &request);
}

static int explain_move(int code, const struct netdev *device, struct error *err)
{
	fail(code, device, "move it into the container's network namespace", err);
	if (code == EEXIST)
		return error_hint(err, "there is a device %s already: give it another \"name\"", device->spec->new_name);
	return code == EINVAL || code == EOPNOTSUPP ? error_hint(err, "a device of this kind can't leave its namespace") : -code;
}

static int move_one(struct netdev_set *set, struct netdev *device, pid_t pid, struct error *err)
{
	struct netlink_request request = netlink_link(RTM_SETLINK, 0);
	const char *name = device->spec->new_name;
	int ret, index = device->index;

	netlink_add_uint32(&request, IFLA_NET_NS_PID, (uint32_t)pid);
	netlink_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	ret = change_namespace(set->sock, device->index, &request, &index);
	/* The new name is given after the move: it can be in there all the same. */
	struct ifreq moved = { .ifr_ifindex = device->index };
	fd_owned any = ret < 0 ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (ret == 0 || (any >= 0 && ioctl(any, SIOCGIFNAME, &moved) < 0))
		device->inside_index = index;
	if (ret < 0)
		return explain_move(-ret, device, err);
	for (size_t i = 0; i < device->addresses_count; i++) {
		ret = add_address(set->inside_sock, index, &device->addresses[i]);
		if (ret < 0)
			return fail(-ret, device, "give it its addresses in the container", err);
	}
	ret = set_up(set->inside_sock, index);
	return ret < 0 ? fail(-ret, device, "set it up in the container", err) : 0;
}

int netdev_move(struct netdev_set *set, pid_t pid, int pidfd, struct error *err)
{
	if (set->count > 0 && open_inside(set, pidfd, err) < 0)
		return -err->code;
	for (size_t i = 0; i < set->count; i++)
		if (move_one(set, &set->devices[i], pid, err) < 0)
			return -err->code;
	return 0;
}

void netdev_return(struct netdev_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct netdev *device = &set->devices[i];
		struct netlink_request request = netlink_link(RTM_SETLINK, 0);
		int index = device->index;

		if (device->inside_index == 0)
			continue;
		fd_owned own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		netlink_add_uint32(&request, IFLA_NET_NS_FD, (uint32_t)own);
		netlink_add(&request, IFLA_IFNAME, device->spec->name, strlen(device->spec->name) + 1);
		if (own < 0 || change_namespace(set->inside_sock, device->inside_index, &request, &index) < 0)
			continue; /* what the kernel does with it at the namespace's end is all that is left */
		for (size_t j = 0; j < device->addresses_count; j++)
			(void)!add_address(set->sock, index, &device->addresses[j]);
		if (device->up)
			(void)!set_up(set->sock, index);
		device->inside_index = 0;
	}
}
