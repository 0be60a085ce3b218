#!/usr/bin/env python3
"""faults.py - every system call of a command fails once; nothing may be left.

  faults.py [OPTION...] RUNTIME...
  make faults [RUNTIME="..."] [FAULTSFLAGS="OPTION..."]

RUNTIME is moss or another runtime with runc's command line; several are compared in one table.
Needs: root, x86_64, Linux 5.14 or newer, libseccomp, busybox-static; uidmap for the mode "subids".

  --modes LIST      of root, join (a network namespace by path), terminal (a console socket),
                    no-pivot, chroot (no mount namespace of its own), full (all kinds of mounts, network
                    devices, clocks, sysctls), user (a normal user, one id), subids (several, by
                    newuidmap), user-full; default: all. With --booted: scope (systemd makes the cgroup),
                    scope-user (the user's own systemd does)
  --scenarios LIST  of create, start, exec, delete (--force, running), delete-created, run, update (limits and device list),
                    pause, resume, pause-by-signal, resume-by-signal (without a cgroup), ps (json), ps-table, events
                    (--stats), events-stream; default: all
  --one FAULT       this one alone, with the calls that were made around it; a failure prints it
  --booted          the machine is one for tests alone, which systemd has booted: the modes scope and
                    scope-user; what must not be left includes units. One worker, no sandbox
  --sample N        about N runs instead of all: one of so many parts, which the --seed picks
  --seed TEXT       default: $MOSS_COMMIT, so that commits take turns
  --jobs N          workers; default: the processors
  --user NAME       the normal user; default $MOSS_TEST_USER or moss-test, made when it is missing
  --seconds N       hand out no more runs after that time; what is left is a skip
  --list            only count the calls
  --limit N         show this many failures (default 40)

A fault is MODE/SCENARIO/PROCESS:CALL:NUMBER:WHAT: in a container of this mode, the NUMBERth CALL
that this process makes during the command. "main" is the command, "main.1" the first process that
it makes, and so on; "init" the container's first process, while it waits for start. WHAT is an
errno, which the call then fails with, or KILL: SIGKILL when it is about to make it. First the
calls are counted without a fault, in threads of one process together.

Each worker lives in a small machine of its own (sandbox.py). After every run `delete --force` must
succeed and nothing may be left there; what else is asked for is in scenarios.py. The results are
lines "ok - NAME", "not ok - NAME" or "skip - NAME # REASON", one for each mode and scenario (a
command that the runtime does not have is a skip); then a table. Exit status: 0, 1 when a run
failed, 2 when nothing could be run.

A fault that was "not reached" is none: the command went another way this time (a poll more or
less, a race). Few are normal; with a runtime in Go, many.
"""
import argparse
import collections
import multiprocessing
import multiprocessing.connection
import os
import platform
import pwd
import shutil
import signal
import subprocess
import sys
import time
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import booted
import sandbox
import scenarios
import tracer
import world

KINDS = (*scenarios.KINDS, "harness")
Result = collections.namedtuple("Result", "job reached status problems seconds said")
Job = collections.namedtuple("Job", "mode scenario fault")


def job_text(job):
    return f"{job.mode}/{job.scenario}/" + ":".join(str(word) for word in job.fault)


def job_of(text):
    mode, scenario, fault = text.split("/", 2)
    process, call, number, action = fault.split(":")
    return Job(mode, scenario, tracer.Fault(process, call, int(number), action))


# ---- the worker's side

