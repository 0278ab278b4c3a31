"""Data sets from the Hugging Face hub, by name, through the library ``datasets``, which is imported only here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from egca_plugin.errors import AssetError


def rows(name: str, config: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(where, row)`` for every row of every split. Raises AssetError where the library or the hub is missing."""
    hint = "give its file as --source PATH instead"
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise AssetError(f"loading {name} needs `pip install datasets`; or {hint}") from error
    try:
        splits = load_dataset(name, config)
    except (OSError, ValueError) as error:  # an unreachable hub and an unknown data set derive from these
        raise AssetError(f"the hub did not give {name} ({error}); {hint}") from error
    for split in splits:
        for number, row in enumerate(splits[split]):
            yield f"{name} {split}[{number}]", dict(row)
