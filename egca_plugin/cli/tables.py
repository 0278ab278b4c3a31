"""Tables that fit: where the terminal is too narrow for the columns, each row is told as a short list."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.box import Box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from egca_plugin.cli.terminal import plain

Cell = str | Text
LEAST = 16  # columns for words


class Fitting:
    """A table of ``columns``; those in ``texts`` hold words, stand to the left and may be broken."""

    def __init__(
        self, title: str | Text, columns: Sequence[str], texts: Sequence[str] = (), box: Box | None = box.HEAVY_HEAD
    ) -> None:
        self.title, self.columns, self._texts, self._box = title, tuple(columns), frozenset(texts), box
        self.rows: list[tuple[Text, ...]] = []

    def add_row(self, *cells: Cell) -> None:
        """One cell a column. Raises ValueError for another number of them."""
        row = tuple(cell if isinstance(cell, Text) else plain(cell) for cell in cells)
        if len(row) != len(self.columns):
            raise ValueError(f"a row of {len(row)} cells in a table of {len(self.columns)} columns")
        self.rows.append(row)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = self._wide()
        least = Measurement.get(console, options.update(max_width=10_000), wide).minimum
        yield wide if least <= options.max_width else self._narrow()

    def _wide(self) -> Table:
        table = Table(title=self.title, title_justify="left", box=self._box, pad_edge=self._box is not None)
        for place, name in enumerate(self.columns):
            words = name in self._texts
            longest = max((row[place].cell_len for row in self.rows), default=0)
            least = min(LEAST, longest) if words else longest
            table.add_column(name, justify="left" if words else "right", overflow="fold", min_width=least)
        for row in self.rows:
            table.add_row(*row)
        return table

    def _narrow(self) -> Table:
        """A list of names and values, the first column of a row in front of the others."""
        table = Table(title=self.title, title_justify="left", box=None, pad_edge=False, show_header=False)
        table.add_column(overflow="fold")
        table.add_column(overflow="fold")
        for row in self.rows:
            for place, (name, cell) in enumerate(zip(self.columns, row, strict=True)):
                table.add_row(Text(name if place == 0 else f"  {name}", style="bold" if place == 0 else "dim"), cell)
        return table
