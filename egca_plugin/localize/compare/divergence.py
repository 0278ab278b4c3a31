"""The earliest semantic divergence, ``k* = min { k : S_k != S_ref_k }``, on aligned histories, and its suspects.

For each aligned pair of probes the first index at which their histories differ is a *difference*. Its time is the
moment of that event in the candidate's run. Where the candidate has no such event any more, the time is that of the
latest aligned event before the reference's, plus one half: a wrong branch comes before the loop that it cuts short.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from dataclasses import dataclass

from egca_plugin.localize.compare.alignment import Alignment, Pair, negate
from egca_plugin.localize.compare.traces import NOTHING, History, Run, first_difference
from egca_plugin.localize.compare.units import blocks, loads, statements
from egca_plugin.program.instrument import WRITE, Site
from egca_plugin.program.nodes import walk
from egca_plugin.types import CallStatus

_CRASH, _LEFT_BY, _DEPENDENCY = 0.8, 0.6, 0.4
_SLICE = 12  # statements in a dynamic slice
_HEADERS = (ast.For, ast.AsyncFor, ast.While, ast.If)


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Aligned probes whose histories part at ``index`` (0-based). ``missing``: the candidate has no event there."""

    pair: Pair
    site: Site
    reference_site: Site
    index: int
    time: float
    missing: bool


@dataclass(frozen=True, slots=True, eq=False)
class Suspect:
    """A statement to blame and the probe that gave it away, if any; ``least`` is its least proximity to k*."""

    statement: ast.stmt
    site: Site | None
    least: float = 0.0


def differences(alignment: Alignment, candidate: Run, reference: Run) -> list[Difference]:
    """All differences on the failing call in the order of time, real ones before missing ones, then by score."""
    compared = [pair for pair in map(_Compared.of(candidate, reference), alignment.pairs) if pair is not None]
    found = []
    for one in compared:
        if one.agrees:
            continue
        missing = one.index >= len(one.times)
        time = one.latest_before(compared) + 0.5 if missing else float(one.times[one.index])
        found.append(Difference(one.pair, one.site, one.reference_site, one.index, time, missing))
    return sorted(found, key=lambda d: (d.time, d.missing, -d.pair.score))


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    pair: Pair
    site: Site
    reference_site: Site
    index: int
    times: list[int]
    reference_times: list[int]
    agrees: bool

    @staticmethod
    def of(candidate: Run, reference: Run):  # type: ignore[no-untyped-def]
        """A function from pairs to compared pairs, None for a pair without probes."""

        def compare(pair: Pair) -> _Compared | None:
            site, other = pair.candidate_site, pair.reference_site
            if site is None or other is None:
                if not pair.candidate.sites or not pair.reference.sites:
                    return None
                site, other = pair.candidate.sites[0], pair.reference.sites[0]
            mine = candidate.failing.values.get(site.id, NOTHING)
            theirs = reference.failing.values.get(other.id, NOTHING)
            agrees = histories_agree(pair, mine, theirs)
            index = first_difference(negate(mine) if pair.negated else mine, theirs)
            times = candidate.failing.times.get(site.id, [])
            return _Compared(pair, site, other, index, times, reference.failing.times.get(other.id, []), agrees)

        return compare

    def latest_before(self, compared: list[_Compared]) -> int:
        """The latest candidate event whose aligned reference event precedes the one that is missing; -1 if none."""
        moment = self.reference_times[self.index]
        latest = -1
        for other in compared:
            k = min(bisect_left(other.reference_times, moment) - 1, other.index, len(other.times) - 1)
            if k >= 0:
                latest = max(latest, other.times[k])
        return latest


def histories_agree(pair: Pair, mine: History, theirs: History) -> bool:
    """Equal histories, but for one trailing event between different kinds of loop: a ``while`` test is asked once more
    than a ``for`` target is bound."""
    if pair.negated:
        mine = negate(mine)
    if mine == theirs:
        return True
    index = first_difference(mine, theirs)
    a, b = pair.candidate, pair.reference
    unlike = type(a.statement) is not type(b.statement) and (a.kind != b.kind or b.kind == "F")
    return unlike and index == min(len(mine), len(theirs)) and abs(len(mine) - len(theirs)) <= 1


# --- suspects ---------------------------------------------------------------------------------------------------


