"""A credit in the terminal: the program with the blamed text coloured, and the evidence in words."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from egca_plugin.report import words
from egca_plugin.report.segments import segments, visible
from egca_plugin.types import Credit

FIRST = "bold white on red"
OTHERS = "black on yellow"
TAB = 4


def view(credit: Credit, text: str) -> RenderableType:
    """``text`` with line numbers and its blame, then what is known about it."""
    parts: list[RenderableType] = [program(credit, text), Text(words.of_credit(credit), style="bold")]
    return Group(*parts, _evidence(credit))


def program(credit: Credit, text: str) -> Text:
    """The lines of ``text``, numbered; the most blamed span in red, the others in yellow."""
    coloured = Text(tab_size=TAB)
    for part in segments(text, credit.spans):
        coloured.append(visible(part.text), None if part.rank is None else FIRST if part.rank == 0 else OTHERS)
    lines = coloured.split("\n")
    width = len(str(len(lines)))
    numbered = (Text.assemble((f"{at:>{width}} │ ", "dim"), line) for at, line in enumerate(lines, start=1))
    return Text("\n").join(numbered)


def _evidence(credit: Credit) -> Table:
    table = Table.grid(padding=(0, 2))
    told = credit.divergence
    tests = f"{credit.tests_passed} of {credit.tests_total} tests pass"
    rows = {
        "verdict": f"{credit.mode.value}: {credit.outcome.value}, {tests}",
        "divergence": told.message if told else "",
        "proving change": credit.patch,
        "confidence": f"{credit.confidence:.2f}, {credit.stage}".rstrip(", ") if credit.spans else "",
        "reason": credit.reason,
        "time": ", ".join(f"{stage} {ms:.1f} ms" for stage, ms in credit.ms.items()),
        "compared with": credit.reference.strip(),
    }
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, style="dim"), Text(visible(value)))
    return table
