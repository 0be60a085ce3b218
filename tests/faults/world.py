"""world.py - a bundle, its runtime and the commands to use it, inside a worker's sandbox.

Side:  host, in the sandbox (sandbox.py). Needs: root; a runtime with runc's command line.
Gives: World: one runtime in one mode, with what a container of it looks like from inside.
"""
import fcntl
import json
import os
import pwd
import re
import shutil
import socket
import struct
import time

import sandbox
import tracer

TOP = "/tmp/faults"
NETWORK = "/run/network-to-join"
ID = "box"
OUTPUTS = ("facts", "facts.new", "pid", "exec", "run")  # in TOP/out; anything else there is a leak
SETTLE_S = 3
UNTRACED_TIMEOUT_S = 15
TRACED_TIMEOUT_S = 20
BOOTED_FACTOR = 3  # how much more patience a guest needs
DEVICE = "tap0"
USER_MODES = ("user", "subids", "user-full", "scope-user")
SCOPE_MODES = ("scope", "scope-user")  # systemd makes the cgroup
APPLETS = "sh cat sleep mv ls id hostname grep readlink stat env true".split()

# The program of every container: it writes down all that a runtime has to arrange, and stays.
FACTS = """{ cat /proc/self/mountinfo /proc/self/limits /proc/self/cgroup /proc/self/oom_score_adj
cat /sys/fs/cgroup/hugetlb.2MB.max /sys/fs/cgroup/hugetlb.2MB.rsvd.max
for n in cgroup ipc mnt net pid user uts; do echo "namespace $n $(readlink /proc/self/ns/$n)"; done
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|Umask)' /proc/self/status
id; hostname; pwd; env; umask; stat -c '%n %A %u %g %t %T' /dev/* /proc/self/fd/* /copied/* /mapped/* /pointer
cat /proc/self/timens_offsets /proc/sys/net/ipv4/ip_default_ttl; grep -o '^ *[a-z0-9]*:' /proc/net/dev
} >/out/facts.new 2>&1
mv /out/facts.new /out/facts
exec sleep 1000"""

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

