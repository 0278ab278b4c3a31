"""What one answer is worth, and how the answers add up. The definitions are those of LABELS.md."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.common import quantile
from benchmarks.localization.corpus import Subject
from benchmarks.localization.deciding import is_the_true_one
from egca_plugin.credit.baselines.statements import lexemes, statements
from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Localization, Outcome, Span, Verdict

Z = 1.959964  # two-sided 95%


@dataclass(frozen=True, slots=True)
class Row:
    """One localiser's answer on one subject, scored. ``hit`` is 0 or 1, for uniform credit its expectation.

    ``share`` is the share of the program's Python tokens (without layout and comments) that get credit; 1 where it is
    uniform. ``decided``: of a verified answer whose right version is known, whether its decision is the token at which
    the program leaves that version; None of any other. ``warm``: the reference was traced before, so ``ms`` is what a
    further sample of the task costs.
    """

    subject: str
    task_id: str
    form: str
    operator: str
    category: str
    outcome: str
    localizer: str
    hit: float
    overlap: bool
    share: float
    verified: bool
    credited: bool
    reason: str
    stage: str
    ms: float
    warm: bool
    trials: int
    lines: tuple[int, ...] = ()
    digest: str = ""  # of the program, so that rows of an older corpus are not taken for those of a newer one
    error: str = ""
    decided: bool | None = None
    size: int = 0  # parts that the proving patch changes

    @property
    def crash(self) -> bool:
        return self.outcome == Outcome.EXCEPTION.value


def score(subject: Subject, verdict: Verdict, name: str, answer: Localization, ms: float, *, warm: bool) -> Row:
    """Score one answer. ``name`` is the localiser's; ``ms`` is what the answer took."""
    positions = SourceMap(subject.program)
    lines = tuple(positions.line_of(span.start) for span in answer.spans)
    hit = float(lines[0] in subject.lines) if lines else 0.0
    if name == "uniform":
        hit = random_line(subject)
    return Row(
        subject=subject.id,
        task_id=subject.task_id,
        form=subject.form,
        operator=subject.operator,
        category=subject.category,
        outcome=verdict.outcome.value,
        localizer=name,
        hit=hit,
        overlap=any(_meet(one, other) for one in answer.spans for other in subject.spans),
        share=credited_share(subject.program, answer.spans),
        verified=answer.verified,
        credited=bool(answer.spans),
        reason=answer.reason,
        stage=answer.stage,
        ms=ms,
        warm=warm,
        trials=answer.trials,
        lines=lines,
        digest=subject.digest,
        decided=_decided(subject, answer),
        size=answer.size,
    )


def _decided(subject: Subject, answer: Localization) -> bool | None:
    if not subject.fixed or not answer.verified:
        return None
    return is_the_true_one(subject.program, subject.fixed, answer.patched)


def random_line(subject: Subject) -> float:
    """The chance that a random line of code inside a function is a labelled one."""
    code = [line for line, span in statements(subject.program).items() if _indented(subject.program, span)]
    return len(set(code) & set(subject.lines)) / len(code) if code else 0.0


def credited_share(source: str, spans: Sequence[Span]) -> float:
    """Share of the Python tokens that meet a span; a span that meets none (a newline) counts as one token."""
    tokens = lexemes(source)
    if not spans or not tokens:
        return 1.0
    met = sum(any(token.span.start < span.end and span.start < token.span.end for span in spans) for token in tokens)
    return max(1, met) / len(tokens)


def _meet(one: Span, other: Span) -> bool:
    """Whether two spans share a character, or one is a point that the other contains or touches."""
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _indented(source: str, span: Span) -> bool:
    return span.start > 0 and source[span.start - 1] in " \t"


# --- adding up --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of ``n`` with its 95% Wilson interval."""

    value: float
    low: float
    high: float
    n: int

    def show(self) -> str:
        return f"{100 * self.value:.1f}% [{100 * self.low:.1f}, {100 * self.high:.1f}]" if self.n else "-"


def wilson(values: Iterable[float]) -> Rate:
    """The mean of values in [0, 1] with its Wilson interval. An empty rate has n = 0."""
    known = list(values)
    n = len(known)
    if not n:
        return Rate(0.0, 0.0, 1.0, 0)
    share = sum(known) / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return Rate(share, max(0.0, centre - half), min(1.0, centre + half), n)


@dataclass(frozen=True, slots=True)
class Summary:
    """Many rows in one line of a table."""

    top1: Rate
    overlap: Rate
    verified: Rate
    top1_verified: Rate
    credited: Rate
    decided: Rate
    share: float
    ms_p50: float
    ms_p95: float


def summarise(rows: Sequence[Row]) -> Summary:
    """Raises ValueError for no rows."""
    if not rows:
        raise ValueError("summarise: got no rows, expected at least one")
    times = [row.ms for row in rows if row.warm] or [row.ms for row in rows]
    return Summary(
        top1=wilson(row.hit for row in rows),
        overlap=wilson(row.overlap for row in rows),
        verified=wilson(row.verified for row in rows),
        top1_verified=wilson(row.hit for row in rows if row.verified),
        credited=wilson(row.credited for row in rows),
        decided=wilson(row.decided for row in rows if row.decided is not None),
        share=sum(row.share for row in rows) / len(rows),
        ms_p50=quantile(times, 0.5),
        ms_p95=quantile(times, 0.95),
    )
