"""Is what a row says sound: do its tests run, and which of its programs pass them? Run in a pool's worker.

A reference that fails its own tests would draw blame to statements that are right, and tests that call nothing would
reward everything; both are common in public data (APPS 15, TACO 18, CodeContests 38).
"""

from __future__ import annotations

import ast
import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from textwrap import indent
from typing import Any

from egca_plugin.errors import SandboxError, TaskError, WireError
from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.program.compiling import compile_error
from egca_plugin.program.preamble import in_front
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.layouts import cases, programs
from egca_plugin.tasks.layouts.layout import Reading
from egca_plugin.types import Call, CallCase, CallResult, CallStatus, Compare, Kind, Outcome, StdinCase, Task, Verdict

HANDLER = "egca_plugin.tasks.soundness:handler"
DEADLINE_S = 1200.0  # for one row: all its trials at their longest
MAX_TRIALS = 16  # of programs with readings, together
_NAMES = """\
import datetime
from collections import Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
inf = float("inf")
"""
_IDLE = "def {}({}*args, **kwargs):\n    return None\n"
MAX_ECHOED = 3  # cases by which a checker is tried without a reference


@dataclass(frozen=True, slots=True)
class Options:
    """``check``: run the references; without it the first program that compiles is believed."""

    check: bool = True
    timeout_s: float = 30.0  # for one program with all its tests, where the task has no limit of its own


@dataclass(frozen=True, slots=True)
class Checked:
    """``reason``: why the row is not sound, a code, empty where it is; ``detail`` says it in words.

    ``task`` has the reference that passed, or none; it is None where the row cannot be a task at all.
    """

    task: Task | None
    reason: str = ""
    detail: str = ""


# The codes, with what they mean; the first four leave no task.
REASONS = {
    "malformed": "the row or a field of it is not what its layout says",
    "unsupported": "it asks for files, a dialogue or another language",
    "untestable": "its tests cannot be run, or call nothing",
    "outputs": "the reference gives no outputs that tests could expect",
    "failing": "no reference passes the tests",
    "timeout": "no reference passes the tests, the first ran out of time",
    "mismatch": "no reference defines the entry point",
    "proves nothing": "a program that does nothing passes the tests",
    "doubtful": "its verdicts may be wrong",
}


def handler(sandbox: Sandbox, options: Options) -> Callable[[Reading], Checked]:
    """What a pool's worker runs."""
    return lambda reading: examine(sandbox, reading, options)


def examine(sandbox: Sandbox, reading: Reading, options: Options) -> Checked:
    """The row's task with the first program that passes, or why there is none. Raises SandboxError."""
    defining = [source for source in reading.references if _defines(reading, source)]
    try:
        if reading.references and not defining:
            return Checked(reading.tasks[0], "mismatch", _mismatch(reading))
        if reading.inputs:
            reading = _with_outputs(sandbox, reading, defining[0], options)
        found = _tried(sandbox, reading, defining, options) if options.check else _believed(reading, defining)
    except TaskError as error:
        return Checked(None, "untestable", _without_id(reading, str(error)))
    except _NoOutputs as error:
        return Checked(None, "outputs", str(error))
    if not found.reason and reading.doubts:
        return replace(found, reason="doubtful", detail="; ".join(reading.doubts))
    return found


def _believed(reading: Reading, defining: list[str]) -> Checked:
    return Checked(replace(reading.tasks[0], reference=defining[0] if defining else ""))


def _tried(sandbox: Sandbox, reading: Reading, defining: list[str], options: Options) -> Checked:
    """Every program under the likeliest reading, then under the next; the first failure is the one that is told."""
    if not defining:
        return _unreferenced(sandbox, reading.tasks[0], options)
    first: Verdict | TaskError | None = None
    trials = [(task, source) for task in reading.tasks for source in defining][:MAX_TRIALS]
    for task, source in trials:
        whole = replace(task, reference=source)
        try:
            verdict = _verdict(sandbox, in_front(task.preamble, source), whole, options)
        except TaskError as error:
            first = first or error
            continue
        if verdict.passed:
            return Checked(whole)
        first = first or verdict
    if isinstance(first, TaskError):
        raise first
    assert first is not None
    reason = "timeout" if first.outcome is Outcome.TIMEOUT else "failing"
    tried = f" ({len(defining)} programs tried)" if len(defining) > 1 else ""
    said = f"{first.outcome.value}, {first.tests_passed} of {first.tests_total} tests passed{tried}: {first.detail}"
    return Checked(reading.tasks[0], reason, said.rstrip(": "))


def _unreferenced(sandbox: Sandbox, task: Task, options: Options) -> Checked:
    """Without a reference: do the tests run and call something, does the checker accept what is expected?"""
    verdict = _verdict(sandbox, idle(task), task, options)
    if verdict.passed:
        return Checked(task, "proves nothing", "a program that does nothing passes every test")
    if task.checker and task.kind is Kind.STDIN:
        few = replace(task, cases=task.cases[:MAX_ECHOED])
        told = _verdict(sandbox, echo(few), few, options)
        if not told.passed:
            return Checked(task, "untestable", f"field checker: it refuses what is expected: {told.detail}")
    return Checked(task)


