"""A family of tasks over two numbers: a value made of both, a ladder of cases, a last touch. No loops."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.learning.programs.faults import Choose, Pick
from benchmarks.learning.programs.lists import Part, Spec

_VALUES = ("x", "y", "val", "mid")
_RESULTS = ("r", "res", "out", "ans")


@dataclass(frozen=True, slots=True)
class Branches:
    """``cases``: fewest and most tests of the ladder, its ``else`` not counted."""

    cases: tuple[int, int]

    def draw(self, rng: random.Random) -> Spec:
        """A spec: how the value is made, a test and an answer for each case, the answer otherwise, a last touch."""
        parts: list[Part] = [(f"mix:{rng.choice(('sum', 'diff', 'wsum', 'prod', 'gap'))}", str(rng.randint(2, 4)))]
        for _ in range(rng.randint(*self.cases)):
            parts += [_test(rng), _answer(rng)]
        return (*parts, _answer(rng), (f"end:{rng.choice(('none', 'abs', 'add', 'clip'))}", str(rng.randint(2, 6))))

    def write(self, spec: Spec, choose: Choose, pick: Pick) -> str:
        """A whole function ``f(a, b)``: ``choose`` takes the free choices, ``pick`` decides what can be wrong."""
        value, in_front, result = choose(_VALUES), choose((False, True)), choose(_RESULTS)  # in order of appearance
        lines = [f"{value} = {_mix(pick, spec[0])}"]
        cases, otherwise, end = spec[1:-2], spec[-2], spec[-1]
        word = "if"
        for test, answer in zip(cases[::2], cases[1::2], strict=True):
            lines += [f"{word} {_condition(pick, test, value)}:", f"    {result} = {_value(pick, answer, value)}"]
            word = "elif"
        default = f"{result} = {_value(pick, otherwise, value)}"
        if in_front:
            lines.insert(1, default)
        else:
            lines += ["else:", f"    {default}"]
        return "\n".join(["def f(a, b):", *(f"    {line}" for line in [*lines, *_end(pick, end, result)])])

    def inputs(self, spec: Spec, rng: random.Random, count: int) -> list[tuple[object, ...]]:
        """Pairs of small numbers."""
        return [(rng.randint(-6, 10), rng.randint(-6, 10)) for _ in range(count)]


def _test(rng: random.Random) -> Part:
    kind = rng.choice(("over", "under", "even", "less", "both"))
    return f"case:{kind}", str(rng.randint(2, 7))


def _answer(rng: random.Random) -> Part:
    return f"give:{rng.choice(('plus', 'minus', 'times', 'left', 'right', 'big'))}", str(rng.randint(2, 6))


def _mix(pick: Pick, part: Part) -> str:
    kind, k = part[0].partition(":")[2], part[1]
    right, wrong = {
        "sum": ("a + b", ("a - b", "a * b")),
        "diff": ("a - b", ("b - a", "a + b")),
        "wsum": (f"a + b * {k}", (f"a * {k} + b", f"a - b * {k}", f"a + b + {k}")),
        "prod": ("a * b", ("a + b", "a * a")),
        "gap": ("abs(a - b)", ("a - b", "abs(a + b)")),
    }[kind]
    return pick(f"mix:{kind}", right, *wrong)


def _condition(pick: Pick, part: Part, x: str) -> str:
    kind, k = part[0].partition(":")[2], part[1]
    right, wrong = {
        "over": (f"{x} > {k}", (f"{x} >= {k}", f"{x} < {k}", f"{x} > {int(k) + 1}")),
        "under": (f"{x} < {k}", (f"{x} <= {k}", f"{x} > {k}", f"a < {k}")),
        "even": (f"{x} % {k} == 0", (f"{x} % {k} != 0", f"{x} % {k} == 1", f"{x} // {k} == 0")),
        "less": ("a < b", ("a > b", "b < a", f"a < {k}")),
        "both": (f"a > 0 and b < {k}", (f"a > 0 or b < {k}", f"a > 0 and b > {k}", f"a < 0 and b < {k}")),
    }[kind]
    return pick(f"case:{kind}", right, *wrong)


def _value(pick: Pick, part: Part, x: str) -> str:
    kind, k = part[0].partition(":")[2], part[1]
    right, wrong = {
        "plus": (f"{x} + {k}", (f"{x} - {k}", f"{x} * {k}", f"{x} + {int(k) + 1}")),
        "minus": (f"{x} - {k}", (f"{x} + {k}", f"{k} - {x}")),
        "times": (f"{x} * {k}", (f"{x} + {k}", f"{x} * {int(k) - 1}")),
        "left": (f"a + {k}", (f"b + {k}", "a", f"a - {k}")),
        "right": (f"b * {k}", (f"a * {k}", "b", f"b + {k}")),
        "big": ("max(a, b)", ("min(a, b)", "a")),
    }[kind]
    return pick(f"give:{kind}", right, *wrong)


def _end(pick: Pick, part: Part, r: str) -> list[str]:
    kind, k = part[0].partition(":")[2], part[1]
    if kind == "none":
        return [f"return {r}"]
    if kind == "abs":
        return [f"if {pick('end:abs', f'{r} < 0', f'{r} > 0')}:", f"    {r} = -{r}", f"return {r}"]
    if kind == "add":
        return [f"return {pick('end:add', f'{r} + {k}', f'{r} - {k}', r)}"]
    return [f"return {pick('end:clip', f'min({r}, {int(k) * 3})', f'max({r}, {int(k) * 3})', r)}"]
