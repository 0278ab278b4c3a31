"""Foreign text for a reader's eyes: nothing in it hides, moves what stands around it, or acts on a terminal."""

from __future__ import annotations

import logging
import re
import unicodedata

_SHOWN = {"\n", "\t"}
_HIDDEN_ASCII = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Characters that show nothing, or reorder what stands around them ("Trojan source"), and lone surrogates.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str) -> str:
    """``text`` with what a reader could not see, or what moves other characters, written out as ``\\uXXXX``."""
    if text.isascii():
        return text if text.isprintable() else _HIDDEN_ASCII.sub(lambda found: _escape(found[0]), text)
    return "".join(c if c in _SHOWN or unicodedata.category(c) not in _INVISIBLE else _escape(c) for c in text)


def log_visibly() -> None:
    """Messages that no handler of the process takes go to standard error as :func:`visible` shows them."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Visible())


class _Visible(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
