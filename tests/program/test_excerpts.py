"""Models give the whole program and then explain it piece by piece: a piece is no answer, a correction is."""

from __future__ import annotations

import pytest

from egca_plugin.program.extract import extract
from egca_plugin.types import Kind, Task

PROGRAM = Task("p", "Read n and n numbers, print their sum.", "", "", (), kind=Kind.STDIN)
FUNCTION = Task("f", "Write add_all(xs).", "add_all", "", ())
METHOD = Task("m", "Add all numbers.", "Solution.addAll", "", (), kind=Kind.METHOD)
CONTINUED = Task("c", 'def add_all(xs):\n    """Add."""\n', "add_all", "", ())

SUM = "n = int(input())\na = list(map(int, input().split()))\ntotal = 0\nfor x in a:\n    total += x\nprint(total)\n"
LOOP = "for _ in range(int(input())):\n    a = list(map(int, input().split()))\n    print(sum(a))\n"
EARLY = "n = int(input())\nif n == 0:\n    print(0)\n    exit()\nprint(sum(map(int, input().split())))\n"
ADD = "def add_all(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n"
RECURSIVE = "def add_all(xs):\n    if not xs:\n        return 0\n    return xs[0] + add_all(xs[1:])\n"
CLASS = (
    "class Solution:\n    def go(self, nums):\n        return sum(nums)\n\n"
    "    def addAll(self, nums):\n        return self.go(nums)\n"
)


def fenced(*codes: str) -> str:
    return "\nThen:\n".join(f"```python\n{code.rstrip()}\n```" for code in codes)


def answer(completion: str, task: Task) -> str:
    program = extract(completion, task)
    for segment in program.segments:
        sampled = completion[segment.completion_start :][: segment.length]
        assert program.source[segment.program_start :][: segment.length] == sampled
    assert program.compiles, program.error
    return program.source.strip()


@pytest.mark.parametrize(
    ("program", "piece"),
    [
        (SUM, "n = int(input())\na = list(map(int, input().split()))"),
        (SUM, "# how many\nn = int(input())  # a line of its own\n\na = list(map(int, input().split()))"),
        (SUM, "n = int(input())\n...\nprint(total)"),
        (SUM, "n = int(input())\n# ... as above\nprint(total)"),
        (SUM, "n = int(input())\nprint(total)"),
        (LOOP, "a = list(map(int, input().split()))\nprint(sum(a))"),
        (LOOP, "    a = list(map(int, input().split()))\n    print(sum(a))"),
        (EARLY, "n = int(input())\nif n == 0:\n    print(0)"),
        (SUM, "import sys\nn = int(sys.stdin.readline())"),  # advice: it reads and prints nothing
    ],
)
def test_a_piece_of_a_whole_program_is_not_judged(program: str, piece: str) -> None:
    assert answer(fenced(program, piece), PROGRAM) == program.strip()
    assert answer(fenced(program, piece, piece).replace("\n", "\r\n"), PROGRAM) == program.strip()


@pytest.mark.parametrize(
    "piece",
    [
        "def add_all(xs):",
        "def add_all(xs): ...",
        "def add_all(xs: list[int]) -> int:\n    # your code\n    pass",
        'def add_all(\n    xs: list,\n) -> int:\n    """Add.\n\n    All of them.\n    """',
        "def add_all(xs):\n    raise NotImplementedError",
        "def add_all(xs):\n    total = 0",
        "def add_all(xs):\n    # ...\n    return total",
        "def add_all(xs):\n    ...\n    return total",
        "add_all = add_all([1, 2])\nprint(add_all)",
        "add_all: int = add_all([1, 2])",
        "add_all = cached(add_all)",
    ],
)
def test_signatures_templates_pieces_and_usage_define_nothing(piece: str) -> None:
    assert answer(fenced(ADD, piece), FUNCTION) == ADD.strip()
    assert answer(f"{ADD}```\n\n{fenced(piece)}", FUNCTION) == ADD.strip()


def test_the_simple_case_of_a_recursion_is_a_piece() -> None:
    simple = "def add_all(xs):\n    if not xs:\n        return 0"
    assert answer(fenced(RECURSIVE, simple), FUNCTION) == RECURSIVE.strip()


@pytest.mark.parametrize(
    "piece",
    [
        "def addAll(self, nums):\n    return self.go(nums)",
        "    def addAll(self, nums):\n        return self.go(nums)",
        "class Solution:\n    # ...\n    def addAll(self, nums):\n        return self.go(nums)",
        "class Solution:\n    def addAll(self, nums):\n        return self.go(nums)",
        "class Solution:\n    def addAll(self, nums):\n        pass",
        "class Solution:\n    def addAll(self, nums):",
    ],
)
def test_a_method_of_the_class_given_before_is_a_piece(piece: str) -> None:
    assert answer(fenced(CLASS, piece), METHOD) == CLASS.strip()


