"""The file of recorded responses that a run replays, and the prompts by which they are found again."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

FILE = "EGCA_BENCH_REPLAY"  # environment: the file's path
_MARK = re.compile(r"Recorded prompt (\d+)")


def prompt(number: int, entry_point: str) -> str:
    """The user message of the recorded prompt ``number``."""
    return f"Recorded prompt {number}. Write the Python function {entry_point}."


def number_of(text: str) -> int | None:
    """The number in a whole chat that holds such a message."""
    found = _MARK.search(text)
    return int(found[1]) if found else None


def write(path: Path, responses: Mapping[int, Sequence[str]], tokens_per_s: float) -> None:
    """``responses``: prompt number -> texts, in the order in which they are replayed, again and again."""
    body = {"tokens_per_s": tokens_per_s, "responses": {str(n): list(texts) for n, texts in responses.items()}}
    path.write_text(json.dumps(body), encoding="utf-8")


def read() -> tuple[dict[int, list[str]], float]:
    """Responses by prompt number, and the pace, from the file that the environment names."""
    body = json.loads(Path(os.environ[FILE]).read_text(encoding="utf-8"))
    return {int(number): texts for number, texts in body["responses"].items()}, float(body["tokens_per_s"])
