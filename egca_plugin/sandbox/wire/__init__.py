"""Values to bytes and back: the only thing that crosses between processes. Strict, and bounded.

A value is a tag byte and its payload; containers hold a 32-bit count and their items. Encoding looks at the exact type.
Decoding builds nothing but builtin types, types of the library and stand-ins that hold no code, checks every length
before it allocates, and spends at most ``MAX_BYTES``, ``MAX_DEPTH`` and ``MAX_ITEMS``: what is dear to build counts as
several items. docs/values.md has what crosses, and as what.

Two values are encoded alike exactly when they are equal, of the same types all through (sets are put in the order of
their items' bytes), except that dicts keep their order, and own classes and their instances the order in which they
are met. What of a value is one object with what does not count: it is told apart, in front (:func:`plain` is without).

    encoding   builtin types                 decoding     the same
    library    the standard library's types, both ways;  arrays  numpy's
    instances  own classes' instances        rebuilding   the same
    classes    what a class is told as       standins     classes made of that
    functions  the tests' functions, which run in the program's process alone
    sharing    what is one object with what;  hashing  whether a hash table can be built;  rich  bounds and tables

Standard library only: the candidate's process uses it too.
"""

from __future__ import annotations

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire.classes import attributes_of, is_own
from egca_plugin.sandbox.wire.decoding import decode, own_classes
from egca_plugin.sandbox.wire.encoding import encode, is_iterator, opened
from egca_plugin.sandbox.wire.functions import Code, Sides
from egca_plugin.sandbox.wire.rich import (
    BY_NAME,
    HEARD,
    LASTING,
    LIVE,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DRAINED,
    MAX_ITEMS,
    MAX_NOTES,
    MAX_PRINTED,
    Drained,
    Match,
    Nodes,
    Others,
    Refusal,
)
from egca_plugin.sandbox.wire.sharing import plain
from egca_plugin.sandbox.wire.standins import Known, standin

__all__ = [
    "BY_NAME", "HEARD", "LASTING", "LIVE", "MAX_BYTES", "MAX_DEPTH", "MAX_DRAINED", "MAX_ITEMS", "MAX_NOTES",
    "MAX_PRINTED", "Code", "Drained", "Known", "Match", "Nodes", "Others", "Refusal", "Sides", "WireError",
    "attributes_of", "decode", "encode", "is_iterator", "is_own", "opened", "own_classes", "plain", "standin",
]  # fmt: skip
