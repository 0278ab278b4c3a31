"""Does a program spell out the tests instead of solving the task?

Values and literals are compared by their *atoms*: the numbers and words in them, in order. So ``[3, 5]``, ``(3, 5.0)``,
``{3: 5}`` and ``"3, 5"`` are alike, and a literal that is a text of JSON is what that text says.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from egca_plugin.program.compiling import parse
from egca_plugin.program.nodes import spelled, walk

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Atoms = tuple[str, ...]

_TELLING = 5  # characters of a value that no program has by chance
_FEWEST = 2  # tests that a memorised table must cover: comparing with one argument is a base case
_RESULTS = 3  # tests whose results in a row, folded into one literal, are an answer sheet,
_SHEET = 10  # if they have so many characters
_MOST = 10_000  # atoms of a value, and literals of a program, that are looked at
_DEPTH = 50
_DISPLAYS = (ast.Tuple, ast.List, ast.Set, ast.Dict)
_BETWEEN = re.compile(r"[\s,;:()\[\]{}'\"]+")
_NUMBER = re.compile(r"[-+]?\d{1,300}(?:\.\d{0,300})?")
_SEPARATOR = "\x1f"


def memorises(source: str, tested: Sequence[Arguments], results: Sequence[Any] = ()) -> bool:
    """Does the program spell out every distinct argument that the tests use (at least two calls)?

    A base case (``n == 0``) covers one test; a table of answers covers all of them. A short value such as ``3`` counts
    where the program compares with it or looks it up, a longer one wherever it stands. ``results`` are those of the
    same calls: in a row within one literal, they are such a table as well.
    """
    distinct = {call for arguments in tested if (call := tuple(_atoms_of_each(arguments)))}
    asked = [call for call in distinct if any(call)]  # an empty argument is a base case
    answers = [atoms(result) for result in results]
    if len(distinct) < _FEWEST or not asked:
        return False
    try:
        literals = _Literals(parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if all(literals.cover(call) for call in asked):
        return len(asked) >= _FEWEST or literals.enough
    in_a_row = tuple(atom for answer in answers for atom in answer)
    return len(set(answers)) >= _RESULTS and literals.hold(in_a_row, _SHEET)


def atoms(value: Any) -> Atoms:
    """The numbers and words of a value, in order; numbers by value, whatever their type."""
    return tuple(islice(_atoms(value, _DEPTH), _MOST))


def _atoms(value: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, dict):
        value = value.items()
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if isinstance(value, str):
        yield from (_number(word) for word in _BETWEEN.split(value) if word)
    elif isinstance(value, (bytes, bytearray)):
        yield from _atoms(value.decode("latin-1"), depth)
    elif isinstance(value, (bool, int, float)):
        yield spelled(int(value) if value == value and abs(value) != float("inf") and value == int(value) else value)
    elif value is None:
        yield "None"
    elif isinstance(value, Iterable) and not isinstance(value, Iterator):
        for item in value:
            yield from _atoms(item, depth - 1)


def _number(word: str) -> str:
    """A word as it is, a number as its value is spelled."""
    if not _NUMBER.fullmatch(word):
        return word
    whole, _, fraction = word.partition(".")
    return str(int(whole)) if not fraction.strip("0") else repr(float(word))


def _atoms_of_each(arguments: Arguments) -> Iterator[Atoms]:
    yield from (atoms(argument) for argument in (*arguments[0], *arguments[1].values()))


class _Literals:
    """The literals of a program: those that it compares with or looks up, and all long ones in one text."""

    def __init__(self, tree: ast.Module) -> None:
        nodes = walk(tree)
        compared = {atoms(value) for node in nodes for value in _values(_compared(node))}
        everything = list(_values(node for node in nodes if isinstance(node, (ast.Constant, *_DISPLAYS))))
        everything += [said for value in everything if isinstance(value, str) for said in _said(value)]
        items = {atoms(item) for value in everything for item in islice(_items(value), _MOST)}
        long = {one for value in everything if _length(one := atoms(value)) >= _TELLING}
        self._whole = compared | items | long
        self._run_together = {"".join(one) for one in self._whole if one}
        self._texts = [_joined(one) for one in {*items, *long} if _length(one) >= _TELLING]

    @property
    def enough(self) -> bool:
        return len(self._whole) >= _FEWEST

    def cover(self, call: Sequence[Atoms]) -> bool:
        """The call as a whole, as its arguments are usually compared: one by one, or all in a tuple."""
        together = tuple(atom for argument in call for atom in argument)
        return self._has(together) or all(self._has(argument) for argument in call if argument)

    def _has(self, one: Atoms) -> bool:
        return one in self._whole or "".join(one) in self._run_together or (len(one) > 1 and self.hold(one, _TELLING))

    def hold(self, one: Atoms, least: int) -> bool:
        """Are these, if they have ``least`` characters, in a row within some literal?"""
        wanted = _joined(one)
        return _length(one) >= least and any(wanted in text for text in self._texts)


def _length(one: Atoms) -> int:
    return sum(map(len, one)) + max(len(one) - 1, 0)


def _joined(one: Atoms) -> str:
    return _SEPARATOR + _SEPARATOR.join(one) + _SEPARATOR


def _compared(node: ast.AST) -> Iterator[ast.AST | None]:
    """What a node compares with or looks up."""
    match node:
        case ast.Compare(left=left, comparators=others):
            for one in (left, *others):
                yield one
                if isinstance(one, (ast.Tuple, ast.List, ast.Set)):
                    yield from one.elts
        case ast.Dict(keys=keys):
            yield from keys
        case ast.MatchValue(value=value):
            yield value


def _values(nodes: Iterable[ast.AST | None]) -> Iterator[Any]:
    """What those nodes spell that are literals."""
    for node in islice(nodes, _MOST):
        if isinstance(node, (ast.Constant, *_DISPLAYS, ast.UnaryOp)):
            try:
                yield ast.literal_eval(node)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue


def _said(text: str) -> Iterator[Any]:
    """What a text of JSON says."""
    if text[:1] in "[{" and text:
        try:
            yield json.loads(text)
        except (ValueError, RecursionError):
            pass


def _items(value: Any) -> Iterator[Any]:
    """What a literal's tables hold: containers and texts of several atoms within containers, at any depth."""
    waiting = [value]
    for one in waiting:  # grows meanwhile
        if isinstance(one, (list, tuple, set, frozenset, dict)):
            inner = [*one, *(one.values() if isinstance(one, dict) else ())]
            yield from (item for item in inner if isinstance(item, (list, tuple)) or len(atoms(item)) > 1)
            waiting += inner if len(waiting) < _MOST else []
