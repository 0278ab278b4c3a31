"""More tests for a task, in the manner of EvalPlus (Liu et al. 2023): inputs mutated by type, the reference's outputs.

EvalPlus keeps its inputs inside each function's domain by contracts written by hand. There are none here, so a mutated
input must look like those of the task's own tests: numbers within their range, texts of their characters, sizes within
theirs, sorted where all of them are sorted, a number that always was the length of another argument still that length.
Only tasks whose tests are ``assert f(literals) == literal`` throughout are strengthened, since any other comparison
says that more than one output is right; what changes with the order of a set is left out too. The references run in
the sandbox: they are code from a data set.
"""

from __future__ import annotations

import ast
import math
import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from egca_plugin.config import EgcaConfig
from egca_plugin.errors import TaskError, WireError
from egca_plugin.judging.referee import judge
from egca_plugin.localize.trial.changes import MANY, WITHIN, changed
from egca_plugin.program.preamble import prepared
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.tasks.backwards import backwards
from egca_plugin.tasks.preflight import STABLE_SEEDS
from egca_plugin.types import CallResult, CallStatus, Task

HANDLER = "egca_plugin.tasks.strengthen:handler"
_UNSPELT = object()
MORE = 20  # tests added to a task, at most
DEADLINE_S = 60.0  # for one task
_TRIES = 200
_TIMEOUT_S = 5.0
_LONGEST = 2000  # characters of one added test

Inputs = tuple[Any, ...]


def strengthen(sandbox: Sandbox, task: Task) -> Task:
    """``task`` with up to :data:`MORE` tests behind its own; itself where it cannot be done. Raises SandboxError."""
    inputs = _inputs_of(task)
    whole = prepared(task, EgcaConfig())
    if not inputs or not judge(sandbox, whole.reference, whole, check_stable=True).passed:
        return task
    candidates = list(islice(_fresh(inputs, random.Random(zlib.crc32(task.task_id.encode()))), MORE * 2))
    calls = [call(task.entry_point, *one) for one in candidates]
    first, *others = [
        sandbox.run_calls(whole.reference, calls, timeout_s=_TIMEOUT_S, seed=seed) for seed in (0, *STABLE_SEEDS)
    ]
    mirrored = backwards(whole.reference)
    if mirrored is not None:
        others.append(sandbox.run_calls(mirrored, calls, timeout_s=_TIMEOUT_S))
    added = []
    for given, result, *again in zip(candidates, first, *others, strict=True):
        if result.status is CallStatus.VALUE and not result.arguments_after:
            value = _literal(result.value)
            test = _test(given, value) if all(_agrees(one, result, value) for one in again) else None
            added += [test] if test else []
    return _with(task, added[:MORE])


def _agrees(one: CallResult, first: CallResult, value: Any) -> bool:
    """A set made backwards is of a class of its own, or may not cross: then nothing speaks against it."""
    if one.status is not CallStatus.VALUE:
        return one.status is CallStatus.REFUSED
    other = _literal(one.value)
    return one.value == first.value or other is _UNSPELT or bool(other == value)


def _literal(value: bytes) -> Any:
    """The value, or something that no literal spells."""
    try:
        return wire.decode(value)
    except WireError:  # an instance of a class of its own
        return _UNSPELT


def handler(sandbox: Sandbox, settings: Any) -> Callable[[Task], Task]:
    """What a pool's worker runs. A task that cannot be judged stays as it is: judging its samples names it."""

    def run(task: Task) -> Task:
        try:
            return strengthen(sandbox, task)
        except (TaskError, SyntaxError):
            return task

    return run


# --- the tests that are there -----------------------------------------------------------------------------------------


def _inputs_of(task: Task) -> list[Inputs]:
    """The arguments of every test; none where a test is anything but ``assert f(literals) == literal``."""
    name = "candidate" if isinstance(task.tests, str) else task.entry_point
    found: list[Inputs] = []
    for statement in _statements(task):
        match statement:
            case ast.Assert(ast.Compare(ast.Call(ast.Name(called), args, []), [ast.Eq()], [right])) if called == name:
                given = _literals([*args, right])
                if given is None:
                    return []
                found.append(given[:-1])
            case ast.Assert(ast.Constant()):  # HumanEval's `assert True, "..."`
                continue
            case _:
                return []
    return found if len({len(one) for one in found}) == 1 else []


def _literals(nodes: Sequence[ast.expr]) -> Inputs | None:
    try:
        return tuple(ast.literal_eval(node) for node in nodes)
    except (ValueError, TypeError):
        return None


def _statements(task: Task) -> list[ast.stmt]:
    if not isinstance(task.tests, str):
        return [statement for test in task.tests for statement in ast.parse(test).body]
    return [s for s in _check(ast.parse(task.tests)).body if not isinstance(s, ast.Expr | ast.Pass)]


def _check(tree: ast.Module) -> ast.FunctionDef:
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check")


def _with(task: Task, added: Sequence[str]) -> Task:
    if not isinstance(task.tests, str):
        return replace(task, tests=(*task.tests, *(f"assert {test.format(task.entry_point)}" for test in added)))
    tree = ast.parse(task.tests)
    _check(tree).body += ast.parse("\n".join(f"assert {test.format('candidate')}" for test in added)).body
    return replace(task, tests=ast.unparse(tree) + "\n")


def _test(given: Inputs, expected: Any) -> str:
    """``{}(given) == expected`` with a place for the name; empty where text cannot say it exactly."""
    arguments = ", ".join(map(repr, given))
    if isinstance(expected, float) and math.isfinite(expected):
        text = f"abs({{}}({_braced(arguments)}) - {expected!r}) <= {1e-6 * max(1.0, abs(expected))!r}"
    else:
        text = f"{{}}({_braced(arguments)}) == {_braced(repr(expected))}"
    try:
        exact = "float" not in _types(expected) or isinstance(expected, float)
        same = ast.literal_eval(repr(expected)) == expected and ast.literal_eval(f"({arguments},)") == given
    except (ValueError, SyntaxError):
        return ""
    return text if exact and same and len(text) <= _LONGEST else ""


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _types(value: Any) -> set[str]:
    """Names of the types of ``value`` and of all inside it."""
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, MANY) else ()
    return {type(value).__name__}.union(*map(_types, inner))


# --- inputs like them ---------------------------------------------------------------------------------------------


def _fresh(inputs: Sequence[Inputs], rng: random.Random) -> Iterator[Inputs]:
    """Mutated inputs, none twice and none that the tests have."""
    columns = list(zip(*inputs, strict=True))
    lengths = [(i, j) for i, ints in enumerate(columns) for j, sized in enumerate(columns) if _counts(ints, sized)]
    seen = {repr(one) for one in inputs}
    for _ in range(_TRIES):
        base = zip(rng.choice(inputs), columns, strict=True)
        made = [changed(value, column, rng, WITHIN) if rng.random() < 0.7 else value for value, column in base]
        for number, counted in lengths:
            made[number] = len(made[counted])
        if repr(tuple(made)) not in seen:
            seen.add(repr(tuple(made)))
            yield tuple(made)


def _counts(numbers: Sequence[Any], sized: Sequence[Any]) -> bool:
    """Is each of ``numbers`` the length of what stands beside it?"""
    return all(
        type(number) is int and isinstance(value, (str, *MANY)) and number == len(value)
        for number, value in zip(numbers, sized, strict=True)
    )
