"""The divergence in words that a person understands, and digests as short Python values."""

from __future__ import annotations

import ast
from collections.abc import Hashable

from egca_plugin.localize.compare.alignment import negate
from egca_plugin.localize.compare.divergence import Difference
from egca_plugin.localize.compare.traces import NOTHING, Run
from egca_plugin.program.instrument import BRANCH, RETURN, WRITE, Site
from egca_plugin.program.nodes import spelled, unparse
from egca_plugin.types import Divergence

_LONGEST = 60
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def describe(difference: Difference, candidate: Run, reference: Run) -> Divergence:
    """``after line 7, third pass: `total` is 6, the reference has 10``."""
    site, other = difference.site, difference.reference_site
    mine = candidate.failing.values.get(site.id, NOTHING)
    theirs = reference.failing.values.get(other.id, NOTHING)
    if difference.pair.negated:
        theirs = negate(theirs)
    index = difference.index
    line = _line(site)
    seen = show(mine[index]) if index < len(mine) else ""
    expected = show(theirs[index]) if index < len(theirs) else ""
    what = _what(site)
    if not seen:
        message = f"line {line} runs {_times(len(mine))}, the reference gets there {_times(len(theirs))}"
        if expected:
            message += f" and has {expected} next"
    elif not expected:
        message = f"line {line}, {ordinal(index + 1)} pass: {what} is {seen}, the reference does not get there again"
    else:
        preposition = "after line" if site.kind == WRITE else "line"
        which = "" if len(mine) == 1 == len(theirs) else f", {ordinal(index + 1)} pass"
        message = f"{preposition} {line}{which}: {what} is {seen}, the reference has {expected}"
    return Divergence(message, line, index + 1, site.variable or None, expected, seen)


def ordinal(count: int) -> str:
    if count <= len(_ORDINALS):
        return _ORDINALS[count - 1]
    suffix = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{suffix}"


def show(digest: Hashable) -> str:
    """A digest as the Python value it stands for, cut to a readable length. A program may have forged it."""
    try:
        text = "".join(character if character.isprintable() else "?" for character in _plain(digest))
    except (LookupError, TypeError, ValueError, RecursionError):
        return "a value that cannot be shown"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _plain(digest: Hashable) -> str:
    if not isinstance(digest, tuple) or not digest:
        return spelled(digest)
    tag, *rest = digest
    if tag == "[":
        return "[" + ", ".join(_item(item) for item in rest) + "]"
    if tag == "{" and len(rest) == 1 and isinstance(rest[0], frozenset):
        return "{" + ", ".join(sorted(_plain(item) for item in rest[0])) + "}" if rest[0] else "set()"
    if tag == "{:" and isinstance(rest[0], frozenset):
        pairs = sorted(f"{_plain(name)}: {_plain(value)}" for name, value in rest[0])
        return "{" + ", ".join(pairs) + "}"
    if tag == "range":
        return f"range({', '.join(map(_plain, rest))})"
    if tag == "?":
        return f"a {rest[0]}"
    if tag == "nan":
        return "nan"
    if tag == "text":
        return f"a text of length {rest[0]}"
    return "a large value"


def _item(item: Hashable) -> str:
    return "..." if isinstance(item, tuple) and item[:1] == ("...",) else _plain(item)


def _what(site: Site) -> str:
    if site.kind == WRITE:
        return f"`{site.variable}`"
    if site.kind == RETURN:
        return "the returned value"
    if isinstance(site.node, ast.expr):
        text = unparse(site.node)
        shortened = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
        return f"the test `{shortened}`" if site.kind == BRANCH else f"`{shortened}`"
    return "the value"


def _line(site: Site) -> int:
    return site.node.lineno if isinstance(site.node, (ast.expr, ast.stmt)) else site.statement.lineno


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
