"""notify.py: both ends of the protocol of sd_notify(3), for the tests.

receive SOCKET OUT   the service manager: bind SOCKET ("@name": abstract), print "ready"; then each datagram is a
                     line of JSON in OUT: the sender's pid, the text, how many fds came along
hold SOCKET OUT      a manager that never reads
send STEP...         the service, in the container, which SIGTERM ends with status 0: a STEP is a message for $NOTIFY_SOCKET, or one of
    wait:FILE        until FILE is there
    tell:FILE        make FILE
    big:BYTES        a message of so many bytes that begins with READY=1
    fds:COUNT:TEXT   a message with COUNT fds
    barrier          wait until the other side has closed the fd that BARRIER=1 brings
    flood:SECONDS    as many STATUS= as go in that time
    fails:TEXT       sending TEXT must fail
    sleep:SECONDS
"""
import array
import json
import os
import signal
import socket
import sys
import time


def address(text):
    return "\0" + text[1:] if text.startswith("@") else text


def bind(text):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    if text.startswith("/"):  # of any length
        os.chdir(os.path.dirname(text))
        text = os.path.basename(text)
    sock.bind(address(text))
    print("ready", flush=True)
    return sock


def receive(where, out):
    sock = bind(where)
    with open(out, "w") as lines:
        while True:
            text, control, _, _ = sock.recvmsg(1 << 20, 4096)
            pid, fds = 0, array.array("i")
            for _, kind, content in control:
                if kind == socket.SCM_CREDENTIALS:
                    pid = int.from_bytes(content[:4], sys.byteorder)
                elif kind == socket.SCM_RIGHTS:
                    fds.frombytes(content)
            print(json.dumps({"pid": pid, "text": text.decode("latin-1"), "fds": len(fds)}), file=lines, flush=True)
            for fd in fds:
                os.close(fd)


def step(sock, text):
    kind, _, rest = text.partition(":")
    if kind == "wait":
        while not os.path.exists(rest):
            time.sleep(0.02)
    elif kind == "tell":
        open(rest, "w").close()
    elif kind == "sleep":
        time.sleep(float(rest))
    elif kind == "big":
        sock.send(b"READY=1\n" + b"x" * (int(rest) - 8))
    elif kind == "fds":
        count, _, message = rest.partition(":")
        socket.send_fds(sock, [message.encode()], [0] * int(count))
    elif kind == "barrier":
        ours, theirs = os.pipe()
        socket.send_fds(sock, [b"BARRIER=1"], [theirs])
        os.close(theirs)
        os.read(ours, 1)
        os.close(ours)
    elif kind == "flood":
        end = time.monotonic() + float(rest)
        count = 0
        while time.monotonic() < end:
            sock.send(b"STATUS=flood %d" % count)
            count += 1
    elif kind == "fails":
        try:
            sock.send(rest.encode())
        except OSError:
            return
        sys.exit("sent: " + rest)
    else:
        sock.send(os.fsencode(text))


def main(what, *words):
    if what == "receive":
        receive(*words)
    elif what == "hold":
        sock = bind(words[0])
        time.sleep(3600)
        sock.close()
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.connect(address(os.environ["NOTIFY_SOCKET"]))
        for word in words:
            step(sock, word)


main(*sys.argv[1:])
