"""Patches that put a statement where none is: the reference's, an initial value, a guard, or an input put in order.

What is missing leaves no trace of its own; so these come after the patches of what is there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from egca_plugin.localize.compare.units import bag, dice, size, statements
from egca_plugin.localize.repair.edits import INSERTION, Edit, key, statement_lists
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.program.instrument import FUNCTIONS
from egca_plugin.program.nodes import walk

_COMPOUND = (ast.If, ast.For, ast.While)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)
_INSERTABLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Continue, ast.Break)


def insertions(bench: Workbench) -> list[Edit]:
    """Reference statements between the candidate's, those without a twin in the candidate first."""
    twins = [bag(node) for node, _ in statements(bench.tree)]
    new_statements = []
    neighbours = {
        id(node): (body[index - 1] if index else None, body[index + 1] if index + 1 < len(body) else None)
        for _, _, body, _ in statement_lists(bench.reference.program.tree)
        for index, node in enumerate(body)
    }
    partners = {id(pair.candidate.statement): pair.reference.statement for pair in bench.alignment.pairs}
    paired = {id(pair.reference.statement) for pair in bench.alignment.pairs}
    largest = bench.largest
    for node, _ in statements(bench.reference.program.tree):
        guard = isinstance(node, ast.If)
        if not isinstance(node, _INSERTABLE) and not (isinstance(node, _COMPOUND)):
            continue
        for new in bench.renamings(node):
            novelty = 1 - max((dice(bag(new), twin) for twin in twins), default=0.0)
            worth = (0.5 if guard else 0.2) + 0.8 * novelty
            does_all = size(new) > largest and not _is_missing(bench, node, paired)
            new_statements.append((node, new, key(new), neighbours.get(id(node), (None, None)), worth, does_all))
    edits = []
    for owner, _, body, function in statement_lists(bench.tree):
        present = {key(node) for node in body}
        owner_ends = isinstance(owner, FUNCTIONS) and not isinstance(body[-1], (ast.Return, ast.Raise))
        around = bench.near(owner) if isinstance(owner, ast.stmt) else 0.0
        for index in range(len(body) + 1):
            near = max([around, *(bench.near(node) for node in body[max(0, index - 1) : index + 1])])
            here = body[min(index, len(body) - 1)]
            if not bench.attends(here):
                continue
            for origin, new, identity, (before, after), worth, does_all in new_statements:
                falls_off = owner_ends and index == len(body)
                if not falls_off and ((isinstance(new, ast.Return) and index < len(body)) or does_all):
                    continue  # all that follows would be dead, or the reference would do the work
                fits = (before is not None and _next(partners, reversed(body[:index])) is before) or (
                    after is not None and _next(partners, body[index:]) is after
                )
                lacking = id(origin) not in paired
                prior = near + worth - (0.6 if identity in present else 0.0) + (0.4 + 0.6 * lacking) * fits
                edits.append(Edit(INSERTION, None, new, here, function, prior, body, index, fits, origin))
    return sorted(edits, key=lambda edit: -edit.prior)


def _next(partners: dict[int, ast.stmt], body: Iterable[ast.stmt]) -> ast.stmt | None:
    """The partner of the first statement that has one, assignments without passed over."""
    for node in body:
        if id(node) in partners or not isinstance(node, ast.Assign):
            return partners.get(id(node))
    return None


def _is_missing(bench: Workbench, node: ast.stmt, paired: set[int]) -> bool:
    """Whether the candidate has nothing of a large statement of the reference: no partners, and no loop instead."""
    if any(id(part) in paired for part in walk(node)):
        return False
    return all(
        _count(bench.tree, kinds) + _count(node, kinds) <= _count(bench.reference.program.tree, kinds)
        for kinds in (_LOOPS, (ast.If,))
    )


def _count(tree: ast.AST, kinds: tuple[type[ast.AST], ...]) -> int:
    return sum(isinstance(part, kinds) for part in walk(tree))