class Worker:
    """Lives in a sandbox, in one world at a time, and does what the other end of the pipe says."""

    def __init__(self, pipe, runtime, user):
        self.pipe, self.user, self.here = pipe, user, None
        # Read before /tmp is covered, and put where the normal user can reach it. It is root's.
        paths = [runtime]
        if sandbox.booted():  # systemd is spoken with by a program beside it
            paths += [path for path in (f"{os.path.dirname(runtime)}/moss-scope",) if os.path.exists(path)]
        self.binaries = {}
        for path in paths:
            with open(path, "rb") as file:
                self.binaries[os.path.basename(path)] = file.read()
        self.name = os.path.basename(runtime)

    def enter(self, mode):
        """Make the world of this mode, alone in the sandbox."""
        if self.here is not None and self.here.mode == mode:
            return self.here
        self.here = None
        sandbox.libc.umount2(world.NETWORK.encode(), 2)
        if sandbox.booted():
            shutil.rmtree(world.TOP, ignore_errors=True)
        else:
            sandbox.wipe()
        os.makedirs(f"{world.TOP}/bin")
        for name, content in self.binaries.items():
            with open(f"{world.TOP}/bin/{name}", "wb") as file:
                file.write(content)
            os.chmod(f"{world.TOP}/bin/{name}", 0o755)
        path = f"{world.TOP}/bin/{self.name}"
        if sandbox.booted():
            self.here = world.World(path, mode, self.user)
            return self.here
        user = pwd.getpwnam(self.user)
        owner = (user.pw_uid, user.pw_gid) if mode in world.USER_MODES else (0, 0)
        sandbox.own_cgroup_is_of(*owner)
        self.here = world.World(path, mode, self.user)
        return self.here

    def answer(self, kind, job):
        there = self.enter(job.mode)
        if kind == "fit":
            return there.features, there.refused
        if kind == "count":
            attempt = scenarios.run(there, job.scenario, None)
            if attempt.outcome.status != 0 or attempt.problems:
                raise world.Unfit(f"without any fault: status {attempt.outcome.status}, "
                                  f"{attempt.problems} {attempt.stderr.strip()}")
            return attempt.outcome.calls
        attempt = scenarios.run(there, job.scenario, job.fault, kind == "show")
        if kind == "show":
            print("\n".join(attempt.outcome.log))
        return Result(job, attempt.outcome.reached, attempt.outcome.status, attempt.problems,
                      attempt.outcome.seconds, attempt.stderr)

    def serve(self):
        while True:
            kind, job = self.pipe.recv()
            if kind == "end":
                return
            try:
                self.pipe.send(self.answer(kind, job))
            except world.Unfit as why:
                self.pipe.send(why)


# ---- the run's side

class Pool:
    """Workers, each with its pipe."""

    def __init__(self, runtime, user, count, cgroups):
        self.pipes, self.pids = [], []
        for number in range(count):
            ours, theirs = multiprocessing.Pipe()
            worker = Worker(theirs, runtime, user)
            if sandbox.booted():
                self.pids.append(sandbox.worker(worker.serve))
            else:
                self.pids.append(sandbox.enter(cgroups.make(f"{os.path.basename(runtime)}-{number}"), worker.serve))
            theirs.close()
            self.pipes.append(ours)

    def ask(self, kind, job):
        self.pipes[0].send((kind, job))
        return self.pipes[0].recv()

    def run(self, jobs, take, seconds):
        """Hand the jobs out, in order; take(job, answer) gets the results. Returns how many are left."""
        waiting = collections.deque(jobs)
        deadline = time.monotonic() + seconds
        busy = {}
        for pipe in self.pipes:
            if waiting:
                busy[pipe] = waiting.popleft()
                pipe.send(("try", busy[pipe]))
        while busy:
            for pipe in multiprocessing.connection.wait(list(busy)):
                try:
                    answer = pipe.recv()
                except (EOFError, ConnectionResetError):
                    answer = None
                take(busy.pop(pipe), answer)
                if waiting and answer is not None and time.monotonic() < deadline:
                    busy[pipe] = waiting.popleft()
                    pipe.send(("try", busy[pipe]))
        return len(waiting)

    def close(self):
        for pipe in self.pipes:
            try:
                pipe.send(("end", None))
            except BrokenPipeError:
                pass
        for pid in self.pids:
            os.waitpid(pid, 0)


class Tally:
    """What came out for one mode and scenario."""

    def __init__(self):
        self.calls = self.errors = self.kills = self.unreached = self.failed = 0
        self.slowest = 0.0
        self.kinds = collections.Counter()


