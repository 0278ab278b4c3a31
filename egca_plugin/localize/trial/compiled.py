"""Patches compiled, as many of them in one program as can be."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

from egca_plugin.localize.compare.units import size
from egca_plugin.localize.repair.edits import Edit
from egca_plugin.localize.trial.slots import changes_scope, frees_name, local_names, patched, slotted
from egca_plugin.program.nodes import walk

MAX_NODES = 300_000  # of all programs compiled for one candidate: one of 300 nodes can be compiled 1000 times
_Trouble = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)

Combination = tuple[Edit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Patched:
    """A compiled program and the switches that make it this patch.

    ``alone``: they must be on when the program is loaded, perhaps for an edit outside all functions.
    """

    combination: Combination
    code: CodeType
    on: tuple[int, ...]
    alone: bool


class Press:
    """Compiles the patches of one candidate until MAX_NODES nodes have gone through it; then it is ``worn``."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._scopes = local_names(tree)
        self._size = len(walk(tree))
        self._left = MAX_NODES
        self._known: dict[Edit, tuple[bool, int]] = {}  # does it change its scope, and how large it is

    @property
    def worn(self) -> bool:
        return self._left <= 0

    def compile(self, chunk: Sequence[Combination]) -> list[Patched]:
        """The patches that make a program, with as few compilations as can be; none of those left when it is worn."""
        together: list[Combination] = []
        alone: list[Combination] = []
        for combination in chunk:
            (alone if any(self._looked_at(edit)[0] for edit in combination) else together).append(combination)
        programs = list(self._together(together))
        for combination in alone:
            freeing = any(frees_name(edit, self._scopes) for edit in combination)
            programs += self._for_good(combination) if freeing else self._together([combination])
        return programs

    def _looked_at(self, edit: Edit) -> tuple[bool, int]:
        """A pair of edits is tried for each other one, so each is met often."""
        known = self._known.get(edit)
        if known is None:
            known = self._known[edit] = changes_scope(edit, self._scopes), size(edit.new)
        return known

    def _for_good(self, combination: Combination) -> Iterator[Patched]:
        """The patched program without what it replaces, whose mere presence would decide what a name means."""
        self._left -= self._size
        try:
            yield Patched(combination, slotted(patched(self._tree, combination), ()).compile(), (), alone=True)
        except _Trouble:
            return

    def _together(self, chunk: Sequence[Combination]) -> Iterator[Patched]:
        if not chunk or self.worn:
            return
        edits = list(dict.fromkeys(edit for combination in chunk for edit in combination))
        self._left -= self._size + sum(self._looked_at(edit)[1] for edit in edits)
        program = slotted(self._tree, edits)
        try:
            code = program.compile()
        except _Trouble:
            if len(chunk) > 1:  # some patch makes no program: find it by halves
                middle = len(chunk) // 2
                yield from self._together(chunk[:middle])
                yield from self._together(chunk[middle:])
            return
        for combination in chunk:
            yield Patched(combination, code, program.on(combination), alone=len(chunk) == 1)
