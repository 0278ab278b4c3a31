"""Aligning the units of two programs by what they did (value histories) and how they are written (structure).

``score = 0.45 value + 0.35 structure + 0.2 kind - 0.03 depth gap``. Needleman-Wunsch finds the best order-preserving
pairing over a threshold; a second, more lenient pass fills the gaps between these anchors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from egca_plugin.localize.compare.traces import History, Run, mean_similarity
from egca_plugin.localize.compare.units import Bag, Unit, bag, dice, units
from egca_plugin.localize.compare.variables import VariableMap
from egca_plugin.program.instrument import WRITE, Site

_ANCHOR, _GAP = 0.42, 0.30
_KINDS = {
    frozenset("AE"): 0.6, frozenset("AR"): 0.5, frozenset("BE"): 0.4, frozenset("AF"): 0.3, frozenset("BF"): 0.3,
    frozenset("ER"): 0.3,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two units that do the same job. The sites are the probes whose histories agree best, None where there are none.

    ``negated``: the candidate's test is true where the reference's is false.
    """

    candidate: Unit
    reference: Unit
    score: float
    candidate_site: Site | None
    reference_site: Site | None
    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """``pairs`` in no particular order; units without a partner are simply absent from them."""

    pairs: tuple[Pair, ...]
    candidate_units: tuple[Unit, ...]
    reference_units: tuple[Unit, ...]


def negate(history: History) -> History:
    return tuple(not value if isinstance(value, bool) else value for value in history)


def align(candidate: Run, reference: Run, mapping: VariableMap) -> Alignment:
    """Pair the units of candidate and reference under a variable map."""
    mine, theirs = units(candidate.program), units(reference.program)
    scorer = _Scorer(candidate, reference, mapping)
    bags_c = [bag(unit.node, mapping) for unit in mine]
    bags_r = [bag(unit.node) for unit in theirs]
    table = [[scorer.pair(a, b, bags_c[i], bags_r[j]) for j, b in enumerate(theirs)] for i, a in enumerate(mine)]
    chosen = best_pairing([[pair.score for pair in row] for row in table], _ANCHOR)
    chosen += _fill_gaps(table, chosen, mapping)
    chosen += _lone_returns(mine, theirs, chosen)
    return Alignment(tuple(table[i][j] for i, j in chosen), tuple(mine), tuple(theirs))


def best_pairing(scores: Sequence[Sequence[float]], least: float) -> list[tuple[int, int]]:
    """Needleman-Wunsch: the order-preserving pairing with the largest sum of scores, each at least ``least``."""
    rows, columns = len(scores), len(scores[0]) if scores else 0
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            match = best[i + 1][j + 1] + scores[i][j] if scores[i][j] >= least else -1.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], match)
    i = j = 0
    pairing = []
    while i < rows and j < columns:
        if scores[i][j] >= least and best[i][j] == best[i + 1][j + 1] + scores[i][j]:
            pairing.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairing


class _Scorer:
    def __init__(self, candidate: Run, reference: Run, mapping: VariableMap) -> None:
        self._mine, self._theirs, self._mapping = candidate.by_site, reference.by_site, mapping
        self._broken = candidate.broken

    def pair(self, a: Unit, b: Unit, bag_a: Bag, bag_b: Bag) -> Pair:
        kind = 1.0 if a.kind == b.kind else _KINDS.get(frozenset((a.kind, b.kind)), 0.0)
        if not kind:
            return Pair(a, b, 0.0, None, None)
        value, sites = self._value(a, b)
        structure = dice(bag_a, bag_b)
        gap = 0.03 * min(4, abs(a.depth - b.depth))
        if sites is None:
            # Units without probes align by syntax alone; units whose probes never fired on either side do not align.
            score = 0.0 if a.sites and b.sites else 0.7 * structure + 0.2 * kind - gap - 0.1
            return Pair(a, b, score, None, None)
        return Pair(a, b, 0.45 * value + 0.35 * structure + 0.2 * kind - gap, *sites)

    def _value(self, a: Unit, b: Unit) -> tuple[float, tuple[Site, Site, bool] | None]:
        """The best agreement of any two probes, a negated test allowed where that fits far better."""
        best, chosen = -1.0, None
        for x in a.sites:
            for y in b.sites:
                mine, theirs = self._mine[x.id], self._theirs[y.id]
                similarity = mean_similarity(mine, theirs, self._broken)
                if similarity is None:
                    continue
                negated = False
                if a.kind == b.kind == "B" and similarity < 0.5:
                    flipped = [negate(history) for history in mine]
                    other = mean_similarity(flipped, theirs, self._broken) or 0.0
                    if other > similarity + 0.4 and sum(bool(p or q) for p, q in zip(mine, theirs, strict=True)) >= 2:
                        similarity, negated = other, True
                if x.kind == WRITE and y.kind == WRITE:
                    similarity += 0.05 if self._mapping.get(x.variable) == y.variable else -0.15
                if similarity > best:
                    best, chosen = similarity, (x, y, negated)
        return best, chosen


def _fill_gaps(table: list[list[Pair]], anchors: list[tuple[int, int]], mapping: VariableMap) -> list[tuple[int, int]]:
    """Pair what is left between two anchors when it is of the same kind or writes the same variable."""
    rows, columns = len(table), len(table[0]) if table else 0
    bounds = [(-1, -1), *anchors, (rows, columns)]
    extra = []
    for (i0, j0), (i1, j1) in pairwise(bounds):
        if i1 - i0 < 2 or j1 - j0 < 2:
            continue
        lenient = [[_lenient(table[i][j], mapping) for j in range(j0 + 1, j1)] for i in range(i0 + 1, i1)]
        extra += [(i0 + 1 + i, j0 + 1 + j) for i, j in best_pairing(lenient, _GAP)]
    return extra


def _lenient(pair: Pair, mapping: VariableMap) -> float:
    kinds = frozenset((pair.candidate.kind, pair.reference.kind))
    if len(kinds) > 1 and _KINDS.get(kinds, 0.0) < 0.6:
        return 0.0
    mine = {mapping.get(site.variable) for site in pair.candidate.sites if site.kind == WRITE}
    theirs = {site.variable for site in pair.reference.sites if site.kind == WRITE}
    if mine and theirs:
        return pair.score + 0.2 if mine & theirs else 0.0
    return pair.score + 0.1


def _lone_returns(mine: list[Unit], theirs: list[Unit], chosen: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Two programs with one unpaired return each: these are the same return."""
    rows, columns = {i for i, _ in chosen}, {j for _, j in chosen}
    left = [i for i, unit in enumerate(mine) if unit.kind == "R" and i not in rows]
    right = [j for j, unit in enumerate(theirs) if unit.kind == "R" and j not in columns]
    return [(left[0], right[0])] if len(left) == len(right) == 1 else []
