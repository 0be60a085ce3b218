/* sync.h - the launch socket: numbered messages between the host side and the container's first
 * process while it is being made. Side: any.
 *
 * A SOCK_SEQPACKET pair. Each message is one packet: its kind, up to sizeof(struct error) bytes,
 * one fd or none. End of file means that the other side is gone: the container's process
 * then ends itself, so that a killed moss leaves no half-made container running.
 */
#ifndef MOSS_SYNC_H
#define MOSS_SYNC_H
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum sync_kind {
	SYNC_END,     /* what sync_receive() says at end of file; never sent */
	SYNC_MAPPED,  /* host → stage: uid_map and gid_map are written, network devices are there */
	SYNC_FILES,   /* host → stage: [exec.fifo], or none; the stage is no longer dumpable */
	SYNC_SEALED,  /* stage → host: not dumpable any more, send the files */
	SYNC_HOOKS,   /* stage → host: everything is made but for the pivot, run the hooks of the runtime's namespaces */
	SYNC_HOOKED,  /* host → stage: they have run; [file for stdout], or none, then once more: [file for stderr] */
	SYNC_NOTE,    /* stage, init → host: text; something was adapted */
	SYNC_CONSOLE, /* init → host: [pty master] */
	SYNC_READY,   /* init → host: all steps are done, args[0] is there */
	SYNC_GO,      /* host → init: state.json is written: wait on exec.fifo, or execute */
	SYNC_LISTENER, /* init → host: [the seccomp filter's listener]; the filter is loaded */
	SYNC_ERROR,   /* stage, init → host: struct error; the sender ends */
};

struct sync_message {
	enum sync_kind kind;
	size_t         size; /* bytes in the union */
	union {
		struct error error;
		char         text[sizeof(struct error)]; /* ended by NUL */
	};
	int fd; /* owned by the receiver; -1 when there is none */
};

/* Make the pair, both ends O_CLOEXEC. Returns 0 or -errno. */
int sync_pair(int ret_socks[2]) __attribute__((nonnull, warn_unused_result));

/* Send one message. The fd, when not -1, is lent. Returns 0 or -errno (-EPIPE: nobody there). */
int sync_send(int sock, enum sync_kind kind, const void *bytes, size_t size, int fd)
	__attribute__((warn_unused_result));

/* Receive one message; waits for it. An error that is received has a code, an exit status within
 * 0..255 and texts that end. Returns 0 (SYNC_END at end of file) or -errno, -EBADMSG for a packet
 * that sync_send() does not send; then no fd is left open. */
int sync_receive(int sock, struct sync_message *ret_message)
	__attribute__((nonnull, warn_unused_result));

#endif
