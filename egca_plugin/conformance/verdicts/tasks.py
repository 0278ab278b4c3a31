"""What the programs answer: three ways to be asked, and each way in which an output may be compared."""

from __future__ import annotations

import json
import textwrap

from egca_plugin.types import CallCase, Compare, Kind, StdinCase, Task

_DEFAULT = Compare()


def _stdin(
    name: str, prompt: str, cases: dict[str, str | tuple[str, ...]], compare: Compare = _DEFAULT, checker: str = ""
) -> Task:
    runs = tuple(StdinCase(text, (output,) if isinstance(output, str) else output) for text, output in cases.items())
    checker = textwrap.dedent(checker)
    return Task(f"verdict/{name}", prompt, "", "", (), kind=Kind.STDIN, cases=runs, compare=compare, checker=checker)


def _calls(name: str, prompt: str, entry_point: str, kind: Kind, cases: list[tuple[list[object], object]]) -> Task:
    calls = tuple(CallCase(json.dumps(args), "{}", json.dumps(expected)) for args, expected in cases)
    return Task(f"verdict/{name}", prompt, entry_point, "", (), kind=kind, cases=calls)


SUM = _stdin(
    "sum",
    "Read n, then n integers on one line. Print their sum.",
    {"3\n1 2 3\n": "6\n", "1\n5\n": "5\n", "4\n1 1 1 -7\n": "-4\n", "2\n1000000 1000000\n": "2000000\n"},
)
LINES = _stdin(
    "lines",
    "Read n, then n words, one a line. Print each reversed, one a line, in the same order.",
    {"3\nabc\nx\nhello\n": "cba\nx\nolleh\n", "1\nab\n": "ba\n", "2\nb\na\n": "b\na\n"},
)
ANSWER = _stdin(
    "answer",
    "Read an integer. Print Yes if it is even, else No.",
    {"4\n": "Yes\n", "7\n": "No\n", "0\n": "Yes\n", "-3\n": "No\n"},
)
MEAN = _stdin(
    "mean",
    "Read numbers on one line. Print their mean, within a relative error of 1e-6.",
    {"1 2\n": "1.5\n", "1 1 2\n": "1.3333333333\n", "5\n": "5\n"},
    Compare(rel=1e-6),
)
EITHER = _stdin(
    "either",
    "Read two integers. Print one that is not the smaller.",
    {"3 3\n": "3\n", "1 9\n": "9\n", "4 2\n": ("4\n", "4.\n")},
)
SPLIT = _stdin(
    "split",
    "Read n. Print two non-negative integers whose sum is n.",
    {"5\n": "2 3\n", "0\n": "0 0\n", "9\n": "4 5\n"},
    checker="""
    def check(stdin, output, expected):
        a, b = map(int, output.split())
        return a >= 0 and b >= 0 and a + b == int(stdin)
    """,
)
DEPTH = _stdin(
    "depth",
    "Read n. Print 1 + 2 + ... + n.",
    {"3\n": "6\n", "4000\n": "8002000\n"},
)
MANY = _stdin(
    "many",
    "Read numbers until the input ends. Print how many there are and the largest.",
    {"1\n2\n3\n": "3 3\n", " ".join(map(str, range(50_000))) + "\n": "50000 49999\n"},
)
TWO_SUM = _calls(
    "two_sum",
    "The indices of two numbers that add up to the target, in ascending order.",
    "Solution.twoSum",
    Kind.METHOD,
    [([[2, 7, 11, 15], 9], [0, 1]), ([[3, 2, 4], 6], [1, 2]), ([[3, 3], 6], [0, 1])],
)
CLAMP = _calls(
    "clamp",
    "clamp(x, low, high): x, or the bound that it passes.",
    "clamp",
    Kind.FUNCTION,
    [([5, 0, 3], 3), ([-1, 0, 3], 0), ([2, 0, 3], 2)],
)
COUNTS = _calls(
    "counts",
    "counts(words): how often each word occurs.",
    "counts",
    Kind.FUNCTION,
    [([["a", "b", "a"]], {"a": 2, "b": 1}), ([[]], {})],
)

TASKS = {
    task.task_id.removeprefix("verdict/"): task
    for task in (SUM, LINES, ANSWER, MEAN, EITHER, SPLIT, DEPTH, MANY, TWO_SUM, CLAMP, COUNTS)
}
