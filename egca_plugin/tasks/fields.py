"""The fields of a task, one function a field, read strictly: every error names the place, the field, what was got and
what was expected. DESIGN.md and docs/data.md have the contract."""

from __future__ import annotations

import ast
import difflib
import json
import math
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from egca_plugin.errors import EgcaError, TaskError
from egca_plugin.jsonl import kind as got
from egca_plugin.types import CallCase, Compare, Kind, Limits, StdinCase

MODES = ("tokens", "lines", "exact", "value")
TESTS = (
    "the source of check(candidate), pytest or unittest source, a list of assert statements, a list of "
    "{args, kwargs, expected}, or a list of {stdin, stdout}"
)
_DEFINES_TESTS = re.compile(r"\bdef (?:check|test\w*)\s*\(|\bclass Test|\bTestCase\b")
_METHOD = re.compile(r"([^\W\d]\w*)(?:\(\s*\))?\.([^\W\d]\w*)")
_CALL_KEYS = ("args", "kwargs", "expected")
_STDIN_KEYS = ("stdin", "stdout")

Source = str | tuple[str, ...]
Cases = tuple[CallCase, ...] | tuple[StdinCase, ...]


def text(row: Mapping[str, Any], name: str, where: str, error: type[EgcaError] = TaskError) -> str:
    """A text that has to be there."""
    if row.get(name) is None:
        raise error(f"{where}, field {name}: missing; expected text{near(name, row)}")
    if not isinstance(row[name], str) or not row[name].strip():
        raise error(f"{where}, field {name}: got {got(row[name])}, expected text that is not empty")
    return str(row[name])


def optional(row: Mapping[str, Any], name: str, where: str) -> str:
    """A text that may be empty, null or absent."""
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TaskError(f"{where}, field {name}: got {got(value)}, expected text, maybe empty")
    return value


def source(row: Mapping[str, Any], name: str, where: str) -> str:
    """Python source that may be empty, null or absent."""
    value = optional(row, name, where)
    wrong = _fault(value)
    if wrong:
        raise TaskError(f"{where}, field {name}: does not compile ({wrong}); expected Python source")
    return value


def checker(row: Mapping[str, Any], where: str) -> str:
    """Source of a checker, or empty."""
    value = source(row, "checker", where)
    if value.strip() and not re.search(r"\bdef check\s*\(", value):
        raise TaskError(
            f"{where}, field checker: the source does not define check; expected check(stdin, output, expected) -> bool"
        )
    return value


