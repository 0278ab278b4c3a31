"""The complexity class of a program, estimated by counting its steps on growing inputs.

A step is a statement or a round of a comprehension. What a library function does inside is not seen, so the class is
that of the program's own control flow: a hint for prompts and for the level ``paper``, never part of a verdict.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.program.constraints import COMPLEXITY, Constraint, Violation
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.types import Call, CallStatus, Task

# Elements of a container, or the number itself. About doubling; primes, so that no search for a divisor ends early.
SIZES = (17, 31, 61, 127, 251)
MAX_STEPS = 200_000
TIMEOUT_S = 1.0
TRIED_CALLS = 3
# Upper bounds of the slope of log(steps) over log(size). n log n counts as linear.
_SLOPES = ((0.4, "constant"), (0.75, "root"), (1.5, "linear"), (2.5, "quadratic"), (3.5, "cubic"))


def classify(sandbox: Sandbox, source: str, calls: Sequence[Call]) -> str | None:
    """The highest class of ``source`` on the first few of ``calls``, grown: one of COMPLEXITY, or None.

    Containers and strings grow by repetition, the other arguments stay; where there are none, whole numbers grow. None
    where no call can be grown, or the program does not answer the grown ones. Raises SandboxError.
    """
    counted = counting(source)
    found = [_classify(sandbox, counted, call) for call in calls[:TRIED_CALLS]]
    return max((name for name in found if name), key=COMPLEXITY.index, default=None)


def _classify(sandbox: Sandbox, counted: str, call: Call) -> str | None:
    grown = [Call(call.function, arguments) for size in SIZES if (arguments := grow(call.arguments, size))]
    if len(grown) < len(SIZES):
        return None
    (results,) = sandbox.run_batch([counted], grown, steps=MAX_STEPS, timeout_s=TIMEOUT_S)
    statuses = [result.status for result in results]
    answered = statuses.index(CallStatus.BUDGET) if CallStatus.BUDGET in statuses else len(statuses)
    if any(status is not CallStatus.VALUE for status in statuses[:answered]):
        return None
    return _class([result.steps for result in results[:answered]], spent=answered < len(statuses))


def constrain(sandbox: Sandbox, task: Task, calls: Sequence[Call]) -> Constraint | None:
    """The constraint that the reference's class sets, or None. ``calls`` are those of the reference's verdict."""
    found = classify(sandbox, task.reference, calls)
    return Constraint("complexity", found, task.entry_point) if found else None


def violation(sandbox: Sandbox, constraint: Constraint, source: str, calls: Sequence[Call]) -> Violation | None:
    """The violation where ``source`` is of a higher class than the constraint; None also where its class is unknown."""
    found = classify(sandbox, source, calls)
    if found is None or COMPLEXITY.index(found) <= COMPLEXITY.index(constraint.value):
        return None
    return Violation(constraint, found)


def grow(arguments: bytes, size: int) -> bytes | None:
    """The wire form of ``(args, kwargs)`` grown to ``size``; None where nothing in it can grow."""
    try:
        args, kwargs = wire.decode(arguments)
        sized = any(isinstance(value, list | tuple | str) and len(value) for value in args)
        grown = [_grown(value, size, sized) for value in args]
        if all(new is old for new, old in zip(grown, args, strict=True)):
            return None
        return wire.encode((tuple(grown), kwargs))
    except WireError:
        return None


def _grown(value: Any, size: int, sized: bool) -> Any:
    if sized and isinstance(value, list | tuple | str) and len(value):
        return (value * math.ceil(size / len(value)))[:size]
    if not sized and type(value) is int and value > 0:
        return size
    return value


def counting(source: str) -> str:
    """``source`` with the sandbox's step counter before every statement and in every round of a comprehension."""
    return ast.unparse(ast.fix_missing_locations(_Counting().visit(ast.parse(source))))


def _class(steps: Sequence[int], *, spent: bool) -> str | None:
    """The class by the steps at the first of SIZES; ``spent``: the next size spent the budget."""
    steps = [*steps, *([MAX_STEPS] if spent else [])]
    if len(steps) < 3:
        return "exponential" if spent else None
    last = len(steps) - 1
    slope = math.log(max(steps[last], 1) / max(steps[last - 2], 1)) / math.log(SIZES[last] / SIZES[last - 2])
    return next((name for bound, name in _SLOPES if slope <= bound), "exponential")


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
