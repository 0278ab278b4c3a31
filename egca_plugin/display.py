"""Frozen values as small HTML tables, for notebooks: what they hold may be hostile, so it is escaped and bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from html import escape
from typing import Any

from egca_plugin.visible import visible

LONGEST = 500  # characters of one value
MOST = 20  # entries of a tuple or a mapping


class HtmlTable:
    """Lets a dataclass show itself in Jupyter: one row a field, fields that hold their default left out."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        head = f"<tr><th colspan='2' style='text-align:left'>{_cell(self._title())}</th></tr>"
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(name)}</td>"
            f"<td style='text-align:left'><code style='white-space:pre-wrap'>{_cell(text)}</code></td></tr>"
            for name, text in _told(self)
        )
        return f"<table>{head}{rows}</table>"

    def _title(self) -> str:
        return type(self).__name__


def _cell(text: str) -> str:
    """Escaped, with what a reader could not see written out; what is written out is longer, so it is cut twice."""
    shown = visible(text[:LONGEST])[:LONGEST]
    return escape(shown + ("…" if len(text) > LONGEST or len(shown) == LONGEST else ""))


def _told(value: Any) -> Iterator[tuple[str, str]]:
    for one in fields(value):
        if not one.repr:  # too long to look at
            continue
        held = getattr(value, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if held != default:
            yield one.name, _text(held)


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if is_dataclass(value):
        return ", ".join(f"{name} {text}" for name, text in _told(value))
    if isinstance(value, Mapping):
        return _listed([f"{key} {_text(one)}" for key, one in list(value.items())[: MOST + 1]], ", ")
    if isinstance(value, tuple):
        return _listed([_text(one) for one in value[: MOST + 1]], "; ")
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _listed(texts: list[str], between: str) -> str:
    return between.join(texts[:MOST]) + (f"{between}…" if len(texts) > MOST else "")
