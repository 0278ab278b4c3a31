"""The gate's table, row by row."""

from __future__ import annotations

import pytest

from egca_plugin.credit.gate import Localize, Route, route
from egca_plugin.program.constraints import Constraint, Violation
from egca_plugin.program.structure import Comparability
from egca_plugin.types import Mode, Outcome, Program, SourceError, Verdict

COMPILES = Program("x", ())
BROKEN = Program("x =", (), SourceError("SyntaxError", "invalid syntax", 1, 4))
LIKE, UNLIKE = Comparability(0.9, True), Comparability(0.2, False)
BREAKS = (Violation(Constraint("form", "loop", "f"), "recursion"),)


def routed(
    outcome: Outcome,
    preset: str,
    *,
    program: Program = COMPILES,
    violations: tuple[Violation, ...] = (),
    near: Comparability | None = LIKE,
    stable: bool = True,
) -> Route:
    return route(program, Verdict(outcome, 0, 1, stable=stable), violations, near, preset)


@pytest.mark.parametrize("preset", ["paper", "verified"])
@pytest.mark.parametrize("near", [LIKE, UNLIKE, None])
def test_where_the_presets_agree(preset: str, near: Comparability | None) -> None:
    syntax = routed(Outcome.COMPILE_ERROR, preset, program=BROKEN, violations=BREAKS, near=near)
    assert syntax == Route(Mode.SYNTAX, Localize.COMPILER, "compile_error")
    assert routed(Outcome.OK, preset, near=near) == Route(Mode.CORRECT, Localize.NOBODY)
    passing = routed(Outcome.OK, preset, violations=BREAKS, near=near)
    assert passing == Route(Mode.CONSTRAINT, Localize.NOBODY, "violation")
    for outcome in (Outcome.INFRASTRUCTURE, Outcome.REFUSED):
        assert routed(outcome, preset, near=near) == Route(Mode.CONSTRAINT, Localize.NOBODY, outcome.value)


@pytest.mark.parametrize("outcome", [Outcome.WRONG_ANSWER, Outcome.TIMEOUT, Outcome.MEMORY])
@pytest.mark.parametrize("preset", ["paper", "verified"])
def test_a_comparable_failure_is_logic(outcome: Outcome, preset: str) -> None:
    assert routed(outcome, preset) == Route(Mode.LOGIC, Localize.LOCALIZER)
    assert routed(outcome, preset, near=None) == Route(Mode.LOGIC, Localize.NOBODY, "no_reference")


@pytest.mark.parametrize(("preset", "who"), [("paper", Localize.NOBODY), ("verified", Localize.VERIFIED)])
def test_what_fails_the_gate_needs_a_proof(preset: str, who: Localize) -> None:
    assert routed(Outcome.WRONG_ANSWER, preset, near=UNLIKE) == Route(Mode.CONSTRAINT, who, "not_comparable")
    assert routed(Outcome.WRONG_ANSWER, preset, violations=BREAKS) == Route(Mode.CONSTRAINT, who, "violation")


@pytest.mark.parametrize(
    ("preset", "who"), [("paper", Localize.TRACEBACK), ("verified", Localize.VERIFIED_OR_TRACEBACK)]
)
def test_a_crash_is_syntax(preset: str, who: Localize) -> None:
    assert routed(Outcome.EXCEPTION, preset) == Route(Mode.SYNTAX, who, "exception")
    assert routed(Outcome.EXCEPTION, preset, violations=BREAKS, near=UNLIKE).localize is who
    assert routed(Outcome.EXCEPTION, preset, near=None).localize is Localize.TRACEBACK


@pytest.mark.parametrize("preset", ["paper", "verified"])
@pytest.mark.parametrize(("outcome", "mode"), [(Outcome.WRONG_ANSWER, Mode.LOGIC), (Outcome.EXCEPTION, Mode.SYNTAX)])
def test_nobody_points_at_an_unstable_program(preset: str, outcome: Outcome, mode: Mode) -> None:
    assert routed(outcome, preset, stable=False) == Route(mode, Localize.NOBODY, "unstable")
