"""Inputs and outputs of rows, as the cases of a task: what the layouts call ``inputs``, ``outputs`` and ``fn_name``.

A program on standard input is given text, and lists of lines are joined. A call is given a list of arguments, or text
with a JSON value a line. What an output means is ambiguous in the sets that go back to Codewars and LeetCode: it may be
wrapped in a list, and text may be JSON or a text. All readings are returned then, and the references decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from egca_plugin.program.preamble import nodes_named
from egca_plugin.tasks.layouts import programs
from egca_plugin.tasks.layouts.layout import Row, shown
from egca_plugin.types import CallCase, Compare, Kind, Limits, StdinCase, Task

_MAX_SECONDS = 600.0
_TOLERANCE = 1e-6  # of numbers with a decimal point: what the contests themselves allow, or less
_QUANTITY = re.compile(r"([-+]?[\d.]+(?:e[-+]?\d+)?)\s*([a-z]*)\b.*", re.I | re.S)
_UNITS = {  # in seconds, and in megabytes
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("b", "byte", "bytes"), 2.0**-20),
    **dict.fromkeys(("k", "kb", "kib", "kilobyte", "kilobytes", "kibibyte", "kibibytes"), 2.0**-10),
    **dict.fromkeys(("g", "gb", "gib", "gigabyte", "gigabytes", "gibibyte", "gibibytes"), 1024.0),
}
_DECIMAL = re.compile(r"(?<!\S)[-+]?\d+\.\d+(?:[eE][-+]?\d+)?(?!\S)")

# What judges that call a function put in front of it. The builtins come last: math's pow is not Python's.
IMPORTS = """\
import bisect, collections, copy, datetime, functools, heapq, itertools, json, math, operator, random, re, string, sys
from bisect import *
from collections import *
from functools import *
from heapq import *
from itertools import *
from math import *
from typing import *
from builtins import *
inf = float("inf")
"""


# --- programs on standard input -----------------------------------------------------------------------------------


def stdin_cases(row: Row, field: str, inputs: Any, outputs: Any) -> tuple[StdinCase, ...]:
    """One case a pair. Raises TaskError for lists that do not match or hold anything but text, numbers and lines."""
    return tuple(
        StdinCase(_lines(row, f"{field}.inputs[{n}]", given), (_lines(row, f"{field}.outputs[{n}]", expected),))
        for n, (given, expected) in enumerate(_pairs(row, field, inputs, outputs))
    )


def _lines(row: Row, field: str, value: Any) -> str:
    text = lines_of(value)
    if text is None:
        raise row.fault(field, shown(value), "text, or a list of lines")
    return text


def lines_of(value: Any) -> str | None:
    """The text of an input or output: text as it is, a number, or a list of lines with or without their ends."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list) and all(isinstance(line, (str, int, float)) for line in value):
        return "".join(str(line).rstrip("\n") + "\n" for line in value)
    return None


def _pairs(row: Row, field: str, inputs: Any, outputs: Any) -> list[tuple[Any, Any]]:
    for name, value in (("inputs", inputs), ("outputs", outputs)):
        if not isinstance(value, list):
            raise row.fault(f"{field}.{name}", shown(value), "a list")
    if len(inputs) != len(outputs):
        raise row.fault(field, f"{len(inputs)} inputs and {len(outputs)} outputs", "as many of one as of the other")
    if not inputs:
        raise row.fault(field, "no test", "at least one")
    return list(zip(inputs, outputs, strict=True))


# --- calls --------------------------------------------------------------------------------------------------------


def call_cases(row: Row, field: str, inputs: Any, outputs: Any) -> tuple[CallCase, ...]:
    """One case a pair, every text JSON: prime_code's and LiveCodeBench's form. Raises TaskError."""
    pairs = _pairs(row, field, inputs, outputs)
    return tuple(
        _case(arguments(row, f"{field}.inputs[{n}]", given), _value(row, f"{field}.outputs[{n}]", expected))
        for n, (given, expected) in enumerate(pairs)
    )


def ambiguous_cases(
    row: Row, field: str, inputs: Any, outputs: Any, name: str, written: str
) -> tuple[tuple[CallCase, ...], ...]:
    """Every reading of APPS' form, likeliest first. Raises TaskError.

    They are made of outputs out of their lists or as they are, and of texts as JSON or as texts. What the function
    ``name`` returns in the code that is ``written`` says which of the first is likelier; a text beside arguments that
    are values, not JSON, is one itself.
    """
    pairs = _pairs(row, field, inputs, outputs)
    given = [_loose_arguments(row, f"{field}.inputs[{n}]", one) for n, (one, _) in enumerate(pairs)]
    expected = [one for _, one in pairs]
    unwrapped = [one[0] for one in expected if isinstance(one, list) and len(one) == 1]
    readings = [unwrapped, expected] if len(unwrapped) == len(expected) else [expected]
    if returns_lists(name.rpartition(".")[2], written):
        readings.reverse()
    typed = all(isinstance(one, list) for one, _ in pairs) and any(map(_has_text, given))
    found: dict[tuple[CallCase, ...], None] = {}
    for values in readings:
        for meaning in (_as_is, _loose) if typed else (_loose, _as_is):
            found[tuple(_case(args, meaning(value)) for args, value in zip(given, values, strict=True))] = None
    return tuple(found)


