"""Whole programs: run as ``__main__``, on real descriptors 0 and 1.

What a program reads lies in a file without a name, complete before it starts, so that no input is too large for a pipe;
what it writes comes through a pipe that is read while it runs, up to a bound. The end of its process without an error
is an ordinary end: what decides is what it wrote.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Protocol

from egca_plugin.config import SandboxConfig
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import frames
from egca_plugin.sandbox.outside.launch import Zygote
from egca_plugin.sandbox.outside.link import Order, ZygoteLost, deadline_of
from egca_plugin.sandbox.outside.records import Budget, Record
from egca_plugin.sandbox.outside.streams import Input, Output
from egca_plugin.types import Call, CallResult, CallStatus

ATTEMPTS = 3
MAX_OUTPUT = 16 << 20  # bytes
MAX_KEPT = 1 << 20  # bytes of output that a result for the localiser holds
MAX_SOURCE = 1 << 18  # characters


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """One run. ``record`` is as for a call: its status VALUE means an ordinary end, whatever was written.

    ``record.result`` with VALUE may still name an error: what a thread raised. ``stdout``: what was written until the
    end, a crash included. ``flooded``: that was more than the bound, and the run was ended. ``exit_code``: None where
    the program was killed. ``cpu_s``: CPU time that it took.
    """

    record: Record
    stdout: bytes = b""
    flooded: bool = False
    exit_code: int | None = None
    cpu_s: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether it came to an ordinary end."""
        return self.record.result.status is CallStatus.VALUE

    def as_call(self) -> Record:
        """The record with the run's result as a call."""
        return replace(self.record, result=self.result)

    @property
    def result(self) -> CallResult:
        """The run as a call: its value is the text that was written, REFUSED past MAX_KEPT bytes."""
        result = self.record.result
        if not self.ended:
            return replace(result, value=b"")
        if len(self.stdout) > MAX_KEPT:
            return CallResult(CallStatus.REFUSED, error_message=f"{len(self.stdout):,} bytes of output")
        text = self.stdout.decode("utf-8", "surrogateescape")
        return replace(result, value=wire.encode(text, max_bytes=4 * MAX_KEPT))


def call(stdin: bytes) -> Call:
    """A run as a call, for the localiser: no function, and the input as its one argument."""
    return Call("", wire.encode(((stdin.decode("utf-8", "surrogateescape"),), {}), max_bytes=2 * len(stdin) + 64))


def are_runs(calls: Sequence[Call]) -> bool:
    """Whether these are runs of a whole program, not calls of its functions."""
    return bool(calls) and not calls[0].function


class Host(Protocol):
    """A sandbox, as far as scripts need it."""

    config: SandboxConfig

    def start(self, program: str | CodeType = "", /, *, seed: int = 0) -> Zygote: ...

    def replace(self, err: ZygoteLost) -> None: ...


def run(
    host: Host,
    program: str | CodeType,
    stdin: bytes,
    *,
    cpu_s: float | None = None,
    memory_mb: int | None = None,
    seed: int = 0,
    budget: Budget | None = None,
    max_output: int = MAX_OUTPUT,
) -> ScriptResult:
    """Run the program once, in a child of its own. Raises ZygoteLost when that fails ATTEMPTS times.

    ``cpu_s``: its CPU time. ``max_output``: bytes after which it is ended. ``budget``: of an instrumented program.
    """
    if isinstance(program, str) and len(program) > MAX_SOURCE:
        size = f"a source of {len(program):,} characters; at most {MAX_SOURCE:,}"
        return ScriptResult(Record.failed_to_compile("SyntaxError", size))
    cpu_s = host.config.timeout_s if cpu_s is None else cpu_s
    order = Order(memory_mb or 0, max(1, round(1000 * cpu_s)), frames.starts_threads(program))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            zygote = host.start(program, seed=seed)  # a cold start is not the program's time
            with _Stage(zygote, order, max_output) as stage:
                result = stage.run(program, stdin, deadline_of(cpu_s), seed=seed, budget=budget)
                return replace(result, cpu_s=stage.spent())
        except ZygoteLost as err:
            host.replace(err)
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def records(
    host: Host, program: str | CodeType, calls: Sequence[Call], *, cpu_s: float | None, seed: int, budget: Budget | None
) -> list[Record]:
    """The runs that :func:`call` stands for, each in a child of its own, as records of calls. Raises ZygoteLost."""
    ran = [run(host, program, _stdin(one), cpu_s=cpu_s, seed=seed, budget=budget) for one in calls]
    return [one.as_call() for one in ran]


