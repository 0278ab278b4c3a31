"""Patches worth trying, from the reference: its expressions and statements, renamed through the variable map.

A patch's prior is ``0.5 * proximity of its statement to k* + similarity of what it replaces``. Beside the reference's
expressions as they stand there are *value-equivalent* ones, in which a subexpression whose values equal those of a
candidate variable is replaced by that variable, and the desugared form ``x op e`` of ``x op= e``.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from egca_plugin.localize.compare.traces import History
from egca_plugin.localize.compare.units import Bag, bag, dice, size, statements
from egca_plugin.localize.repair.edits import (
    ELSEWHERE,
    TRANSPLANT,
    Edit,
    key,
    locate,
    places,
    renamed,
    statement_lists,
)
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.program.instrument import EXPRESSION, WRITE, mutated_name
from egca_plugin.program.nodes import clone, walk

TESTS = ("test", "ifs")  # fields that hold conditions
_LEAVES = (ast.Name, ast.Constant)
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr)
_SAME_IDEA = 0.65  # unless what it replaces is this similar


def transplants(bench: Workbench) -> list[Edit]:
    """Reference expressions and statements in the place of the candidate's, best prior first."""
    edits = [*_expression_transplants(bench), *_statement_transplants(bench)]
    return sorted(edits, key=lambda edit: -edit.prior)


@dataclass(frozen=True, slots=True, eq=False)
class _Donor:
    node: ast.expr
    key: object
    bag: Bag
    leaf: bool
    mutates: bool
    swallows: bool
    test: bool


def _donors(bench: Workbench) -> list[_Donor]:
    found = places(bench.reference.program.tree)
    expressions = [place.node for place in found]
    tests = {id(place.node) for place in found if place.field in TESTS}
    for node in walk(bench.reference.program.tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            sugar = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
            expressions.append(locate(sugar, node))
    donors: dict[object, _Donor] = {}
    largest = max(8.0, bench.largest)
    equivalents = _value_equivalents(bench)
    for expression in expressions:
        versions, is_test = bench.versions(expression), id(expression) in tests
        if equivalents:
            versions.append(_with_equivalents(expression, equivalents, bench.inverse))
        for node in versions:
            identity = key(node)
            if identity not in donors and bench.fits(node):
                leaf, mutates = isinstance(node, _LEAVES), mutated_name(node) is not None
                donors[identity] = _Donor(node, identity, bag(node), leaf, mutates, size(node) > largest, is_test)
    return list(donors.values())


def _expression_transplants(bench: Workbench) -> Iterator[Edit]:
    donors = _donors(bench)
    for place in bench.places:
        if not bench.ran(place.statement):
            continue
        near, own, own_bag = bench.near(place.statement), key(place.node), bag(place.node)
        leaf = isinstance(place.node, _LEAVES)
        for donor in donors:
            if donor.key == own or (donor.mutates and place.field != "value"):
                continue
            if leaf and donor.leaf:
                similarity = 0.15 if type(place.node) is not type(donor.node) else 0.35 if near > 0.3 else 0.25
            else:
                similarity = dice(own_bag, donor.bag)
                if donor.swallows and similarity < _SAME_IDEA:
                    continue
                if leaf != donor.leaf:
                    similarity = max(similarity, 0.3) * 0.9
                elif place.field in TESTS and donor.test:
                    similarity = max(similarity, 0.3)
            if similarity >= 0.25 or near >= 0.8:
                yield Edit(TRANSPLANT, place.node, donor.node, place.statement, place.function, 0.5 * near + similarity)


def _statement_transplants(bench: Workbench) -> Iterator[Edit]:
    owners = {id(child): name for _, _, body, name in statement_lists(bench.tree) for child in body}
    theirs = []
    for node, _ in statements(bench.reference.program.tree):
        if isinstance(node, (*_SIMPLE, ast.AnnAssign)):
            new = bench.rename(node)
            if bench.fits(new):
                theirs.append((new, key(new), bag(new)))
    for node, _ in statements(bench.tree):
        if not isinstance(node, _SIMPLE) or not bench.ran(node) or id(node) not in owners or not bench.attends(node):
            continue
        own, own_bag = key(node), bag(node)
        for new, identity, new_bag in theirs:
            if isinstance(node, ast.Assign) and isinstance(new, ast.Assign) and _same_targets(node, new):
                continue  # the expression transplants cover it
            similarity = dice(own_bag, new_bag)
            if similarity > 0.3 and identity != own:
                prior = 0.5 * bench.near(node) + similarity
                yield Edit(TRANSPLANT, node, new, node, owners[id(node)], prior)


def _same_targets(a: ast.Assign, b: ast.Assign) -> bool:
    return key(a.targets) == key(b.targets)


# --- value-equivalent substitutions -----------------------------------------------------------------------------


def _value_equivalents(bench: Workbench) -> dict[object, str]:
    """Reference subexpression (or variable) -> the candidate variable that always held the same values."""
    written = {
        tuple(_without_repeats(history) for history in histories): name
        for name, histories in reversed(bench.candidate.by_variable.items())
    }
    equivalents: dict[object, str] = {}
    for site in bench.reference.program.sites:
        if site.kind not in (EXPRESSION, WRITE) or not (isinstance(site.node, ast.expr) or site.kind == WRITE):
            continue
        histories = bench.reference.by_site[site.id]
        if len({value for history in histories for value in history}) < 2:
            continue
        name = written.get(tuple(_without_repeats(history) for history in histories))
        if name is not None:
            identity = key(site.node) if isinstance(site.node, ast.expr) else site.variable
            equivalents.setdefault(identity, name)
    return equivalents


def _without_repeats(history: History) -> tuple[Hashable, ...]:
    return tuple(value for index, value in enumerate(history) if index == 0 or value != history[index - 1])


def _with_equivalents(node: Any, equivalents: dict[object, str], inverse: dict[str, str]) -> Any:
    if isinstance(node, ast.expr) and isinstance(node.__dict__.get("ctx", ast.Load()), ast.Load):
        name = equivalents.get(key(node))
        if name is not None:
            return renamed(ast.copy_location(ast.Name(name, ast.Load()), node), {})
    if isinstance(node, (ast.Name, ast.arg)):
        return renamed(node, inverse)
    new = clone(node)
    if "lineno" in new.__dict__:
        new.__dict__["lineno"] += ELSEWHERE
        new.__dict__["end_lineno"] += ELSEWHERE
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            new.__dict__[name] = [
                _with_equivalents(x, equivalents, inverse) if isinstance(x, ast.AST) else x for x in value
            ]
        elif isinstance(value, ast.AST) and value._fields:
            new.__dict__[name] = _with_equivalents(value, equivalents, inverse)
    return new
