"""scenarios.py - the commands that faults are put into, and what must be true afterwards.

Side:  host, in the sandbox. Needs: a World.
Gives: run(): one command with one fault (or none: then the calls that it makes).

The kinds of problems:
  hang         the command did not end
  quiet        it failed and said nothing, or nothing but the kernel's word
  untrue       it reported success, and what it is for has not happened
  weaker       it reported success, and the container is another one than without the fault
  left         a create that failed left something behind, or a run that ended
  undeletable  `delete --force` afterwards failed or did not end
  leak         something is left after `delete --force`
  harmed       exec, update, pause, resume, ps, events: the container has not survived, or takes no other command
  half         an update that failed, and a part of it holds or is recorded
"""
import errno
import json
import os
import re
import signal
import threading
import time

import sandbox
from world import ID, TOP, SCOPE_MODES, SETTLE_S, Unfit, World, difference

KINDS = ("hang", "quiet", "untrue", "weaker", "left", "undeletable", "leak", "harmed", "half")


class Attempt:
    """One run: a command, its fault, what was found wrong."""

    def __init__(self, world, fault, verbose):
        self.world, self.fault, self.verbose = world, fault, verbose
        self.problems = []
        self.outcome = None
        self.stderr = ""

    def problem(self, kind, text):
        self.problems.append((kind, text[:600]))

    def traced(self, words, also=()):
        self.outcome = self.world.trace(words, self.fault, also, self.verbose)
        self.stderr = self.world.io_text("stderr")
        if self.outcome.hang is not None:
            self.problem("hang", self.outcome.hang)

    @property
    def main_was_killed(self):
        return self.fault is not None and self.fault.action == "KILL" and self.fault.process == "main"

    @property
    def ended(self):
        """Did the command end by itself, so that its words can be held against it?"""
        return self.outcome.hang is None and not (self.main_was_killed and self.outcome.reached)

    @property
    def succeeded(self):
        return self.ended and self.outcome.status == 0

    @property
    def failed(self):
        return self.ended and self.outcome.status != 0

    def must_have_said_why(self):
        # A process that was killed: the status 128 + 9 tells.
        if not self.failed or (self.fault is not None and self.fault.action == "KILL" and self.outcome.status == 137):
            return
        text = re.sub(r'time="[^"]*"|level=\w+|msg=|"level":"\w+"|[Ee]rror', "", self.stderr)
        if self.fault is not None and self.fault.action != "KILL":
            text = text.replace(os.strerror(getattr(errno, self.fault.action)), "")
        if not re.search("[A-Za-z]{3}", text):
            self.problem("quiet", f"exit status {self.outcome.status}, stderr {self.stderr!r}")

    def delete(self):
        """`delete --force`, and nothing may be left."""
        status, _, stderr = self.world.run(*self.world.words("delete", "--force", ID))
        if status != 0:
            self.problem("undeletable", f"{'no end' if status is None else status}: {stderr.strip()}")
        self.nothing_is_left("leak")

    def nothing_is_left(self, kind):
        self.world.forget_facts()
        self.world.io_reset()
        self.world.drain_console()
        left = sandbox.left(self.world.baseline, SETTLE_S * self.world.patience)
        if left:
            self.problem(kind, ", ".join(sorted(left)))
            if kind == "leak":
                sandbox.clean(self.world.baseline)

    def container_must_be_usual(self):
        """Its program has run, in a container like any other."""
        told = bool(self.stderr.strip()) or self.world.notes() != self.world.usual_notes
        facts = self.world.wait_for_facts()
        if facts is None:
            self.problem("untrue", f"its program has not run; stderr {self.stderr!r}")
        elif facts != self.world.facts and not told:
            different = difference(self.world.facts, facts)
            # Where no cgroup may be made, containers without limits have none of their own.
            forbidden = self.fault is not None and self.fault.action in ("EPERM", "EACCES")
            if not forbidden or any("cgroup" not in line for line in different):
                self.problem("weaker", "; ".join(different))


