"""Triple-quoted strings, line by line: the one construct of Python that can hold whole lines of anything."""

from __future__ import annotations

import re

_MARK = re.compile(r"\\.|\"\"\"|'''|[\"'#]")
TRIPLES = ('"""', "'''")


def after(line: str, quote: str = "") -> str:
    """The triple quote that is open behind ``line``, if ``quote`` (maybe empty) was open in front of it."""
    if (quote and quote not in line) or not (quote or '"""' in line or "'''" in line):
        return quote
    inner = ""
    for mark in _MARK.finditer(line):
        text = mark.group()
        if quote:
            quote = "" if text == quote else quote
        elif inner:
            inner = "" if text[0] == inner else inner
        elif text == "#":
            break
        elif text in TRIPLES:
            quote = text
        elif text[0] != "\\":
            inner = text
    return quote
