"""The complexity class of a program, from its steps on growing inputs: a hint for prompts and for the level ``paper``.

A step is a statement or a round of a comprehension. The inputs of the tests grow in several ways, since one way may end
a loop early; the fastest growth counts. A curve that fits no class says nothing, and one that lies between two classes
says both: a reference sets the higher one as its bound, a candidate breaks a bound only by the lower one.

What a library function does inside is not seen. A reference that uses one that may go through its argument is given the
class of a loop in that place, and a candidate the benefit. Never part of a verdict.
"""

from __future__ import annotations

import ast
import math
import random
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from egca_plugin.config import EgcaConfig
from egca_plugin.errors import TaskError, WireError
from egca_plugin.judging.referee import judge
from egca_plugin.program.constraints import COMPLEXITY, Constraint, Violation
from egca_plugin.program.preamble import prepared
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Call, CallResult, CallStatus, Task

# Elements of a container, or the number itself: primes, so that no search for a divisor ends early.
SIZES = (5, 7, 11, 17, 31, 61, 127, 251)
MAX_STEPS = 200_000
TIMEOUT_S = 1.0
TRIED_CALLS = 3
HANDLER = "egca_plugin.tasks.complexity:handler"
REFERENCE_TIMEOUT_S = 30.0
# The power of the size that each class grows with.
_POWERS = {"constant": 0.0, "root": 0.5, "linear": 1.0, "quadratic": 2.0, "cubic": 3.0}
_EXPONENTIAL = 3.6  # grows faster than any of them
_NEAR = 0.2  # how far a measured power may lie from a class's own; n log n is linear here, and log n constant
_ERRATIC = 0.5  # the power on neighbouring sizes may differ so much

