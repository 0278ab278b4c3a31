"""Which text of a completion answers, and where it ends: never told from what is right, and no code left out."""

from __future__ import annotations

import pytest

from egca_plugin.program.extract import extract
from egca_plugin.types import Program, Task

TASK = Task("t", "Write a function add(a, b).", "add", "def add(a, b):\n    return a + b\n", ("assert add(1, 2) == 3",))
ADD = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return a - b\n"


def answer(completion: str) -> Program:
    return extract(completion, TASK)


@pytest.mark.parametrize(
    "completion",
    [
        f"python\n{ADD}",
        f"Copy code\n{ADD}",
        f"assistant\n{ADD}",
        f"```\npython\n{ADD}```",
        f"{ADD}Done",
        f"{ADD}\nuser\nWrite sub\n",
        f"Python code:\n{ADD}",
        f"Answer: {ADD}",
        f"Here is it\n\n{ADD}\nprint the result to see it\n",
        f"下面是代码：\n\n{ADD}\n这个函数返回两个数的和。",
        f"Voici la fonction :\n\n{ADD}\nElle additionne deux nombres.",
        f"**Answer**\n\n    {ADD.replace(chr(10), chr(10) + '    ')}\nDone.",
        f"\\begin{{code}}\n{ADD}\\end{{code}}",
        f"[BEGIN]\n{ADD}[DONE]\n\nYour next task: sum a list.\n[BEGIN]\n{WRONG}[DONE]",
        f"{ADD}[DONE]",
        f"[BEGIN] {ADD}[DONE]",
        f"[BEGIN]\n```python\n{ADD}```\n[DONE]",
        f"[PYTHON]\n{ADD}[/PYTHON]\n[TESTS]\nfrom m import add\nassert add(1, 1) == 2\n[/TESTS]",
        f"[ANSWER]\n{ADD}",
        f"<code>\n{ADD}</code>",
        f"<answer>{ADD}</answer>\n\nOr, wrong:\n```python\n{WRONG}```",
        f"'''python\n{ADD}'''",
        f"```python title='a.py'\n{ADD}```",
        f"Here you are: ```python\n{ADD}```\nIt adds.",
        f"`````python\n{ADD}```\n\nIt adds.",
        f"```python\n{ADD}``` This adds two numbers.",
        f"````markdown\n```\n{ADD}```\n````",
        f"{ADD}```\n\nIt adds.",
        f"{ADD}```\n\n### Usage\n\n```python\nprint(add(1, 2))\n```\n```\n3\n```",
        "```python def add(a, b):\n    return a + b\n```",
        "> ```python\n> def add(a, b):\n>     return a + b\n> ```",
        f"```python\n{ADD}```\nTest it:\n```python\nfrom solution import add\nassert add(1, 2) == 3\n```",
        f"```python\n{ADD}```\nIn JavaScript:\n```js\nadd = (a, b) => a + b;\n```",
        f"```python\n{ADD}```\nOutput:\n```\nadd = 3\n```",
        f"```python\n{WRONG}```\nThat subtracts. Better:\n```python\n{ADD}",
        f"```python\n{WRONG}```\nBetter:\n\n```python\n{ADD}```\n```\n```",
    ],
)
def test_the_answer_is_found(completion: str) -> None:
    program = answer(completion)
    assert program.compiles
    assert "a + b" in program.source
    assert _normal(program.source) == _normal(ADD)


def _normal(source: str) -> list[str]:
    """Words by line; a decoder's lost blank may have changed how deep a body is indented."""
    return [line.strip() for line in source.splitlines() if line.strip()]


@pytest.mark.parametrize(
    "code",
    [
        "from operator import add\n",
        "import operator\nadd = operator.add\n",
        "add = lambda a, b: a + b\n",
        "try:\n    from fast import add\nexcept ImportError:\n    def add(a, b):\n        return a + b\n",
        "if True:\n    def add(a, b):\n        return a + b\n",
        "import functools\n\n@functools.cache\ndef add(a, b):\n    return a + b\n",
        "async def add(a, b):\n    return a + b\n",
        "class add:\n    pass\n",
        "sub, add = (lambda a, b: a - b), (lambda a, b: a + b)\n",
        'def add(a, b):\n    """Add.\n\n    ```python\n    add(1, 2)\n    ```\n    """\n    return a + b\n',
        "FENCE = '''\n```\n'''\n\ndef add(a, b):\n    return a + b\n",
        "def add(a, b):\n    return double(a) + b\n\n\ndef double(a):\n    return a\n",
        "def add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\nassert add(1, 2) == 3\n",
        "def add(a, b):\n    return a + b\n\n\nif __name__ == '__main__':\n    print(add(1, 2))\n",
    ],
)
def test_every_way_to_bind_the_entry_point_is_kept_whole(code: str) -> None:
    assert answer(f"Use this:\n\n```python\n{code}```\nIt adds.").source == code
    assert answer(code).source == code


