/* fuzz_sync.c - any packet of the launch socket is taken or refused: the other side is in the
 * container. Side: any.
 *
 * The first byte says how many fds come with the packet (0 to 2), the others are the packet.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/sync.h"

#define FDS_MAX 2

static int open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 32; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Returns whether the kernel took it. */
static bool packet_send(int sock, const uint8_t *bytes, size_t size, int fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = { 0 };
	const int sent[FDS_MAX] = { sock, sock };
	struct iovec part = { (void *)bytes, size };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fds > 0) {
		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE((size_t)fds * sizeof(int));
		struct cmsghdr *first = CMSG_FIRSTHDR(&header);
		first->cmsg_level = SOL_SOCKET;
		first->cmsg_type = SCM_RIGHTS;
		first->cmsg_len = CMSG_LEN((size_t)fds * sizeof(int));
		memcpy(CMSG_DATA(first), sent, (size_t)fds * sizeof(int));
	}
	return sendmsg(sock, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* Every user of a struct error takes its texts for ended ones. */
static void promises_of_error(const struct error *err)
{
	struct error copy = *err;
	char text[ERROR_TEXT_MAX];

	promise(err->code > 0 && err->exit_status >= 0 && err->exit_status <= 255);
	promise(ends(err->step, sizeof(err->step)) && ends(err->object, sizeof(err->object)));
	promise(ends(err->cause, sizeof(err->cause)) && ends(err->hint, sizeof(err->hint)));
	error_object(&copy, "more");
	error_text(&copy, text, sizeof(text));
	promise(strlen(text) < sizeof(text));
}

static void promises(const struct sync_message *message, size_t size, int fds)
{
	promise(message->kind <= SYNC_ERROR);
	promise((message->kind == SYNC_END) == (size == 0));
	promise((message->fd >= 0) == (fds == 1 && message->kind != SYNC_END));
	if (message->kind == SYNC_END)
		return;
	promise(message->size <= sizeof(message->text) && message->size <= size - sizeof(uint32_t));
	promise(ends(message->text, sizeof(message->text)));
	if (message->kind == SYNC_NOTE)
		promise(strlen(message->text) <= message->size);
	if (message->kind == SYNC_ERROR)
		promises_of_error(&message->error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int socks[2] = { -1, -1 };
	struct sync_message message;

	if (size == 0)
		return 0;
	if (socks[0] < 0)
		promise(sync_pair(socks) == 0);
	memset(&message, 0x55, sizeof(message));
	int fds = bytes[0] % (FDS_MAX + 1), before = open_fds();
	if (!packet_send(socks[0], bytes + 1, size - 1, fds))
		return 0;
	int ret = sync_receive(socks[1], &message);
	promise(ret <= 0);
	if (ret == 0)
		promises(&message, size - 1, fds);
	else
		promise(message.fd == -1);
	fd_close(&message.fd);
	promise(open_fds() == before);
	return 0;
}
