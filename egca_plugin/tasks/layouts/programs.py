"""Programs in rows: out of their fences, of the right language, and what they define."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable

from egca_plugin.program.compiling import compile_error

MAX_REFERENCES = 8  # of a row's programs, those that are tried
_FENCED = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)^[ \t]*```", re.M | re.S)
_PYTHON = {"", "python", "python3", "py"}


def references(texts: Iterable[object]) -> tuple[str, ...]:
    """Those of the texts that are Python 3, in order, each once, at most MAX_REFERENCES."""
    found: dict[str, None] = {}
    for text in texts:
        source = unfenced(text) if isinstance(text, str) else ""
        if source.strip() and source not in found and compile_error(source) is None:
            found[source] = None
            if len(found) == MAX_REFERENCES:
                break
    return tuple(found)


def bare(text: str) -> str:
    """The text where it is Python, else the code of its fences: a docstring may have fences too."""
    return text if compile_error(text) is None else unfenced(text)


def unfenced(text: str) -> str:
    """The code of a text: its longest fenced block of Python, or the whole where nothing is fenced."""
    text = text.replace("\r\n", "\n")
    blocks = [code for language, code in _FENCED.findall(text) if language.lower() in _PYTHON]
    return max(blocks, key=len) if blocks else text


def tree(source: str) -> ast.Module | None:
    """The syntax tree, or None where it does not parse."""
    if compile_error(source) is not None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes in data that is not ours to mend
        return ast.parse(source)


def defines(source: str, entry_point: str) -> bool:
    """Does the program bind ``f``, or ``Solution.f``, or in its place a bare ``f``?"""
    return entry_point.rpartition(".")[2] in names(source)


def names(source: str) -> tuple[str, ...]:
    """What the program binds at its top level and as methods of its classes there."""
    parsed = tree(source)
    found: dict[str, None] = {}
    for node in parsed.body if parsed else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = None
        if isinstance(node, ast.ClassDef):
            found |= {inner.name: None for inner in node.body if isinstance(inner, ast.FunctionDef)}
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            found |= {inner.id: None for inner in ast.walk(node) if _bound(inner) and isinstance(inner, ast.Name)}
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0]: None for alias in node.names}
    return tuple(found)


def _bound(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def methods(source: str, owner: str = "Solution") -> tuple[str, ...]:
    """The public methods of a class of the program, in order; its starter code may lack every body."""
    parsed = tree(source) or tree(source.rstrip() + "\n        pass\n") or tree(source.rstrip() + " pass\n")
    if parsed is None:  # starter code of several methods
        pattern = rf"^class\s+{re.escape(owner)}\b.*?(?=^\S|\Z)"
        body = re.search(pattern, source, re.M | re.S)
        return tuple(re.findall(r"^[ \t]+def\s+([A-Za-z]\w*)", body.group() if body else "", re.M))
    owners = [node for node in parsed.body if isinstance(node, ast.ClassDef) and node.name == owner]
    inner = [node.name for one in owners for node in one.body if isinstance(node, ast.FunctionDef)]
    return tuple(name for name in inner if not name.startswith("_"))


def called_most(tests: str, source: str) -> str:
    """The function of ``source`` that ``tests`` call most, the first of equals; empty where they call none.

    Classes do not count: they build arguments. Tests that call only classes are about the first of these.
    """
    ours, parsed = tree(source), tree(tests)
    if ours is None or parsed is None:
        return ""
    functions = [node.name for node in ours.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    classes = [node.name for node in ours.body if isinstance(node, ast.ClassDef)]
    calls = [
        node.func.id for node in ast.walk(parsed) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    for known in (functions, classes):
        called = [name for name in known if name in calls]
        if called:
            return max(called, key=calls.count)
    return ""
