"""The random numbers of tests that seed them: the program draws from there too, as it would beside the tests.

``random.seed(1)`` in a test is about what the program draws next. The next call tells it, in its own process.
"""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from egca_plugin.types import Call, CallResult

_PLAIN = (int, float, str, bytes, type(None))


def sets_seed(trees: Sequence[ast.Module]) -> bool:
    """Whether tests call anything named ``seed``."""
    return any(_is_seed(node) for tree in trees for node in ast.walk(tree))


def _is_seed(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "seed" for alias in node.names)
    return isinstance(node, ast.Attribute) and node.attr == "seed"


class TestsSeeds:
    """What one trial's tests have seeded since the last call."""

    __test__ = False  # no test, whatever pytest makes of the name

    def __init__(self) -> None:
        self._seeds: list[tuple[str, Any]] = []

    @contextmanager
    def installed(self) -> Iterator[None]:
        """In ``random``, and in numpy where it is imported, for the rest of this process."""
        for name, module in (("random", random), ("numpy.random", sys.modules.get("numpy.random"))):
            if module is not None:
                vars(module)["seed"] = self._noting(name, vars(module)["seed"])
        yield

    def _noting(self, name: str, seed: Callable[..., None]) -> Callable[..., None]:
        def noted(*args: Any, **kwargs: Any) -> None:
            value = args[0] if args else next(iter(kwargs.values()), None)
            if type(value) in _PLAIN and len(args) + len(kwargs) <= 1:
                self._seeds.append((name, value))
            seed(*args, **kwargs)

        return noted

    def told(self, call: Call) -> Call:
        """With what has been seeded."""
        seeds, self._seeds = tuple(self._seeds), []
        return replace(call, seeds=seeds) if seeds else call

    def heard(self, result: CallResult) -> None:
        """Nothing of it comes back."""
