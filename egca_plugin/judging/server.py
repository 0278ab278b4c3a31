"""The process in which a trusted worker has its samples judged: what tests do to their process never reaches it.

Started by :mod:`egca_plugin.judging.client` with a fixed hash seed, its standard streams closed and a folder of its
own. Tests that by their source leave their process as they found it (:mod:`egca_plugin.judging.purity`) are run here.
Any others get a fork, which ends with the verdict, and is watched:

* the judge runs the tests and answers on the server's socket, as the last thing it does;
* the kernel bounds CPU time and address space, here and there, which nothing in C can hold up;
* whatever of a fork is left when it has answered, or hangs, is killed with its process group.

Each fork copies the table of every page, so what is imported here is paid for by those samples. No candidate's code
ever runs in either.
"""

from __future__ import annotations

import builtins
import gc
import math
import mmap
import os
import random
import resource
import select
import shutil
import signal
import socket
import sys
import time
import warnings
from importlib import import_module
from typing import Any, NoReturn

from egca_plugin.errors import TaskError
from egca_plugin.judging import messages, quiet
from egca_plugin.judging.checks import Checks
from egca_plugin.judging.clock import TestsClock
from egca_plugin.judging.foresight import Ahead, Foresight
from egca_plugin.judging.messages import Answer, Job, Said
from egca_plugin.judging.seeds import TestsSeeds
from egca_plugin.judging.trial import Trial
from egca_plugin.sandbox.layers import address_space, die_with_parent, tidy_heap
from egca_plugin.sandbox.outside.link import Control, ZygoteLost
from egca_plugin.sandbox.outside.session import Session
from egca_plugin.types import Outcome, Verdict

MEMORY_MB = 2048  # address space of a judge beyond the server's own
GROWTH_MB = 256  # resident, by which a server may grow with the values it has seen before another takes its place
MAX_FILE_MB = 64  # of what tests write
# What tests may import once for all judges; more would cost every fork its pages.
WARM = frozenset({
    "bisect", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq", "itertools", "json",
    "math", "operator", "random", "re", "string", "typing", "unittest",
})  # fmt: skip
_WRITING, _SAID = 1, 2  # how far the answer of a fork has got


