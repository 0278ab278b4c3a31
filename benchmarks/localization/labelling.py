"""The rules of LABELS.md, applied: from a buggy program and its mends to the lines that count as the fault."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.localization.execution import Bench
from benchmarks.localization.marks import next_code_line
from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Span


@dataclass(frozen=True, slots=True)
class Row:
    """One program as written: ``fixed`` and every one of ``also`` mend it with an equally small edit."""

    task_id: str
    operator: str
    program: str
    fixed: str
    also: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Row:
        return cls(row["task_id"], row["operator"], row["program"], row["fixed"], tuple(row.get("also", ())))


@dataclass(frozen=True, slots=True)
class Label:
    """``lines`` and ``spans`` as in :class:`corpus.Subject`; ``omission`` where the smallest edit only inserts."""

    lines: tuple[int, ...]
    spans: tuple[Span, ...]
    omission: bool


def label(row: Row, bench: Bench) -> Label:
    """The label by the rules of LABELS.md. Runs programs, to find every point where an omission can be mended."""
    lines: set[int] = set()
    spans: set[Span] = set()
    omission = all(edit[0] == "insert" for edit in _line_edits(row.program, row.fixed))
    for fixed in (row.fixed, *row.also):
        for tag, start, end, fixed_start, fixed_end in _line_edits(row.program, fixed):
            if tag == "insert":
                points = _insertion_points(row.program, fixed, (start, fixed_start, fixed_end), bench)
            else:
                points = []
                lines |= set(range(start + 1, end + 1))
                spans |= set(_differing(row.program, fixed, (start, end), (fixed_start, fixed_end)))
            for point in points:
                new_lines, span = _point_label(row.program, point, _indent(fixed.splitlines()[fixed_start]))
                lines |= new_lines
                spans.add(span)
    return Label(tuple(sorted(lines)), tuple(sorted(spans)), omission)


def problems(row: Row, bench: Bench) -> Iterator[str]:
    """What is wrong with a row: nothing, for a good one."""
    if not bench.sound:
        yield "the reference itself fails"
    if bench.passes(row.program):
        yield "the buggy program passes every test"
    for name, program in (("fixed", row.fixed), *(("also", other) for other in row.also)):
        if not bench.passes(program):
            yield f"the {name} program fails"
        edits = sum(1 for _ in _line_edits(row.program, program))
        if edits == 0:
            yield f"the {name} program is the buggy one"
        elif edits > 1 and name == "also":
            yield f"the {name} program differs in {edits} places"
    if not label(row, bench).lines:
        yield "no line is labelled"


# --- the rules --------------------------------------------------------------------------------------------------


def _line_edits(program: str, fixed: str) -> Iterator[tuple[str, int, int, int, int]]:
    matcher = difflib.SequenceMatcher(None, program.splitlines(), fixed.splitlines(), autojunk=False)
    return (opcode for opcode in matcher.get_opcodes() if opcode[0] != "equal")


def _insertion_points(program: str, fixed: str, edit: tuple[int, int, int], bench: Bench) -> list[int]:
    """0-based indices of the lines before which the missing lines may stand: the edit's own, and all that pass."""
    index, fixed_start, fixed_end = edit
    missing = fixed.splitlines()[fixed_start:fixed_end]
    lines = program.splitlines()
    points = {index}
    for candidate in _block_points(fixed, fixed_start + 1, fixed_end, index - fixed_start):
        mended = lines[:candidate] + missing + lines[candidate:]
        if bench.passes("\n".join(mended) + "\n"):
            points.add(candidate)
    return sorted(points)


def _block_points(fixed: str, first: int, last: int, shift: int) -> list[int]:
    """Boundaries of the block that holds lines ``first``..``last``, as line indices of the program without them.

    ``shift`` is not 0 where other lines differ before these; then only the place of the edit itself is known.
    """
    length = last - first + 1
    for node in ast.walk(ast.parse(fixed)):
        for field in ("body", "orelse", "finalbody"):
            block = node.__dict__.get(field)
            if not isinstance(block, list) or not block or not isinstance(block[0], ast.stmt):
                continue
            inside = [s for s in block if first <= s.lineno and (s.end_lineno or s.lineno) <= last]
            if not inside or inside[0].lineno != first or inside[-1].end_lineno != last:
                continue
            before = [s.lineno - 1 for s in block if (s.end_lineno or s.lineno) < first]
            after = [(s.end_lineno or s.lineno) - length for s in block if s.lineno > last]
            return [*before, first - 1 + shift, *after] if shift == 0 else [first - 1 + shift]
    return []


def _point_label(program: str, index: int, indent: int) -> tuple[set[int], Span]:
    """Lines and place of something missing, indented by ``indent``, before the 0-based line ``index`` (rule 2)."""
    text = SourceMap(program)
    lines = program.splitlines()
    if index < len(lines) and lines[index].strip() and _indent(lines[index]) >= indent:
        start = text.line_span(index + 1).start
        return {index + 1}, Span(start, start)
    above = next(number for number in range(index, 0, -1) if lines[number - 1].strip())
    end = text.line_span(above).end
    below = next_code_line(program, above)
    return {above} | ({below} if below else set()), Span(end, end)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _differing(program: str, fixed: str, lines: tuple[int, int], others: tuple[int, int]) -> list[Span]:
    """Characters of ``program`` in ``lines`` that differ from ``fixed`` in ``others``, widened to whole words."""
    kept = program.splitlines(keepends=True)
    base = sum(map(len, kept[: lines[0]]))
    old = "".join(kept[lines[0] : lines[1]])
    new = "".join(fixed.splitlines(keepends=True)[others[0] : others[1]])
    left, right = _words(old), _words(new)
    matcher = difflib.SequenceMatcher(None, [w for w, _, _ in left], [w for w, _, _ in right], autojunk=False)
    changed = [(a, b) for tag, a, b, _, _ in matcher.get_opcodes() if tag != "equal"]
    if not changed:
        return [Span(base, base + len(old.rstrip()))]
    first, last = changed[0][0], max(changed[-1][1], changed[0][0] + 1)
    start = left[min(first, len(left) - 1)][1]
    end = left[min(last, len(left)) - 1][2]
    return [Span(base + start, base + max(end, start))]


def _words(text: str) -> list[tuple[str, int, int]]:
    return [(m.group(), m.start(), m.end()) for m in re.finditer(r"\w+|[^\w\s]+", text)]
