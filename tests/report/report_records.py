"""Records that show every kind of sample, built by hand for the tests of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from egca_plugin import jsonl
from egca_plugin.monitor.records import credit_line
from egca_plugin.types import Credit, Divergence, FailedTest, Mode, Outcome, Span

LOGIC = "def total(values):\n    result = 0\n    for value in values[1:]:\n        result += value\n    return result\n"
HOSTILE = 'def f(x):\n    return "</pre><script>alert(1)</script>" \u202e # \x00 \ud800 \'"&amp;\n'
CRASH = "def last(items):\n    return items[len(items)]\n"
MS = {"extract": 0.25, "judge": 2.5, "gate": 0.125, "localize": 7.75}


def place(text: str, part: str) -> Span:
    start = text.index(part)
    return Span(start, start + len(part))


def credit(mode: Mode, outcome: Outcome, passed: int, **more: Any) -> Credit:
    return Credit(mode, float(outcome is Outcome.OK), outcome, passed, 3, ms=MS, **more)


def rows() -> list[tuple[str, str, Credit]]:
    """``(task_id, completion, credit)``, one of each kind."""
    told = Divergence("value: saw 2, expected 1", line=3, variable="value", expected="1", seen="2")
    logic = credit(
        Mode.LOGIC,
        Outcome.WRONG_ANSWER,
        1,
        spans=(place(LOGIC, "values[1:]"), place(LOGIC, "for value in values[1:]")),
        verified=True,
        confidence=0.99,
        stage="patch",
        divergence=told,
        patch="values[1:] -> values",
        diff="      result = 0\n-     for value in values[1:]:\n+     for value in values:\n          result += value",
        reference="canonical",
        failed=FailedTest(1, "total([1, 2])", expected="3", got="2 <script>\x1b[2J"),
    )
    crash = credit(Mode.SYNTAX, Outcome.EXCEPTION, 0, spans=(place(CRASH, "items[len(items)]"),), confidence=0.8)
    hostile = credit(Mode.LOGIC, Outcome.WRONG_ANSWER, 0, spans=(place(HOSTILE, "<script>alert(1)</script>"),))
    return [
        ("sum/1", LOGIC, logic),
        ("sum/1", LOGIC.replace("values[1:]", "values"), credit(Mode.CORRECT, Outcome.OK, 3)),
        ("last/2", CRASH, crash),
        ("<b>&'\"/3", HOSTILE, hostile),
        ("sum/1", "def total(", credit(Mode.SYNTAX, Outcome.COMPILE_ERROR, 0, reason="does_not_compile")),
        ("sum/1", "while True: pass", credit(Mode.LOGIC, Outcome.TIMEOUT, 0, reason="no_divergence")),
        ("last/2", "", credit(Mode.CONSTRAINT, Outcome.REFUSED, 0, reason="a_code_of_tomorrow")),
    ]


def write(path: Path, *, texts: bool = True, steps: int = 0) -> Path:
    """The rows as records; ``steps`` repeats them as the records of that many training steps."""
    with path.open("wb") as file:
        for step in range(max(steps, 1)):
            for task_id, text, known in rows()[step:] if steps else rows():
                line = {"task_id": task_id, **credit_line(known, text)}
                line |= {"completion": text} if texts else {}
                line |= {"step": step + 1, "tokens": 40, "credited_tokens": 10 if known.spans else 40} if steps else {}
                file.write(jsonl.line(line))
    return path