_SIZED = (list, tuple, str)
_LIBRARY = {
    "sum", "min", "max", "sorted", "any", "all", "list", "tuple", "set", "frozenset", "dict", "reversed", "map",
    "filter", "zip", "reduce", "Counter", "deque", "combinations", "permutations", "product", "accumulate", "groupby",
    "heapify", "nlargest", "nsmallest", "insort", "findall", "sub", "match", "search", "fullmatch", "factorial",
}  # fmt: skip
_METHODS = {
    "count", "index", "sort", "reverse", "remove", "insert", "extend", "copy", "join", "split", "replace", "find",
    "rfind", "strip", "lstrip", "rstrip", "lower", "upper", "swapcase", "title", "update", "union", "intersection",
    "difference", "symmetric_difference", "issubset", "translate", "encode",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Growth:
    """The classes that the measured steps allow: the same one twice where they are clear."""

    least: str
    most: str


def measure(sandbox: Sandbox, source: str, calls: Sequence[Call]) -> tuple[Growth, ...]:
    """One growth for each call and way of growing it that gave a clear curve, for the first few distinct calls.

    Raises SandboxError.
    """
    curves = [curve for call in list(dict.fromkeys(calls))[:TRIED_CALLS] for curve in _curves(call)]
    try:
        counted = counting(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # programs are hostile: too deep for the tree, say
        return ()
    if not curves:
        return ()
    asked = [call for curve in curves for call in curve]
    (results,) = sandbox.run_batch([counted], asked, steps=MAX_STEPS, cpu_s=TIMEOUT_S)
    found = (growth(results[at : at + len(SIZES)]) for at in range(0, len(results), len(SIZES)))
    return tuple(one for one in found if one is not None)


def classify(sandbox: Sandbox, source: str, calls: Sequence[Call]) -> str | None:
    """The class that bounds ``source`` on all inputs that were tried, or None where nothing is sure."""
    found = measure(sandbox, source, calls)
    if not found:
        return None
    inside = _library_depth(ast.parse(source))
    hidden = COMPLEXITY[min(_RANK["root"] + inside, len(COMPLEXITY) - 1)] if inside else "constant"
    return max(hidden, *(one.most for one in found), key=_RANK.__getitem__)


def constrain(sandbox: Sandbox, task: Task, calls: Sequence[Call]) -> Constraint | None:
    """The constraint that the reference's class sets, or None. ``calls`` are those of the reference's verdict."""
    found = classify(sandbox, task.reference, _of(task.entry_point, calls))
    return Constraint("complexity", found, task.entry_point) if found and found != COMPLEXITY[-1] else None


def handler(sandbox: Sandbox, config: EgcaConfig) -> Callable[[Task], Constraint | None]:
    """What a pool's worker runs in ``egca prepare``: the constraint of a task whose reference passes, or None."""

    def derive(task: Task) -> Constraint | None:
        task = prepared(task, config)
        try:
            verdict = judge(sandbox, task.reference, task, timeout_s=REFERENCE_TIMEOUT_S)
        except TaskError:
            return None
        return constrain(sandbox, task, [tested.call for tested in verdict.calls]) if verdict.passed else None

    return derive


def violation(sandbox: Sandbox, constraint: Constraint, source: str, calls: Sequence[Call]) -> Violation | None:
    """The violation where ``source`` surely is of a higher class than the constraint; None where that is unknown."""
    measured = measure(sandbox, source, _of(constraint.entry_point, calls))
    found = max((one.least for one in measured), key=_RANK.__getitem__, default="constant")
    return Violation(constraint, found) if _RANK[found] > _RANK[constraint.value] else None


def _of(entry_point: str, calls: Sequence[Call]) -> list[Call]:
    """Tests may call other functions of a program too."""
    return [call for call in calls if call.function == entry_point]


def growth(results: Sequence[CallResult]) -> Growth | None:
    """The classes by the results at SIZES; None where the program did not answer, or its steps follow no class."""
    statuses = [result.status for result in results]
    answered = statuses.index(CallStatus.BUDGET) if CallStatus.BUDGET in statuses else len(statuses)
    if any(status is not CallStatus.VALUE for status in statuses[:answered]):
        return None
    steps = [max(result.steps, 1) for result in results[:answered]]
    powers = [math.log(steps[at + 2] / steps[at]) / math.log(SIZES[at + 2] / SIZES[at]) for at in range(len(steps) - 2)]
    if not powers:
        return None
    *before, last = powers[-3:]
    if last >= _EXPONENTIAL:
        return Growth("exponential", "exponential") if all(power <= last for power in before) else None
    if len(powers) < 2 or last < -_NEAR or any(abs(power - last) > _ERRATIC for power in before[-1:]):
        return None
    least = max((name for name, power in _POWERS.items() if power <= last + _NEAR), key=_RANK.__getitem__)
    most = next((name for name, power in _POWERS.items() if power >= last - _NEAR), "exponential")
    return Growth(least, most)


# --- growing inputs ---------------------------------------------------------------------------------------------


def _curves(call: Call) -> Iterator[list[Call]]:
    """The call at all SIZES, once for each way in which it can grow."""
    seen = set()
    for way in (_repeated, _distinct, _alike):
        grown = [grow(call.arguments, size, way) for size in SIZES]
        curve = tuple(Call(call.function, arguments) for arguments in grown if arguments is not None)
        if len(curve) == len(SIZES) and curve not in seen:
            seen.add(curve)
            yield list(curve)


_Way = Callable[[Any, int], Any]


def grow(arguments: bytes, size: int, way: _Way) -> bytes | None:
    """The wire form of ``(args, kwargs)`` grown to ``size``; None where nothing in it can grow.

    Containers and strings grow in the ``way`` given, and with them whole numbers that say their length; where there are
    none, the other whole numbers do.
    """
    try:
        args, kwargs = wire.decode(arguments)
        lengths = {len(value) for value in args if isinstance(value, _SIZED) and len(value)}
        numbers = [type(value) is int and value > 0 and (not lengths or value in lengths) for value in args]
        if not lengths and not any(numbers):
            return None
        grown = [
            way(value, size) if isinstance(value, _SIZED) and len(value) else size if number else value
            for value, number in zip(args, numbers, strict=True)
        ]
        return wire.encode((tuple(grown), kwargs))
    except WireError:
        return None


def _repeated(value: Any, size: int) -> Any:
    return (value * math.ceil(size / len(value)))[:size]


def _distinct(value: Any, size: int) -> Any:
    """Other items all through, of the same types, and in order where they were; else by a fixed shuffle."""
    if isinstance(value, str):
        letters = (string.ascii_lowercase + string.ascii_uppercase) * math.ceil(size / 52)
        return letters[:size] if value.isalpha() else _repeated(value, size)
    makers: dict[type, Callable[[int], Any]] = {int: lambda n: n + 1, float: lambda n: n + 1.5, str: _word}
    maker = makers.get(type(value[0]))
    if maker is None or any(type(item) is not type(value[0]) for item in value):
        return _repeated(value, size)
    items = [maker(number) for number in range(size)]
    if list(value) != sorted(value):
        random.Random(size).shuffle(items)
    return type(value)(items)


def _alike(value: Any, size: int) -> Any:
    return value[:1] * size


def _word(number: int) -> str:
    letters = string.ascii_lowercase
    return letters[number // 676 % 26] + letters[number // 26 % 26] + letters[number % 26]


# --- counting steps ---------------------------------------------------------------------------------------------

_RANK = {name: rank for rank, name in enumerate(COMPLEXITY)}
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)


def counting(source: str) -> str:
    """``source`` with the sandbox's step counter before every statement and in every round of a comprehension."""
    return ast.unparse(ast.fix_missing_locations(_Counting().visit(ast.parse(source))))


class _Counting(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = node.__dict__.get(name)
            if isinstance(block, list) and not isinstance(node, ast.Module | ast.ClassDef):
                setattr(node, name, [new for old in block for new in (ast.Expr(_step()), old)])
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        """A condition that always holds: ``__egca_step`` gives None."""
        self.generic_visit(node)
        counted = ast.Compare(_step(), [ast.Is()], [ast.Constant(None)])
        node.ifs = [counted, *node.ifs]
        return node


def _step() -> ast.Call:
    return ast.Call(ast.Name("__egca_step", ast.Load()), [ast.Constant(1)], [])


def _library_depth(node: ast.AST, depth: int = 0) -> int:
    """1 for work that is done inside the library, and 1 for each loop around it; 0 where there is none."""
    deepest = depth + 1 if _works_inside(node) else 0
    inner = depth + isinstance(node, (*_LOOPS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))
    return max([deepest, *(_library_depth(child, inner) for child in ast.iter_child_nodes(node))])


def _works_inside(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in _LIBRARY
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _METHODS or name in _LIBRARY
        case ast.Compare(ops=ops):
            return any(isinstance(op, ast.In | ast.NotIn) for op in ops)
        case ast.Subscript(slice=ast.Slice()) | ast.Starred():
            return True
    return False
