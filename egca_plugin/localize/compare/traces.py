"""Traces made ready for comparison: per site the history of its values and the moments at which they were seen.

``S_1..S_K`` of the paper is the event list; a *history* is its projection on one probe site.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

from egca_plugin.program.instrument import WRITE, Instrumented, Site
from egca_plugin.types import CallResult, CallStatus, RawTrace

History = tuple[Hashable, ...]
NOTHING: History = ()


class Trace:
    """One call under probes. ``values[s]`` and ``times[s]`` run in parallel for site ``s``."""

    def __init__(self, raw: RawTrace) -> None:
        values: dict[int, list[Hashable]] = {}
        times: dict[int, list[int]] = {}
        self.events: list[tuple[int, Hashable]] = [(event.site, event.value) for event in raw.events]
        for time, (site, value) in enumerate(self.events):
            values.setdefault(site, []).append(value)
            times.setdefault(site, []).append(time)
        self.values: dict[int, History] = {site: tuple(history) for site, history in values.items()}
        self.times: dict[int, list[int]] = times
        self.result: CallResult = raw.result
        self.lines: frozenset[int] = raw.lines

    @cached_property
    def value_counts(self) -> Counter[Hashable]:
        """How often each value occurred, at whatever site."""
        return self.counts(len(self.events))

    def counts(self, limit: int) -> Counter[Hashable]:
        """The same for the first events only."""
        return Counter(value for _, value in self.events[:limit])


@dataclass(frozen=True, eq=False)
class Run:
    """An instrumented program and its traces; ``traces[0]`` is the failing call, the rest give more history."""

    program: Instrumented
    traces: tuple[Trace, ...]

    @property
    def failing(self) -> Trace:
        return self.traces[0]

    @cached_property
    def broken(self) -> tuple[bool, ...]:
        """Which calls ended without a value: by an exception, or by a bound."""
        return tuple(trace.result.status is not CallStatus.VALUE for trace in self.traces)

    def histories(self, site: Site) -> tuple[History, ...]:
        """The site's history in each call."""
        return tuple(trace.values.get(site.id, NOTHING) for trace in self.traces)

    @cached_property
    def by_site(self) -> dict[int, tuple[History, ...]]:
        return {site.id: self.histories(site) for site in self.program.sites}

    @cached_property
    def by_variable(self) -> dict[str, tuple[History, ...]]:
        """Values written to each variable, in order, whichever statement wrote them."""
        variables = {site.id: site.variable for site in self.program.sites if site.kind == WRITE}
        written: dict[str, list[list[Hashable]]] = {}
        for index, trace in enumerate(self.traces):
            for site, value in trace.events:
                variable = variables.get(site)
                if variable is not None:
                    written.setdefault(variable, [[] for _ in self.traces])[index].append(value)
        return {name: tuple(tuple(history) for history in histories) for name, histories in written.items()}


_PART = 0.9  # what histories that agree as far as they go together are worth
_LONG = 400  # past this many values only the beginning and the end count towards similarity


def history_similarity(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """1 for equal histories; else the longer of the shared prefix + suffix share and 0.8 x the bag overlap."""
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    if len(a) > _LONG or len(b) > _LONG:
        a, b = (*a[: _LONG // 2], *a[-_LONG // 2 :]), (*b[: _LONG // 2], *b[-_LONG // 2 :])
    shorter = min(len(a), len(b))
    prefix = 0
    while prefix < shorter and a[prefix] == b[prefix]:
        prefix += 1
    suffix = 0
    while suffix < shorter - prefix and a[-1 - suffix] == b[-1 - suffix]:
        suffix += 1
    share = 2 * (prefix + suffix) / (len(a) + len(b))
    if share < 0.8 and shorter > 1:
        counts = Counter(a)
        overlap = sum(min(counts[value], n) for value, n in Counter(b).items())
        share = max(share, 0.8 * 2 * overlap / (len(a) + len(b)))
    return share


def mean_similarity(a: Sequence[History], b: Sequence[History], broken: Sequence[bool] = ()) -> float | None:
    """Mean over the calls in which either side has events; None where neither ever has.

    ``broken``: calls that broke off or never came to an end, whose histories say something as far as they go together.
    """
    whole = [history_similarity(x, y) if x or y else None for x, y in zip(a, b, strict=True)]
    for index in (index for index, was_broken in enumerate(broken) if was_broken):
        whole[index] = _joint(a[index], b[index], whole[index])
    scores = [score for score in whole if score is not None]
    return sum(scores) / len(scores) if scores else None


def _joint(a: History, b: History, whole: float | None) -> float | None:
    """The similarity of what both have, by so much less as there is less of it; at least that of all."""
    count = min(len(a), len(b), _LONG)
    if whole is None or not count:
        return whole
    return max(whole, _PART * count / (count + 1) * history_similarity(a[:count], b[:count]))


def first_difference(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """The first index at which two histories differ, the shorter one's length where it is a prefix."""
    for index, (x, y) in enumerate(zip(a, b)):  # noqa: B905 - one may be shorter
        if x != y:
            return index
    return min(len(a), len(b))
