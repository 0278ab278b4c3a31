"""A parser that says which option was nearly meant."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """``given`` are the words on the command line. An error about options names the nearest one for each slip."""

    given: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        super().error("; ".join([message, *self._hints()]))

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """As ``parse_args``, but what is left over is an error of the command, which knows its own options."""
        found, extras = self.parse_known_args(argv)
        if extras:
            self._command(found).error(f"unrecognized arguments: {' '.join(extras)}")
        return found

    def _command(self, found: argparse.Namespace) -> argparse.ArgumentParser:
        choices = self._subparsers._group_actions[0].choices if self._subparsers is not None else None
        name = getattr(found, "command", None)
        return choices[name] if isinstance(choices, dict) and name in choices else self

    def _hints(self) -> list[str]:
        known = list(self._option_string_actions)
        slips = [word.partition("=")[0] for word in self.given if word.startswith("--") and word != "--"]
        unknown = [word for word in dict.fromkeys(slips) if not any(name.startswith(word) for name in known)]
        near = ((word, difflib.get_close_matches(word, known, n=1)) for word in unknown)
        return [f"no such option: {word}; did you mean {best[0]}?" for word, best in near if best]
