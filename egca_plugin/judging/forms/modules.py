"""Modules that exist only while tests run: the program as they import it, and the stand-in for pytest."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from egca_plugin.judging.checks import Checks


@contextmanager
def installed(checks: Checks, names: Mapping[str, Any]) -> Iterator[None]:
    """``names``: what a module of the program has, the candidate and what else comes from the reference."""
    modules: dict[str, Any] = {}
    if checks.standin:
        from egca_plugin.judging.forms import standin

        modules["pytest"] = standin
    for name in checks.modules:
        modules[name] = ModuleType(name)
        modules[name].__dict__.update({own: value for own, value in names.items() if own != "__name__"})
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
