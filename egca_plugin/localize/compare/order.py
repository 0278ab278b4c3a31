"""Where a statement of the reference would stand in the candidate: behind the partners of those before it, before the
partners of those behind it, and in as many loops."""

from __future__ import annotations

import ast

from egca_plugin.localize.compare.alignment import Alignment
from egca_plugin.localize.compare.units import blocks, statements
from egca_plugin.localize.compare.variables import Function
from egca_plugin.program.nodes import walk

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_MOST = 3  # statements on the wrong side that are counted
_LOOP, _FUNCTION, _SIDE = 1.0, 1.0, 0.3  # what each speaks against a place


class Order:
    """The statements of two aligned programs, numbered in the order of their sources."""

    def __init__(self, alignment: Alignment, candidate: ast.Module, reference: ast.Module) -> None:
        self._mine, self._theirs = _numbers(candidate), _numbers(reference)
        self._around = _surroundings(candidate) | _surroundings(reference)
        self._pairs = {(id(pair.candidate.statement), id(pair.reference.statement)) for pair in alignment.pairs}

    def misfit(self, origin: ast.stmt, block: list[ast.stmt], index: int, names: dict[str, str]) -> float:
        """What speaks against putting the reference's ``origin`` before the ``index``-th statement of ``block``.

        0 for where it would stand; ``names`` maps the candidate's functions to the reference's.
        """
        beside = block[min(index, len(block) - 1)]
        loops, function = self._around.get(id(beside), (0, ""))
        wanted, other = self._around.get(id(origin), (0, ""))
        wrong = min(_MOST, self._on_the_wrong_side(origin, block, index))
        return _LOOP * (loops != wanted) + _FUNCTION * (names.get(function, function) != other) + _SIDE * wrong

    def _on_the_wrong_side(self, origin: ast.stmt, block: list[ast.stmt], index: int) -> int:
        behind = index == len(block)
        place = _last(block[-1], self._mine) + 1 if behind else self._mine.get(id(block[index]), 0)
        first, last = self._theirs.get(id(origin), 0), _last(origin, self._theirs)
        wrong = 0
        for mine, theirs in self._pairs:
            number, other = self._mine.get(mine), self._theirs.get(theirs)
            if number is not None and other is not None:
                wrong += (other < first and number >= place) or (other > last and number < place)
        return wrong


def _numbers(tree: ast.Module) -> dict[int, int]:
    return {id(node): number for number, (node, _) in enumerate(statements(tree))}


def _last(node: ast.stmt, numbers: dict[int, int]) -> int:
    """The number of the last statement in one, its own if it is simple."""
    return max((numbers[id(part)] for part in walk(node) if id(part) in numbers), default=0)


def _surroundings(tree: ast.Module) -> dict[int, tuple[int, str]]:
    """For each statement, in how many loops of which function it stands."""
    found: dict[int, tuple[int, str]] = {}

    def visit(body: list[ast.stmt], loops: int, function: str) -> None:
        for node in body:
            found[id(node)] = (loops, function)
            if isinstance(node, Function):
                visit(node.body, 0, node.name)
                continue
            for block in blocks(node):
                visit(block, loops + isinstance(node, _LOOPS), function)

    visit(tree.body, 0, "")
    return found
