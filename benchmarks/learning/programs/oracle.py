"""The decision as the world knows it: where a sampled program leaves every right program of its task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.learning.programs.faults import Decisions
from benchmarks.learning.programs.vocabulary import Vocabulary

BEAM = 12


class _Replay:
    """A ``Choose`` that takes ``taken`` first and the first option ever after; ``met`` counts the options of each."""

    def __init__(self, taken: Sequence[int]) -> None:
        self._taken = taken
        self.met: list[int] = []

    def __call__(self, options: Sequence[Any]) -> Any:
        at = len(self.met)
        self.met.append(len(options))
        return options[self._taken[at] if at < len(self._taken) else 0]


def parting(family: Any, spec: Any, ids: Sequence[int], vocabulary: Vocabulary) -> int:
    """How many tokens of ``ids`` the nearest right program has: the free choices are taken as ``ids`` has them.

    A choice may show in the text only after the next one is taken, so all that reach equally far are kept (BEAM).
    """
    beam: list[list[int]] = [[]]
    while True:
        reached: dict[str, tuple[int, list[int]]] = {}
        more = False
        for taken in beam:
            replay = _Replay(taken)
            source = family.write(spec, replay, Decisions())
            open_ = len(taken) < len(replay.met)
            more |= open_
            for k in range(replay.met[len(taken)]) if open_ else ():
                source = family.write(spec, _Replay([*taken, k]), Decisions())
                reached.setdefault(source, (_common(ids, source, vocabulary), [*taken, k]))
            if not open_:
                reached.setdefault(source, (_common(ids, source, vocabulary), taken))
        best = max(reach for reach, _ in reached.values())
        if not more or best == len(ids):
            return best
        beam = [taken for reach, taken in reached.values() if reach == best][:BEAM]


def _common(ids: Sequence[int], source: str, vocabulary: Vocabulary) -> int:
    right = [*(vocabulary.encode(source) or ()), vocabulary.end]
    return next((i for i, (a, b) in enumerate(zip(ids, right, strict=False)) if a != b), min(len(ids), len(right)))