def idle(task: Task) -> str:
    """A program that does nothing, of the task's kind: its functions return None. Raises TaskError."""
    owner, _, name = task.entry_point.rpartition(".")
    if task.kind is Kind.STDIN:
        return "pass\n"
    others = "".join(_IDLE.format(other, "") for other in sorted(compile_checks(task).others))
    entry_point = _IDLE.format(name, "self, " if owner else "")
    return f"class {owner}:\n{indent(entry_point, '    ')}{others}" if owner else f"{entry_point}{others}"


def echo(task: Task) -> str:
    """A program that prints for each input of the task what is expected."""
    table = {case.stdin: case.stdout[0] for case in task.cases if isinstance(case, StdinCase)}
    return f"import sys\nsys.stdout.write({table!r}[sys.stdin.read()])\n"


def _verdict(sandbox: Sandbox, source: str, task: Task, options: Options) -> Verdict:
    task = replace(task, reference=in_front(task.preamble, task.reference))
    verdict = judge(sandbox, source, task, timeout_s=task.limits.time_s or options.timeout_s)
    if verdict.outcome is Outcome.INFRASTRUCTURE:
        raise SandboxError(f"{task.task_id} could not be judged ({verdict.detail}); run `egca doctor`, then try again")
    return verdict


# --- words --------------------------------------------------------------------------------------------------------


def _defines(reading: Reading, source: str) -> bool:
    return any(task.kind is Kind.STDIN or programs.defines(source, task.entry_point) for task in reading.tasks)


def _mismatch(reading: Reading) -> str:
    found = ", ".join(programs.names(reading.references[0])[:8]) or "nothing"
    return f"entry_point: got {reading.tasks[0].entry_point!r}, which the reference lacks; it defines {found}"


def _without_id(reading: Reading, message: str) -> str:
    return message.removeprefix(f"{reading.tasks[0].task_id}: ")


# --- outputs out of the reference ---------------------------------------------------------------------------------


class _NoOutputs(Exception):
    """The reference gave no result that a case could expect."""


def _with_outputs(sandbox: Sandbox, reading: Reading, source: str, options: Options) -> Reading:
    """The reading with a case for each of its inputs, the expected values being the reference's.

    Where one is no JSON (a set, a dict with numbers for keys), assertions say it, which know no tolerance. Raises
    _NoOutputs.
    """
    (task,) = reading.tasks
    calls = [Call(task.entry_point, wire.encode((tuple(json.loads(one)), {}))) for one in reading.inputs]
    values = [
        _value(text, result)
        for text, result in zip(
            reading.inputs,
            sandbox.run_calls(in_front(task.preamble, source), calls, timeout_s=options.timeout_s),
            strict=True,
        )
    ]
    pairs = list(zip(reading.inputs, values, strict=True))
    if all(map(_is_json, values)):
        told = tuple(CallCase(text, "{}", _written(text, value, cases.dumped)) for text, value in pairs)
        return replace(reading, tasks=(replace(task, cases=told),))
    if reading.tolerant:
        odd = next(number for number, value in enumerate(values) if not _is_json(value))
        raise _NoOutputs(
            f"the reference's output for the arguments {reading.inputs[odd][:80]} is no JSON: {values[odd]!r:.80}"
        )
    asserts = tuple(_asserted(task, text, value) for text, value in pairs)
    return replace(reading, tasks=(replace(task, tests=asserts, compare=Compare()),))


def _asserted(task: Task, arguments: str, value: Any) -> str:
    """A float may be off by the task's tolerance, anything else is equal; names are the test's own."""
    call, told = f"{task.entry_point}(*{json.loads(arguments)!r})", _written(arguments, value, _source)
    if type(value) is float and math.isfinite(value):
        return f"assert abs({call} - {told}) <= {task.compare.abs + task.compare.rel * abs(value)!r}"
    return f"{'' if _is_literal(told) else _NAMES}assert {call} == {told}"


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _written(arguments: str, value: Any, spell: Callable[[Any], str]) -> str:
    try:
        return spell(value)
    except ValueError as cause:  # it has too many digits, or is no Python
        raise _NoOutputs(
            f"the reference's output for the arguments {arguments[:80]} cannot be told: {cause}"
        ) from cause


def _source(value: Any) -> str:
    """The value in Python, by the names of ``_NAMES``. Raises ValueError."""
    text = repr(dict(value) if isinstance(value, defaultdict) else value)
    if _has_nan(value) or compile_error(text) is not None:
        raise ValueError(f"a {type(value).__name__} that Python's source cannot say")
    return text


def _has_nan(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_nan(one) for pair in value.items() for one in pair)
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(_has_nan, value))
    try:
        return bool(value != value)
    except ArithmeticError:  # a signalling one of decimal's
        return True


def _value(arguments: str, result: CallResult) -> Any:
    said = f"{result.error_type} {result.error_message}".strip() or result.status.value
    try:
        if result.status is CallStatus.VALUE:
            return wire.decode(result.value)
    except WireError as cause:
        said = str(cause)
    raise _NoOutputs(f"the reference gives no output for the arguments {arguments[:80]}: {said[:200]}")


def _is_json(value: Any) -> bool:
    """Does JSON say this value, if a tuple may be a list?"""
    if isinstance(value, (list, tuple)):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) for name in value) and all(map(_is_json, value.values()))
    return value is None or isinstance(value, (str, int, float, bool))
