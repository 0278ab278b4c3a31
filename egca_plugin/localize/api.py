"""What every localiser takes and gives: :class:`Case` in, :class:`~egca_plugin.types.Localization` out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from egca_plugin.localize.compare.saved import SavedTraces
from egca_plugin.localize.whole import as_calls
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Kind, Localization, Task, Verdict

DIVERGENCE = "divergence"  # the stage of a wide span: the histories part there, and no patch proved it


class Reason(str, Enum):
    """Why a localiser gave no span, or only a wide one. These codes go into records and metrics."""

    PASSED = "passed"  # nothing to localise
    DOES_NOT_COMPILE = "does_not_compile"  # the compiler's own position is all there is
    UNSTABLE = "unstable"  # two identical runs disagreed: traces prove nothing
    NO_REFERENCE = "no_reference"  # no reference ran to a value on the failing call
    NO_CALLS = "no_calls"  # the tests failed before they called the program
    NO_DIFFERENCE = "no_difference"  # candidate and reference agree on every recorded call
    TRACE_MISMATCH = "trace_mismatch"  # the instrumented run did not reproduce the plain run
    BUDGET = "budget"  # a bound on events, steps, CPU time or size ended the search: nobody knows what it would find
    NO_DIVERGENCE = "no_divergence"  # the results differ, but no aligned pair of histories does
    UNVERIFIED = "unverified"  # a divergence, but no patch proved it: the span is wide
    NO_EVIDENCE = "no_evidence"  # this localiser needs something that the case does not have
    DEBUGGER_UNREACHABLE = "debugger_unreachable"  # no server is set, or it does not answer
    DEBUGGER_ANSWER = "debugger_answer"  # the model's answer is not what it was asked for


@dataclass(frozen=True, slots=True)
class Case:
    """One failing program and everything that may be known about it.

    ``source`` is the candidate; spans of the answer are character offsets in it. ``references`` are whole programs that
    pass the task's tests, nearest first, at least one. ``seed`` feeds the localisers that draw lots. ``saved``: where
    what the references do is kept from run to run, but of those in ``fleeting``, which no other run will meet. The runs
    of a program on standard input are seen as calls (:mod:`egca_plugin.localize.whole`).
    """

    task: Task
    source: str
    references: tuple[str, ...]
    verdict: Verdict
    sandbox: Sandbox
    seed: int = 0
    saved: SavedTraces | None = None
    fleeting: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", self.seen(self.verdict))

    def kept(self, reference: str) -> SavedTraces | None:
        """Where what this reference does is kept from run to run, if anywhere."""
        return None if reference in self.fleeting else self.saved

    def seen(self, verdict: Verdict) -> Verdict:
        """A verdict on a program of the task as localisers see it."""
        return as_calls(verdict, self.task.compare) if self.task.kind is Kind.STDIN else verdict


class Localizer(Protocol):
    """From a case to the characters to blame. Never raises on account of the candidate; abstains with a reason.

    Raises SandboxError when the sandbox itself is broken.
    """

    @property
    def name(self) -> str: ...

    def localize(self, case: Case) -> Localization: ...
