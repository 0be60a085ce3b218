/* netlink.c - see netlink.h. Side: host. */
#define _GNU_SOURCE
#include "host/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 32768 /* as large as the kernel makes a part of a dump */

int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

struct netlink_request netlink_link(int type, int index)
{
	return (struct netlink_request){
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = (uint16_t)type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = index },
	};
}

struct netlink_request netlink_address(int type, const struct ifaddrmsg *address)
{
	return (struct netlink_request){
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(*address)), .nlmsg_type = (uint16_t)type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.address = *address,
	};
}

struct netlink_request netlink_route(int type, int family)
{
	return (struct netlink_request){
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)), .nlmsg_type = (uint16_t)type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.route = { .rtm_family = (unsigned char)family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
			   .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST },
	};
}

void netlink_add(struct netlink_request *request, unsigned short type, const void *bytes, size_t size)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)((char *)request + at);

	if (at + RTA_SPACE(size) > sizeof(*request))
		return;
	*attribute = (struct rtattr){ .rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = type };
	memcpy(RTA_DATA(attribute), bytes, size);
	request->header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(size));
}

void netlink_add_uint32(struct netlink_request *request, unsigned short type, uint32_t value)
{
	netlink_add(request, type, &value, sizeof(value));
}

static ssize_t receive(int sock, char *answer, size_t size)
{
	struct sockaddr_nl from;
	socklen_t from_size;
	ssize_t   count;

	do { /* anybody may send to a netlink socket; the kernel's port is 0 */
		from_size = sizeof(from);
		count = recvfrom(sock, answer, size, 0, (struct sockaddr *)&from, &from_size);
	} while ((count < 0 && errno == EINTR) || (count >= 0 && from.nl_pid != 0));
	return count < 0 ? -errno : count;
}

/* Returns 1 at the end. */
static int handle(const struct nlmsghdr *message, int (*see)(const struct nlmsghdr *, void *), void *context)
{
	if (message->nlmsg_type == NLMSG_DONE)
		return 1;
	if (message->nlmsg_type != NLMSG_ERROR)
		return see ? see(message, context) : 0;
	int code = ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
	return code < 0 ? code : 1;
}

static int talk(int sock, struct netlink_request *request, int (*see)(const struct nlmsghdr *, void *), void *context)
{
	char answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	int  ret = 0;

	if (send(sock, request, request->header.nlmsg_len, 0) < 0)
		return -errno;
	while (ret == 0) {
		ssize_t count = receive(sock, answer, sizeof(answer));

		if (count <= 0)
			return count < 0 ? (int)count : -EPROTO;
		unsigned left = (unsigned)count;
		for (struct nlmsghdr *message = (struct nlmsghdr *)answer; ret == 0 && NLMSG_OK(message, left);
		     message = NLMSG_NEXT(message, left))
			ret = handle(message, see, context);
	}
	return ret < 0 ? ret : 0;
}

int netlink_ask(int sock, struct netlink_request *request)
{
	return talk(sock, request, NULL, NULL);
}

int netlink_dump(int sock, struct netlink_request *request, int (*see)(const struct nlmsghdr *, void *), void *context)
{
	request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return talk(sock, request, see, context);
}
