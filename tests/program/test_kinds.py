"""Methods, whole programs, and source that a task puts in front of the candidate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from egca_plugin.program.extract import extract, to_completion
from egca_plugin.types import CallCase, Kind, Program, Span, Task

STARTER = "from typing import List\n\nclass Solution:\n    def double(self, xs: List[int]) -> List[int]:\n        "
METHOD = Task("m", STARTER, "Solution.double", "", (), kind=Kind.METHOD)
CHAT = Task("m", "Double all numbers.", "Solution().double", "", (), kind=Kind.METHOD, preamble="from typing import *")
FUNCTION = Task("f", "Write double(x).", "double", "", ())
PROGRAM = Task("p", "Read n and print its double.", "", "", (), kind=Kind.STDIN)
MAIN = "n = int(input())\nprint(n * 2)\n"
DOTTED = "class E(Exception):\n    ...\nn = int(input())\nprint(n * 2)\n"
FAST = "import os\nn = int(os.read(0, 99))\nprint(n * 2)\n"
CLASS = "class Solution:\n    def double(self, xs: List[int]):\n        return [2 * x for x in xs]\n"


def doubles(program: Program) -> bool:
    assert program.compiles, program.error
    names: dict[str, object] = {}
    exec(program.source, names)
    double = names["Solution"]().double if "Solution" in names else names["double"]  # type: ignore[operator]
    return bool(double([1, 2]) == [2, 4])  # type: ignore[operator]


@pytest.mark.parametrize(
    "completion",
    [
        "return [2 * x for x in xs]\n",
        "out = []\n        for x in xs:\n            out.append(2 * x)\n        return out\n",
        "        return [2 * x for x in xs]\n",
        "\n        return [2 * x for x in xs]\n```\nDone.",
        f"```python\n{CLASS}```",
        CLASS,
        "    def double(self, xs):\n        return [2 * x for x in xs]\n",
        "```python\ndef double(xs):\n    return [2 * x for x in xs]\n```",
        "def double(self, xs):\n    return self.each(xs)\n\ndef each(self, xs):\n    return [2 * x for x in xs]\n",
    ],
)
def test_methods_and_functions_of_their_name(completion: str) -> None:
    assert doubles(extract(completion, METHOD))


@pytest.mark.parametrize("task", [METHOD, CHAT])
def test_a_class_with_the_method_comes_before_its_usage(task: Task) -> None:
    usage = "```python\nsolution = Solution()\nprint(solution.double([1]))\n```"
    assert doubles(extract(f"```python\n{CLASS}```\nUse it:\n{usage}", task))


@pytest.mark.parametrize(
    ("completion", "source"),
    [
        (MAIN, MAIN),
        (f"Here is the program:\n\n{MAIN}\nIt doubles the number that you give.\n", MAIN),
        (f"```python\n{MAIN}```\nExample:\n```\n3\n```\nOutput:\n```\n6\n```", MAIN),
        (f"```python\n{MAIN}```\nTry:\n```python\nprint('3')\n```", MAIN),
        ("```python\nprint('Hello')\n```\nOutput:\n```\nHello\n```", "print('Hello')\n"),
        ("a,b=map(int,input().split())\nprint(a+b)\n", "a,b=map(int,input().split())\nprint(a+b)\n"),
        (f"An idea:\n```python\nprint(2)\n```\nAll of it:\n```python\n{MAIN}```", MAIN),
        (f"```python\nn = int(input())\nprint(n)\n```\nThat is wrong, rather:\n```python\n{MAIN}```", MAIN),
        (f"```python\n{MAIN}```\nFrom a file:\n```python\nimport sys\nsys.stdin = open('a')\nprint(1)\n```", MAIN),
        (f"```python\n{MAIN}```\nTry:\n```python\nsys.stdin = io.StringIO('3')\nmain()\nprint('ok')\n```", MAIN),
        (f"```python\n{MAIN}```\nTry:\n```python\np = Popen(['a'], stdin=PIPE, stdout=PIPE)\nprint(p)\n```", MAIN),
        (f"```python\nx = [1]\n```\nAll:\n```python\n{DOTTED}```", DOTTED),
        (f"```python\n{MAIN}```\nFor many:\n```python\nt = int(input())\n...\nprint(t)\n```", MAIN),
        (f"```python\n{MAIN}```\nFaster:\n```python\n{FAST}```", FAST),
        (f"```pypy3\n{MAIN}```", MAIN),
        (f"Do it so:\n```text\n{MAIN}```", MAIN),
        ("```python\nimport sys\n```\n```python\nprint(2 * int(sys.stdin.read()))\n```", None),
        ("```python\ndef main():\n    print(2 * int(input()))\n```\nRun it:\n```python\nmain()\n```", None),
    ],
)
def test_a_whole_program_is_the_last_that_reads_and_acts(completion: str, source: str | None) -> None:
    program = extract(completion, PROGRAM)
    assert program.compiles
    if source is not None:
        assert program.source == source
    else:
        assert "main()\n" in program.source[5:] or program.source.startswith("import sys\n")


@pytest.mark.parametrize("cut", range(8, len(MAIN) - 2, 3))
def test_a_repetition_that_was_cut_off_is_no_program(cut: int) -> None:
    assert extract(f"```python\n{MAIN}```\nFinal:\n```python\n{MAIN[:cut]}", PROGRAM).source == MAIN


@pytest.mark.parametrize(
    "answer",
    [
        "class Solution:\n    def double(self, x):\n        return 2 * x",
        "def double(self, x):\n    return self.times(2, x)\n\ndef times(self, n, x):\n    return n * x",
        "def double(x):\n    return 2 * x",
        "double = lambda x: 2 * x",
        "def double(self):\n    return 2 * self",
        "class Solution:\n    def double(self, x): return x\ntry:\n    def double(x): return 2 * x\nfinally:\n    pass",
        "```python\nif True:\n    def double(x): return 2 * x\n```\nUse it:\n```python\nx = [1]\nprint(x)\n```",
    ],
)
def test_a_function_of_which_cases_are_told_may_be_a_method(answer: str) -> None:
    names: dict[str, object] = {}
    exec(extract(answer, replace(FUNCTION, cases=(CallCase("[2]", "{}", "4"),))).source, names)
    assert names["double"](2) == 4  # type: ignore[operator]


def test_what_the_tests_import_is_there_for_the_program_too() -> None:
    task = replace(FUNCTION, setup="import math\nfrom re import findall\nfrom solution import two\nx = 1")
    assert extract("def double(x):\n    return math.prod([two, x])", task).source.startswith("import math\ndef")


def test_the_preamble_stands_in_front_and_nobody_sampled_it() -> None:
    completion = f"```python\n{CLASS}```"
    program = extract(completion, CHAT)
    assert program.source == f"from typing import *\n{CLASS}"
    assert to_completion(program, Span(0, len("from typing import *\n"))) is None
    at = program.source.index("return")
    assert to_completion(program, Span(at, at + 6)) == Span(completion.index("return"), completion.index("return") + 6)


def test_imports_from_the_future_stay_legal_in_front_of_a_preamble() -> None:
    completion = f'```python\n"""Doc."""\nfrom __future__ import annotations\n{CLASS}```'
    program = extract(completion, CHAT)
    assert doubles(program)
    assert program.source.index("from __future__") < program.source.index("from typing") < program.source.index("class")
    starts = [segment.completion_start for segment in program.segments]
    assert starts == sorted(starts)
    sampled = "".join(completion[s.completion_start :][: s.length] for s in program.segments)
    assert sampled == completion.removeprefix("```python\n").removesuffix("```")  # all of it, once, in order


def test_what_does_not_compile_has_its_preamble_too() -> None:
    program = extract("```python\nclass Solution:\n    def double(self, xs)\n        return xs\n```", CHAT)
    assert program.error is not None
    assert program.error.line == 3
