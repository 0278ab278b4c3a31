"""A run's records by the thousand: three kinds of sample, long texts, groups of siblings."""

from __future__ import annotations

from egca_plugin.report.read import Record
from egca_plugin.types import Credit, Divergence, Mode, Outcome, Span

GROUP, STEP = 16, 512  # samples of a task, of a training step
LOGIC = "def total(values):\n    result = 0\n    for value in values[1:]:\n        result += value\n    return result\n"
CRASH = "def last(items):\n    return items[len(items)]\n"
LINES = "".join(f"    step_{n} = step(value, {n})\n" for n in range(50))


def many(count: int) -> list[Record]:
    """``count`` samples of some 1,500 characters; that of number ``n`` begins with ``# n``."""
    return [_record(n) for n in range(count)]


def _record(n: int) -> Record:
    comment = f"# {n}\n"
    text, credit = (_logic, _correct, _crash)[n % 3](comment)
    return Record(f"task/{n // GROUP}", credit, comment + text + LINES, step=n // STEP)


def _logic(comment: str) -> tuple[str, Credit]:
    told = Divergence("value: saw 2, expected 1", line=4, variable="value", expected="1", seen="2")
    diff = "      result = 0\n-     for value in values[1:]:\n+     for value in values:\n          result += value"
    credit = Credit(
        *(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 3),
        spans=(_place(comment + LOGIC, "values[1:]"), _place(comment + LOGIC, "for value in values[1:]")),
        verified=True,
        confidence=0.99,
        stage="patch",
        divergence=told,
        patch="values[1:] -> values",
        diff=diff,
        reference="canonical",
    )
    return LOGIC, credit


def _correct(comment: str) -> tuple[str, Credit]:
    return LOGIC.replace("[1:]", ""), Credit(Mode.CORRECT, 1.0, Outcome.OK, 3, 3)


def _crash(comment: str) -> tuple[str, Credit]:
    spans = (_place(comment + CRASH, "items[len(items)]"),)
    return CRASH, Credit(Mode.SYNTAX, 0.0, Outcome.EXCEPTION, 0, 3, spans=spans, confidence=0.8)


def _place(text: str, part: str) -> Span:
    start = text.index(part)
    return Span(start, start + len(part))
