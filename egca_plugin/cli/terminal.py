"""What commands say on a terminal. Task ids, paths, programs and messages are other people's text: none of it can
colour, move or hide anything, nor make a link."""

from __future__ import annotations

import re
import sys

from rich.console import Console
from rich.text import Text

from egca_plugin.visible import visible

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def console(*, stderr: bool = True) -> Console:
    """A console that takes strings as they are, without markup, emoji codes or highlighting."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def plain(text: object, style: str = "") -> Text:
    """Foreign text for a table or a panel, with what would act on the terminal written out."""
    return Text(visible(str(text)), style=style)


def uncoloured(text: str) -> Text:
    """Another program's output: its colours are dropped, any other control written out."""
    return plain(_COLOURS.sub("", text))


def say(command: str, message: object) -> None:
    """A line on standard error, as ``egca COMMAND: message``."""
    print(visible(f"egca {command}: {message}"), file=sys.stderr, flush=True)
