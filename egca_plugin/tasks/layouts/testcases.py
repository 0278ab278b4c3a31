"""Lists of single tests ``{input, output, type}``, as DeepCoder, LiveCodeBench and SYNTHETIC-1 have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egca_plugin.tasks.layouts import cases
from egca_plugin.tasks.layouts.layout import Row, shown
from egca_plugin.types import Kind, Task

_STDIN = {"stdin", "stdin_stdout", ""}
_CALLS = {"functional", "function_call"}


def readings(
    row: Row, field: str, tests: Sequence[Any], base: Task, starter: str, solutions: tuple[str, ...], name: str = ""
) -> tuple[Task, ...]:
    """The readings of a list of tests; ``name`` is the function's where the tests do not say it.

    ``functional`` is LiveCodeBench's word, and its inputs and outputs are JSON; ``function_call`` is PRIME's, whose
    form is APPS'. Raises TaskError, also for tests of two kinds.
    """
    if not tests:
        raise row.fault(field, "no test", "at least one")
    for number, test in enumerate(tests):
        if not isinstance(test, dict) or "input" not in test or "output" not in test:
            raise row.fault(f"{field}[{number}]", shown(test), "a test {input, output}")
    words = {str(test.get("testtype") or test.get("type") or "") for test in tests}
    inputs, outputs = [test["input"] for test in tests], [test["output"] for test in tests]
    if words <= _STDIN:
        return cases.with_kind(base, Kind.STDIN, "", (cases.stdin_cases(row, field, inputs, outputs),))
    if not words <= _CALLS:
        raise row.fault(f"{field}[].type", ", ".join(sorted(words)), "one kind of stdin, stdin_stdout or functional, "
                        "function_call")  # fmt: skip
    name = _name(row, field, tests, name)
    kind, entry_point = cases.entry_point(name, starter, solutions)
    if words == {"functional"}:
        return cases.with_kind(base, kind, entry_point, (cases.call_cases(row, field, inputs, outputs),))
    return cases.with_kind(base, kind, entry_point, cases.ambiguous_cases(row, field, inputs, outputs, name, starter))


def function_name(row: Row) -> str:
    """``metadata.func_name`` of the row, empty where it has none. Raises TaskError."""
    metadata = row.parsed("metadata")
    name = metadata.get("func_name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _name(row: Row, field: str, tests: Sequence[dict[str, Any]], name: str) -> str:
    for test in tests:
        inner = test.get("metadata")
        named = test.get("fn_name") or (inner.get("func_name") if isinstance(inner, dict) else None) or name
        if isinstance(named, str) and named:
            return named
    raise row.fault(f"{field}[].fn_name or metadata.func_name", "nothing", "the name of the function to call")