class Run:
    """All modes and scenarios with one runtime."""

    def __init__(self, runtime, options, cgroups):
        self.runtime, self.options = runtime, options
        self.name = os.path.basename(runtime)
        self.pool = Pool(runtime, options.user, options.jobs, cgroups)
        self.tallies = collections.defaultdict(Tally)
        self.skipped = {}
        self.done = self.failed = 0

    def plan(self):
        """Count the calls; return the jobs."""
        jobs, told = [], set()
        for mode in self.options.modes:
            fit = self.pool.ask("fit", Job(mode, None, None))
            if isinstance(fit, world.Unfit):
                self.skipped[mode] = str(fit)
                continue
            for feature, why in fit[1].items():
                if (feature, why.partition("msg=")[2]) not in told:
                    print(f"# {self.name} {mode}: without {feature}: {why}")
                told.add((feature, why.partition("msg=")[2]))
            for scenario in self.options.scenarios:
                if scenario in scenarios.OF_MODE[mode]:
                    jobs += self.count(mode, scenario)
        return jobs

    def count(self, mode, scenario):
        calls = self.pool.ask("count", Job(mode, scenario, None))
        if isinstance(calls, world.Unfit):
            self.skipped[f"{mode} {scenario}"] = str(calls)
            return []
        self.tallies[mode, scenario].calls = len(calls)
        by_process = collections.Counter(call.process for call in calls)
        print(f"# {self.name} {mode} {scenario}: {len(calls)} calls: " +
              ", ".join(f"{process} {count}" for process, count in by_process.items()))
        jobs = []
        for call in calls:
            errors = call.errors[:1] if self.options.sample else call.errors
            jobs += [Job(mode, scenario, tracer.Fault(*call[:3], action)) for action in (*errors, "KILL")]
        return jobs

    def sample(self, jobs):
        if not self.options.sample or len(jobs) <= self.options.sample:
            return jobs
        step = -(-len(jobs) // self.options.sample)
        turn = zlib.crc32(self.options.seed.encode()) % step
        print(f"# {self.name}: a sample, number {turn} of the {step} parts of {len(jobs)} runs, "
              f"by --seed {self.options.seed!r}")
        return [job for job in jobs if zlib.crc32(job_text(job).encode()) % step == turn]

    def take(self, job, answer):
        tally = self.tallies[job.mode, job.scenario]
        if answer is None or isinstance(answer, world.Unfit):  # what went well before, without a fault
            why = f"the run before has left its mark: {answer}" if answer else "the worker died: see above"
            answer = Result(job, True, None, [("harness", why)], 0, "")
        if not answer.reached:
            tally.unreached += 1
        elif job.fault.action == "KILL":
            tally.kills += 1
        else:
            tally.errors += 1
        tally.slowest = max(tally.slowest, answer.seconds)
        self.done += 1
        if self.done % 500 == 0:
            print(f"# {self.name}: {self.done} runs, {self.failed} failed")
        if answer.problems:
            tally.failed += 1
            self.failed += 1
            self.show(answer)
            for kind in {kind for kind, _ in answer.problems}:
                tally.kinds[kind] += 1

    def all(self):
        try:
            jobs = self.plan()
            if not self.options.list:
                left = self.pool.run(self.sample(jobs), self.take, self.options.seconds)
                if left > 0:
                    self.skipped[f"{left} runs"] = f"no more after {self.options.seconds} s, or all workers died"
        finally:
            self.pool.close()
        return self

    # ---- telling

    def show(self, failure):
        if self.failed > self.options.limit:
            return
        lines = [f"FAILED {job_text(failure.job)}: status {failure.status}"]
        lines += [f"  {kind}: {text}" for kind, text in failure.problems]
        lines += [f"  stderr: {failure.said.strip()[-300:]}"] if failure.said else []
        lines.append(f"  again: {self.command(failure.job)}")
        for line in lines:
            print("# " + " ".join(line.split("\n")))

    def report(self):
        if self.failed > self.options.limit:
            print(f"# and {self.failed - self.options.limit} more failed (--limit)")
        for (mode, scenario), tally in self.tallies.items():
            said = f"{self.name} {mode} {scenario}: {tally.errors} errors, {tally.kills} kills"
            if tally.failed:
                print(f"not ok - {said}: {tally.failed} failed")
            elif tally.errors + tally.kills > 0:
                print(f"ok - {said}")
        for what, why in self.skipped.items():
            print(f"skip - {self.name} {what} # {' '.join(why.split())}")

    def command(self, job):
        runtime = "" if self.name == "moss" else f" RUNTIME={self.runtime}"
        if sandbox.booted():
            return f"make faults-guest FAULTSFLAGS='--one {job_text(job)}'"
        return f"make faults{runtime} FAULTSFLAGS='--one {job_text(job)}'"


def print_table(runs):
    """One line for each mode and scenario, one column block for each runtime."""
    head = ("runtime", "mode", "scenario", "calls", "errors", "kills", "missed", "failed", *KINDS, "slowest")
    rows = [head]
    for run in runs:
        total = Tally()
        lines = []
        for (mode, scenario), tally in run.tallies.items():
            lines.append((mode, scenario, tally))
            for name in ("calls", "errors", "kills", "unreached", "failed"):
                setattr(total, name, getattr(total, name) + getattr(tally, name))
            total.kinds.update(tally.kinds)
            total.slowest = max(total.slowest, tally.slowest)
        for mode, scenario, tally in [*lines, ("all", "", total)]:
            counts = (tally.calls, tally.errors, tally.kills, tally.unreached, tally.failed)
            rows.append((run.name, mode, scenario, *counts, *(tally.kinds[kind] for kind in KINDS),
                         f"{tally.slowest:.1f}s"))
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(head))]
    for row in rows:
        print("# " + "  ".join(str(cell).rjust(width) if column > 2 else str(cell).ljust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))))


