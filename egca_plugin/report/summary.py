"""What the records add up to: shares by mode and outcome, why EGCA abstained, credited shares, times, and the course
over the training steps."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from egca_plugin.monitor import alarm
from egca_plugin.monitor.metrics import stage_times
from egca_plugin.report.read import Record
from egca_plugin.types import Credit, Mode, Outcome

BINS = 10


@dataclass(frozen=True, slots=True)
class Count:
    """``n`` records of a kind, ``share`` of all."""

    name: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Time:
    """Milliseconds of one stage over the samples that went through it."""

    stage: str
    mean: float
    p95: float


@dataclass(frozen=True, slots=True)
class Step:
    """One training step: shares of its samples; ``verified`` of those with a narrow credit."""

    step: int
    passed: float
    narrow: float
    verified: float


@dataclass(frozen=True, slots=True)
class Summary:
    """``narrow`` samples have a span; ``verified`` of them are proved by a patch; shares are in [0, 1].

    ``credited`` is the median share of the response that carries the advantage of a narrow sample, None where no
    record tells; ``credited_bins`` counts narrow samples by that share in tenths.
    ``alarms`` are the hack alarms, by step.
    """

    samples: int
    tasks: int
    passed: int
    failed: int
    narrow: int
    verified: int
    credited: float | None
    modes: tuple[Count, ...]
    outcomes: tuple[Count, ...]
    reasons: tuple[Count, ...]
    credited_bins: tuple[int, ...]
    times: tuple[Time, ...]
    steps: tuple[Step, ...]
    alarms: tuple[tuple[int, str], ...]


def summarise(records: Sequence[Record]) -> Summary:
    """The sums over at least one record."""
    credits = [record.credit for record in records]
    narrow = [record for record in records if record.credit.spans]
    shares = [record.credited_share for record in narrow if record.credited_share is not None]
    passed = sum(credit.passed for credit in credits)
    return Summary(
        samples=len(records),
        tasks=len({record.task_id for record in records}),
        passed=passed,
        failed=len(records) - passed,
        narrow=len(narrow),
        verified=sum(record.credit.verified for record in narrow),
        credited=statistics.median(shares) if shares else None,
        modes=_counts((credit.mode.value for credit in credits), [mode.value for mode in Mode]),
        outcomes=_counts((credit.outcome.value for credit in credits), [outcome.value for outcome in Outcome]),
        reasons=_counts((credit.reason for credit in credits if credit.reason), [], of=len(records)),
        credited_bins=_bins(shares),
        times=_times(records),
        steps=_steps(records),
        alarms=_alarms(records),
    )


def _counts(names: Iterable[str], known: Sequence[str], of: int | None = None) -> tuple[Count, ...]:
    """In the order of ``known``, then by frequency; kinds without a record are left out."""
    found = Counter(names)
    total = sum(found.values()) if of is None else of
    order = [*known, *(name for name, _ in sorted(found.items(), key=lambda item: (-item[1], item[0])))]
    return tuple(Count(name, found[name], found[name] / total) for name in dict.fromkeys(order) if found[name])


def _bins(shares: Sequence[float]) -> tuple[int, ...]:
    counts = Counter(min(int(share * BINS), BINS - 1) for share in shares)
    return tuple(counts[at] for at in range(BINS)) if shares else ()


def _times(records: Sequence[Record]) -> tuple[Time, ...]:
    flat = stage_times([record.credit.ms for record in records])
    stages = dict.fromkeys(name.split("/")[2] for name in flat)
    return tuple(Time(s, flat[f"egca/ms/{s}/mean"], flat[f"egca/ms/{s}/p95"]) for s in stages)


def _steps(records: Sequence[Record]) -> tuple[Step, ...]:
    by_step: defaultdict[int, list[Record]] = defaultdict(list)
    for record in records:
        if record.step is not None:
            by_step[record.step].append(record)
    return tuple(_step(step, rows) for step, rows in sorted(by_step.items()))


def _alarms(records: Sequence[Record]) -> tuple[tuple[int, str], ...]:
    by_step: defaultdict[int, list[Credit]] = defaultdict(list)
    for record in records:
        if record.step is not None:
            by_step[record.step].append(record.credit)
    return tuple((step, str(raised)) for step, raised in alarm.over(by_step).items())


def _step(step: int, rows: Sequence[Record]) -> Step:
    narrow = [row for row in rows if row.credit.spans]
    return Step(
        step,
        passed=sum(row.credit.passed for row in rows) / len(rows),
        narrow=len(narrow) / len(rows),
        verified=sum(row.credit.verified for row in narrow) / len(narrow) if narrow else 0.0,
    )
