"""Values to bytes and back: exact builtin types, strict, bounded; the only thing that crosses between processes.

A value is a tag byte and its payload; containers hold a 32-bit count and their items. Encoding looks at the exact type,
so an ``int`` subclass with lying operators is refused by name and never reaches a comparison. Decoding builds nothing
but the types below, checks every length before it allocates, and spends at most ``MAX_BYTES``, ``MAX_DEPTH`` and
``MAX_ITEMS``.

Two values are encoded alike exactly when they are equal, of the same types all through (sets are put in the order of
their items' bytes), except that dicts keep their order.

Standard library only: the candidate's process uses it too.
"""

from __future__ import annotations

from egca_plugin.errors import WireError
from egca_plugin.sandbox.decoding import decode
from egca_plugin.sandbox.encoding import encode
from egca_plugin.sandbox.rich import MAX_BYTES, MAX_DEPTH, MAX_ITEMS, Drained, Match

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ITEMS", "Drained", "Match", "WireError", "decode", "encode"]
