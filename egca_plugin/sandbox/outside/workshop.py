"""``Workshop``: one candidate and its patched versions, one after another in one child.

A small program takes six times as long in a child of its own as in one that is there already, and the localiser loads
several for each candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType, TracebackType

from egca_plugin.errors import SandboxError
from egca_plugin.sandbox.outside import frames, scripts
from egca_plugin.sandbox.outside.api import ATTEMPTS, Sandbox
from egca_plugin.sandbox.outside.link import OUT_OF_TIME, Child, ZygoteLost, deadline_of
from egca_plugin.sandbox.outside.records import Budget, Record
from egca_plugin.types import Call, RawTrace


class Workshop:
    """A child that keeps what it has loaded last; a context manager.

    The programs trust each other: between them the interpreter's visible state is put back, which a determined one can
    escape. What matters is confirmed by :meth:`Sandbox.run_calls` or the referee. A child that has ended, or that
    another program of the sandbox has replaced, is followed by a new one. Raises SandboxError when the
    infrastructure fails ATTEMPTS times.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._child: Child | None = None
        self._inside: tuple[str | CodeType, Budget | None] | None = None
        self._scripts = scripts.Scripts(sandbox)
        self.starved = False  # some program got to no end, and that for want of the machine or by waiting, not working

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child. The next question starts another."""
        self._scripts.close()
        if self._child is not None:
            self._child.close()

    @property
    def alive(self) -> bool:
        """Whether the child that was asked last can be asked more."""
        return self._child is not None and self._child.ending is None

    def records(
        self, program: str | CodeType, calls: Sequence[Call], *, budget: Budget | None, cpu_s: float
    ) -> list[Record]:
        """Make the calls in the program, which is loaded anew unless it was loaded last, with the same budget.

        ``cpu_s``: CPU time of the child for loading and all calls, so that no load of the host decides. Far behind it
        stands a deadline for one that waits; that makes the workshop ``starved``. As with :meth:`Sandbox.run_calls`, a
        program that cannot be loaded gives every call that failure, and the end of the child is shared by the calls
        that were not reached.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if scripts.are_runs(calls):
                    return self._heard(self._scripts.records(program, calls, cpu_s=cpu_s, budget=budget))
                return self._records(program, calls, budget, cpu_s)
            except ZygoteLost as err:
                self._scripts.close()
                self._sandbox.replace(err)
                if attempt == ATTEMPTS:
                    raise SandboxError(f"the sandbox failed {ATTEMPTS} times in a row: {err}") from err
        raise AssertionError("unreachable")

    def _records(
        self, program: str | CodeType, calls: Sequence[Call], budget: Budget | None, cpu_s: float
    ) -> list[Record]:
        if not self.alive:
            self._child, self._inside = self._sandbox.start(program).run(), None
        child = self._child
        assert child is not None
        child.send(frames.limit(cpu_s))
        deadline = deadline_of(cpu_s)
        asks = [frames.call(one) for one in calls]
        if self._inside is None or self._inside[0] is not program or self._inside[1] != budget:
            self._inside = None
            child.send(frames.load(program, 0, budget), *asks)
            loaded = frames.answer(child, deadline, budget)
            records = self._answers(child, len(calls), deadline, budget)
            if not frames.is_loaded(loaded):
                return [loaded] * len(calls)
            self._inside = (program, budget)
            return records
        child.send(*asks)
        return self._answers(child, len(calls), deadline, budget)

    def _answers(self, child: Child, count: int, deadline: float, budget: Budget | None) -> list[Record]:
        return self._heard([frames.answer(child, deadline, budget) for _ in range(count)])

    def _heard(self, records: list[Record]) -> list[Record]:
        self.starved = self.starved or any(one.result.error_message == OUT_OF_TIME for one in records)
        return records

    def trace(
        self,
        program: CodeType,
        calls: Sequence[Call],
        *,
        max_events: int = 20_000,
        max_steps: int = 100_000,
        max_bytes: int = 4 << 20,
        cpu_s: float,
    ) -> tuple[RawTrace, ...]:
        """As :meth:`Sandbox.trace`, in this child."""
        budget = Budget(max_events, max_steps, max_bytes)
        return tuple(r.trace() for r in self.records(program, calls, budget=budget, cpu_s=cpu_s))
