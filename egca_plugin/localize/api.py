"""What every localiser takes and gives: :class:`Case` in, :class:`~egca_plugin.types.Localization` out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from types import CodeType
from typing import TYPE_CHECKING, Protocol

from egca_plugin.types import Call, CallResult, Localization, RawTrace, Task, Verdict

if TYPE_CHECKING:
    from egca_plugin.program.instrument import Instrumented


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


class Runner(Protocol):
    """The part of :class:`egca_plugin.sandbox.zygote.Sandbox` that localisers use: all candidate code runs there."""

    def run_calls(
        self, source: str, calls: Sequence[Call], *, timeout_s: float | None = None
    ) -> tuple[CallResult, ...]:
        """Execute the module once, then the calls in order."""

    def run_batch(
        self, programs: Sequence[str | CodeType], calls: Sequence[Call], *, steps: int, timeout_s: float
    ) -> Iterator[tuple[CallResult, ...]]:
        """Execute many programs, each in a fresh namespace, in one child; results stream, closing stops early."""

    def trace(
        self,
        instrumented: Instrumented,
        calls: Sequence[Call],
        *,
        max_events: int = ...,
        max_steps: int = ...,
        max_bytes: int = ...,
        timeout_s: float = ...,
    ) -> tuple[RawTrace, ...]:
        """Run the calls under probes."""


@dataclass(frozen=True, slots=True)
class Case:
    """One failing program and everything that may be known about it.

    ``source`` is the candidate; spans of the answer are character offsets in it. ``references`` are whole programs that
    pass the task's tests, nearest first, at least one. ``seed`` feeds the localisers that draw lots.
    """

    task: Task
    source: str
    references: tuple[str, ...]
    verdict: Verdict
    sandbox: Runner
    seed: int = 0


class Localizer(Protocol):
    """From a case to the characters to blame. Never raises on account of the candidate; abstains with a reason.

    Raises SandboxError when the sandbox itself is broken.
    """

    @property
    def name(self) -> str: ...

    def localize(self, case: Case) -> Localization: ...
