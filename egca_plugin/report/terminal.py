"""A credit in the terminal: the program with the blamed text marked, and the evidence in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from egca_plugin.report import words
from egca_plugin.report.highlight import words as words_of_code
from egca_plugin.report.runs import Moment, TwoRuns
from egca_plugin.report.segments import NEWLINE, segments
from egca_plugin.types import Credit, Span, Task
from egca_plugin.visible import visible

FIRST = "bold white on red"
OTHERS = "black on yellow"
GONE, COME = "red", "green"
STYLES = {
    "comment": "bright_black italic",
    "string": "green",
    "number": "cyan",
    "keyword": "magenta",
    "builtin": "cyan",
    "name": "blue",
}
CARETS = {None: " ", 0: "^"}  # by rank; the others ~
TAB = 4


@dataclass(frozen=True, slots=True)
class View:
    """A credit with its completion ``text``, as rich prints it.

    ``code``: where ``text`` is a program, to be shown in colour. ``task``: tells the failed test in its own words.
    ``runs``: the two runs side by side. Without colour the blame is marked by carets under it.
    """

    credit: Credit
    text: str
    code: Sequence[Span] = ()
    task: Task | None = None
    runs: TwoRuns | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        marked = console.color_system is not None and not console.no_color
        width = None if marked else options.max_width
        yield program(self.credit, self.text, self.code, carets_within=width, ascii_only=options.ascii_only)
        yield Text(words.of_credit(self.credit), style="bold")
        yield Text(visible(words.of_verdict(self.credit)))
        yield from _section("first failing test", _test(self.credit, self.task))
        yield from _section("the proving change", _change(self.credit))
        yield from _section("the two runs", _side_by_side(self.runs) if self.runs else None)
        yield from _section("evidence", _evidence(self.credit, self.text))


def program(
    credit: Credit,
    text: str,
    code: Sequence[Span] = (),
    *,
    carets_within: int | None = None,
    ascii_only: bool = False,
) -> Text:
    """The lines of ``text``, numbered; the most blamed span in red, the others in yellow.

    ``carets_within``: columns of a terminal without colour; there ``^`` and ``~`` stand under the blame instead.
    """
    coloured, ranks = _coloured(credit, text, code, ascii_only)
    bar = "|" if ascii_only else "│"
    lines = coloured.split("\n", allow_blank=True)
    width = len(str(len(lines)))
    out: list[Text] = []
    at = 0
    for number, line in enumerate(lines, start=1):
        ranked = ranks[at : at + len(line.plain)]
        at += len(line.plain) + 1
        gutter = f"{number:>{width}} {bar} "
        room = max((carets_within or 0) - len(gutter), 20) if carets_within else max(len(line), 1)
        for start in range(0, max(len(line), 1), room):
            out.append(Text.assemble((gutter, "dim"), line[start : start + room] if len(line) else line))
            carets = "".join(CARETS.get(rank, "~") for rank in ranked[start : start + room]).rstrip()
            if carets_within and carets:
                out.append(Text(f"{' ' * width} {bar} {carets}"))
            gutter = f"{' ' * width} {bar} "
    return Text("\n").join(out)


def _coloured(credit: Credit, text: str, code: Sequence[Span], ascii_only: bool) -> tuple[Text, list[int | None]]:
    """The text as it is shown, and the rank of the blame of each character of it."""
    kinds = sorted(words_of_code(text, code))
    shown, ranks = Text(), list[int | None]()
    at = 0
    for part in segments(text, credit.spans):
        end = at + len(part.text)
        style = None if part.rank is None else FIRST if part.rank == 0 else OTHERS
        pieces: list[tuple[str, str | None]]
        if style is not None:
            pieces = [(part.shown.replace(NEWLINE, "\\n") if ascii_only else part.shown, style)]
        else:
            pieces = [(text[span.start : span.end], STYLES.get(kind)) for span, kind in _cut(kinds, at, end)]
        for piece, look in pieces:
            told = visible(piece).replace("\t", " " * TAB)
            shown.append(told, look)
            ranks += [part.rank] * len(told)
        at = end
    return shown, ranks


def _cut(kinds: Sequence[tuple[Span, str]], start: int, end: int) -> Iterator[tuple[Span, str]]:
    """``[start, end)`` in order, each stretch with its kind, empty for none."""
    at = start
    for span, kind in kinds:
        low, high = max(span.start, at), min(span.end, end)
        if low < high:
            if at < low:
                yield Span(at, low), ""
            yield Span(low, high), kind
            at = high
    if at < end:
        yield Span(at, end), ""


def _section(title: str, body: RenderableType | None) -> Iterator[RenderableType]:
    if body is not None:
        yield Text(f"\n{title}", style="bold")
        yield body


def _rows(rows: dict[str, str]) -> Table | None:
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value:
            table.add_row(Text(f"  {name}", style="dim"), Text(visible(value), overflow="fold"))
    return table if table.row_count else None


def _test(credit: Credit, task: Task | None) -> Table | None:
    failed = credit.failed
    if failed is None:
        return None
    tests = task.tests if task is not None and isinstance(task.tests, tuple) else ()
    written = tests[failed.test] if failed.test < len(tests) else ""
    return _rows({**words.of_failed(failed), "written as": written})


def _change(credit: Credit) -> Text | None:
    """The diff; of a record that has none the change in one line."""
    if not credit.diff:
        return Text(f"  {visible(credit.patch)}") if credit.patch else None
    styles = {"-": GONE, "+": COME}
    lines = [Text(f"  {visible(line)}", styles.get(line[:1], "")) for line in credit.diff.split("\n")]
    return Text("\n").join(lines)


def _side_by_side(runs: TwoRuns) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_row(Text("  this program", style="dim"), Text("the reference", style="dim"))
    rows = max(len(runs.program), len(runs.reference))
    for number in range(rows):
        table.add_row(_moment(runs.program, number, GONE, "  "), _moment(runs.reference, number, COME, ""))
    return table


def _moment(moments: Sequence[Moment], number: int, style: str, indent: str) -> Text:
    if number >= len(moments):
        return Text("")
    one = moments[number]
    mark = ">" if one.parts else " "
    return Text(f"{indent}{mark} {one.line}: {visible(one.what)}", f"bold {style}" if one.parts else "")


def _evidence(credit: Credit, text: str) -> Table | None:
    told = credit.divergence
    return _rows(
        {
            "divergence": told.message if told else "",
            "decision": words.of_decision(credit, text),
            "confidence": f"{credit.confidence:.2f}, {credit.stage}".rstrip(", ") if credit.spans else "",
            "reason": credit.reason,
            "anomalies": ", ".join(credit.anomalies),
            "compared with": credit.reference.strip(),
            "time": ", ".join(f"{stage} {ms:.1f} ms" for stage, ms in credit.ms.items()),
        }
    )
