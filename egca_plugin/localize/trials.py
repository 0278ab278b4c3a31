"""Trying patches: the counterfactual test of a suspicion. All trials run in the sandbox, many in one child.

A patch is tried on the failing call first; only what survives sees the other calls. Trials come in chunks, so that
the right patch near the front of the queue costs no more than a handful.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType

from egca_plugin.localize.edits import Edit, key
from egca_plugin.localize.evidence import Evidence, Expectation
from egca_plugin.localize.slots import changes_scope, slotted, variant
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.types import CallStatus

_CHUNKS = (32, 64, 96)  # sizes of successive chunks, the last one repeated
_TIMEOUT_S = 1.0  # wall clock for one trial that ignores its step budget
_SyntaxTrouble = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)

Combination = tuple[Edit, ...]


@dataclass(eq=False)
class Trials:
    """Runs patches of one candidate and remembers which were tried. ``count`` is the number of trials so far."""

    sandbox: Sandbox
    tree: ast.Module
    evidence: Evidence
    steps: int
    count: int = 0
    _seen: set[object] = field(default_factory=set)

    def search(self, edits: Sequence[Edit], budget: int, grace: int) -> list[Edit]:
        """The edits that mend every call, at most ``budget`` tried, and ``grace`` more after the first success."""
        found = self.search_combinations([(edit,) for edit in edits], budget, grace)
        return [edit for (edit,) in found]

    def search_combinations(self, edits: Sequence[Combination], budget: int, grace: int) -> list[Combination]:
        """As :meth:`search`, for several edits at once."""
        found: list[Combination] = []
        queue = self._fresh(edits)
        left, sizes = budget, iter(_CHUNKS)
        while left > 0:
            chunk = _take(queue, min(next(sizes, _CHUNKS[-1]), left))
            if not chunk:
                break
            found += self._passing(chunk)
            left -= len(chunk)
            if found and grace >= 0:
                left, grace = min(left, grace), -1
        return found

    def _fresh(self, edits: Sequence[Combination]) -> Iterator[Combination]:
        """Those not tried before; the same change proposed twice is tried once."""
        for combination in edits:
            identity = tuple((edit.place, key(edit.new)) for edit in combination)
            if identity not in self._seen:
                self._seen.add(identity)
                yield combination

    def _passing(self, chunk: Sequence[Combination]) -> list[Combination]:
        programs = _compiled(self.tree, chunk)
        self.count += len(programs)
        first, rest = self.evidence.failing[:1], (*self.evidence.failing[1:], *self.evidence.holding)
        survivors = self._run(programs, first)
        return [combination for combination, _ in (self._run(survivors, rest) if rest else survivors)]

    def _run(
        self, programs: Sequence[tuple[Combination, CodeType]], expectations: Sequence[Expectation]
    ) -> list[tuple[Combination, CodeType]]:
        """The programs that meet all expectations."""
        kept: list[tuple[Combination, CodeType]] = []
        calls = [expectation.call for expectation in expectations]
        start = 0
        while start < len(programs):
            done = 0
            batch = [code for _, code in programs[start:]]
            for results in self.sandbox.run_batch(batch, calls, steps=self.steps, timeout_s=_TIMEOUT_S):
                met = len(results) == len(calls) and all(
                    expectation.met_by(result) for expectation, result in zip(expectations, results, strict=True)
                )
                if met:
                    kept.append(programs[start + done])
                done += 1
            start += max(1, done)  # a child that died takes only its last program along
        return kept


def _compiled(tree: ast.Module, chunk: Sequence[Combination]) -> list[tuple[Combination, CodeType]]:
    """One code object for each patch, in order; patches that make no program are left out."""
    together = [combination for combination in chunk if not any(changes_scope(edit, tree) for edit in combination)]
    codes = dict(_compile_together(tree, together))
    for combination in chunk:
        if combination not in codes:
            codes.update(_compile_together(tree, [combination]))
    return [(combination, codes[combination]) for combination in chunk if combination in codes]


def _compile_together(tree: ast.Module, chunk: Sequence[Combination]) -> Iterator[tuple[Combination, CodeType]]:
    if not chunk:
        return
    edits = list(dict.fromkeys(edit for combination in chunk for edit in combination))
    program = slotted(tree, edits)
    try:
        code = program.compile()
    except _SyntaxTrouble:
        if len(chunk) > 1:  # some patch makes no program: find it by halves
            middle = len(chunk) // 2
            yield from _compile_together(tree, chunk[:middle])
            yield from _compile_together(tree, chunk[middle:])
        return
    for combination in chunk:
        yield combination, variant(code, program.on(combination))


def _take(queue: Iterator[Combination], count: int) -> list[Combination]:
    taken = []
    for combination in queue:
        taken.append(combination)
        if len(taken) >= count:
            break
    return taken


def died(status: CallStatus) -> bool:
    """The trial took its process along."""
    return status in (CallStatus.DIED, CallStatus.TIMEOUT, CallStatus.MEMORY)
