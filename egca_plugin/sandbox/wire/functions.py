"""Functions that the tests give to the program, ``sorted_by(people, key=lambda p: p.age)``: told by their code.

Such an argument is an input like any other, and is a function only in the program's process: on this side of the wire
it stays :class:`Code`, which nobody can call. What it closes over goes with it, as values. The other way nothing comes:
a program's functions stay in its process (see :mod:`egca_plugin.sandbox.inside.keeping`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

VALUE, MODULE, ITSELF, LATER = "value", "module", "itself", "later"  # what a name of the function's means
FIRST = -10  # an answer's number for the tests' function 0; for the next one -11
Held = tuple[str, str, Any]  # a name, which of these, and the value or the module's name


class Code:
    """A function as data: marshalled ``code``, ``defaults`` of positions and keywords, what its free and its global
    names mean, ``cells`` and ``names``, and those of its ``annotations`` that are types. Without code it is the
    standard library's of that ``name``, ``module:name``, or what that gives for ``defaults``. ``number``: of those with
    one number the program has one function."""

    __slots__ = ("annotations", "cells", "code", "defaults", "keywords", "name", "names", "number")

    def __init__(
        self,
        name: str,
        code: bytes,
        defaults: tuple[Any, ...] | None,
        keywords: dict[str, Any] | None,
        cells: tuple[Held, ...],
        names: tuple[Held, ...],
        annotations: dict[str, Any] | None = None,
        number: int = -1,
    ) -> None:
        self.name, self.code, self.defaults, self.keywords = name, code, defaults, keywords
        self.cells, self.names, self.annotations, self.number = cells, names, annotations, number

    def numbered(self, number: int) -> Code:
        """The same with a number."""
        return Code(
            self.name, self.code, self.defaults, self.keywords, self.cells, self.names, self.annotations, number
        )

    def parts(self) -> tuple[Any, ...]:
        """What ``Code`` makes it of again."""
        return self.name, self.code, self.defaults, self.keywords, self.cells, self.names, self.annotations, self.number

    def __repr__(self) -> str:
        return f"<function {self.name}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is Code and self.parts() == other.parts()

    def __hash__(self) -> int:
        return hash((self.name, self.code))


class Sides:
    """What either side of the wire does with functions; here, where neither runs, nothing.

    ``told``: what a function that is met is told as, None where it cannot; raises WireError saying why. ``made``: what
    becomes of the ``Code`` that has come.
    """

    told: Callable[[Any], Code | None] = staticmethod(lambda function: None)
    made: Callable[[Code], Any] = staticmethod(lambda code: code)
