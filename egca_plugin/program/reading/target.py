"""What a task asks a program to define, and how a text that defines it looks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from egca_plugin.types import Kind, Task

SOLUTION = "Solution"  # the class of LeetCode's answers


@dataclass(frozen=True, slots=True)
class Target:
    """A function ``name``; as a method, of the class ``owner``; a whole program has neither.

    A function of a task that tells cases may be written as a method too: those who judge such tasks take either.
    """

    name: str
    owner: str = ""
    assumed: bool = False  # the owner, of a function

    @classmethod
    def of(cls, task: Task) -> Target:
        """``Solution.twoSum`` and ``Solution().twoSum`` name the same method."""
        if task.kind is Kind.STDIN:
            return cls("")
        owner, _, name = task.entry_point.replace("()", "").rpartition(".")
        assumed = bool(task.cases) and not owner
        return cls(name, SOLUTION if assumed else owner, assumed)

    def mentioned(self, text: str, start: int, end: int) -> bool:
        """Whether the characters ``[start, end)`` can define it at all."""
        return text.find(self.name, start, end) >= 0

    def defined(self, source: str) -> int | None:
        """Where ``source`` last defines it, at its margin: the offset of that line, or None."""
        own = _last(rf"^(?:(?:async[ \t]+)?(?:def|class)[ \t]+{self._name}\b|{self._assigned})", source)
        if not self.owner:
            return own
        method = _last(rf"^[ \t]+(?:(?:async[ \t]+)?def[ \t]+{self._name}\b|{self._assigned})", source)
        holder = _last(rf"^class[ \t]+{re.escape(self.owner)}\b", source[:method]) if method is not None else None
        return max((place for place in (own, holder) if place is not None), default=None)

    def bound(self, source: str) -> int | None:
        """Where it may be bound in another way: under ``if`` or ``try``, imported, one of several, as a subclass."""
        name = re.escape(self.owner) if self.owner else self._name
        name = rf"(?:{name}|{self._name})" if self.assumed else name
        return _last(
            rf"^[ \t]*(?:(?:async[ \t]+)?(?:def|class)[ \t]+{name}\b|(?:from|import)[ \t].*\b{name}\b"
            rf"|[^\n=]{{0,200}}\b{name}\b[^\n=]{{0,200}}=(?!=){_not_of(name)}|(?:for|with)\b.{{0,200}}\b{name}\b.{{0,200}}:)",
            source,
        )

    def definitions(self, source: str) -> tuple[str, ...]:
        """The texts that define it, each with its body: at the margin, or, of a method, anywhere."""
        blanks = "[ \t]*" if self.owner else ""
        found = re.finditer(
            rf"^({blanks})(?:(?:async[ \t]+)?(?:def|class)[ \t]+{self._name}\b|{self._assigned})", source, re.MULTILINE
        )
        return tuple(source[match.start() : _end(source, match.end(), match[1])] for match in found)

    def is_stub(self, source: str) -> bool:
        """Whether no definition in ``source`` has a body that does anything."""
        return all(_does_nothing(text) for text in self.definitions(source))

    @property
    def _name(self) -> str:
        return re.escape(self.name)

    @property
    def _assigned(self) -> str:
        """An assignment that may be of a function: a literal is a printed result, which models show in fences too."""
        return (
            rf"{self._name}[ \t]*(?::[^=\n]+)?=(?!=|[ \t]*(?:[-\d\"'\[{{]|(?:True|False|None)\b)){_not_of(self._name)}"
        )

    def methods(self, source: str) -> tuple[str, ...]:
        """The functions at the margin that take ``self``, where the class is missing that they were written for."""
        if not self.owner or _last(rf"^class[ \t]+{re.escape(self.owner)}\b", source) is not None:
            return ()
        more = r"[ \t\n]*,[ \t\n]*\w" if self.assumed else ""  # than itself: a function may call its argument so
        found = re.findall(rf"^(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*\([ \t\n]*self\b{more}", source, re.MULTILINE)
        return tuple(dict.fromkeys(found)) if self.name in found else ()


_HEADER = re.compile(
    r"[ \t]*(?:async[ \t]+)?(?:def[ \t]+\w+[^(\n]*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|class[ \t]+\w+)[^:\n]*:?"
)
_NOTHING = re.compile(
    r"[\s;]+|\#[^\n]*|\.\.\.|…|pass\b|raise[ \t]+NotImplementedError\b(?:\([^\n]*\))?"
    r"|[rRuU]?(?:\"\"\"(?s:.*?)(?:\"\"\"|\Z)|'''(?s:.*?)(?:'''|\Z)|\"[^\"\n]*\"|'[^'\n]*')(?=[ \t]*(?:[\n;\#]|\Z))"
)
_FIRST = re.compile(r"(?<=\n)([ \t]*)([^\s#])")
_CLOSING = frozenset(")]}")


def _not_of(name: str) -> str:
    """No right side that uses the name, which must have been defined before; a lambda may call itself."""
    return rf"(?!(?:(?!\blambda\b)[^\n#])*?(?<![\w.'\"]){name}\b(?![ \t]*=[^=]))"


def _end(source: str, at: int, blanks: str) -> int:
    """Where the definition ends whose first line is indented by ``blanks``, up to ``at`` and further."""
    for line in _FIRST.finditer(source, at):
        if len(line[1]) <= len(blanks) and line[2] not in _CLOSING:
            return line.start()
    return len(source)


def _does_nothing(definition: str) -> bool:
    """Whether a function's or class's body is ``...``, ``pass``, a docstring, or is not there."""
    header = _HEADER.match(definition)
    at = header.end() if header is not None else 0
    while at < len(definition):
        found = _NOTHING.match(definition, at)
        if found is None:
            return False
        at = found.end()
    return True


def _last(pattern: str, source: str) -> int | None:
    place = None
    for match in re.finditer(pattern, source, re.MULTILINE):
        place = match.start()
    return place
