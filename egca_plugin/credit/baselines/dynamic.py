"""Baselines that look at executions of the candidate: what ran, what ran in failing tests, what raised."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from egca_plugin.credit.baselines.statements import abstain, by_lot, header, statements
from egca_plugin.localize.api import Case, Reason
from egca_plugin.localize.whole import probed
from egca_plugin.program.instrument import RETURN, WRITE, Instrumented
from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Call, Localization, RawTrace, Span, TestedCall

MAX_CALLS = 24  # traced calls per case


class Executed:
    """StepCoder's mask: the statements that the first failing test executes, all alike."""

    name = "executed"

    def localize(self, case: Case) -> Localization:
        failing = [tested for tested in case.verdict.calls if not tested.passed]
        if not failing:
            return abstain(self.name, Reason.NO_CALLS)
        calls = [tested.call for tested in failing if tested.test == failing[0].test][:MAX_CALLS]
        lines = {line for trace in _traces(case, calls) for line in trace.lines}
        spans = [span for line, span in statements(case.source).items() if line in lines]
        return Localization(spans=by_lot(spans, case), stage=self.name) if spans else abstain(self.name, Reason.BUDGET)


class Ochiai:
    """Spectrum-based fault localisation: the statements of the highest Ochiai score.

    ``score = ef / sqrt(f * (ef + ep))``: of ``f`` failing tests ``ef`` execute the statement, of the passing ones
    ``ep`` do (Abreu et al. 2007).
    """

    name = "ochiai"

    def localize(self, case: Case) -> Localization:
        calls = _chosen(case.verdict.calls)
        if not any(not tested.passed for tested in calls):
            return abstain(self.name, Reason.NO_CALLS)
        traces = _traces(case, [tested.call for tested in calls])
        covered: dict[int, set[int]] = {}
        for tested, trace in zip(calls, traces, strict=True):
            covered.setdefault(tested.test, set()).update(trace.lines)
        failed = {tested.test for tested in calls if not tested.passed}
        scores = _ochiai(covered, failed)
        spans = [(scores.get(line, 0.0), span) for line, span in statements(case.source).items()]
        top = max((score for score, _ in spans), default=0.0)
        if not top:
            return abstain(self.name, Reason.BUDGET)
        return Localization(spans=by_lot([span for score, span in spans if score == top], case), stage=self.name)


class Traceback:
    """The line that raised, as the paper credits run-time errors; nothing for a program that returns."""

    name = "traceback"

    def localize(self, case: Case) -> Localization:
        error = case.verdict.error
        if error is None or error.line is None:
            return abstain(self.name, Reason.NO_EVIDENCE)
        positions = SourceMap(case.source)
        if not 1 <= error.line <= positions.line_count:
            return abstain(self.name, Reason.NO_EVIDENCE)
        span = statements(case.source).get(error.line, positions.line_span(error.line))
        return Localization(spans=(span,), stage=self.name)


class LateDivergence:
    """The last statement whose value the reference never had: the paper's ablation of *earliest*.

    On the first failing call, the last write or return of the candidate that is no value of the reference's trace;
    without one, the last statement executed.
    """

    name = "late_divergence"

    def localize(self, case: Case) -> Localization:
        failing = [tested.call for tested in case.verdict.calls if not tested.passed]
        if not failing:
            return abstain(self.name, Reason.NO_CALLS)
        if not case.references:
            return abstain(self.name, Reason.NO_REFERENCE)
        program = probed(case.source, case.task.kind)
        (trace,) = case.sandbox.trace(program.code, failing[:1])
        (reference,) = case.sandbox.trace(probed(case.references[0], case.task.kind).code, failing[:1])
        span = _last_strange(program, trace, reference)
        return Localization(spans=(span,), stage=self.name) if span else abstain(self.name, Reason.NO_DIVERGENCE)


def _last_strange(program: Instrumented, trace: RawTrace, reference: RawTrace) -> Span | None:
    left = Counter(event.value for event in reference.events)
    last = strange = None
    for event in trace.events:
        if not 0 <= event.site < len(program.sites):  # a candidate can write into its own records
            continue
        site = program.sites[event.site]
        if site.kind in (WRITE, RETURN):
            last = site
            if not left[event.value]:
                strange = site
            left[event.value] -= 1
    chosen = strange or last
    return header(chosen.statement, SourceMap(program.source)) if chosen else None


def _chosen(calls: Sequence[TestedCall]) -> list[TestedCall]:
    """At most MAX_CALLS, half of them of failing tests where there are that many of both."""
    failing = [tested for tested in calls if not tested.passed]
    passing = [tested for tested in calls if tested.passed]
    room = max(MAX_CALLS // 2, MAX_CALLS - len(passing))
    return failing[:room] + passing[: MAX_CALLS - len(failing[:room])]


def _ochiai(covered: dict[int, set[int]], failed: set[int]) -> dict[int, float]:
    """Line -> score, from the lines that each test covers."""
    ef = Counter(line for test, lines in covered.items() if test in failed for line in lines)
    ep = Counter(line for test, lines in covered.items() if test not in failed for line in lines)
    return {line: count / math.sqrt(len(failed) * (count + ep[line])) for line, count in ef.items()}


def _traces(case: Case, calls: Sequence[Call]) -> tuple[RawTrace, ...]:
    return case.sandbox.trace(probed(case.source, case.task.kind).code, calls)