def create(attempt):
    world = attempt.world
    attempt.traced(world.create_words())
    attempt.must_have_said_why()
    if attempt.succeeded:
        status = world.state().get("status")
        # Its first process may end by its own fault after create has: start tells.
        late = attempt.fault is not None and attempt.fault.process != "main" and status == "stopped"
        ret, _, stderr = world.run(*world.words("start", ID))
        if late and (ret == 0 or not stderr.strip()):
            attempt.problem("untrue", f"the container has stopped, and start returns {ret}")
        elif not late and (status != "created" or ret != 0):
            attempt.problem("untrue", f"state says {status}, start returns {ret}: {stderr}")
        elif not late:
            attempt.container_must_be_usual()
    elif attempt.failed:
        attempt.nothing_is_left("left")
        if world.mode == "full" and not world.has_device():
            attempt.problem("left", "the network device has not come back")
    attempt.delete()


def start(attempt):
    world = attempt.world
    world.must(*world.create_words())
    init = world.state().get("pid")
    if not init:
        raise Unfit("state knows no pid after create")
    attempt.traced(world.words("start", ID), [(init, "init")])
    attempt.must_have_said_why()
    if attempt.succeeded:
        killed = attempt.fault is not None and attempt.fault.process == "init" and attempt.fault.action == "KILL"
        if not killed or not attempt.outcome.reached:
            attempt.container_must_be_usual()
    attempt.delete()


def run_(attempt):
    world = attempt.world
    attempt.traced(world.words("run", "--bundle", f"{TOP}/bundle-run", *world.pivot(), ID))
    attempt.must_have_said_why()
    has_run = os.path.exists(f"{TOP}/out/run")
    if attempt.succeeded and not has_run:
        attempt.problem("untrue", f"its program has not run; stderr {attempt.stderr!r}")
    # A removal that failed, and said so, is like a delete that did.
    if attempt.succeeded or (attempt.failed and not has_run):
        attempt.nothing_is_left("left")
    attempt.delete()


def running(world):
    world.must(*world.create_words())
    world.must(*world.words("start", ID))


def exec_(attempt):
    world = attempt.world
    running(world)
    if world.wait_for_facts() is None:
        raise Unfit("the container's program did not run")
    before = sandbox.snapshot(by_pid=True) | {f"file {os.path.realpath(f'{TOP}/out')}/exec"}
    attempt.traced(world.words("exec", ID, "/bin/sh", "-c", "echo done >/out/exec"))
    attempt.must_have_said_why()
    if attempt.succeeded and not os.path.exists(f"{TOP}/out/exec"):
        attempt.problem("untrue", f"its program has not run; stderr {attempt.stderr!r}")
    new = sandbox.left(before, SETTLE_S * world.patience, by_pid=True)
    if new:
        attempt.problem("leak", "beside the container: " + ", ".join(sorted(new)))
    status = world.state().get("status")
    ret, _, stderr = world.run(*world.words("exec", ID, "/bin/true"))
    if status != "running" or ret != 0:
        attempt.problem("harmed", f"state says {status}, another exec returns {ret}: {stderr}")
    attempt.delete()


def _delete(attempt, *options):
    attempt.traced(attempt.world.words("delete", *options, ID))
    attempt.must_have_said_why()
    if attempt.succeeded:
        attempt.nothing_is_left("untrue")
    attempt.delete()


def delete(attempt):
    running(attempt.world)
    _delete(attempt, "--force")


def delete_created(attempt):
    attempt.world.must(*attempt.world.create_words())
    _delete(attempt)


def _running_as(attempt, *wanted):
    """The container is as it should be, and takes another exec where it runs."""
    world = attempt.world
    status = world.state().get("status")
    if status not in wanted:
        attempt.problem("harmed", f"state says {status}, not {' or '.join(wanted)}")
    if status == "running":
        ret, _, stderr = world.run(*world.words("exec", ID, "/bin/true"))
        if ret != 0:
            attempt.problem("harmed", f"exec returns {ret}: {stderr}")
    return status


