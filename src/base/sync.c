/* sync.c - see sync.h. Side: any. */
#define _GNU_SOURCE
#include "base/sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"

union control { /* room for one fd, and for one too many to be seen; aligned for the header */
	struct cmsghdr header;
	char           bytes[CMSG_SPACE(2 * sizeof(int))];
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
		header.msg_controllen = CMSG_SPACE(sizeof(int));
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

/* The fd that came with the packet, or -1; -EBADMSG for more than one, which are closed. */
static int fd_of(struct msghdr *header)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(header);
	int fd = -1;

	if (part == NULL || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
		return -1;
	size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < count; i++) {
		fd_close(&fd);
		memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
	}
	if (count <= 1 && !(header->msg_flags & MSG_CTRUNC)) /* there were more than fit */
		return fd;
	fd_close(&fd);
	return -EBADMSG;
}

/* @size: bytes of the packet behind its kind, which are in the message. */
static int message_fill(uint32_t kind, size_t size, struct sync_message *message)
{
	if (kind <= SYNC_END || kind > SYNC_ERROR)
		return -EBADMSG;
	if (kind == SYNC_ERROR && (size != sizeof(struct error) || !error_is_sound(&message->error)))
		return -EBADMSG;
	message->kind = (enum sync_kind)kind;
	message->size = size;
	message->text[size < sizeof(message->text) ? size : sizeof(message->text) - 1] = '\0';
	return 0;
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

	ret_message->kind = SYNC_END;
	ret_message->fd = -1;
	ret_message->size = 0;
	/* ECONNRESET: the other side died with a message of ours unread. What it said before is still to
	 * be had, and then the end. */
	do
		size = recvmsg(sock, &header, MSG_CMSG_CLOEXEC);
	while (size < 0 && (errno == EINTR || errno == ECONNRESET));
	if (size < 0)
		return -errno;
	fd_owned fd = fd_of(&header);
	if (size == 0)
		return 0;
	int ret = fd == -EBADMSG || (size_t)size < sizeof(number)
		? -EBADMSG : message_fill(number, (size_t)size - sizeof(number), ret_message);
	if (ret == 0)
		ret_message->fd = fd_take(&fd);
	return ret;
}
