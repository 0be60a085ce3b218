"""sandbox.py - a small machine of its own for one worker, and what is left on it.

Side:  host. Needs: root.
Gives: pid, mount, ipc, network and cgroup namespaces (a pure version 2 cgroup tree), empty /tmp, /run,
       /var/tmp and /dev/shm. In there everything that a runtime leaves behind can be listed, and
       nothing of anybody else's is among it. The mount table counts as the host's: its mounts are
       shared, so that what a container does not cut off arrives there.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

from tracer import text_of

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWCGROUP, NEWIPC, NEWPID, NEWNET = 0x20000, 0x2000000, 0x8000000, 0x20000000, 0x40000000
RDONLY, REC, PRIVATE, SHARED = 1, 0x4000, 0x40000, 0x100000
PR_SET_PDEATHSIG = 1
WALL = 0x40000000
PLACES = ("/tmp", "/run", "/var/tmp", "/dev/shm")
CGROUPS = "/sys/fs/cgroup"
_inside = False
_booted = None


def _check(ret, what):
    if ret < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def unshare(flags):
    _check(libc.unshare(flags), "unshare")


def mount(source, target, kind, flags=0, options=None):
    _check(libc.mount(source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags),
                      options and options.encode()), f"mount {kind or hex(flags)} on {target}")


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def mount_cgroups():
    """A private, pure version 2 tree at its usual place, whatever the host has there."""
    subprocess.run(["umount", "-R", "-l", CGROUPS], stderr=subprocess.DEVNULL, check=False)
    mount("none", CGROUPS, "cgroup2")


class Cgroups:
    """The workers' cgroups, in a mount namespace of the whole run's own."""

    def __init__(self):
        unshare(NEWNS)
        mount("none", "/", None, REC | PRIVATE)
        mount_cgroups()
        self.top = f"{CGROUPS}/moss-faults-{os.getpid()}"
        os.mkdir(self.top)
        for place in (CGROUPS, self.top): # the one controller of version 2 on a hybrid host, for containers with a limit
            with contextlib.suppress(OSError), open(f"{place}/cgroup.subtree_control", "w", encoding="ascii") as file:
                file.write("+hugetlb")

    def make(self, name):
        path = f"{self.top}/{name}"
        os.mkdir(path)
        return path

    def remove(self):
        for _ in range(100):
            try:
                with open(f"{self.top}/cgroup.kill", "w", encoding="ascii") as file:
                    file.write("1")
                for directory, _, _ in os.walk(self.top, topdown=False):
                    os.rmdir(directory)
                return
            except OSError:
                time.sleep(0.05)
        print(f"# could not remove {self.top}", file=sys.stderr)


def worker(main):
    """Fork a worker that runs main(). Returns its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid != 0:
        return pid
    status = 1
    try:
        die_with_parent()
        main()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def enter(cgroup, main):
    """The same as process 1 of its own small machine."""
    def inside():
        _become_machine(cgroup)
        main()
    return worker(inside)


def _become_machine(cgroup):
    global _inside
    with open(f"{cgroup}/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")
    unshare(NEWNS | NEWPID | NEWCGROUP | NEWIPC | NEWNET)
    # The worker's own leaf: the root of its tree must stay empty to hand on controllers.
    os.mkdir(f"{cgroup}/harness")
    with open(f"{cgroup}/harness/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")
    inner = os.fork()
    if inner != 0:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) & 0xFF)
    die_with_parent()
    _inside = True
    mount("none", "/", None, REC | PRIVATE)
    mount("none", "/", None, REC | SHARED)
    mount("proc", "/proc", "proc")
    mount_cgroups()
    for place in PLACES:
        mount("tmpfs", place, "tmpfs", 0, "mode=1777,size=512m" if place != "/run" else "mode=755")


def own_cgroup_is_of(uid, gid):
    """Delegate the worker's leaf, as a service manager would."""
    for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
        os.chown(f"{CGROUPS}/harness/{name}", uid, gid)


def be(machine):
    """There is no sandbox: the whole machine is one, which booted.py knows."""
    global _booted
    _booted = machine


def booted():
    return _booted


