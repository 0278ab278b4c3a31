"""Modules that exist only while tests run: the tests and the reference themselves, the program as tests import it, and
the stand-in for pytest."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import getcwd  # bound here, since tests patch modules
from types import ModuleType
from typing import Any

from egca_plugin.judging.checks import Checks


def blank(name: str) -> ModuleType:
    """For a task's own code, as if it lay in the folder that it runs in."""
    module = ModuleType(name)
    module.__file__ = f"{getcwd()}/{name}.py"
    return module


def imported(checks: Checks, names: Mapping[str, Any]) -> dict[str, Any]:
    """What the tests may import besides. ``names``: what a module of the program has, the candidate's functions and
    what else comes from the reference."""
    modules: dict[str, Any] = {}
    if checks.standin:
        from egca_plugin.judging.forms import standin

        modules["pytest"] = standin
    for name in checks.modules:
        modules[name] = ModuleType(name)
        vars(modules[name]).update(names)
    return modules


@contextmanager
def installed(modules: Mapping[str, Any]) -> Iterator[None]:
    """By their names, which mean what they did before when it is over."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