def show(runtime, options, cgroups):
    """--one: with the calls of all processes."""
    job = job_of(options.one)
    pool = Pool(runtime, options.user, 1, cgroups)
    answer = pool.ask("show", job)
    pool.close()
    if isinstance(answer, world.Unfit):
        print(answer)
        return 2
    print(f"status {answer.status}, {'reached' if answer.reached else 'not reached'}, {answer.seconds:.2f} s")
    print(f"stderr: {answer.said.strip()}")
    for kind, text in answer.problems:
        print(f"{kind}: {text}")
    print(f"{'not ok' if answer.problems else 'ok'} - {options.one}")
    return 1 if answer.problems else 0


def words_of(allowed):
    def split(text):
        words = text.split(",")
        for word in words:
            if word not in allowed:
                raise argparse.ArgumentTypeError(f"{word}: not one of {', '.join(allowed)}")
        return words
    return split


def options_of(arguments):
    parser = argparse.ArgumentParser(usage="faults.py [OPTION...] RUNTIME...", add_help=False)
    parser.add_argument("--help", action="store_true")
    parser.add_argument("--modes", type=words_of(world.World.MODES), default=None)
    parser.add_argument("--booted", action="store_true")
    parser.add_argument("--scenarios", type=words_of(scenarios.SCENARIOS), default=list(scenarios.SCENARIOS))
    parser.add_argument("--one")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", default=os.environ.get("MOSS_COMMIT", "0"))
    parser.add_argument("--seconds", type=int, default=10**6)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--user", default=os.environ.get("MOSS_TEST_USER", "moss-test"))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("runtimes", nargs="*")
    options = parser.parse_args(arguments)
    if options.help or not options.runtimes:
        print(__doc__)
        raise SystemExit(0 if options.help else 2)
    if options.modes is None:
        options.modes = [mode for mode in world.World.MODES if (mode in world.SCOPE_MODES) == options.booted]
    if options.booted:
        options.jobs = 1
    return options


def why_not(options):
    """What is missing here, or None."""
    if platform.machine() != "x86_64":
        return f"{platform.machine()}: the registers of x86_64 alone are known"
    if os.geteuid() != 0:
        return "needs root: private namespaces, and following set-user-id programs"
    if not shutil.which("busybox"):
        return "busybox is not installed"
    return booted.why_not() if options.booted else None


def main(arguments):
    options = options_of(arguments)
    sys.stdout.reconfigure(line_buffering=True)
    missing = why_not(options)
    if missing is not None:
        print(f"skip - all # {missing}")
        return 0
    try:
        pwd.getpwnam(options.user)
    except KeyError:
        print(f"# the user {options.user} is made (and kept) for these tests")
        subprocess.run(["useradd", "-m", "-s", "/bin/bash", options.user], check=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.booted:
        sandbox.be(booted.Machine(world.TOP, f"moss-{world.ID}", pwd.getpwnam(options.user)))
        cgroups = None
    else:
        cgroups = sandbox.Cgroups()
    try:
        paths = [os.path.realpath(shutil.which(runtime) or runtime) for runtime in options.runtimes]
        if options.one:
            return show(paths[0], options, cgroups)
        runs = [Run(path, options, cgroups).all() for path in paths]
    finally:
        if options.booted:
            shutil.rmtree(world.TOP, ignore_errors=True)
        else:
            cgroups.remove()
    for run in runs:
        run.report()
    print_table(runs)
    if not any(tally.errors + tally.kills for run in runs for tally in run.tallies.values()) and not options.list:
        return 2
    return 1 if any(run.failed for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
