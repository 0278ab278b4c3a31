"""Import one of our modules right after one of verl's, and not before.

verl imports its plugins in *every* process. Importing the trainers, the reward loop and the engines there would double
the start-up of each, and would bite its own tail where Ray imports one of our modules first. So the plugin only leaves
word: when (and if) verl's module is imported, ours is imported right behind it and registers itself.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

Then = Callable[[], None]


class _After(importlib.abc.Loader):
    """Runs every ``then``, in order, once the wrapped loader has executed the module."""

    def __init__(self, loader: importlib.abc.Loader, all_of_them: Sequence[Then]) -> None:
        self._loader, self._all = loader, all_of_them

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Leave no trace in the module: whoever asks it for its source or resources must find the real loader.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for then in self._all:
            then()


class _Finder(importlib.abc.MetaPathFinder):
    """Sees every import before the other finders and wraps the watched ones, each once."""

    def __init__(self) -> None:
        self.watched: dict[str, list[Then]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        all_of_them = self.watched.pop(fullname, None)  # popped first: the search below comes through here again
        if all_of_them is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _After(spec.loader, all_of_them)
        return spec


_finder = _Finder()


def after_import(module: str, then: Then) -> None:
    """Call ``then`` as soon as ``module`` has been imported: now, where it already is."""
    if module in sys.modules:
        then()
        return
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.watched.setdefault(module, []).append(then)
