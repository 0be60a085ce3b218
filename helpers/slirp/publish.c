/* publish.c - see publish.h. Side: helper. */
#define _GNU_SOURCE
#include "publish.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "frame.h"

#define BACKLOG 1024 /* libslirp's is 1: the second of two connections at once would wait for a second */
#define PORT_START "/proc/sys/net/ipv4/ip_unprivileged_port_start"

union address {
	struct sockaddr     any;
	struct sockaddr_in  v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_make(union address *address, const struct spec_address *host, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = (sa_family_t)host->family;
	if (host->family == AF_INET6) {
		address->v6.sin6_addr = host->v6;
		address->v6.sin6_port = htons(port);
		return sizeof(address->v6);
	}
	address->v4.sin_addr = host->v4;
	address->v4.sin_port = htons(port);
	return sizeof(address->v4);
}

/* The inode of the socket that holds @port, in one of the tables of /proc/net; 0: not found. */
static unsigned long long inode_of(const char *table, uint16_t port)
{
	char     line[512], path[64];
	unsigned held;
	unsigned state;
	unsigned long long inode, found = 0;

	snprintf(path, sizeof(path), "/proc/net/%s", table);
	FILE *file = fopen(path, "re");
	while (file != NULL && found == 0 && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %llu", &held, &state, &inode) == 3 &&
		    held == port && (state == 10 || table[0] == 'u')) /* TCP_LISTEN */
			found = inode;
	if (file != NULL)
		fclose(file);
	return found;
}

static bool holds(const char *pid, const char *wanted)
{
	char   path[PATH_MAX], target[64];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	DIR *dir = opendir(path);
	bool found = false;
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[length > 0 ? length : 0] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* Who has the port, as far as we may look into processes: ", which process 4711 (nginx) has". */
static void find_owner(const struct spec_publish *publish, uint16_t port, char *text, size_t size)
{
	const char *tables[] = { publish->udp ? "udp" : "tcp", publish->udp ? "udp6" : "tcp6" };
	char   wanted[48], path[64], name[64] = "";
	struct dirent *entry;
	unsigned long long inode = 0;

	text[0] = '\0';
	for (size_t i = 0; i < array_size(tables) && inode == 0; i++)
		inode = inode_of(tables[i], port);
	snprintf(wanted, sizeof(wanted), "socket:[%llu]", inode);
	DIR *proc = inode != 0 ? opendir("/proc") : NULL;
	while (proc != NULL && text[0] == '\0' && (entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !holds(entry->d_name, wanted))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/comm", entry->d_name);
		if (io_read_small(AT_FDCWD, path, name, sizeof(name)) > 0)
			name[strcspn(name, "\n")] = '\0';
		snprintf(text, size, ", which process %.20s (%s) has", entry->d_name, name);
	}
	if (proc != NULL)
		closedir(proc);
}

static int explain(int code, const struct spec_publish *publish, uint16_t port, struct error *err)
{
	char address[INET6_ADDRSTRLEN], object[96], owner[128] = "", start[16] = "1024";
	bool v6 = publish->host.family == AF_INET6;

	spec_network_address_text(&publish->host, address);
	snprintf(object, sizeof(object), "%s%s%s:%u/%s", v6 ? "[" : "", address, v6 ? "]" : "", port, publish->udp ? "udp" : "tcp");
	if (code == EADDRINUSE)
		find_owner(publish, port, owner, sizeof(owner));
	error_at(err, code, object, "publish the host's port%s", owner);
	if (code == EADDRINUSE)
		return error_hint(err, "choose another port, or end what listens there");
	if (code == EADDRNOTAVAIL)
		return error_hint(err, "the host has no such address: see ip address");
	if (code == EMFILE)
		return error_hint(err, "more ports than files may be open: ulimit -n");
	if (code != EACCES)
		return -code;
	if (io_read_small(AT_FDCWD, PORT_START, start, sizeof(start)) > 0)
		start[strcspn(start, "\n")] = '\0';
	return error_hint(err, "a user may have ports from %s on; as root: sysctl -w net.ipv4.ip_unprivileged_port_start=%u", start, port);
}

/* The fd that the next socket(2) gets. */
static int next_fd(void)
{
	fd_owned fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	return fd;
}

static int publish_one(Slirp *slirp, const struct spec_network *network, const struct spec_publish *publish, uint16_t i)
{
	union address host, guest;
	struct spec_address inside = { .family = publish->host.family };
	int flags = publish->udp ? SLIRP_HOSTFWD_UDP : 0;

	if (inside.family == AF_INET6)
		inet_pton(AF_INET6, FRAME_GUEST6, &inside.v6);
	else
		inside.v4.s_addr = htonl(network->guest);
	if (inside.family == AF_INET6)
		flags |= SLIRP_HOSTFWD_V6ONLY; /* so that the same port of IPv4 can be published, too */
	socklen_t host_size = address_make(&host, &publish->host, (uint16_t)(publish->host_port + i));
	socklen_t guest_size = address_make(&guest, &inside, (uint16_t)(publish->port + i));
	int fd = next_fd();
	if (slirp_add_hostxfwd(slirp, &host.any, host_size, &guest.any, guest_size, flags) < 0)
		return errno != 0 ? -errno : -EIO;
	int listens = 0;
	if (!publish->udp && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &(socklen_t){ sizeof(listens) }) == 0 && listens)
		listen(fd, BACKLOG);
	return 0;
}

int publish_ports(Slirp *slirp, const struct settings *settings, struct error *err)
{
	for (size_t i = 0; i < settings->publish_count; i++) {
		const struct spec_publish *publish = &settings->publish[i];

		for (uint16_t j = 0; j < publish->count; j++) {
			int ret = publish_one(slirp, &settings->network, publish, j);

			if (ret < 0)
				return explain(-ret, publish, (uint16_t)(publish->host_port + j), err);
		}
	}
	return 0;
}
