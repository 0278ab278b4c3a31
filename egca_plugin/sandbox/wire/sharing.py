"""What of a value is one object with what, told in front of it: equal values stay alike behind that.

    b"S"  a count  so many numbers: of containers and of instances that the exchange had before; how many numbers
    of containers follow; pairs of containers; pairs of instances  the value

A pair is the number of a part met again and that of its first. All of them are 32-bit.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire.rich import Firsts, Nodes

_COUNT = struct.Struct("<I")
FEW = 100  # parts, which are gone through in no time


class Sharing(NamedTuple):
    """``containers`` and ``objects``: the numbers of parts met again, and of their first; ``end``: where the value
    begins."""

    before: tuple[int, int]
    containers: Mapping[int, int]
    objects: Mapping[int, int]
    end: int


def tell(value: bytearray, nodes: Nodes, containers: list[Any], objects: list[Any]) -> bytes:
    """``value``, in which these were met, with what it shares within itself and with ``nodes``, which gets them."""
    before = len(nodes.containers), len(nodes.objects)
    same = _met_again(nodes.containers, containers, nodes, "containers") if containers else []
    alike = _met_again(nodes.objects, objects, nodes, "objects") if objects else []
    if not same and not alike:
        return bytes(value)
    numbers = (*before, len(same), *same, *alike)
    return b"".join((b"S", struct.pack(f"<{1 + len(numbers)}I", len(numbers), *numbers), value))


def _met_again(known: list[Any], found: list[Any], nodes: Nodes, which: str) -> list[int]:
    """Adds ``found`` to ``known``, those of ``nodes``. Flat pairs."""
    start = len(known)
    known += found
    if len(known) == 1 or (len(known) < FEW and len(set(map(id, known))) == len(known)):
        return []
    firsts: Firsts = getattr(nodes.notes, which)
    first = firsts.numbers
    new = known[firsts.upto :]
    fresh = dict(zip(map(id, new), range(firsts.upto, len(known)), strict=True))
    if len(fresh) == len(new) and first.keys().isdisjoint(fresh):
        first.update(fresh)
        found_again = []
    else:
        found_again = _pairs(new, firsts, start)
    firsts.upto = len(known)
    return found_again


def _pairs(new: list[Any], firsts: Firsts, start: int) -> list[int]:
    """Of those from number ``start`` on."""
    first = firsts.numbers
    pairs: list[int] = []
    for number, one in enumerate(new, firsts.upto):
        other = first.setdefault(id(one), number)
        if other != number and number >= start:
            pairs += (number, other)
    return pairs


def told(data: bytes) -> Sharing:
    """What stands in front of the value. Raises WireError."""
    (count,) = _COUNT.unpack_from(data, 1)
    end = 5 + 4 * count
    if not 3 <= count <= len(data):
        raise WireError("got no pairs of what is shared")
    containers, objects, size, *numbers = struct.unpack_from(f"<{count}I", data, 5)
    if size % 2 or size > len(numbers) or len(numbers) % 2:
        raise WireError("got no pairs of what is shared")
    same, alike = numbers[:size], numbers[size:]
    return Sharing(
        (containers, objects),
        dict(zip(same[::2], same[1::2], strict=True)),
        dict(zip(alike[::2], alike[1::2], strict=True)),
        end,
    )


def plain(data: bytes) -> bytes:
    """The same value without what it shares: what equal values have alike."""
    return data[5 + 4 * _COUNT.unpack_from(data, 1)[0] :] if data[:1] == b"S" else data
