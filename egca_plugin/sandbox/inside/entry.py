"""What a call calls: a function of the program, or a method of a fresh instance of one of its classes.

Standard library only: this runs in the candidate's process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def find(namespace: Mapping[str, Any], name: str) -> Callable[..., Any]:
    """``f``; or ``Solution.f``, where a program that has no such class, or none with that method, may have a function
    ``f`` in its place.

    Raises NameError or AttributeError, and whatever the constructor raises.
    """
    owner, _, last = name.rpartition(".")
    if owner and owner in namespace and (hasattr(namespace[owner], last) or last not in namespace):
        found: Callable[..., Any] = getattr(namespace[owner](), last)
        return found
    if last not in namespace:
        raise NameError(f"name {owner or last!r} is not defined")
    function: Callable[..., Any] = namespace[last]
    return function