def update(attempt):
    """All or nothing: limits, the device list, the record."""
    world = attempt.world
    running(world)
    before = world.limits()
    for name, resources in (("update", world.changed_resources()), ("back", world.usual_resources())):
        with open(f"{TOP}/{name}.json", "w", encoding="ascii") as file:
            json.dump(resources, file)
        os.chmod(f"{TOP}/{name}.json", 0o644)
    words = world.words("update", "--resources", f"{TOP}/update.json", ID)
    if world.changed is None:  # what it comes to without a fault
        world.must(*words)
        world.changed = world.limits()
        if world.changed == before:
            raise Unfit("an update changes nothing here")
        world.must(*world.words("delete", "--force", ID))
        running(world)
        before = world.limits()
    attempt.traced(words)
    attempt.must_have_said_why()
    found = world.limits()
    if attempt.succeeded and found != world.changed:
        attempt.problem("untrue", f"{found}, not {world.changed}")
    if attempt.failed and found != before:
        attempt.problem("half", f"{found}, not {before} as before; stderr {attempt.stderr!r}")
    if not attempt.succeeded:  # to what it was, whatever holds now, and then to what was meant
        back = world.words("update", "--resources", f"{TOP}/back.json", ID)
        for again, wanted in ((back, before), (words, world.changed)):
            ret, _, stderr = world.run(*again)
            found = world.limits()
            if ret != 0 or any(found[name] != wanted[name] for name in ("files", "devices")):
                attempt.problem("harmed", f"another update returns {ret}, {found}, not {wanted}: {stderr}")
    _running_as(attempt, "running")
    for name in ("update", "back"):
        os.unlink(f"{TOP}/{name}.json")
    attempt.delete()


def _paused(attempt, command, before, after, *options):
    world = attempt.world
    world.must(*world.words(*options, *world.create_words()[3:]))
    world.must(*world.words("start", ID))
    if before == "paused":
        world.must(*world.words("pause", ID))
    attempt.traced(world.words(command, ID))
    attempt.must_have_said_why()
    if attempt.succeeded:
        _running_as(attempt, after)
        if world.all_stopped() != (after == "paused"):
            attempt.problem("untrue", f"{command} succeeded, processes stopped: {world.all_stopped()}")
    elif _running_as(attempt, before, after) == "running" and world.all_stopped():
        attempt.problem("harmed", f"it shows running, and its processes stand still; stderr {attempt.stderr!r}")
    # Whatever it is now, it can be paused and go on.
    commands = ("pause", "resume") if world.state().get("status") == "running" else ("resume",)
    for again in commands:
        ret, _, stderr = world.run(*world.words(again, ID))
        if ret != 0 or world.all_stopped() != (again == "pause"):
            attempt.problem("harmed", f"{again} returns {ret}, processes stopped: {world.all_stopped()}: {stderr}")
    _running_as(attempt, "running")
    attempt.delete()


def pause(attempt):
    _paused(attempt, "pause", "running", "paused")


def resume(attempt):
    _paused(attempt, "resume", "paused", "running")


def pause_by_signal(attempt):
    _paused(attempt, "pause", "running", "paused", "--cgroup-manager", "disabled")


def resume_by_signal(attempt):
    _paused(attempt, "resume", "paused", "running", "--cgroup-manager", "disabled")


def _looked_at(attempt, pattern, *words):
    """A command that changes nothing, and prints something that matches."""
    world = attempt.world
    running(world)
    pid = world.state().get("pid")
    attempt.traced(world.words(*words))
    attempt.must_have_said_why()
    said = world.io_text("stdout")
    if attempt.succeeded and not re.search(pattern.replace("PID", str(pid)), said):
        attempt.problem("untrue", f"it prints {said!r}")
    _running_as(attempt, "running")
    attempt.delete()