def returns_lists(name: str, written: str) -> bool:
    """Codewars' problems wrap each output in a list, LeetCode's do not: those write classes and annotations."""
    annotated = re.search(rf"def\s+{re.escape(name)}\s*\([^)]*\)\s*->\s*(\S+)", written)
    if annotated:
        return bool(re.match(r"(typing\.)?(Optional\[)?(List|list|TreeNode|Sequence|Iterable)", annotated[1]))
    return "class Solution" in written


def arguments(row: Row, field: str, value: Any) -> list[Any]:
    """The positional arguments of one input. Raises TaskError."""
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        return [value]
    return [row.json(field, line) for line in value.split("\n") if line.strip()]


def _loose_arguments(row: Row, field: str, value: Any) -> list[Any]:
    if not isinstance(value, str):
        return arguments(row, field, value)
    lines = [line for line in value.split("\n") if line.strip()]
    return [_loose(line) for line in lines]


def _has_text(args: list[Any]) -> bool:
    return any(isinstance(value, str) for value in args)


def _value(row: Row, field: str, value: Any) -> Any:
    return row.json(field, value) if isinstance(value, str) else value


def _loose(value: Any) -> Any:
    """What a text says as JSON, else the text itself."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _as_is(value: Any) -> Any:
    return value


def _case(args: Sequence[Any], expected: Any) -> CallCase:
    return CallCase(dumped(args), "{}", dumped(expected))


def dumped(value: Any) -> str:
    """JSON text of a value out of JSON."""
    return json.dumps(value, ensure_ascii=False)


# --- what is called -----------------------------------------------------------------------------------------------


def entry_point(name: str, starter: str, references: Sequence[str] = ()) -> tuple[Kind, str]:
    """The kind and the entry point of a task whose row names a function: a method where its starter code says so.

    Without starter code the references say it. ``Solution().f`` and ``Solution.f`` name a method themselves.
    """
    owner, _, bare = name.replace("()", "").strip().rpartition(".")
    sources = [starter] if "class " in starter or "def " in starter else list(references)
    if owner or any(bare in programs.methods(source) for source in sources):
        return Kind.METHOD, f"{owner or 'Solution'}.{bare}"
    return Kind.FUNCTION, bare


def with_kind(
    base: Task, kind: Kind, entry_point: str, readings: Sequence[tuple[CallCase, ...] | tuple[StdinCase, ...]]
) -> tuple[Task, ...]:
    """The task once for each reading of its cases; numbers with a decimal point are compared with a tolerance."""
    given = "" if kind is Kind.STDIN else IMPORTS + nodes_named(f"{base.prompt}\n{base.reference}")
    preamble = base.preamble or given
    return tuple(
        replace(base, kind=kind, entry_point=entry_point, preamble=preamble, cases=cases, compare=_compare(cases))
        for cases in readings
    )


def _compare(cases: tuple[CallCase, ...] | tuple[StdinCase, ...]) -> Compare:
    decimal = any(
        any(map(_DECIMAL.search, case.stdout))
        if isinstance(case, StdinCase)
        else "." in case.expected and _has_float(json.loads(case.expected))
        for case in cases
    )
    return Compare(abs=_TOLERANCE, rel=_TOLERANCE) if decimal else Compare()


def _has_float(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list) else isinstance(value, float)


def prompt(problem: str, starter: str = "") -> str:
    """The problem, and behind it the code that an answer begins with."""
    if not starter.strip():
        return problem.strip()
    return f"{problem.strip()}\n\nBegin with this code:\n```python\n{starter.rstrip()}\n```"


# --- limits -------------------------------------------------------------------------------------------------------


def limits(row: Row, time_s: str = "time_limit", memory_mb: str = "memory_limit") -> Limits:
    """The limits of a contest's problem: numbers, texts such as ``2.0 seconds``, or seconds and nanoseconds.

    A value that says nothing (none, zero, beyond ten minutes) leaves the limit to the settings.
    """
    seconds, megabytes = _number(row.fields.get(time_s)), _number(row.fields.get(memory_mb))
    return Limits(
        time_s=seconds if seconds is not None and 0 < seconds <= _MAX_SECONDS else None,
        memory_mb=int(megabytes) if megabytes is not None and megabytes >= 1 else None,
    )


def _number(value: Any) -> float | None:
    if isinstance(value, Mapping):
        parts = [value.get("seconds") or 0, (value.get("nanos") or 0) / 1e9]
        return float(sum(parts)) or None
    factor = 1.0
    if isinstance(value, str):
        written = _QUANTITY.fullmatch(value.strip())
        if written is None:
            return None
        value, factor = written[1], _UNITS.get(written[2].lower(), 1.0)
    try:
        number = float(value) * factor if value is not None else None
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and number == number else None
