"""Texts that quote or sketch an answer given elsewhere: told from their lines alone, never from what they do."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from egca_plugin.program.reading.target import Target

MAX_COMPARED = 64  # of texts that make the same claim, the last so many are asked for being excerpts of one another
_LONGEST = 200  # characters of a line that are looked at for comments and for the names that it binds

_COMMENT = re.compile(r"(?:^|\s)#[^'\"]*$")
_ELISION = re.compile(r"\s*(?:\.\.\.|…)\s*$|\s*#.*(?:\.\.\.|…)")
_WORD = re.compile(r"[^\W\d]\w*")
# What a line binds: by `def`, `class` and parameters, assignment, loop, import, `as`, `:=`. An index binds nothing.
_BINDING = re.compile(
    r"\b(?:def|class)\s+(.*)|^([\w\s,.*()]+?)(?::[^=]+)?=(?!=)|\bfor\s+([\w\s,()*]+?)\s+in\b|\bimport\s+(.*)"
    r"|\bas\s+(\w+)|(\w+)\s*:=|\blambda\s+([\w\s,*]*):"
)
_ANNOTATION = re.compile(r"[:=][^,]*")
_GIVEN = frozenset(dir(builtins))


@dataclass(frozen=True)
class Code:
    """The lines of a text that are code, without blanks and comments, and how deep each is indented.

    ``elided``: dots say that something is left out.
    """

    lines: tuple[str, ...]
    depths: tuple[int, ...]
    elided: bool

    @classmethod
    def of(cls, source: str) -> Code:
        kept: list[tuple[str, int]] = []
        elided = False
        for line in source.split("\n"):
            if len(line) <= _LONGEST and _ELISION.match(line):
                elided = True
                continue
            text = _without_comment(line).strip()
            if text:
                kept.append((text, len(line.expandtabs()) - len(line.expandtabs().lstrip())))
        return cls(tuple(text for text, _ in kept), tuple(depth for _, depth in kept), elided)

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that its lines bind, in whatever scope, as far as their looks tell."""
        targets = (text for line in self.lines for found in _BINDING.findall(line[:_LONGEST]) for text in found)
        words = frozenset(word for text in targets for word in _WORD.findall(_ANNOTATION.sub("", text)))
        return words - _GIVEN

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(word for line in self.lines for word in _WORD.findall(line))

    def is_part_of(self, other: Code) -> bool:
        """Whether its lines, however indented, are some of the other's, in the other's order."""
        return 0 < len(self.lines) < len(other.lines) and _in_order(self.lines, other.lines)

    def spans(self, other: Code) -> bool:
        """Whether it begins and ends as the other does."""
        return self.lines[:1] == other.lines[:1] and self.lines[-1:] == other.lines[-1:]

    def is_program_in(self, other: Code) -> bool:
        """Whether it ends as a program does: at the margin, or where the other ends; the inside of a loop does not."""
        return (not self.depths[-1] or self.lines[-1] == other.lines[-1]) and not self._is_inside(other)

    def _is_inside(self, other: Code) -> bool:
        """Whether all of its lines stand equally much deeper in the other."""
        here, there = list(zip(self.lines, self.depths, strict=True)), list(zip(other.lines, other.depths, strict=True))
        if _in_order(here, there):
            return False
        shifts = {depth - self.depths[0] for line, depth in there if line == self.lines[0] and depth > self.depths[0]}
        return any(_in_order([(line, depth + shift) for line, depth in here], there) for shift in sorted(shifts))

    def lacks(self, other: Code, given: frozenset[str] = frozenset()) -> bool:
        """Whether it says that it leaves something out, or uses a name that is not given and only the other binds."""
        return self.elided or bool((other.bound - self.bound - given) & self.words)


def _in_order(part: list[tuple[str, int]] | tuple[str, ...], whole: list[tuple[str, int]] | tuple[str, ...]) -> bool:
    rest: Iterator[object] = iter(whole)
    return all(line in rest for line in part)


def ends(target: Target, source: str) -> frozenset[str]:
    """The last line of code of each definition."""
    return frozenset(_last_line(text) for text in target.definitions(source))


def _last_line(text: str) -> str:
    stripped = (_without_comment(line).strip() for line in reversed(text.split("\n")))
    return next(filter(None, stripped), "")


def _without_comment(line: str) -> str:
    return line if len(line) > _LONGEST else _COMMENT.sub("", line)
