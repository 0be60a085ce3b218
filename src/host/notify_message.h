/* notify_message.h - what a container may tell the service manager. Side: host; pure.
 *
 * The bytes are the container's: nothing is passed on but whole lines with a key and a value of
 * sd_notify(3) that are a service's own affair.
 */
#ifndef MOSS_NOTIFY_MESSAGE_H
#define MOSS_NOTIFY_MESSAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NOTIFY_BYTES_MAX 4096                     /* of one message: what systemd reads */
#define NOTIFY_TAKEN_MAX (NOTIFY_BYTES_MAX - 32) /* of a container's: room for our MAINPID */

struct notify_message {
	char   text[NOTIFY_BYTES_MAX];
	size_t size;  /* 0: there is nothing to tell */
	bool   ready; /* READY=1 is among the lines */
};

/* Take what may be passed on of @bytes (at most NOTIFY_TAKEN_MAX):
 *   READY=1, RELOADING=1, STOPPING=1, WATCHDOG=1, WATCHDOG=trigger;
 *   ERRNO, EXIT_STATUS, MONOTONIC_USEC, EXTEND_TIMEOUT_USEC with a number;
 *   STATUS, BUSERROR, VARLINKERROR with a text that has no control characters.
 * Everything else goes: MAINPID and MAINPIDFDID (a pid of the container's choice: READY=1 brings
 * MAINPID=@main_pid instead), NOTIFYACCESS and WATCHDOG_USEC (they change the unit's settings),
 * FDSTORE, FDSTOREREMOVE, FDNAME and FDPOLL, BARRIER, and what nobody knows. */
void notify_message_filter(const char *bytes, size_t size, pid_t main_pid, struct notify_message *ret_message)
	__attribute__((nonnull));

#endif
