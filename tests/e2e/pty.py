#!/usr/bin/env python3
"""pty.py - a terminal for tests.

  pty.py drive STEP... -- COMMAND...    run COMMAND with a new pty as its controlling terminal
  pty.py receive SOCKET STEP...         wait at SOCKET for a pty (SCM_RIGHTS), then drive it

Steps, in order: "expect:TEXT" waits for it in the output that no earlier step has taken;
"send:TEXT" types TEXT and Return; "key:C" presses Ctrl-C (any letter); "resize:ROWSxCOLUMNS";
"size:ROWSxCOLUMNS" is what the terminal must have; "sleep:SECONDS"; "shell:COMMAND" runs it on the host. All output is copied to stdout. The exit
status is COMMAND's (128 + signal), 97 when a text did not come within 15 s or a size is another, 96
without a pty.
"""
import array
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 15


def read_some(master, timeout):
    """Bytes, b"" at the end, None when nothing came in time."""
    if not select.select([master], [], [], timeout)[0]:
        return None
    try:
        data = os.read(master, 65536)
    except OSError:  # EIO: the last user of the other end has gone
        return b""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return data


def resize(master, rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def drive(master, steps):
    seen = b""
    for step in steps:
        verb, _, text = step.partition(":")
        if verb == "expect":
            end = time.monotonic() + PATIENCE
            while text.encode() not in seen:
                data = read_some(master, max(0, end - time.monotonic()))
                if not data:
                    print(f"\npty.py: expected {text!r}, " + ("end" if data == b"" else "time out"))
                    return False
                seen += data
            seen = seen[seen.index(text.encode()) + len(text):]
        elif verb == "send":
            os.write(master, text.encode() + b"\r")
        elif verb == "key":
            os.write(master, bytes([ord(text.upper()) - 64]))
        elif verb == "resize":
            resize(master, *map(int, text.split("x")))
        elif verb == "size":
            rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(master, termios.TIOCGWINSZ, bytes(8)))
            if text != f"{rows}x{columns}":
                print(f"\npty.py: the size is {rows}x{columns}, not {text}")
                return False
        elif verb == "sleep":
            time.sleep(float(text))
        elif verb == "shell":
            subprocess.run(["sh", "-c", text], stdin=subprocess.DEVNULL, check=False)
        else:
            sys.exit(f"pty.py: unknown step {step}")
    return True


def main():
    if sys.argv[1] == "drive":
        cut = sys.argv.index("--")
        steps, command = sys.argv[2:cut], sys.argv[cut + 1:]
        pid, master = os.forkpty()
        if pid == 0:
            os.execvp(command[0], command)
        resize(master, 24, 80)
        good = drive(master, steps)
        end = time.monotonic() + PATIENCE
        while good and read_some(master, max(0, end - time.monotonic())):
            pass
        if not good or time.monotonic() >= end:
            os.close(master)  # the program gets SIGHUP
            good = False
        for _ in range(100):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.05)
        else:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            print("\npty.py: the program did not end")
            sys.exit(97)
        code = os.waitstatus_to_exitcode(status)
        sys.exit(97 if not good else code if code >= 0 else 128 - code)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.settimeout(PATIENCE)
    server.bind(sys.argv[2] + ".new")
    server.listen(1)
    os.rename(sys.argv[2] + ".new", sys.argv[2])  # who sees it can connect
    peer, _ = server.accept()
    peer.settimeout(PATIENCE)
    data, ancillary, _, _ = peer.recvmsg(4096, socket.CMSG_SPACE(4))
    fds = array.array("i")
    for level, kind, body in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(body[:4])
    if len(fds) != 1 or not os.isatty(fds[0]):
        print(f"pty.py: no pty arrived: {data!r} {list(fds)}")
        sys.exit(96)
    good = drive(fds[0], sys.argv[3:])
    sys.exit(0 if good else 97)


main()
