"""tracer.py - run a command under ptrace(2), write down its system calls, make one of them fail.

Side:  host. Needs: root (CAP_SYS_PTRACE), x86_64, Linux 5.14.
Gives: trace(), one command followed with all of its children until nothing of it is left that
       makes calls; a container's own program is let go at its execve.

strace(1) can inject, too, but it counts the calls of each process apart and can't be told which
process is meant: the parent's third openat fails and the child's never comes. It also can't let
close(2) do its work and then report an error, which is what the kernel does, and it stays with a
container that waits to be started.
"""
import collections
import ctypes
import errno
import os
import signal
import struct
import time

import calls

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

POKEUSER, CONT, SYSCALL, DETACH = 6, 7, 24, 17
GETEVENTMSG, SEIZE, INTERRUPT, LISTEN, GET_SYSCALL_INFO = 0x4201, 0x4206, 0x4207, 0x4208, 0x420E
EVENT_EXEC, EVENT_STOP = 4, 128
NEW_TASK_EVENTS = (1, 2, 3)  # fork, vfork, clone
# SYSGOOD, fork, vfork, clone, exec, EXITKILL
OPTIONS = 1 | 2 | 4 | 8 | 16 | 0x100000
ENTRY, EXIT = 1, 2
WALL = 0x40000000
ORIG_RAX, RAX, RDI = 15 * 8, 10 * 8, 14 * 8  # struct user, x86_64
GETREGS = 12
ARGUMENTS = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9 in struct user_regs_struct

# What is to go wrong: @process as in Task.name, the @number'th call of that name in it, @action
# an errno's name or "KILL".
Fault = collections.namedtuple("Fault", "process call number action")
# One call that was made: @errors are the names of those errnos that it could fail with.
Call = collections.namedtuple("Call", "process call number errors")


class Outcome:
    """What became of a command: status is an exit status or -signal; None after a hang."""

    def __init__(self):
        self.status = None
        self.reached = False  # the fault's place in the program
        self.hang = None  # what everybody was waiting for
        self.calls = []  # only without a fault
        self.log = []  # lines for people, only on request
        self.seconds = 0.0


class Task:
    """A thread that is traced. Its name says whose child it is: main.2 is main's second."""

    def __init__(self, name, counts=None):
        self.name = name
        self.children = 0
        self.counts = collections.Counter() if counts is None else counts
        self.is_thread = counts is not None
        self.started = True
        self.forced = None  # to be returned by the call that it is in
        self.argument = None  # its first, to be given back at its end
        self.memory_end = 0  # what brk(2) has answered
        self.inside = ""  # that call
        self.entered = False  # it has stopped at a call's beginning, and will at its end


class Hang(Exception):
    pass


def ptrace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0:
        number = ctypes.get_errno()
        if number == errno.ESRCH:
            raise ProcessLookupError(number, "ptrace")
        raise OSError(number, f"ptrace {request:#x} of {pid}: {os.strerror(number)}")