HOOK = {"path": "/bin/cat", "args": ["cat"]}  # a hook must read the state from its stdin
# What not every runtime takes (yet): each is part of the runs if a container with it can be made.
FEATURES = {
    "devices": lambda c: c["linux"].setdefault("resources", {}).update(devices=[{"allow": False, "access": "rwm"}]),
    "limits": lambda c: c["linux"].setdefault("resources", {}).update(
        hugepageLimits=[{"pageSize": "2MB", "limit": 4194304}]),
    "seccomp": lambda c: c["linux"].update(seccomp={
        "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}),
    "hooks": lambda c: c.update(hooks={kind: [HOOK] for kind in (
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")}),
    "sysctl": lambda c: c["linux"].update(sysctl={"kernel.shm_rmid_forced": "1"}),
}

# Of a container in systemd's scope, and what an update makes of them; their properties of the scope.
USUAL_LIMITS = {"memory": {"limit": 104857600}, "pids": {"limit": 42}, "cpu": {"shares": 512}}
CHANGED_LIMITS = {"memory": {"limit": 209715200}, "pids": {"limit": 50}, "cpu": {"shares": 2048}}
PROPERTIES = ("MemoryMax", "TasksMax", "CPUWeight")

QUIET = ["nosuid", "noexec", "nodev"]
SOURCE = f"{TOP}/source"


def add_mount(destination, kind, options, **more):
    """A feature: one more mount."""
    more.setdefault("source", SOURCE if kind == "bind" else kind)
    return lambda c: c["mounts"].append({"destination": destination, "type": kind, "options": options, **more})


def time_offsets(config):
    config["linux"]["namespaces"].append({"type": "time"})
    config["linux"]["timeOffsets"] = {"monotonic": {"secs": 1000}, "boottime": {"secs": 1000}}


# In the modes that have all that config.json can ask for.
ALL_FEATURES = {
    "tmpcopyup": add_mount("/copied", "tmpfs", ["tmpcopyup", *QUIET]),
    "a long option": add_mount("/long", "tmpfs", [f"size={300 * '0'}64k"]),
    "a file": add_mount("/file", "bind", ["rbind", "rro", "nosuid"], source=f"{SOURCE}/file"),
    "a missing target": add_mount("/made/deep", "bind", ["bind", "rprivate", "ro"]),
    "remount": add_mount("/file", "bind", ["bind", "remount", "noexec"]),
    "copy-symlink": add_mount("/pointer", "bind", ["bind", "copy-symlink"], source=f"{SOURCE}/pointer"),
    "idmap": add_mount("/mapped", "bind", ["bind", "idmap"], **{
        field: [{"containerID": 0, "hostID": 5000, "size": 10}] for field in ("uidMappings", "gidMappings")}),
    "propagation": lambda c: c["linux"].update(rootfsPropagation="rshared"),
    "more devices": lambda c: c["linux"].update(devices=[
        {"path": "/dev/fifo", "type": "p", "fileMode": 0o622, "uid": 0, "gid": 0},
        {"path": "/dev/full", "type": "c", "major": 1, "minor": 7, "uid": 0, "gid": 0}]),
    "timeOffsets": time_offsets,
    "netDevices": lambda c: c["linux"].update(netDevices={DEVICE: {"name": "eth9"}}),
    "net.*": lambda c: c["linux"].setdefault("sysctl", {}).update({"net.ipv4.ip_default_ttl": "42"}),
}


def mounts_of(user_ids):
    quiet = ["nosuid", "noexec", "nodev"]
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    sys = {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", *quiet, "ro"]}
    if user_ids is None:
        sys = {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*quiet, "ro"]}
        pts.append("gid=5")
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": pts},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [*quiet, "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": quiet},
        sys,
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": [*quiet, "relatime", "ro"]},
        {"destination": "/out", "type": "bind", "source": f"{TOP}/out", "options": ["bind", "rw"]},
    ]


def config_of(mode, user, features):
    """config.json, the same for every runtime. @user: None for root."""
    namespaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")]
    linux = {"namespaces": namespaces, "maskedPaths": MASKED, "readonlyPaths": READONLY}
    if user is not None:
        namespaces.append({"type": "user"})
        more = subids_of(user) if mode == "subids" else None
        for index, (field, own) in enumerate((("uidMappings", user.pw_uid), ("gidMappings", user.pw_gid))):
            linux[field] = [{"containerID": 0, "hostID": own, "size": 1}]
            if more is not None:
                linux[field].append({"containerID": 1, "hostID": more[index][0], "size": more[index][1]})
    elif mode == "join":
        namespaces.append({"type": "network", "path": NETWORK})
    else:
        namespaces.append({"type": "network"})
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": mode == "terminal", "user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "-c", FACTS],
            "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/", "noNewPrivileges": True,
            "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        },
        "root": {"path": "rootfs", "readonly": True}, "hostname": "faults", "mounts": mounts_of(user), "linux": linux,
    }
    if mode in SCOPE_MODES:
        linux["resources"] = dict(USUAL_LIMITS)
    if mode == "chroot":  # nothing that would have to be mounted
        linux["namespaces"] = [one for one in namespaces if one["type"] != "mount"]
        del linux["maskedPaths"], linux["readonlyPaths"]
        config["root"]["readonly"] = False
        config["mounts"] = []
    for feature in features:
        (FEATURES | ALL_FEATURES)[feature](config)
    return config


def subids_of(user):
    """[(first, count) of /etc/subuid, of /etc/subgid], or None."""
    found = []
    for path in ("/etc/subuid", "/etc/subgid"):
        for line in tracer.text_of(path).split():
            words = line.split(":")
            if len(words) == 3 and words[0] in (user.pw_name, str(user.pw_uid)):
                found.append((int(words[1]), int(words[2])))
                break
    return found if len(found) == 2 else None


class Unfit(Exception):
    """This runtime can't do that here; the text says why."""


class World:
    MODES = ("root", "join", "terminal", "no-pivot", "chroot", "full", "user", "subids", "user-full", *SCOPE_MODES)

    def __init__(self, runtime, mode, user_name):
        self.runtime, self.mode = runtime, mode
        self.user = pwd.getpwnam(user_name) if mode in USER_MODES else None
        if mode == "subids" and (not shutil.which("newuidmap") or subids_of(self.user) is None):
            raise Unfit("no newuidmap, or no line for the user in /etc/subuid and /etc/subgid")
        self.uid, self.gid = (self.user.pw_uid, self.user.pw_gid) if self.user else (0, 0)
        self.groups = os.getgrouplist(self.user.pw_name, self.gid) if self.user else [0]
        self.patience = BOOTED_FACTOR if sandbox.booted() else 1
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": TOP, "LC_ALL": "C",
                    "XDG_RUNTIME_DIR": f"/run/user/{self.uid}"}
        self.features = []
        self.changed = None  # limits() behind an update without a fault
        self.make_bundle()
        self.foreign_files = {self.identity(path) for path in (f"{TOP}/bundle/rootfs/bin/busybox", HOOK["path"], shutil.which("ps"))
                              if path is not None}
        if sandbox.booted():
            sandbox.booted().know([f"{TOP}/bin/{name}" for name in os.listdir(f"{TOP}/bin")] + [f"{TOP}/bundle/rootfs/bin/busybox"])
        self.fit()

    # ---- making the bundle

    def make_bundle(self):
        """Everything below TOP. The runtime lies there, too, where its user can reach it."""
        os.makedirs(f"{TOP}/bundle-run")
        rootfs = f"{TOP}/bundle/rootfs"
        for path in ("bin", "proc", "dev", "sys", "out"):
            os.makedirs(f"{rootfs}/{path}")
        shutil.copy(shutil.which("busybox"), f"{rootfs}/bin/busybox")
        for applet in APPLETS:
            os.symlink("busybox", f"{rootfs}/bin/{applet}")
        for path in ("state", "io"):
            os.mkdir(f"{TOP}/{path}")
        if self.mode == "chroot":  # where /out of the container is no mount
            os.symlink(f"{rootfs}/out", f"{TOP}/out")
        else:
            os.mkdir(f"{TOP}/out")
        for path in (SOURCE, f"{rootfs}/copied", f"{rootfs}/copied/deep"):
            os.mkdir(path)
            open(f"{path}/file", "w", encoding="ascii").close()
            os.symlink("file", f"{path}/pointer")
        os.makedirs(self.env["XDG_RUNTIME_DIR"], exist_ok=sandbox.booted() is not None)
        if self.mode == "join":
            self.make_network()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{TOP}/console")
        self.listener.listen(64)
        self.listener.setblocking(False)
        for directory, _, files in [*os.walk(TOP), (self.env["XDG_RUNTIME_DIR"], [], [])]:
            if sandbox.booted() and directory == f"{TOP}/bin":
                continue  # where moss can't protect what the container's root could write to
            for path in [directory, *(f"{directory}/{name}" for name in files)]:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def prepare(self):
        """Before each container: the network device that it takes along."""
        if self.mode == "full" and not self.has_device():
            try:
                with open("/dev/net/tun", "rb+", buffering=0) as tun:
                    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", DEVICE.encode(), 0x1002))  # TUNSETIFF, a tap
                    fcntl.ioctl(tun, 0x400454cb, 1)  # TUNSETPERSIST
            except OSError as why:
                raise Unfit(f"no network device can be made: {why}") from why

    @staticmethod
    def has_device():
        return DEVICE in (name for _, name in socket.if_nameindex())

    @staticmethod
    def make_network():
        """A network namespace that a file keeps: to be joined."""
        open(NETWORK, "w", encoding="ascii").close()
        pid = os.fork()
        if pid == 0:
            try:
                sandbox.unshare(0x40000000)
                sandbox.mount(f"/proc/{os.getpid()}/ns/net", NETWORK, None, 0x1000)
                os._exit(0)
            finally:
                os._exit(1)
        if os.waitpid(pid, 0)[1] != 0:
            raise Unfit("no network namespace can be made")

    def write_config(self):
        config = config_of(self.mode, self.user, self.features)
        with open(f"{TOP}/bundle/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
        config["process"]["args"] = ["/bin/sh", "-c", "echo done >/out/run"]
        config["root"]["path"] = f"{TOP}/bundle/rootfs"
        with open(f"{TOP}/bundle-run/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)

    # ---- running commands

    def words(self, command, *arguments):
        manager = ["--systemd-cgroup"] if self.mode in SCOPE_MODES else []
        return [self.runtime, "--root", f"{TOP}/state", *manager, command, *arguments]

    def create_words(self):
        console = ["--console-socket", f"{TOP}/console"] if self.mode == "terminal" else []
        return self.words("create", "--bundle", f"{TOP}/bundle", "--pid-file", f"{TOP}/out/pid", *console, *self.pivot(), ID)

    def pivot(self):
        return ["--no-pivot"] if self.mode == "no-pivot" else []

    def become(self):
        """In the child that will be the runtime: its user, its stdio, its working directory."""
        os.setgroups(self.groups)
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)
        os.environ.clear()
        os.environ.update(self.env)
        os.chdir(f"{TOP}/bundle")
        os.umask(0o022)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        for fd, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(f"{TOP}/io/{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), fd)

    @staticmethod
    def io_reset():
        """Forget what was said; a container that is there goes on writing into the same files."""
        for name in os.listdir(f"{TOP}/io"):
            os.truncate(f"{TOP}/io/{name}", 0)

    @staticmethod
    def io_text(name):
        return tracer.text_of(f"{TOP}/io/{name}")

    def run(self, *words):
        """A command without faults. Returns (status, stdout, stderr); status None: it did not end."""
        self.io_reset()
        gate = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self.become()
                os.execv(words[0], words)
            finally:
                os._exit(127)
        os.close(gate[0])
        os.close(gate[1])
        deadline = time.monotonic() + UNTRACED_TIMEOUT_S * self.patience
        nap = 0.0005
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status), self.io_text("stdout"), self.io_text("stderr")
            if time.monotonic() > deadline:
                return None, "", tracer.describe_processes()
            time.sleep(nap)
            nap = min(nap * 1.5, 0.01)

    def must(self, *words):
        status, stdout, stderr = self.run(*words)
        if status != 0:
            raise Unfit(f"{' '.join(words[3:])} failed without any fault ({status}): {stderr.strip()[-300:]}")
        return stdout

    def foreign(self, pid):
        """Is what this process executes a program of the container, a hook or ps(1)?"""
        return self.identity(f"/proc/{pid}/exe") in self.foreign_files

    @staticmethod
    def identity(path):
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def trace(self, words, fault, also=(), verbose=False):
        self.io_reset()
        return tracer.trace(words, self.become, self.foreign, fault, also, TRACED_TIMEOUT_S * self.patience, verbose)

    # ---- looking at the container

    def state(self):
        """The container's state as a dict; {} when the runtime says that there is none."""
        status, stdout, _ = self.run(*self.words("state", ID))
        try:
            return json.loads(stdout) if status == 0 else {}
        except ValueError:
            return {}

    @staticmethod
    def cgroup():
        """The container's own cgroup, a directory; None without one."""
        path = tracer.text_of(f"/proc/{tracer.text_of(f'{TOP}/out/pid').strip()}/cgroup").rpartition("0::")[2].strip()
        return f"{sandbox.CGROUPS}{path}" if ID in path else None

    def all_stopped(self):
        """Do all processes of the container stand still, frozen or by SIGSTOP? Looked at for a moment: both take time."""
        deadline = time.monotonic() + 0.3
        pid = tracer.text_of(f"{TOP}/out/pid").strip()
        while True:
            cgroup = self.cgroup()
            frozen = cgroup is not None and "frozen 1" in tracer.text_of(f"{cgroup}/cgroup.events")
            stopped = re.search(r"(?m)^State:\s+T", tracer.text_of(f"/proc/{pid}/status")) is not None
            if frozen or stopped or time.monotonic() > deadline:
                return frozen or stopped
            time.sleep(0.01)

    def changed_resources(self):
        """What an update asks for: something of all that the container may have."""
        if self.mode in SCOPE_MODES:
            return CHANGED_LIMITS
        return self.resources(2097152, [{"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}])

    def usual_resources(self):
        """The same of what config.json says."""
        if self.mode in SCOPE_MODES:
            return USUAL_LIMITS
        return self.resources(4194304, [])

    def resources(self, bytes_of_huge_pages, rules):
        found = {}
        if "limits" in self.features:
            found["hugepageLimits"] = [{"pageSize": "2MB", "limit": bytes_of_huge_pages}]
        if "devices" in self.features and self.user is None:
            found["devices"] = [{"allow": False, "access": "rwm"}, *rules]
        return found

    def limits(self):
        """What holds for the container, and what is recorded of it."""
        cgroup = self.cgroup()
        names = ("hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "memory.max", "pids.max", "cpu.weight")
        files = {name: tracer.text_of(f"{cgroup}/{name}").strip() for name in names}
        if self.mode in SCOPE_MODES:
            files["properties"] = sandbox.booted().show(os.path.basename(os.path.dirname(cgroup or "/")), *PROPERTIES)
        try:
            recorded = json.loads(tracer.text_of(f"{TOP}/state/{ID}/state.json")).get("resources")
        except ValueError:
            recorded = "unreadable"
        return {"files": files, "devices": sandbox.device_programs(cgroup), "recorded": recorded}

    def notes(self):
        """What the runtime tells of the compromises it made (moss does)."""
        try:
            return json.loads(tracer.text_of(f"{TOP}/state/{ID}/state.json")).get("notes")
        except (ValueError, AttributeError):
            return None

    @staticmethod
    def forget_facts():
        for name in OUTPUTS:
            if os.path.exists(f"{TOP}/out/{name}"):
                os.unlink(f"{TOP}/out/{name}")

    def wait_for_facts(self):
        """What the container's program wrote down, or None when it does not within SETTLE_S."""
        deadline = time.monotonic() + SETTLE_S * self.patience
        while not os.path.exists(f"{TOP}/out/facts"):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.002)
        cgroup = tracer.text_of(f"/proc/{tracer.text_of(f'{TOP}/out/pid').strip()}/cgroup").rpartition("0::")[2]
        return normal(tracer.text_of(f"{TOP}/out/facts")) + [f"cgroup on the host {cgroup.strip()}"]

    def drain_console(self):
        try:
            while True:
                self.listener.accept()[0].close()
        except BlockingIOError:
            pass

    # ---- what is usual

    def cycle(self):
        """Create, start, delete: the facts of a container without faults."""
        self.prepare()
        self.forget_facts()
        self.must(*self.create_words())
        self.must(*self.words("start", ID))
        facts = self.wait_for_facts()
        notes = self.notes()
        self.must(*self.words("delete", "--force", ID))
        self.drain_console()
        if facts is None:
            raise Unfit("the container's program did not run")
        return facts, notes

    def fit(self):
        """Find out which features go, and what the machine looks like after a clean run."""
        if self.mode in SCOPE_MODES and not sandbox.booted():
            raise Unfit("systemd makes its cgroups: for --booted")
        self.write_config()
        empty = sandbox.snapshot()
        self.refused = {}
        self.cycle()
        for feature in (*FEATURES, *(ALL_FEATURES if self.mode.endswith("full") else ())):
            self.features.append(feature)
            self.write_config()
            try:
                self.cycle()
            except Unfit as why:
                self.features.remove(feature)
                self.refused[feature] = str(why)
                sandbox.clean(empty)
                self.drain_console()
        self.write_config()
        self.facts, self.usual_notes = self.cycle()
        again, _ = self.cycle()
        if again != self.facts:
            raise Unfit(f"two containers without faults differ: {'; '.join(difference(self.facts, again))}")
        self.forget_facts()
        self.io_reset()
        self.prepare()
        self.baseline = sandbox.snapshot()


def normal(text):
    """Facts without what differs from run to run: numbers of mounts, devices and namespaces."""
    lines = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 8 and words[0].isdigit() and "-" in words:
            line = " ".join(re.sub(r"^(shared|master):\d+$", r"\1", word) for word in words[3:])
        elif line.startswith("namespace ") and len(words) == 3:  # without a /proc there are but two
            own = os.readlink(f"/proc/self/ns/{words[1]}")
            line = f"namespace {words[1]} {'the host' if words[2] == own else 'own'}s"
        lines.append(line)
    return lines


def difference(usual, found):
    """The lines of two lists of facts that are in one alone."""
    missing = [f"-{line}" for line in usual if line not in found]
    return missing + [f"+{line}" for line in found if line not in usual] or ["the order"]
