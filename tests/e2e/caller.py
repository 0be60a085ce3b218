#!/usr/bin/env python3
"""caller.py - a caller that has a terminal, for tests that need more of it than a shell can tell.

  caller.py CODE COMMAND...    execute the Python CODE, which starts COMMAND by start()

CODE has the names of this module. The exit status is 0, or 1 when an assert failed or COMMAND
had to be killed at the end.
"""
import atexit
import fcntl
import hashlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

PATIENCE = 15
COMMAND = sys.argv[2:]
master, slave = os.openpty()
moss = None
seen = b""


def resize(rows, columns):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def lead():
    """This process: a session of its own, with the terminal as its controlling terminal."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def start(stdin=None, stdout=None, stderr=None, ctty=True, job=None, under=()):
    """Start COMMAND on the terminal, but for the files that are given. It leads a session whose controlling
    terminal that is; with ctty=False it has none; with job="fg" or "bg" it is a job of this process.
    under: words before COMMAND."""
    global moss

    def child():
        if job:
            os.setpgid(0, 0)
            if job == "fg":
                foreground(os.getpid())
        elif ctty:
            lead()
        else:
            os.setsid()

    if job:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        lead()
    files = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    moss = subprocess.Popen([*under, *COMMAND], preexec_fn=child, pass_fds=[slave] if ctty else [],
                            **{name: slave if file is None else file for name, file in files.items()})


def foreground(group):
    """What a shell does for a job; its own SIGTTOU must not stop it."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    os.tcsetpgrp(slave, group)
    signal.pthread_sigmask(signal.SIG_SETMASK, old)


def settings():
    return termios.tcgetattr(slave)


def is_raw():
    return not settings()[3] & termios.ICANON


def read(fd=None, seconds=PATIENCE):
    """Some bytes that came; none at the end; None when nothing came in time."""
    fd = master if fd is None else fd
    if not select.select([fd], [], [], seconds)[0]:
        return None
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""


def expect(text, fd=None):
    """Wait for the text in the output that no earlier expect() has taken."""
    global seen
    end = time.monotonic() + PATIENCE
    while text.encode() not in seen:
        data = read(fd, max(0.0, end - time.monotonic()))
        assert data, f"expected {text!r}, got {seen!r}, then " + ("the end" if data == b"" else "nothing")
        seen += data
    seen = seen[seen.index(text.encode()) + len(text):]


def eventually(question, seconds=PATIENCE):
    """Wait until the question is answered by yes."""
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, "never became true"
        time.sleep(0.02)


def ended(seconds=PATIENCE):
    """Its exit status as a shell gives it, None when it runs on."""
    try:
        code = moss.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    return code if code >= 0 else 128 - code


def stopped():
    """Has a signal stopped it?"""
    with open(f"/proc/{moss.pid}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def vanish():
    """The terminal goes, as when its window is closed."""
    os.close(master)
    os.close(slave)


def runtime(*words):
    """Another command of the same runtime, with the same --root. Returns its status."""
    return subprocess.run([*COMMAND[:3], *words], stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode


@atexit.register
def clean():
    if moss is not None and moss.poll() is None:
        print("caller.py: it had to be killed", flush=True)
        runtime("delete", "--force", COMMAND[-1])
        moss.kill()
        moss.wait()
        os._exit(1)


if __name__ == "__main__":
    resize(24, 80)
    exec(compile(sys.argv[1], "test", "exec"))  # the test's own words
