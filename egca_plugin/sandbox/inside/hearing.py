"""What a program says beside its answer, for tests that listen: printed text, warnings, and what it logs.

Standard library only, and nothing here is trusted.
"""

from __future__ import annotations

import io
import sys
import warnings
from types import TracebackType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire

_FILTERS = list(warnings.filters)  # those of a program that has set none
WARNING, LOG = "warning", "log"

Note = tuple[str, str, str, str, int]  # what it is; category or logger; a category's nearest builtin; text; level


class Hearing:
    """Listens within its ``with`` block; ``told`` is what was heard: standard output, standard error, notes."""

    def __init__(self) -> None:
        self.told: tuple[str, str, tuple[Note, ...]] = ("", "", ())
        self._notes: list[Note] = []
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> Hearing:
        self._before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        self._caught.__enter__()
        if warnings.filters == _FILTERS:
            warnings.simplefilter("always")
        vars(warnings)["showwarning"] = self._warned
        self._handler = _listening(self._notes) if "logging" in sys.modules else None
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self._before
        self._caught.__exit__(kind, err, at)
        if self._handler is not None:
            self._handler.end()
        out, complaints = (str(one.getvalue()) if isinstance(one, io.StringIO) else "" for one in streams)
        self.told = out, complaints, tuple(self._notes)

    def _warned(self, message: Any, category: Any, *_: Any, **__: Any) -> None:
        base = next(kind.__name__ for kind in category.__mro__ if kind.__module__ == "builtins")
        self._notes.append((WARNING, str(category.__name__), base, str(message), 0))

    def check(self) -> None:
        """Raises WireError where it is more than may be told."""
        out, complaints, notes = self.told
        said = len(out) + len(complaints) + sum(len(part) for note in notes for part in note[:4])
        if said > wire.MAX_PRINTED or len(notes) > wire.MAX_NOTES:
            most = f"{wire.MAX_PRINTED:,} characters or {wire.MAX_NOTES:,} times"
            raise WireError(f"a call that prints, warns and logs more than {most}")


def _listening(notes: list[Note]) -> Any:
    """A handler of all that reaches the root logger, whose level is lowered where the program has set none."""
    logging = sys.modules["logging"]
    root = logging.getLogger()

    class Handler(logging.Handler):  # type: ignore[misc,name-defined]  # a module that not every program loads
        level_before = root.level

        def emit(self, record: Any) -> None:
            notes.append((LOG, str(record.name), "", str(record.getMessage()), int(record.levelno)))

        def end(self) -> None:
            root.removeHandler(self)
            root.setLevel(self.level_before)

    handler = Handler()
    root.addHandler(handler)
    if root.level == logging.WARNING:
        root.setLevel(1)
    return handler
