#!/usr/bin/python3
"""resctrl.py DIRECTORY - a FUSE file system that behaves as the kernel's resctrl does, as far as a runtime sees it.

For machines whose processor has none. One cache (L3, 12 bits, two domains) and memory bandwidth (MB), three classes
and monitoring. As in the kernel (Documentation/arch/x86/resctrl.rst): a mkdir makes a group with its files, a rmdir removes
them with it and gives its processes to the default class; a process belongs to one class and one monitoring group, and
is looked up when its pid is written; schemata lines are checked and come back in the kernel's own format; why something
was refused stands in info/last_cmd_status. What a process clones does not follow it: no test needs that.
Prints "ready" when it is mounted; its end unmounts it.
"""
import errno
import os
import re
import stat
import sys

from fusepy import FUSE, FuseOSError, Operations

CLASSES = 3
FILES = {"tasks", "schemata", "mode"}


class Resctrl(Operations):
    def __init__(self):
        self.schemata = {"": {"L3": {0: 0xFFF, 1: 0xFFF}, "MB": {0: 100, 1: 100}}}
        self.monitors = {"": set()}  # names, by class
        self.tasks = {}  # pid: (class, monitor)
        self.status = "ok"

    def fail(self, code, why):
        self.status = why
        raise FuseOSError(code)

    def group(self, path):
        """("class", "monitor", "the rest") of a path, or None."""
        parts = [part for part in path.split("/") if part]
        name = parts.pop(0) if parts and parts[0] in self.schemata else ""
        monitor = ""
        if len(parts) >= 2 and parts[0] == "mon_groups":
            if parts[1] not in self.monitors[name]:
                return None
            monitor = parts[1]
            parts = parts[2:]
        return name, monitor, "/".join(parts)

    def directory(self, path):
        """What is in this directory; None when it is none."""
        found = self.group(path)
        if found is None:
            return None
        name, monitor, rest = found
        if rest == "":
            if monitor:
                return {"tasks"}
            return FILES | {"mon_groups"} | ({"info"} | set(self.schemata) - {""} if name == "" else set())
        if rest == "mon_groups" and not monitor:
            return set(self.monitors[name])
        if name == "" and not monitor:
            return {
                "info": {"L3", "MB", "L3_MON", "last_cmd_status"},
                "info/L3": {"num_closids"},
                "info/MB": {"num_closids"},
                "info/L3_MON": {"num_rmids"},
            }.get(rest)
        return None

    def text(self, path):
        """What is in this file; None when it is none."""
        found = self.group(path)
        if found is None or not os.path.basename(path) in (self.directory(os.path.dirname(path)) or ()):
            return None
        name, monitor, rest = found
        if rest == "tasks":
            for pid in [pid for pid in self.tasks if not os.path.exists(f"/proc/{pid}")]:
                del self.tasks[pid]
            members = [pid for pid, (c, m) in self.tasks.items() if c == name and (not monitor or m == monitor)]
            return "".join(f"{pid}\n" for pid in members)
        if rest == "schemata":
            lines = []
            for resource, values in self.schemata[name].items():
                shown = ";".join(f"{d}={v:x}" if resource == "L3" else f"{d}={v:4d}" for d, v in values.items())
                lines.append(f"{resource:>6}:{shown}\n")
            return "".join(lines)
        return {"mode": "shareable\n", "info/last_cmd_status": f"{self.status}\n"}.get(rest, f"{CLASSES}\n")

    def getattr(self, path, fh=None):
        if self.directory(path) is not None:
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        text = self.text(path)
        if text is None:
            raise FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": len(text)}

    def readdir(self, path, fh):
        return [".", ".."] + sorted(self.directory(path))

    def read(self, path, size, offset, fh):
        return self.text(path).encode()[offset : offset + size]

    def truncate(self, path, length, fh=None):
        pass

    def mkdir(self, path, mode):
        above, name = os.path.split(path)
        self.status = "ok"
        found = self.group(above)
        if found is None:
            raise FuseOSError(errno.ENOENT)
        if found[2] == "mon_groups" and not found[1]:
            self.monitors[found[0]].add(name)
        elif above == "/":
            if len(self.schemata) >= CLASSES:
                self.fail(errno.ENOSPC, "Out of CLOSIDs")
            self.schemata[name] = {resource: dict(values) for resource, values in self.schemata[""].items()}
            self.monitors[name] = set()
        else:
            raise FuseOSError(errno.EPERM)

    def rmdir(self, path):
        name, monitor, rest = self.group(path) or (None, None, None)
        if name is None:
            raise FuseOSError(errno.ENOENT)
        if rest or not (name or monitor):
            raise FuseOSError(errno.EPERM)
        if monitor:
            self.monitors[name].discard(monitor)
        else:
            del self.schemata[name], self.monitors[name]
        for pid, (c, m) in list(self.tasks.items()):
            if c == name and not monitor:
                del self.tasks[pid]
            elif c == name and m == monitor:
                self.tasks[pid] = (c, "")

    def write(self, path, data, offset, fh):
        name, monitor, rest = self.group(path) or (None, None, None)
        self.status = "ok"
        if rest == "tasks":
            pid = int(data.decode())
            if not os.path.exists(f"/proc/{pid}"):
                self.fail(errno.ESRCH, f"No task {pid}")
            if monitor and self.tasks.get(pid, ("", ""))[0] != name:
                self.fail(errno.EINVAL, "Can't move task to different control group")
            self.tasks[pid] = (name, monitor)
        elif rest == "schemata" and not monitor:
            if not data.endswith(b"\n"):
                raise FuseOSError(errno.EINVAL)
            for line in data.decode().splitlines():
                self.change(name, line)
        else:
            raise FuseOSError(errno.EACCES)
        return len(data)

    def change(self, name, line):
        match = re.fullmatch(r"\s*(\w+):(.*)", line)
        if not match or match[1] not in self.schemata[name]:
            self.fail(errno.EINVAL, f"Unknown or unsupported resource name '{line.split(':')[0]}'")
        resource, values = match[1], self.schemata[name]
        for pair in match[2].split(";"):
            domain, _, value = pair.partition("=")
            number = int(value, 16 if resource == "L3" else 10)
            if not domain.strip().isdigit() or int(domain) not in values[resource]:
                self.fail(errno.EINVAL, "Invalid domain")
            if resource == "L3" and not 0 < number <= 0xFFF:
                self.fail(errno.EINVAL, "Mask out of range")
            values[resource][int(domain)] = number


if __name__ == "__main__":
    class Ready(Resctrl):
        def init(self, path):
            print("ready", flush=True)

    FUSE(Ready(), sys.argv[1], foreground=True, nothreads=True, allow_other=True, fsname="resctrl", attr_timeout=0,
         entry_timeout=0, direct_io=True)
