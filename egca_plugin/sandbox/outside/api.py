"""``Sandbox``: run programs that nobody trusts, and get values back.

    with Sandbox() as sandbox:
        (result,) = sandbox.run_calls("def f(x): return x + 1", [call("f", 41)])
        assert wire.decode(result.value) == 42

The candidate's process sees the program and the call arguments. Whatever decides whether the values are right must stay
on this side: never pass a test, an expected value or a reference.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, TracebackType
from typing import Any

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import SandboxError
from egca_plugin.sandbox import isolation, wire
from egca_plugin.sandbox.outside import frames, scripts
from egca_plugin.sandbox.outside.companions import Companions
from egca_plugin.sandbox.outside.launch import Zygote
from egca_plugin.sandbox.outside.link import ZygoteLost, deadline_of
from egca_plugin.sandbox.outside.records import Budget, Record
from egca_plugin.sandbox.outside.session import Session
from egca_plugin.types import Call, CallResult, RawTrace

ATTEMPTS = 3  # on fresh zygotes, before the infrastructure is said to have failed
WINDOW = 8  # programs of a batch that are sent ahead

logger = logging.getLogger(__name__)


def call(function: str, /, *args: Any, **kwargs: Any) -> Call:
    """``function(*args, **kwargs)`` as data. Raises WireError for arguments that cannot cross."""
    return Call(function, wire.encode((args, kwargs), objects=True))


class Sandbox:
    """One zygote, one program at a time; a context manager, not thread-safe. The zygote starts with the first program,
    and a second one with the first that names one of ``config.packages``.

    Programs that ask for another ``seed`` get a zygote of their own, whose hash seed it is. Every method raises
    SandboxError when the infrastructure fails ATTEMPTS times, and IsolationError when the host offers less isolation
    than ``config.require``; nothing that a program does raises.
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config or SandboxConfig()
        self._zygotes: dict[tuple[int, bool], Zygote] = {}  # by hash seed, and whether it has the packages
        self.companions = Companions()
        self.restarts = 0  # zygotes that were lost and replaced
        self._cpu_s = 0.0  # of the children of zygotes that are gone

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, program: str | CodeType = "", *, seed: int = 0) -> Zygote:
        """The running zygote for ``program``: with the packages imported where it names one, since each fork of that
        one costs more. Raises IsolationError or SandboxError if none can be had, ConfigError for packages that cannot.
        """
        warm = frames.mentions(program, self.config.packages)
        if (seed, warm) not in self._zygotes:
            zygote = Zygote(isolation.settings(self.config, warm=warm), seed)
            try:
                isolation.enforce(self.config.require, zygote.hello["missing"])
            except BaseException:  # an interrupt too leaves no zygote behind; raised again
                zygote.close()
                raise
            self._zygotes[seed, warm] = zygote
        return self._zygotes[seed, warm]

    @property
    def cpu_s(self) -> float:
        """CPU time of all children whose end is known; of the last one it is, once the next has begun."""
        return self._cpu_s + sum(zygote.children_cpu_s for zygote in self._zygotes.values())

    def replace(self, err: ZygoteLost) -> None:
        """The next program starts a new zygote."""
        logger.warning("egca: %s; its program runs again on a new one", err)
        self.restarts += 1
        self._end_zygotes()

    def close(self) -> None:
        """End the zygote and whatever runs in it."""
        self.companions.close()
        self._end_zygotes()

    def _end_zygotes(self) -> None:
        while self._zygotes:
            zygote = self._zygotes.popitem()[1]
            self._cpu_s += zygote.children_cpu_s
            zygote.close()

    @contextmanager
    def lend(self, seed: int, program: str) -> Iterator[Zygote]:
        """The zygote for ``program``, for :meth:`Control.lend`: a process of our own speaks to it.

        Raises ZygoteLost, replaced.
        """
        try:
            yield self.start(program, seed=seed)
        except ZygoteLost as err:
            self.replace(err)
            raise

    @contextmanager
    def session(
        self, source: str | CodeType, *, timeout_s: float | None = None, seed: int = 0, budget: Budget | None = None
    ) -> Iterator[Session]:
        """The program, for calls one by one. They raise ZygoteLost when the infrastructure fails: start over."""
        session: Session | None = None
        try:
            zygote = self.start(source, seed=seed)  # a cold start is not the program's time
            session = Session(zygote, source, self._timeout_s(timeout_s), seed=seed, budget=budget)
            yield session
        except ZygoteLost as err:
            self.replace(err)
            raise
        finally:
            if session is not None:
                session.close()

    def run_calls(
        self, source: str | CodeType, calls: Sequence[Call], *, timeout_s: float | None = None, seed: int = 0
    ) -> tuple[CallResult, ...]:
        """Execute the program once and make the calls in order, all in one child.

        ``timeout_s``: CPU time for all of it. A program that cannot be loaded gives every call that failure; after a
        timeout or death, the calls that were not reached share it.
        """
        return tuple(record.result for record in self._run(source, calls, timeout_s, seed, None))

    def run_script(self, program: str | CodeType, stdin: bytes, /, **limits: Any) -> scripts.ScriptResult:
        """Run a whole program as ``__main__`` on standard input; see :func:`egca_plugin.sandbox.outside.scripts.run`.

        Raises ZygoteLost where the others raise SandboxError, of which it is one.
        """
        return scripts.run(self, program, stdin, **limits)

    def trace(
        self,
        program: str | CodeType,
        calls: Sequence[Call],
        *,
        max_events: int = 20_000,
        max_steps: int = 100_000,
        max_bytes: int = 4 << 20,
        timeout_s: float | None = None,
    ) -> tuple[RawTrace, ...]:
        """Like :meth:`run_calls` for an instrumented program; the budgets are each call's own."""
        records = self._run(program, calls, timeout_s, 0, Budget(max_events, max_steps, max_bytes))
        return tuple(record.trace() for record in records)

    def run_batch(
        self, programs: Sequence[str | CodeType], calls: Sequence[Call], *, steps: int, cpu_s: float
    ) -> Generator[tuple[CallResult, ...], None, None]:
        """The same calls for many variants of *one* candidate, in one child, a fresh namespace each.

        ``steps`` bounds the calls of ``__egca_step`` in each call; ``cpu_s`` is each program's CPU time, after
        which the rest go on in a new child. Close the iterator to stop early. The variants trust each other: between
        them the interpreter's visible state is put back, which a determined program can escape, so confirm what matters
        with :meth:`run_calls`. Raises SandboxError when the infrastructure fails ATTEMPTS times over one program.
        """
        done = 0
        budget = Budget(max_events=0, max_steps=steps, max_bytes=0)
        lost = 0
        while done < len(programs):
            try:
                for results in self._batch(programs[done:], calls, budget, cpu_s):
                    done += 1
                    lost = 0
                    yield results
            except ZygoteLost as err:
                self.replace(err)
                lost += 1
                if lost == ATTEMPTS:
                    raise SandboxError(f"the sandbox failed {ATTEMPTS} times in a row: {err}") from err

    def _batch(
        self, programs: Sequence[str | CodeType], calls: Sequence[Call], budget: Budget, cpu_s: float
    ) -> Iterator[tuple[CallResult, ...]]:
        """As many programs as one child survives."""
        if scripts.are_runs(calls):
            yield from self._batch_of_runs(programs, calls, budget, cpu_s)
            return
        child = self.start(programs[0]).run()
        asks = [frames.call(one) for one in calls]
        try:
            for program in programs[:WINDOW]:
                child.send(frames.limit(cpu_s), frames.load(program, 0, budget), *asks)
            for number in range(len(programs)):
                deadline = deadline_of(cpu_s)
                loaded = frames.answer(child, deadline, budget)
                records = [frames.answer(child, deadline, budget) for _ in calls]
                if number + WINDOW < len(programs):
                    child.send(frames.limit(cpu_s), frames.load(programs[number + WINDOW], 0, budget), *asks)
                yield tuple(frames.unless_loaded(loaded, record).result for record in records)
                if child.ending is not None:
                    return
        finally:
            child.close()

    def _batch_of_runs(
        self, programs: Sequence[str | CodeType], calls: Sequence[Call], budget: Budget, cpu_s: float
    ) -> Iterator[tuple[CallResult, ...]]:
        stage = scripts.Scripts(self)
        try:
            for program in programs:
                records = stage.records(program, calls, cpu_s=cpu_s, budget=budget)
                yield tuple(record.result for record in records)
        finally:
            stage.close()

    def _run(
        self,
        program: str | CodeType,
        calls: Sequence[Call],
        timeout_s: float | None,
        seed: int,
        budget: Budget | None,
    ) -> list[Record]:
        if scripts.are_runs(calls):
            return scripts.records(self, program, calls, cpu_s=timeout_s, seed=seed, budget=budget)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.session(program, timeout_s=timeout_s, seed=seed, budget=budget) as session:
                    return session.records(calls)
            except ZygoteLost as err:
                if attempt == ATTEMPTS:
                    raise SandboxError(f"the sandbox failed {ATTEMPTS} times in a row: {err}") from err
        raise AssertionError("unreachable")

    def _timeout_s(self, timeout_s: float | None) -> float:
        return self.config.timeout_s if timeout_s is None else timeout_s
