"""The table of the laws in docs/adapters.md, made of ``results/``: ``python tests/adapters/conformance/table.py``."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "adapters.md"
BEGIN, END = "<!-- conformance -->", "<!-- end of conformance -->"
ADAPTERS = ("verl", "trl", "openrlhf", "slime")


def table() -> str:
    """The laws by number, and each adapter with what was seen of each: it holds, or it was not seen to."""
    found = [json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8")) for name in ADAPTERS]
    laws = list(found[0]["laws"])
    lines = [f"{number}. {law}" for number, law in enumerate(laws, 1)]
    head = ["adapter", "version", "what of it runs", *map(str, range(1, len(laws) + 1))]
    lines += ["", f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for one in found:
        marks = ["holds" if one["laws"].get(law) else "-" for law in laws]
        lines.append(f"| {' | '.join([one['framework'], one['version'], one['shows'], *marks])} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """``text``, docs/adapters.md, with the table as it is now."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
