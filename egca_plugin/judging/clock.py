"""The clock of tests that read it: the program's own, so that both sides know the same day and wait the same time.

A program's time is a logical one (:mod:`egca_plugin.sandbox.inside.clock`): it moves with each reading, and sleeping
takes none. Tests that ask for today's date, or sleep until an entry has expired, would otherwise be about another time
than the program's. Each call tells the program how late it is, and each answer the tests.
"""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType

from egca_plugin.types import Call, CallResult

_READINGS = frozenset({
    "today", "now", "utcnow", "time", "time_ns", "sleep", "monotonic", "monotonic_ns", "perf_counter",
    "perf_counter_ns", "process_time", "localtime", "gmtime", "ctime", "asctime", "strftime",
})  # fmt: skip
_MODULES = frozenset({"time", "datetime", "timeit"})


def reads_clock(trees: Sequence[ast.Module], imported: Sequence[str]) -> bool:
    """Whether tests that import these modules use what tells the time, or waits."""
    if _MODULES.isdisjoint(imported):
        return False
    used = (_used(node) for tree in trees for node in ast.walk(tree))
    return "timeit" in imported or any(not _READINGS.isdisjoint(names) for names in used)


def _used(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.ImportFrom) and node.module == "time":
        return [alias.name for alias in node.names]
    return []


class TestsClock:
    """The time of one trial. ``seed``: the program's, which says on what day its time begins."""

    __test__ = False  # no test, whatever pytest makes of the name

    def __init__(self, seed: int) -> None:
        from egca_plugin.sandbox.inside import clock  # which not every trial pays for

        self._clock = clock.Clock()
        self._clock.now = clock.begins(seed)
        self._replace_time, self._replace_now = clock.replace_time, clock.replace_now

    @contextmanager
    def installed(self) -> Iterator[None]:
        """For whoever imports ``time`` from here on, and in ``datetime`` for the rest of this process."""
        module = ModuleType("time")
        vars(module).update(vars(time))
        self._replace_time(self._clock, module)
        self._replace_now(self._clock)
        sys.modules["time"] = module
        try:
            yield
        finally:
            sys.modules["time"] = time

    def told(self, call: Call) -> Call:
        """With the time that the tests have reached."""
        return replace(call, clock=self._clock.now)

    def heard(self, result: CallResult) -> None:
        """The program has reached another."""
        self._clock.now = max(self._clock.now, result.clock)
