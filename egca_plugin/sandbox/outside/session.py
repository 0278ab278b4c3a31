"""A program in its process, on the trusted side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import CodeType
from typing import Any

from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import frames
from egca_plugin.sandbox.outside.link import Child, Control, Ending, Order, deadline_of
from egca_plugin.sandbox.outside.records import Budget, Record
from egca_plugin.types import Call, CallResult, CallStatus

MAX_SOURCE = 1 << 18  # characters


class Session:
    """A program in its process. ``loaded`` tells whether it could be executed, and the failure if not.

    ``timeout_s``: CPU time for loading and all calls, restarts included, so that no load of the host decides; a
    deadline behind it is for programs that wait. ``memory_mb`` of address space; 0 for the zygote's settings.
    """

    def __init__(
        self,
        control: Control,
        program: str | CodeType,
        timeout_s: float,
        *,
        seed: int,
        budget: Budget | None,
        memory_mb: int = 0,
    ) -> None:
        self._control, self._program = control, program
        self._left_s, self._deadline = timeout_s, deadline_of(timeout_s)
        self._seed, self._budget, self._memory_mb = seed, budget, memory_mb
        self._child: Child | None = None
        self._loaded: Record | None = None
        self._begin()

    def _begin(self) -> None:
        if isinstance(self._program, str) and len(self._program) > MAX_SOURCE:
            size = f"a source of {len(self._program):,} characters; at most {MAX_SOURCE:,}"
            self._loaded = Record.failed_to_compile("SyntaxError", size)
            return
        self._loaded = None
        cpu_ms = max(1, round(1000 * self._left_s))
        self._child = self._control.run(Order(self._memory_mb, cpu_ms, frames.starts_threads(self._program)))
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
        child = self._control.run()
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
        self.ahead([frames.call(one) for one in calls])
        return [self.next() for _ in calls]

    def ahead(self, calls: Sequence[bytes]) -> None:
        """Send frames of calls, and wait for none."""
        if self._child is not None:
            self._child.send(*calls)

    def next(self) -> Record:
        """The record of the first call that was sent ahead and is not answered yet. Raises ZygoteLost."""
        loaded = self.loaded
        if self._child is None:
            return loaded
        return frames.unless_loaded(loaded, frames.answer(self._child, self._deadline, self._budget))

    def restart(self) -> None:
        """The same program anew, in a new process, for what is left of its time. Raises ZygoteLost."""
        self.close()
        self._left_s -= self._control.spent()
        self._begin()

    def renew(self) -> None:
        """The same after an exchange, or a restart, was broken off anywhere: nothing that was under way is believed."""
        if self._child is not None:
            self._child.disown()
        self._control.take_back(None)
        self._begin()

    def close(self) -> None:
        if self._child is not None:
            self._child.close()

    def disown(self) -> None:
        """Another process, forked after this was made, goes on with it: let go, and leave the program alone."""
        if self._child is not None:
            self._child.disown()