def strings(value: Any, name: str, expected: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TaskError(f"{where}, field {name}: got {got(value)}, expected {expected}")
    for index, item in enumerate(value):
        if not isinstance(item, str) or not item.strip():
            raise TaskError(f"{where}, field {name}[{index}]: got {got(item)}, expected {expected}")
    return tuple(value)


# --- what is run --------------------------------------------------------------------------------------------------


def kind(row: Mapping[str, Any], entry: str, cases: Cases, where: str) -> Kind:
    """The kind that was given, else the one that the cases or the entry point tell; all have to agree."""
    told = Kind.METHOD if "." in entry else Kind.FUNCTION
    if cases and isinstance(cases[0], StdinCase):
        told = Kind.STDIN
    value = row.get("kind")
    if value is None:
        value = told.value
    known = [one.value for one in Kind]
    if value not in known:
        hint = near(value, known) if isinstance(value, str) else ""
        raise TaskError(f"{where}, field kind: got {got(value)}, expected one of {', '.join(known)}{hint}")
    if Kind.STDIN in (told, Kind(value)) and told.value != value:
        wants = "a list of {stdin, stdout}" if told is not Kind.STDIN else "calls, not {stdin, stdout}"
        raise TaskError(f"{where}, field tests: expected {wants} in a task of kind {value}")
    if told is Kind.STDIN and entry:
        raise TaskError(f"{where}, field entry_point: got {entry!r}, expected none where a whole program is run")
    if told is not Kind.STDIN and not entry:
        hint = near("entry_point", row)
        raise TaskError(
            f"{where}, field entry_point: missing, and neither tests nor reference tell it; expected the name of a "
            f"function or a class, or Class.method{hint}"
        )
    if told.value != value:
        wants = "Class.method, as in Solution.twoSum" if told is Kind.FUNCTION else "the name of a function"
        raise TaskError(f"{where}, field entry_point: got {entry!r} in a task of kind {value}, expected {wants}")
    return told


def entry_point(row: Mapping[str, Any], where: str) -> str:
    """``name``, or ``Class.method`` for ``Class().method`` too; empty where none was given."""
    value = optional(row, "entry_point", where)
    method = _METHOD.fullmatch(value)
    if method:
        return f"{method[1]}.{method[2]}"
    if value and not value.isidentifier():
        raise TaskError(
            f"{where}, field entry_point: got {value!r}, expected a function's name, or Class.method as in "
            "Solution.twoSum"
        )
    return value


def tests(row: Mapping[str, Any], where: str) -> tuple[Source, Cases]:
    """The tests as source, or as cases with no source."""
    value = row.get("tests")
    if isinstance(value, str) and value.strip():
        if not _DEFINES_TESTS.search(value):
            raise TaskError(
                f"{where}, field tests: the text does not define check, a test function or a TestCase; expected {TESTS}"
            )
        return value, ()
    if not value:
        hint = near("tests", row) if value is None else ""
        what = "nothing" if value is None else repr(value)
        raise TaskError(f"{where}, field tests: got {what}, expected {TESTS}{hint}")
    if not isinstance(value, list) or not isinstance(value[0], dict):
        return strings(value, "tests", TESTS, where), ()
    keys = _STDIN_KEYS if any(value[0].get(name) is not None for name in _STDIN_KEYS) else _CALL_KEYS
    places = ((f"{where}, field tests[{index}]", case) for index, case in enumerate(value))
    if keys is _STDIN_KEYS:
        return (), tuple(_stdin_case(case, place) for place, case in places)
    return (), tuple(_call_case(case, place) for place, case in places)


def _call_case(case: Any, where: str) -> CallCase:
    _check_keys(case, _CALL_KEYS, where)
    if "expected" not in case:
        raise TaskError(f"{where}.expected: missing; expected the value that the call returns")
    args = [] if case.get("args") is None else case["args"]
    kwargs = {} if case.get("kwargs") is None else case["kwargs"]
    if not isinstance(args, list):
        raise TaskError(f"{where}.args: got {got(args)}, expected a list of the call's arguments")
    if not isinstance(kwargs, dict):
        raise TaskError(f"{where}.kwargs: got {got(kwargs)}, expected an object of the call's named arguments")
    return CallCase(*(json.dumps(part, ensure_ascii=False) for part in (args, kwargs, case["expected"])))


def _stdin_case(case: Any, where: str) -> StdinCase:
    _check_keys(case, _STDIN_KEYS, where)
    stdin, stdout = "" if case.get("stdin") is None else case["stdin"], case.get("stdout")
    if not isinstance(stdin, str):
        raise TaskError(f"{where}.stdin: got {got(stdin)}, expected text, maybe empty")
    accepted = stdout if isinstance(stdout, list) else [stdout]
    if not accepted or not all(isinstance(one, str) for one in accepted):
        what = got(stdout) if "stdout" in case else "nothing"
        raise TaskError(f"{where}.stdout: got {what}, expected the output as text, or a list of accepted outputs")
    return StdinCase(stdin, tuple(accepted))


# --- how it is judged ---------------------------------------------------------------------------------------------


def compare(row: Mapping[str, Any], where: str) -> Compare:
    value = row.get("compare")
    if value is None:
        return Compare()
    place = f"{where}, field compare"
    _check_keys(value, ("mode", "abs", "rel", "case"), place)
    mode, case = value.get("mode", ""), value.get("case", True)
    if mode not in ("", *MODES):
        raise TaskError(f"{place}.mode: got {got(mode)}, expected one of {', '.join(MODES)}{near(str(mode), MODES)}")
    if not isinstance(case, bool):
        raise TaskError(f"{place}.case: got {got(case)}, expected true or false")
    return Compare(mode, _tolerance(value, "abs", place), _tolerance(value, "rel", place), case)


def limits(row: Mapping[str, Any], where: str) -> Limits:
    value = row.get("limits")
    if value is None:
        return Limits()
    place = f"{where}, field limits"
    _check_keys(value, ("time_s", "memory_mb", "tests"), place)
    time_s = value.get("time_s")
    if time_s is not None and (not _number(time_s) or time_s <= 0):
        raise TaskError(f"{place}.time_s: got {got(time_s)}, expected seconds, more than 0")
    for name in ("memory_mb", "tests"):
        number = value.get(name)
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 1):
            raise TaskError(f"{place}.{name}: got {got(number)}, expected a whole number from 1 on")
    return Limits(None if time_s is None else float(time_s), value.get("memory_mb"), value.get("tests"))


def near(name: str, known: Collection[str]) -> str:
    """``; did you mean ...?`` for a name that resembles a known one, else nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {close[0]!r}?" if close else ""


def _tolerance(value: Mapping[str, Any], name: str, place: str) -> float:
    number = value.get(name, 0.0)
    if not _number(number) or number < 0:
        raise TaskError(f"{place}.{name}: got {got(number)}, expected a tolerance from 0 on")
    return float(number)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def _check_keys(value: Any, known: Collection[str], where: str) -> None:
    if not isinstance(value, dict):
        raise TaskError(f"{where}: got {got(value)}, expected an object of {', '.join(known)}")
    for name, one in value.items():
        if name not in known and one is not None:  # a table gives each row the keys of all
            raise TaskError(f"{where}.{name}: no such key; expected {', '.join(known)}{near(name, known)}")


@lru_cache(maxsize=256)
def _fault(source: str) -> str:
    """Why Python source does not compile, or nothing."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""
