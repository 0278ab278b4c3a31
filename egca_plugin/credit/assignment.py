"""From what was found to the credit of one sample: spans in its completion, the decision, the reward."""

from __future__ import annotations

from dataclasses import replace

from egca_plugin.config import EgcaConfig
from egca_plugin.credit.decision import decision
from egca_plugin.credit.syntax import compile_error_span
from egca_plugin.localize.api import DIVERGENCE
from egca_plugin.program.change import diff
from egca_plugin.program.extract import to_completion
from egca_plugin.types import Credit, Divergence, Instead, Localization, Mode, Program, Span, Verdict


def assigned(
    text: str, program: Program, verdict: Verdict, mode: Mode, found: Localization, config: EgcaConfig
) -> Credit:
    """The credit of a sample whose completion is ``text``: uniform where nothing that was sampled is to blame."""
    mapped = [(span, to_completion(program, span)) for span in found.spans]
    spans = tuple(span for _, span in mapped if span is not None)
    reason = found.reason
    if found.spans and not spans:
        reason = "span_not_sampled"
    elif found.reason and found.stage == DIVERGENCE and not config.keeps_unverified:
        spans = ()
    elif found.confidence < config.min_confidence:
        spans, reason = (), "not_sure_enough" if spans else reason
    elif sum(s.end - s.start for s in spans) > config.max_share * max(_sampled(program), 1):
        spans, reason = (), "span_too_wide"
    at, instead = _decision(program, found) if spans and found.verified else (None, None)
    return Credit(
        decision=at,
        instead=instead,
        begins=program.segments[0].completion_start if program.segments else 0,
        mode=mode,
        reward=reward_of(verdict, config.reward),
        outcome=verdict.outcome,
        tests_passed=verdict.tests_passed,
        tests_total=verdict.tests_total,
        spans=spans,
        verified=found.verified and bool(spans),
        confidence=found.confidence if spans else 0.0,
        stage=found.stage,
        reason=reason,
        divergence=_in_completion(found.divergence, program, text),
        reference=found.reference,
        patch=found.patch,
        failed=verdict.failed,
        diff=diff(program.source, found.patched) if found.patched and found.verified else "",
        repaired=found.patched if found.verified else "",
    )


def at_compile_error(program: Program) -> Localization:
    """The place that the compiler points at, as a localiser would answer."""
    span = compile_error_span(program)
    if span is None:
        return Localization(reason="compile_error_without_place")
    return Localization(spans=(span,), confidence=1.0, stage="compiler")


def _decision(program: Program, found: Localization) -> tuple[Span | None, Instead | None]:
    """In the completion; where the repair goes on behind the program's end, what was sampled there."""
    parted = decision(program.source, found.patched)
    if parted is None:
        return None, None
    at, start = _character(program, parted.at), _character(program, parted.start)
    return at, Instead(start.start, parted.text) if at and start and parted.text else None


def _character(program: Program, at: int) -> Span | None:
    """One character of the program in the completion, or the one behind its end; None for one that was not sampled."""
    if at < len(program.source):
        return to_completion(program, Span(at, at + 1))
    end = program.segments[-1].completion_start + program.segments[-1].length
    return Span(end, end + 1)


def reward_of(verdict: Verdict, kind: str) -> float:
    """1 for a program that passes, and for no other: one may pass every test and fail beside them.

    ``kind`` is ``egca.reward``: ``all``, or the ``share`` of the tests that pass.
    """
    if verdict.passed or kind == "all":
        return float(verdict.passed)
    return min(verdict.tests_passed, verdict.tests_total - 1) / verdict.tests_total if verdict.tests_total else 0.0


def _sampled(program: Program) -> int:
    return sum(segment.length for segment in program.segments)


def _in_completion(divergence: Divergence | None, program: Program, text: str) -> Divergence | None:
    """The divergence with its line counted in the completion, in its words too: they name the line once."""
    if divergence is None:
        return None
    lines = program.source.split("\n")
    at = min(max(divergence.line, 1), len(lines)) - 1
    start = sum(len(line) + 1 for line in lines[:at])
    span = to_completion(program, Span(start, start + max(len(lines[at]), 1)))
    if span is None:
        return divergence
    line = text.count("\n", 0, span.start) + 1
    message = divergence.message.replace(f"line {divergence.line}", f"line {line}", 1)
    return replace(divergence, line=line, message=message)