def ps(attempt):
    _looked_at(attempt, r"^\[(\d+,)*PID(,\d+)*\]$", "ps", "--format", "json", ID)


def ps_table(attempt):
    _looked_at(attempt, r"(?m)^UID +P.D .*\n(.*\n)*\S+ +PID .*(sleep|sh)", "ps", ID)


def events(attempt):
    _looked_at(attempt, r'^\{"type":"stats","id":"' + ID + r'","data":\{.*"cpu":\{.*\}\}\n$', "events", "--stats", ID)


STREAMED = 2  # lines of a stream, before its container ends
STREAM_INTERVAL_MS = 100


def _is_event(line):
    try:
        event = json.loads(line)
        return event["id"] == ID and (event["type"] == "oom" or (event["type"] == "stats" and "cpu" in event["data"]))
    except (ValueError, KeyError):
        return False


def events_stream(attempt):
    """Lines at an interval, until the container ends, or the command."""
    world = attempt.world
    running(world)
    pid = world.state().get("pid")
    world.io_reset()  # or what state has said would count
    ended = threading.Event()
    end = threading.Thread(target=_end_after_lines, args=(pid, ended))
    end.start()
    attempt.traced(world.words("events", "--interval", f"{STREAM_INTERVAL_MS}ms", ID))
    ended.set()
    end.join()
    attempt.must_have_said_why()
    said = world.io_text("stdout")
    # Killed in the midst of a write(2), or with an error of one: a line may be none.
    for line in said.split("\n")[:None if attempt.succeeded else -1]:
        if line and not _is_event(line):
            attempt.problem("untrue", f"it prints {line!r}")
    if attempt.succeeded and (not said.endswith("\n") or said.count("\n") < STREAMED):
        attempt.problem("untrue", f"the stream has ended after {said!r}")
    deadline = time.monotonic() + SETTLE_S * world.patience
    while (status := world.state().get("status")) == "running" and time.monotonic() < deadline:
        time.sleep(0.005)
    if status != "stopped":
        attempt.problem("harmed", f"state says {status}, not stopped")
    attempt.delete()


def _end_after_lines(pid, ended):
    """End the container when the stream has its lines, or there is nobody who makes them."""
    while World.io_text("stdout").count("\n") < STREAMED and not ended.wait(0.005):
        pass
    os.kill(pid, signal.SIGKILL)


SCENARIOS = {"create": create, "start": start, "exec": exec_, "delete": delete, "delete-created": delete_created,
             "run": run_, "update": update, "pause": pause, "resume": resume, "pause-by-signal": pause_by_signal,
             "resume-by-signal": resume_by_signal, "ps": ps, "ps-table": ps_table, "events": events, "events-stream": events_stream}
# What needs a limit, and what can't have one.
ROOTS_ALONE, USERS_ALONE = ("update", "events", "events-stream"), ("pause-by-signal", "resume-by-signal")
# The other modes differ from root's in create alone, or nearly.
OF_MODE = {
    "root": tuple(name for name in SCENARIOS if name not in USERS_ALONE),
    "user": tuple(name for name in SCENARIOS if name not in ROOTS_ALONE),
    "subids": ("create", "start", "exec", "delete", "delete-created", "run"),
    "join": ("create",), "terminal": ("create",), "no-pivot": ("create",), "chroot": ("create", "exec"),
    "full": ("create", "run"), "user-full": ("create",),
    **dict.fromkeys(SCOPE_MODES, ("create", "start", "exec", "update", "delete", "delete-created", "run", "events", "events-stream"))}


def run(world, scenario, fault, verbose=False):
    """One attempt. Whatever it leaves, the next one starts from a clean machine."""
    attempt = Attempt(world, fault, verbose)
    world.forget_facts()
    world.prepare()
    try:
        SCENARIOS[scenario](attempt)
    except BaseException:
        sandbox.clean(world.baseline)
        raise
    finally:
        world.drain_console()
    return attempt