def suspects(found: list[Difference], alignment: Alignment, candidate: Run, reference: Run) -> list[Suspect]:
    """Statements to blame, most likely first.

    A difference is traced back through definitions that have no partner and made a value which the reference never
    had. A missing event blames the header that controls the statement. A crash blames the statement that raised, before
    what is merely missing after it. Then come
    the statement that ended the run, where it may have ended too early or with the wrong value, and the definitions on
    which the first suspects depend.
    """
    aligned = {id(pair.candidate.statement) for pair in alignment.pairs}
    tree = candidate.program.tree
    parents = {id(child): node for node in walk(tree) for body in blocks(node) for child in body}
    listed: dict[int, Suspect] = {}

    def push(statement: ast.stmt, site: Site | None, least: float = 0.0) -> None:
        listed.setdefault(id(statement), Suspect(statement, site, least))

    crash = _raising(candidate)
    for difference in found:
        statement, site = difference.site.statement, difference.site
        if not difference.missing:
            for origin in _slice_back(difference, aligned, candidate, reference):
                push(origin.statement, origin)
        elif crash is not None:
            push(crash, None, _CRASH)
        if difference.missing and not isinstance(statement, _HEADERS):
            parent = parents.get(id(statement))
            for probe in candidate.program.sites if isinstance(parent, _HEADERS) else ():
                if probe.statement is parent and (probe.kind == WRITE or probe.node is parent.__dict__.get("test")):
                    push(parent, probe)
                    break
        push(statement, site)
    if crash is not None:
        push(crash, None, _CRASH)
    left_by = _last_statement(candidate)
    if left_by is not None and (not found or found[0].missing or isinstance(left_by, ast.Return)):
        push(left_by, None, _LEFT_BY)
    last = len(candidate.failing.events)
    starts: list[tuple[ast.stmt | None, int]] = [(crash, last)] if crash is not None else []
    starts += [(one.site.statement, int(one.time + 0.5)) for one in found[:2]]
    for start, time in starts or [(left_by, last)]:
        if start is not None:
            push(start, None)
            for statement in dependencies(start, time, candidate):
                push(statement, None, _DEPENDENCY)
    return list(listed.values())


def dependencies(statement: ast.stmt, time: int, run: Run) -> list[ast.stmt]:
    """The statements whose values went into ``statement`` just before ``time``, nearest first: a dynamic slice."""
    events, sites = run.failing.events, run.program.sites
    queue, reached = [(statement, time)], {id(statement): statement}
    while queue and len(reached) < _SLICE:
        node, before = queue.pop(0)
        wanted = _reads(node)
        for k in range(min(before, len(events)) - 1, -1, -1):
            if not wanted:
                break
            site = sites[events[k][0]]
            if site.kind == WRITE and site.variable in wanted and id(site.statement) not in reached:
                wanted.discard(site.variable)
                reached[id(site.statement)] = site.statement
                queue.append((site.statement, k))
    return list(reached.values())[1:]


def _reads(statement: ast.stmt) -> set[str]:
    return {part.id for part in loads(statement)}


def _raising(run: Run) -> ast.stmt | None:
    """The innermost statement on the line that raised."""
    line = run.failing.result.line
    if run.failing.result.status is not CallStatus.EXCEPTION or line is None:
        return None
    here = [node for node, _ in statements(run.program.tree) if node.lineno <= line <= (node.end_lineno or node.lineno)]
    return here[-1] if here else None


def _last_statement(run: Run) -> ast.stmt | None:
    """The one that ran last, by its last event."""
    events = run.failing.events
    return run.program.sites[events[-1][0]].statement if events else None


def _slice_back(difference: Difference, aligned: set[int], candidate: Run, reference: Run) -> list[Site]:
    """The chain of unexplained definitions that the differing value came from, the earliest first."""
    events, sites = candidate.failing.events, candidate.program.sites
    explained = reference.failing.value_counts
    statement, time = difference.site.statement, int(difference.time)
    chain: list[Site] = []
    seen: set[int] = set()
    while True:
        reads = _reads(statement)
        origin = None
        for k in range(time - 1, -1, -1):
            site = sites[events[k][0]]
            if site.kind == WRITE and site.variable in reads and site.statement is not statement:
                unexplained = id(site.statement) not in aligned and events[k][1] not in explained
                if unexplained and id(site.statement) not in seen:
                    origin, time = site, k
                break
        if origin is None:
            return chain[::-1]
        seen.add(id(origin.statement))
        chain.append(origin)
        statement = origin.statement
