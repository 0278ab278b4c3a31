"""Many patches in one program: each place becomes ``patched if <on> else original``, compiled once.

A trial is the same code object with another set of patches switched on, so that trying a hundred patches costs one
compilation. The switches are small integers in a global tuple; a place and each of its alternatives have one.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

from egca_plugin.localize.compare.units import BLOCKS
from egca_plugin.localize.compare.variables import functions, parameters
from egca_plugin.localize.repair.edits import Edit, stored_names
from egca_plugin.localize.trial.bounds import COUNTED, SOMEWHERE, bounded, guarded, step
from egca_plugin.localize.trial.driver import HEAD, NONE_ON, ON, with_driver
from egca_plugin.program.compiling import code_of
from egca_plugin.program.hosting import MODULE, Script, hosted
from egca_plugin.program.instrument import (
    FILENAME,
    Instrumented,
    SwitchExpr,
    SwitchStmt,
    instrument_tree,
)
from egca_plugin.program.nodes import clone, unparse, walk


@dataclass(frozen=True, slots=True, eq=False)
class Slotted:
    """One program with all of ``edits`` in it, each switched off."""

    edits: tuple[Edit, ...]
    tree: ast.Module
    switches: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def on(self, edits: Iterable[Edit]) -> tuple[int, ...]:
        """The switches that turn these edits on."""
        return tuple(switch for edit in edits for switch in self.switches[id(edit)])

    def compile(self) -> CodeType:
        """Raises SyntaxError, ValueError, TypeError, RecursionError or MemoryError if some patch makes no program."""
        if isinstance(self.tree, Script):
            return with_driver(hosted(code_of(self.tree, FILENAME), HEAD))
        return with_driver(code_of(_headed(self.tree), FILENAME))


def variant(code: CodeType, on: tuple[int, ...]) -> CodeType:
    """The compiled program with these switches on."""
    return code.replace(co_consts=tuple(on if const == NONE_ON else const for const in code.co_consts))


def slotted(tree: ast.Module, edits: Sequence[Edit]) -> Slotted:
    """Build one program that can behave as any of its patched versions, to be tried."""
    builder = _BoundedBuilder(edits)
    return Slotted(tuple(edits), builder.module(tree), builder.switches)


def slotted_under_probes(tree: ast.Module, edits: Sequence[Edit]) -> tuple[Slotted, Instrumented]:
    """The same to be traced; call ``driver.SWITCH`` with :meth:`Slotted.on` between the calls."""
    builder = _Builder(edits)
    slots = Slotted(tuple(edits), builder.module(tree), builder.switches)
    is_script = isinstance(tree, Script)
    program = instrument_tree(slots.tree if is_script else _headed(slots.tree), "", HEAD)
    return slots, replace(program, code=with_driver(program.code))


def patched(tree: ast.Module, edits: Sequence[Edit]) -> ast.Module:
    """The tree with the edits made for good."""
    return _Builder(edits, permanent=True).module(tree)


def changes_scope(edit: Edit, scopes: Mapping[str, Counter[str]]) -> bool:
    """True where the edit's mere presence would change what the rest of its function means: it must be tried alone.

    ``scopes`` are the program's :func:`local_names`.
    """
    if not edit.function or frees_name(edit, scopes):
        return True  # module level runs before anything can be switched on
    names: set[str] = set()
    for part in walk(edit.new):
        if isinstance(part, (ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal)):
            return True
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            names.add(part.id)
    return (
        bool(names)
        and edit.function != MODULE  # whose names are no function's own
        and not names <= scopes.get(edit.function, Counter()).keys()
        and bool(stored_names(edit.new) - scopes.get(edit.function, Counter()).keys())
    )


def frees_name(edit: Edit, scopes: Mapping[str, Counter[str]]) -> bool:
    """Whether a name is its function's own no longer, but another one's, once the edit is made for good."""
    if not isinstance(edit.old, ast.stmt) or edit.function not in scopes:
        return False
    own = scopes[edit.function]
    freed = {name for name in stored_names(edit.old) - stored_names(edit.new) if own[name] == 1}
    return any(name in names for other, names in scopes.items() if other != edit.function for name in freed)


def local_names(tree: ast.Module) -> dict[str, Counter[str]]:
    """How often each function binds its parameters and variables; of two functions with one name, what they share."""
    scopes: dict[str, Counter[str]] = {}
    for function in functions(tree):
        bound = [x.id for x in walk(function) if isinstance(x, ast.Name) and not isinstance(x.ctx, ast.Load)]
        names = {*parameters(function), *(name for node in function.body for name in stored_names(node))}
        counts = Counter({name: max(1, bound.count(name) + (name in parameters(function))) for name in names})
        scopes[function.name] = scopes[function.name] & counts if function.name in scopes else counts
    return scopes


def _headed(tree: ast.Module) -> ast.Module:
    """The program with the driver's HEAD in front; docstring and __future__ imports stay before it."""
    at = 0
    while at < len(tree.body) and isinstance(tree.body[at], (ast.ImportFrom, ast.Expr)):
        at += 1
    new = clone(tree)
    new.body = [*tree.body[:at], *HEAD, *tree.body[at:]]
    return new


