"""``Sandbox``: run programs that nobody trusts, and get values back.

    with Sandbox() as sandbox:
        (result,) = sandbox.run_calls("def f(x): return x + 1", [call("f", 41)])
        assert wire.decode(result.value) == 42

The candidate's process sees the program and the call arguments. Whatever decides whether the values are right must stay
on this side: never pass a test, an expected value or a reference.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, TracebackType
from typing import Any, TypeVar

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import SandboxError
from egca_plugin.sandbox import frames, isolation, wire
from egca_plugin.sandbox.link import Child, Ending, Zygote, ZygoteLost
from egca_plugin.sandbox.records import Budget, Record
from egca_plugin.types import Call, CallResult, CallStatus, RawTrace

MAX_SOURCE = 1 << 18  # characters
ATTEMPTS = 3  # on fresh zygotes, before the infrastructure is said to have failed
WINDOW = 8  # programs of a batch that are sent ahead

logger = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")


def call(function: str, /, *args: Any, **kwargs: Any) -> Call:
    """``function(*args, **kwargs)`` as data. Raises WireError for arguments that cannot cross."""
    return Call(function, wire.encode((args, kwargs), objects=True))


class Sandbox:
    """One zygote, one program at a time; a context manager, not thread-safe. The zygote starts with the first program.

    Every method raises SandboxError when the infrastructure fails ATTEMPTS times, and IsolationError when the host
    offers less isolation than ``config.require``; nothing that a program does raises.
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config or SandboxConfig()
        self._zygote: Zygote | None = None
        self.restarts = 0  # zygotes that were lost and replaced

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> Zygote:
        """The running zygote. Raises IsolationError or SandboxError if none can be had."""
        if self._zygote is None:
            zygote = Zygote(isolation.settings(self.config))
            try:
                isolation.enforce(self.config.require, zygote.hello["missing"])
            except BaseException:  # an interrupt too leaves no zygote behind; raised again
                zygote.close()
                raise
            self._zygote = zygote
        return self._zygote

    def replace(self, err: ZygoteLost) -> None:
        """The next program starts a new zygote."""
        logger.warning("egca: %s; its program runs again on a new one", err)
        self.restarts += 1
        self.close()

    def close(self) -> None:
        """End the zygote and whatever runs in it."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    @contextmanager
    def session(
        self, source: str | CodeType, *, timeout_s: float | None = None, seed: int = 0, budget: Budget | None = None
    ) -> Iterator[Session]:
        """The program, for calls one by one. They raise ZygoteLost when the infrastructure fails: start over."""
        session: Session | None = None
        try:
            self.start()  # a cold start is not the program's time
            session = Session(self, source, self._deadline(timeout_s), seed, budget)
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

        ``timeout_s``: wall clock for all of it. A program that cannot be loaded gives every call that failure; after a
        timeout or death, the calls that were not reached share it.
        """
        return tuple(record.result for record in self._run(source, calls, timeout_s, seed, None))

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
        self, programs: Sequence[str | CodeType], calls: Sequence[Call], *, steps: int, timeout_s: float
    ) -> Generator[tuple[CallResult, ...], None, None]:
        """The same calls for many variants of *one* candidate, in one child, a fresh namespace each.

        ``steps`` bounds the calls of ``__egca_step`` in each call; ``timeout_s`` is each program's wall clock, after
        which the rest go on in a new child. Close the iterator to stop early. The variants trust each other: between
        them the interpreter's visible state is put back, which a determined program can escape, so confirm what matters
        with :meth:`run_calls`. Raises SandboxError when the infrastructure fails ATTEMPTS times over one program.
        """
        done = 0
        budget = Budget(max_events=0, max_steps=steps, max_bytes=0)
        lost = 0
        while done < len(programs):
            try:
                for results in self._batch(programs[done:], calls, budget, timeout_s):
                    done += 1
                    lost = 0
                    yield results
            except ZygoteLost as err:
                self.replace(err)
                lost += 1
                if lost == ATTEMPTS:
                    raise SandboxError(f"the sandbox failed {ATTEMPTS} times in a row: {err}") from err

    def _batch(
        self, programs: Sequence[str | CodeType], calls: Sequence[Call], budget: Budget, timeout_s: float
    ) -> Iterator[tuple[CallResult, ...]]:
        """As many programs as one child survives."""
        child = self.start().run()
        asks = [frames.call(one) for one in calls]
        try:
            for program in programs[:WINDOW]:
                child.send(frames.load(program, 0, budget), *asks)
            for number in range(len(programs)):
                deadline = time.monotonic() + timeout_s
                loaded = frames.answer(child, deadline, budget)
                records = [frames.answer(child, deadline, budget) for _ in calls]
                if number + WINDOW < len(programs):
                    child.send(frames.load(programs[number + WINDOW], 0, budget), *asks)
                yield tuple(frames.unless_loaded(loaded, record).result for record in records)
                if child.ending is not None:
                    return
        finally:
            child.close()

    def _run(
        self,
        program: str | CodeType,
        calls: Sequence[Call],
        timeout_s: float | None,
        seed: int,
        budget: Budget | None,
    ) -> list[Record]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.session(program, timeout_s=timeout_s, seed=seed, budget=budget) as session:
                    return session.records(calls)
            except ZygoteLost as err:
                if attempt == ATTEMPTS:
                    raise SandboxError(f"the sandbox failed {ATTEMPTS} times in a row: {err}") from err
        raise AssertionError("unreachable")

    def _deadline(self, timeout_s: float | None) -> float:
        return time.monotonic() + (self.config.timeout_s if timeout_s is None else timeout_s)