def _stdin(one: Call) -> bytes:
    ((text,), _) = wire.decode(one.arguments)
    return bytes(text.encode("utf-8", "surrogateescape"))


class _Stage:
    """A child, and the ends of its descriptors."""

    def __init__(self, zygote: Zygote, order: Order, max_output: int) -> None:
        self._max_output = max_output
        self._input, self._output = Input(), Output(max_output)
        self._zygote = zygote
        source = self._input.open()
        try:
            self._child = self._zygote.run(order, (source, self._output.other), self._output)
        except BaseException:  # what has begun is ended first, then it is raised again
            self._close_streams()
            raise
        finally:
            os.close(source)
            self._output.close_other()
        self._over = False

    @property
    def alive(self) -> bool:
        """Whether the child can run more. Another program of the sandbox ends it."""
        return not self._over and self._child.ending is None

    def __enter__(self) -> _Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child. Once."""
        self._child.close()
        self._close_streams()

    def _close_streams(self) -> None:
        with self._input, self._output:
            pass

    def spent(self) -> float:
        """CPU seconds; ends the child. Raises ZygoteLost."""
        self._child.close()
        return self._zygote.spent()

    def limit(self, cpu_s: float) -> None:
        """CPU time for what follows."""
        self._child.send(frames.limit(cpu_s))

    def run(
        self, program: str | CodeType, stdin: bytes, deadline: float, *, seed: int, budget: Budget | None
    ) -> ScriptResult:
        """Raises ZygoteLost."""
        self._input.fill(stdin)
        self._child.send(frames.script(program, seed, budget))
        record = frames.answer(self._child, deadline, budget)
        self._output.take()
        ending = self._child.ending
        code = None if ending is None else ending.exit_code
        if self._output.flooded:
            record = Record(CallResult(CallStatus.DIED, error_message=f"wrote more than {self._max_output:,} bytes"))
        elif record.result.status is not CallStatus.DIED:
            code, self._over = _exit_code(record.result)
        elif code is not None:
            record = _exited(code)
        return ScriptResult(record, self._output.written(), self._output.flooded, code)


class Scripts:
    """Runs that :func:`call` stands for: a candidate and its patched versions, one after another in one child.

    The programs trust each other, as in a :class:`~egca_plugin.sandbox.outside.workshop.Workshop`. Those that start
    threads have a child each.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._stage: _Stage | None = None

    def records(
        self, program: str | CodeType, calls: Sequence[Call], *, cpu_s: float, budget: Budget | None
    ) -> list[Record]:
        """As records of calls. ``cpu_s``: CPU time of each. Raises ZygoteLost."""
        alone = frames.starts_threads(program)
        found: list[Record] = []
        for one in calls:
            stdin = _stdin(one)
            if alone:
                ran = run(self._host, program, stdin, cpu_s=cpu_s, budget=budget)
            else:
                ran = self._open(program, cpu_s).run(program, stdin, deadline_of(cpu_s), seed=0, budget=budget)
            found.append(ran.as_call())
        return found

    def _open(self, program: str | CodeType, cpu_s: float) -> _Stage:
        if self._stage is None or not self._stage.alive:
            self.close()
            self._stage = _Stage(self._host.start(program), Order(), MAX_KEPT)
        self._stage.limit(cpu_s)
        return self._stage

    def close(self) -> None:
        """End the child. The next run starts another."""
        stage, self._stage = self._stage, None
        if stage is not None:
            stage.close()


def _exited(code: int) -> Record:
    """``os._exit``, or a C library's."""
    if code == 0:
        return Record(CallResult(CallStatus.VALUE))
    return Record(CallResult(CallStatus.EXCEPTION, error_type="SystemExit", error_message=f"exit status {code}"))


def _exit_code(result: CallResult) -> tuple[int | None, bool]:
    """What the record says of it, and whether the process has ended with it; no verdict depends on either."""
    value = wire.decode(result.value) if result.value else None
    gone = type(value) is tuple and len(value) == 1
    code = value[0] if gone else value  # type: ignore[index]
    return (code if type(code) is int and 0 <= code < 256 else None), gone
