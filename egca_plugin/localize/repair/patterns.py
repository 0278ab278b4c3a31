"""Patches of patterns: a constant of a ``case`` that is another one in the reference.

A pattern is no expression, so no value can be put in its place while it runs: the whole ``match`` is replaced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from egca_plugin.localize.repair.edits import GENERIC, Edit, statement_lists
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.program.nodes import clone, walk

_MISSING = 0.4  # what a constant is worth that the candidate has in no pattern
_MOST = 12  # constants that are tried in one place


def pattern_edits(bench: Workbench) -> list[Edit]:
    """Each constant of the patterns of a ``match`` that ran, by the reference's constants of its type."""
    theirs = [node.value for node in walk(bench.reference.program.tree) if isinstance(node, ast.Constant)]
    return [
        Edit(GENERIC, node, new, node, function, bench.near(node) + _MISSING)
        for _, _, body, function in statement_lists(bench.tree)
        for node in body
        if isinstance(node, ast.Match) and bench.attends(node) and bench.ran(node)
        for new in _versions(node, theirs)
    ]


def _versions(node: ast.Match, theirs: list[Any]) -> Iterator[ast.Match]:
    used = [constant.value for case in node.cases for constant in _constants(case.pattern)]
    for number, case in enumerate(node.cases):
        for place, constant in enumerate(_constants(case.pattern)):
            kind = type(constant.value)
            others = dict.fromkeys(value for value in theirs if type(value) is kind and value not in used)
            for value in list(others)[:_MOST]:
                pattern = deepcopy(case.pattern)
                _constants(pattern)[place].value = value
                new, changed = clone(node), clone(case)
                changed.pattern = pattern
                new.cases = [*node.cases[:number], changed, *node.cases[number + 1 :]]
                yield new


def _constants(pattern: ast.pattern) -> list[ast.Constant]:
    values = [part.value for part in walk(pattern) if isinstance(part, ast.MatchValue)]
    return [value for value in values if isinstance(value, ast.Constant)]