class Session:
    """A program in its process. ``loaded`` tells whether it could be executed, and the failure if not."""

    def __init__(
        self, sandbox: Sandbox, program: str | CodeType, deadline: float, seed: int, budget: Budget | None
    ) -> None:
        self._sandbox, self._program, self._deadline = sandbox, program, deadline
        self._seed, self._budget = seed, budget
        self._child: Child | None = None
        self._loaded: Record | None = None
        self._begin()

    def _begin(self) -> None:
        if isinstance(self._program, str) and len(self._program) > MAX_SOURCE:
            size = f"a source of {len(self._program):,} characters; at most {MAX_SOURCE:,}"
            self._loaded = Record.failed_to_compile("SyntaxError", size)
            return
        self._loaded = None
        self._child = self._sandbox.start().run()
        self._child.send(frames.load(self._program, self._seed, self._budget))

    @property
    def loaded(self) -> Record:
        if self._loaded is None:
            assert self._child is not None
            self._loaded = frames.answer(self._child, self._deadline, self._budget)
            if self._loaded.result.status is CallStatus.DIED:
                self._loaded = self._autopsy(self._loaded)
        return self._loaded

    def _autopsy(self, death: Record) -> Record:
        """Did the compiler die, or the program? Compile it again, without running it."""
        child = self._sandbox.start().run()
        try:
            child.send(frames.compile_only(self._program))
            frame = child.receive(self._deadline)
        finally:
            child.close()
        if isinstance(frame, Ending) and frame.status is CallStatus.DIED:
            return Record.failed_to_compile("SyntaxError", f"the compiler gave up: {frame.message}")
        return death

    @property
    def ending(self) -> Ending | None:
        """Why the process answers no more, or None while it lives."""
        return None if self._child is None else self._child.ending

    def call(self, function: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> CallResult:
        """Raises WireError for arguments that cannot cross, ZygoteLost when the infrastructure fails."""
        return self.send(Call(function, wire.encode((tuple(args), dict(kwargs or {})), objects=True)))

    def send(self, one: Call) -> CallResult:
        """The same for a call that is data already."""
        return self.records([one])[0].result

    def records(self, calls: Sequence[Call]) -> list[Record]:
        """Send all calls ahead, then collect their records."""
        if self._child is None:
            return [self.loaded] * len(calls)
        self._child.send(*[frames.call(one) for one in calls])
        loaded = self.loaded
        return [frames.unless_loaded(loaded, frames.answer(self._child, self._deadline, self._budget)) for _ in calls]

    def restart(self) -> None:
        """The same program anew, in a new process; what is left of the deadline stays."""
        self.close()
        self._begin()

    def close(self) -> None:
        if self._child is not None:
            self._child.close()
