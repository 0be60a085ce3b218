/* watch.c - see watch.h. Side: helper. */
#define _GNU_SOURCE
#include "watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine.h"
#include "resolv.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536
/* The file may be a link, of which any part is replaced: it is looked at. */
#define LOOK_MS 2000

static void read_resolvers(const struct spec_network *network, struct engine_update *update)
{
	mem_owned char *text = NULL;
	struct error ignored;

	update->resolvers_count = 0;
	if (network->resolver.family != 0) {
		update->resolvers[update->resolvers_count++] = network->resolver;
		return;
	}
	if (io_read_file(AT_FDCWD, RESOLV_CONF, RESOLV_CONF_MAX, &text, &ignored) >= 0)
		update->resolvers_count = (uint32_t)resolv_read(text, update->resolvers, ENGINE_RESOLVERS_MAX);
	if (update->resolvers_count == 0) /* resolv.conf(5): then it is the one on this host */
		update->resolvers[update->resolvers_count++] = (struct spec_address){ .family = AF_INET, .v4.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Returns 0 or -errno: one that is not known would be open. */
static int read_addresses(struct engine_update *update)
{
	struct ifaddrs *all = NULL;
	int ret = 0;

	update->host_count = 0;
	if (getifaddrs(&all) < 0)
		return -errno;
	for (struct ifaddrs *one = all; one != NULL && ret == 0; one = one->ifa_next) {
		struct spec_address *address = &update->host[update->host_count];

		if (one->ifa_addr == NULL)
			continue;
		if (update->host_count == FRAME_HOST_MAX) {
			ret = -E2BIG;
			continue;
		}
		if (one->ifa_addr->sa_family == AF_INET)
			*address = (struct spec_address){ .family = AF_INET, .v4 = ((struct sockaddr_in *)one->ifa_addr)->sin_addr };
		else if (one->ifa_addr->sa_family == AF_INET6)
			*address = (struct spec_address){ .family = AF_INET6, .v6 = ((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr };
		else
			continue;
		update->host_count++;
	}
	freeifaddrs(all);
	return ret;
}

/* A socket that is told when the host gets or loses an address; -1: then it is looked at with the file. */
static int open_address_news(void)
{
	struct sockaddr_nl groups = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	fd_owned sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	return sock >= 0 && bind(sock, (struct sockaddr *)&groups, sizeof(groups)) == 0 ? fd_take(&sock) : -1;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void drain(int sock)
{
	char bytes[8192];

	while (recv(sock, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 || errno == ENOBUFS || errno == EINTR)
		;
}

static struct engine_update told; /* what was told last; zeroed */

/* Send what has changed. Returns 0 or -errno. */
static int tell(const struct watch *watch, bool addresses)
{
	static struct engine_update now;

	now = told;
	read_resolvers(watch->network, &now);
	int ret = addresses ? read_addresses(&now) : 0;
	if (ret < 0)
		return ret;
	if (memcmp(&now, &told, sizeof(now)) == 0)
		return 0;
	if (send(watch->updates, &now, sizeof(now), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(now))
		return -errno;
	told = now;
	return 0;
}

int watch_begin(const struct watch *watch)
{
	return tell(watch, true);
}

static bool is_same_file(struct stat *known)
{
	struct stat st = { 0 };

	if (stat(RESOLV_CONF, &st) < 0)
		st = (struct stat){ 0 };
	bool same = st.st_dev == known->st_dev && st.st_ino == known->st_ino && st.st_size == known->st_size &&
		    st.st_mtim.tv_sec == known->st_mtim.tv_sec && st.st_mtim.tv_nsec == known->st_mtim.tv_nsec;
	*known = st;
	return same;
}

void watch_run(const struct watch *watch)
{
	fd_owned news = open_address_news(), signals = open_signals();
	struct stat file = { 0 };

	(void)is_same_file(&file);
	/* What has changed since the beginning. Whoever inside does not take it now (-EAGAIN) is told again. */
	int ret = tell(watch, true);
	while (ret != -E2BIG) { /* after any other failure what was told holds, and is told again */
		struct pollfd fds[] = { { .fd = watch->container, .events = POLLIN }, { .fd = watch->inside, .events = POLLIN },
					{ .fd = signals, .events = POLLIN }, { .fd = news, .events = POLLIN } };
		int count = poll(fds, array_size(fds), LOOK_MS);

		if (count < 0 && errno != EINTR)
			break;
		if (count > 0 && (fds[0].revents != 0 || fds[1].revents != 0 || fds[2].revents != 0))
			break;
		bool moved = count > 0 && fds[3].revents != 0;
		if (moved)
			drain(news);
		if (!is_same_file(&file) || moved || ret < 0)
			ret = tell(watch, moved || news < 0 || ret < 0);
	}
	pidfd_send_signal(watch->inside, SIGKILL, NULL, 0);
	waitid(P_PIDFD, (id_t)watch->inside, NULL, WEXITED);
}
