"""What every localiser takes and gives: :class:`Case` in, :class:`~egca_plugin.types.Localization` out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from egca_plugin.localize.saved import SavedTraces
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.types import Localization, Task, Verdict


class Reason(str, Enum):
    """Why a localiser gave no span, or only a wide one. These codes go into records and metrics."""

    PASSED = "passed"  # nothing to localise
    DOES_NOT_COMPILE = "does_not_compile"  # the compiler's own position is all there is
    UNSTABLE = "unstable"  # two identical runs disagreed: traces prove nothing
    NO_REFERENCE = "no_reference"  # no reference ran to a value on the failing call
    NO_CALLS = "no_calls"  # the tests failed before they called the program
    NO_DIFFERENCE = "no_difference"  # candidate and reference agree on every recorded call
    TRACE_MISMATCH = "trace_mismatch"  # the instrumented run did not reproduce the plain run
    BUDGET = "budget"  # the event or step budget was spent
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
    what the references do is kept from run to run.
    """

    task: Task
    source: str
    references: tuple[str, ...]
    verdict: Verdict
    sandbox: Sandbox
    seed: int = 0
    saved: SavedTraces | None = None


class Localizer(Protocol):
    """From a case to the characters to blame. Never raises on account of the candidate; abstains with a reason.

    Raises SandboxError when the sandbox itself is broken.
    """

    @property
    def name(self) -> str: ...

    def localize(self, case: Case) -> Localization: ...
