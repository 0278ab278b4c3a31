"""Whether a hash table of given keys can be built in linear time: the keys are a hostile program's choice.

Equal hashes are counted. Keys of distinct hashes can still be made to walk along one chain of occupied slots, so large
tables are filled here first, by the rules of CPython's own (3.8 to 3.13), in a table that only knows which slots are
taken; small ones cost little however they collide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire.rich import MAX_COLLIDING

FILLED_FIRST = 1_000  # keys, and slots, from which on a table is tried out
STEPS = 32  # a key, on average; honest ones take two, multiples of 2**32 sixteen
MAX_STEPS = 2_000_000
STEPS_AN_ITEM = 8  # so many take as long as decoding an item
_WORD = (1 << 64) - 1
_LINEAR = 9  # slots in a row that a set looks at before it jumps


def check_keys(keys: Sequence[Any], *, of_set: bool = False) -> int:
    """Refuse keys made to collide. Equal keys collide too, so a forger's repeated ones are refused with them.

    Returns what trying that took, in items. Raises WireError.
    """
    if len(keys) <= MAX_COLLIDING:
        return 0
    hashes = list(map(hash, keys))
    if max(Counter(hashes).values()) > MAX_COLLIDING:
        raise WireError(f"{len(keys):,} keys, of which more than {MAX_COLLIDING} have the same hash")
    return check_chains(hashes, of_set=of_set) if len(keys) > FILLED_FIRST else 0


def check_chains(hashes: Sequence[int], *, of_set: bool) -> int:
    """Refuse distinct hashes that collide all the same. Returns and raises as above."""
    stages, fill = (_set_stages, _set_steps) if of_set else (_dict_stages, _dict_steps)
    taken = 0
    for size, count in stages(len(hashes)):
        if size >= FILLED_FIRST:
            allowed = min(STEPS * count, MAX_STEPS - taken)
            steps = fill(hashes[:count], size, allowed)
            if steps > allowed:
                raise WireError(f"{len(hashes):,} keys whose hashes share one chain of slots")
            taken += steps
    return taken // STEPS_AN_ITEM


def _dict_stages(count: int) -> Iterator[tuple[int, int]]:
    """(slots, keys that are in when it grows or is done) of every table that a growing dict goes through."""
    size = 8
    while size * 2 // 3 < count:
        yield size, size * 2 // 3
        size *= 2
    yield size, count


def _set_stages(count: int) -> Iterator[tuple[int, int]]:
    size = 8
    while (full := ((size - 1) * 3 + 4) // 5) < count:
        yield size, full
        wanted = full * 2 if full > 50_000 else full * 4
        while size <= wanted:
            size *= 2
    yield size, count


def _dict_steps(hashes: Sequence[int], size: int, allowed: int) -> int:
    """How many steps beyond each key's first it takes to fill the table; no more than ``allowed`` are made."""
    taken, mask, steps = bytearray(size), size - 1, 0
    for one in hashes:
        slot = one & mask
        if taken[slot]:
            perturb = one & _WORD
            while taken[slot]:
                perturb >>= 5
                slot = (slot * 5 + perturb + 1) & mask
                steps += 1
                if steps > allowed:
                    return steps
        taken[slot] = 1
    return steps


def _set_steps(hashes: Sequence[int], size: int, allowed: int) -> int:
    taken, mask, steps = bytearray(size), size - 1, 0
    for one in hashes:
        slot = one & mask
        if taken[slot]:
            perturb = one & _WORD
            while True:
                last = slot + _LINEAR if slot + _LINEAR <= mask else slot
                free = taken.find(0, slot, last + 1)
                steps += 1 if free < 0 else (free - slot) // 4 + 1
                if steps > allowed:
                    return steps
                if free >= 0:
                    slot = free
                    break
                perturb >>= 5
                slot = (slot * 5 + perturb + 1) & mask
        taken[slot] = 1
    return steps
