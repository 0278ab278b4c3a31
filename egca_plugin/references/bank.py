"""Passing programs that the policy wrote, as references: structurally nearer to its failures than the canonical one.

A program is admitted when it passes all tests in two runs that agree, answers alike under probes and in another order,
as it will be compared, does so on inputs beyond the tests, and is built otherwise than what is there. Beyond the tests
it is compared with the reference; where a task has none, with what is banked, and the first ones wait until several,
each built otherwise, agree. So a table of the tests' answers, which would move the blame of honest samples, stays out.
Of each task a few are kept, those farthest apart. They are rollout text: parsed here, run only in the sandbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import partial, reduce

from egca_plugin.judging.referee import judge
from egca_plugin.localize.compare.reference import trace_calls
from egca_plugin.localize.trial.inputs import STEPS, FurtherInputs, counted
from egca_plugin.program.instrument import instrument
from egca_plugin.program.structure import labels, similarity
from egca_plugin.references.store import Entries, Entry, Store, key_of
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, Task, Verdict

CAPACITY = 8  # programs a task
MAX_CHARS = 20_000  # of one program
NOVEL = 0.05  # the least distance to what is there
WATCHED = 20  # calls that are repeated under probes
FEWEST = 4  # inputs beyond the tests on which an agreement rests
AGREEING = 0.75  # share of them: some break what the task presupposes
SEVERAL = 3  # programs that vouch for each other where there is no reference
WAITING = 8  # that wait for others


_WAITING = "-waiting"  # of the key under which a task's programs wait


class Admission(str, Enum):
    """What became of an offered program."""

    ADMITTED = "admitted"
    ALIKE = "alike"  # the bank, or the reference, has its like
    FAILED = "failed"  # it did not pass twice in the same way
    FICKLE = "fickle"  # it answers otherwise under probes, past their budgets, or in another order
    UNFIT = "unfit"  # too long, or without the entry point
    UNLIKE = "unlike"  # beyond the tests it does otherwise than the references, or nothing could be asked there
    WAITS = "waits"  # there is no reference, and too few other programs agree with it yet


class Bank:
    """The banked programs of all tasks; cheap to make, any number may share one store."""

    def __init__(self, store: Store, *, capacity: int = CAPACITY) -> None:
        self._store = store
        self._capacity = capacity
        self._further = FurtherInputs()

    def programs(self, task: Task) -> tuple[str, ...]:
        """What is banked for ``task``, oldest first."""
        return tuple(entry.source for entry in self._store.load(key_of(task)))

    def offer(self, task: Task, source: str, sandbox: Sandbox, step: int = 0) -> Admission:
        """Bank a program that has passed; it is judged again, twice, unless its like is known.

        Raises SandboxError where the sandbox is broken.
        """
        if len(source) > MAX_CHARS or labels(source, task.entry_point) is None:
            return Admission.UNFIT
        banked, waiting = self._store.load(key_of(task)), self._store.load(key_of(task) + _WAITING)
        if not self._is_novel(task, source, (*banked, *waiting)):
            return Admission.ALIKE
        verdict = judge(sandbox, source, task, check_stable=True)
        if not verdict.passed or not verdict.stable:
            return Admission.FAILED
        if not _answers_alike(source, verdict, sandbox):
            return Admission.FICKLE
        entry = Entry(source, step)
        calls = [tested.call for tested in verdict.calls]
        trusted = task.reference or next((one.source for one in banked), "")
        if not trusted:
            return self._vouched(task, entry, waiting, calls, sandbox)
        if not self._agree(trusted, source, calls, sandbox):
            return Admission.UNLIKE
        return self._admit(task, entry)

    def _admit(self, task: Task, admitted: Entry) -> Admission:
        kept = self._store.update(key_of(task), lambda entries: self._with(task, entries, admitted))
        return Admission.ADMITTED if admitted in kept else Admission.ALIKE

    def _vouched(
        self, task: Task, entry: Entry, waiting: Entries, calls: Sequence[Call], sandbox: Sandbox
    ) -> Admission:
        """Without a reference: it waits until enough others that wait agree with it; then all of them are in."""
        key = key_of(task) + _WAITING
        agreeing = [one for one in waiting if self._agree(one.source, entry.source, calls, sandbox)]
        if len(agreeing) + 1 < SEVERAL:
            self._store.update(key, lambda entries: (*entries, entry)[-WAITING:])
            return Admission.WAITS
        self._store.update(key, lambda entries: ())
        for one in agreeing:
            self._admit(task, one)
        return self._admit(task, entry)

    def _agree(self, trusted: str, source: str, calls: Sequence[Call], sandbox: Sandbox) -> bool:
        """Does the program do as a trusted one on inputs near the tests' own?"""
        expected = self._further.of(trusted, calls, sandbox)
        if len(expected) < FEWEST:
            return False
        results = counted(source, [one.call for one in expected], sandbox, STEPS)
        met = sum(one.met_by(result) for one, result in zip(expected, results, strict=True))
        return met >= AGREEING * len(expected)

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
    with Workshop(sandbox) as workshop:
        traces = trace_calls(instrument(source), [call for call, _ in asked], workshop)
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