class _Builder:
    def __init__(self, edits: Sequence[Edit], permanent: bool = False) -> None:
        self.switches: dict[int, tuple[int, ...]] = {}
        self._permanent = permanent
        self._at: dict[tuple[int, int], list[tuple[int, Edit]]] = {}
        self._place: dict[tuple[int, int], int] = {}
        counter = 0
        for edit in edits:
            if edit.place not in self._place:
                self._place[edit.place] = counter
                counter += 1
            self._at.setdefault(edit.place, []).append((counter, edit))
            self.switches[id(edit)] = (self._place[edit.place], counter)
            counter += 1

    def module(self, tree: ast.Module) -> ast.Module:
        new = clone(tree)
        new.body = self._block(tree.body)
        return new

    def _own(self, node: Any, new: Any) -> Any:
        """A node of the program, rebuilt as ``new``."""
        return new

    def _brought(self, new: Any) -> Any:
        """What an edit brings along."""
        return new

    def _node(self, node: Any) -> Any:
        new = clone(node)
        for name in node._fields:
            value = node.__dict__.get(name)
            if isinstance(value, list):
                if name in BLOCKS:
                    new.__dict__[name] = self._block(value)
                elif value and isinstance(value[0], ast.AST):
                    new.__dict__[name] = [self._node(item) if isinstance(item, ast.AST) else item for item in value]
            elif isinstance(value, ast.AST) and value._fields:
                new.__dict__[name] = self._node(value)
        new = self._own(node, new)
        alternatives = self._at.get((id(node), -1))
        if alternatives and isinstance(node, ast.expr):
            return self._expression(self._place[id(node), -1], alternatives, new)
        return new

    def _expression(self, place: int, alternatives: list[tuple[int, Edit]], original: ast.expr) -> ast.expr:
        *rest, (_, last) = alternatives
        if self._permanent:
            return last.new  # type: ignore[no-any-return]
        chain: Any = self._brought(last.new)
        for switch, edit in reversed(rest):
            chain = ast.copy_location(SwitchExpr(_is_on(switch), self._brought(edit.new), chain), original)
        return ast.copy_location(SwitchExpr(_is_on(place), chain, original), original)

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        new: list[ast.stmt] = []
        for index, node in enumerate(body):
            new += self._inserted(body, index)
            alternatives = self._at.get((id(node), -1))
            if alternatives:
                new.append(self._statement(self._place[id(node), -1], alternatives, node))
            else:
                new.append(self._node(node))
        return new + self._inserted(body, len(body))

    def _statement(self, place: int, alternatives: list[tuple[int, Edit]], node: ast.stmt) -> ast.stmt:
        *rest, (_, last) = alternatives
        if self._permanent:
            return last.new  # type: ignore[no-any-return]
        chain: Any = self._brought(last.new)
        for switch, edit in reversed(rest):
            chain = ast.copy_location(SwitchStmt(_is_on(switch), [self._brought(edit.new)], [chain]), node)
        return ast.copy_location(SwitchStmt(_is_on(place), [chain], [self._node(node)]), node)

    def _inserted(self, body: list[ast.stmt], index: int) -> list[ast.stmt]:
        inserted: list[ast.stmt] = []
        for switch, edit in self._at.get((id(body), index), ()):
            new: Any = edit.new if self._permanent else SwitchStmt(_is_on(switch), [self._brought(edit.new)], [])
            inserted.append(ast.copy_location(new, edit.statement) if new is not edit.new else new)
        return inserted


class _BoundedBuilder(_Builder):
    """The same with bounds, for programs that are tried."""

    def _own(self, node: Any, new: Any) -> Any:
        if isinstance(node, COUNTED):
            new.body = [step(node), *new.body]
        return guarded(new)

    def _brought(self, new: Any) -> Any:
        return bounded(new)


def _is_on(switch: int) -> ast.expr:
    number, name = ast.Constant(switch, **SOMEWHERE), ast.Name(ON, ast.Load(), **SOMEWHERE)
    return ast.Compare(number, [ast.In()], [name], **SOMEWHERE)


def patched_source(tree: ast.Module, edits: Sequence[Edit]) -> str:
    """The patched program as text, for the referee."""
    return unparse(ast.Module(patched(tree, edits).body, []))
