"""The localiser ``trace``: align, find the earliest divergence k*, prove it with a patch, credit only what it changes.

Stages, as recorded in ``Localization.stage``:

``transplant``, ``generic``, ``insertion``, ``special``, ``pair``  a patch of that kind makes every test pass (verified)
``divergence``   the histories part, no patch was found: a wide span around k*
``traceback``    nothing but the raising line is known
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import DIVERGENCE, Case, Reason
from egca_plugin.localize.choose import edits_size
from egca_plugin.localize.compare.alignment import align
from egca_plugin.localize.compare.divergence import differences, suspects
from egca_plugin.localize.compare.evidence import (
    MOST_STEPS,
    Evidence,
    Expectation,
    cut_short,
    distinct_calls,
    gather,
    same_outcome,
    step_budget,
)
from egca_plugin.localize.compare.reference import Own, ReferenceCache, trace_calls
from egca_plugin.localize.compare.traces import Run, Trace
from egca_plugin.localize.compare.units import units
from egca_plugin.localize.compare.variables import map_variables
from egca_plugin.localize.compare.words import describe
from egca_plugin.localize.confidence import confidence
from egca_plugin.localize.credit import blamed_spans, patch_text, statement_span
from egca_plugin.localize.repair.spelling import as_written
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.localize.search import find_patches
from egca_plugin.localize.trial.compiled import Combination
from egca_plugin.localize.trial.inputs import FurtherInputs
from egca_plugin.localize.trial.slots import patched_source
from egca_plugin.localize.trial.trials import Trials
from egca_plugin.localize.whole import probed
from egca_plugin.program.positions import SourceMap
from egca_plugin.program.preamble import without_unused
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, CallStatus, Divergence, Localization, Outcome, Span, Verdict

_FAILING, _HOLDING = 3, 4  # calls that are traced
_REFERENCES = 3  # that are traced and aligned
_JUDGED, _ROUNDS = 3, 4  # patches that the referee is asked about, and how often what it says may be learnt from
_TOLD = 8  # calls that are learnt at once
_WIDE = 3  # statements in a wide span
_CPU_S = 1.0  # of a candidate's traces: the budgets end them long before, unless one operation hangs
_LARGEST = 20_000  # characters: past them alignment alone takes seconds
_PAIRS = 40_000  # of units, and of variables, that are compared


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
        """Without what a preamble defines and neither program uses: nobody has written it, and it hides the rest."""
        preamble = case.task.preamble
        whole = {without_unused(preamble, source): source for source in reversed(case.references)}
        own = replace(
            case,
            source=without_unused(preamble, case.source),
            references=tuple(reversed(whole)),
            fleeting=frozenset(without_unused(preamble, source) for source in case.fleeting),
        )
        answer = self._localize(own)
        return replace(answer, reference=whole.get(answer.reference, answer.reference))

    def _localize(self, case: Case) -> Localization:
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

        def own(source: str) -> list[Call]:
            return [tested.call for tested in case.seen(judge(case.sandbox, source, case.task)).calls]

        for source in case.references[:_REFERENCES]:
            found = gather(case.verdict, self._cache.results(source, calls, case.sandbox, case.kept(source), own))
            if not found.failing:
                reason = Reason.NO_DIFFERENCE
                continue
            found, traces = self._behaviour(case, source, found, own)
            traced = _calls(found)
            if candidate is None or evidence is None or evidence.failing[0].call != found.failing[0].call:
                candidate, reason = _traced(case, traced, found, workshop)
                if candidate is None:
                    return None, None, reason
            reference = Run(self._cache.known(source, case.task.kind).program, traces)
            if _pairs(candidate, reference) > _PAIRS:
                reason = Reason.BUDGET
                continue
            comparison = _comparison(candidate, reference, source, found.failing[0].call.function)
            if best is None or comparison.likeness > best.likeness:
                best, evidence = comparison, found
        return best, evidence, reason

    def _behaviour(self, case: Case, source: str, found: Evidence, own: Own) -> tuple[Evidence, tuple[Trace, ...]]:
        """The reference's traces; from the smallest failing inputs on, where it takes too long over the first one."""
        traces = self._cache.traces(source, _calls(found), case.sandbox, case.kept(source), own)
        small = tuple(sorted(found.failing, key=lambda one: len(one.call.arguments)))
        if not traces or not cut_short(traces[0].result) or small[0] == found.failing[0]:
            return found, traces
        found = replace(found, failing=small)
        return found, self._cache.traces(source, _calls(found), case.sandbox, case.kept(source), own)

    # --- searching ----------------------------------------------------------------------------------------------

    def _search(
        self, case: Case, compared: _Comparison, evidence: Evidence, source_map: SourceMap, workshop: Workshop
    ) -> Localization:
        bench = compared.bench
        calls = _calls(evidence)
        needed = bench.reference.failing.result.steps
        if cut_short(bench.reference.failing.result):
            needed = self._further.affordable(compared.source, calls[:1], case.sandbox).get(calls[0], MOST_STEPS)
        steps, most = step_budget(needed, [trace.result for trace in bench.candidate.traces])
        everything = [x.call for x in evidence.everything]

        def further() -> tuple[Expectation, ...]:
            return self._further.of(compared.source, everything, case.sandbox)

        def affordable() -> dict[Call, int]:
            return self._further.affordable(compared.source, everything[1:], case.sandbox)

        def focus(call: Call) -> Workbench | None:
            return self._focused(case, compared, evidence, call, workshop)

        trials = Trials(case.sandbox, workshop, bench.tree, evidence, steps, most, affordable)

        for _ in range(_ROUNDS):
            told: Sequence[Expectation] = ()
            for choice in find_patches(bench, trials, calls, further, focus)[:_JUDGED]:
                edits = as_written(choice.edits)
                verdict = judge(case.sandbox, patched_source(bench.tree, edits), case.task)
                if verdict.passed:
                    return _verified(edits, trials.count, source_map, bench)
                if verdict.outcome is Outcome.TIMEOUT:  # the tests are too long for another guess
                    return replace(_wide(case, bench, source_map, Reason.BUDGET), trials=trials.count)
                if told := self._told(case, compared, trials.evidence, verdict):
                    break
            if not told:
                break
            trials.learn(told)
        reason = Reason.BUDGET if trials.cut_short or bench.cropped else Reason.UNVERIFIED
        return replace(_wide(case, bench, source_map, reason), trials=trials.count)

    def _focused(
        self, case: Case, compared: _Comparison, evidence: Evidence, call: Call, workshop: Workshop
    ) -> Workbench | None:
        """The same two programs with another failing call in front; None where its traces break off."""
        failing = sorted(evidence.failing, key=lambda one: one.call != call)
        calls = _calls(replace(evidence, failing=tuple(failing)))
        program = compared.bench.candidate.program
        traces = trace_calls(program, calls, workshop, _CPU_S)
        theirs = self._cache.traces(compared.source, calls, case.sandbox, case.kept(compared.source))
        if len(traces) < len(calls) or workshop.starved or not theirs:
            return None
        reference = Run(compared.bench.reference.program, theirs)
        return _comparison(Run(program, traces), reference, compared.source, call.function).bench

    def _told(self, case: Case, compared: _Comparison, evidence: Evidence, verdict: Verdict) -> tuple[Expectation, ...]:
        """What the referee's verdict on a patch tells that the candidate's own did not, which ended with a hang.

        Where it did not hang, the tests that are left out are those that the reference itself fails.
        """
        if case.verdict.outcome is not Outcome.TIMEOUT:
            return ()
        known = {one.call for one in evidence.everything}
        seen = case.seen(verdict)
        calls = [call for call in distinct_calls(seen) if call not in known]
        if not calls:
            return ()
        results = self._cache.results(
            compared.source, calls, case.sandbox, case.kept(compared.source), lambda source: []
        )
        failing = gather(seen, results).failing
        return tuple(one for one in failing if one.call not in known)[:_TOLD]


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


