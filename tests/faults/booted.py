"""booted.py - a machine that systemd has booted as the place of a run, and what is left on it.

Side:  host, as root, on a machine that is there for tests alone (the guest of tests/vm).
Gives: Machine: what sandbox.py's functions are for a private one. systemd is to move the processes of
       the runs, so that they are in its pid namespace and below its cgroups, and what counts as theirs is
       known by the names that they use.
"""
import os
import shutil
import signal
import subprocess
import time

from sandbox import CGROUPS, reap
from tracer import text_of

TRANSIENT = "systemd/transient"


def why_not():
    """What is missing here, or None."""
    if not os.path.isdir("/run/systemd/system"):
        return "this machine was not booted by systemd"
    if not os.path.exists(f"{CGROUPS}/cgroup.controllers"):
        return f"version 2 of the cgroups is not at {CGROUPS}"
    if os.path.exists("/etc/hostname") and text_of("/etc/hostname").strip() != text_of("/proc/sys/kernel/hostname").strip():
        return "in a container"
    return None


class Machine:
    """@top: the directory of all files of a run. @word: in the name of every container, scope and cgroup of it."""

    def __init__(self, top, word, user):
        self.top, self.word, self.user = top, word, user
        self.runtime_dirs = ["/run", f"/run/user/{user.pw_uid}"]
        self.binaries = set()

    def know(self, paths):
        """Whoever executes one of these files, or what the run's programs are linked to, belongs to the run."""
        self.binaries = {(status.st_dev, status.st_ino) for status in map(os.stat, paths)}

    def _is_ours(self, pid):
        try:
            status = os.stat(f"/proc/{pid}/exe")
        except OSError:
            return self.word in text_of(f"/proc/{pid}/cgroup")
        return (status.st_dev, status.st_ino) in self.binaries or self.word in text_of(f"/proc/{pid}/cgroup")

    def processes(self):
        reap()
        own = os.getpid()
        return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != own and self._is_ours(entry)]

    def _managers(self):
        """(words of systemctl, who is to say them)"""
        yield ["systemctl"], None
        yield ["systemctl", "--user"], self.user

    def _systemctl(self, words, user, *more):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        ids = {}
        if user is not None:
            env["XDG_RUNTIME_DIR"] = f"/run/user/{user.pw_uid}"
            ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        done = subprocess.run([*words, *more], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False, **ids)
        return done.stdout

    def units(self):
        """Whatever systemd knows of ours: loaded, failed, abandoned, or waiting for a job."""
        found = set()
        for words, user in self._managers():
            for line in self._systemctl(words, user, "list-units", "--all", "--plain", "--no-legend", f"*{self.word}*").splitlines():
                name, _, active, sub = line.split()[:4]
                found.add((" ".join(words), name, f"{active} {sub}"))
        return found

    def show(self, unit, *properties):
        """Properties of a unit of this run, in whichever manager it is."""
        for words, user in self._managers():
            if any(self.word in line for line in self._systemctl(words, user, "list-units", "--plain", "--no-legend", unit).splitlines()):
                return self._systemctl(words, user, "show", *(f"--property={name}" for name in properties), unit).split()
        return []

    def snapshot(self, by_pid=False):
        """As sandbox.snapshot()."""
        found = set()
        for pid in self.processes():
            words = text_of(f"/proc/{pid}/cmdline").replace("\0", " ").strip()[:100]
            found.add(f"process {pid}" if by_pid else f"process {words}")
        for line in text_of("/proc/self/mountinfo").splitlines():
            words = line.split()
            if self.top in line or self.word in line:
                found.add(f"mount {words[3]} on {words[4]} ({line.partition(' - ')[2]})")
        for directory, names, _ in os.walk(CGROUPS):
            found.update(f"cgroup {directory[len(CGROUPS):]}/{name}" for name in names if self.word in f"{directory}/{name}")
        for directory, names, files in os.walk(self.top):
            found.update(f"file {directory}/{name}" for name in names + files)
        for runtime in self.runtime_dirs:
            for place in (f"{runtime}/moss", f"{runtime}/{TRANSIENT}"):
                for directory, names, files in os.walk(place):
                    found.update(f"file {directory}/{name}" for name in names + files if "moss/" in f"{directory}/" or self.word in name)
        found.update(f"file /tmp/{name}" for name in os.listdir("/tmp") if not name.startswith("systemd-private-"))
        found.update(f"unit {name} of {words}, {state}" for words, name, state in self.units())
        return found

    def clean(self, baseline):
        """As sandbox.clean()."""
        for _ in range(200):
            pids = self.processes()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not pids:
                break
            time.sleep(0.05)
        for words, user in self._managers():
            for more in ("stop", "reset-failed"):
                self._systemctl(words, user, more, f"*{self.word}*")
        for item in sorted(self.snapshot() - baseline, reverse=True):
            kind, _, rest = item.partition(" ")
            try:
                if kind == "cgroup":
                    os.rmdir(CGROUPS + rest)
                elif kind == "mount":
                    subprocess.run(["umount", "-l", rest.partition(" on ")[2].rpartition(" (")[0]], check=False)
                elif kind == "file" and os.path.isdir(rest) and not os.path.islink(rest):
                    shutil.rmtree(rest, ignore_errors=True)
                elif kind == "file":
                    os.unlink(rest)
            except OSError as error:
                print(f"# clean: {item}: {error}")
