"""Passing programs of the very group that is credited: the references that are built most like its failures."""

from __future__ import annotations

from collections.abc import Sequence

from egca_plugin.judged import Judged
from egca_plugin.references.pool import Reference


def siblings(group: Sequence[Judged]) -> tuple[Reference, ...]:
    """Those of ``group`` that others may be compared with, ``sibling:<index>``; of the same text the first."""
    first: dict[str, int] = {}
    for index, one in enumerate(group):
        if one.exemplary:
            first.setdefault(one.program.source, index)
    return tuple(Reference(source, f"sibling:{index}") for source, index in first.items())
