"""Patches for what was forgotten altogether: an initial value, a special case, an input that should be put in order.

The reference may do without them (its algorithm is another one), so they are made up from the candidate's variables,
the expected values, and the few forms in which such statements come.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.localize.compare.evidence import Expectation
from egca_plugin.localize.compare.units import BUILTINS, size, statements, written_by
from egca_plugin.localize.compare.variables import Function, functions, parameters
from egca_plugin.localize.repair.edits import INSERTION, SPECIAL, Edit, key, renamed, statement_lists
from egca_plugin.localize.repair.statement_edits import reference_tests
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.program.instrument import FUNCTIONS
from egca_plugin.program.nodes import unparse, walk
from egca_plugin.sandbox import wire
from egca_plugin.types import CallResult, CallStatus

_UNBOUND = ("UnboundLocalError", "NameError")
_STARTS = ("0", "1", "''", "[]", "{}", "set()", "-1", "None", "float('inf')", "float('-inf')")
_ORDERED = (
    "sorted({0})", "{0}.lower()", "{0}.upper()", "{0}.strip()", "abs({0})", "{0}[::-1]", "list({0})", "set({0})",
)  # fmt: skip
_SPECIAL = ("not {0}", "{0} is None", "{0} == 0", "len({0}) == 1", "len({0}) < 2", "{0} < 0", "{0} == 1", "{0} < 2")
_PAIRED = ("{0} == {1}", "{0} > {1}", "{0} < {1}")
_RETURNED = ("None", "True", "False", "0", "1", "-1", "0.0", "''", "[]", "()", "{}")
_VALUES, _VARIABLES = 4, 6  # returned values and variables that are tried
_COPIED, _COPY = (ast.If, ast.Expr, ast.Assign, ast.AugAssign, ast.Return), 16  # statements up to this size
_COPIES = 100


def initial_values(bench: Workbench, failed: CallResult) -> list[Edit]:
    """``name = start`` before the statement that found ``name`` unbound, in its block or in one around it."""
    name = _unbound(failed)
    if name is None:
        return []
    meant = {name, bench.mapping.get(name), *(theirs for theirs, mine in bench.uses.items() if mine == name)}
    starts: list[tuple[ast.expr, ast.stmt | None]] = []
    for node, _ in statements(bench.reference.program.tree):
        if isinstance(node, ast.Assign):
            own = node if meant.intersection(written_by(node)) else None
            if own is not None or isinstance(node.value, ast.Constant):
                starts += [(new, own) for new in bench.renamings(node.value)]
    starts += [(_expression(text), None) for text in _STARTS]
    starts += [(_expression(name), None) for function in functions(bench.tree) for name in parameters(function)]
    users = [part for part in walk(bench.tree) if isinstance(part, ast.Name) and part.id == name]
    edits = []
    known = {key(start): (start, origin) for start, origin in reversed(starts) if bench.fits(start)}
    for rank, (start, origin) in enumerate(reversed(known.values())):
        new = _statement(f"{name} = {unparse(start)}")
        for owner, _, body, function in statement_lists(bench.tree):
            if not any(part in users for node in body for part in walk(node)):
                continue
            for index, node in enumerate(body):
                if node.lineno <= (failed.line or node.lineno) and bench.attends(node):
                    outer = 0.1 * isinstance(owner, FUNCTIONS) - 0.02 * rank - 0.01 * index
                    edits.append(Edit(INSERTION, None, new, node, function, outer, body, index, origin=origin))
    return sorted(edits, key=lambda edit: -edit.prior)


def _unbound(failed: CallResult) -> str | None:
    """The variable that an exception names."""
    if failed.status is not CallStatus.EXCEPTION or failed.error_type not in _UNBOUND:
        return None
    parts = failed.error_message.split("'")
    return parts[1] if len(parts) > 2 and parts[1].isidentifier() else None


def special_cases(bench: Workbench, failing: Sequence[Expectation]) -> list[Edit]:
    """``if test: return value`` in the outer block of each function that ran, for the usual values.

    To return what a test wants is no proof: only those count that gain by it on further inputs too. The value that a
    test expects never goes into a program, which runs beside a candidate's code; its type chooses among the usual ones.
    """
    edits = []
    values = list(_values(bench, failing))[:_VALUES]
    for function in functions(bench.tree):
        if not any(bench.ran(node) for node in function.body):
            continue
        cases = [(worth, _special_case(test, value)) for worth, test in _tests(bench, function) for value in values]
        for index, node in enumerate(function.body):
            if not bench.attends(node):
                continue
            near = max(bench.near(node), bench.near(function.body[index - 1]) if index else 0.5)
            for worth, new in cases:
                edits.append(Edit(SPECIAL, None, new, node, function.name, near + worth, function.body, index))
    return sorted(edits, key=lambda edit: -edit.prior)


def _special_case(test: ast.expr, value: ast.expr) -> ast.AST:
    new = ast.If(test, [ast.copy_location(ast.Return(value), value)], [])
    return renamed(ast.copy_location(new, test), {})


def _tests(bench: Workbench, function: Function) -> Iterator[tuple[float, ast.expr]]:
    names = _variables(function)
    yield from ((0.4, test) for test in reference_tests(bench))
    for rank, name in enumerate(names):
        yield from ((0.3 - 0.02 * rank - 0.01 * k, _expression(form.format(name))) for k, form in enumerate(_SPECIAL))
    for k, form in enumerate(_PAIRED):
        for a, b in pairwise(names):
            yield 0.2 - 0.02 * k, _expression(form.format(a, b))


def _values(bench: Workbench, failing: Sequence[Expectation]) -> Iterator[ast.expr]:
    """The usual values of the types that the failing calls should give, then what the reference returns."""
    kinds = {kind for expectation in failing for result in expectation.accepted if (kind := _type(result)) is not None}
    yield from (_expression(text) for text in _RETURNED if type(ast.literal_eval(text)) in kinds)
    for node, _ in statements(bench.reference.program.tree):
        if isinstance(node, ast.Return) and isinstance(node.value, (ast.Constant, ast.List, ast.Tuple)):
            new = bench.rename(node.value)
            if bench.fits(new):
                yield new


def _type(result: CallResult) -> type | None:
    if result.status is not CallStatus.VALUE:
        return None
    try:
        return type(wire.decode(result.value))
    except WireError:
        return None


def ordered_inputs(bench: Workbench) -> list[Edit]:
    """``x = sorted(x)`` and the like, and ``a, b = min(a, b), max(a, b)``, in the outer block of each function."""
    edits = []
    for function in functions(bench.tree):
        names = _variables(function)
        texts = [f"{name} = {form.format(name)}" for name in names for form in _ORDERED]
        texts += [f"{a}, {b} = sorted(({a}, {b}))" for a, b in pairwise(names)]
        news = [_statement(text) for text in texts]
        for index, node in enumerate(function.body):
            if not bench.ran(node) or not bench.attends(node):
                continue
            near = max(bench.near(node), 0.5 if index == 0 else 0.0)
            for rank, new in enumerate(news):
                prior = near - 0.01 * rank
                edits.append(Edit(INSERTION, None, new, node, function.name, prior, function.body, index))
    return sorted(edits, key=lambda edit: -edit.prior)


def missing_steps(bench: Workbench) -> list[Edit]:
    """``x += 1`` and ``x -= 1`` in each loop that changes nothing of what its test reads, ``x`` among it."""
    edits = []
    for loop, _, body, function in statement_lists(bench.tree):
        if not isinstance(loop, ast.While) or body is not loop.body:
            continue
        changed = {name for node in walk(loop) if isinstance(node, ast.stmt) for name in written_by(node)}
        read = [part.id for part in walk(loop.test) if isinstance(part, ast.Name) and part.id not in BUILTINS]
        for rank, name in enumerate(dict.fromkeys(read) if changed.isdisjoint(read) else ()):
            for sign in "+-":
                new = _statement(f"{name} {sign}= 1")
                for index in reversed(range(len(body) + 1)):
                    node = body[min(index, len(body) - 1)]
                    prior = bench.near(loop) - 0.1 * rank - 0.01 * index
                    edits.append(Edit(INSERTION, None, new, node, function, prior, body, index))
    return sorted(edits, key=lambda edit: -edit.prior)


def updates(bench: Workbench) -> list[Edit]:
    """``x += 1`` and ``x -= 1``, and the candidate's own statements a second time elsewhere."""
    small = [x for x, _ in statements(bench.tree) if isinstance(x, _COPIED) and bench.attends(x) and size(x) <= _COPY]
    own = [renamed(x, {}) for x in small[:_COPIES]]
    counted = [name for function in functions(bench.tree) for name in _variables(function)]
    again = [(0.3, _statement(f"{name} {sign}= 1")) for name in dict.fromkeys(counted) for sign in "+-"]
    edits = []
    for owner, _, body, function in statement_lists(bench.tree):
        around = bench.near(owner) if isinstance(owner, ast.stmt) else 0.0
        present = {key(node) for node in body}
        for index in range(len(body) + 1):
            node = body[min(index, len(body) - 1)]
            if index == len(body) and isinstance(node, (ast.Return, ast.Break, ast.Continue, ast.Raise)):
                continue
            if not bench.attends(node):
                continue
            near = max([around, *(bench.near(other) for other in body[max(0, index - 1) : index + 1])])
            for worth, new in again + [(0.2, other) for other in own if key(other) not in present]:
                edits.append(Edit(INSERTION, None, new, node, function, near + worth, body, index))
    return sorted(edits, key=lambda edit: -edit.prior)


def _variables(function: Function) -> list[str]:
    """Parameters, then what the function's outer block assigns."""
    names = [*parameters(function), *(name for node in function.body for name in written_by(node))]
    return [name for name in dict.fromkeys(names) if name not in BUILTINS][:_VARIABLES]


def _expression(text: str) -> Any:
    return ast.parse(text, mode="eval").body


def _statement(text: str) -> Any:
    """One statement, on a line that no program has."""
    (new,) = ast.parse(text).body
    return renamed(new, {})
