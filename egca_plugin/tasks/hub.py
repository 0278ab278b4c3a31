"""The Hugging Face hub: is it there, and data sets from it by name.

The library ``datasets`` is imported only here, and only when it is needed.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

from egca_plugin.errors import AssetError


def offline() -> bool:
    """Has the user told Hugging Face's libraries to keep to their caches?"""
    return os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "TRUE", "YES", "ON"}


def reachable(path: str, timeout_s: float = 3.0) -> bool:
    """Does the hub answer for ``path`` with JSON? One short look, where its libraries would retry for half a minute."""
    if offline():
        return False
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    try:
        with urllib.request.urlopen(f"{endpoint}/{path}", timeout=timeout_s) as reply:
            return isinstance(json.load(reply), dict)
    except (OSError, ValueError):  # unreachable, refused, or a captive portal's page
        return False


def rows(name: str, config: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(where, row)`` for every row of every split. Raises AssetError where the library or the hub is missing."""
    return ((where, row) for _, where, row in split_rows(name, config))


def split_rows(name: str, config: str | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """As :func:`rows`, each row with its split in front. Raises AssetError."""
    hint = "give a file of it instead (a named set takes it as --source PATH)"
    if not offline() and not reachable(f"api/datasets/{name}"):
        raise AssetError(
            f"the hub does not answer for {name}; {hint}, or set HF_HUB_OFFLINE=1 where it was downloaded before"
        )
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
            yield split, f"{name} {split}[{number}]", dict(row)
