"""seccomp_agent.py SOCKET OUT ANSWER: who listens to seccomp filters with SCMP_ACT_NOTIFY, for the tests.

Binds SOCKET and prints "ready". Each connection brings one state: a line of JSON in OUT with "message" (the text), "fds" (how
many came), "calls" (how many sendmsg(2) brought the text) and "end" (the connection was closed behind it). Then the
listener's notifications are answered, each a line with "syscall" and "pid":
    errno:N   the call fails with N
    ok:N      the call returns N
    continue  the kernel goes on with it
    never     not at all
    deaf      the connection is accepted and not read
    full      no connection is accepted
"""
import array
import errno
import fcntl
import json
import os
import socket
import struct
import sys
import threading

RECEIVE, SEND = 0xC0502100, 0xC0182101
where, out, answer = sys.argv[1:4]
lines = open(out, "a", buffering=1)


def respond(listener, text):
    kind, _, value = text.partition(":")
    while kind != "never":
        request = bytearray(80)
        try:
            fcntl.ioctl(listener, RECEIVE, request)
        except OSError as problem:
            if problem.errno in (errno.EINTR, errno.ENOENT):
                continue
            return  # nobody has the filter any more
        ident, pid, _flags, number = struct.unpack_from("=QIIi", request)
        print(json.dumps({"syscall": number, "pid": pid}), file=lines)
        error = -int(value) if kind == "errno" else 0
        reply = struct.pack("=QqiI", ident, int(value) if kind == "ok" else 0, error, 1 if kind == "continue" else 0)
        try:
            fcntl.ioctl(listener, SEND, reply)
        except OSError as problem:
            if problem.errno != errno.ENOENT:
                raise


def serve(sock):
    text, fds, calls, end = b"", array.array("i"), 0, False
    sock.settimeout(10)
    while not end:
        part, control, _, _ = sock.recvmsg(1 << 20, 4096)
        calls += 1 if part else 0
        end = not part
        text += part
        for _, kind, content in control:
            if kind == socket.SCM_RIGHTS:
                fds.frombytes(content)
    print(json.dumps({"message": json.loads(text), "fds": len(fds), "calls": calls, "end": end}), file=lines)
    respond(fds[0], answer)


os.chdir(os.path.dirname(where))
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(os.path.basename(where))
server.listen(0 if answer == "full" else 8)
waiting = []
if answer == "full":  # its queue holds one
    waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    waiting[0].connect(os.path.basename(where))
print("ready", flush=True)
while answer == "full":
    threading.Event().wait(1000)
while True:
    connection, _ = server.accept()
    if answer == "deaf":
        waiting.append(connection)
        continue
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
