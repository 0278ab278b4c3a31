"""Patches of conditions: one more case that a test should let in or keep out.

The further condition comes from the reference's tests and from the candidate's own; so a condition that was left out of
a chain of ``and`` and ``or`` is found where it stands in some form elsewhere.
"""

from __future__ import annotations

import ast
from typing import Any

from egca_plugin.localize.repair.edits import GENERIC, Edit, key, locate
from egca_plugin.localize.repair.generic import with_
from egca_plugin.localize.repair.statement_edits import reference_tests
from egca_plugin.localize.repair.transplants import TESTS
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.program.nodes import walk

_ATOMS = 24  # conditions that are combined with each test


def wider_and_narrower(bench: Workbench) -> list[Edit]:
    """``test and x``, ``test or x`` for conditions ``x`` and their opposites."""
    atoms = list(_atoms(bench).values())[:_ATOMS]
    edits = []
    for place in bench.places:
        if place.field not in TESTS or not bench.ran(place.statement):
            continue
        own = {key(part) for part in walk(place.node)}
        for rank, atom in enumerate(atoms):
            if key(atom) in own:
                continue
            for operator in (ast.And, ast.Or):
                for condition in (atom, ast.UnaryOp(ast.Not(), atom)):
                    new: Any = locate(ast.BoolOp(operator(), [place.node, condition]), place.node)
                    prior = bench.near(place.statement) - 0.02 * rank
                    edits.append(Edit(GENERIC, place.node, new, place.statement, place.function, prior))
    return sorted(edits, key=lambda edit: -edit.prior)


def _atoms(bench: Workbench) -> dict[object, ast.expr]:
    """Simple conditions, the reference's first, each once."""
    tests = reference_tests(bench)
    tests += [place.node for place in bench.places if place.field in TESTS]
    atoms: dict[object, ast.expr] = {}
    for test in tests:
        for part in _parts(test):
            atoms.setdefault(key(part), part)
    texts = [x.value for x in walk(bench.reference.program.tree) if isinstance(x, ast.Constant)]
    for atom in list(atoms.values()):
        if isinstance(atom, ast.Compare) and isinstance(atom.comparators[-1], ast.Constant):
            kind = type(atom.comparators[-1].value)
            for value in dict.fromkeys(text for text in texts if type(text) is kind):
                other = with_(atom, comparators=[*atom.comparators[:-1], ast.Constant(value)])
                locate(other, atom)
                atoms.setdefault(key(other), other)
    return atoms


def _parts(test: ast.expr) -> list[ast.expr]:
    if isinstance(test, ast.BoolOp):
        return [part for value in test.values for part in _parts(value)]
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _parts(test.operand)
    return [test]
