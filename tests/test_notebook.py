"""examples/first_look.ipynb, cell by cell: every cell runs, and shows what the committed notebook shows.

The cells are run as Python, not in a kernel, so that no notebook software is needed. After a wanted change run the
notebook in Jupyter and save it with its outputs.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parents[1] / "examples" / "first_look.ipynb"


def run(source: str, names: dict[str, Any]) -> object:
    """What the cell's last expression gives, None where it ends in a statement."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if isinstance(last, ast.Expr) else None


def shown(value: object) -> dict[str, str]:
    html = getattr(value, "_repr_html_", None)
    return ({"text/html": html()} if html else {}) | {"text/plain": repr(value)}


MEASURED = re.compile(r"<tr><td[^>]*>(?:ms|confidence|stage)</td>.*?</tr>")


def settled(data: dict[str, Any]) -> str:
    """What a cell shows, HTML before text, without what is measured or may be calibrated anew."""
    return MEASURED.sub("", "".join(data.get("text/html") or data["text/plain"]))


def test_every_cell_runs_and_shows_what_is_committed() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = [c for c in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    for cell in cells:
        value = run("".join(cell["source"]), names)
        outputs = [output["data"] for output in cell["outputs"]]
        assert [settled(data) for data in outputs] == ([settled(shown(value))] if value is not None else [])
    assert names["credits"][1].verified
