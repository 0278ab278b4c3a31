"""The localiser ``trace``: align, find the earliest divergence k*, prove it with a patch, credit only what it changes.

Stages, as recorded in ``Localization.stage``:

``transplant``, ``generic``, ``insertion``, ``special``, ``pair``  a patch of that kind makes every test pass (verified)
``divergence``   the histories part, no patch was found: a wide span around k*
``traceback``    nothing but the raising line is known
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from egca_plugin.localize.alignment import align
from egca_plugin.localize.api import Case, Reason
from egca_plugin.localize.choose import SMALL, edits_size
from egca_plugin.localize.credit import edit_span, patch_text, statement_span
from egca_plugin.localize.divergence import differences, suspects
from egca_plugin.localize.evidence import Evidence, Expectation, distinct_calls, gather, same_outcome, step_budget
from egca_plugin.localize.inputs import FurtherInputs
from egca_plugin.localize.patches import Workbench
from egca_plugin.localize.reference import ReferenceCache, trace_calls
from egca_plugin.localize.search import find_patches
from egca_plugin.localize.slots import patched_source
from egca_plugin.localize.traces import Run
from egca_plugin.localize.trials import Combination, Trials
from egca_plugin.localize.variables import map_variables
from egca_plugin.localize.words import describe
from egca_plugin.program.instrument import instrument
from egca_plugin.program.positions import SourceMap
from egca_plugin.sandbox.referee import judge
from egca_plugin.sandbox.workshop import Workshop
from egca_plugin.types import Call, CallStatus, Divergence, Localization, Outcome, Span

_FAILING, _HOLDING = 3, 4  # calls that are traced
_REFERENCES = 3  # that are traced and aligned
_JUDGED = 3  # patches that the referee is asked about
_WIDE = 3  # statements in a wide span
_TIMEOUT_S = 1.0  # wall clock of a candidate's traces: the budgets end them long before, unless one operation hangs
_LARGEST = 20_000  # characters: past them alignment alone takes seconds


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    """A candidate beside one reference, aligned."""

    bench: Workbench
    source: str
    divergence: Divergence | None
    likeness: float


class TraceLocalizer:
    """See the module. One instance keeps the references' traces; not thread-safe, like the sandbox."""

    name = "trace"

    def __init__(self) -> None:
        self._cache = ReferenceCache()
        self._further = FurtherInputs()

    def localize(self, case: Case) -> Localization:
        early = _nothing_to_do(case)
        if early is not None:
            return early
        source_map = SourceMap(case.source)
        calls = list(distinct_calls(case.verdict))
        if not calls:
            return _traceback(case, source_map, Reason.NO_CALLS)
        with Workshop(case.sandbox) as workshop:
            compared, evidence, reason = self._compare(case, calls, workshop)
            if compared is None or evidence is None:
                return _traceback(case, source_map, reason)
            answer = self._search(case, compared, evidence, source_map, workshop)
        return replace(answer, reference=compared.source, divergence=compared.divergence)

    # --- comparing ----------------------------------------------------------------------------------------------

    def _compare(
        self, case: Case, calls: Sequence[Call], workshop: Workshop
    ) -> tuple[_Comparison | None, Evidence | None, Reason]:
        """The nearest reference's comparison, by how well the two programs align."""
        best: _Comparison | None = None
        evidence: Evidence | None = None
        reason = Reason.NO_REFERENCE
        candidate: Run | None = None
        for source in case.references[:_REFERENCES]:
            found = gather(case.verdict, self._cache.results(source, calls, case.sandbox, case.saved))
            if not found.failing:
                reason = Reason.NO_DIFFERENCE
                continue
            traced = [x.call for x in (*found.failing[:_FAILING], *found.holding[:_HOLDING])]
            if candidate is None or evidence is None or evidence.failing[0].call != found.failing[0].call:
                candidate, reason = _traced(case, traced, found, workshop)
                if candidate is None:
                    return None, None, reason
            traces = self._cache.traces(source, traced, case.sandbox, case.saved)
            reference = Run(self._cache.known(source).program, traces)
            comparison = _comparison(candidate, reference, source, case.task.entry_point)
            if best is None or comparison.likeness > best.likeness:
                best, evidence = comparison, found
        return best, evidence, reason

    # --- searching ----------------------------------------------------------------------------------------------

    def _search(
        self, case: Case, compared: _Comparison, evidence: Evidence, source_map: SourceMap, workshop: Workshop
    ) -> Localization:
        bench = compared.bench
        steps, most = step_budget(bench.reference.failing.result, [trace.result for trace in bench.candidate.traces])
        calls = [x.call for x in (*evidence.failing[:_FAILING], *evidence.holding[:_HOLDING])]
        everything = [x.call for x in evidence.everything]

        def further() -> tuple[Expectation, ...]:
            return self._further.of(compared.source, everything, case.sandbox)

        def longest() -> int:
            return self._further.steps(compared.source, everything, case.sandbox)

        trials = Trials(case.sandbox, workshop, bench.tree, evidence, steps, most, longest)

        for choice in find_patches(bench, trials, calls, further)[:_JUDGED]:
            verdict = judge(case.sandbox, patched_source(bench.tree, choice.edits), case.task)
            if verdict.passed:
                return _verified(choice.edits, trials.count, source_map)
            if verdict.outcome is Outcome.TIMEOUT:  # the tests are too long for another guess
                break
        return replace(_wide(case, bench, source_map), trials=trials.count)


