"""The deterministic gate: which mode a sample is in, and who may say where its fault is (METHOD.md, step 4).

The first row that applies decides. "Paper" and "verified" are the presets; `uniform` is plain GRPO credit.

| case                                         | mode       | paper     | verified                              |
|----------------------------------------------|------------|-----------|---------------------------------------|
| the sandbox failed, or refused the program   | constraint | uniform   | uniform                               |
| it does not compile                          | syntax     | compiler  | compiler                              |
| a test fails and two identical runs disagree | as below   | uniform   | uniform                               |
| it raises while it runs                      | syntax     | traceback | localiser if verified, else traceback |
| it fails a test and breaks a constraint      | constraint | uniform   | localiser if verified                 |
| it passes all tests, breaks a constraint     | constraint | uniform   | uniform                               |
| it passes all tests                          | correct    | uniform   | uniform                               |
| there is no reference to compare it with     | logic      | uniform   | uniform                               |
| it is not comparable to any reference        | constraint | uniform   | localiser if verified                 |
| everything else, time and memory included    | logic      | localiser | localiser                             |

A program that spends its time or memory does not raise: it is a wrong loop far more often than a wrong expression, and
the trace shows where it leaves the reference's path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from egca_plugin.program.constraints import Violation
from egca_plugin.program.structure import Comparability
from egca_plugin.types import Mode, Outcome, Program, Verdict


class Localize(str, Enum):
    """Who may narrow the credit; wherever nobody does, it is uniform."""

    NOBODY = "nobody"
    COMPILER = "compiler"  # the place of the compile error
    TRACEBACK = "traceback"  # the line that raised
    LOCALIZER = "localizer"  # the configured localiser
    VERIFIED = "verified"  # the localiser, only with a verified patch; the mode is then `logic`
    VERIFIED_OR_TRACEBACK = "verified_or_traceback"  # the localiser with a verified patch, else the line that raised


@dataclass(frozen=True, slots=True)
class Route:
    """The gate's answer. ``reason`` is the code to record where the credit stays uniform though the sample failed."""

    mode: Mode
    localize: Localize
    reason: str = ""


def route(
    program: Program,
    verdict: Verdict,
    violations: Sequence[Violation],
    comparability: Comparability | None,
    preset: str,
) -> Route:
    """Route one judged sample by the table above. ``comparability`` is None where there is no reference."""
    paper = preset == "paper"
    outcome = verdict.outcome
    if outcome in (Outcome.INFRASTRUCTURE, Outcome.REFUSED):
        return Route(Mode.CONSTRAINT, Localize.NOBODY, outcome.value)
    if not program.compiles or outcome is Outcome.COMPILE_ERROR:
        return Route(Mode.SYNTAX, Localize.COMPILER, "compile_error")
    chosen = _route_running(outcome, violations, comparability, paper)
    if not verdict.stable and not verdict.passed:
        return Route(chosen.mode, Localize.NOBODY, "unstable")
    return chosen


def _route_running(
    outcome: Outcome, violations: Sequence[Violation], comparability: Comparability | None, paper: bool
) -> Route:
    """The rows of programs that ran."""
    if outcome is Outcome.EXCEPTION:
        alone = paper or comparability is None
        return Route(Mode.SYNTAX, Localize.TRACEBACK if alone else Localize.VERIFIED_OR_TRACEBACK, "exception")
    passed = outcome is Outcome.OK
    if violations:
        return Route(Mode.CONSTRAINT, Localize.NOBODY if paper or passed else Localize.VERIFIED, "violation")
    if passed:
        return Route(Mode.CORRECT, Localize.NOBODY)
    if comparability is None:
        return Route(Mode.LOGIC, Localize.NOBODY, "no_reference")
    if not comparability.comparable:
        return Route(Mode.CONSTRAINT, Localize.NOBODY if paper else Localize.VERIFIED, "not_comparable")
    return Route(Mode.LOGIC, Localize.LOCALIZER)
