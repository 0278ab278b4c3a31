"""Is this program built like that one? The comparability gate of METHOD.md, step 4.

Both programs are lowered to the normal form of :mod:`egca_plugin.program.lowering`, a control-flow graph that forgets
names, formatting, dead code and the form of loops. Each of its nodes is labelled with what it does and with how many
loops it stands in (at most 3). With ``C`` and ``R`` the multisets of labels of candidate and reference,

    similarity = |C & R| / (|C & R| + max(0, |C - R| - 1) + 0.2 |R - C|)

which is Tversky's index: what the candidate does and the reference does not counts in full, but for one label, lest
one operation decide over a program of three; what the candidate leaves out counts a fifth, since a program with
something missing is still built like the whole one. A candidate is *comparable* from ``THRESHOLD`` on. Labels of edges
were tried: they separate no better. ``benchmarks/gate`` has the calibration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from egca_plugin.program.lowering import Branch, Jump, Loop, Node, lower
from egca_plugin.program.memo import remembered

THRESHOLD = 0.7
FREE = 1  # labels that only the candidate has and that do not count
MISSING = 0.2  # weight of what only the reference does
MAX_LOOP_DEPTH = 3

Label = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Comparability:
    """``similarity`` (0 to 1) of a candidate to the reference it was compared with."""

    similarity: float
    comparable: bool


def comparable(candidate: str, reference: str, entry_point: str) -> Comparability:
    """The gate: is ``candidate`` built like ``reference``?"""
    value = similarity(candidate, reference, entry_point)
    return Comparability(value, value >= THRESHOLD)


def similarity(candidate: str, reference: str, entry_point: str) -> float:
    """How much of what ``candidate`` does ``reference`` does too, by the formula above; not symmetric.

    0 where either defines no ``entry_point`` or does not parse.
    """
    ours, theirs = labels(candidate, entry_point), labels(reference, entry_point)
    if ours is None or theirs is None:
        return 0.0
    shared = (ours & theirs).total()
    extra, missing = max(0, ours.total() - shared - FREE), theirs.total() - shared
    return shared / (shared + extra + MISSING * missing) if shared else 0.0


@remembered(8_000_000)
def labels(source: str, entry_point: str) -> Counter[Label] | None:
    """Labels of the normalised graph of ``entry_point``; None where there is no such graph. Treat as read-only."""
    try:
        nodes = lower(source, entry_point)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Counter(_labels(nodes, 0)) if nodes else None


def _labels(nodes: Sequence[Node], depth: int) -> Iterator[Label]:
    for node in nodes:
        if isinstance(node, str):
            yield node, depth
        elif isinstance(node, Loop):
            yield "loop", depth
            yield from _labels(node.body, min(depth + 1, MAX_LOOP_DEPTH))
        elif isinstance(node, Branch):
            yield "branch", depth
            yield from _labels(node.then, depth)
            yield from _labels(node.other, depth)
        elif isinstance(node, Jump):
            yield f"jump:{node.kind}", depth
