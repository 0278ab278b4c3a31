"""What the documents say of a result, made from its file.

``python -m benchmarks.learning.programs.paragraph RESULT DOCUMENT`` puts it between the marks of the document.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.localization.report import markdown

BEGIN, END = "<!-- measured -->", "<!-- end -->"


def paragraph(result: Mapping[str, Any], name: str) -> str:
    """Markdown: what ran, the table of each world, what the rule chose."""
    settings, tables = result["settings"], result["tables"]
    plan, seeds, cells = settings["plan"], len(settings["seeds"]), settings["cells"]
    head = (
        f"`egca bench learning programs --stage {name}`: {cells['run']} of {cells['of']} cells, "
        f"seeds: {seeds}, learning rate {', '.join(f'{r:g}' for r in settings['rates'])}, "
        f"{plan['steps']} steps of {plan['groups']} x {plan['size']} samples. Differences in mean held-out pass rate "
        "over training, paired by seed, with 95% t intervals over seeds."
    )
    worlds = [markdown(one) for one in tables[: len(settings["worlds"])]]
    chosen = next(arm for arm, _, mark in tables[-1]["rows"] if mark)
    rule = f"The rule, applied to these cells: `{chosen}`; it counts for the confirmation, in all worlds."
    return "\n".join([head, "", *worlds, rule, ""])


def replaced(text: str, new: str) -> str:
    """``text`` with what stands between the marks replaced. Raises ValueError where there are none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{new}{END}{after}"


if __name__ == "__main__":
    file, document = map(Path, sys.argv[1:3])
    told = paragraph(json.loads(file.read_text(encoding="utf-8")), file.stem.removeprefix("learning_programs_"))
    document.write_text(replaced(document.read_text(encoding="utf-8"), told), encoding="utf-8")
