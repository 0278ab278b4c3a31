"""Patches of whole statements: an operator, an assignment that should accumulate, a jump, a statement too many, a
statement in the wrong place, a guard that is missing, a container of the wrong kind."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from egca_plugin.localize.compare.units import blocks, loads, statements, written_by
from egca_plugin.localize.repair.edits import GENERIC, INSERTION, Edit, change, key, locate, statement_lists
from egca_plugin.localize.repair.generic import ARITHMETIC, with_
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.program.instrument import mutated_name, root_name
from egca_plugin.program.nodes import walk
from egca_plugin.types import CallStatus

Combination = tuple[Edit, ...]

_REMOVABLE = (ast.Expr, ast.AugAssign, ast.Assign, ast.Break, ast.Continue, ast.Return, ast.If, ast.Raise)
_JUMP = 0.45  # what the other jump is worth: there are few, and the trace says nothing of them
_ALIKE = 4  # statements that may hold one mistake
_GUARDABLE = (ast.Expr, ast.AugAssign, ast.Assign, ast.Return, ast.Break, ast.Continue)


@dataclass(frozen=True, slots=True, eq=False)
class _Here:
    node: ast.stmt
    body: list[ast.stmt]
    index: int
    function: str
    near: float


def statement_edits(bench: Workbench) -> list[Edit]:
    """One-place edits of statements that ran, nearest to k* first. A statement without partner may be one too many."""
    edits = []
    theirs = [x.op for x in walk(bench.reference.program.tree) if isinstance(x, ast.AugAssign)]
    operators = list(dict.fromkeys([*map(type, theirs), ast.Add, ast.Sub]))
    for here in _statements(bench):
        node = here.node
        raised = _raised(bench, node)
        if bench.ran(node) or raised:
            for worth, new in _versions(node, operators):
                edits.append(Edit(GENERIC, node, locate(new, node), node, here.function, here.near + worth))
            if isinstance(node, _REMOVABLE) or raised:
                worth = 0.1 if bench.has_partner(node) else 0.45
                edits.append(Edit(GENERIC, node, locate(ast.Pass(), node), node, here.function, here.near + worth))
    return sorted(edits, key=lambda edit: -edit.prior)


def _raised(bench: Workbench, node: ast.stmt) -> bool:
    """Whether the failing call ended in the statement itself; of a compound one, in its header."""
    line = bench.candidate.failing.result.line
    if line is None or bench.candidate.failing.result.status is not CallStatus.EXCEPTION:
        return False
    inner = [body[0].lineno for body in blocks(node) if body]
    return node.lineno <= line <= max(node.lineno, min(inner) - 1 if inner else node.end_lineno or 0)


def _statements(bench: Workbench) -> Iterator[_Here]:
    for _, _, body, function in statement_lists(bench.tree):
        for index, node in enumerate(body):
            if bench.attends(node):
                yield _Here(node, body, index, function, bench.near(node))


def _versions(node: ast.stmt, operators: Sequence[type[ast.operator]]) -> Iterator[tuple[float, Any]]:
    if isinstance(node, ast.AugAssign):
        yield from ((0.3, with_(node, op=other())) for other in ARITHMETIC if other is not type(node.op))
        yield 0.25, ast.Assign([node.target], node.value)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(node.value, ast.Call) and mutated_name(node.value) is not None:
            yield 0.5, ast.Expr(node.value)  # `items = items.append(x)`
        if isinstance(target, (ast.Name, ast.Subscript, ast.Attribute)):
            yield from ((0.3, ast.AugAssign(target, op(), node.value)) for op in operators)
    elif isinstance(node, ast.If) and not node.orelse:
        yield 0.25, ast.While(node.test, node.body, [])
    elif isinstance(node, ast.While) and not node.orelse:
        yield 0.1, ast.If(node.test, node.body, [])
    elif isinstance(node, ast.Break):
        yield _JUMP, ast.Continue()
    elif isinstance(node, ast.Continue):
        yield _JUMP, ast.Break()
    elif isinstance(node, ast.Pass):
        yield from ((0.3, jump) for jump in (ast.Break(), ast.Continue()))


def reference_tests(bench: Workbench) -> list[ast.expr]:
    """The conditions of the reference that make sense in the candidate, each once."""
    tests: dict[object, ast.expr] = {}
    for node in walk(bench.reference.program.tree):
        for test in [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else _filters(node):
            for new in bench.versions(test):
                tests.setdefault(key(new), new)
    return list(tests.values())


def guards(bench: Workbench) -> list[Edit]:
    """``if test: statement``, the test taken from the reference."""
    edits = []
    tests = reference_tests(bench)
    for here in _statements(bench):
        if not isinstance(here.node, _GUARDABLE) or not bench.ran(here.node):
            continue
        for test in tests:
            for condition in (test, ast.UnaryOp(ast.Not(), test)):
                guarded: Any = locate(ast.If(condition, [here.node], []), here.node)
                edits.append(Edit(INSERTION, here.node, guarded, here.node, here.function, here.near))
    return sorted(edits, key=lambda edit: -edit.prior)


def _filters(node: ast.AST) -> list[ast.expr]:
    return node.ifs if isinstance(node, ast.comprehension) else []


# --- edits of two places ----------------------------------------------------------------------------------------


def repeated(edits: Sequence[Edit]) -> list[Combination]:
    """One edit made wherever its statement has the same text: ``d[k] = d[k] + 1`` is one mistake written twice."""
    groups: dict[object, list[Edit]] = {}
    for edit in edits:
        if edit.old is not None and edit.old is not edit.statement:
            groups.setdefault((id(edit.statement), key(edit.old), key(edit.new)), []).append(edit)
    return [tuple(group) for group in groups.values() if len({id(edit.old) for edit in group}) == len(group) > 1]


def alike(edits: Sequence[Edit]) -> list[Combination]:
    """The same change made in two statements, or in all that it fits: one mistake, made more than once."""
    groups: dict[object, dict[tuple[int, int], Edit]] = {}
    for edit in edits:
        if (made := change(edit)) is not None:
            groups.setdefault(made, {}).setdefault(edit.place, edit)
    proposed: list[Combination] = []
    for group in groups.values():
        first = {id(edit.statement): edit for edit in reversed(group.values())}  # the likeliest of each statement
        several = sorted(first.values(), key=lambda edit: -edit.prior)[:_ALIKE]
        proposed += itertools.combinations(several, 2)
        proposed += [tuple(several)] * (len(several) > 2)
    return sorted(proposed, key=lambda edits: -sum(edit.prior for edit in edits) / len(edits))


def moves(bench: Workbench) -> list[Combination]:
    """A statement one place too early or late, in the loop instead of after it, or after it instead of in it."""
    proposed: list[tuple[float, Combination]] = []
    for owner, _, body, function in statement_lists(bench.tree):
        for index, node in enumerate(body):
            if not isinstance(node, _GUARDABLE) or not bench.attends(node):
                continue
            near = max(bench.near(node), bench.near(owner) if isinstance(owner, ast.stmt) else 0.0)
            away = Edit(GENERIC, node, locate(ast.Pass(), node), node, function, near)
            for block, place in _destinations(bench.tree, body, index):
                beside = block[min(place, len(block) - 1)]
                back = Edit(INSERTION, None, node, beside, function, near, block, place)
                proposed.append((near, (away, back)))
    return [combination for _, combination in sorted(proposed, key=lambda x: -x[0])]


def _destinations(tree: ast.Module, body: list[ast.stmt], index: int) -> Iterator[tuple[list[ast.stmt], int]]:
    yield from ((body, place) for place in (index - 1, index + 2) if 0 <= place <= len(body))
    if index > 0 and isinstance(body[index - 1], (ast.For, ast.While, ast.If)):
        inner = body[index - 1].__dict__["body"]
        yield inner, len(inner)
    if index == len(body) - 1:  # out of its block, behind it
        for _, _, outer, _ in statement_lists(tree):
            for place, node in enumerate(outer):
                if any(node.__dict__.get(name) is body for name in ("body", "orelse")):
                    yield outer, place + 1


def simultaneous(bench: Workbench) -> list[Combination]:
    """``a = b`` and then ``b = f(a)`` made ``a, b = b, f(a)``: the second was to read what the first overwrites."""
    proposed = []
    for here in _statements(bench):
        both = here.body[here.index : here.index + 2]
        if not bench.ran(here.node) or not all(isinstance(x, ast.Assign) and len(x.targets) == 1 for x in both[-2:]):
            continue
        if len(both) < 2 or not set(written_by(both[0])) & {part.id for part in loads(both[1])}:
            continue
        first, second = both
        targets: Any = ast.Tuple([node.targets[0] for node in both if isinstance(node, ast.Assign)], ast.Store())
        values: Any = ast.Tuple([node.value for node in both if isinstance(node, ast.Assign)], ast.Load())
        new: Any = locate(ast.Assign([targets], values), first)
        together = Edit(GENERIC, first, new, first, here.function, here.near)
        proposed.append((together, Edit(GENERIC, second, locate(ast.Pass(), second), second, here.function, here.near)))
    return sorted(proposed, key=lambda edits: -edits[0].prior)


def containers(bench: Workbench) -> list[Combination]:
    """A set that should be a list, or the other way round, with its way of adding."""
    proposed = []
    for here in _statements(bench):
        node = here.node
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            continue
        name, value = node.targets[0].id, node.value
        is_set = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "set"
        if not is_set and not isinstance(value, ast.List):
            continue
        other: Any = ast.List([], ast.Load()) if is_set else ast.Call(ast.Name("set", ast.Load()), [], [])
        locate(other, value)
        first = Edit(GENERIC, value, other, node, here.function, here.near + 0.3)
        adding, wanted = ("add", "append") if is_set else ("append", "add")
        rest = tuple(
            Edit(GENERIC, call, with_(call, func=with_(call.func, attr=wanted)), node, here.function, here.near)
            for call in walk(bench.tree)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == adding
            and root_name(call.func.value) == name
        )
        if rest:
            proposed.append((first, *rest))
    return proposed


def missing_branches(bench: Workbench) -> list[Edit]:
    """The reference's ``else`` and ``elif`` behind the candidate's ``if`` that has none."""
    partners = {id(pair.candidate.statement): pair.reference.statement for pair in bench.alignment.pairs}
    tails: list[tuple[ast.If, Any]] = []
    for node, _ in statements(bench.reference.program.tree):
        if isinstance(node, ast.If) and node.orelse:
            tail = node.orelse[0] if len(node.orelse) == 1 else ast.If(ast.Constant(True), node.orelse, [])
            tails += [(node, new) for new in bench.renamings(locate(tail, node.orelse[0]))]
    edits = []
    for here in _statements(bench):
        last = here.node
        while isinstance(last, ast.If) and len(last.orelse) == 1 and isinstance(last.orelse[0], ast.If):
            last = last.orelse[0]
        if isinstance(last, ast.If) and not last.orelse:
            for theirs, new in tails:
                fits = partners.get(id(last)) is theirs
                prior = max(here.near, bench.near(last)) + 0.4 * fits
                edits.append(Edit(INSERTION, None, new, last, here.function, prior, last.orelse, 0, fits))
    return sorted(edits, key=lambda edit: -edit.prior)
