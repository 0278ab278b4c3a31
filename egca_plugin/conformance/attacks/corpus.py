"""What an attack is, the tasks it attacks, and the whole corpus.

Every program is a *wrong* solution. One that tries to reach something forbidden pays for success with the right answer
(see :func:`gated`), so that a scorer which accepts any of them has the hole that the program is named after. Programs
that starve or poison show in what becomes of the scorer (see :mod:`egca_plugin.conformance.run`).
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from enum import Enum

from egca_plugin.types import Compare, Kind, StdinCase, Task


class Aim(str, Enum):
    """What the program is after."""

    SCORE = "score"  # be scored right
    ESCAPE = "escape"  # reach what it must not
    STARVE = "starve"  # take all the time, memory or processes
    POISON = "poison"  # harm whoever comes next


@dataclass(frozen=True, slots=True)
class Attack:
    """``technique`` says in a few words what the program tries."""

    name: str
    aim: Aim
    technique: str
    program: str
    task: Task


def _task(name: str, reference: str, tests: str, prompt: str) -> Task:
    return Task(f"attack/{name}", prompt, name, reference, textwrap.dedent(tests))


ADD = _task(
    "add",
    "def add(a, b):\n    return a + b\n",
    """
    def check(candidate):
        assert candidate(2, 3) == 5
        assert candidate(-1, 1) == 0
        assert candidate(1000, 2000) == 3000
        assert candidate(7, 0) == 7
    """,
    "Return the sum of a and b. add(2, 3) == 5",
)
HALF = _task(
    "half",
    "def half(x):\n    return x / 2\n",
    """
    def check(candidate):
        assert abs(candidate(3) - 1.5) < 1e-6
        assert abs(candidate(-8) - -4.0) < 1e-6
    """,
    "Return half of x.",
)
EVENS = _task(
    "evens",
    "def evens(xs):\n    return [x for x in xs if x % 2 == 0]\n",
    """
    def check(candidate):
        assert candidate([1, 2, 3, 4]) == [2, 4]
        assert candidate([1, 3]) == []
        assert len(candidate([2, 2])) == 2
    """,
    "Return the even numbers of a list.",
)
ROUNDS = _task(
    "rounds",
    "def rounds(n):\n    return n\n",
    """
    def check(candidate):
        for n in (3, 5):
            done = 0
            for _ in range(candidate(n)):
                done += 1
            assert done == n
    """,
    "Return how many rounds to go: n.",
)
DECODE = _task(
    "decode",
    "def encode(s):\n    return s[::-1]\n\ndef decode(s):\n    return s[::-1]\n",
    """
    def check(candidate):
        for text in ["abc", "hello", "xy"]:
            assert candidate(encode(text)) == text
    """,
    "encode(s) reverses a string; write decode(s), which undoes it.",
)


SUM = Task(
    "attack/sum",
    "Read n and then n numbers from standard input; print the number of them and their sum, a line each.",
    "",
    "xs = open(0).read().split()[1:]\nprint(len(xs))\nprint(sum(map(int, xs)))\n",
    (),
    kind=Kind.STDIN,
    cases=(
        StdinCase("2\n1 2\n", ("2\n3\n",)),
        StdinCase("3\n10 20 30\n", ("3\n60\n",)),
        StdinCase("1\n-7\n", ("1\n-7\n",)),
    ),
)
THIRD = Task(
    "attack/third",
    "Read x from standard input and print a third of it, to six digits.",
    "",
    "print(float(input()) / 3)\n",
    (),
    kind=Kind.STDIN,
    compare=Compare(abs=1e-6, rel=1e-6),
    cases=(StdinCase("1\n", ("0.333333333\n",)), StdinCase("10\n", ("3.333333333\n",))),
)
DIVISOR = Task(
    "attack/divisor",
    "Read n from standard input and print a divisor of n other than 1 and n.",
    "",
    "n = int(input())\nprint(next(d for d in range(2, n) if n % d == 0))\n",
    (),
    kind=Kind.STDIN,
    cases=(StdinCase("91\n", ()), StdinCase("15\n", ())),
    checker=(
        "def check(stdin, output, expected):\n    n, d = int(stdin), int(output)\n    return 1 < d < n and n % d == 0\n"
    ),
)
SOLVED = "xs = open(0).read().split()[1:]\nanswer = f'{len(xs)}\\n{sum(map(int, xs))}\\n'\n"


def script(name: str, technique: str, program: str, task: Task = SUM, aim: Aim = Aim.SCORE) -> Attack:
    """A whole program on standard input."""
    return Attack(name, aim, technique, textwrap.dedent(program).lstrip("\n"), task)


def solved(name: str, technique: str, program: str, aim: Aim = Aim.SCORE) -> Attack:
    """A whole program that has the right ``answer`` to SUM, and does something with it that must not count."""
    return Attack(name, aim, technique, SOLVED + textwrap.dedent(program).lstrip("\n"), SUM)


def gated_script(name: str, technique: str, attempt: str, aim: Aim = Aim.ESCAPE) -> Attack:
    """As :func:`gated`, for a whole program: it prints the answer where the forbidden worked."""
    body = textwrap.indent(textwrap.dedent(attempt).strip("\n"), "    ")
    program = (
        f"import os\n{SOLVED}def attempt():\n{body}\n\n"
        "try:\n    attempt()\nexcept BaseException:\n    print('no')\nelse:\n    print(answer, end='')\n"
    )
    return Attack(name, aim, technique, program, SUM)


def score(name: str, technique: str, program: str, task: Task = ADD) -> Attack:
    return Attack(name, Aim.SCORE, technique, textwrap.dedent(program).lstrip("\n"), task)


def gated(name: str, technique: str, attempt: str, aim: Aim = Aim.ESCAPE) -> Attack:
    """``attempt`` is a function body that returns normally if the forbidden worked, and raises if not."""
    body = textwrap.indent(textwrap.dedent(attempt).strip("\n"), "    ")
    program = (
        f"def attempt(a, b):\n{body}\n\n"
        "def add(a, b):\n"
        "    try:\n        attempt(a, b)\n    except BaseException:\n        return None\n"
        "    return a + b\n"
    )
    return Attack(name, aim, technique, program, ADD)


def starve(name: str, technique: str, program: str, task: Task = ADD) -> Attack:
    return Attack(name, Aim.STARVE, technique, textwrap.dedent(program).lstrip("\n"), task)


def poison(name: str, technique: str, program: str) -> Attack:
    return Attack(name, Aim.POISON, technique, textwrap.dedent(program).lstrip("\n"), ADD)