def _nothing_to_do(case: Case) -> Localization | None:
    outcome = case.verdict.outcome
    if outcome is Outcome.OK:
        return Localization(reason=Reason.PASSED.value)
    if outcome is Outcome.COMPILE_ERROR:
        return Localization(reason=Reason.DOES_NOT_COMPILE.value)
    if len(case.source) > _LARGEST:
        return Localization(reason=Reason.BUDGET.value)
    if not case.verdict.stable:
        return Localization(reason=Reason.UNSTABLE.value)
    if not case.references:
        return Localization(reason=Reason.NO_REFERENCE.value)
    return None


def _traced(case: Case, calls: Sequence[Call], evidence: Evidence, workshop: Workshop) -> tuple[Run | None, Reason]:
    """The candidate's run, or why there is none."""
    try:
        program = instrument(case.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, Reason.DOES_NOT_COMPILE
    traces = trace_calls(program, calls, workshop, _TIMEOUT_S)
    if len(traces) < len(calls):
        return None, Reason.TRACE_MISMATCH
    for call, trace in zip(calls, traces, strict=True):
        observed = evidence.observed[call]
        cut_short = trace.result.status in (CallStatus.BUDGET, CallStatus.TIMEOUT)
        if not cut_short and not same_outcome(trace.result, observed):
            return None, Reason.TRACE_MISMATCH
    return Run(program, traces), Reason.NO_DIVERGENCE


def _comparison(candidate: Run, reference: Run, source: str, entry_point: str) -> _Comparison:
    count = min(len(candidate.traces), len(reference.traces))
    candidate = Run(candidate.program, candidate.traces[:count])
    reference = Run(reference.program, reference.traces[:count])
    mapping = map_variables(candidate, reference, entry_point)
    alignment = align(candidate, reference, mapping)
    found = differences(alignment, candidate, reference)
    bench = Workbench(candidate, reference, mapping, suspects(found, alignment, candidate, reference), alignment)
    divergence = describe(found[0], candidate, reference) if found else None
    units = max(1, len(alignment.candidate_units), len(alignment.reference_units))
    return _Comparison(bench, source, divergence, sum(pair.score for pair in alignment.pairs) / units)


def _verified(edits: Combination, trials: int, source_map: SourceMap) -> Localization:
    return Localization(
        spans=tuple(edit_span(edit, source_map) for edit in edits),
        verified=True,
        confidence=0.97 if edits_size(edits) <= SMALL else 0.9,
        stage=edits[0].source if len(edits) == 1 else "pair",
        patch="; ".join(patch_text(edit) for edit in edits),
        trials=trials,
    )


def _wide(case: Case, bench: Workbench, source_map: SourceMap) -> Localization:
    """The k* slice: the statements most suspected, no patch having proved one."""
    spans = tuple(statement_span(x.statement, source_map) for x in bench.suspects[:_WIDE])
    if not spans:
        return _traceback(case, source_map, Reason.NO_DIVERGENCE)
    return Localization(spans=spans, confidence=0.4, stage="divergence", reason=Reason.UNVERIFIED.value)


def _traceback(case: Case, source_map: SourceMap, reason: Reason) -> Localization:
    """The raising line, where there is one; otherwise abstain."""
    failed = next((tested.result for tested in case.verdict.calls if not tested.passed), None)
    line = failed.line if failed is not None else case.verdict.error.line if case.verdict.error is not None else None
    if line is None or not 1 <= line <= source_map.line_count:
        return Localization(reason=reason.value)
    spans: tuple[Span, ...] = (source_map.line_span(line),)
    return Localization(spans=spans, confidence=0.5, stage="traceback", reason=reason.value)