@pytest.mark.parametrize(
    ("completion", "source"),
    [
        (f"```python\n{ADD}```\nOr:\n```python\n{WRONG}```", WRONG),
        (f"```python\n{ADD}```\nOr:\n```python\ndef add(a, b)\n    return a\n```", "def add(a, b)\n    return a\n"),
        (f"```python\n{ADD}```\nOr:\n```python\ndef add(a, b)\n    return a\n", "def add(a, b)\n    return a\n"),
        (f"```python\n{ADD}```\nOr:\n```python\n{WRONG}", WRONG),
    ],
)
def test_offering_two_answers_gains_nothing(completion: str, source: str) -> None:
    assert answer(completion).source == source


@pytest.mark.parametrize(
    "code",
    [
        f"{ADD}\ndef sub(a, b)\n    return a - b\n",
        f"{ADD}\nx = = 2\n",
        f"{ADD}print(add(1, 2)))\n",
        "def add(a, b):\n    print a\n    return a + b\n",
    ],
)
@pytest.mark.parametrize("text", ["{}", "```python\n{}```", "```python\n{}", "Here:\n\n{}\nThat is all of it.\n"])
def test_broken_code_of_its_own_is_not_cut_away(code: str, text: str) -> None:
    program = answer(text.format(code))
    assert program.error is not None
    assert program.source.strip() == code.strip()


@pytest.mark.parametrize(
    "tail",
    [
        "def sub(a, b):\n    return (a",
        "@cache\ndef sub(a, b",
        "x = [1,\n  2",
        "assert add(1,",
        "for x in ran",
        '"""Tests',
    ],
)
def test_the_length_limit_costs_only_what_it_cut_off(tail: str) -> None:
    assert answer(f"{ADD}\n{tail}").source.strip() == ADD.strip()
    assert answer(f"```python\n{ADD}\n{tail}").source.strip() == ADD.strip()
    closed = answer(f"```python\n{ADD}\n{tail}\n```")
    assert closed.error is not None  # the fence was closed: it is a mistake


def test_a_block_cut_off_while_it_repeats_an_earlier_one_is_that_one() -> None:
    whole = f"```python\n{ADD}```\n"
    for end in range(len("```python\ndef add(a"), len(whole)):
        assert answer(whole * 3 + whole[:end]).source.strip() == ADD.strip()


@pytest.mark.parametrize(
    "completion",
    [
        "```python\nimport operator\n```\n```python\ndef add(a, b):\n    return operator.add(a, b)\n```",
        "```python\ndef plus(a, b):\n    return a + b\n```\n```python\ndef add(a, b):\n    return plus(a, b)\n```",
        "```python\ndef add(a, b):\n    return plus(a, b)\n```\n```python\ndef plus(a, b):\n    return a + b\n```",
        "```python\nimport operator\n```\n```python\nplus = operator.add\n```\n"
        "```python\ndef add(a, b):\n    return plus(a, b)\n```",
        "First:\n\nimport operator\n\nThen this:\n\ndef add(a, b):\n    return operator.add(a, b)\n\nThat is all.",
    ],
)
def test_blocks_that_build_on_each_other_are_one_program(completion: str) -> None:
    names: dict[str, object] = {}
    exec(answer(completion).source, names)
    assert names["add"](1, 2) == 3  # type: ignore[operator]


def test_usage_and_drafts_stay_out_of_it() -> None:
    usage = "```python\nx = add(1, 2)\nprint(x)\n```"
    draft = "```python\ndef add(a, b):\n    return helper(a)\n```"
    assert answer(f"{draft}\nBetter:\n```python\n{ADD}```\n{usage}").source == ADD
