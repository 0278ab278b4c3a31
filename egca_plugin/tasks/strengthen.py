"""More tests for a task, in the manner of EvalPlus (Liu et al. 2023): inputs mutated by type, the reference's outputs.

EvalPlus keeps its inputs inside each function's domain by contracts written by hand. There are none here, so a mutated
input must look like those of the task's own tests: numbers within their range, texts of their characters, sizes within
theirs, sorted where all of them are sorted, a number that always was the length of another argument still that length.
Only tasks whose tests are ``assert f(literals) == literal`` throughout are strengthened, since any other comparison
says that more than one output is right. The references run in the sandbox: they are code from a data set.
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

from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox, call
from egca_plugin.sandbox.referee import judge
from egca_plugin.types import CallStatus, Task

HANDLER = "egca_plugin.tasks.strengthen:handler"
MORE = 20  # tests added to a task, at most
DEADLINE_S = 60.0  # for one task
_TRIES = 200
_TIMEOUT_S = 5.0
_LONGEST = 2000  # characters of one added test

Inputs = tuple[Any, ...]


def strengthen(sandbox: Sandbox, task: Task) -> Task:
    """``task`` with up to :data:`MORE` tests behind its own; itself where it cannot be done. Raises SandboxError."""
    inputs = _inputs_of(task)
    if not inputs or not judge(sandbox, task.reference, task, check_stable=True).passed:
        return task
    candidates = list(islice(_fresh(inputs, random.Random(zlib.crc32(task.task_id.encode()))), MORE * 2))
    calls = [call(task.entry_point, *one) for one in candidates]
    runs = [sandbox.run_calls(task.reference, calls, timeout_s=_TIMEOUT_S, seed=seed) for seed in (0, 1)]
    added = []
    for given, result, again in zip(candidates, *runs, strict=True):
        if result.status is CallStatus.VALUE and result.value == again.value and not result.arguments_after:
            test = _test(given, wire.decode(result.value))
            added += [test] if test else []
    return _with(task, added[:MORE])


def handler(sandbox: Sandbox, settings: Any) -> Callable[[Task], Task]:
    """What a pool's worker runs."""
    return lambda task: strengthen(sandbox, task)


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
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, _MANY) else ()
    return {type(value).__name__}.union(*map(_types, inner))


# --- inputs like them ---------------------------------------------------------------------------------------------

_MANY = (list, tuple, set, frozenset)


def _fresh(inputs: Sequence[Inputs], rng: random.Random) -> Iterator[Inputs]:
    """Mutated inputs, none twice and none that the tests have."""
    columns = list(zip(*inputs, strict=True))
    lengths = [(i, j) for i, ints in enumerate(columns) for j, sized in enumerate(columns) if _counts(ints, sized)]
    seen = {repr(one) for one in inputs}
    for _ in range(_TRIES):
        base = zip(rng.choice(inputs), columns, strict=True)
        made = [mutate(value, column, rng) if rng.random() < 0.7 else value for value, column in base]
        for number, counted in lengths:
            made[number] = len(made[counted])
        if repr(tuple(made)) not in seen:
            seen.add(repr(tuple(made)))
            yield tuple(made)


def _counts(numbers: Sequence[Any], sized: Sequence[Any]) -> bool:
    """Is each of ``numbers`` the length of what stands beside it?"""
    return all(
        type(number) is int and isinstance(value, (str, *_MANY)) and number == len(value)
        for number, value in zip(numbers, sized, strict=True)
    )


def mutate(value: Any, examples: Sequence[Any], rng: random.Random) -> Any:
    """A value of the same type within what ``examples`` of the same place show."""
    alike = [one for one in examples if type(one) is type(value)]
    if isinstance(value, bool) or not isinstance(value, (int, float, str, dict, *_MANY)):
        return rng.choice(alike)
    if isinstance(value, int):
        return rng.randint(min(alike), max(alike))
    if isinstance(value, float):
        return rng.choice([rng.choice(alike), round((value + rng.choice(alike)) / 2, 3)])
    if isinstance(value, dict):
        inner = [item for one in alike for item in one.values()]
        return {key: mutate(item, inner, rng) for key, item in value.items()}
    items = [item for one in alike for item in one]
    if not items:
        return value
    made = list(value) if isinstance(value, tuple) else _resized(list(value), items, alike, rng)
    if isinstance(value, str):
        return "".join(made)
    made = [mutate(item, items, rng) if rng.random() < 0.5 else item for item in made]
    return type(value)(_sorted(made) if isinstance(value, list) and all(one == _sorted(one) for one in alike) else made)


def _resized(made: list[Any], items: Sequence[Any], alike: Sequence[Any], rng: random.Random) -> list[Any]:
    """One to three items taken out, put in, or exchanged, with a size that the examples have room for."""
    shortest, longest = min(map(len, alike)), max(map(len, alike))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(made) + 1)
        edit = rng.choice(("out", "in", "exchange"))
        if edit == "out" and len(made) > shortest and at < len(made):
            del made[at]
        elif edit == "in" and len(made) < longest:
            made.insert(at, rng.choice(items))
        elif at < len(made):
            made[at] = rng.choice(items)
    return made


def _sorted(values: list[Any]) -> list[Any]:
    """As they are where they cannot be compared: examples that are sorted each may hold different types."""
    try:
        return sorted(values)
    except TypeError:
        return values
