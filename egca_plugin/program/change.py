"""What a patch changes, as a unified diff that a person can read."""

from __future__ import annotations

import difflib

from egca_plugin.program.compiling import parse
from egca_plugin.program.nodes import unparse

CONTEXT = 1  # lines around a change
LONGEST = 4_000  # characters


def diff(source: str, patched: str) -> str:
    """From a program to ``patched``, which is in :func:`ast.unparse`'s layout: both are laid out so, line by line.

    Without file names and line numbers, which would be those of no text that anybody wrote: ``  `` stands in front of
    what stays, ``- `` and ``+ `` in front of what goes and comes, ``...`` where lines are left out. At most
    :data:`LONGEST` characters. Raises what ``ast.parse`` raises for a source that is none.
    """
    before, after = unparse(parse(source)).splitlines(), patched.splitlines()
    lines: list[str] = []
    for line in difflib.unified_diff(before, after, n=CONTEXT, lineterm=""):
        if line.startswith("@@"):
            lines += ["..."] if len(lines) else []
        elif not line.startswith(("---", "+++")):
            lines.append(f"{line[0]} {line[1:]}")
    text = "\n".join(lines)
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + "\n..."
