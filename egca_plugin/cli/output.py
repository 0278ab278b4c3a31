"""Files that commands write: what speaks against one is said before the work, in a line and not in a traceback."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from egca_plugin.errors import EgcaError


def ready(path: Path) -> None:
    """Make the folder of ``path`` and see that a file can be written there. Raises EgcaError."""
    with writing(path):
        if path.is_dir():
            raise IsADirectoryError(None, "it is a directory")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn whatever the system says against writing ``path`` into an EgcaError."""
    try:
        yield
    except OSError as error:
        raise EgcaError(
            f"{path}: cannot be written ({error.strerror or error}); expected a place for a new or existing file"
        ) from error
