"""The rows that docs/data.md shows, by layout: what the page says is what is read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from egca_plugin.tasks.layouts.layout import Reading, Row
from egca_plugin.tasks.layouts.registry import LAYOUTS

PAGE = Path(__file__).parents[3] / "docs" / "data.md"
_EXAMPLE = re.compile(r"^### (\S+)\n(?:(?!^###).)*?^```json\n(.*?)\n```", re.M | re.S)
EXAMPLES: dict[str, dict[str, Any]] = {
    name: json.loads(row) for name, row in _EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
}


def reading(layout: str, fields: Mapping[str, Any]) -> Reading:
    """What the layout reads in a row, which stands in ``rows.jsonl:7``."""
    return LAYOUTS[layout].read(Row("rows.jsonl:7", "rows/7", fields))


def example(layout: str, **changed: Any) -> dict[str, Any]:
    """The page's row with some fields of other values."""
    return {**EXAMPLES[layout], **changed}
