"""What a public data layout is, for us: the keys it is known by, and how one of its rows becomes a task.

    file → rows (tasks/datafiles.py) → Layout.read → Reading → soundness (tasks/soundness.py) → Task

A row is only read here, nothing is run. Whatever is wrong with it is a TaskError that names file, row and field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.types import Kind, Task

# The names of the task file's own fields: what a layout keeps under one of them, meaning something else, is renamed.
OURS = frozenset(
    {"task_id", "kind", "prompt", "entry_point", "reference", "tests", "tests_file", "setup", "preamble", "compare"}
    | {"checker", "limits", "constraints"}
)
_MAX_DEPTH = 100
_SHOWN = 60  # characters of a wrong value


class Unsupported(TaskError):
    """A row that is well formed and asks for what cannot be judged here: files, dialogue, another language."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in its file. ``where`` leads every message; ``name`` is its id where it brings none.

    ``folder``: its file's, for what lies beside it; None for a row of the hub.
    """

    where: str
    name: str
    fields: Mapping[str, Any]
    folder: Path | None = None

    def fault(self, field: str, got: str, expected: str) -> TaskError:
        """The error for a field, to be raised."""
        return TaskError(f"{self.where}, field {field}: got {got}, expected {expected}")

    def unsupported(self, field: str, got: str, why: str) -> Unsupported:
        """The error for a field whose value is legitimate and cannot be judged here, to be raised."""
        return Unsupported(f"{self.where}, field {field}: got {got}; {why}")

    def has(self, field: str) -> bool:
        """Is there something under this key? An empty column of a parquet file is None."""
        return self.fields.get(field) not in (None, "", [], {})

    def text(self, *names: str) -> str:
        """The first of the fields that holds text. Raises TaskError."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, str) and value.strip():
                return value.replace("\r\n", "\n")
        raise self.fault(" or ".join(names), shown(self.fields.get(names[0])), "text that is not empty")

    def maybe(self, name: str) -> str:
        """The text of a field that may be missing or empty. Raises TaskError for anything but text."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.fault(name, shown(value), "text")
        return value.replace("\r\n", "\n")

    def parsed(self, name: str) -> Any:
        """The value of a field that is either there or written as JSON text; None where it is empty."""
        value = self.fields.get(name)
        return value if not isinstance(value, str) else self.json(name, value) if value.strip() else None

    def json(self, name: str, text: str) -> Any:
        """``text`` of the field ``name`` as a value. Raises TaskError."""
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as cause:
            raise self.fault(name, f"{shown(text)}, which is no JSON ({str(cause)[:80]})", "JSON") from cause

    def mapping(self, name: str) -> Mapping[str, Any]:
        """As :meth:`parsed`, an object. Raises TaskError."""
        value = self.parsed(name)
        if not isinstance(value, Mapping):
            raise self.fault(name, shown(value), "an object")
        return value

    def sequence(self, name: str) -> list[Any]:
        """As :meth:`parsed`, a list; none is an empty one. Raises TaskError."""
        value = self.parsed(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(name, shown(value), "a list")
        return value

    def id(self, layout: str, *names: str) -> str:
        """``layout/ID`` by the first of the fields that holds one, else by the row's place in its file."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, (str, int)) and str(value).strip():
                return f"{layout}/{value}"
        return self.name

    def rest(self, layout: str, *used: str) -> dict[str, Any]:
        """The fields that were not ``used``, passed through as plain JSON values.

        One that has the name of a field of ours and another meaning gets the layout's name in front of it.
        """
        kept = {name: value for name, value in self.fields.items() if name not in used and value is not None}
        try:
            return {f"{layout}_{name}" if name in OURS else name: plain(value) for name, value in kept.items()}
        except RecursionError as cause:
            raise TaskError(
                f"{self.where}: got a value that is nested too deeply, expected at most 100 levels"
            ) from cause


@dataclass(frozen=True, slots=True)
class Reading:
    """What a row says.

    ``tasks``: its readings, likeliest first; there are several only where a layout is ambiguous and its references
    decide. None has a reference yet: ``references`` are the programs that may become it, the first that passes does.
    ``inputs``: arguments, a list as JSON text, of calls whose results the reference gives; they become the task's
    cases. ``messages`` and ``data_source``: the chat and the source of a row that brings them. ``doubts``: why verdicts
    may be wrong though they can be had. ``tolerant``: whether the row tells how far numbers may be off.
    """

    tasks: tuple[Task, ...]
    references: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    messages: tuple[Mapping[str, str], ...] = ()
    data_source: str = ""
    doubts: tuple[str, ...] = ()
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """``keys``: sets of keys, each enough to know the layout by. ``read`` raises TaskError.

    ``instruction`` goes in front of the prompt in a chat, not into the task.
    """

    name: str
    title: str
    keys: tuple[frozenset[str], ...]
    read: Callable[[Row], Reading]
    instruction: Callable[[Task], str]


def ask(task: Task) -> str:
    """What a model must be told beside the problem, where the layout's own text does not say it."""
    if task.kind is Kind.STDIN:
        return (
            "Write a Python program that reads its input from standard input and writes its answer to standard output. "
            "Reply with the whole program in one Python code block.\n\n"
        )
    name = task.entry_point.rpartition(".")
    what = f"the class `{name[0]}` with its method `{name[2]}`" if name[0] else f"the Python function `{name[2]}`"
    return f"Write {what}. Reply with the whole program in one Python code block.\n\n"


def asked(task: Task) -> str:
    """Nothing: the layout's prompts say how to answer."""
    return ""


def too_deep(where: str) -> TaskError:
    """The error for a row with a value that nests further than is read, to be raised."""
    return TaskError(f"{where}: got a value that is nested too deeply, expected at most {_MAX_DEPTH} levels")


def keys(*names: str) -> frozenset[str]:
    """A set of keys, as it reads best in a table."""
    return frozenset(names)


def shown(value: Any) -> str:
    """A short printed form of a wrong value."""
    if value is None:
        return "nothing"
    text = repr(value[:_SHOWN] if isinstance(value, (str, bytes, list)) else value)
    return f"{type(value).__name__} {text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}"


def plain(value: Any, depth: int = 0) -> Any:
    """The value in JSON's types: what a parquet file has beside them (dates, decimals, bytes) becomes text.

    Raises RecursionError beyond 100 levels.
    """
    if depth > _MAX_DEPTH:
        raise RecursionError
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner, depth + 1) for inner in value]
    return str(value)