def text_of(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def describe_processes():
    """One line for every process but this one: who waits in which call."""
    lines = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            words = text_of(f"/proc/{entry}/syscall").split()
            number = words[0] if words else "?"
            name = calls.name_of(int(number)) if number.isdigit() else number
            comm = text_of(f"/proc/{entry}/comm").strip()
            state = text_of(f"/proc/{entry}/stat").rpartition(")")[2].split()[:1]
            lines.append(f"{comm}({entry}) {''.join(state)} in {name}")
    return "; ".join(lines)


class Tracer:
    def __init__(self, fault, foreign, timeout, verbose):
        self.fault = fault
        self.foreign = foreign
        self.deadline = time.monotonic() + timeout
        self.verbose = verbose
        self.tasks = {}
        self.early = set()  # stopped before their parents' event told who they are
        self.main = None
        self.out = Outcome()

    # ---- starting and letting go

    def spawn(self, argv, become):
        """Fork, let become() make the child what it should be, and trace it from its execve on."""
        gate_read, gate_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                become()
                os.close(gate_write)
                os.read(gate_read, 1)
                os.execv(argv[0], argv)
            finally:
                os._exit(127)
        os.close(gate_read)
        ptrace(SEIZE, pid, 0, OPTIONS)
        task = Task("main")
        task.started = False
        self.tasks[pid] = task
        self.main = pid
        os.close(gate_write)

    def adopt(self, pid, name):
        """Trace a process that waits in a call, from that call on."""
        threads = [int(entry) for entry in os.listdir(f"/proc/{pid}/task")]
        counts = collections.Counter() if len(threads) > 1 else None
        for thread in threads:
            ptrace(SEIZE, thread, 0, OPTIONS)
            self.tasks[thread] = Task(name, counts)
            ptrace(INTERRUPT, thread)
            # Stopped; and then again when it makes its call once more, before what it waits for comes.
            for _ in range(2 if self.wanted(self.tasks[thread]) else 1):
                if thread in self.tasks:
                    self.handle(*self.wait(thread))

    def release(self, pid):
        """Trace it no longer: it waits for something that is not part of this command."""
        try:
            ptrace(INTERRUPT, pid)
            while True:
                _, status = self.wait(pid)
                if not os.WIFSTOPPED(status):
                    break
                number = os.WSTOPSIG(status)
                plain = status >> 16 == 0 and number & 0x80 == 0
                ptrace(DETACH, pid, 0, number if plain else 0)
                break
        except ProcessLookupError:
            pass
        self.tasks.pop(pid, None)

    def kill(self):
        for pid in [*self.tasks, *self.early]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # ---- waiting

    def wait(self, pid=-1):
        """waitpid(2) with the deadline. The first naps are so short that most waits end in them."""
        nap = 0.0
        while True:
            found, status = os.waitpid(pid, WALL | os.WNOHANG)
            if found:
                return found, status
            if time.monotonic() > self.deadline:
                raise Hang()
            time.sleep(nap)
            nap = min(nap + 0.00002, 0.002)

    def all_asleep(self):
        for pid in self.tasks:
            state = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if not state or state[0] != "S":
                return False
        return True

    def next_event(self):
        """The next event, or None when main has ended and the others only wait."""
        if self.main is not None:
            return self.wait()
        # Whoever goes on by itself is to be seen to: a place that can still be reached may take
        # the processor a while.
        patience = 0.03 if self.fault is None or not self.out.reached else 0.003
        quiet = None
        while True:
            found, status = os.waitpid(-1, WALL | os.WNOHANG)
            if found:
                return found, status
            now = time.monotonic()
            if now > self.deadline:
                raise Hang()
            if not self.all_asleep():
                quiet = None
            elif quiet is None:
                quiet = now
            elif now - quiet > patience:
                return None
            time.sleep(0.0005)

    # ---- what happens in the traced

    def wanted(self, task):
        """Must this task stop at its calls?"""
        if self.fault is None or task.forced is not None or task.argument is not None:
            return True
        return not self.out.reached and task.name == self.fault.process

    def resume(self, pid, number=0):
        task = self.tasks.get(pid)
        if task is None:
            return
        follow = task.started and self.wanted(task)
        task.entered = task.entered and follow
        ptrace(SYSCALL if follow else CONT, pid, 0, number)

    def new_task(self, parent, pid):
        tgid = 0
        for line in text_of(f"/proc/{pid}/status").split("\n"):
            if line.startswith("Tgid:"):
                tgid = int(line.split()[1])
        if tgid not in (0, pid):  # a thread: its calls are its process's
            self.tasks[pid] = Task(parent.name, parent.counts)
            parent.is_thread = True
            return
        parent.children += 1
        self.tasks[pid] = Task(f"{parent.name}.{parent.children}")

    def entry(self, pid, task, number, args):
        name = calls.name_of(number)
        task.counts[name] += 1
        task.inside = f"{task.name}:{name}:{task.counts[name]}"
        if self.fault is None:
            errors = calls.errors_of(name, args)
            if name == "brk" and (args[0] + 4095) // 4096 == (task.memory_end + 4095) // 4096:
                errors = []  # no page more: it never fails
            if not (task.is_thread and name in calls.OF_SCHEDULERS):
                self.out.calls.append(Call(task.name, name, task.counts[name], errors))
            return
        if self.out.reached or (task.name, name, task.counts[name]) != self.fault[:3]:
            return
        self.out.reached = True
        if self.fault.action == "KILL":
            os.kill(pid, signal.SIGKILL)
            return
        if name == "brk":  # it has no errors: it answers with the end that is, which libc compares with what it asked for
            ptrace(POKEUSER, pid, RDI, 0)
            task.argument = args[0]
            return
        if name not in calls.DONE_ALL_THE_SAME:
            ptrace(POKEUSER, pid, ORIG_RAX, 2**64 - 1)
        task.forced = -getattr(errno, self.fault.action)

    @staticmethod
    def look(pid, task):
        """(ENTRY, number, arguments) or (EXIT, value)."""
        info = ctypes.create_string_buffer(88)
        try:
            ptrace(GET_SYSCALL_INFO, pid, len(info), ctypes.addressof(info))
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            # User-mode Linux does not know it. What has not been done yet has the value ENOSYS.
            registers = (ctypes.c_uint64 * 27)()
            ptrace(GETREGS, pid, 0, ctypes.addressof(registers))
            value = ctypes.c_int64(registers[RAX // 8]).value
            task.entered = not task.entered and value == -errno.ENOSYS
            if task.entered:
                return ENTRY, registers[ORIG_RAX // 8], [registers[index] for index in ARGUMENTS]
            return EXIT, value
        if info.raw[0] == ENTRY:
            number, *args = struct.unpack_from("<7Q", info.raw, 24)
            return ENTRY, number, args
        return info.raw[0], struct.unpack_from("<q", info.raw, 24)[0]

    def syscall_stop(self, pid, task):
        kind, *what = self.look(pid, task)
        if kind == ENTRY:
            self.entry(pid, task, *what)
        elif kind == EXIT:
            value = what[0]
            forced = ""
            if ":brk:" in task.inside:
                task.memory_end = value
            if task.argument is not None:
                ptrace(POKEUSER, pid, RDI, task.argument)
                task.argument, forced = None, " (not done)"
            if task.forced is not None:
                value, forced = task.forced, " (made to)"
                ptrace(POKEUSER, pid, RAX, value & (2**64 - 1))
                task.forced = None
            if self.verbose:
                word = errno.errorcode.get(-value, "") if value < 0 else ""
                self.out.log.append(f"{task.inside} = {value} {word}{forced}")

    def stop(self, pid, status):
        task = self.tasks.get(pid)
        number, event = os.WSTOPSIG(status), status >> 16
        if task is None:
            self.early.add(pid)
            return
        passed_on = 0
        if event in NEW_TASK_EVENTS:
            message = ctypes.c_ulong()
            ptrace(GETEVENTMSG, pid, 0, ctypes.addressof(message))
            self.new_task(task, message.value)
            if message.value in self.early:
                self.early.discard(message.value)
                self.try_resume(message.value)
        elif event == EVENT_EXEC:
            message = ctypes.c_ulong()
            ptrace(GETEVENTMSG, pid, 0, ctypes.addressof(message))
            if message.value != pid:  # a thread has taken the whole process over
                self.tasks.pop(message.value, None)
            task.started = True
            task.is_thread = False
            if self.foreign(pid):
                ptrace(DETACH, pid)
                del self.tasks[pid]
                return
        elif event == EVENT_STOP:
            if number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
                ptrace(LISTEN, pid)
                return
        elif number == signal.SIGTRAP | 0x80:
            self.syscall_stop(pid, task)
        else:
            passed_on = number
        self.resume(pid, passed_on)

    def try_resume(self, pid):
        try:
            self.resume(pid)
        except ProcessLookupError:
            pass

    def handle(self, pid, status):
        if os.WIFSTOPPED(status):
            try:
                self.stop(pid, status)
            except ProcessLookupError:
                pass  # killed meanwhile; its end comes next
            return
        task = self.tasks.pop(pid, None)
        self.early.discard(pid)
        if self.verbose and task is not None:
            self.out.log.append(f"{task.inside or task.name}: ended, {os.waitstatus_to_exitcode(status)}")
        if pid == self.main:
            self.main = None
            self.out.status = os.waitstatus_to_exitcode(status)

    def follow(self):
        while self.tasks or self.early:
            event = self.next_event()
            if event is None:
                for pid in list(self.tasks):
                    self.release(pid)
                return
            self.handle(*event)


def trace(argv, become, foreign, fault=None, also=(), timeout=20, verbose=False):
    """Run @argv to its end; become() prepares its process before the execve.

    foreign(pid) says of a process that has just executed a program that it is none of the
    runtime's. @also: (pid, name) of processes to follow that are there already. After a hang
    those that were followed are killed.
    """
    tracer = Tracer(fault, foreign, timeout, verbose)
    began = time.monotonic()
    try:
        for pid, name in also:
            tracer.adopt(pid, name)
        tracer.spawn(argv, become)
        tracer.follow()
    except Hang:
        tracer.out.hang = describe_processes()
        tracer.out.status = None
        tracer.kill()
    tracer.out.seconds = time.monotonic() - began
    return tracer.out