def _calls(evidence: Evidence) -> list[Call]:
    """Those that are traced, the failing ones first."""
    return [one.call for one in (*evidence.failing[:_FAILING], *evidence.holding[:_HOLDING])]


def _traced(case: Case, calls: Sequence[Call], evidence: Evidence, workshop: Workshop) -> tuple[Run | None, Reason]:
    """The candidate's run, or why there is none."""
    try:
        program = probed(case.source, case.task.kind)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, Reason.DOES_NOT_COMPILE
    traces = trace_calls(program, calls, workshop, _CPU_S)
    if len(traces) < len(calls):
        return None, Reason.TRACE_MISMATCH
    if workshop.starved:
        return None, Reason.BUDGET
    for call, trace in zip(calls, traces, strict=True):
        observed = evidence.observed[call]
        cut_short = trace.result.status in (CallStatus.BUDGET, CallStatus.TIMEOUT)
        if not cut_short and not same_outcome(trace.result, observed):
            return None, Reason.TRACE_MISMATCH
    return Run(program, traces), Reason.NO_DIVERGENCE


def _pairs(candidate: Run, reference: Run) -> int:
    """How many pairs an alignment would look at."""
    by_unit = len(units(candidate.program)) * len(units(reference.program))
    return max(by_unit, len(candidate.by_variable) * len(reference.by_variable))


