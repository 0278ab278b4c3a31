"""What all proposers of patches share: the two aligned runs, what is near to k*, and which names stand for which."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from egca_plugin.localize.compare.alignment import Alignment
from egca_plugin.localize.compare.counterparts import by_use
from egca_plugin.localize.compare.divergence import Suspect
from egca_plugin.localize.compare.traces import Run
from egca_plugin.localize.compare.units import BUILTINS, header, size, statements
from egca_plugin.localize.compare.variables import VariableMap, functions, parameters
from egca_plugin.localize.repair.edits import Place, free_names, key, places, renamed, stored_names
from egca_plugin.program.nodes import walk

_SWALLOW, _STUB = 0.4, 0.6
_STATEMENTS, _PLACES = 300, 1_000  # that are looked at, of a longer program those nearest to k*
_WIDEST = 150  # nodes of an expression that is replaced as a whole
_HOLES = 5  # variables that are tried where a reference's expression has one without counterpart


@dataclass(eq=False)
class Workbench:
    """What the proposers share about candidate and reference. ``proximity`` is 1 at k*, falling by suspicion.

    Of a long program they see what is nearest to k*: ``places`` are the expressions there, :meth:`attends` tells of a
    statement. ``cropped`` says that something was left out.
    """

    candidate: Run
    reference: Run
    mapping: VariableMap
    suspects: Sequence[Suspect]
    alignment: Alignment
    proximity: dict[int, float] = field(init=False)
    inverse: dict[str, str] = field(init=False)
    uses: dict[str, str] = field(init=False)
    names: frozenset[str] = field(init=False)
    places: list[Place] = field(init=False)
    fillers: list[str] = field(init=False)
    cropped: bool = field(init=False)
    _attended: frozenset[int] = field(init=False)
    _partners: set[int] = field(init=False)
    _names_by_use: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.proximity = {}
        for rank, suspect in enumerate(self.suspects):
            self.proximity.setdefault(id(suspect.statement), max(suspect.least, 1.0 - 0.15 * rank))
        self._partners = {id(pair.candidate.statement) for pair in self.alignment.pairs}
        self.inverse = {}
        for name, other in self.mapping.items():
            self.inverse.setdefault(other, name)
        self.uses = by_use(self.alignment, self.tree, self.mapping)
        taken = set(self.uses.values())
        self._names_by_use = {theirs: name for theirs, name in self.inverse.items() if name not in taken} | self.uses
        self.names = known_names(self.tree) | brought_by_stars(self.tree, self.reference.program.tree)
        self._attended, self.places = self._nearest()
        self.fillers = loop_names(self.tree)

    def _nearest(self) -> tuple[frozenset[int], list[Place]]:
        """The statements and places that are attended to, the latter in the order of the source."""
        everything = [node for node in walk(self.tree) if isinstance(node, ast.stmt)]
        attended = {id(node) for node in sorted(everything, key=lambda node: -self.near(node))[:_STATEMENTS]}
        found = places(self.tree)
        fit = [place for place in found if id(place.statement) in attended and size(place.node) <= _WIDEST]
        kept = {id(place) for place in sorted(fit, key=lambda place: -self.near(place.statement))[:_PLACES]}
        self.cropped = len(kept) < len(found) or len(attended) < len(everything)
        return frozenset(attended), [place for place in fit if id(place) in kept]

    @property
    def largest(self) -> float:
        """From this size on a donor does the reference's work instead of mending the fault, unless hardly anything of
        the work is there."""
        work = _work(self.reference.program.tree)
        return _SWALLOW * work if _work(self.tree) > _STUB * work else float("inf")

    @property
    def tree(self) -> ast.Module:
        return self.candidate.program.tree

    def near(self, statement: ast.stmt) -> float:
        return self.proximity.get(id(statement), 0.0)

    def ran(self, statement: ast.stmt) -> bool:
        """Whether the failing call got to it; what stands outside all functions always runs."""
        return statement.lineno in self.candidate.failing.lines or statement in self.tree.body

    def attends(self, statement: ast.stmt) -> bool:
        return id(statement) in self._attended

    def has_partner(self, statement: ast.stmt) -> bool:
        return id(statement) in self._partners

    def rename(self, node: ast.AST) -> Any:
        """A reference subtree in the candidate's names."""
        return renamed(node, self.inverse)

    def rename_by_use(self, node: ast.AST) -> Any:
        """The same, each variable under the name that stands in its place in aligned statements, where there is one."""
        return renamed(node, self._names_by_use)

    def renamings(self, node: ast.AST) -> list[Any]:
        """The reference's subtree in the names that stand in its place, and in those that held its values."""
        own = self._own_names(node)
        by_use = renamed(node, {theirs: name for theirs, name in self._names_by_use.items() if theirs not in own})
        known = {key(new): new for new in (by_use, self.rename(node)) if self.fits(new)}
        return list(known.values())

    def _own_names(self, node: ast.AST) -> set[str]:
        """The variables of the reference that it uses nowhere but there, under names that the candidate does not use:
        whatever held such values in the candidate plays another part."""
        inside, everywhere = (
            Counter(part.id for part in walk(tree) if isinstance(part, ast.Name))
            for tree in (node, self.reference.program.tree)
        )
        own = {name for name in stored_names(node) if inside[name] == everywhere[name]}
        return own - self.uses.keys() - self.names

    def fits(self, node: ast.AST) -> bool:
        """All names that it reads exist in the candidate."""
        return free_names(node) <= self.names

    def versions(self, expression: ast.expr) -> list[ast.expr]:
        """A reference expression in the candidate's names, those that make sense.

        For one variable that has no counterpart (a comprehension's, say) each of the candidate's stands in turn, those
        of loops first.
        """
        unknown = sorted(free_names(expression) - self.inverse.keys() - self.names)
        if not unknown:
            new = self.rename(expression)
            return [new] if self.fits(new) else []
        if len(unknown) > 1:
            return []
        filled = [renamed(expression, {**self.inverse, unknown[0]: name}) for name in self.fillers[:_HOLES]]
        return [new for new in filled if isinstance(new, ast.expr) and self.fits(new)]


def _work(tree: ast.Module) -> int:
    """Nodes of the statements that do something."""
    return sum(1 for node, _ in statements(tree) for _ in header(node))


def known_names(tree: ast.Module, read: bool = True) -> frozenset[str]:
    """Every name that some part of the program may read: what it binds, and what it reads already."""
    names = set(BUILTINS)
    for node in walk(tree):
        if isinstance(node, ast.Name):
            if read or not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return frozenset(names)


def brought_by_stars(tree: ast.Module, reference: ast.Module) -> frozenset[str]:
    """What the reference reads and nobody defines in it: it is from a ``from module import *`` that both have."""
    stars = [
        {node.module for node in one.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"}
        for one in (tree, reference)
    ]
    if not stars[1] or not stars[1] <= stars[0]:
        return frozenset()
    loaded = {node.id for node in walk(reference) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return frozenset(loaded - known_names(reference, read=False))


def loop_names(tree: ast.Module) -> list[str]:
    """Variables, those that loops and comprehensions bind first, then parameters, then the others."""
    targets = [node.target for node in walk(tree) if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension))]
    names = [part.id for target in targets for part in walk(target) if isinstance(part, ast.Name)]
    names += [name for function in functions(tree) for name in parameters(function)]
    names += [x.id for x in walk(tree) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)]
    return list(dict.fromkeys(names))


def parameter_names(tree: ast.Module) -> set[str]:
    """The parameters of all functions."""
    return {name for function in functions(tree) for name in parameters(function)}
