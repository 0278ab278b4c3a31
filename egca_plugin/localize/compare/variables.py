"""The variable map: which candidate variable plays the part of which reference variable.

Parameters map by position. The rest map greedily by the similarity of the values that they held, helped by the order
of their definitions and by the syntax of the statements that define them; ties go by name.
"""

from __future__ import annotations

import ast

from egca_plugin.localize.compare.traces import Run, mean_similarity
from egca_plugin.localize.compare.units import Bag, bag, dice, written_by
from egca_plugin.program.instrument import WRITE
from egca_plugin.program.nodes import walk

Function = ast.FunctionDef | ast.AsyncFunctionDef
VariableMap = dict[str, str]

_ORDER, _SYNTAX, _LEAST = 0.06, 0.1, 0.2


def map_variables(candidate: Run, reference: Run, function: str = "") -> VariableMap:
    """Candidate name -> reference name, one to one among the variables that histories decide.

    ``function``: the one that fails, whose parameters come first.
    """
    mapping = _parameters(candidate.program.tree, reference.program.tree, function)
    order_c, syntax_c = _definitions(candidate)
    order_r, syntax_r = _definitions(reference)
    used = set(mapping.values())
    scored = []
    for name, histories in candidate.by_variable.items():
        if name in mapping:
            continue
        for other, other_histories in reference.by_variable.items():
            if other in used:
                continue
            similarity = mean_similarity(histories, other_histories, candidate.broken)
            if similarity is None:
                continue
            distance = abs(order_c[name] - order_r[other]) / max(len(order_c), len(order_r))
            score = similarity + _ORDER * (1 - distance) + _SYNTAX * dice(syntax_c[name], syntax_r[other])
            scored.append((-score, name, other))
    scored += _constants(candidate.program.tree, reference.program.tree)
    for negative, name, other in sorted(scored):
        if -negative > _LEAST and name not in mapping and other not in used:
            mapping[name] = other
            used.add(other)
    return mapping


def parameters(function: Function | ast.Lambda) -> list[str]:
    """All parameter names in the order of the signature."""
    names = function.args
    rest = [arg for arg in (names.vararg, names.kwarg) if arg is not None]
    return [arg.arg for arg in (*names.posonlyargs, *names.args, *names.kwonlyargs, *rest)]


def functions(tree: ast.AST) -> list[Function]:
    return [node for node in walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def _parameters(candidate: ast.Module, reference: ast.Module, first: str) -> VariableMap:
    """Functions pair by name, then by order when both programs define equally many."""
    mapping: VariableMap = {}
    mine, theirs = functions(candidate), functions(reference)
    by_name = {function.name: function for function in theirs}
    pairs = [(function, by_name[function.name]) for function in mine if function.name in by_name]
    if len(mine) == len(theirs):
        paired = {id(function) for pair in pairs for function in pair}
        pairs += zip(  # noqa: B905 - one name may be defined more than once
            (function for function in mine if id(function) not in paired),
            (function for function in theirs if id(function) not in paired),
        )
    pairs.sort(key=lambda pair: pair[0].name != first)
    for function, other in pairs:
        if function.name != other.name:
            mapping[function.name] = other.name
        for name, other_name in zip(parameters(function), parameters(other)):  # noqa: B905 - signatures may differ
            mapping.setdefault(name, other_name)
    return mapping


def _constants(candidate: ast.Module, reference: ast.Module) -> list[tuple[float, str, str]]:
    """What is assigned outside all functions leaves no events in a call: it pairs by how its value is written."""
    mine, theirs = (
        {name: bag(node, {}) for node in tree.body for name in written_by(node)} for tree in (candidate, reference)
    )
    return [(-dice(syntax, other), name, name_r) for name, syntax in mine.items() for name_r, other in theirs.items()]


def _definitions(run: Run) -> tuple[dict[str, int], dict[str, Bag]]:
    """Each written variable's rank in definition order, and the syntax of the statements that write it."""
    order: dict[str, int] = {}
    syntax: dict[str, Bag] = {}
    for site in run.program.sites:
        if site.kind == WRITE:
            order.setdefault(site.variable, len(order))
            bags = syntax.setdefault(site.variable, {})
            for key, count in bag(site.statement, {}).items():
                bags[key] = bags.get(key, 0) + count
    return order, syntax