def main(fd: int) -> NoReturn:
    """Answer jobs on ``fd`` until it closes."""
    sock = socket.socket(fileno=fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other side decides when to stop
    folder, sys.path[:] = messages.receive(sock)[0]
    os.chdir(folder)
    os.environ["TMPDIR"] = folder
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # what the module `site` would add
    messages.send(sock, "ready")
    os.dup2(1, 2)  # to nowhere, now that nothing is left to go wrong at the start
    server = _Server(sock, folder)
    try:
        while True:
            server.answer(*messages.receive(sock))
    except (EOFError, ConnectionError):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


class _Server:
    def __init__(self, sock: socket.socket, folder: str) -> None:
        self._socket, self._folder = sock, folder
        self._progress = mmap.mmap(-1, 1)  # shared with the judge
        self._checks: Checks | None = None
        self._foresight = Foresight()
        self._imported: set[str] = set()
        self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        warnings.simplefilter("ignore", SyntaxWarning)  # of the tests' sources
        _limit(0, resource.RLIMIT_FSIZE, MAX_FILE_MB << 20)
        _limit(0, resource.RLIMIT_CORE, 0)
        self._settle()

    def answer(self, job: Job, descriptors: list[int]) -> None:
        """Have one job judged. Raises EOFError where nobody waits for it any more."""
        if job.checks is not None:
            self._prepare(job.checks)
        assert self._checks is not None
        control = None if job.loan is None else Control(socket.socket(fileno=descriptors[0]), job.loan)
        try:
            session = _open(job, control)
        except (ZygoteLost, OSError) as err:
            messages.send(self._socket, _lost(err))
            return
        try:
            if self._checks.pure:
                answer = self._judged_here(job, control, session, self._checks)
                messages.send(self._socket, messages.as_last(answer) if self._resident() > self._most else answer)
            else:
                self._fork(job, control, session, self._checks)
        finally:
            session.disown()
            if control is not None:
                control.disown()

    def _judged_here(self, job: Job, control: Control | None, session: Any, checks: Checks) -> Answer:
        """By tests that may run twice, so the calls that are foreseen of them are sent ahead."""
        if control is None:  # a server runs the program
            return _bounded(job, control, session, checks)
        _allow(job)
        ahead = Ahead(session, self._foresight.plan(checks, job.seed, job.patience_s))
        answer = _bounded(job, control, ahead, checks)
        if ahead.differed is None:
            return answer
        self._foresight.shorten(checks, job.seed, ahead.differed)
        try:
            return _bounded(job, control, _open(job, control), checks)
        except (ZygoteLost, OSError) as err:
            return _lost(err)

    def _prepare(self, checks: Checks) -> None:
        self._checks = checks
        new = WARM & set(checks.imports) - self._imported
        if new:
            for name in new:
                import_module(name)
            self._imported |= new
            self._settle()

    def _settle(self) -> None:
        """Leave the forks' collector and allocator nothing to put in order, and the memory that is theirs."""
        gc.collect()
        tidy_heap()
        gc.freeze()
        self._most = self._resident() + (GROWTH_MB << 20)
        _limit(0, resource.RLIMIT_AS, address_space() + (MEMORY_MB << 20))

    def _resident(self) -> int:
        """Bytes of memory that this process takes."""
        return int(os.pread(self._statm, 64, 0).split()[1]) * resource.getpagesize()

    def _fork(self, job: Job, control: Control | None, session: Any, checks: Checks) -> None:
        self._progress[0] = 0
        try:
            pid = quiet.fork()
        except OSError as err:
            messages.send(self._socket, _lost(err))
            return
        if pid == 0:
            self._judge(job, control, session, checks)
        os.setpgid(pid, pid)
        _limit(pid, resource.RLIMIT_CPU, _cpu_limit(job))
        session.disown()
        self._watch(pid, job)

    def _judge(self, job: Job, control: Control | None, session: Any, checks: Checks) -> NoReturn:
        """In the fork."""
        try:
            die_with_parent()
            answer = _judged(job, control, session, checks)
            self._progress[0] = _WRITING
            messages.send(self._socket, answer)
            self._progress[0] = _SAID
        finally:
            os._exit(1)

    def _watch(self, pid: int, job: Job) -> None:
        """Until the judge has answered, or answer for it."""
        pidfd = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(self._socket, select.POLLIN)  # the next job, or the end of whoever waits for this one
        events = poll.poll(job.wall_s * 1e3)
        os.close(pidfd)
        status, cpu_s = _end(pid)
        self._sweep()
        if any(fd == self._socket.fileno() for fd, _ in events) or self._progress[0] == _SAID:
            return
        if self._progress[0] == _WRITING:
            raise EOFError  # half an answer is out: only a new server can be understood
        messages.send(self._socket, _obituary(job, status, cpu_s, late=not events))

    def _sweep(self) -> None:
        """Away with the files that tests have left."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def _limit(pid: int, kind: int, most: int) -> None:
    """The soft limit, which kills (0: this process); the hard one stays, so that it can be raised again."""
    hard = resource.prlimit(pid, kind)[1]
    resource.prlimit(pid, kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _allow(job: Job) -> None:
    """This process so much CPU time from now on."""
    _limit(0, resource.RLIMIT_CPU, math.ceil(time.process_time()) + _cpu_limit(job))


def _bounded(job: Job, control: Control | None, session: Any, checks: Checks) -> Answer:
    """In this process, which is ended where the tests take too long."""
    _allow(job)
    return _judged(job, control, session, checks)


def _open(job: Job, control: Control | None) -> Any:
    if control is not None:
        return Session(control, job.source, job.timeout_s, seed=job.seed, budget=None, memory_mb=job.memory_mb)
    from egca_plugin.sandbox.outside.remote import RemoteSandbox, RemoteSession

    assert job.config is not None
    return RemoteSession(RemoteSandbox(job.config), job.source, job.timeout_s, job.seed)


def _judged(job: Job, control: Control | None, session: Any, checks: Checks) -> Answer:
    random.seed(job.seed)  # also what :mod:`egca_plugin.judging.purity` counts on
    try:
        try:
            # Never in the server itself: such tests get a fork.
            worlds = (*([TestsClock(job.seed)] if checks.timed else ()), *([TestsSeeds()] if checks.seeded else ()))
            trial = Trial(session, checks, job.patience_s, vacuous=job.vacuous, worlds=worlds)
            answer = Answer(Said.VERDICT, trial.verdict())
        finally:
            session.close()
    except TaskError as err:
        answer = Answer(Said.BAD_TASK, reason=str(err))
    except ZygoteLost as err:
        return _lost(err)
    except MemoryError:
        answer = Answer(Said.VERDICT, Verdict(Outcome.MEMORY, 0, checks.total, detail="the tests ran out of memory"))
    return answer if control is None else messages.with_status(answer, control.owes_status)


def _lost(err: Exception) -> Answer:
    return Answer(Said.LOST, reason=f"{type(err).__name__}: {err}")


def _cpu_limit(job: Job) -> int:
    """Whole seconds, which is what the kernel counts in; the judge's own patience ends before."""
    return math.ceil(job.patience_s) + 1


def _end(pid: int) -> tuple[int, float]:
    """Kill the judge with all that it started: its wait status, which is its own if it has ended before, and CPU."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # it has not become a group leader yet, or is a zombie already
    _, status, usage = os.wait4(pid, 0)
    return status, usage.ru_utime + usage.ru_stime


def _obituary(job: Job, status: int, cpu_s: float, *, late: bool) -> Answer:
    if late:
        return Answer(Said.SPENT, reason=f"the tests came to no end within {job.wall_s:g} s")
    if os.WIFEXITED(status):
        return Answer(Said.LEFT, reason=f"the tests ended their own process with status {os.WEXITSTATUS(status)}")
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_s >= _cpu_limit(job)):
        return Answer(Said.SPENT, reason=f"the tests took {cpu_s:.1f} s of CPU time over the answers")
    return Answer(Said.DIED, reason=f"the judge died by {signal.Signals(number).name}")
