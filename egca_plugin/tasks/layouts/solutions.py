"""The reference of a row whose data set brings solutions: the first that is Python 3 and defines what is asked for."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.program.compiling import compile_error, parse

FIELDS = ("solutions", "completion", "solution", "gold_standard_solution", "canonical_solution", "reference")
PYTHON3 = (3, "3", "python3", "PYTHON3", "python", "Python")  # CodeContests' number, and names
_FENCE = re.compile(r"```[ \t]*(?:python3?|py)?[ \t]*\n(.*?)\n?```", re.S | re.I)


def texts(*holders: Any) -> tuple[str, ...]:
    """What the mappings ``holders`` give as solutions, in order; anything that is no text is passed over."""
    found: list[str] = []
    for holder in holders:
        if isinstance(holder, Mapping):
            for field in FIELDS:
                found += _flat(holder.get(field))
    return tuple(dict.fromkeys(found))


def choose(solutions: Sequence[str], name: str, where: str) -> str:
    """The reference among ``solutions``, empty where none is Python 3; ``name`` is empty for a whole program.

    Raises TaskError where there are such programs and none defines ``name``: then the name or the solutions are wrong.
    """
    chosen, programs = _chosen(tuple(text.replace("\r\n", "\n") for text in solutions), name)
    if programs and not chosen:
        raise TaskError(f"{where}: {name!r} is defined by none of the row's {programs} solutions; correct one of them")
    return chosen


@lru_cache(maxsize=512)
def _chosen(solutions: tuple[str, ...], name: str) -> tuple[str, int]:
    """(the first that fits, or empty; how many programs were looked at)."""
    programs = 0
    for text in solutions:
        source = next((one for one in (text, *reversed(_FENCE.findall(text))) if compile_error(one) is None), None)
        if source is None:  # prose, Python 2, another language
            continue
        tree = parse(source)
        if not any(isinstance(node, ast.Call | ast.FunctionDef) for node in ast.walk(tree)):
            continue  # a word or two of prose compile as well
        programs += 1
        if not name or _defines(tree, name):
            return source, programs
    return "", programs


def _defines(tree: ast.Module, name: str) -> bool:
    return any(
        (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name)
        or (isinstance(node, ast.alias) and (node.asname or node.name) == name)
        for node in ast.walk(tree)
    )


def _flat(value: Any) -> list[str]:
    """The texts in a cell: one, a list, a list in JSON, or CodeContests' columns of languages and sources."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                return _flat(_json_list(value))
            except ValueError:
                pass
        return [value] if value.strip() else []
    if isinstance(value, Mapping):
        languages, sources = value.get("language"), value.get("solution")
        if languages is None or sources is None:
            return []
        return [str(source) for number, source in zip(languages, sources, strict=False) if number in PYTHON3]
    if hasattr(value, "tolist"):  # numpy, as verl may hand a list on
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [text for item in value for text in _flat(item)]
    return []


def _json_list(text: str) -> list[str]:
    value = json.loads(text)
    if not isinstance(value, list):
        raise ValueError("no list")
    return [item for item in value if isinstance(item, str)]