@pytest.mark.parametrize("piece", ["    return total", "def add_all(xs):\n    pass"])
def test_a_piece_of_a_body_does_not_go_on_from_the_prompt(piece: str) -> None:
    body = ADD.partition("\n")[2]
    assert answer(fenced(body, piece), CONTINUED) == CONTINUED.prompt + body.rstrip()


@pytest.mark.parametrize(
    ("first", "last", "task"),
    [
        (SUM, SUM.replace("total = 0", "total = 1"), PROGRAM),
        (SUM, "input()\nprint(sum(map(int, input().split())))", PROGRAM),  # shorter
        (SUM.replace("print", "a.append(5)\nprint"), SUM, PROGRAM),  # a line less
        (f"{SUM}print(n)", SUM, PROGRAM),  # without what printed too much
        (f"def f(x: int) -> int:\n    return x\n\n\n{SUM}f(n)", SUM, PROGRAM),
        (SUM.replace("print", "import os\n    print"), SUM, PROGRAM),  # and not in the loop
        (LOOP, LOOP.replace("    ", "").replace("for _ in range(int(input())):", "input()"), PROGRAM),
        (ADD, ADD.replace("total = 0", "total = 1"), FUNCTION),
        (ADD, "def add_all(xs):\n    return sum(xs)", FUNCTION),
        (ADD.replace("    for", "    xs = xs[1:]\n    for"), ADD, FUNCTION),
        (f"{ADD}\n\nprint(add_all(input()))", ADD, FUNCTION),
        (f"{ADD}\n\ndef add_all(xs):\n    return max(xs)", ADD, FUNCTION),
        (ADD, "add_all = lambda xs: xs[0] + add_all(xs[1:]) if xs else 0", FUNCTION),
        (ADD, "import operator, functools\nadd_all = functools.partial(functools.reduce, operator.add)", FUNCTION),
        (CLASS.replace("self.go(nums)", "self.go(nums[1:])"), CLASS, METHOD),
        (CLASS, "class Solution:\n    def addAll(self, nums):\n        return max(nums)", METHOD),
    ],
)
def test_the_last_real_answer_is_judged_right_or_wrong(first: str, last: str, task: Task) -> None:
    assert answer(fenced(first, last), task) == last.strip()


def test_a_body_that_lost_a_line_is_a_correction() -> None:
    body = ADD.partition("\n")[2]
    longer = body.replace("    for", "    xs = xs[1:]\n    for")
    assert answer(fenced(longer, body), CONTINUED) == CONTINUED.prompt + body.rstrip()


def test_a_whole_program_again_is_judged_where_it_stands_last() -> None:
    completion = fenced(ADD, ADD)
    [segment] = extract(completion, FUNCTION).segments
    assert segment.completion_start == completion.rindex("def")


def test_an_empty_body_that_stands_alone_is_the_answer() -> None:
    assert answer(fenced("def add_all(xs):\n    pass"), FUNCTION) == "def add_all(xs):\n    pass"


@pytest.mark.parametrize("sketch", ["def plus(a, b):\n    ...", "def plus(a, b):\n    c = a"])
def test_a_helper_comes_from_where_it_has_its_body(sketch: str) -> None:
    plus = "def plus(a, b):\n    c = a\n    return c + b\n"
    add = "def add_all(xs):\n    return plus(xs[0], xs[1])\n"
    assert answer(fenced(plus, add, sketch), FUNCTION) == (plus + add).strip()


@pytest.mark.parametrize(
    ("completion", "source"),
    [
        (f"```python\n\ufeff{ADD}```", ADD),
        (f"```python\r\n\ufeff{ADD}```", ADD),
        (f"The answer is\n\n\\boxed{{{ADD.strip()}}}", ADD),
        (f"The answer is $\\boxed{{\n{ADD}}}$.", ADD),
        ("\\boxed{def add_all(xs):\n    return {0: sum(xs)}[0]}", "def add_all(xs):\n    return {0: sum(xs)}[0]"),
        (f"{fenced(ADD)}\n\\boxed{{add_all}}", ADD),
        (
            fenced(">>> def add_all(xs):\n...     return sum(xs)\n...\n>>> add_all([1, 2])\n3"),
            "def add_all(xs):\n    return sum(xs)\n\nadd_all([1, 2])",
        ),
        (fenced(ADD, ">>> add_all([1, 2])\n3", ">>> add_all = add_all([1, 2])"), ADD),
    ],
)
def test_marks_boxes_and_prompts_around_code_are_no_code(completion: str, source: str) -> None:
    assert answer(completion, FUNCTION) == source.strip()