def reap():
    try:
        while os.waitpid(-1, WALL | os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def processes():
    reap()
    own = str(os.getpid())
    return {entry for entry in os.listdir("/proc") if entry.isdigit() and entry != own}


def must_be_inside():
    """What follows would be the end of a machine that is not ours."""
    if not _inside or os.getpid() != 1:
        raise RuntimeError("not in a sandbox")


def kill_all():
    """Everybody in here but this process."""
    must_be_inside()
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass


def snapshot(by_pid=False):
    """What there is, as a set of short texts: processes, mounts, cgroups, network devices, files.

    @by_pid: processes by number, for a look before and after; else by what they run, which is the
    same in each run.
    """
    if _booted is not None:
        return _booted.snapshot(by_pid)
    found = set()
    for pid in processes():
        words = text_of(f"/proc/{pid}/cmdline").replace("\0", " ").strip()[:100]
        found.add(f"process {pid}" if by_pid else f"process {words}")
    for line in text_of("/proc/self/mountinfo").splitlines():
        words = line.split()
        found.add(f"mount {words[3]} on {words[4]} ({line.partition(' - ')[2]})")
    for directory, _, _ in os.walk(CGROUPS):
        found.add(f"cgroup {directory[len(CGROUPS):] or '/'}")
    found.update(f"network device {name}" for _, name in socket.if_nameindex())
    for place in PLACES:
        for directory, names, files in os.walk(place):
            found.update(f"file {directory}/{name}" for name in names + files)
    return found


def wipe():
    """Empty all places for files."""
    must_be_inside()
    for place in PLACES:
        subprocess.run(["find", place, "-xdev", "-mindepth", "1", "-delete"], check=False)


def device_programs(cgroup):
    """The tags (hashes of the instructions) of the device programs on a cgroup, bpf(2)."""
    def bpf(command, attributes):
        size = len(attributes)
        return libc.syscall(321, command, ctypes.byref(attributes), size)

    directory = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    ids = (ctypes.c_uint32 * 8)()
    query = (ctypes.c_uint8 * 64)()
    struct.pack_into("IIIIQI", query, 0, directory, 6, 0, 0, ctypes.addressof(ids), len(ids))  # BPF_CGROUP_DEVICE
    ret = bpf(16, query)  # BPF_PROG_QUERY
    os.close(directory)
    _check(ret, "bpf BPF_PROG_QUERY")
    tags = []
    for number in ids[:struct.unpack_from("I", query, 24)[0]]:
        get = (ctypes.c_uint8 * 12)()
        struct.pack_into("I", get, 0, number)
        program = bpf(13, get)  # BPF_PROG_GET_FD_BY_ID
        _check(program, "bpf BPF_PROG_GET_FD_BY_ID")
        info, ask = (ctypes.c_uint8 * 256)(), (ctypes.c_uint8 * 16)()
        struct.pack_into("IIQ", ask, 0, program, len(info), ctypes.addressof(info))
        _check(bpf(15, ask), "bpf BPF_OBJ_GET_INFO_BY_FD")
        os.close(program)
        tags.append(bytes(info[8:16]).hex())
    return tags


def left(baseline, patience, by_pid=False):
    """What there is beyond the baseline and does not go by itself within @patience seconds."""
    deadline = time.monotonic() + patience
    while True:
        new = snapshot(by_pid) - baseline
        if not new or time.monotonic() > deadline:
            return new
        time.sleep(0.01)


def clean(baseline):
    """Remove by force what is left, so that the next run starts from the baseline again."""
    if _booted is not None:
        _booted.clean(baseline)
        return
    kill_all()
    for _ in range(200):
        if not processes():
            break
        time.sleep(0.01)
    for item in sorted(snapshot() - baseline, reverse=True):
        kind, _, rest = item.partition(" ")
        if kind == "mount":
            libc.umount2(rest.partition(" on ")[2].rpartition(" (")[0].encode(), 2)
    for item in sorted(snapshot() - baseline, reverse=True):
        kind, _, rest = item.partition(" ")
        try:
            if kind == "cgroup":
                os.rmdir(CGROUPS + rest)
            elif kind == "file" and os.path.isdir(rest) and not os.path.islink(rest):
                shutil.rmtree(rest, ignore_errors=True)
            elif kind == "file":
                os.unlink(rest)
        except FileNotFoundError:
            pass
        except OSError as error:
            print(f"# clean: {item}: {error}", file=sys.stderr)
