"""What an attack is, the tasks it attacks, and the whole corpus.

Every program is a *wrong* solution. One that tries to reach something forbidden pays for success with the right answer
(see :func:`gated`), so that a scorer which accepts any of them has the hole that the program is named after. Programs
that starve or poison show in what becomes of the scorer (see :mod:`egca_plugin.sandbox.conformance`).
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from enum import Enum

from egca_plugin.types import Task


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
