"""Which files a program needs to import the packages of ``egca.sandbox.packages``, found on the trusted side.

A package may be imported if it is installed beside this one; what it requires comes with it, extras aside. The zygote
imports it once for all children and lets them read its files, so that a submodule can still be imported later.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata
from importlib.machinery import ModuleSpec
from typing import Any

from egca_plugin.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OF_PIP = re.compile(r".*\.(?:dist|egg)-info$|__pycache__$|\.\.$")


@lru_cache(maxsize=16)
def locate(names: tuple[str, ...]) -> dict[str, Any]:
    """``names`` to import, ``folders`` to search, and the ``places`` in them that may be read: packages and modules.

    Raises ConfigError for a package that is not installed, or not as files in a folder.
    """
    places: dict[str, None] = {}
    for name in names:
        location = _location(name)
        places[location] = None
        folder = os.path.dirname(location)
        for entry in _entries(name):
            if os.path.exists(entry) and os.path.dirname(entry) == folder:
                places[entry] = None
    return {"names": list(names), "folders": sorted({os.path.dirname(place) for place in places}), "places": [*places]}


def _location(name: str) -> str:
    """The package's folder or the module's file."""
    try:
        known = name.isidentifier() and name not in sys.stdlib_module_names
        spec: ModuleSpec | None = importlib.util.find_spec(name) if known else None
    except (ImportError, ValueError):
        spec = None
    places = [] if spec is None else [*(spec.submodule_search_locations or [spec.origin or ""])]
    if len(places) != 1 or not os.path.exists(places[0]):
        raise ConfigError(
            f"egca.sandbox.packages: got {name!r}, expected the import name of a package that is installed beside egca "
            f"(pip install {name}), as files in one folder"
        )
    return os.path.realpath(places[0])


def _entries(name: str) -> Iterator[str]:
    """What the distribution of ``name`` and those that it requires have put beside the package, and themselves."""
    waiting, seen = [*_distributions(name)], set()
    while waiting:
        distribution = waiting.pop()
        if distribution.name in seen:
            continue
        seen.add(distribution.name)
        for top in {file.parts[0] for file in distribution.files or ()}:
            if not _OF_PIP.match(top):
                yield os.path.realpath(str(distribution.locate_file(top)))
        for requirement in distribution.requires or ():
            required, _, marker = requirement.partition(";")
            found = _NAME.match(required)
            if found is not None and "extra" not in marker:
                waiting += _distributions(found.group())


def _distributions(name: str) -> list[metadata.Distribution]:
    """By its own name or, failing that, by the name under which it is imported; empty where it is not installed."""
    try:
        return [metadata.distribution(name)]
    except metadata.PackageNotFoundError:
        return [metadata.distribution(one) for one in _by_import_name().get(name, ())]


@lru_cache(maxsize=1)
def _by_import_name() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())
