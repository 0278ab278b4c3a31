"""Passing programs that the policy wrote, as references: structurally nearer to its failures than the canonical one.

A program is admitted when it passes all tests in two runs that agree, answers alike under probes and in another order,
as it will be compared, and is built otherwise than what is there. Of each task a few are kept, those farthest apart.
They are rollout text: parsed here, run only in the sandbox.
"""

from __future__ import annotations

from enum import Enum
from functools import partial, reduce

from egca_plugin.localize.reference import trace_calls
from egca_plugin.program.instrument import instrument
from egca_plugin.program.structure import labels, similarity
from egca_plugin.references.store import Entries, Entry, Store, key_of
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.referee import judge
from egca_plugin.types import Task, Verdict

CAPACITY = 8  # programs a task
MAX_CHARS = 20_000  # of one program
NOVEL = 0.05  # the least distance to what is there
WATCHED = 20  # calls that are repeated under probes


class Admission(str, Enum):
    """What became of an offered program."""

    ADMITTED = "admitted"
    ALIKE = "alike"  # the bank, or the reference, has its like
    FAILED = "failed"  # it did not pass twice in the same way
    FICKLE = "fickle"  # it answers otherwise under probes, past their budgets, or in another order
    UNFIT = "unfit"  # too long, or without the entry point


class Bank:
    """The banked programs of all tasks; cheap to make, any number may share one store."""

    def __init__(self, store: Store, *, capacity: int = CAPACITY) -> None:
        self._store = store
        self._capacity = capacity

    def programs(self, task: Task) -> tuple[str, ...]:
        """What is banked for ``task``, oldest first."""
        return tuple(entry.source for entry in self._store.load(key_of(task)))

    def offer(self, task: Task, source: str, sandbox: Sandbox, step: int = 0) -> Admission:
        """Bank a program that has passed; it is judged again, twice, unless its like is known.

        Raises SandboxError where the sandbox is broken.
        """
        if len(source) > MAX_CHARS or labels(source, task.entry_point) is None:
            return Admission.UNFIT
        if not self._is_novel(task, source, self._store.load(key_of(task))):
            return Admission.ALIKE
        verdict = judge(sandbox, source, task, check_stable=True)
        if not verdict.passed or not verdict.stable:
            return Admission.FAILED
        if not _answers_alike(source, verdict, sandbox):
            return Admission.FICKLE
        admitted = Entry(source, step)
        kept = self._store.update(key_of(task), lambda entries: self._with(task, entries, admitted))
        return Admission.ADMITTED if admitted in kept else Admission.ALIKE

    def adopt(self, task: Task, entries: Entries) -> Entries:
        """Add programs that another node's bank has admitted; gives all that is kept of ``task``."""
        key = key_of(task)
        known = self._store.load(key)
        if {entry.source for entry in entries} <= {entry.source for entry in known}:
            return known
        return self._store.update(key, lambda kept: reduce(partial(self._with, task), entries, kept))

    def _is_novel(self, task: Task, source: str, entries: Entries) -> bool:
        others = [entry.source for entry in entries] + [task.reference] * bool(task.reference)
        return all(distance(source, other, task.entry_point) >= NOVEL for other in others)

    def _with(self, task: Task, entries: Entries, entry: Entry) -> Entries:
        """Under the store's lock: add, unless another process was faster; then drop what has the nearest neighbour."""
        if not self._is_novel(task, entry.source, entries):
            return entries
        kept = [*entries, entry]
        while len(kept) > self._capacity:
            kept.remove(min(kept, key=lambda e: (_gap(task, e, kept), -len(e.source))))
        return tuple(kept)


def _answers_alike(source: str, verdict: Verdict, sandbox: Sandbox) -> bool:
    """Does it give the same results under probes and within their budgets, the calls in reverse?

    Else a program that has passed could steer, or stall, the credit of all later samples that are compared with it.
    """
    asked = [(tested.call, tested.result) for tested in reversed(verdict.calls[:WATCHED])]
    traces = trace_calls(instrument(source), [call for call, _ in asked], sandbox)
    return all(
        (seen.result.status, seen.result.value, seen.result.arguments_after)
        == (plain.status, plain.value, plain.arguments_after)
        for seen, (_, plain) in zip(traces, asked, strict=True)
    )


def distance(one: str, other: str, entry_point: str) -> float:
    """Structural distance, 0 to 1, symmetric."""
    return 1.0 - (similarity(one, other, entry_point) + similarity(other, one, entry_point)) / 2


def _gap(task: Task, entry: Entry, entries: list[Entry]) -> float:
    """Distance of ``entry`` to its nearest neighbour, the canonical reference included."""
    others = [e.source for e in entries if e is not entry] + [task.reference] * bool(task.reference)
    return min((distance(entry.source, other, task.entry_point) for other in others), default=1.0)
