"""One changer of input values, within a domain: near a value at any cost, or within what the tests' own inputs show.

:data:`NEAR` serves evidence: small changes, some of which break what the task presupposes, so that disagreement on them
says something and decides nothing. :data:`WITHIN` serves new tests, which must be fair: numbers within the range of the
examples, texts of their characters, sizes within theirs, sorted where all of them are sorted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

MANY = (list, tuple, set, frozenset)


class Domain(Protocol):
    """What values may become. ``alike`` are the examples of the value's own type."""

    def plain(self, value: Any, alike: Sequence[Any], rng: Random) -> Any:
        """A value without parts."""

    def items(self, value: Any, pool: Sequence[Any], alike: Sequence[Any], rng: Random) -> list[Any]:
        """The items of a text or container; ``pool`` holds those of the examples."""

    def pairs(self, value: dict[Any, Any], alike: Sequence[dict[Any, Any]], rng: Random) -> dict[Any, Any]:
        """A dict."""

    def leaves(self, value: Any, alike: Sequence[Any], rng: Random) -> bool:
        """Whether one of the examples serves as it is, or the value is too long to be changed."""


def changed(value: Any, examples: Sequence[Any], rng: Random, domain: Domain) -> Any:
    """A value of the same type. ``examples``: what stood in the same place elsewhere."""
    alike = [other for other in examples if type(other) is type(value)]
    if domain.leaves(value, alike, rng):
        return rng.choice(alike)
    if type(value) is dict:
        return domain.pairs(value, alike, rng)
    if type(value) is not str and type(value) not in MANY:
        return domain.plain(value, alike, rng)
    pool = [item for other in alike for item in (other[:_LONGEST] if isinstance(other, str) else other)]
    made = domain.items(value, pool, alike, rng)
    return "".join(made) if type(value) is str else type(value)(made)


# --- near -------------------------------------------------------------------------------------------------------------

_LONGEST = 64  # items of a container, characters of a text, that are changed


class _Near:
    def leaves(self, value: Any, alike: Sequence[Any], rng: Random) -> bool:
        return len(alike) > 1 and rng.random() < 0.15

    def plain(self, value: Any, alike: Sequence[Any], rng: Random) -> Any:
        if type(value) is bool:
            return not value
        if type(value) is int:
            return rng.choice([value + 1, value - 1, value + 2, value // 2, value + rng.randint(-9, 9)])
        if type(value) is float:
            return rng.choice([value + 1, value - 1, value / 2, value + 0.5, -value])
        return value

    def items(self, value: Any, pool: Sequence[Any], alike: Sequence[Any], rng: Random) -> list[Any]:
        """One item dropped, doubled, exchanged, replaced or changed, or one more."""
        items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value)
        if len(items) > _LONGEST:
            return items
        if not items:
            return [rng.choice(pool)] if pool else items
        place, other = rng.randrange(len(items)), rng.randrange(len(items))
        action = rng.randrange(7)
        if action == 0:
            del items[place]
        elif action == 1:
            items.insert(other, items[place])
        elif action == 2:
            items[place], items[other] = items[other], items[place]
        elif action == 3 and pool:
            items[place] = rng.choice(pool)
        elif action == 4 and pool:
            items.insert(place, rng.choice(pool))
        elif action == 5:
            items.reverse()
        elif isinstance(items[place], str) and len(items[place]) == 1:
            items[place] = items[place].swapcase()
        else:
            items[place] = changed(items[place], list(pool), rng, self)
        return items

    def pairs(self, value: dict[Any, Any], alike: Sequence[dict[Any, Any]], rng: Random) -> dict[Any, Any]:
        """One pair dropped, or its value changed."""
        if not value or len(value) > _LONGEST:
            return value
        chosen = rng.randrange(len(value))
        drop = rng.random() < 0.3
        values = [item for other in alike for item in other.values()]
        made = {}
        for index, (name, item) in enumerate(value.items()):
            if index != chosen:
                made[name] = item
            elif not drop:
                made[name] = changed(item, values, rng, self)
        return made


_WORD = re.compile(r"\S+")


def changed_input(text: str, rng: Random) -> str:
    """The input of a whole program with one or two words changed near what they are; its lines keep their words."""
    words = list(_WORD.finditer(text))
    for _ in range(1 + (rng.random() < 0.3) if words else 0):
        word = rng.choice(words)
        text = text[: word.start()] + _near_word(word.group(), words, rng) + text[word.end() :]
        words = list(_WORD.finditer(text))
    return text


def _near_word(word: str, words: Sequence[re.Match[str]], rng: Random) -> str:
    if rng.random() < 0.2:
        return rng.choice(words).group()
    if re.fullmatch(r"-?\d{1,15}", word):
        return str(max(changed(int(word), (), rng, NEAR), min(0, int(word))))  # what was not negative stays so
    made = "".join(changed(word, (), rng, NEAR).split())
    return made or word


# --- within -----------------------------------------------------------------------------------------------------------


class _Within:
    def leaves(self, value: Any, alike: Sequence[Any], rng: Random) -> bool:
        return type(value) is bool or not isinstance(value, (int, float, str, dict, *MANY))

    def plain(self, value: Any, alike: Sequence[Any], rng: Random) -> Any:
        if isinstance(value, int):
            return rng.randint(min(alike), max(alike))
        return rng.choice([rng.choice(alike), round((value + rng.choice(alike)) / 2, 3)])

    def items(self, value: Any, pool: Sequence[Any], alike: Sequence[Any], rng: Random) -> list[Any]:
        """One to three of them taken out, put in, or exchanged; a tuple keeps its size."""
        made = list(value)
        if not pool:
            return made
        if not isinstance(value, tuple):
            made = _resized(made, pool, alike, rng)
        if isinstance(value, str):
            return made
        made = [changed(item, pool, rng, self) if rng.random() < 0.5 else item for item in made]
        return _sorted(made) if isinstance(value, list) and all(one == _sorted(one) for one in alike) else made

    def pairs(self, value: dict[Any, Any], alike: Sequence[dict[Any, Any]], rng: Random) -> dict[Any, Any]:
        inner = [item for one in alike for item in one.values()]
        return {key: changed(item, inner, rng, self) for key, item in value.items()}


def _resized(made: list[Any], items: Sequence[Any], alike: Sequence[Any], rng: Random) -> list[Any]:
    """With a size that the examples have room for."""
    shortest, longest = min(map(len, alike)), max(map(len, alike))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(made) + 1)
        edit = rng.choice(("out", "in", "exchange"))
        if edit == "out" and len(made) > shortest and at < len(made):
            del made[at]
        elif edit == "in" and len(made) < longest:
            made.insert(at, rng.choice(items))
        elif at < len(made):
            made[at] = rng.choice(items)
    return made


def _sorted(values: list[Any]) -> list[Any]:
    """As they are where they cannot be compared: examples that are sorted each may hold different types."""
    try:
        return sorted(values)
    except TypeError:
        return values


NEAR: Domain = _Near()
WITHIN: Domain = _Within()