def _comparison(candidate: Run, reference: Run, source: str, function: str) -> _Comparison:
    count = min(len(candidate.traces), len(reference.traces))
    candidate = Run(candidate.program, candidate.traces[:count])
    reference = Run(reference.program, reference.traces[:count])
    mapping = map_variables(candidate, reference, function)
    alignment = align(candidate, reference, mapping)
    found = differences(alignment, candidate, reference)
    bench = Workbench(candidate, reference, mapping, suspects(found, alignment, candidate, reference), alignment)
    divergence = describe(found[0], candidate, reference) if found else None
    count = max(1, len(alignment.candidate_units), len(alignment.reference_units))
    return _Comparison(bench, source, divergence, sum(pair.score for pair in alignment.pairs) / count)


def _verified(edits: Combination, trials: int, source_map: SourceMap, bench: Workbench) -> Localization:
    stage, size = edits[0].source if len(edits) == 1 else "pair", edits_size(edits)
    return Localization(
        spans=blamed_spans(edits, source_map),
        verified=True,
        confidence=confidence(stage, size),
        stage=stage,
        size=size,
        patch="; ".join(patch_text(edit) for edit in edits),
        patched=patched_source(bench.tree, edits),
        trials=trials,
    )


def _wide(case: Case, bench: Workbench, source_map: SourceMap, reason: Reason) -> Localization:
    """The k* slice: the statements most suspected, no patch having proved one; ``reason`` tells why."""
    spans = tuple(statement_span(x.statement, source_map) for x in bench.suspects[:_WIDE])
    if not spans:
        return _traceback(case, source_map, Reason.NO_DIVERGENCE)
    return Localization(spans=spans, confidence=confidence(DIVERGENCE), stage=DIVERGENCE, reason=reason.value)


def _traceback(case: Case, source_map: SourceMap, reason: Reason) -> Localization:
    """The raising line, where there is one; otherwise abstain."""
    failed = next((tested.result for tested in case.verdict.calls if not tested.passed), None)
    line = failed.line if failed is not None else case.verdict.error.line if case.verdict.error is not None else None
    if line is None or not 1 <= line <= source_map.line_count:
        return Localization(reason=reason.value)
    spans: tuple[Span, ...] = (source_map.line_span(line),)
    return Localization(spans=spans, confidence=confidence("traceback"), stage="traceback", reason=reason.value)
