/* sync.c - see sync.h. Side: any. */
#define _GNU_SOURCE
#include "base/sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"

union control { /* room for one fd, aligned for the header */
	struct cmsghdr header;
	char           bytes[CMSG_SPACE(sizeof(int))];
};

int sync_pair(int ret_socks[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_socks) < 0 ? -errno : 0;
}

int sync_send(int sock, enum sync_kind kind, const void *bytes, size_t size, int fd)
{
	uint32_t      number = kind;
	struct iovec  parts[] = { { &number, sizeof(number) }, { (void *)bytes, size } };
	union control control;
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = bytes ? 2 : 1 };

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		struct cmsghdr *part = CMSG_FIRSTHDR(&header);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(part), &fd, sizeof(int));
	}
	ssize_t ret;
	do
		ret = sendmsg(sock, &header, MSG_NOSIGNAL);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

int sync_receive(int sock, struct sync_message *ret_message)
{
	uint32_t      number = SYNC_END;
	struct iovec  parts[] = { { &number, sizeof(number) },
				  { ret_message->text, sizeof(ret_message->text) } };
	union control control;
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2,
				 .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t size;

	ret_message->fd = -1;
	ret_message->size = 0;
	do
		size = recvmsg(sock, &header, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	/* The other side died with a message of ours unread: that is an end, too. */
	if (size < 0 && errno == ECONNRESET)
		size = 0;
	if (size < 0)
		return -errno;
	struct cmsghdr *part = CMSG_FIRSTHDR(&header);
	if (part != NULL && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
	    part->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&ret_message->fd, CMSG_DATA(part), sizeof(int));
	ret_message->kind = SYNC_END;
	if (size == 0)
		return 0;
	if ((size_t)size < sizeof(number) || number <= SYNC_END || number > SYNC_ERROR) {
		fd_close(&ret_message->fd);
		return -EBADMSG;
	}
	ret_message->kind = (enum sync_kind)number;
	ret_message->size = (size_t)size - sizeof(number);
	ret_message->text[sizeof(ret_message->text) - 1] = '\0';
	if (ret_message->kind == SYNC_NOTE && ret_message->size < sizeof(ret_message->text))
		ret_message->text[ret_message->size] = '\0';
	if (ret_message->kind == SYNC_ERROR &&
	    (ret_message->size != sizeof(struct error) || ret_message->error.code <= 0))
		return -EBADMSG;
	return 0;
}
